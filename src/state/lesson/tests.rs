//! Visits to the lesson, played against the state.

use crate::catalogue::lesson_sentences::SENTENCES;
use crate::protocol::event::{Event, ModelSummary};
use crate::protocol::gpu::Backend;
use crate::protocol::lab::{Findings, Treatment};
use crate::protocol::message::{Bulk, Message};
use crate::protocol::problem::Problem;
use crate::protocol::readout::{Pooling, Side};
use crate::protocol::request::Request;
use crate::protocol::training::{AdapterSummary, Measures, Rest, Shape};
use crate::state::action::Action;
use crate::state::app::State;
use crate::state::effect::Effect;
use crate::state::fine_tune::FineTuneAction;
use crate::state::fine_tune::run::Phase;
use crate::state::lesson::experiment::{Length, Variant};
use crate::state::lesson::update::unused_run;
use crate::state::lesson::{Cloud, LessonAction, SIDE, STEPS};
use crate::state::saved::Saved;
use crate::state::update::update;

fn summary() -> ModelSummary {
    ModelSummary {
        name: "tiny".to_owned(),
        architecture: "bert".to_owned(),
        quantisation: "q8_0".to_owned(),
        size_bytes: 1,
        sha256: "abc".to_owned(),
        licence: None,
        layers: 6,
        hidden: 384,
        heads: 12,
        vocabulary: 30_522,
        max_tokens: 256,
        pooling: Pooling::Mean,
        backend: Backend::Cpu,
        device: String::new(),
        prepare_ms: 1.0,
    }
}

struct Visit {
    state: State,
    asked: Vec<Request>,
    effects: Vec<Effect>,
}

impl Visit {
    /// In the lesson, with a model.
    fn new() -> Self {
        let mut visit = Self { state: State::default(), asked: Vec::new(), effects: Vec::new() };
        // The site's own adapter would be on the model before the lesson begins.
        visit.state.hosted.iter_mut().for_each(|model| model.adapter = None);
        visit.act(Action::FragmentChanged { fragment: "#/lesson".to_owned() });
        visit.say(Event::Ready);
        let open = visit.asked.iter().find_map(|request| match request {
            Request::Open { revision, .. } => Some(*revision),
            _ => None,
        });
        let revision = open.expect("the model is asked for");
        visit.say(Event::Opened { revision, model: Box::new(summary()) });
        visit
    }

    fn act(&mut self, action: Action) {
        for effect in update(&mut self.state, action, 0.0) {
            match effect {
                Effect::Send(message) => self.asked.push(message.head),
                other => self.effects.push(other),
            }
        }
    }

    fn lesson(&mut self, action: LessonAction) {
        self.act(Action::Lesson(action));
    }

    fn say(&mut self, event: Event) {
        self.act(Action::Worker(Message::plain(event)));
    }

    fn surveys(&self) -> Vec<(u32, u8, Side, bool, String)> {
        self.asked
            .iter()
            .filter_map(|request| match request {
                Request::Survey { revision, slot, sentences, lens, treatment, .. } => {
                    assert_eq!(sentences.len(), SENTENCES.len() + 1);
                    assert_eq!(lens.readout.pooling, Pooling::Cls);
                    let own = sentences.last()?.clone();
                    let whitened = *treatment != Treatment::AsTheyAre;
                    Some((*revision, *slot, lens.side, whitened, own))
                }
                _ => None,
            })
            .collect()
    }

    fn views(&self) -> Vec<(u32, f32)> {
        let asked = self.effects.iter().filter_map(|effect| match effect {
            Effect::SendTrainer(Message {
                head: Request::Views { revision, dropout, sentences, .. },
                ..
            }) => {
                assert_eq!(sentences.len(), SIDE);
                Some((*revision, *dropout))
            }
            _ => None,
        });
        asked.collect()
    }

    /// Trainers that were started.
    fn trainers(&self) -> usize {
        self.effects.iter().filter(|effect| **effect == Effect::StartTrainer).count()
    }

    /// The trainer that was started is there, and has the page's model.
    fn trainer_comes(&mut self) {
        self.trainer(Event::Ready, None);
        let revision = self.of_trainer();
        self.trainer(Event::Opened { revision, model: Box::new(summary()) }, None);
    }

    /// Number of the last request to the trainer.
    fn of_trainer(&self) -> u32 {
        let requests = self.effects.iter().rev().filter_map(|effect| match effect {
            Effect::SendTrainer(message) => Some(&message.head),
            _ => None,
        });
        let mut numbers = requests.filter_map(|request| match request {
            Request::Open { revision, .. } | Request::Train { revision, .. } => Some(*revision),
            _ => None,
        });
        numbers.next().expect("a request to the trainer")
    }

