//! Dropout views, on the engine.

use simcse_lab::engine::{Engine, Events};
use simcse_lab::protocol::event::Event;
use simcse_lab::protocol::message::Message;
use simcse_lab::protocol::problem::Problem;
use simcse_lab::protocol::readout::{Lens, Pooling, Readout, Side};
use simcse_lab::protocol::request::Request;

use crate::fixture::{self, HIDDEN};

const COUNT: usize = 20;

fn lens(side: Side, pooling: Pooling) -> Lens {
    Lens { side, readout: Readout { pooling, layer: None } }
}

fn texts() -> Vec<String> {
    (0..COUNT).map(|i| fixture::sentence(2 + i % 9, i)).collect()
}

fn opened() -> Engine {
    let mut engine = Engine::that_trains();
    engine.open(1, "tiny", fixture::gguf(3), None, &mut Events::new());
    engine
}

fn answers(engine: &mut Engine, requests: Vec<Request>) -> Events {
    let mut out = Events::new();
    for request in requests {
        engine.accept(Message::plain(request), &mut out);
    }
    while pollster::block_on(engine.step(&mut out)) {}
    out.retain(|message| !matches!(message.head, Event::Progress { .. }));
    out
}

struct Asked {
    lens: Lens,
    dropout: f32,
    same_mask: bool,
    seed: u64,
}

const ASKED: Asked = Asked {
    lens: Lens { side: Side::Before, readout: Readout { pooling: Pooling::Cls, layer: None } },
    dropout: 0.1,
    same_mask: false,
    seed: 5,
};

fn request(revision: u32, asked: &Asked) -> Request {
    let Asked { lens, dropout, same_mask, seed } = *asked;
    Request::Views { revision, sentences: texts(), lens, dropout, same_mask, seed }
}

fn matrix(engine: &mut Engine, asked: &Asked) -> Vec<f32> {
    let mut events = answers(engine, vec![request(7, asked)]);
    let message = events.pop().expect("an answer");
    assert!(matches!(message.head, Event::Views { revision: 7, .. }), "{:?}", message.head);
    let matrix = message.f32().expect("a matrix").to_vec();
    assert_eq!(matrix.len(), COUNT * COUNT);
    matrix
}

fn cosines(engine: &mut Engine, lens: Lens) -> Vec<f32> {
    let request = Request::Embed { revision: 9, sentences: texts(), lens };
    let events = answers(engine, vec![request]);
    let rows = events[0].f32().expect("rows");
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let rows: Vec<&[f32]> = rows.chunks_exact(HIDDEN).collect();
    rows.iter().flat_map(|a| rows.iter().map(|b| dot(a, b))).collect()
}

fn assert_close(found: &[f32], expected: &[f32]) {
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 2e-4, "{found} {expected}");
    }
}

