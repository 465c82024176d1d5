//! Whole visits of the fine-tune view, without a page, a trainer or a worker.

use crate::protocol::event::{Event, ModelSummary, StoreOutcome};
use crate::protocol::gpu::Backend;
use crate::protocol::message::{Bulk, Message};
use crate::protocol::problem::Problem;
use crate::protocol::readout::Pooling;
use crate::protocol::request::{AdapterSource, Request};
use crate::protocol::training::{
    AdapterSummary, Measures, Order, Outline, Plan, Rest, Shape, StepReport,
};
use crate::state::action::Action;
use crate::state::app::State;
use crate::state::effect::Effect;
use crate::state::fine_tune::draft::{FieldTrouble, Preset};
use crate::state::fine_tune::field::Field;
use crate::state::fine_tune::material::{Kind, ProbeChoice};
use crate::state::fine_tune::run::Phase;
use crate::state::fine_tune::{Fetch, FineTuneAction as Do, Half, Obstacle};
use crate::state::update::update;
use crate::text::lists::ListError;

fn act(state: &mut State, action: Do) -> Vec<Effect> {
    update(state, Action::FineTune(action), 0.0)
}

fn trainer(state: &mut State, event: Event) -> Vec<Effect> {
    update(state, Action::Trainer(Message::plain(event)), 0.0)
}

fn worker(state: &mut State, event: Event) -> Vec<Effect> {
    update(state, Action::Worker(Message::plain(event)), 0.0)
}

fn model() -> Box<ModelSummary> {
    Box::new(ModelSummary {
        name: "tiny".into(),
        architecture: "bert".into(),
        quantisation: "q8_0".into(),
        size_bytes: 1,
        sha256: "base".into(),
        licence: None,
        layers: 6,
        hidden: 4,
        heads: 1,
        vocabulary: 10,
        max_tokens: 16,
        pooling: Pooling::Mean,
        backend: Backend::Cpu,
        device: "test".into(),
        prepare_ms: 1.0,
    })
}

fn visit(saved: Option<String>) -> State {
    let mut state = State::default();
    let started =
        Action::Started { fragment: "#/fine-tune".into(), saved, languages: vec!["en".into()] };
    update(&mut state, started, 0.0);
    let effects = worker(&mut state, Event::Ready);
    let revision = effects.iter().find_map(|effect| match effect {
        Effect::Send(Message { head: Request::Open { revision, .. }, .. }) => Some(*revision),
        _ => None,
    });
    worker(&mut state, Event::Opened { revision: revision.unwrap(), model: model() });
    state
}

fn to_trainer(effects: &[Effect]) -> Option<&Message<Request>> {
    effects.iter().find_map(|effect| match effect {
        Effect::SendTrainer(message) => Some(message),
        _ => None,
    })
}

fn to_worker(effects: &[Effect]) -> Vec<&Message<Request>> {
    let sent = effects.iter().filter_map(|effect| match effect {
        Effect::Send(message) => Some(message),
        _ => None,
    });
    sent.collect()
}

fn saved(effects: &[Effect]) -> Option<String> {
    effects.iter().find_map(|effect| match effect {
        Effect::Save(text) => Some(text.clone()),
        _ => None,
    })
}

/// Brings a started fine-tune to its first step; its number and its plan.
fn begun(state: &mut State) -> (u32, Box<Plan>) {
    let effects = trainer(state, Event::Ready);
    let Some(Request::Open { revision, .. }) = to_trainer(&effects).map(|m| &m.head) else {
        panic!("{effects:?}")
    };
    let effects = trainer(state, Event::Opened { revision: *revision, model: model() });
    let Some(Request::Train { revision, plan }) = to_trainer(&effects).map(|m| m.head.clone())
    else {
        panic!("{effects:?}")
    };
    let outline =
        Outline { steps: plan.recipe.steps, batch: plan.recipe.batch, ..Outline::default() };
    trainer(state, Event::TrainingBegan { revision, outline });
    (revision, plan)
}

fn started(state: &mut State) -> (u32, Box<Plan>) {
    let effects = act(state, Do::Started);
    assert!(effects.contains(&Effect::StartTrainer));
    begun(state)
}

fn step(state: &mut State, revision: u32, step: u32) {
    let report = StepReport { step, loss: 1.0, step_ms: 2000.0, ..StepReport::default() };
    trainer(state, Event::TrainingStep { revision, report });
}

