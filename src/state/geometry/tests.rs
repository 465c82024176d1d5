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
use crate::state::geometry::failure::Failure;
use crate::state::geometry::{Arrival, Elsewhere, GeometryAction, Look, Plot};
use crate::state::saved::Saved;
use crate::state::tests::{event, opened, requests};
use crate::state::update::update;
use crate::text::columns::Roles;
use crate::text::lists::ListError;

/// Revision, slot, side, and number of sentences of each survey.
pub(in crate::state::geometry) fn surveys(effects: &[Effect]) -> Vec<(u32, u8, Side, usize)> {
    let of = |request: &&Request| match request {
        Request::Survey { revision, slot, sentences, lens, .. } => {
            Some((*revision, *slot, lens.side, sentences.len()))
        }
        _ => None,
    };
    requests(effects).iter().filter_map(of).collect()
}

pub(in crate::state::geometry) fn act(state: &mut State, action: GeometryAction) -> Vec<Effect> {
    update(state, Action::Geometry(action), 0.0)
}

/// A page with an adapter, at the geometry view; what that asked for.
pub(in crate::state::geometry) fn entered() -> (State, Vec<Effect>) {
    let (mut state, _) = opened();
    state.adapters.attached =
        Some(AdapterSummary { sha256: "ad".to_owned(), ..AdapterSummary::default() });
    let fragment = "#/geometry".to_owned();
    let effects = update(&mut state, Action::FragmentChanged { fragment }, 0.0);
    (state, effects)
}

pub(in crate::state::geometry) fn answer(
    state: &mut State,
    (revision, slot): (u32, u8),
    sphere: &[f32],
) -> Vec<Effect> {
    let shape = Shape { sphere: sphere.to_vec(), ..Shape::default() };
    let findings = Box::new(Findings { shape, alignment: Some(0.25), ..Findings::default() });
    let head = Event::Survey { revision, slot, findings, latency_ms: 7.0 };
    update(state, Action::Worker(Message::with_f32(head, Vec::new())), 0.0)
}

/// The view with both of its figures.
pub(in crate::state::geometry) fn measured() -> State {
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
    assert_eq!(state.geometry.source.bundled, Some(Bundled::Everyday));
    act(&mut state, GeometryAction::TextUndone);
    assert_eq!(&*state.geometry.source.text, "one\ntwo");
    assert_eq!(*state.geometry.corpus.sentences, ["one", "two"]);
}

/// Types a text and waits.
pub(in crate::state::geometry) fn type_in(state: &mut State, text: &str) -> Vec<Effect> {
    act(state, GeometryAction::Typed(text.to_owned()));
    let count = state.geometry.typed_count;
    act(state, GeometryAction::Settled(count))
}

/// The corpora that lie beside the page, asked for: address and number.
fn fetched(effects: &[Effect]) -> Vec<(String, u32)> {
    let of = |effect: &Effect| match effect {
        Effect::FetchCorpus { url, number } => Some((url.clone(), *number)),
        _ => None,
    };
    effects.iter().filter_map(of).collect()
}

