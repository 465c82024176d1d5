//! What happens in the lesson, applied to the state; what is asked of the worker, and its answers.

use crate::catalogue::lesson_sentences::SENTENCES;
use crate::math::turn::{nearest_turn, turned};
use crate::protocol::Revision;
use crate::protocol::event::Event;
use crate::protocol::lab::Treatment;
use crate::protocol::message::{Message, numbers_of};
use crate::protocol::problem::Problem;
use crate::protocol::readout::{Lens, Pooling, Readout, Side};
use crate::protocol::request::Request;
use crate::protocol::training::Shape;
use crate::state::action::Action;
use crate::state::app::State;
use crate::state::effect::Effect;
use crate::state::fine_tune;
use crate::state::fine_tune::FineTuneAction;
use crate::state::fine_tune::field::Field;
use crate::state::fine_tune::material::ProbeChoice;
use crate::state::lesson::experiment::{Length, Outcome, Variant};
use crate::state::lesson::{
    Cloud, Draw, Figure, Lesson, LessonAction, MOST_DROPOUT, Measured, Of, SIDE, STEPS, Wish,
    same_rate,
};
use crate::state::route::{Route, View};
use crate::state::trainer::{Stage, life};

/// From this step on (from 0) views under dropout are looked at.
const VIEWS_STEP: usize = 2;
/// Pause between the last keystroke and asking.
const SETTLE_MS: u32 = 350;
/// Views are drawn at these rates without being asked for.
const SWEEP: [f32; 8] = [0.1, 0.0, 0.05, 0.15, 0.2, 0.3, 0.4, 0.5];
/// Draws that are kept.
const MOST_DRAWS: usize = 120;

/// Where the lesson starts: the state of `[CLS]`, which this model was not trained to be read by.
const READOUT: Readout = Readout { pooling: Pooling::Cls, layer: None };

/// Applies what happened.
pub(in crate::state) fn update(state: &mut State, action: LessonAction) -> Vec<Effect> {
    let lesson = &mut state.lesson;
    match action {
        LessonAction::StepReached(step) => {
            lesson.step = step.min(STEPS - 1);
            let mut effects = ask(state);
            effects.extend((state.view == View::Lesson).then(|| address(state.lesson.step)));
            return effects;
        }
        LessonAction::OwnTyped(text) => {
            lesson.own = text;
            lesson.typed_count += 1;
            let action = Action::Lesson(LessonAction::OwnSettled(lesson.typed_count));
            return vec![Effect::After { pause_ms: SETTLE_MS, action }];
        }
        LessonAction::OwnSettled(count) if count != lesson.typed_count => return Vec::new(),
        LessonAction::OwnSettled(_) => {}
        LessonAction::DropoutChosen(dropout) => {
            // Whole hundredths, so that a rate can be come back to.
            lesson.dropout = (dropout.clamp(0.0, MOST_DROPOUT) * 100.0).round() / 100.0;
            if lesson.draw().is_none() {
                wish_first(lesson);
            }
        }
        LessonAction::DrawnAgain => {
            lesson.try_drawing_again();
            wish_first(lesson);
        }
        LessonAction::TemperatureChosen(temperature) => {
            lesson.temperature = temperature.clamp(0.005, 2.0);
        }
        LessonAction::RowChosen(row) => lesson.row = row.min(SIDE - 1),
        LessonAction::SubjectChosen(subject) => lesson.subject = subject,
        LessonAction::Trained(variant, length) => return train(state, variant, length),
    }
    ask(state)
}

/// The address of a step, so that a reload comes back to it and a link can be given.
fn address(step: usize) -> Effect {
    let step = Some(step).filter(|step| *step > 0);
    Effect::ShowFragment(Route { view: View::Lesson, step, ..Route::default() }.to_fragment())
}

/// Asks for everything that the lesson shows and does not have yet.
pub(in crate::state) fn ask(state: &mut State) -> Vec<Effect> {
    state.lesson.awaits_trainer = false;
    if state.view != View::Lesson || !state.can_compute() {
        return Vec::new();
    }
    let mut effects: Vec<Effect> =
        Cloud::ALL.into_iter().filter_map(|cloud| ask_cloud(state, cloud)).collect();
    if state.lesson.step >= VIEWS_STEP {
        effects.extend(ask_views(state));
    }
    effects
}