fn worst(found: &[f32], expected: &[f32]) -> f32 {
    found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn diagonal(matrix: &[f32]) -> Vec<f32> {
    matrix.iter().step_by(COUNT + 1).copied().collect()
}

#[test]
fn without_dropout_the_views_are_the_sentences() {
    let mut engine = opened();
    for pooling in [Pooling::Cls, Pooling::Mean] {
        let lens = lens(Side::Before, pooling);
        let expected = cosines(&mut engine, lens);
        let found = matrix(&mut engine, &Asked { lens, dropout: 0.0, ..ASKED });
        assert_close(&found, &expected);
    }
}

#[test]
fn dropout_parts_the_views_and_one_mask_does_not() {
    let mut engine = opened();
    let own = diagonal(&matrix(&mut engine, &ASKED));
    assert!(own.iter().all(|cosine| *cosine < 0.999), "{own:?}");
    let stronger = diagonal(&matrix(&mut engine, &Asked { dropout: 0.5, ..ASKED }));
    assert!(stronger.iter().sum::<f32>() < own.iter().sum::<f32>());
    let same = matrix(&mut engine, &Asked { same_mask: true, ..ASKED });
    assert_close(&diagonal(&same), &[1.0; COUNT]);
    assert!(same.iter().zip(cosines(&mut engine, ASKED.lens)).any(|(a, b)| (a - b).abs() > 0.01));
}

#[test]
fn a_seed_gives_the_same_views_again_and_another_seed_others() {
    let mut engine = opened();
    let first = matrix(&mut engine, &ASKED);
    let other = matrix(&mut engine, &Asked { seed: 6, ..ASKED });
    assert_ne!(first, other);
    assert_eq!(matrix(&mut opened(), &ASKED), first);
}

#[test]
fn the_side_after_has_its_own_views() {
    let mut engine = opened();
    let events = answers(
        &mut engine,
        vec![request(2, &Asked { lens: lens(Side::After, Pooling::Cls), ..ASKED })],
    );
    let failed = Event::Failed { revision: Some(2), problem: Problem::NoAdapter };
    assert_eq!(events[0].head, failed);
    let mut mixed = fixture::lora(1);
    let changed = fixture::difference(HIDDEN, HIDDEN, 5);
    mixed.insert("blk.1.attn_output.weight".to_owned(), changed);
    for changes in [fixture::lora(1), mixed] {
        let adapter = fixture::adapter(&changes, 3);
        engine.attach(3, "adapter", &adapter, &mut Events::new());
        assert!(matches!(answers(&mut engine, Vec::new())[0].head, Event::Attached { .. }));
        let lens = lens(Side::After, Pooling::Cls);
        let expected = cosines(&mut engine, lens);
        let found = matrix(&mut engine, &Asked { lens, dropout: 0.0, ..ASKED });
        assert_close(&found, &expected);
        let before = cosines(&mut engine, ASKED.lens);
        // The fixture's first tokens all but coincide on both sides, so the error is the measure.
        assert!(worst(&found, &before) > 5.0 * worst(&found, &expected));
    }
}

#[test]
fn a_newer_question_supersedes_and_a_new_model_begins_anew() {
    let mut engine = opened();
    let events = answers(&mut engine, vec![request(4, &ASKED), request(5, &ASKED)]);
    assert_eq!(events[0].head, Event::Cancelled { revision: 4 });
    assert!(matches!(events[1].head, Event::Views { revision: 5, .. }));
    let mut out = Events::new();
    engine.accept(Message::plain(request(7, &ASKED)), &mut out);
    for _ in 0..3 {
        pollster::block_on(engine.step(&mut out));
    }
    engine.open(8, "other", fixture::gguf(11), None, &mut Events::new());
    let mut events = answers(&mut engine, Vec::new());
    let found = events.pop().expect("an answer").f32().expect("a matrix").to_vec();
    let mut other = Engine::that_trains();
    other.open(1, "other", fixture::gguf(11), None, &mut Events::new());
    assert_eq!(matrix(&mut other, &ASKED), found);
}

#[test]
fn what_cannot_be_drawn_is_refused_by_name() {
    let mut engine = opened();
    let events = answers(&mut engine, vec![request(2, &Asked { dropout: 0.95, ..ASKED })]);
    assert!(matches!(
        &events[0].head,
        Event::Failed { revision: Some(2), problem: Problem::Recipe { field, .. } } if field == "dropout"
    ));
    let lens = lens(Side::Before, Pooling::FirstLast);
    let events = answers(&mut engine, vec![request(3, &Asked { lens, ..ASKED })]);
    assert!(matches!(&events[0].head, Event::Failed { revision: Some(3), .. }));
}

#[test]
fn a_program_without_training_draws_nothing() {
    let mut engine = Engine::new();
    engine.open(1, "tiny", fixture::gguf(3), None, &mut Events::new());
    let events = answers(&mut engine, vec![request(2, &ASKED)]);
    let [only] = &events[..] else { panic!("{events:?}") };
    let refused = Event::Failed {
        revision: Some(2),
        problem: Problem::Internal { detail: "this worker's program cannot train".to_owned() },
    };
    assert_eq!(only.head, refused);
}