    fn answer_survey(&mut self, revision: u32, slot: u8, sphere: &[f32]) {
        let shape = Shape { sentences: 3, sphere: sphere.to_vec(), ..Shape::default() };
        let findings = Box::new(Findings { shape, ..Findings::default() });
        let event = Event::Survey { revision, slot, findings, latency_ms: 1.0 };
        self.act(Action::Worker(Message::with_f32(event, vec![0.5, 0.2, 1.0])));
    }

    fn answer_views(&mut self, revision: u32) {
        let event = Event::Views { revision, latency_ms: 1.0 };
        self.act(Action::Trainer(Message::with_f32(event, vec![0.5; SIDE * SIDE])));
    }
}

const AXES: [f32; 9] = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];

#[test]
fn the_lesson_asks_once_for_what_it_shows() {
    let mut visit = Visit::new();
    let kinds: Vec<_> = visit.surveys().into_iter().map(|s| (s.1, s.2, s.3)).collect();
    assert_eq!(kinds, [(0, Side::Before, false), (2, Side::Before, true)]);
    assert!(visit.views().is_empty());
    for step in [1, 0, 1] {
        visit.lesson(LessonAction::StepReached(step));
    }
    assert_eq!(visit.surveys().len(), 2);
    let (revision, slot, ..) = visit.surveys()[0].clone();
    visit.answer_survey(revision, slot, &AXES);
    let measured = visit.state.lesson.measured(Cloud::Before).expect("a cloud");
    assert_eq!(measured.with_own, [0.5, 0.2, 1.0]);
    assert!(!visit.state.lesson.figure(Cloud::Before).is_waiting());
}

#[test]
fn elsewhere_nothing_is_asked() {
    let mut visit = Visit::new();
    visit.asked.clear();
    visit.act(Action::FragmentChanged { fragment: "#/models".to_owned() });
    visit.lesson(LessonAction::OwnTyped("Hello.".to_owned()));
    visit.lesson(LessonAction::OwnSettled(1));
    assert!(visit.surveys().is_empty());
    visit.act(Action::FragmentChanged { fragment: "#/lesson".to_owned() });
    assert_eq!(visit.surveys().len(), 2);
}

#[test]
fn a_sentence_is_measured_when_typing_rests() {
    let mut visit = Visit::new();
    visit.asked.clear();
    visit.lesson(LessonAction::OwnTyped("Hell".to_owned()));
    visit.lesson(LessonAction::OwnTyped("Hello.".to_owned()));
    visit.lesson(LessonAction::OwnSettled(1));
    assert!(visit.surveys().is_empty());
    visit.lesson(LessonAction::OwnSettled(2));
    assert!(visit.surveys().iter().all(|survey| survey.4 == "Hello."));
    // The answer to the question before is not taken any more.
    visit.answer_survey(1, 0, &AXES);
    assert!(visit.state.lesson.measured(Cloud::Before).is_none());
}