fn measured(
    state: &mut State,
    revision: u32,
    step: u32,
    spearman: f64,
    size: usize,
) -> Vec<Effect> {
    let shape = Shape { uniformity: -2.0, mean_cosine: 0.4, ..Shape::default() };
    let measures = Box::new(Measures {
        step,
        shape,
        spearman: Some(spearman),
        alignment: Some(0.1),
        measure_ms: 500.0,
        ..Measures::default()
    });
    let bulk = if step == 0 { vec![] } else { vec![Bulk::Bytes(vec![step as u8; size])] };
    let head = Event::TrainingMeasured { revision, measures };
    update(state, Action::Trainer(Message { head, bulk }), 0.0)
}

fn rests(state: &mut State, revision: u32, step: u32, rest: Rest) -> Vec<Effect> {
    trainer(state, Event::TrainingRests { revision, step, rest })
}

fn kept(state: &mut State, effects: &[Effect], sha256: &str) -> Vec<Effect> {
    let asked = to_worker(effects).into_iter().find_map(|message| match message.head {
        Request::KeepAdapter { revision } => Some(revision),
        _ => None,
    });
    let adapter = Box::new(AdapterSummary { sha256: sha256.into(), ..AdapterSummary::default() });
    let outcome = StoreOutcome::Kept;
    let revision = asked.expect("the checkpoint is to be kept");
    worker(state, Event::AdapterKept { revision, adapter, outcome })
}

fn phase(state: &State) -> &Phase {
    &state.fine_tune.run.as_ref().expect("a run").phase
}

#[test]
fn a_first_visit_can_train_the_bundled_sentences_with_one_click() {
    let mut state = visit(None);
    assert!(state.fine_tune.is_bundled() && state.fine_tune.can_start());
    let (revision, plan) = started(&mut state);
    assert_eq!((plan.recipe.steps, plan.recipe.batch), (25, 64));
    assert!(plan.examples.len() >= 320);
    assert_eq!((plan.probe.sentences.len(), plan.probe.pinned.len()), (256, 2));
    assert!(plan.probe.scored.len() >= 60);
    measured(&mut state, revision, 0, 0.7, 0);
    assert_eq!(*phase(&state), Phase::Running);
    step(&mut state, revision, 1);
    let run = state.fine_tune.run.as_ref().unwrap();
    assert_eq!((run.at, run.step_ms()), (1, Some(2000.0)));
    assert_eq!(run.remaining_s(), Some(24.0 * 2.0 + 5.0 * 0.5));
}

#[test]
fn a_finished_run_gives_its_best_checkpoint_to_the_page() {
    let mut state = visit(None);
    let (revision, _) = started(&mut state);
    measured(&mut state, revision, 0, 0.70, 0);
    measured(&mut state, revision, 20, 0.85, 8);
    measured(&mut state, revision, 25, 0.84, 8);
    let effects = rests(&mut state, revision, 25, Rest::Finished);
    assert!(effects.contains(&Effect::EndTrainer), "its memory is given back");
    assert!(to_worker(&effects).is_empty(), "the last checkpoint is on its way to the store");
    assert_eq!(*phase(&state), Phase::Over(Rest::Finished));
    let effects = act(&mut state, Do::Used);
    let sent = to_worker(&effects);
    assert!(matches!(sent[0].head, Request::KeepAdapter { .. }));
    assert!(
        matches!(&sent[1].head, Request::Attach { source: AdapterSource::Given { name }, .. } if name.contains("step 20"))
    );
    assert!(sent.iter().all(|message| message.bulk == [Bulk::Bytes(vec![20; 8])]));
    act(&mut state, Do::CheckpointChosen(25));
    let effects = act(&mut state, Do::Exported);
    let Some(Effect::DownloadBytes { name, bytes }) = effects.first() else {
        panic!("{effects:?}")
    };
    assert_eq!((name.as_str(), bytes.as_ref()), ("simcse-adapter-step25.gguf", &[25_u8; 8][..]));
}

#[test]
fn the_checkpoint_in_the_store_is_noted_as_final_and_used_without_another_copy() {
    let mut state = visit(None);
    let (revision, _) = started(&mut state);
    let effects = measured(&mut state, revision, 5, 0.8, 8);
    kept(&mut state, &effects, "five");
    let effects = rests(&mut state, revision, 5, Rest::Stopped);
    assert!(to_worker(&effects).is_empty());
    assert!(saved(&effects).is_some_and(|text| text.contains("five")));
    assert!(state.fine_tune.kept.as_ref().is_some_and(|kept| kept.is_over));
    let effects = act(&mut state, Do::Used);
    assert!(matches!(to_worker(&effects)[..], [Message { head: Request::Attach { .. }, .. }]));
    assert!(state.fine_tune.kept.is_none(), "it is on the shelf");
}

