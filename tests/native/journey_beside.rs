//! Another model on the side after: each side answers from its own weights, whoever computes.

use simcse_lab::engine::{Engine, Events};
use simcse_lab::protocol::event::Event;
use simcse_lab::protocol::message::{Bulk, Message};
use simcse_lab::protocol::problem::Problem;
use simcse_lab::protocol::readout::{Lens, Pooling, Readout, Side};
use simcse_lab::protocol::request::{AdapterSource, ModelSource, Request};

use crate::crew::{Troupe, assert_same, embed};
use crate::fixture;
use crate::journey::{MEAN, answer, ask, opened, run};

const AFTER: Lens =
    Lens { side: Side::After, readout: Readout { pooling: Pooling::Mean, layer: None } };

fn beside(revision: u32, bytes: Vec<u8>) -> Message<Request> {
    let sha256 = simcse_lab::weights::bert::sha256(&bytes);
    let source = AdapterSource::Model(ModelSource::Copied { name: "other".to_owned(), sha256 });
    Message { head: Request::Attach { revision, source }, bulk: vec![Bulk::Bytes(bytes)] }
}

/// The model 1 with the model 2 beside it.
fn two() -> Engine {
    let (mut engine, mut events) = (opened(1), Events::new());
    engine.accept(beside(2, fixture::gguf(2)), &mut events);
    events.extend(run(&mut engine));
    let [Message { head: Event::Attached { revision: 2, adapter, .. }, .. }] = &events[..] else {
        panic!("{events:?}")
    };
    let file = fixture::file(2);
    assert_eq!((&adapter.sha256, adapter.size_bytes), (&file.sha256, file.size_bytes()));
    assert_eq!(adapter.pooling, Some(file.config.pooling));
    let known = adapter.model.as_ref().expect("it is a model");
    assert_eq!(usize::from(known.layers), file.config.layers);
    engine
}

fn alone(seed: u64) -> Message<Event> {
    answer(&mut opened(seed), embed(9, MEAN))
}

#[test]
fn each_side_answers_from_its_own_model() {
    let mut engine = two();
    assert_same(&answer(&mut engine, embed(3, MEAN)), &alone(1), "before");
    assert_same(&answer(&mut engine, embed(4, AFTER)), &alone(2), "after");
    // There is nothing to blend.
    let blended = answer(&mut engine, Request::Blend { revision: 5, blend: 0.5 });
    assert_eq!(blended.head, Event::Blended { revision: 5, blend: 1.0 });
    assert_same(&answer(&mut engine, embed(6, AFTER)), &alone(2), "after a blend");
    assert_eq!(
        answer(&mut engine, Request::Detach { revision: 7 }).head,
        Event::Detached { revision: 7 }
    );
    let problem = Problem::NoAdapter;
    let failed = Message::plain(Event::Failed { revision: Some(8), problem });
    assert_eq!(ask(&mut engine, embed(8, AFTER)), [failed]);
}

#[test]
fn helpers_get_both_models() {
    for lot in 0..6 {
        let mut troupe = Troupe::with(two(), Some(3), lot);
        troupe.turn_until("helpers", |troupe| troupe.all_ready(2));
        troupe.ask(embed(3, AFTER));
        assert_same(&troupe.answer(3), &alone(2), &format!("after, lot {lot}"));
        troupe.ask(embed(4, MEAN));
        assert_same(&troupe.answer(4), &alone(1), &format!("before, lot {lot}"));
        assert_eq!(troupe.most, 3, "all take part");
    }
}

#[test]
fn it_stays_when_the_model_in_use_changes_and_goes_when_it_is_the_one() {
    let (mut engine, mut events) = (two(), Events::new());
    engine.open(3, "third", fixture::gguf(3), None, &mut events);
    assert!(matches!(events[..], [Message { head: Event::Opened { revision: 3, .. }, .. }]));
    assert_same(&answer(&mut engine, embed(4, MEAN)), &alone(3), "before");
    assert_same(&answer(&mut engine, embed(5, AFTER)), &alone(2), "after");
    events.clear();
    engine.open(6, "other", fixture::gguf(2), None, &mut events);
    let gone = events.iter().any(|event| event.head == Event::Detached { revision: 6 });
    assert!(gone, "{events:?}");
}

#[test]
fn what_is_no_model_is_refused_and_the_other_one_stays() {
    let (mut engine, mut events) = (two(), Events::new());
    engine.accept(beside(3, fixture::adapter(&fixture::lora(1), 1)), &mut events);
    let [Message { head: Event::Failed { revision: Some(3), .. }, .. }] = &events[..] else {
        panic!("{events:?}")
    };
    assert_same(&answer(&mut engine, embed(4, AFTER)), &alone(2), "after");
}
