//! Questions about the vectors that a survey left, on the engine.

use simcse_lab::engine::{Engine, Events};
use simcse_lab::geometry::treatment::Transform;
use simcse_lab::projection::mapping::{Mapping, Progress};
use simcse_lab::protocol::event::Event;
use simcse_lab::protocol::lab::{About, Method, Question, Treatment};
use simcse_lab::protocol::message::{Bulk, Message};
use simcse_lab::protocol::problem::Problem;
use simcse_lab::protocol::readout::{Lens, Pooling, Readout, Side};
use simcse_lab::protocol::request::Request;

use crate::fixture::{self, HIDDEN};

const CLS: Lens =
    Lens { side: Side::Before, readout: Readout { pooling: Pooling::Cls, layer: None } };

const COUNT: usize = 40;

fn sentence(place: usize) -> String {
    fixture::sentence(1 + place % 9, place)
}

fn survey(revision: u32, slot: u8, treatment: Treatment) -> Request {
    Request::Survey {
        revision,
        slot,
        sentences: (0..COUNT).map(sentence).collect(),
        lens: CLS,
        treatment,
        positives: Vec::new(),
        scored: Vec::new(),
        keep: true,
    }
}

fn about(revision: u32, survey: u32, question: Question) -> Request {
    Request::About { revision, about: About { survey, question } }
}

/// Everything that is said to a request.
fn said(engine: &mut Engine, request: Request) -> Events {
    let mut out = Events::new();
    engine.accept(Message::plain(request), &mut out);
    while pollster::block_on(engine.step(&mut out)) {}
    out
}

/// The last thing that is said.
fn answer(engine: &mut Engine, request: Request) -> Message<Event> {
    said(engine, request).pop().expect("an answer")
}

fn arrays(message: &Message<Event>) -> Vec<&[f32]> {
    let numbers = message.bulk.iter().filter_map(|bulk| match bulk {
        Bulk::F32(values) => Some(values.as_slice()),
        Bulk::Bytes(_) => None,
    });
    numbers.collect()
}

/// An engine whose slot 8 was surveyed under number 7; and the model's vectors.
fn surveyed(treatment: Treatment) -> (Engine, Vec<f32>) {
    let mut engine = Engine::new();
    engine.open(1, "tiny", fixture::gguf(3), None, &mut Events::new());
    let sentences = (0..COUNT).map(sentence).collect();
    let request = Request::Embed { revision: 2, sentences, lens: CLS };
    let rows = answer(&mut engine, request).f32().expect("rows").to_vec();
    let found = answer(&mut engine, survey(7, 8, treatment));
    assert!(matches!(found.head, Event::Survey { revision: 7, .. }), "{:?}", found.head);
    (engine, rows)
}

fn dot(left: &[f32], right: &[f32]) -> f32 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

#[test]
fn the_vectors_are_those_that_were_surveyed() {
    for treatment in [Treatment::AsTheyAre, Treatment::Whitened { keep: Some(5) }] {
        let (mut engine, rows) = surveyed(treatment);
        let transform = Transform::fit(treatment, &rows, HIDDEN).unwrap();
        let found = answer(&mut engine, about(9, 7, Question::Vectors));
        let width = transform.width() as u32;
        assert_eq!(found.head, Event::Vectors { revision: 9, dimensions: width });
        assert_eq!(found.f32().unwrap(), transform.apply(&rows));
    }
}

#[test]
fn a_map_moves_and_is_what_the_mapping_makes_of_the_vectors() {
    let (mut engine, rows) = surveyed(Treatment::AsTheyAre);
    for method in [
        Method::Pca,
        Method::Tsne { perplexity: 5.0, steps: 60 },
        Method::Umap { neighbours: 6, least_distance: 0.1, epochs: 60 },
    ] {
        let found = answer(&mut engine, about(9, 7, Question::Map { method, seed: 4 }));
        let Event::Mapped { revision: 9, quality } = found.head.clone() else {
            panic!("{:?}", found.head)
        };
        let mut mapping = Mapping::new(rows.clone(), HIDDEN, method, 4, None);
        while let Progress::Working { .. } = mapping.step() {}
        let expected = mapping.finish();
        let [positions, false_shares] = arrays(&found)[..] else { panic!("two arrays") };
        assert_eq!(positions, expected.positions, "{method:?}");
        assert_eq!(false_shares.len(), COUNT);
        assert_eq!(quality.trustworthiness, expected.trustworthiness);
        assert_eq!(quality.explained.is_some(), method == Method::Pca);
    }
}