#[test]
fn pause_resume_and_undo_are_orders_to_the_trainer() {
    let mut state = visit(None);
    let (revision, _) = started(&mut state);
    measured(&mut state, revision, 0, 0.7, 0);
    for now in 1..=10 {
        step(&mut state, revision, now);
        if now % 5 == 0 {
            measured(&mut state, revision, now, 0.8, 8);
        }
    }
    let order = |effects: &[Effect]| match to_trainer(effects).map(|m| m.head.clone()) {
        Some(Request::Steer { revision: to, order }) if to == revision => order,
        other => panic!("{other:?}"),
    };
    assert_eq!(order(&act(&mut state, Do::Paused)), Order::Pause);
    assert_eq!(*phase(&state), Phase::Pausing);
    rests(&mut state, revision, 10, Rest::Paused);
    assert_eq!(*phase(&state), Phase::Paused);
    assert_eq!(order(&act(&mut state, Do::CheckpointChosen(5))), Order::Restore { step: 5 });
    rests(&mut state, revision, 5, Rest::Paused);
    assert_eq!(*phase(&state), Phase::Moved { back: true }, "the pause is said");
    act(&mut state, Do::CheckpointChosen(10));
    rests(&mut state, revision, 10, Rest::Paused);
    assert_eq!(*phase(&state), Phase::Moved { back: false }, "forwards is no undo");
    act(&mut state, Do::CheckpointChosen(5));
    rests(&mut state, revision, 5, Rest::Paused);
    let run = state.fine_tune.run.as_ref().unwrap();
    assert_eq!((run.at, run.trail.len(), run.place()), (5, 3, 1), "the undone one is still shown");
    assert_eq!(order(&act(&mut state, Do::Resumed)), Order::Resume);
    let run = state.fine_tune.run.as_ref().unwrap();
    assert_eq!((run.trail.len(), run.steps.len()), (2, 5), "what was undone is given up");
    assert_eq!(order(&act(&mut state, Do::Stopped)), Order::Stop);
    assert_eq!(*phase(&state), Phase::Stopping);
    rests(&mut state, revision, 6, Rest::Stopped);
    assert_eq!(*phase(&state), Phase::Over(Rest::Stopped));
}

#[test]
fn what_was_trained_outlives_the_trainers_death() {
    let mut state = visit(None);
    let (revision, _) = started(&mut state);
    measured(&mut state, revision, 0, 0.7, 0);
    measured(&mut state, revision, 5, 0.8, 8);
    let message = "out of memory".to_owned();
    update(&mut state, Action::TrainerDied { message: message.clone() }, 0.0);
    assert_eq!(*phase(&state), Phase::Died { message });
    assert!(state.fine_tune.can_start());
    assert_eq!(state.fine_tune.run.as_ref().unwrap().chosen(), Some(5));
    let effects = act(&mut state, Do::TrainedFurther);
    assert!(effects.contains(&Effect::StartTrainer));
    let (_, _) = begun(&mut state);
    assert!(state.fine_tune.run.as_ref().unwrap().goes_on);
    let previous = state.fine_tune.previous.as_ref().expect("the one before can be brought back");
    assert_eq!(previous.trail.len(), 2);
    assert_eq!(
        trainer(&mut state, Event::Failed { revision: Some(99), problem: Problem::Busy }),
        []
    );
}

#[test]
fn a_reload_during_training_costs_the_steps_since_the_last_measurement_and_no_more() {
    let mut state = visit(None);
    act(&mut state, Do::Typed("one two\nthree four\nfive six".repeat(30)));
    let count = state.fine_tune.typed_count;
    act(&mut state, Do::Settled(count));
    act(&mut state, Do::FieldTyped(Field::Steps, "20".into()));
    let (revision, _) = started(&mut state);
    measured(&mut state, revision, 0, 0.7, 0);
    let effects = measured(&mut state, revision, 4, 0.8, 8);
    let first = kept(&mut state, &effects, "aa");
    assert!(to_worker(&first).is_empty(), "nothing to forget yet");
    let effects = measured(&mut state, revision, 8, 0.8, 8);
    let second = kept(&mut state, &effects, "bb");
    assert!(
        matches!(&to_worker(&second)[0].head, Request::ForgetAdapter { sha256, .. } if sha256 == "aa")
    );

    let mut state = visit(saved(&second));
    assert_eq!(state.fine_tune.material.examples.len(), 61);
    let keep = state.fine_tune.kept.clone().expect("said to the visitor");
    assert_eq!((keep.step, keep.is_over, keep.recipe.steps), (8, false, 20));
    let effects = act(&mut state, Do::KeptFetched(Fetch::GoOn));
    let Request::ReadAdapter { revision, sha256 } = &to_worker(&effects)[0].head else { panic!() };
    assert_eq!(sha256, "bb");
    let adapter = Box::new(AdapterSummary::default());
    let head = Event::AdapterFile { revision: *revision, adapter };
    let bulk = vec![Bulk::Bytes(vec![8; 8])];
    let effects = update(&mut state, Action::Worker(Message { head, bulk }), 0.0);
    assert!(effects.contains(&Effect::StartTrainer));
    let effects = trainer(&mut state, Event::Ready);
    let revision = to_trainer(&effects).and_then(|m| match m.head {
        Request::Open { revision, .. } => Some(revision),
        _ => None,
    });
    let effects =
        trainer(&mut state, Event::Opened { revision: revision.unwrap(), model: model() });
    let message = to_trainer(&effects).unwrap();
    assert_eq!(message.bulk, [Bulk::Bytes(vec![8; 8])]);
    let Request::Train { plan, .. } = &message.head else { panic!() };
    assert_eq!(plan.recipe.steps, 12);
    assert!((plan.recipe.learning_rate - 5e-4 * 0.6).abs() < 1e-9);
}

