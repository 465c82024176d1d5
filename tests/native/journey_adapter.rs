//! Adapters on the engine: attached, blended, detached, and what waits for them.

use simcse_lab::backend::cpu::Cpu;
use simcse_lab::engine::{Engine, Events};
use simcse_lab::model::encoder::Encoder;
use simcse_lab::protocol::event::Event;
use simcse_lab::protocol::message::{Bulk, Message};
use simcse_lab::protocol::problem::Problem;
use simcse_lab::protocol::readout::{Lens, Pooling, Readout, Side};
use simcse_lab::protocol::request::{AdapterSource, Request};
use simcse_lab::weights::adapter::Changes;
use simcse_lab::weights::adapter_file::AdapterFile;
use simcse_lab::weights::merged::Merged;

use crate::fixture;
use crate::journey::{answer, ask, opened, pair, revisions, run, sentences, step};

fn lens(side: Side, pooling: Pooling) -> Lens {
    Lens { side, readout: Readout::last(pooling) }
}

fn after() -> Lens {
    lens(Side::After, Pooling::Mean)
}

pub fn changes() -> Changes {
    let mut changes = fixture::lora(1);
    changes.extend(fixture::mlp(2));
    changes
}

fn send_adapter(engine: &mut Engine, revision: u32, bytes: Vec<u8>) -> Events {
    let source = AdapterSource::Given { name: "a.gguf".to_owned() };
    let head = Request::Attach { revision, source };
    let mut out = Events::new();
    engine.accept(Message { head, bulk: vec![Bulk::Bytes(bytes)] }, &mut out);
    out
}

fn attached(revision: u32) -> Engine {
    let mut engine = opened(1);
    assert!(send_adapter(&mut engine, revision, fixture::adapter(&changes(), 1)).is_empty());
    let events = run(&mut engine);
    let [Message { head: Event::Attached { revision: found, adapter, .. }, .. }] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!((*found, adapter.name.as_str()), (revision, "tuned"));
    engine
}

fn embed(revision: u32, lens: Lens) -> Request {
    Request::Embed { revision, sentences: sentences(12), lens }
}

fn pair_after(revision: u32) -> Request {
    let (first, second) = ("a cat".to_owned(), "the dog".to_owned());
    Request::Pair { revision, first, second, lens: after() }
}

fn rows(engine: &mut Engine, lens: Lens) -> Vec<f32> {
    answer(engine, embed(900, lens)).f32().unwrap().to_vec()
}

/// What the side after must give, computed without the engine.
fn wanted(pooling: Pooling, blend: f32) -> Vec<f32> {
    let file = fixture::file(1);
    let adapter = AdapterFile::read("a", &fixture::adapter(&changes(), 1)).unwrap();
    let merged = Merged::new(&file, &adapter.changes, blend).unwrap();
    let encoder = Encoder::load_merged(Cpu::default(), &merged).unwrap();
    let tokens: Vec<_> = sentences(12).iter().map(|text| encoder.tokenise(text).unwrap()).collect();
    pollster::block_on(encoder.embed(&tokens, Readout::last(pooling))).unwrap()
}

fn no_adapter(revision: u32) -> Event {
    Event::Failed { revision: Some(revision), problem: Problem::NoAdapter }
}

#[test]
fn both_sides_answer_from_their_own_weights() {
    let mut engine = attached(2);
    for pooling in [Pooling::Mean, Pooling::Cls, Pooling::ClsMlp] {
        assert_eq!(rows(&mut engine, lens(Side::After, pooling)), wanted(pooling, 1.0));
    }
    let before = rows(&mut engine, lens(Side::Before, Pooling::Mean));
    assert_eq!(before, rows(&mut opened(1), lens(Side::Before, Pooling::Mean)));
    assert_ne!(before, rows(&mut engine, after()));
    let mlp = answer(&mut engine, embed(3, lens(Side::Before, Pooling::ClsMlp)));
    assert_eq!(mlp.head, Event::Failed { revision: Some(3), problem: Problem::NoMlp });
}

