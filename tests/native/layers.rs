//! All layers at once, on the engine.

use simcse_lab::engine::{Engine, Events};
use simcse_lab::protocol::event::Event;
use simcse_lab::protocol::lab::{LayerMeasure, Scored, Treatment};
use simcse_lab::protocol::message::Message;
use simcse_lab::protocol::problem::Problem;
use simcse_lab::protocol::readout::{Lens, Pooling, Readout, Side};
use simcse_lab::protocol::request::{AdapterSource, Request};

use crate::fixture::{self, LAYERS};

const COUNT: usize = 70;

fn opened() -> Engine {
    let mut engine = Engine::new();
    engine.open(1, "tiny", fixture::gguf(3), None, &mut Events::new());
    engine
}

fn sentences() -> Vec<String> {
    (0..COUNT).map(|i| fixture::sentence(1 + i % 9, i)).collect()
}

fn positives() -> Vec<(u32, u32)> {
    vec![(0, 3), (11, 4), (69, 2)]
}

fn scored() -> Vec<Scored> {
    (0..30).map(|i| Scored { first: i, second: i + 31, gold: (i * i % 6) as f32 }).collect()
}

fn layers(revision: u32, side: Side) -> Message<Request> {
    let (sentences, positives, scored) = (sentences(), positives(), scored());
    Message::plain(Request::Layers { revision, sentences, side, positives, scored })
}

fn run(engine: &mut Engine, requests: Vec<Message<Request>>) -> Vec<Event> {
    let mut out = Events::new();
    for request in requests {
        engine.accept(request, &mut out);
    }
    while pollster::block_on(engine.step(&mut out)) {}
    let heads = out.into_iter().map(|message| message.head);
    heads.filter(|event| !matches!(event, Event::Progress { .. })).collect()
}

fn measured(events: &[Event], number: u32) -> Vec<LayerMeasure> {
    let found = events.iter().find_map(|event| match event {
        Event::Layers { revision, layers, .. } if *revision == number => Some(layers.clone()),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no layers under {number}: {events:?}"))
}

/// What a survey finds with each lens by itself.
fn by_surveys(engine: &mut Engine, side: Side) -> Vec<LayerMeasure> {
    let mut expected = Vec::new();
    for layer in 0..=LAYERS as u16 {
        for pooling in [Pooling::Cls, Pooling::Mean] {
            let request = Request::Survey {
                revision: 50,
                slot: 0,
                sentences: sentences(),
                lens: Lens { side, readout: Readout { pooling, layer: Some(layer) } },
                treatment: Treatment::AsTheyAre,
                positives: positives(),
                scored: scored(),
                keep: false,
            };
            let events = run(engine, vec![Message::plain(request)]);
            let [Event::Survey { findings, .. }] = &events[..] else { panic!("{events:?}") };
            expected.push(LayerMeasure {
                layer,
                pooling,
                mean_cosine: findings.shape.mean_cosine,
                uniformity: findings.shape.uniformity,
                alignment: findings.alignment,
                spearman: findings.spearman,
            });
        }
    }
    expected
}

fn assert_near(found: &[LayerMeasure], expected: &[LayerMeasure]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let numbers = |it: &LayerMeasure| {
            [Some(it.mean_cosine), Some(it.uniformity), it.alignment, it.spearman]
        };
        assert_eq!((found.layer, found.pooling), (expected.layer, expected.pooling));
        for pair in numbers(found).into_iter().zip(numbers(expected)) {
            match pair {
                (Some(found), Some(expected)) => assert!((found - expected).abs() < 1e-6),
                (found, expected) => assert_eq!(found, expected),
            }
        }
    }
}

#[test]
fn all_layers_are_what_surveys_of_each_find() {
    let mut engine = opened();
    let found = measured(&run(&mut engine, vec![layers(7, Side::Before)]), 7);
    let expected = by_surveys(&mut engine, Side::Before);
    assert_near(&found, &expected);
    assert_eq!(found.len(), 2 * (LAYERS + 1));
    // The first token of the embedding layer is the same for all; nothing else is.
    assert!((found[0].mean_cosine - 1.0).abs() < 1e-6 && found[0].spearman.is_none());
    assert!(found[1..].iter().all(|it| it.spearman.is_some()));
    assert!(found.iter().all(|it| it.alignment.is_some()));
}

#[test]
fn each_side_has_its_own_layers_and_only_they_supersede_each_other() {
    let mut engine = opened();
    let name = "tuned".to_owned();
    let attach = Request::Attach { revision: 2, source: AdapterSource::Given { name } };
    let file = fixture::adapter(&fixture::lora(5), 3);
    let bulk = vec![simcse_lab::protocol::message::Bulk::Bytes(file)];
    let mut out = Events::new();
    engine.accept(Message { head: attach, bulk }, &mut out);
    let requests = vec![layers(4, Side::Before), layers(5, Side::After), layers(6, Side::Before)];
    let events = run(&mut engine, requests);
    assert!(events.contains(&Event::Cancelled { revision: 4 }));
    let (after, before) = (measured(&events, 5), measured(&events, 6));
    assert_near(&before, &by_surveys(&mut engine, Side::Before));
    assert_near(&after, &by_surveys(&mut engine, Side::After));
    assert_ne!(before[7], after[7]);
}

#[test]
fn they_begin_anew_with_a_new_model_and_can_be_given_up() {
    let mut engine = opened();
    let mut out = Events::new();
    engine.accept(layers(7, Side::Before), &mut out);
    for _ in 0..4 {
        pollster::block_on(engine.step(&mut out));
    }
    engine.open(8, "other", fixture::gguf(9), None, &mut Events::new());
    let found = measured(&run(&mut engine, Vec::new()), 7);
    assert_near(&found, &by_surveys(&mut engine, Side::Before));
    engine.accept(layers(9, Side::Before), &mut out);
    pollster::block_on(engine.step(&mut out));
    let given_up = Message::plain(Request::Cancel { revision: 9 });
    assert_eq!(run(&mut engine, vec![given_up]), [Event::Cancelled { revision: 9 }]);
}

#[test]
fn no_sentences_have_layers_too_and_pairs_must_be_there() {
    let mut engine = opened();
    let asked = |count: usize| {
        let mut message = layers(7, Side::Before);
        if let Request::Layers { sentences, positives, scored, .. } = &mut message.head {
            sentences.truncate(count);
            if count == 0 {
                (*positives, *scored) = Default::default();
            }
        }
        message
    };
    let found = measured(&run(&mut engine, vec![asked(0)]), 7);
    assert_eq!(found.len(), 2 * (LAYERS + 1));
    assert!(found.iter().all(|it| it.mean_cosine == 0.0 && it.alignment.is_none()));
    let events = run(&mut engine, vec![asked(40)]);
    let [Event::Failed { problem: Problem::Internal { detail }, .. }] = &events[..] else {
        panic!("{events:?}")
    };
    assert!(detail.contains("of 40"), "{detail}");
}