#[test]
fn an_adapter_brings_the_cloud_after_turned_like_the_one_before() {
    let mut visit = Visit::new();
    let (before, slot, ..) = visit.surveys()[0].clone();
    visit.answer_survey(before, slot, &AXES);
    visit.state.adapters.attached =
        Some(AdapterSummary { sha256: "f00".to_owned(), ..AdapterSummary::default() });
    visit.lesson(LessonAction::StepReached(1));
    let (after, slot, side, ..) = visit.surveys().last().cloned().expect("a survey");
    assert_eq!((slot, side), (1, Side::After));
    // The same three points with their axes changed round and one of them mirrored.
    visit.answer_survey(after, slot, &[0.0, -1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    let sphere = &visit.state.lesson.measured(Cloud::After).expect("a cloud").shape.sphere;
    for (found, expected) in sphere.iter().zip(AXES) {
        assert!((found - expected).abs() < 1e-6, "{sphere:?}");
    }
    visit.state.adapters.attached = None;
    visit.lesson(LessonAction::StepReached(2));
    assert!(visit.state.lesson.measured(Cloud::After).is_none());
}

#[test]
fn a_failure_is_told_and_not_asked_for_again() {
    let mut visit = Visit::new();
    let (revision, ..) = visit.surveys()[1].clone();
    let problem = Problem::TooFewExamples { found: 3, needed: 8 };
    visit.say(Event::Failed { revision: Some(revision), problem: problem.clone() });
    let figure = visit.state.lesson.figure(Cloud::Whitened);
    assert_eq!((figure.problem(), figure.is_waiting()), (Some(&problem), false));
    visit.lesson(LessonAction::StepReached(1));
    assert_eq!(visit.surveys().len(), 2);
    assert!(visit.state.notices.is_empty());
}

#[test]
fn views_are_drawn_one_after_the_other_and_the_slider_goes_first() {
    let mut visit = Visit::new();
    visit.lesson(LessonAction::StepReached(2));
    assert!(visit.state.lesson.is_drawing() && visit.views().is_empty(), "the trainer comes first");
    visit.trainer_comes();
    assert_eq!(visit.views(), [(visit.views()[0].0, 0.1)]);
    visit.lesson(LessonAction::DropoutChosen(0.251));
    assert_eq!(visit.views().len(), 1, "one at a time");
    visit.answer_views(visit.views()[0].0);
    assert_eq!(visit.views()[1].1, 0.25);
    assert!(visit.state.lesson.draw().is_none(), "not there yet at this rate");
    visit.answer_views(visit.views()[1].0);
    assert_eq!(visit.state.lesson.draw().map(|draw| draw.dropout), Some(0.25));
    for place in 2..30 {
        if let Some((revision, _)) = visit.views().get(place).copied() {
            visit.answer_views(revision);
        }
    }
    // The sweep, and the one that was chosen.
    assert_eq!(visit.state.lesson.draws.len(), 9);
    visit.lesson(LessonAction::DropoutChosen(0.3));
    assert_eq!(visit.views().len(), 9, "that rate is there");
    visit.lesson(LessonAction::DrawnAgain);
    assert_eq!(visit.views().len(), 10);
    visit.lesson(LessonAction::OwnTyped("Another.".to_owned()));
    visit.lesson(LessonAction::OwnSettled(1));
    assert!(visit.state.lesson.draws.is_empty());
}

#[test]
fn a_new_worker_is_asked_again() {
    let mut visit = Visit::new();
    visit.asked.clear();
    visit.act(Action::WorkerDied { message: "gone".to_owned() });
    visit.say(Event::Ready);
    let revision = match visit.asked.last() {
        Some(Request::Open { revision, .. }) => *revision,
        other => panic!("{other:?}"),
    };
    visit.say(Event::Opened { revision, model: Box::new(summary()) });
    assert_eq!(visit.surveys().len(), 2);
}

#[test]
fn a_run_of_the_lesson_leaves_the_fine_tune_view_as_it_was() {
    let mut visit = Visit::new();
    visit.act(Action::FineTune(FineTuneAction::Typed("One.\nTwo.\nThree.".to_owned())));
    let text = visit.state.fine_tune.source.clone();
    let draft = visit.state.fine_tune.draft.clone();
    visit.lesson(LessonAction::Trained(Variant::DeleteWords, Length::Short));
    assert!(visit.effects.contains(&Effect::StartTrainer));
    assert_eq!((&visit.state.fine_tune.source, &visit.state.fine_tune.draft), (&text, &draft));
    assert!(!visit.state.fine_tune.trains_on_older_text(), "it was typed before");
    let run = visit.state.fine_tune.run.as_ref().expect("a run");
    assert_eq!((run.recipe.steps, run.recipe.batch, run.recipe.check()), (12, 32, Ok(())));
    assert!(run.examples > 300);
    assert_eq!(visit.state.lesson.running, Some((Variant::DeleteWords, Length::Short)));
    // A second one does not start beside it.
    visit.lesson(LessonAction::Trained(Variant::Crop, Length::Short));
    assert_eq!(visit.state.lesson.running, Some((Variant::DeleteWords, Length::Short)));
}

#[test]
fn every_variant_is_a_recipe_that_training_takes() {
    for variant in Variant::ALL {
        for length in [Length::Full, Length::Short] {
            let mut visit = Visit::new();
            visit.lesson(LessonAction::Trained(variant, length));
            let run = visit.state.fine_tune.run.expect("a run");
            assert_eq!(run.recipe.check(), Ok(()), "{variant:?}");
            assert_eq!((run.recipe.steps, run.recipe.batch), length.size());
        }
    }
}

#[test]
fn a_step_is_in_the_address_and_a_link_opens_it() {
    let mut visit = Visit::new();
    visit.lesson(LessonAction::StepReached(5));
    assert!(visit.effects.contains(&Effect::ShowFragment("#/lesson/6".to_owned())));
    visit.lesson(LessonAction::StepReached(0));
    assert!(visit.effects.contains(&Effect::ShowFragment("#/lesson".to_owned())));
    for (fragment, step) in [("#/lesson/4", 3), ("#/lesson", 3), ("#/lesson/99", STEPS - 1)] {
        visit.act(Action::FragmentChanged { fragment: fragment.to_owned() });
        assert_eq!(visit.state.lesson.step, step, "{fragment}");
    }
    visit.trainer_comes();
    assert!(!visit.views().is_empty(), "what the step shows is asked for");
}

impl Visit {
    fn trainer(&mut self, event: Event, adapter: Option<Vec<u8>>) {
        let bulk = adapter.into_iter().map(Bulk::Bytes).collect();
        self.act(Action::Trainer(Message { head: event, bulk }));
    }

    /// Plays a fine-tune of the lesson from its start to its end.
    fn train(&mut self, length: Length, uniformity: f64) {
        self.lesson(LessonAction::Trained(Variant::Dropout, length));
        self.trainer_comes();
        let revision = self.of_trainer();
        for (step, uniformity) in [(0, -1.0), (12, uniformity)] {
            let shape = Shape { uniformity, ..Shape::default() };
            let measures = Box::new(Measures { step, shape, ..Measures::default() });
            let adapter = (step > 0).then(|| vec![1, 2, 3]);
            self.trainer(Event::TrainingMeasured { revision, measures }, adapter);
        }
        let rest = Rest::Finished;
        self.trainer(Event::TrainingRests { revision, step: 12, rest }, None);
    }

    /// Requests for the side after.
    fn attached(&self) -> usize {
        self.asked.iter().filter(|request| matches!(request, Request::Attach { .. })).count()
    }
}

#[test]
fn a_finished_run_is_noted_once_a_variant() {
    let mut visit = Visit::new();
    for uniformity in [-2.0, -2.5] {
        visit.train(Length::Short, uniformity);
        assert_eq!(visit.state.lesson.running, None);
        let outcomes = &visit.state.lesson.outcomes;
        assert_eq!(outcomes.len(), 1);
        assert_eq!((outcomes[0].start.uniformity, outcomes[0].end.uniformity), (-1.0, uniformity));
    }
    assert_eq!(visit.attached(), 0, "a short run is for the table alone");
    let saved = Saved::of(&visit.state);
    assert_eq!(Saved::from_json(&saved.to_json()), Some(saved));
}

#[test]
fn the_full_run_becomes_the_side_after_where_there_is_none() {
    let mut visit = Visit::new();
    visit.train(Length::Full, -2.0);
    assert!(visit.state.lesson.outcomes.is_empty());
    assert_eq!(visit.attached(), 1);
    let mut visit = Visit::new();
    visit.state.adapters.attached = Some(AdapterSummary::default());
    visit.train(Length::Full, -2.0);
    assert_eq!(visit.attached(), 0, "what the visitor has on stays on");
    assert_eq!(unused_run(&visit.state), Some(12), "and is not taken for the run just made");
    visit.act(Action::FineTune(FineTuneAction::Used));
    let Some(Request::Attach { revision, .. }) = visit.asked.last() else { panic!() };
    let (revision, adapter) = (*revision, Box::new(AdapterSummary::default()));
    let attached = Event::Attached { revision, adapter, prepare_ms: 1.0 };
    visit.act(Action::Worker(Message::plain(attached)));
    assert_eq!(unused_run(&visit.state), None);
}

#[test]
fn one_trainer_serves_views_and_the_fine_tune() {
    let mut visit = Visit::new();
    visit.lesson(LessonAction::StepReached(2));
    visit.trainer_comes();
    let (first, _) = visit.views()[0];
    visit.lesson(LessonAction::Trained(Variant::Dropout, Length::Short));
    assert_eq!(visit.trainers(), 1);
    let trained = visit.effects.iter().filter(|effect| {
        matches!(effect, Effect::SendTrainer(Message { head: Request::Train { .. }, .. }))
    });
    assert_eq!(trained.count(), 1, "the model is there already");
    visit.answer_views(first);
    assert_eq!((visit.state.lesson.draws.len(), visit.views().len()), (1, 2));
    // A fine-tune that is given up takes its trainer along; the views are asked of a new one.
    visit.act(Action::FineTune(FineTuneAction::Stopped));
    assert!(visit.effects.contains(&Effect::EndTrainer));
    assert_eq!((visit.trainers(), visit.views().len()), (2, 2));
    visit.trainer_comes();
    let views = visit.views();
    assert_eq!((views.len(), views[2].1), (3, views[1].1), "the rate that was on its way");
}

#[test]
fn views_outlive_one_trainer_and_say_so_after_two() {
    let mut visit = Visit::new();
    visit.lesson(LessonAction::StepReached(2));
    let dies = |visit: &mut Visit| {
        visit.act(Action::TrainerDied { message: "out of memory".to_owned() });
    };
    visit.trainer_comes();
    dies(&mut visit);
    assert_eq!(visit.trainers(), 2);
    visit.trainer_comes();
    dies(&mut visit);
    let detail = "out of memory".to_owned();
    assert_eq!(visit.state.lesson.draw_problem, Some(Problem::Internal { detail }));
    assert_eq!((visit.trainers(), visit.state.lesson.is_drawing()), (2, false));
    visit.lesson(LessonAction::DrawnAgain);
    visit.trainer_comes();
    visit.answer_views(visit.views()[2].0);
    assert_eq!(visit.state.lesson.draw_problem, None);
    dies(&mut visit);
    assert_eq!(visit.trainers(), 4, "answers in between count");
}

#[test]
fn a_trainer_that_cannot_be_fetched_is_told_once_and_tried_again_when_asked() {
    let mut visit = Visit::new();
    visit.lesson(LessonAction::StepReached(2));
    visit.act(Action::TrainerDied { message: "offline".to_owned() });
    let problem = Problem::Program { detail: "offline".to_owned() };
    assert_eq!(visit.state.lesson.draw_problem, Some(problem.clone()));
    visit.lesson(LessonAction::StepReached(3));
    assert_eq!(visit.trainers(), 1);
    visit.act(Action::FragmentChanged { fragment: "#/compare".to_owned() });
    visit.act(Action::FragmentChanged { fragment: "#/lesson".to_owned() });
    assert_eq!((visit.trainers(), &visit.state.lesson.draw_problem), (2, &None));
    // The fine-tune says the same.
    visit.act(Action::FragmentChanged { fragment: "#/compare".to_owned() });
    visit.lesson(LessonAction::Trained(Variant::Dropout, Length::Short));
    visit.act(Action::TrainerDied { message: "offline".to_owned() });
    let run = visit.state.fine_tune.run.as_ref().expect("a run");
    assert_eq!(run.phase, Phase::Failed(problem));
}

#[test]
fn a_trainer_without_work_ends_after_a_while() {
    let mut visit = Visit::new();
    visit.lesson(LessonAction::StepReached(2));
    visit.trainer_comes();
    let mut answered = 0;
    while let Some((revision, _)) = visit.views().get(answered).copied() {
        visit.answer_views(revision);
        answered += 1;
    }
    let pauses = |visit: &Visit| -> Vec<u32> {
        let actions = visit.effects.iter().filter_map(|effect| match effect {
            Effect::After { action: Action::TrainerRested(count), .. } => Some(*count),
            _ => None,
        });
        actions.collect()
    };
    assert_eq!((answered, pauses(&visit)), (8, vec![1]));
    // The slider is moved meanwhile: that pause is over.
    visit.lesson(LessonAction::DropoutChosen(0.33));
    visit.act(Action::TrainerRested(1));
    visit.answer_views(visit.views()[8].0);
    assert_eq!(pauses(&visit), [1, 2]);
    visit.act(Action::TrainerRested(1));
    assert!(!visit.effects.contains(&Effect::EndTrainer));
    visit.act(Action::TrainerRested(2));
    assert!(visit.effects.contains(&Effect::EndTrainer));
    visit.lesson(LessonAction::DropoutChosen(0.34));
    assert_eq!(visit.trainers(), 2);
}

#[test]
fn another_model_ends_the_trainer_but_not_its_fine_tune() {
    let mut visit = Visit::new();
    visit.lesson(LessonAction::StepReached(2));
    visit.trainer_comes();
    let other = || Box::new(ModelSummary { sha256: "def".to_owned(), ..summary() });
    visit.say(Event::Opened { revision: 99, model: other() });
    assert!(visit.effects.contains(&Effect::EndTrainer));
    assert_eq!(visit.trainers(), 2, "for the other one's views");
    // The trainer brings the wrong one: nothing is asked, and nothing begins anew for ever.
    visit.trainer_comes();
    let problem = visit.state.lesson.draw_problem.clone();
    assert!(matches!(problem, Some(Problem::Internal { .. })), "{problem:?}");
    assert_eq!(visit.trainers(), 2);
    // With the model that it has it draws again.
    visit.say(Event::Opened { revision: 100, model: Box::new(summary()) });
    assert_eq!((visit.trainers(), visit.views().len()), (2, 2));
    visit.lesson(LessonAction::Trained(Variant::Dropout, Length::Short));
    visit.effects.clear();
    visit.say(Event::Opened { revision: 101, model: other() });
    assert!(!visit.effects.contains(&Effect::EndTrainer));
    assert!(visit.state.fine_tune.live_run().is_some());
}