#[test]
fn a_corpus_beside_the_page_is_fetched_and_what_was_there_stays_until_it_is_here() {
    let mut state = measured();
    let before = state.geometry.source.clone();
    let effects = act(&mut state, GeometryAction::BundledChosen(Bundled::Senses));
    let [(url, lost)] = &fetched(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(url, "corpora/senses.tsv");
    let text = Err("HTTP 404".to_owned());
    act(&mut state, GeometryAction::BundledArrived { number: *lost, text });
    let failed = Arrival::Failed { bundled: Bundled::Senses, detail: "HTTP 404".to_owned() };
    assert_eq!((&state.geometry.arrival, &state.geometry.source), (&Some(failed), &before));

    let again = act(&mut state, GeometryAction::BundledChosen(Bundled::Senses));
    let (_, number) = fetched(&again)[0];
    let text = || Ok("sentence\ttopic\nOne bat flew.\tbat\nTwo seals.\tseal\n".to_owned());
    act(&mut state, GeometryAction::BundledArrived { number: *lost, text: text() });
    assert_eq!(state.geometry.source, before, "the one before is not waited for");
    let effects = act(&mut state, GeometryAction::BundledArrived { number, text: text() });
    assert_eq!(surveys(&effects).len(), 2);
    assert_eq!(state.geometry.corpus.topics.names, ["bat", "seal"]);
    assert_eq!(state.geometry.source.bundled, Some(Bundled::Senses));
    act(&mut state, GeometryAction::TextUndone);
    assert_eq!(state.geometry.source, before);
}

#[test]
fn what_is_typed_meanwhile_is_not_replaced_by_what_comes() {
    let mut state = measured();
    let effects = act(&mut state, GeometryAction::BundledChosen(Bundled::Stories));
    let (_, number) = fetched(&effects)[0];
    act(&mut state, GeometryAction::Typed("my own\nwords".to_owned()));
    let text = Ok("a\nb".to_owned());
    act(&mut state, GeometryAction::BundledArrived { number, text });
    assert_eq!(&*state.geometry.source.text, "my own\nwords");
}

#[test]
fn other_views_lend_their_sentences_if_they_have_any() {
    let mut state = measured();
    assert!(!state.has_sentences(Elsewhere::Compare));
    let before = state.geometry.source.clone();
    act(&mut state, GeometryAction::TakenFrom(Elsewhere::Compare));
    assert_eq!(state.geometry.source, before);
    update(&mut state, Action::ListTyped("left\tright\nup\tdown".to_owned()), 0.0);
    act(&mut state, GeometryAction::TakenFrom(Elsewhere::Compare));
    assert_eq!(*state.geometry.corpus.sentences, ["left", "right", "up", "down"]);
    act(&mut state, GeometryAction::TakenFrom(Elsewhere::FineTune));
    assert!(state.geometry.corpus.sentences.len() > 300);
    act(&mut state, GeometryAction::TextUndone);
    act(&mut state, GeometryAction::TextUndone);
    assert_eq!(state.geometry.source, before);
}

#[test]
fn columns_are_the_visitors_to_say_until_there_are_others() {
    let mut state = measured();
    type_in(&mut state, "kind\tred\nsize\tbig");
    assert_eq!(state.geometry.corpus.positives.len(), 2);
    let roles = Some(Roles { sentence: 1, topic: Some(0), ..Roles::default() });
    act(&mut state, GeometryAction::RolesChosen(roles));
    type_in(&mut state, "kind\tred\nsize\tsmall");
    assert_eq!(*state.geometry.corpus.sentences, ["red", "small"]);
    type_in(&mut state, "one\tfirst one\ntwo\tsecond one");
    assert_eq!(state.geometry.corpus.positives.len(), 2);
}

#[test]
fn gold_scores_are_sent_with_the_survey() {
    let (state, effects) = entered();
    let sent = requests(&effects);
    let Some(Request::Survey { scored, positives, .. }) = sent.first() else { panic!("{sent:?}") };
    assert_eq!(
        (scored, positives),
        (&state.geometry.corpus.scored, &state.geometry.corpus.positives)
    );
    assert!(scored.len() > positives.len());
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
    assert_eq!(*again.geometry.corpus, *state.geometry.corpus);
}

#[test]
fn what_is_held_stays_when_another_model_comes_and_goes_with_its_corpus() {
    let mut state = measured();
    act(&mut state, GeometryAction::Held(Plot::A, true));
    assert!(state.geometry.figure(Plot::A).held.is_some());
    let held = state.geometry.figure(Plot::A).measured.clone();
    let model = state.model.as_mut().expect("a model");
    model.sha256 = "another".to_owned();
    let effects = act(&mut state, GeometryAction::Resumed(Plot::B));
    assert_eq!(surveys(&effects).iter().map(|asked| asked.1).collect::<Vec<_>>(), [9]);
    assert_eq!(state.geometry.figure(Plot::A).measured, held);
    // Another look, or another corpus, and it follows the model again.
    let effects = act(&mut state, GeometryAction::BundledChosen(Bundled::Everyday));
    assert!(surveys(&effects).iter().any(|asked| asked.1 == 8), "{effects:?}");
    assert_eq!(state.geometry.figure(Plot::A).held, None);
}

#[test]
fn what_is_typed_over_comes_back_and_what_was_typed_is_not_lost() {
    let mut state = measured();
    let first = state.geometry.source.clone();
    assert!(first.bundled.is_some());
    act(&mut state, GeometryAction::Typed("one".to_owned()));
    act(&mut state, GeometryAction::Typed("one\ntwo".to_owned()));
    act(&mut state, GeometryAction::TextUndone);
    assert_eq!(state.geometry.source, first);
    act(&mut state, GeometryAction::TextUndone);
    assert_eq!(&*state.geometry.source.text, "one\ntwo");
    assert_eq!(state.geometry.corpus.sentences.len(), 2);
}
