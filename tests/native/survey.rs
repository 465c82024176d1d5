//! Surveys of sentences' vectors, on the engine.

use simcse_lab::engine::{Engine, Events};
use simcse_lab::geometry::alignment::alignment;
use simcse_lab::geometry::bands::bands;
use simcse_lab::geometry::shape::shape;
use simcse_lab::geometry::treatment::Transform;
use simcse_lab::math::ranks::spearman;
use simcse_lab::math::rows::dot;
use simcse_lab::protocol::event::Event;
use simcse_lab::protocol::lab::{Findings, Scored, Treatment};
use simcse_lab::protocol::message::Message;
use simcse_lab::protocol::problem::Problem;
use simcse_lab::protocol::readout::{Lens, Pooling, Readout, Side};
use simcse_lab::protocol::request::Request;
use simcse_lab::protocol::training::Shape;

use crate::fixture::{self, HIDDEN};

const CLS: Lens =
    Lens { side: Side::Before, readout: Readout { pooling: Pooling::Cls, layer: None } };

fn opened() -> Engine {
    let mut engine = Engine::new();
    engine.open(1, "tiny", fixture::gguf(3), None, &mut Events::new());
    engine
}

fn survey(revision: u32, slot: u8, count: usize, whitened: bool) -> Message<Request> {
    let sentences = (0..count).map(|i| fixture::sentence(1 + i % 9, i)).collect();
    let treatment =
        if whitened { Treatment::Whitened { keep: None } } else { Treatment::AsTheyAre };
    let (lens, positives, scored, keep) = (CLS, Vec::new(), Vec::new(), false);
    Message::plain(Request::Survey {
        revision,
        slot,
        sentences,
        lens,
        treatment,
        positives,
        scored,
        keep,
    })
}

/// All events of a request, without progress, whose number depends on the clock.
fn answers(engine: &mut Engine, requests: Vec<Message<Request>>) -> Vec<Event> {
    let mut out = Events::new();
    for request in requests {
        engine.accept(request, &mut out);
    }
    while pollster::block_on(engine.step(&mut out)) {}
    let heads = out.into_iter().map(|message| message.head);
    heads.filter(|event| !matches!(event, Event::Progress { .. })).collect()
}

fn rows(engine: &mut Engine, count: usize) -> Vec<f32> {
    let sentences = (0..count).map(|i| fixture::sentence(1 + i % 9, i)).collect();
    let mut out = Events::new();
    let request = Request::Embed { revision: 900, sentences, lens: CLS };
    engine.accept(Message::plain(request), &mut out);
    while pollster::block_on(engine.step(&mut out)) {}
    out.iter().find_map(|message| message.f32()).expect("rows").to_vec()
}

fn whitened_shape(rows: &[f32]) -> Shape {
    let white = Transform::fit(Treatment::Whitened { keep: None }, rows, HIDDEN).unwrap();
    shape(&white.apply(rows), white.width())
}

fn the_shape(events: &[Event]) -> &Shape {
    match events {
        [Event::Survey { revision: 7, slot: 2, findings, .. }] => &findings.shape,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_survey_is_the_shape_of_the_sentences_rows() {
    let mut engine = opened();
    let expected = shape(&rows(&mut engine, 60), HIDDEN);
    let events = answers(&mut engine, vec![survey(7, 2, 60, false)]);
    assert_eq!(the_shape(&events), &expected);
    assert_eq!((expected.sentences, expected.sphere.len()), (60, 180));
}

#[test]
fn a_survey_tells_how_near_each_sentence_is_to_the_last() {
    let mut engine = opened();
    let rows = rows(&mut engine, 12);
    let mut out = Events::new();
    engine.accept(survey(7, 2, 12, false), &mut out);
    while pollster::block_on(engine.step(&mut out)) {}
    let cosines = out.iter().find_map(|message| message.f32()).unwrap();
    let last = &rows[11 * HIDDEN..];
    for (row, cosine) in rows.chunks_exact(HIDDEN).zip(cosines) {
        let dot: f32 = row.iter().zip(last).map(|(a, b)| a * b).sum();
        assert!((dot - cosine).abs() < 1e-5);
    }
    assert_eq!(cosines.len(), 12);
}

#[test]
fn a_whitened_survey_is_the_shape_of_the_whitened_rows() {
    let mut engine = opened();
    let expected = whitened_shape(&rows(&mut engine, 60));
    let events = answers(&mut engine, vec![survey(7, 2, 60, true)]);
    assert_eq!(the_shape(&events), &expected);
    assert_eq!(expected.dimensions, 15);
}

#[test]
fn too_few_to_whiten_are_named() {
    let events = answers(&mut opened(), vec![survey(7, 2, 5, true)]);
    let problem = Problem::TooFewExamples { found: 5, needed: 8 };
    assert_eq!(events, [Event::Failed { revision: Some(7), problem }]);
}

#[test]
fn a_survey_supersedes_only_those_of_its_slot() {
    let requests = vec![survey(4, 0, 9, false), survey(5, 1, 9, false), survey(6, 0, 12, false)];
    let events = answers(&mut opened(), requests);
    assert_eq!(events[0], Event::Cancelled { revision: 4 });
    let done: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Survey { revision, slot, findings, .. } => {
                Some((*revision, *slot, findings.shape.sentences))
            }
            _ => None,
        })
        .collect();
    assert_eq!(done, [(5, 1, 9), (6, 0, 12)]);
}

