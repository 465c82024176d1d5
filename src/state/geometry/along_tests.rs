//! Whole visits that take work along: files of vectors, sessions, links; without a page.

use std::sync::Arc;

use crate::files::{Format, Table};
use crate::protocol::event::{Event, StoreOutcome};
use crate::protocol::lab::{About, Question, Treatment};
use crate::protocol::message::{Bulk, Message};
use crate::protocol::problem::Problem;
use crate::protocol::request::{AdapterSource, Request};
use crate::protocol::training::AdapterSummary;
use crate::state::action::Action;
use crate::state::adapters::Choice;
use crate::state::app::State;
use crate::state::effect::Effect;
use crate::state::geometry::corpus::Bundled;
use crate::state::geometry::failure::Failure;
use crate::state::geometry::map::MapAction;
use crate::state::geometry::map::settings::Colouring;
use crate::state::geometry::tests::{act, answer, entered, measured, surveys, type_in};
use crate::state::geometry::{GeometryAction, Look, Plot, SessionTrouble, Standing};
use crate::state::models::hosted;
use crate::state::tests::{event, opened, requests};
use crate::state::update::update;
use crate::text::lists::ListError;

/// Revision of the question for vectors, and the survey that it is about.
fn asked_vectors(effects: &[Effect]) -> Option<(u32, u32)> {
    requests(effects).into_iter().find_map(|request| match request {
        Request::About { revision, about: About { survey, question: Question::Vectors } } => {
            Some((*revision, *survey))
        }
        _ => None,
    })
}

fn vectors(state: &mut State, revision: u32, values: Vec<f32>) -> Vec<Effect> {
    let head = Event::Vectors { revision, dimensions: 2 };
    update(state, Action::Worker(Message::with_f32(head, values)), 0.0)
}

fn written(effects: &[Effect]) -> Option<(u32, String, Format, Arc<Table>)> {
    effects.iter().find_map(|effect| match effect {
        Effect::SaveTable { number, name, format, table } => {
            Some((*number, name.clone(), *format, Arc::clone(table)))
        }
        _ => None,
    })
}

fn shown(effects: &[Effect]) -> Option<String> {
    effects.iter().find_map(|effect| match effect {
        Effect::ShowFragment(fragment) => Some(fragment.clone()),
        _ => None,
    })
}

