//! Fine-tunes on the engine: trained, measured, paused, taken back, stopped.

use simcse_lab::engine::{Engine, Events};
use simcse_lab::protocol::event::Event;
use simcse_lab::protocol::message::{Bulk, Message};
use simcse_lab::protocol::problem::Problem;
use simcse_lab::protocol::readout::{Lens, Pooling, Readout, Side};
use simcse_lab::protocol::recipe::{Linears, Recipe, Trained, TrainedReadout};
use simcse_lab::protocol::request::{AdapterSource, Request};
use simcse_lab::protocol::training::{
    Example, Measures, Order, Outline, Plan, Positives, Probe, Rest, StepReport,
};
use simcse_lab::weights::adapter_file::AdapterFile;

use crate::fixture;
use crate::journey::{answer, ask, pair, run, sentences, step};

const CLS: Lens =
    Lens { side: Side::Before, readout: Readout { pooling: Pooling::Cls, layer: None } };

fn opened(seed: u64) -> Engine {
    let mut engine = Engine::that_trains();
    engine.open(1, "tiny", fixture::gguf(seed), None, &mut Events::new());
    engine
}

fn recipe() -> Recipe {
    let trained = Trained::Lora { rank: 2, alpha: 2.0, linears: Linears::All, last_layers: None };
    Recipe {
        trained,
        batch: 6,
        steps: 6,
        measure_every: 2,
        learning_rate: 1e-2,
        max_tokens: 12,
        ..Recipe::default()
    }
}

fn scored() -> Vec<(String, String, f32)> {
    let texts = sentences(16);
    let pair = |i: usize| (texts[i].clone(), texts[(i * 3 + 1) % 16].clone(), (i % 6) as f32);
    (0..16).map(pair).collect()
}

fn plan(recipe: Recipe) -> Plan {
    let example = |text: String| Example { anchor: text, ..Example::default() };
    let examples = sentences(20).into_iter().map(example).collect();
    let pinned = vec![("the cat".to_owned(), "a dog".to_owned())];
    Plan { recipe, examples, probe: Probe { sentences: sentences(14), scored: scored(), pinned } }
}

fn train(revision: u32, plan: Plan) -> Request {
    Request::Train { revision, plan: Box::new(plan) }
}

fn steer(engine: &mut Engine, revision: u32, order: Order) -> Events {
    ask(engine, Request::Steer { revision, order })
}

/// What was told of a fine-tune, without what depends on the clock.
#[derive(Debug, Default, PartialEq)]
struct Told {
    outline: Option<Outline>,
    steps: Vec<StepReport>,
    measures: Vec<Measures>,
    adapters: Vec<Vec<u8>>,
    rests: Vec<(u32, Rest)>,
}

fn told(events: Events) -> Told {
    let mut told = Told::default();
    for Message { head, bulk } in events {
        match head {
            Event::TrainingBegan { revision: 7, outline } => told.outline = Some(outline),
            Event::TrainingStep { revision: 7, report } => {
                told.steps.push(StepReport { step_ms: 0.0, ..report });
            }
            Event::TrainingMeasured { revision: 7, measures } => {
                told.measures.push(Measures { measure_ms: 0.0, ..*measures });
                told.adapters.extend(bulk.into_iter().filter_map(|bulk| match bulk {
                    Bulk::Bytes(bytes) => Some(bytes),
                    Bulk::F32(_) => None,
                }));
            }
            Event::TrainingRests { revision: 7, step, rest } => told.rests.push((step, rest)),
            other => panic!("{other:?}"),
        }
    }
    told
}

fn whole(recipe: Recipe) -> Told {
    let mut engine = opened(1);
    assert!(ask(&mut engine, train(7, plan(recipe))).is_empty());
    told(run(&mut engine))
}

/// Runs until that many steps were told of.
fn until(engine: &mut Engine, steps: usize) -> Events {
    let mut out = Events::new();
    let count = |out: &Events| {
        out.iter().filter(|it| matches!(it.head, Event::TrainingStep { .. })).count()
    };
    while count(&out) < steps {
        assert!(step(engine, &mut out));
    }
    out
}