#[test]
fn neighbours_and_texts_are_compared_as_the_sentences_were_treated() {
    let treatment = Treatment::Centred;
    let (mut engine, rows) = surveyed(treatment);
    let transform = Transform::fit(treatment, &rows, HIDDEN).unwrap();
    let treated = transform.apply(&rows);
    let row = |place: usize| &treated[place * HIDDEN..][..HIDDEN];
    let found = answer(&mut engine, about(9, 7, Question::Near { position: 3, count: 4 }));
    let Event::Near { revision: 9, neighbours } = found.head else { panic!("{:?}", found.head) };
    assert_eq!(neighbours.len(), 4);
    let best = (0..COUNT).filter(|place| *place != 3).map(|place| dot(row(3), row(place)));
    let best = best.fold(f32::MIN, f32::max);
    assert!((neighbours[0].1 - best).abs() < 1e-5 && neighbours.is_sorted_by(|a, b| a.1 >= b.1));
    // A sentence of the corpus, asked for as a text, is nearest to itself.
    let text = sentence(11);
    let found = answer(&mut engine, about(10, 7, Question::Text { text, count: 2 }));
    let Event::Compared { neighbours, .. } = &found.head else { panic!("{:?}", found.head) };
    let cosines = found.f32().unwrap();
    assert_eq!(cosines.len(), COUNT);
    assert!((cosines[11] - 1.0).abs() < 1e-4 && (neighbours[0].1 - cosines[11]).abs() < 1e-6);
    for (place, cosine) in cosines.iter().enumerate() {
        assert!((cosine - dot(row(11), row(place))).abs() < 1e-3, "{place}");
    }
}

#[test]
fn groups_have_a_typical_sentence_each() {
    let (mut engine, _) = surveyed(Treatment::AsTheyAre);
    let found = answer(&mut engine, about(9, 7, Question::Clusters { count: 4, seed: 1 }));
    let Event::Clustered { labels, typical, .. } = found.head else { panic!("{:?}", found.head) };
    assert_eq!((labels.len(), typical.len()), (COUNT, 4));
    for (group, position) in typical.iter().enumerate() {
        assert_eq!(usize::from(labels[*position as usize]), group);
    }
}

#[test]
fn vectors_are_kept_until_the_slot_or_the_weights_have_others() {
    let none = |found: Message<Event>| {
        let problem = Problem::NoSurvey;
        assert_eq!(found.head, Event::Failed { revision: Some(9), problem });
    };
    let (mut engine, _) = surveyed(Treatment::AsTheyAre);
    none(answer(&mut engine, about(9, 6, Question::Vectors)));
    // Another slot leaves them alone, their own does not.
    answer(&mut engine, survey(20, 9, Treatment::Centred));
    let found = answer(&mut engine, about(9, 7, Question::Vectors));
    assert!(matches!(found.head, Event::Vectors { .. }));
    answer(&mut engine, survey(21, 8, Treatment::Centred));
    none(answer(&mut engine, about(9, 7, Question::Vectors)));
    engine.open(22, "other", fixture::gguf(9), None, &mut Events::new());
    none(answer(&mut engine, about(9, 21, Question::Vectors)));
}

#[test]
fn another_treatment_of_the_same_sentences_embeds_nothing() {
    let (mut engine, rows) = surveyed(Treatment::AsTheyAre);
    let whitened = Treatment::Whitened { keep: Some(4) };
    let mut out = Events::new();
    engine.accept(Message::plain(survey(20, 9, whitened)), &mut out);
    // What is embedded could be shared out; here there is nothing to share.
    while pollster::block_on(engine.step(&mut out)) {
        assert_eq!(engine.shareable_tokens(), 0);
    }
    let found = answer(&mut engine, about(9, 20, Question::Vectors));
    let transform = Transform::fit(whitened, &rows, HIDDEN).unwrap();
    assert_eq!(found.f32().unwrap(), transform.apply(&rows));
}

#[test]
fn a_newer_map_takes_an_older_ones_place_and_one_can_be_given_up() {
    let (mut engine, _) = surveyed(Treatment::AsTheyAre);
    let method = Method::Tsne { perplexity: 5.0, steps: 400 };
    let mut out = Events::new();
    for revision in [9, 10] {
        let request = about(revision, 7, Question::Map { method, seed: 1 });
        engine.accept(Message::plain(request), &mut out);
    }
    assert_eq!(out.pop().unwrap().head, Event::Cancelled { revision: 9 });
    pollster::block_on(engine.step(&mut out));
    engine.accept(Message::plain(Request::Cancel { revision: 10 }), &mut out);
    assert_eq!(out.pop().unwrap().head, Event::Cancelled { revision: 10 });
    assert!(!pollster::block_on(engine.step(&mut out)));
    let lost = about(11, 7, Question::Near { position: 400, count: 3 });
    let found = answer(&mut engine, lost);
    assert!(matches!(found.head, Event::Failed { problem: Problem::Internal { .. }, .. }));
}