fn ask_cloud(state: &mut State, cloud: Cloud) -> Option<Effect> {
    let Some(of) = of(state, cloud) else {
        *state.lesson.figure_mut(cloud) = Figure::default();
        return None;
    };
    let figure = state.lesson.figure(cloud);
    let known = figure.measured.as_ref().is_some_and(|measured| measured.of == of);
    let failed = figure.failed.as_ref().is_some_and(|(_, failed)| *failed == of);
    let asked = figure.asked.as_ref().is_some_and(|(_, asked)| *asked == of);
    if asked || ((known || failed) && figure.asked.is_none()) {
        return None;
    }
    let revision = state.revision();
    let mut sentences: Vec<String> = SENTENCES.iter().map(|&text| text.to_owned()).collect();
    sentences.push(of.own.clone());
    let figure = state.lesson.figure_mut(cloud);
    figure.asked = Some((revision, of));
    figure.failed = None;
    let side = if cloud == Cloud::After { Side::After } else { Side::Before };
    Some(Effect::ask(Request::Survey {
        revision,
        slot: cloud.slot(),
        sentences,
        lens: Lens { side, readout: READOUT },
        treatment: match cloud {
            Cloud::Whitened => Treatment::Whitened { keep: None },
            _ => Treatment::AsTheyAre,
        },
        positives: Vec::new(),
        scored: Vec::new(),
        keep: false,
    }))
}

/// What a cloud is to be measured of now; `None` where there is no such thing.
fn of(state: &State, cloud: Cloud) -> Option<Of> {
    let model = state.model.as_ref()?.sha256.clone();
    let adapter = match cloud {
        Cloud::Before | Cloud::Whitened => None,
        Cloud::After => {
            let adapter = state.adapters.adapter()?;
            Some((adapter.sha256.clone(), state.adapters.blend))
        }
    };
    Some(Of { model, adapter, own: state.lesson.own.clone() })
}

/// The chosen rate, under masks of its own, before all other wishes.
fn wish_first(lesson: &mut Lesson) {
    let wish = Wish { dropout: lesson.dropout, seed: lesson.next_seed };
    lesson.next_seed += 1;
    lesson.wishes.push_front(wish);
}

/// Asks the trainer for the next views, one draw at a time; starts it where there is none.
fn ask_views(state: &mut State) -> Option<Effect> {
    let of = of(state, Cloud::Before)?;
    let lesson = &mut state.lesson;
    if lesson.drawn_of.as_ref() != Some(&of) {
        lesson.drawn_of = Some(of.clone());
        lesson.draws.clear();
        lesson.drawing = None;
        lesson.try_drawing_again();
        lesson.wishes = (1..).zip(SWEEP).map(|(seed, dropout)| Wish { dropout, seed }).collect();
        lesson.next_seed = SWEEP.len() as u64 + 1;
        if lesson.draw().is_none() && !SWEEP.iter().any(|rate| same_rate(*rate, lesson.dropout)) {
            wish_first(lesson);
        }
    }
    if lesson.drawing.is_some() || lesson.draw_problem.is_some() || lesson.wishes.is_empty() {
        return None;
    }
    if !state.trainer.has(&of.model) {
        return await_trainer(state, &of.model);
    }
    let lesson = &mut state.lesson;
    let wish = lesson.wishes.pop_front()?;
    let sentences = lesson.batch();
    let revision = state.revision();
    state.lesson.drawing = Some((revision, wish));
    let request = Request::Views {
        revision,
        sentences,
        lens: Lens { side: Side::Before, readout: READOUT },
        dropout: wish.dropout,
        same_mask: false,
        seed: wish.seed,
    };
    Some(life::ask(state, Message::plain(request)))
}

/// The trainer does not have the model: it is started, or waited for.
fn await_trainer(state: &mut State, model: &str) -> Option<Effect> {
    state.lesson.awaits_trainer = true;
    match &state.trainer.stage {
        // Which model the page uses is not settled while one is on its way.
        Stage::Absent if state.loading.is_none() => Some(life::start(state)),
        Stage::Absent | Stage::Starting | Stage::Opening(_) => None,
        // A fine-tune goes on with the model it began with.
        Stage::Open { .. } if state.fine_tune.live_run().is_some() => None,
        Stage::Open { sha256 } => {
            let detail = format!("the page has model {model}, the trainer opened {sha256}");
            state.lesson.awaits_trainer = false;
            state.lesson.draw_problem = Some(Problem::Internal { detail });
            None
        }
    }
}

/// Takes the worker's answers to the lesson's questions.
pub(in crate::state) fn take_event(state: &mut State, message: Message<Event>) -> Vec<Effect> {
    let numbers = numbers_of(message.bulk).unwrap_or_default();
    match message.head {
        Event::Survey { revision, slot, findings, .. } => {
            if let Some(cloud) = Cloud::of_slot(slot) {
                take_cloud(&mut state.lesson, cloud, revision, findings.shape, numbers);
            }
            Vec::new()
        }
        Event::Views { revision, .. } => {
            let lesson = &mut state.lesson;
            if let Some((_, wish)) = lesson.drawing.take_if(|(asked, _)| *asked == revision) {
                let Wish { dropout, seed } = wish;
                lesson.losses = 0;
                lesson.draws.push(Draw { dropout, seed, cosines: numbers });
                let excess = lesson.draws.len().saturating_sub(MOST_DRAWS);
                lesson.draws.drain(..excess);
            }
            ask(state)
        }
        _ => Vec::new(),
    }
}