#[test]
fn a_fine_tune_steps_measures_hands_out_adapters_and_ends() {
    let told = whole(recipe());
    let outline = told.outline.unwrap();
    assert_eq!((outline.examples, outline.batch, outline.steps), (20, 6, 6));
    assert!(outline.parameters > 0 && outline.frozen_layers == 0 && outline.truncated == 0);
    assert!(told.steps.iter().map(|report| report.step).eq(1..=6));
    assert!(told.measures.iter().map(|measures| measures.step).eq([0, 2, 4, 6]));
    assert_eq!((told.adapters.len(), told.rests.as_slice()), (3, &[(6, Rest::Finished)][..]));
    let (first, last) = (&told.measures[0], &told.measures[3]);
    assert_eq!((first.shape.sentences, first.positives), (14, Positives::Scored));
    assert!(last.shape.uniformity < first.shape.uniformity, "the cone opens");
    assert!(first.pinned.len() == 1 && first.pinned != last.pinned);
    let adapter = AdapterFile::read("a", &told.adapters[2]).unwrap();
    assert_eq!(adapter.meta.base_sha256, fixture::file(1).sha256);
    assert_eq!((adapter.meta.pooling, adapter.meta.seed), (Some(Pooling::Cls), 42));
    assert_eq!(toml::from_str::<Recipe>(&adapter.meta.recipe).unwrap(), recipe());
    assert!(adapter.meta.metrics.iter().any(|(name, _)| name == "uniformity, cls, before"));
}

#[test]
fn equal_seeds_give_equal_bytes() {
    let once = whole(recipe());
    assert_eq!(once, whole(recipe()));
    let other = whole(Recipe { seed: 1, ..recipe() });
    assert_ne!(once.adapters, other.adapters);
}

#[test]
fn what_is_measured_is_what_the_engine_says_of_both_sides() {
    let told = whole(recipe());
    let mut engine = opened(1);
    let agreement = |engine: &mut Engine, side: Side, pooling: Pooling| {
        let (gold, pairs) = scored().into_iter().map(|(x, y, gold)| (gold, (x, y))).unzip();
        let lens = Lens { side, readout: Readout::last(pooling) };
        match answer(engine, Request::Pairs { revision: 3, pairs, gold, lens }).head {
            Event::Pairs { agreement, .. } => agreement.unwrap().spearman,
            other => panic!("{other:?}"),
        }
    };
    let measured = |place: usize| {
        let measures = &told.measures[place];
        (measures.spearman.unwrap(), measures.spearman_mean.unwrap())
    };
    let (cls, mean) = measured(0);
    assert!((agreement(&mut engine, Side::Before, Pooling::Cls) - cls).abs() < 1e-9);
    assert!((agreement(&mut engine, Side::Before, Pooling::Mean) - mean).abs() < 1e-9);
    let head =
        Request::Attach { revision: 8, source: AdapterSource::Given { name: "a.gguf".to_owned() } };
    let bulk = vec![Bulk::Bytes(told.adapters[2].clone())];
    engine.accept(Message { head, bulk }, &mut Events::new());
    run(&mut engine);
    let (cls, mean) = measured(3);
    // The file rounds to f16; a rank of 16 pairs may change.
    assert!((agreement(&mut engine, Side::After, Pooling::Cls) - cls).abs() < 0.03);
    assert!((agreement(&mut engine, Side::After, Pooling::Mean) - mean).abs() < 0.03);
}

#[test]
fn a_pause_leaves_the_engine_to_others_and_changes_nothing() {
    let expected = whole(recipe());
    let mut engine = opened(1);
    ask(&mut engine, train(7, plan(recipe())));
    let mut events = until(&mut engine, 3);
    // In the middle of a step.
    assert!(step(&mut engine, &mut events));
    let paused = told(steer(&mut engine, 7, Order::Pause));
    assert_eq!(paused.rests, [(3, Rest::Paused)]);
    assert!(!step(&mut engine, &mut events), "nothing to do");
    answer(&mut engine, pair(9, "a cat", "the dog"));
    assert!(steer(&mut engine, 7, Order::Resume).is_empty());
    events.extend(run(&mut engine));
    assert_eq!(told(events), expected);
}