/// Two sentences with topics, measured.
fn small() -> State {
    let mut state = measured();
    let effects = type_in(&mut state, "text\ttopic\nOne bat flew.\tbat\nTwo seals.\t");
    for (revision, slot, ..) in surveys(&effects) {
        answer(&mut state, (revision, slot), &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    }
    state
}

#[test]
fn vectors_are_asked_of_the_survey_on_show_and_written_with_their_sentences() {
    let mut state = small();
    act(&mut state, GeometryAction::ExportPlotChosen(Plot::B));
    act(&mut state, GeometryAction::ExportFormatChosen(Format::Parquet));
    let effects = act(&mut state, GeometryAction::ExportAsked);
    let (revision, survey) = asked_vectors(&effects).expect("a question");
    assert_eq!(survey, state.geometry.figure(Plot::B).measured.as_ref().unwrap().revision);
    // What is chosen meanwhile is for the next file.
    act(&mut state, GeometryAction::ExportFormatChosen(Format::Csv));
    assert_eq!(written(&vectors(&mut state, revision + 1, vec![])), None, "another answer");
    let effects = vectors(&mut state, revision, vec![0.0, 1.0, 1.0, 0.0]);
    let (number, name, format, table) = written(&effects).expect("a file");
    assert_eq!((name.as_str(), format), ("simcse-after-cls-last.parquet", Format::Parquet));
    assert_eq!(*table.sentences, ["One bat flew.", "Two seals."]);
    assert_eq!((table.topics.join("|").as_str(), table.dimensions), ("bat|", 2));
    assert_eq!(table.vectors, [0.0, 1.0, 1.0, 0.0]);
    assert!(asked_vectors(&act(&mut state, GeometryAction::ExportAsked)).is_none(), "busy");
    act(&mut state, GeometryAction::ExportAdvanced { number, done: 1 });
    assert!(matches!(state.geometry.export.standing, Standing::Writing { done: 1, .. }));
    act(&mut state, GeometryAction::ExportEnded { number });
    assert_eq!(state.geometry.export.standing, Standing::Nothing);
}

#[test]
fn sentences_alone_need_no_vectors() {
    let mut state = small();
    act(&mut state, GeometryAction::ExportFormatChosen(Format::ProjectorMetadata));
    let effects = act(&mut state, GeometryAction::ExportAsked);
    let (_, name, _, table) = written(&effects).expect("a file");
    assert_eq!((name.as_str(), table.topics.len()), ("simcse-metadata.tsv", 2));
    assert_eq!(asked_vectors(&effects), None);
}

#[test]
fn a_file_waits_for_its_survey() {
    let (mut state, effects) = entered();
    let (revision, slot, ..) = surveys(&effects)[0];
    let effects = act(&mut state, GeometryAction::ExportAsked);
    assert_eq!(asked_vectors(&effects), None);
    assert_eq!(state.geometry.export.standing, Standing::Measuring);
    let effects = answer(&mut state, (revision, slot), &[1.0, 0.0, 0.0]);
    assert_eq!(asked_vectors(&effects).map(|asked| asked.1), Some(revision));
}

#[test]
fn a_survey_that_fails_fails_its_file() {
    let (mut state, _) = entered();
    act(&mut state, GeometryAction::ExportAsked);
    act(&mut state, GeometryAction::Stopped(Plot::A));
    assert_eq!(state.geometry.export.standing, Standing::Failed(Failure::Stopped));
}

#[test]
fn a_file_of_sentences_that_are_not_there_any_more_is_given_up() {
    let (mut state, _) = entered();
    act(&mut state, GeometryAction::ExportAsked);
    type_in(&mut state, "alone");
    assert_eq!(state.geometry.export.standing, Standing::Failed(Failure::Stopped));
}

#[test]
fn vectors_that_are_gone_are_measured_again_but_once() {
    let mut state = small();
    let effects = act(&mut state, GeometryAction::ExportAsked);
    let (revision, _) = asked_vectors(&effects).unwrap();
    let gone =
        |revision| event(Event::Failed { revision: Some(revision), problem: Problem::NoSurvey });
    let effects = update(&mut state, gone(revision), 0.0);
    let [(survey, slot, ..)] = surveys(&effects)[..] else { panic!("{effects:?}") };
    let effects = answer(&mut state, (survey, slot), &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    let (revision, of) = asked_vectors(&effects).expect("asked again");
    assert_eq!(of, survey);
    let effects = update(&mut state, gone(revision), 0.0);
    assert_eq!(surveys(&effects), []);
    let failed = Standing::Failed(Failure::Problem(Problem::NoSurvey));
    assert_eq!(state.geometry.export.standing, failed);
}

#[test]
fn a_worker_that_dies_stops_the_file() {
    let mut state = small();
    act(&mut state, GeometryAction::ExportAsked);
    update(&mut state, Action::WorkerDied { message: "gone".to_owned() }, 0.0);
    assert_eq!(state.geometry.export.standing, Standing::Failed(Failure::Stopped));
}

#[test]
fn the_address_says_what_is_set_from_the_first_change_on() {
    let (mut state, effects) = entered();
    assert_eq!(shown(&effects), None, "a first visit's address is plain");
    let look = Look { layer: Some(4), ..state.geometry.look(Plot::B) };
    let effects = act(&mut state, GeometryAction::LookChosen(Plot::B, look));
    let wanted = "#/geometry?a=before.cls.last&b=after.cls.4&corpus=pairs";
    assert_eq!(shown(&effects).as_deref(), Some(wanted));
    let effects = type_in(&mut state, "my own\nsentences");
    assert_eq!(shown(&effects), None, "nothing of them is in the address");
    update(&mut state, Action::FragmentChanged { fragment: "#/models".to_owned() }, 0.0);
    let fragment = "#/geometry".to_owned();
    let effects = update(&mut state, Action::FragmentChanged { fragment }, 0.0);
    let wanted = "#/geometry?a=before.cls.last&b=after.cls.4";
    assert_eq!(shown(&effects).as_deref(), Some(wanted));
    let effects = act(&mut state, GeometryAction::LinkCopied);
    assert!(matches!(&effects[0], Effect::Copy { text, is_fragment: true, .. } if text == wanted));
}

#[test]
fn a_link_sets_what_it_says_and_the_text_before_can_be_brought_back() {
    let mut state = small();
    let before = state.geometry.source.clone();
    let fragment = "#/geometry?b=before.mean.2.centred&corpus=everyday".to_owned();
    let effects = update(&mut state, Action::FragmentChanged { fragment }, 0.0);
    assert_eq!(surveys(&effects).len(), 2);
    assert_eq!(state.geometry.look(Plot::B).treatment, Treatment::Centred);
    assert_eq!(state.geometry.source.bundled, Some(Bundled::Everyday));
    act(&mut state, GeometryAction::TextUndone);
    assert_eq!(state.geometry.source, before);
    let fragment = "#/geometry?corpus=senses".to_owned();
    let effects = update(&mut state, Action::FragmentChanged { fragment }, 0.0);
    assert!(effects.iter().any(|it| matches!(it, Effect::FetchCorpus { .. })), "{effects:?}");
}

/// The site's own adapter is there, and on the model.
fn with_the_sites_adapter(state: &mut State) -> String {
    state.hosted = hosted();
    let sha256 = state.hosted[0].adapter.as_ref().expect("an adapter").sha256.clone();
    let attached = AdapterSummary { sha256: sha256.clone(), ..AdapterSummary::default() };
    state.adapters.attached = Some(attached);
    sha256
}

fn downloaded(effects: &[Effect]) -> Option<String> {
    effects.iter().find_map(|effect| match effect {
        Effect::Download { name, text, .. } if name == "simcse-lab.simcse.json" => {
            Some(text.clone())
        }
        _ => None,
    })
}

/// A session with an adapter of the visitor's own, saved.
fn saved() -> (State, String) {
    let mut state = small();
    let look =
        Look { treatment: Treatment::Whitened { keep: Some(8) }, ..state.geometry.look(Plot::A) };
    act(&mut state, GeometryAction::LookChosen(Plot::A, look));
    for action in [
        MapAction::Slid(0.25),
        MapAction::Selected { positions: vec![0, 1], added: false },
        MapAction::Pinned(Some(1)),
        MapAction::QueryTyped(" rain ".to_owned()),
    ] {
        act(&mut state, GeometryAction::Map(action));
    }
    state.adapters.blend = 0.5;
    let effects = act(&mut state, GeometryAction::SessionSaved);
    let sent = requests(&effects);
    let [Request::ReadAdapter { revision, sha256 }] = sent[..] else { panic!("{effects:?}") };
    assert_eq!((sha256.as_str(), state.geometry.session.is_saving()), ("ad", true));
    let adapter = Box::new(AdapterSummary { sha256: "ad".to_owned(), ..AdapterSummary::default() });
    let head = Event::AdapterFile { revision: *revision, adapter };
    let message = Message { head, bulk: vec![Bulk::Bytes(vec![7, 8, 9])] };
    let effects = update(&mut state, Action::Worker(message), 0.0);
    assert!(!state.geometry.session.is_saving());
    let text = downloaded(&effects).expect("a file");
    (state, text)
}

fn open(state: &mut State, name: &str, text: &str) -> Vec<Effect> {
    let (name, text) = (name.to_owned(), Ok(text.to_owned()));
    act(state, GeometryAction::SessionFileRead { name, text })
}

#[test]
fn a_session_opens_elsewhere_as_it_was_saved_and_can_be_undone() {
    let (first, file) = saved();
    let (mut state, _) = opened();
    let on_site = with_the_sites_adapter(&mut state);
    update(&mut state, Action::FragmentChanged { fragment: "#/geometry".to_owned() }, 0.0);
    let before = state.geometry.clone();
    let effects = open(&mut state, "a.simcse.json", &file);
    assert_eq!(state.geometry.source, first.geometry.source);
    assert_eq!(*state.geometry.corpus, *first.geometry.corpus);
    assert_eq!(
        Plot::ALL.map(|plot| state.geometry.look(plot)),
        Plot::ALL.map(|plot| first.geometry.look(plot))
    );
    assert_eq!((state.adapters.blend, &state.geometry.session.trouble), (0.5, &None));
    let map = &state.geometry.map;
    assert_eq!((map.share, &map.selection[..], map.pinned), (0.25, &[0, 1][..], Some(1)));
    assert_eq!(map.query.text, " rain ");
    assert_eq!(map.settings.colouring, Some(Colouring::Query));
    // Its adapter goes to the store, and from there onto the model.
    let kept = effects.iter().find_map(|effect| match effect {
        Effect::Send(Message { head: Request::KeepAdapter { revision }, bulk }) => {
            Some((*revision, bulk.clone()))
        }
        _ => None,
    });
    let (revision, bulk) = kept.expect("an adapter to keep");
    assert_eq!(bulk, [Bulk::Bytes(vec![7, 8, 9])]);
    let adapter = Box::new(AdapterSummary { sha256: "ad".to_owned(), ..AdapterSummary::default() });
    let kept = Event::AdapterKept { revision, adapter, outcome: StoreOutcome::Kept };
    let effects = update(&mut state, event(kept), 0.0);
    assert!(
        requests(&effects).iter().any(|it| matches!(it, Request::Attach { .. })),
        "{effects:?}"
    );
    assert_eq!(state.adapters.choice, Choice::Kept { sha256: "ad".to_owned() });

    let effects = act(&mut state, GeometryAction::TextUndone);
    assert_eq!(state.geometry.source, before.source);
    assert_eq!(state.geometry.look(Plot::A), before.look(Plot::A));
    assert_eq!((state.geometry.map.share, state.geometry.map.selection.len()), (0.0, 0));
    assert_eq!((&state.adapters.choice, state.adapters.blend), (&Choice::Hosted, 1.0));
    let back = requests(&effects).into_iter().find_map(|request| match request {
        Request::Attach { source: AdapterSource::Hosted { sha256, .. }, .. } => Some(sha256),
        _ => None,
    });
    assert_eq!(back, Some(&on_site));
    assert!(!state.geometry.can_undo());
}

#[test]
fn undoing_a_session_takes_its_adapter_off_where_there_was_none() {
    let (_, file) = saved();
    let (mut state, _) = opened();
    open(&mut state, "a.simcse.json", &file);
    let effects = act(&mut state, GeometryAction::TextUndone);
    assert_eq!(state.adapters.choice, Choice::Nothing);
    assert!(requests(&effects).iter().any(|it| matches!(it, Request::Detach { .. })));
}

#[test]
fn a_session_that_is_dropped_among_sentences_is_opened() {
    let (first, file) = saved();
    let (mut state, _) = opened();
    let (name, text) = ("renamed.txt".to_owned(), Ok(file));
    act(&mut state, GeometryAction::FileRead { name, text });
    assert_eq!(state.geometry.source, first.geometry.source);
}

#[test]
fn an_adapter_waits_for_the_worker() {
    let (_, file) = saved();
    let mut state = State::default();
    let effects = open(&mut state, "a.simcse.json", &file);
    assert_eq!(requests(&effects), Vec::<&Request>::new());
    let effects = update(&mut state, event(Event::Ready), 0.0);
    let is_kept = |effect: &Effect| {
        matches!(effect, Effect::Send(Message { head: Request::KeepAdapter { .. }, .. }))
    };
    assert!(effects.iter().any(is_kept), "{effects:?}");
}

#[test]
fn the_sites_own_adapter_is_fetched_for_a_session_and_not_kept_again_from_it() {
    let mut state = small();
    with_the_sites_adapter(&mut state);
    let hosted = state.hosted[0].adapter.clone().expect("an adapter");
    let asked = |effects: &[Effect]| match effects {
        [Effect::FetchAdapter { url, number }, ..] => (url.clone(), *number),
        other => panic!("{other:?}"),
    };
    let (url, number) = asked(&act(&mut state, GeometryAction::SessionSaved));
    assert_eq!(url, format!("models/{}", hosted.file));
    let bytes = Err("HTTP 503".to_owned());
    act(&mut state, GeometryAction::SessionAdapterCame { number, bytes });
    let trouble = Some(SessionTrouble::NoAdapter("HTTP 503".to_owned()));
    assert_eq!(
        (&state.geometry.session.trouble, state.geometry.session.is_saving()),
        (&trouble, false)
    );
    let (_, number) = asked(&act(&mut state, GeometryAction::SessionSaved));
    let bytes = Ok(Arc::from([1, 2, 3]));
    let effects = act(&mut state, GeometryAction::SessionAdapterCame { number, bytes });
    let file = downloaded(&effects).expect("a file");

    let (mut state, _) = opened();
    with_the_sites_adapter(&mut state);
    let effects = open(&mut state, "a.simcse.json", &file);
    let sent = requests(&effects);
    assert!(
        !sent.iter().any(|it| matches!(it, Request::KeepAdapter { .. } | Request::Attach { .. })),
        "{sent:?}"
    );
}

#[test]
fn an_adapter_that_the_store_lacks_is_said() {
    let mut state = small();
    let effects = act(&mut state, GeometryAction::SessionSaved);
    let [Request::ReadAdapter { revision, .. }] = requests(&effects)[..] else { panic!() };
    let failed = Event::Failed { revision: Some(*revision), problem: Problem::NotKept };
    update(&mut state, event(failed), 0.0);
    let trouble = Some(SessionTrouble::Adapter(Problem::NotKept));
    assert_eq!(
        (&state.geometry.session.trouble, state.geometry.session.is_saving()),
        (&trouble, false)
    );
}

#[test]
fn a_session_without_an_adapter_takes_one_off() {
    let (mut plain, _) = opened();
    let file = downloaded(&act(&mut plain, GeometryAction::SessionSaved)).expect("a file");
    let mut state = small();
    let effects = open(&mut state, "a.simcse.json", &file);
    assert_eq!(state.adapters.choice, Choice::Nothing);
    assert!(
        requests(&effects).iter().any(|it| matches!(it, Request::Detach { .. })),
        "{effects:?}"
    );
}

#[test]
fn a_file_that_is_no_session_leaves_everything_and_another_model_is_said() {
    let mut state = small();
    let before = state.geometry.source.clone();
    open(&mut state, "notes.json", "{\"text\": \"a line\"}");
    let name = "notes.json".to_owned();
    assert_eq!(state.geometry.session.trouble, Some(SessionTrouble::NoSession { name }));
    let (name, text) = ("x.json".to_owned(), Err(ListError::Binary { position: 3 }));
    act(&mut state, GeometryAction::SessionFileRead { name: name.clone(), text });
    assert_eq!(state.geometry.session.trouble, Some(SessionTrouble::NoSession { name }));
    assert_eq!(state.geometry.source, before);
    let (_, file) = saved();
    state.model.as_mut().unwrap().sha256 = "another".to_owned();
    open(&mut state, "a.simcse.json", &file);
    let trouble = &state.geometry.session.trouble;
    assert!(matches!(trouble, Some(SessionTrouble::OtherModel { .. })), "{trouble:?}");
}