fn take_cloud(
    lesson: &mut Lesson,
    cloud: Cloud,
    revision: Revision,
    shape: Shape,
    with_own: Vec<f32>,
) {
    let figure = lesson.figure_mut(cloud);
    let Some((_, of)) = figure.asked.take_if(|(asked, _)| *asked == revision) else { return };
    let sphere = shape.sphere.clone();
    figure.measured = Some(Measured { shape, with_own, of, sphere });
    stand_alike(lesson);
}

/// Turns the clouds after and whitened so that their sentences lie as near as may be to their
/// places before: the axes of two clouds are their own, and would jump.
fn stand_alike(lesson: &mut Lesson) {
    let Some(before) = lesson.measured(Cloud::Before).map(|found| found.sphere.clone()) else {
        return;
    };
    for cloud in [Cloud::After, Cloud::Whitened] {
        if let Some(found) = &mut lesson.figure_mut(cloud).measured {
            found.shape.sphere = match nearest_turn(&found.sphere, &before) {
                Some(turn) => turned(&found.sphere, &turn),
                None => found.sphere.clone(),
            };
        }
    }
}

/// Whether a request that failed was the lesson's.
pub(in crate::state) fn take_failure(
    state: &mut State,
    revision: Revision,
    problem: &Problem,
) -> bool {
    let lesson = &mut state.lesson;
    for figure in &mut lesson.figures {
        if let Some((_, of)) = figure.asked.take_if(|(asked, _)| *asked == revision) {
            figure.measured = None;
            figure.failed = Some((problem.clone(), of));
            return true;
        }
    }
    if lesson.drawing.take_if(|(asked, _)| *asked == revision).is_some() {
        lesson.draw_problem = Some(problem.clone());
        return true;
    }
    false
}

/// Starts a fine-tune of the lesson on the bundled collection. What the visitor has in the fine-tune
/// view (sentences, recipe, choices) is as before afterwards.
fn train(state: &mut State, variant: Variant, length: Length) -> Vec<Effect> {
    if state.fine_tune.live_run().is_some() {
        return Vec::new();
    }
    let kept = state.fine_tune.clone();
    let (steps, batch) = length.size();
    let fields = [
        (Field::Steps, steps.to_string()),
        (Field::Batch, batch.to_string()),
        (Field::MeasureEvery, length.measure_every().to_string()),
    ];
    let changes = variant.changes().iter().map(|(field, text)| (*field, (*text).to_owned()));
    let mut actions = vec![
        FineTuneAction::BundledChosen,
        FineTuneAction::PresetChosen(variant.preset()),
        FineTuneAction::ProbeChosen(ProbeChoice::Bundled),
        FineTuneAction::OwnScoresChosen(false),
        FineTuneAction::UseLiveChosen(false),
    ];
    actions.extend(
        fields
            .into_iter()
            .chain(changes)
            .map(|(field, text)| FineTuneAction::FieldTyped(field, text)),
    );
    actions.push(FineTuneAction::Started);
    let effects =
        actions.into_iter().flat_map(|action| fine_tune::update::update(state, action)).collect();
    if state.fine_tune.live_run().is_some() {
        state.lesson.running = Some((variant, length));
    }
    let started = std::mem::replace(&mut state.fine_tune, kept);
    state.fine_tune.run = started.run;
    state.fine_tune.is_edited = false;
    state.fine_tune.previous = started.previous;
    effects
}

/// The step of the latest run that could be the side after and is not: what the lesson's spheres
/// show is then another adapter.
pub fn unused_run(state: &State) -> Option<u32> {
    let attached = state.adapters.adapter().is_some();
    let run = state.fine_tune.run.as_ref().filter(|run| attached && !run.phase.is_live())?;
    run.chosen().filter(|step| run.used != Some(*step))
}

/// After the trainer said something: a fine-tune of the lesson that is over is noted down. The full one
/// becomes the side after where there is none, so that the lesson can go on with it.
pub(in crate::state) fn note_run(state: &mut State) -> Vec<Effect> {
    let Some((variant, length)) = state.lesson.running else { return Vec::new() };
    let run = state.fine_tune.run.as_ref();
    if run.is_some_and(|run| run.phase.is_live()) {
        return Vec::new();
    }
    state.lesson.running = None;
    let Some(outcome) = run.and_then(|run| Outcome::of(variant, run)) else { return Vec::new() };
    if length == Length::Short {
        state.lesson.outcomes.retain(|old| old.variant != variant);
        state.lesson.outcomes.push(outcome);
        return Vec::new();
    }
    if state.adapters.attached.is_some() || state.adapters.arriving.is_some() {
        return Vec::new();
    }
    fine_tune::update::update(state, FineTuneAction::Used)
}