#[test]
fn a_blend_is_as_exact_as_a_merge() {
    let mut engine = attached(2);
    for blend in [0.0, 0.3, 1.5, 1.0] {
        let event = answer(&mut engine, Request::Blend { revision: 3, blend }).head;
        assert_eq!(event, Event::Blended { revision: 3, blend });
        assert_eq!(rows(&mut engine, after()), wanted(Pooling::Mean, blend), "{blend}");
    }
    let event = answer(&mut engine, Request::Blend { revision: 4, blend: 7.0 }).head;
    assert_eq!(event, Event::Blended { revision: 4, blend: 1.5 });
}

#[test]
fn a_newer_blend_supersedes_one_that_has_not_begun() {
    let mut engine = attached(2);
    let blend = |revision, blend| Request::Blend { revision, blend };
    assert!(ask(&mut engine, blend(3, 0.1)).is_empty());
    let mut out = Events::new();
    assert!(step(&mut engine, &mut out));
    // Number 3 has begun and is finished.
    assert!(ask(&mut engine, blend(4, 0.2)).is_empty());
    assert_eq!(ask(&mut engine, blend(5, 0.3))[0].head, Event::Cancelled { revision: 4 });
    assert_eq!(revisions(&run(&mut engine)), [3, 5]);
    assert_eq!(rows(&mut engine, after()), wanted(Pooling::Mean, 0.3));
}

#[test]
fn a_blend_that_is_known_while_attaching_is_not_made_twice() {
    let mut engine = opened(1);
    send_adapter(&mut engine, 2, fixture::adapter(&changes(), 1));
    ask(&mut engine, Request::Blend { revision: 3, blend: 0.5 });
    let (mut out, mut steps) = (Events::new(), 0);
    while step(&mut engine, &mut out) {
        steps += 1;
    }
    assert_eq!(revisions(&out), [2, 3]);
    assert!(steps < 6, "{steps} steps for three layers");
    assert_eq!(rows(&mut engine, after()), wanted(Pooling::Mean, 0.5));
}

#[test]
fn the_side_after_waits_while_an_adapter_is_on_its_way_and_fails_without_one() {
    let mut engine = opened(1);
    assert_eq!(ask(&mut engine, pair_after(2))[0].head, no_adapter(2));
    engine.adapter_began();
    assert!(ask(&mut engine, pair_after(3)).is_empty());
    assert!(run(&mut engine).is_empty());
    // The other side does not wait.
    ask(&mut engine, pair(4, "a", "cat"));
    assert_eq!(revisions(&run(&mut engine)), [4]);
    let mut out = Events::new();
    engine.attach(5, "a", &fixture::adapter(&changes(), 1), &mut out);
    engine.adapter_ended(&mut out);
    assert!(out.is_empty());
    assert_eq!(revisions(&run(&mut engine)), [5, 3]);

    let mut engine = opened(1);
    engine.adapter_began();
    ask(&mut engine, pair_after(6));
    engine.attach(7, "a", b"GGUF and nonsense", &mut out);
    engine.adapter_ended(&mut out);
    assert_eq!(revisions(&out), [7, 6]);
    assert_eq!(out[1].head, no_adapter(6));
}

#[test]
fn both_sides_pairs_wait_beside_each_other() {
    let mut engine = attached(2);
    assert!(ask(&mut engine, pair(3, "a cat", "the dog")).is_empty());
    assert!(ask(&mut engine, pair_after(4)).is_empty());
    assert_eq!(ask(&mut engine, pair_after(5))[0].head, Event::Cancelled { revision: 4 });
    assert_eq!(revisions(&run(&mut engine)), [3, 5]);
}

#[test]
fn what_had_begun_after_begins_anew_with_another_blend() {
    let mut engine = attached(2);
    ask(&mut engine, embed(3, after()));
    let mut out = Events::new();
    (0..3).for_each(|_| assert!(step(&mut engine, &mut out)));
    ask(&mut engine, Request::Blend { revision: 4, blend: 0.3 });
    let events = run(&mut engine);
    assert_eq!(revisions(&events), [4, 3]);
    assert_eq!(events[1].f32().unwrap(), wanted(Pooling::Mean, 0.3));
}