#[test]
fn using_while_training_sends_every_checkpoint_and_stores_none_twice() {
    let mut state = visit(None);
    act(&mut state, Do::UseLiveChosen(true));
    let (revision, _) = started(&mut state);
    measured(&mut state, revision, 0, 0.7, 0);
    let effects = measured(&mut state, revision, 5, 0.8, 8);
    let heads: Vec<_> = to_worker(&effects).into_iter().map(|message| &message.head).collect();
    let [Request::KeepAdapter { .. }, Request::Attach { revision, .. }] = heads[..] else {
        panic!("{heads:?}")
    };
    let adapter = Box::new(AdapterSummary { sha256: "five".into(), ..AdapterSummary::default() });
    let attached = Event::Attached { revision: *revision, adapter, prepare_ms: 1.0 };
    worker(&mut state, attached);
    assert_eq!(state.adapters.attached.as_ref().map(|it| it.sha256.as_str()), Some("five"));
    assert_eq!(state.fine_tune.run.as_ref().unwrap().used, Some(5));
}

#[test]
fn a_checkpoint_that_cannot_be_put_on_is_told_and_not_said_to_be_in_use() {
    let mut state = visit(None);
    let (revision, _) = started(&mut state);
    measured(&mut state, revision, 5, 0.8, 8);
    rests(&mut state, revision, 5, Rest::Stopped);
    let effects = act(&mut state, Do::Used);
    let sent = to_worker(&effects);
    let Request::Attach { revision, .. } = sent[1].head else { panic!("{sent:?}") };
    let problem = Problem::Memory { needed_bytes: 9 };
    worker(&mut state, Event::Failed { revision: Some(revision), problem });
    assert_eq!(state.fine_tune.run.as_ref().unwrap().used, None);
    assert_eq!(state.notices.len(), 1);
}

#[test]
fn only_as_many_checkpoints_are_held_as_memory_allows() {
    let mut state = visit(None);
    let (revision, _) = started(&mut state);
    measured(&mut state, revision, 0, 0.7, 0);
    for (place, spearman) in [0.80, 0.90, 0.85, 0.84].into_iter().enumerate() {
        measured(&mut state, revision, 5 * (place as u32 + 1), spearman, 25_000_000);
    }
    let run = state.fine_tune.run.as_ref().unwrap();
    let with: Vec<u32> =
        run.trail.iter().filter(|p| p.adapter.is_some()).map(|p| p.measures.step).collect();
    assert_eq!(with, [10, 20], "the best and the latest");
    assert_eq!(run.chosen(), Some(10));
}

#[test]
fn a_bad_file_costs_nothing_and_a_good_one_can_be_undone() {
    let mut state = visit(None);
    let name = "x.csv".to_owned();
    let bad = Err(ListError::Binary { position: 3 });
    act(&mut state, Do::FileRead { name: name.clone(), text: bad });
    assert!(state.fine_tune.trouble.is_some() && state.fine_tune.is_bundled());
    let text = "sent0,sent1,hard_neg\na b,c d,e f\ng h,i j,k l\n".to_owned();
    act(&mut state, Do::FileRead { name, text: Ok(text) });
    assert_eq!(state.fine_tune.material.kind, Kind::Triplets);
    assert!(state.fine_tune.trouble.is_none());
    assert_eq!(
        state.fine_tune.probe(),
        ProbeChoice::Bundled,
        "two triplets are too few to measure"
    );
    assert_eq!(state.fine_tune.draft.recipe.batch, 2);
    act(&mut state, Do::TextUndone);
    assert!(state.fine_tune.is_bundled() && !state.fine_tune.can_undo());
    assert_eq!(state.fine_tune.draft.recipe.batch, 64);
}