#[test]
fn what_a_person_waits_for_goes_before_training() {
    let mut engine = opened(1);
    ask(&mut engine, train(7, plan(recipe())));
    until(&mut engine, 1);
    ask(&mut engine, pair(9, "a cat", "the dog"));
    let mut out = Events::new();
    while out.is_empty() {
        assert!(step(&mut engine, &mut out));
    }
    assert!(matches!(out[0].head, Event::Pair { revision: 9, .. }), "{out:?}");
}

#[test]
fn a_checkpoint_can_be_gone_back_to_and_on_from() {
    let expected = whole(recipe());
    let mut engine = opened(1);
    ask(&mut engine, train(7, plan(recipe())));
    run(&mut engine);
    for (asked, kept) in [(5, 4), (2, 2), (0, 0)] {
        let restored = told(steer(&mut engine, 7, Order::Restore { step: asked }));
        assert_eq!(restored.rests, [(kept, Rest::Paused)]);
        assert!(!step(&mut engine, &mut Events::new()));
        steer(&mut engine, 7, Order::Resume);
        let rest = told(run(&mut engine));
        assert_eq!(rest.steps[..], expected.steps[kept as usize..]);
        assert_eq!(rest.adapters[..], expected.adapters[kept as usize / 2..]);
        assert_eq!(rest.rests, [(6, Rest::Finished)]);
    }
}

#[test]
fn a_stopped_fine_tune_is_measured_where_it_stands_and_gone() {
    let mut engine = opened(1);
    ask(&mut engine, train(7, plan(recipe())));
    until(&mut engine, 3);
    assert!(steer(&mut engine, 7, Order::Stop).is_empty());
    let rest = told(run(&mut engine));
    assert_eq!((rest.steps.len(), rest.adapters.len()), (0, 1));
    assert!(rest.measures.iter().map(|measures| measures.step).eq([3]));
    assert_eq!(rest.rests, [(3, Rest::Stopped)]);
    let gone = steer(&mut engine, 7, Order::Resume);
    assert!(matches!(&gone[..], [Message { head: Event::Cancelled { revision: 7 }, .. }]));
    // Before anything began there is nothing to measure.
    ask(&mut engine, train(7, plan(recipe())));
    assert_eq!(told(steer(&mut engine, 7, Order::Stop)).rests, [(0, Rest::Stopped)]);
    assert!(!step(&mut engine, &mut Events::new()));
}

