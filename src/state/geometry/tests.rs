//! Whole visits to the geometry lab, without a page.

use crate::protocol::event::Event;
use crate::protocol::lab::{Findings, Treatment};
use crate::protocol::message::Message;
use crate::protocol::problem::Problem;
use crate::protocol::readout::{Pooling, Side};
use crate::protocol::request::Request;
use crate::protocol::training::{AdapterSummary, Shape};
use crate::state::action::Action;
use crate::state::app::State;
use crate::state::effect::Effect;
use crate::state::geometry::corpus::Bundled;
use crate::state::geometry::{Failure, GeometryAction, Look, Plot};
use crate::state::saved::Saved;
use crate::state::tests::{event, opened, requests};
use crate::state::update::update;
use crate::text::lists::ListError;

/// Revision, slot, side, and number of sentences of each survey.
fn surveys(effects: &[Effect]) -> Vec<(u32, u8, Side, usize)> {
    let of = |request: &&Request| match request {
        Request::Survey { revision, slot, sentences, lens, .. } => {
            Some((*revision, *slot, lens.side, sentences.len()))
        }
        _ => None,
    };
    requests(effects).iter().filter_map(of).collect()
}

fn act(state: &mut State, action: GeometryAction) -> Vec<Effect> {
    update(state, Action::Geometry(action), 0.0)
}

/// A page with an adapter, at the geometry view; what that asked for.
fn entered() -> (State, Vec<Effect>) {
    let (mut state, _) = opened();
    state.adapters.attached =
        Some(AdapterSummary { sha256: "ad".to_owned(), ..AdapterSummary::default() });
    let fragment = "#/geometry".to_owned();
    let effects = update(&mut state, Action::FragmentChanged { fragment }, 0.0);
    (state, effects)
}

fn answer(state: &mut State, (revision, slot): (u32, u8), sphere: &[f32]) -> Vec<Effect> {
    let shape = Shape { sphere: sphere.to_vec(), ..Shape::default() };
    let findings = Box::new(Findings { shape, alignment: Some(0.25), ..Findings::default() });
    let head = Event::Survey { revision, slot, findings, latency_ms: 7.0 };
    update(state, Action::Worker(Message::with_f32(head, Vec::new())), 0.0)
}

/// The view with both of its figures.
fn measured() -> State {
    let (mut state, effects) = entered();
    for (revision, slot, ..) in surveys(&effects) {
        answer(&mut state, (revision, slot), &[1.0, 0.0, 0.0]);
    }
    state
}

#[test]
fn both_are_asked_for_once() {
    let (mut state, effects) = entered();
    let asked = surveys(&effects);
    let count = state.geometry.corpus.sentences.len();
    let sides: Vec<_> = asked.iter().map(|(_, slot, side, n)| (*slot, *side, *n)).collect();
    assert_eq!(sides, [(8, Side::Before, count), (9, Side::After, count)]);
    for (revision, slot, ..) in asked {
        assert_eq!(surveys(&answer(&mut state, (revision, slot), &[])), []);
    }
    let fragment = "#/compare".to_owned();
    update(&mut state, Action::FragmentChanged { fragment }, 0.0);
    let fragment = "#/geometry".to_owned();
    let effects = update(&mut state, Action::FragmentChanged { fragment }, 0.0);
    assert_eq!(surveys(&effects), [], "everything is known");
    assert_eq!(
        state.geometry.figure(Plot::B).measured.as_ref().unwrap().findings.alignment,
        Some(0.25)
    );
}

#[test]
fn nothing_is_asked_before_the_view_is_open_nor_without_an_adapter_for_after() {
    let (mut state, _) = opened();
    assert_eq!(surveys(&act(&mut state, GeometryAction::BundledChosen(Bundled::Everyday))), []);
    let fragment = "#/geometry".to_owned();
    let effects = update(&mut state, Action::FragmentChanged { fragment }, 0.0);
    assert_eq!(surveys(&effects).len(), 1, "only before is there");
}

#[test]
fn another_look_asks_for_that_one_alone() {
    let mut state = measured();
    let look = Look { pooling: Pooling::Mean, ..state.geometry.look(Plot::A) };
    let effects = act(&mut state, GeometryAction::LookChosen(Plot::A, look));
    let [(revision, 8, Side::Before, _)] = surveys(&effects)[..] else { panic!("{effects:?}") };
    // Back before the answer is there: nobody waits for it.
    let look = Look { pooling: Pooling::Cls, ..look };
    let effects = act(&mut state, GeometryAction::LookChosen(Plot::A, look));
    assert!(requests(&effects).contains(&&Request::Cancel { revision }), "{effects:?}");
    answer(&mut state, (revision, 8), &[0.0, 1.0, 0.0]);
    let shape = &state.geometry.figure(Plot::A).measured.as_ref().unwrap().findings.shape;
    assert_eq!(shape.sphere, [1.0, 0.0, 0.0], "a late answer changes nothing");
}