#[test]
fn settings_survive_a_reload_and_a_bad_field_holds_the_start_back() {
    let mut state = visit(None);
    act(&mut state, Do::PinTyped { place: 1, half: Half::Second, text: "Mine".into() });
    act(&mut state, Do::PinAdded);
    act(&mut state, Do::PresetChosen(Preset::SameMask));
    act(&mut state, Do::ProbeChosen(ProbeChoice::Bundled));
    act(&mut state, Do::FieldTyped(Field::Temperature, "nought".into()));
    assert!(!state.fine_tune.can_start());
    assert!(!act(&mut state, Do::Started).contains(&Effect::StartTrainer));
    let text = saved(&update(&mut state, Action::Leaving, 0.0)).unwrap();
    let state = visit(Some(text));
    assert_eq!(state.fine_tune.pins[1].1, "Mine");
    assert!(state.fine_tune.draft.is(Preset::SameMask) && state.fine_tune.can_start());
    assert_eq!(state.fine_tune.probe(), ProbeChoice::Bundled);
    let state =
        visit(Some("{\"first\":\"a\",\"fine_tune\":\"{\\\"recipe\\\":{\\\"no\\\":1}}\"}".into()));
    assert_eq!(state.compare.text.first, "a", "a recipe of another version costs only itself");
}

#[test]
fn what_holds_training_back_is_named() {
    let mut state = visit(None);
    let settled = |state: &mut State, text: &str| {
        act(state, Do::Typed(text.into()));
        act(state, Do::Settled(state.fine_tune.typed_count));
        state.fine_tune.obstacle()
    };
    assert_eq!(settled(&mut state, " "), Some(Obstacle::TooFew { found: 0 }));
    assert_eq!(settled(&mut state, "One.\none."), Some(Obstacle::TooFew { found: 1 }));
    assert!(!state.fine_tune.can_start());
    assert_eq!(settled(&mut state, "One.\nTwo."), None);
    assert!(state.fine_tune.can_start());
    act(&mut state, Do::FieldTyped(Field::Batch, "1".into()));
    let held = state.fine_tune.obstacle();
    assert!(matches!(held, Some(Obstacle::Setting(Field::Batch, FieldTrouble::OutOfRange(_)))));
}

#[test]
fn a_failure_before_training_names_its_problem_and_ends_the_worker() {
    let mut state = visit(None);
    act(&mut state, Do::Started);
    let effects = trainer(&mut state, Event::Ready);
    let Some(Request::Open { revision, .. }) = to_trainer(&effects).map(|m| &m.head) else {
        panic!()
    };
    let problem = Problem::Memory { needed_bytes: 9 };
    let effects =
        trainer(&mut state, Event::Failed { revision: Some(*revision), problem: problem.clone() });
    assert_eq!(effects, [Effect::EndTrainer]);
    assert_eq!(*phase(&state), Phase::Failed(problem));
    act(&mut state, Do::Started);
    let effects = act(&mut state, Do::Stopped);
    assert!(effects.contains(&Effect::EndTrainer) && state.fine_tune.run.is_none());
}

#[test]
fn train_learns_from_the_text_and_settings_that_are_there_when_it_is_pressed() {
    let mut state = visit(None);
    let text: String = (0..32).map(|n| format!("sentence number {n}\n")).collect();
    act(&mut state, Do::Typed(text));
    act(&mut state, Do::FieldTyped(Field::Temperature, "0.1".into()));
    let pause = state.fine_tune.typed_count;
    let (_, plan) = started(&mut state);
    assert_eq!((plan.examples.len(), plan.recipe.batch, plan.recipe.steps), (32, 16, 12));
    assert_eq!(
        (plan.examples[0].anchor.as_str(), plan.recipe.temperature),
        ("sentence number 0", 0.1)
    );
    act(&mut state, Do::Settled(pause));
    assert!(!state.fine_tune.trains_on_older_text());
    act(&mut state, Do::Typed("another\ntext".into()));
    act(&mut state, Do::Started);
    assert!(state.fine_tune.trains_on_older_text(), "it is said");
    assert_eq!(state.fine_tune.run.as_ref().unwrap().examples, 32);

    let mut state = visit(None);
    act(&mut state, Do::Typed("only one".into()));
    assert!(!act(&mut state, Do::Started).contains(&Effect::StartTrainer), "the old text would be");
}