#[test]
fn an_adapter_that_cannot_be_used_leaves_the_one_in_use() {
    let mut engine = attached(2);
    let before = rows(&mut engine, after());
    send_adapter(&mut engine, 3, fixture::adapter(&changes(), 2));
    let events = run(&mut engine);
    let problem = Problem::AdapterBase {
        expected: fixture::file(2).sha256,
        expected_name: "tiny-2".to_owned(),
        found: fixture::file(1).sha256,
    };
    assert_eq!(events[0].head, Event::Failed { revision: Some(3), problem });
    let model = send_adapter(&mut engine, 4, fixture::gguf(1));
    assert!(matches!(
        model[0].head,
        Event::Failed { revision: Some(4), problem: Problem::NotAdapter { .. } }
    ));
    assert_eq!(rows(&mut engine, after()), before);
    let mut out = Events::new();
    engine.open(5, "a", fixture::adapter(&changes(), 1), None, &mut out);
    assert!(matches!(
        out[0].head,
        Event::Failed { revision: Some(5), problem: Problem::IsAdapter { .. } }
    ));
    assert_eq!(rows(&mut engine, after()), before);
}

#[test]
fn detaching_takes_the_side_away() {
    let mut engine = attached(2);
    ask(&mut engine, embed(3, after()));
    ask(&mut engine, Request::Detach { revision: 4 });
    let events = run(&mut engine);
    assert_eq!(revisions(&events), [4, 3]);
    assert_eq!(events[1].head, no_adapter(3));
    let blend = answer(&mut engine, Request::Blend { revision: 5, blend: 0.5 });
    assert_eq!(blend.head, no_adapter(5));
    assert_eq!(
        answer(&mut engine, Request::Detach { revision: 6 }).head,
        Event::Detached { revision: 6 }
    );
}

#[test]
fn another_model_takes_an_adapter_off_that_is_not_its_own() {
    let mut engine = attached(2);
    let mut out = Events::new();
    engine.open(3, "same", fixture::gguf(1), None, &mut out);
    assert_eq!(out.len(), 1);
    assert_eq!(rows(&mut engine, after()), wanted(Pooling::Mean, 1.0));
    out.clear();
    engine.open(4, "other", fixture::gguf(2), None, &mut out);
    assert!(matches!(out[0].head, Event::Opened { revision: 4, .. }));
    assert_eq!(out[1].head, Event::Detached { revision: 4 });
    assert_eq!(ask(&mut engine, pair_after(5))[0].head, no_adapter(5));
}

#[test]
fn an_adapter_waits_for_the_model_that_is_on_its_way() {
    let mut engine = Engine::new();
    let bytes = || fixture::adapter(&changes(), 1);
    let early = send_adapter(&mut engine, 1, bytes());
    assert_eq!(early[0].head, Event::Failed { revision: Some(1), problem: Problem::NoModel });
    engine.loading_began();
    assert!(send_adapter(&mut engine, 2, bytes()).is_empty());
    assert!(ask(&mut engine, pair_after(3)).is_empty());
    assert!(run(&mut engine).is_empty());
    let mut out = Events::new();
    engine.open(4, "tiny", fixture::gguf(1), None, &mut out);
    engine.loading_ended(&mut out);
    assert_eq!(out.len(), 1);
    assert_eq!(revisions(&run(&mut engine)), [2, 3]);

    let mut engine = Engine::new();
    engine.loading_began();
    send_adapter(&mut engine, 5, bytes());
    ask(&mut engine, pair_after(6));
    out.clear();
    engine.loading_ended(&mut out);
    assert_eq!(revisions(&out), [6, 5]);
}

#[test]
fn an_adapter_in_the_making_is_made_for_the_model_that_came_meanwhile() {
    let mut engine = opened(1);
    send_adapter(&mut engine, 2, fixture::adapter(&changes(), 2));
    send_adapter(&mut engine, 3, fixture::adapter(&changes(), 1));
    let mut out = Events::new();
    // The first does not fit the first model; the second one is in the making.
    assert!(step(&mut engine, &mut out) && step(&mut engine, &mut out));
    assert_eq!(revisions(&out), [2]);
    out.clear();
    engine.open(4, "other", fixture::gguf(2), None, &mut out);
    out.clear();
    while step(&mut engine, &mut out) {}
    assert!(matches!(
        out[0].head,
        Event::Failed { revision: Some(3), problem: Problem::AdapterBase { .. } }
    ));
}