#[test]
fn typing_settles_and_can_be_undone_where_it_was_replaced() {
    let mut state = measured();
    let first = act(&mut state, GeometryAction::Typed("one".to_owned()));
    act(&mut state, GeometryAction::Typed("one\ntwo".to_owned()));
    let due = first.iter().find_map(|effect| match effect {
        Effect::After { action: action @ Action::Geometry(_), .. } => Some(action.clone()),
        _ => None,
    });
    assert_eq!(surveys(&update(&mut state, due.expect("a pause"), 0.0)), [], "typing went on");
    let count = state.geometry.typed_count;
    let asked = surveys(&act(&mut state, GeometryAction::Settled(count)));
    assert_eq!(asked.iter().map(|asked| asked.3).collect::<Vec<_>>(), [2, 2]);
    act(&mut state, GeometryAction::BundledChosen(Bundled::Everyday));
    assert_eq!(state.geometry.bundled(), Some(Bundled::Everyday));
    act(&mut state, GeometryAction::TextUndone);
    assert_eq!(state.geometry.source.text, "one\ntwo");
    assert_eq!(state.geometry.corpus.sentences, ["one", "two"]);
}

#[test]
fn a_file_that_cannot_be_read_leaves_everything() {
    let mut state = measured();
    let before = state.geometry.source.clone();
    let text = Err(ListError::Binary { position: 0 });
    let name = "a.bin".to_owned();
    let effects = act(&mut state, GeometryAction::FileRead { name, text });
    assert_eq!(surveys(&effects), []);
    assert_eq!(state.geometry.source, before);
    assert!(state.geometry.trouble.is_some());
    let text = Ok("a\tb\nc\td\n".to_owned());
    act(&mut state, GeometryAction::FileRead { name: "a.tsv".to_owned(), text });
    assert_eq!(state.geometry.corpus.positives, [(0, 1), (2, 3)]);
    assert_eq!(state.geometry.trouble, None);
}

#[test]
fn what_is_stopped_waits_for_the_visitor() {
    let (mut state, effects) = entered();
    let revision = surveys(&effects)[1].0;
    let effects = act(&mut state, GeometryAction::Stopped(Plot::B));
    assert!(requests(&effects).contains(&&Request::Cancel { revision }));
    update(&mut state, event(Event::Cancelled { revision }), 0.0);
    assert_eq!(state.geometry.figure(Plot::B).failure(), Some(&Failure::Stopped));
    let effects = act(&mut state, GeometryAction::Resumed(Plot::B));
    assert_eq!(surveys(&effects).len(), 1);
}

#[test]
fn a_failure_is_shown_and_not_asked_again() {
    let (mut state, effects) = entered();
    let revision = surveys(&effects)[0].0;
    let problem = Problem::TooFewExamples { found: 2, needed: 3 };
    let failed = Event::Failed { revision: Some(revision), problem: problem.clone() };
    let effects = update(&mut state, event(failed), 0.0);
    assert_eq!(surveys(&effects), []);
    let failure = state.geometry.figure(Plot::A).failure();
    assert_eq!(failure, Some(&Failure::Problem(problem)));
}

#[test]
fn progress_is_of_the_job_that_was_asked() {
    let (mut state, effects) = entered();
    let revision = surveys(&effects)[0].0;
    let progress = Event::Progress { revision, done: 40, total: 144, elapsed_ms: 9.0 };
    update(&mut state, event(progress), 0.0);
    let job = state.geometry.figure(Plot::A).job.as_ref().unwrap();
    assert_eq!((job.done, job.total), (40, 144));
}

#[test]
fn sentences_of_b_lie_near_their_places_in_a() {
    let (mut state, effects) = entered();
    let asked: Vec<_> = surveys(&effects).iter().map(|asked| (asked.0, asked.1)).collect();
    let axes = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    let turned = [0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0];
    answer(&mut state, asked[1], &turned);
    answer(&mut state, asked[0], &axes);
    let sphere = |state: &State, plot| {
        state.geometry.figure(plot).measured.as_ref().unwrap().findings.shape.sphere.clone()
    };
    let near = |found: &[f32], wanted: &[f32]| {
        found.iter().zip(wanted).all(|(found, wanted)| (found - wanted).abs() < 1e-5)
    };
    assert!(near(&sphere(&state, Plot::B), &axes), "{:?}", sphere(&state, Plot::B));
    act(&mut state, GeometryAction::Swapped);
    assert_eq!(sphere(&state, Plot::A), turned);
    assert!(near(&sphere(&state, Plot::B), &turned));
    assert_eq!(state.geometry.look(Plot::A).side, Side::After);
}

#[test]
fn looks_and_text_survive_a_reload() {
    let mut state = measured();
    let look = Look {
        treatment: Treatment::Whitened { keep: None },
        layer: Some(3),
        ..state.geometry.look(Plot::B)
    };
    act(&mut state, GeometryAction::LookChosen(Plot::B, look));
    let text = Ok("first,second\nyes,no\n".to_owned());
    act(&mut state, GeometryAction::FileRead { name: "words.csv".to_owned(), text });
    let mut again = State::default();
    let saved = Some(Saved::of(&state).to_json());
    let fragment = String::new();
    update(&mut again, Action::Started { fragment, saved, languages: Vec::new() }, 0.0);
    assert_eq!(again.geometry.look(Plot::B), look);
    assert_eq!(again.geometry.source, state.geometry.source);
    assert_eq!(again.geometry.corpus, state.geometry.corpus);
}
