//! The guided lesson: where the reader is, the reader's sentence, the figures' data.

pub mod contrast;

use std::collections::VecDeque;

use crate::catalogue::lesson_sentences::{BATCH, SENTENCES};
use crate::math::turn::{nearest_turn, turned};
use crate::protocol::Revision;
use crate::protocol::event::Event;
use crate::protocol::message::{Bulk, Message};
use crate::protocol::problem::Problem;
use crate::protocol::readout::{Lens, Pooling, Readout, Side};
use crate::protocol::request::Request;
use crate::protocol::training::Shape;
use crate::state::action::Action;
use crate::state::app::State;
use crate::state::effect::Effect;
use crate::state::route::View;

/// The lesson's steps.
pub const STEPS: usize = 9;
/// Sentences of the small batch that one can look into: the reader's own and the bundled ones.
pub const SIDE: usize = BATCH.len() + 1;
/// The highest dropout that can be chosen.
pub const MOST_DROPOUT: f32 = 0.5;
/// The sentence that is there before the reader types one.
pub const FIRST_SENTENCE: &str = "A cat is sleeping in a cardboard box.";

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

/// A cloud of the lesson's sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cloud {
    Before,
    After,
    Whitened,
}

impl Cloud {
    pub const ALL: [Self; 3] = [Self::Before, Self::After, Self::Whitened];

    fn slot(self) -> u8 {
        match self {
            Self::Before => 0,
            Self::After => 1,
            Self::Whitened => 2,
        }
    }

    fn of_slot(slot: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|cloud| cloud.slot() == slot)
    }
}

/// What a cloud was measured of: it is measured again when any of this changes.
#[derive(Debug, Clone, PartialEq)]
struct Of {
    model: String,
    /// Hash and blend.
    adapter: Option<(String, f32)>,
    own: String,
}

/// A measured cloud.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Its sphere is turned so that every sentence lies near its place before.
    pub shape: Shape,
    /// Cosine of each sentence with the reader's own, which is the last.
    pub with_own: Vec<f32>,
    of: Of,
    /// The sphere as it came.
    sphere: Vec<f32>,
}

/// What is known of a cloud.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Figure {
    pub measured: Option<Measured>,
    /// Why there is no answer; the same question is not asked again.
    failed: Option<(Problem, Of)>,
    asked: Option<(Revision, Of)>,
}

impl Figure {
    /// Why there is no answer.
    pub fn problem(&self) -> Option<&Problem> {
        self.failed.as_ref().map(|(problem, _)| problem)
    }

    /// Whether an answer is on its way.
    pub fn is_waiting(&self) -> bool {
        self.asked.is_some()
    }
}

/// Two views of the small batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Draw {
    pub dropout: f32,
    pub seed: u64,
    /// `[SIDE, SIDE]`, first views by second views; the reader's sentence is the first.
    pub cosines: Vec<f32>,
}

/// Views that are wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Wish {
    dropout: f32,
    seed: u64,
}

/// What the lesson shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// The step the reader is at, from 0.
    pub step: usize,
    /// The reader's sentence.
    pub own: String,
    pub(super) typed_count: u32,
    figures: [Figure; 3],
    /// p of the views that are shown.
    pub dropout: f32,
    /// tau of the loss that is looked into.
    pub temperature: f32,
    /// Row of the matrix that is looked into.
    pub row: usize,
    /// Subject whose sentences are ringed.
    pub subject: Option<usize>,
    pub draws: Vec<Draw>,
    pub draw_problem: Option<Problem>,
    drawn_of: Option<Of>,
    drawing: Option<(Revision, Wish)>,
    wishes: VecDeque<Wish>,
    next_seed: u64,
}

impl Default for Lesson {
    fn default() -> Self {
        Self {
            step: 0,
            own: FIRST_SENTENCE.to_owned(),
            typed_count: 0,
            figures: Default::default(),
            dropout: 0.1,
            temperature: 0.05,
            row: 0,
            subject: None,
            draws: Vec::new(),
            draw_problem: None,
            drawn_of: None,
            drawing: None,
            wishes: VecDeque::new(),
            next_seed: 1,
        }
    }
}

impl Lesson {
    /// What is known of a cloud.
    pub fn figure(&self, cloud: Cloud) -> &Figure {
        &self.figures[usize::from(cloud.slot())]
    }

    /// A cloud, once it is measured.
    pub fn measured(&self, cloud: Cloud) -> Option<&Measured> {
        self.figure(cloud).measured.as_ref()
    }

    /// The latest draw at the chosen dropout.
    pub fn draw(&self) -> Option<&Draw> {
        self.draws.iter().rev().find(|draw| same_rate(draw.dropout, self.dropout))
    }

    /// Whether views are on their way.
    pub fn is_drawing(&self) -> bool {
        self.drawing.is_some()
    }

    /// The small batch: the reader's sentence, then the bundled ones.
    pub fn batch(&self) -> Vec<String> {
        let bundled = BATCH.iter().filter_map(|place| SENTENCES.get(*place));
        std::iter::once(self.own.clone()).chain(bundled.map(|&text| text.to_owned())).collect()
    }