#[test]
fn a_new_model_begins_a_survey_anew_and_one_can_be_given_up() {
    let mut engine = opened();
    let mut out = Events::new();
    engine.accept(survey(7, 2, 60, true), &mut out);
    for _ in 0..6 {
        pollster::block_on(engine.step(&mut out));
    }
    engine.open(8, "other", fixture::gguf(9), None, &mut Events::new());
    let events = answers(&mut engine, Vec::new());
    assert_eq!(the_shape(&events), &whitened_shape(&rows(&mut engine, 60)));
    engine.accept(survey(9, 2, 60, true), &mut out);
    let given_up = Message::plain(Request::Cancel { revision: 9 });
    assert_eq!(answers(&mut engine, vec![given_up]), [Event::Cancelled { revision: 9 }]);
}

#[test]
fn pairs_that_mean_the_same_have_an_alignment() {
    let mut engine = opened();
    let rows = rows(&mut engine, 12);
    let row = |place: usize| &rows[place * HIDDEN..(place + 1) * HIDDEN];
    let positives = vec![(0, 3), (11, 4)];
    let pairs = positives.iter().map(|(a, b)| (row(*a as usize), row(*b as usize)));
    let expected = alignment(pairs);
    assert!(expected.is_some_and(|value| value > 0.0), "{expected:?}");
    let asked = |pairs: Vec<(u32, u32)>| {
        let mut message = survey(7, 2, 12, false);
        if let Request::Survey { positives, .. } = &mut message.head {
            *positives = pairs;
        }
        message
    };
    let events = answers(&mut engine, vec![asked(positives)]);
    assert!(
        matches!(&events[..], [Event::Survey { findings, .. }] if findings.alignment == expected),
        "{events:?}"
    );
    let events = answers(&mut engine, vec![asked(vec![(0, 12)])]);
    let [Event::Failed { problem: Problem::Internal { detail }, .. }] = &events[..] else {
        panic!("{events:?}")
    };
    assert!(detail.contains("sentence 12 of 12"), "{detail}");
}

/// The survey of 60 sentences with some scored pairs, treated.
fn findings(engine: &mut Engine, treat: Treatment) -> Findings {
    let mut message = survey(7, 2, 60, false);
    if let Request::Survey { treatment, scored, .. } = &mut message.head {
        let pair = |i: u32| Scored { first: i, second: i + 31, gold: (i * i % 6) as f32 };
        (*treatment, *scored) = (treat, (0..29).map(pair).collect());
    }
    let events = answers(engine, vec![message]);
    let [Event::Survey { findings, .. }] = &events[..] else { panic!("{events:?}") };
    (**findings).clone()
}

#[test]
fn every_treatment_is_what_it_is_called() {
    let mut engine = opened();
    let rows = rows(&mut engine, 60);
    let treatments = [
        Treatment::AsTheyAre,
        Treatment::Centred,
        Treatment::AllButTheTop { directions: 2 },
        Treatment::Whitened { keep: None },
        Treatment::Whitened { keep: Some(5) },
    ];
    let mut seen = Vec::new();
    for treatment in treatments {
        let transform = Transform::fit(treatment, &rows, HIDDEN).unwrap();
        let (treated, width) = (transform.apply(&rows), transform.width());
        let found = findings(&mut engine, treatment);
        assert_eq!(found.shape, shape(&treated, width), "{treatment:?}");
        let row = |place: usize| &treated[place * width..(place + 1) * width];
        let cosines: Vec<f32> = (0..29).map(|i| dot(row(i), row(i + 31))).collect();
        let gold: Vec<f32> = (0..29).map(|i| (i * i % 6) as f32).collect();
        assert_eq!(found.spearman, spearman(&cosines, &gold));
        assert_eq!(found.bands, bands(&cosines, &gold));
        seen.push(found.shape.uniformity);
    }
    seen.sort_by(f64::total_cmp);
    seen.dedup();
    assert_eq!(seen.len(), treatments.len());
}

#[test]
fn a_survey_says_what_it_is_sure_of() {
    let found = findings(&mut opened(), Treatment::AsTheyAre);
    assert_eq!((found.pairs, found.uniformity_error), (60 * 59 / 2, None));
    assert!(found.mean_cosine_error.is_some_and(|error| error > 0.0 && error < 1.0));
    assert!(found.iso_score.is_some_and(|score| score > 0.0 && score < 1.0));
    assert!(found.top_share > 0.0 && found.top_share < 1.0);
    let hubness = found.hubness.unwrap();
    assert_eq!((hubness.neighbours, hubness.asked), (10, 60));
    assert!(hubness.named > 10 && hubness.hub < 60);
    let whitened = findings(&mut opened(), Treatment::Whitened { keep: Some(30) });
    assert!(whitened.iso_score > found.iso_score && whitened.top_share < found.top_share);
}

#[test]
fn more_than_a_thousand_sentences_are_all_looked_at() {
    let events = answers(&mut opened(), vec![survey(7, 2, 1_203, false)]);
    let [Event::Survey { findings, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!((findings.shape.sentences, findings.pairs), (1_203, 1_203 * 1_202 / 2));
    assert_eq!(findings.shape.sphere.len(), 3 * 1_203);
}

#[test]
fn a_score_that_is_no_number_is_refused() {
    let mut message = survey(7, 2, 12, false);
    if let Request::Survey { scored, .. } = &mut message.head {
        scored.push(Scored { first: 0, second: 1, gold: f32::NAN });
    }
    let events = answers(&mut opened(), vec![message]);
    let [Event::Failed { problem: Problem::Internal { detail }, .. }] = &events[..] else {
        panic!("{events:?}")
    };
    assert!(detail.contains("not a finite number"), "{detail}");
}