fn problem(events: &Events) -> &Problem {
    match &events[..] {
        [Message { head: Event::Failed { problem, .. }, .. }] => problem,
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_at_a_time_and_none_without_a_model_sentences_or_sense() {
    let mut empty = Engine::that_trains();
    assert_eq!(problem(&ask(&mut empty, train(7, plan(recipe())))), &Problem::NoModel);
    let mut engine = opened(1);
    let senseless = Recipe { temperature: 0.0, ..recipe() };
    let refused = ask(&mut engine, train(7, plan(senseless)));
    assert!(matches!(problem(&refused), Problem::Recipe { .. }));
    let few = Plan { examples: plan(recipe()).examples[..1].to_vec(), ..plan(recipe()) };
    assert!(ask(&mut engine, train(7, few)).is_empty());
    let expected = Problem::TooFewExamples { found: 1, needed: 2 };
    assert_eq!(problem(&run(&mut engine)), &expected);
    ask(&mut engine, train(7, plan(recipe())));
    until(&mut engine, 1);
    assert_eq!(problem(&ask(&mut engine, train(8, plan(recipe())))), &Problem::Busy);
    steer(&mut engine, 7, Order::Pause);
    assert_eq!(problem(&ask(&mut engine, train(8, plan(recipe())))), &Problem::Busy);
    let cancelled = ask(&mut engine, Request::Cancel { revision: 7 });
    assert!(matches!(&cancelled[..], [Message { head: Event::Cancelled { revision: 7 }, .. }]));
    assert!(ask(&mut engine, train(7, plan(recipe()))).is_empty());
    run(&mut engine);
    assert!(ask(&mut engine, train(7, plan(recipe()))).is_empty(), "a finished one makes room");
}

#[test]
fn a_program_without_training_says_so_and_answers_all_the_same() {
    let mut engine = crate::journey::opened(1);
    let refused = ask(&mut engine, train(7, plan(recipe())));
    assert!(matches!(problem(&refused), Problem::Internal { .. }), "{refused:?}");
    let gone = steer(&mut engine, 7, Order::Stop);
    assert!(matches!(&gone[..], [Message { head: Event::Cancelled { revision: 7 }, .. }]));
    assert!(!step(&mut engine, &mut Events::new()));
}

#[test]
fn training_waits_for_a_model_on_its_way_and_ends_with_it() {
    let mut engine = Engine::that_trains();
    engine.loading_began();
    assert!(ask(&mut engine, train(7, plan(recipe()))).is_empty());
    assert!(!step(&mut engine, &mut Events::new()));
    let mut out = Events::new();
    engine.open(1, "tiny", fixture::gguf(1), None, &mut out);
    engine.loading_ended(&mut out);
    until(&mut engine, 1);
    out.clear();
    engine.open(2, "tiny", fixture::gguf(2), None, &mut out);
    let ended = |it: &Message<Event>| matches!(it.head, Event::Cancelled { revision: 7 });
    assert!(out.iter().any(ended), "{out:?}");
    assert!(!step(&mut engine, &mut out));
    engine = Engine::that_trains();
    engine.loading_began();
    ask(&mut engine, train(7, plan(recipe())));
    out.clear();
    engine.loading_ended(&mut out);
    assert_eq!(problem(&out), &Problem::NoModel);
}

#[test]
fn an_adapter_is_gone_on_from() {
    let told_first = whole(recipe());
    let mut engine = opened(1);
    let bulk = vec![Bulk::Bytes(told_first.adapters[2].clone())];
    engine.accept(Message { head: train(7, plan(recipe())), bulk }, &mut Events::new());
    let again = told(run(&mut engine));
    let difference = |a: f64, b: f64| (a - b).abs();
    let (end, start) = (&told_first.measures[3].shape, &again.measures[0].shape);
    assert!(difference(end.uniformity, start.uniformity) < 0.01, "where the first ended");
    let bulk = vec![Bulk::Bytes(b"no adapter".to_vec())];
    let mut out = Events::new();
    engine.accept(Message { head: train(7, plan(recipe())), bulk }, &mut out);
    assert!(matches!(problem(&out), Problem::NotGguf { .. }), "{out:?}");
}

#[test]
fn every_way_of_training_runs_and_small_memory_changes_no_bit() {
    let ways = [
        (Trained::Everything, TrainedReadout::Mean),
        (Trained::LastLayers { count: 1 }, TrainedReadout::Cls),
        (recipe().trained, TrainedReadout::ClsMlpWhileTraining),
        (recipe().trained, TrainedReadout::ClsMlp),
    ];
    for (trained, readout) in ways {
        let recipe = Recipe { trained, readout, steps: 2, micro_batch: 4, ..recipe() };
        let told = whole(recipe);
        assert_eq!(told.rests, [(2, Rest::Finished)], "{trained:?} {readout:?}");
        assert!(told.steps.iter().all(|report| report.gradient_norm > 0.0));
        assert_eq!(
            told.outline.unwrap().frozen_layers > 0,
            matches!(trained, Trained::LastLayers { .. })
        );
        let adapter = AdapterFile::read("a", &told.adapters[0]).unwrap();
        assert_eq!(adapter.meta.pooling, Some(readout.pooling()));
    }
}

#[test]
fn the_readout_that_is_trained_is_measured_uncut() {
    // Sentences of 20 words, trained on 6 tokens only: measured whole.
    let long = |salt: usize| fixture::sentence(20, salt);
    let pinned = vec![(long(1), long(2))];
    let recipe = Recipe { max_tokens: 6, steps: 1, ..recipe() };
    let plan = Plan { probe: Probe { pinned, ..Probe::default() }, ..plan(recipe) };
    let mut engine = opened(1);
    ask(&mut engine, train(7, plan));
    let told = told(run(&mut engine));
    let (first, second) = (long(1), long(2));
    let whole = answer(&mut engine, Request::Pair { revision: 9, first, second, lens: CLS });
    let Event::Pair { cosine, .. } = whole.head else { panic!("{whole:?}") };
    assert!((told.measures[0].pinned[0] - cosine).abs() < 1e-5);
    assert!(told.outline.unwrap().truncated > 0);
}