    /// What was asked is lost with the worker that was asked.
    pub(super) fn forget_questions(&mut self) {
        self.figures.iter_mut().for_each(|figure| figure.asked = None);
        self.drawing = None;
    }

    fn figure_mut(&mut self, cloud: Cloud) -> &mut Figure {
        &mut self.figures[usize::from(cloud.slot())]
    }
}

/// What happens in the lesson.
#[derive(Debug, Clone, PartialEq)]
pub enum LessonAction {
    /// The reader scrolled to that step.
    StepReached(usize),
    OwnTyped(String),
    /// The pause after typing is over; the number tells whether typing went on.
    OwnSettled(u32),
    DropoutChosen(f32),
    /// Other masks at the same rate.
    DrawnAgain,
    TemperatureChosen(f32),
    RowChosen(usize),
    SubjectChosen(Option<usize>),
}

/// Applies what happened.
pub(super) fn update(state: &mut State, action: LessonAction) -> Vec<Effect> {
    let lesson = &mut state.lesson;
    match action {
        LessonAction::StepReached(step) => lesson.step = step.min(STEPS - 1),
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
        LessonAction::DrawnAgain => wish_first(lesson),
        LessonAction::TemperatureChosen(temperature) => {
            lesson.temperature = temperature.clamp(0.005, 2.0);
        }
        LessonAction::RowChosen(row) => lesson.row = row.min(SIDE - 1),
        LessonAction::SubjectChosen(subject) => lesson.subject = subject,
    }
    ask(state)
}

/// Asks for everything that the lesson shows and does not have yet.
pub(super) fn ask(state: &mut State) -> Vec<Effect> {
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
    Some(send(Request::Survey {
        revision,
        slot: cloud.slot(),
        sentences,
        lens: Lens { side, readout: READOUT },
        whitened: cloud == Cloud::Whitened,
    }))
}

/// What a cloud is to be measured of now; `None` where there is no such thing.
fn of(state: &State, cloud: Cloud) -> Option<Of> {
    let model = state.model.as_ref()?.sha256.clone();
    let adapter = match cloud {
        Cloud::Before | Cloud::Whitened => None,
        Cloud::After => Some((state.adapters.attached.as_ref()?.sha256.clone(), 1.0)),
    };
    Some(Of { model, adapter, own: state.lesson.own.clone() })
}

/// The chosen rate, under masks of its own, before all other wishes.
fn wish_first(lesson: &mut Lesson) {
    let wish = Wish { dropout: lesson.dropout, seed: lesson.next_seed };
    lesson.next_seed += 1;
    lesson.wishes.push_front(wish);
}

/// Asks for the next views, one draw at a time.
fn ask_views(state: &mut State) -> Option<Effect> {
    let of = of(state, Cloud::Before)?;
    let lesson = &mut state.lesson;
    if lesson.drawn_of.as_ref() != Some(&of) {
        lesson.drawn_of = Some(of);
        lesson.draws.clear();
        lesson.drawing = None;
        lesson.draw_problem = None;
        lesson.wishes = (1..).zip(SWEEP).map(|(seed, dropout)| Wish { dropout, seed }).collect();
        lesson.next_seed = SWEEP.len() as u64 + 1;
        if lesson.draw().is_none() && !SWEEP.iter().any(|rate| same_rate(*rate, lesson.dropout)) {
            wish_first(lesson);
        }
    }
    if lesson.drawing.is_some() || lesson.draw_problem.is_some() {
        return None;
    }
    let wish = lesson.wishes.pop_front()?;
    let sentences = lesson.batch();
    let revision = state.revision();
    state.lesson.drawing = Some((revision, wish));
    Some(send(Request::Views {
        revision,
        sentences,
        lens: Lens { side: Side::Before, readout: READOUT },
        dropout: wish.dropout,
        same_mask: false,
        seed: wish.seed,
    }))
}

/// Takes the worker's answers to the lesson's questions.
pub(super) fn take_event(state: &mut State, message: Message<Event>) -> Vec<Effect> {
    let numbers = message.bulk.into_iter().find_map(|bulk| match bulk {
        Bulk::F32(values) => Some(values),
        Bulk::Bytes(_) => None,
    });
    let numbers = numbers.unwrap_or_default();
    match message.head {
        Event::Survey { revision, slot, shape, .. } => {
            if let Some(cloud) = Cloud::of_slot(slot) {
                take_cloud(&mut state.lesson, cloud, revision, *shape, numbers);
            }
            Vec::new()
        }
        Event::Views { revision, .. } => {
            let lesson = &mut state.lesson;
            if let Some((_, wish)) = lesson.drawing.take_if(|(asked, _)| *asked == revision) {
                let Wish { dropout, seed } = wish;
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
pub(super) fn take_failure(state: &mut State, revision: Revision, problem: &Problem) -> bool {
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

fn same_rate(a: f32, b: f32) -> bool {
    (a - b).abs() < 0.004
}

fn send(request: Request) -> Effect {
    Effect::Send(Message::plain(request))
}
