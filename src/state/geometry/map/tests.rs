//! Whole visits to the map, without a page.

use crate::protocol::Revision;
use crate::protocol::event::Event;
use crate::protocol::lab::{About, Findings, MapQuality, MapStage, Method, Question};
use crate::protocol::message::{Bulk, Message};
use crate::protocol::problem::Problem;
use crate::protocol::readout::Pooling;
use crate::protocol::request::Request;
use crate::protocol::training::{AdapterSummary, Shape};
use crate::state::action::Action;
use crate::state::app::State;
use crate::state::effect::Effect;
use crate::state::geometry::corpus::{Corpus, Topics};
use crate::state::geometry::map::export::csv;
use crate::state::geometry::map::settings::{Colouring, Kind, Settings};
use crate::state::geometry::map::{MapAction, Trouble, query_place};
use crate::state::geometry::{GeometryAction, Look, Plot};
use crate::state::saved::Saved;
use crate::state::tests::{event, opened, requests};
use crate::state::update::update;

const LINES: &str = "one\ntwo\nthree\nfour\nfive\nsix";
const COUNT: usize = 6;
const PLACES: [f32; 2 * COUNT] = [0., 0., 4., 0., 0., 1., 1., 1., 2., 3., 5., 5.];

fn act(state: &mut State, action: GeometryAction) -> Vec<Effect> {
    update(state, Action::Geometry(action), 0.0)
}

fn on_map(state: &mut State, action: MapAction) -> Vec<Effect> {
    act(state, GeometryAction::Map(action))
}

fn show(state: &mut State, fragment: &str) -> Vec<Effect> {
    update(state, Action::FragmentChanged { fragment: fragment.to_owned() }, 0.0)
}

/// Number, slot of each survey that is asked for.
fn surveys(effects: &[Effect]) -> Vec<(Revision, u8)> {
    let of = |request: &&Request| match request {
        Request::Survey { revision, slot, keep: true, .. } => Some((*revision, *slot)),
        _ => None,
    };
    requests(effects).iter().filter_map(of).collect()
}

/// Number, survey and question of each question.
fn questions(effects: &[Effect]) -> Vec<(Revision, Revision, Question)> {
    let of = |request: &&Request| match request {
        Request::About { revision, about: About { survey, question } } => {
            Some((*revision, *survey, question.clone()))
        }
        _ => None,
    };
    requests(effects).iter().filter_map(of).collect()
}

fn maps(effects: &[Effect]) -> Vec<(Revision, Revision)> {
    let all = questions(effects).into_iter();
    all.filter(|it| matches!(it.2, Question::Map { .. })).map(|it| (it.0, it.1)).collect()
}

fn cancelled(effects: &[Effect]) -> Vec<Revision> {
    let of = |request: &&Request| match request {
        Request::Cancel { revision } => Some(*revision),
        _ => None,
    };
    requests(effects).iter().filter_map(of).collect()
}

fn measure(state: &mut State, (revision, slot): (Revision, u8)) -> Vec<Effect> {
    let shape = Shape { mean_cosine: 0.2, ..Shape::default() };
    let findings = Box::new(Findings { shape, ..Findings::default() });
    update(state, event(Event::Survey { revision, slot, findings, latency_ms: 1.0 }), 0.0)
}

/// The view with an adapter and six sentences; the surveys that were asked for.
fn entered() -> (State, Vec<(Revision, u8)>) {
    let (mut state, _) = opened();
    state.adapters.attached =
        Some(AdapterSummary { sha256: "ad".to_owned(), ..AdapterSummary::default() });
    act(&mut state, GeometryAction::Typed(LINES.to_owned()));
    let count = state.geometry.typed_count;
    act(&mut state, GeometryAction::Settled(count));
    let asked = surveys(&show(&mut state, "#/geometry"));
    assert_eq!(asked.len(), 2);
    (state, asked)
}

/// Both are measured; the maps that were asked for, with their surveys.
fn measured() -> (State, Vec<(Revision, Revision)>) {
    let (mut state, asked) = entered();
    assert_eq!(maps(&measure(&mut state, asked[0])), [], "B is measured first");
    let maps = maps(&measure(&mut state, asked[1]));
    assert_eq!(maps.iter().map(|it| it.1).collect::<Vec<_>>(), [asked[0].0, asked[1].0]);
    (state, maps)
}

fn quality() -> MapQuality {
    MapQuality { trustworthiness: 0.9, neighbours: 15, judged: 6, explained: None, latency_ms: 3.0 }
}

fn finish_at(state: &mut State, revision: Revision, places: &[f32]) -> Vec<Effect> {
    let shares = vec![0.0, 0.6, f32::NAN, 0.5, 1.0, 0.0];
    let bulk = vec![Bulk::F32(places.to_vec()), Bulk::F32(shares)];
    let head = Event::Mapped { revision, quality: quality() };
    update(state, Action::Worker(Message { head, bulk }), 0.0)
}

fn finish(state: &mut State, revision: Revision) -> Vec<Effect> {
    finish_at(state, revision, &PLACES)
}

/// Both maps are there.
fn mapped() -> State {
    let (mut state, maps) = measured();
    for (revision, _) in maps {
        finish(&mut state, revision);
    }
    state
}

fn choose(state: &mut State, change: impl FnOnce(&mut Settings)) -> Vec<Effect> {
    let mut settings = state.geometry.map.settings;
    change(&mut settings);
    on_map(state, MapAction::Chosen(settings))
}

#[test]
fn pca_of_both_is_asked_for_once_both_are_measured() {
    let (mut state, asked) = measured();
    let job = state.geometry.drawing(Plot::A).job.as_ref().unwrap();
    assert_eq!((job.of.method, job.of.seed, job.total), (Method::Pca, 1, 6));
    for (revision, _) in asked {
        assert_eq!(maps(&finish(&mut state, revision)), []);
    }
    assert_eq!(state.geometry.laid(Plot::A)[..], PLACES);
    let points = state.geometry.drawing(Plot::B).points.as_ref().unwrap();
    assert_eq!((points.warned, points.judged), (2, 5));
    show(&mut state, "#/compare");
    assert_eq!(questions(&show(&mut state, "#/geometry")), [], "everything is known");
}

#[test]
fn one_alone_is_mapped_where_there_is_no_adapter() {
    let (mut state, _) = opened();
    let asked = surveys(&show(&mut state, "#/geometry"));
    assert_eq!(asked.len(), 1);
    assert_eq!(maps(&measure(&mut state, asked[0])).len(), 1);
}

#[test]
fn nothing_is_asked_while_another_view_is_open() {
    let (mut state, asked) = entered();
    show(&mut state, "#/compare");
    for survey in asked {
        assert_eq!(questions(&measure(&mut state, survey)), []);
    }
    assert_eq!(maps(&show(&mut state, "#/geometry")).len(), 2);
}

#[test]
fn points_of_b_begin_at_their_places_in_a() {
    let mut state = mapped();
    let effects = choose(&mut state, |it| it.kind = Kind::Tsne);
    let asked = questions(&effects);
    let [(revision, _, Question::Map { method, seed: 1 })] = &asked[..] else {
        panic!("{asked:?}")
    };
    // A perplexity of 30 is too much for six sentences.
    assert_eq!(*method, Method::Tsne { perplexity: 5.0 / 3.0, steps: 1_000 });
    let places = PLACES.map(|place| place * 3.0);
    let effects = finish_at(&mut state, *revision, &places);
    let begins = effects.iter().find_map(|effect| match effect {
        Effect::Send(message) if matches!(message.head, Request::About { .. }) => message.f32(),
        _ => None,
    });
    assert_eq!(begins, Some(&places[..]));
    assert_eq!(maps(&effects).len(), 1, "that of B");
}

#[test]
fn b_goes_on_alone_where_a_has_no_map() {
    let mut state = mapped();
    let effects = choose(&mut state, |it| it.kind = Kind::Umap);
    let revision = maps(&effects)[0].0;
    let problem = Problem::Internal { detail: "no".to_owned() };
    let failed = Event::Failed { revision: Some(revision), problem: problem.clone() };
    let effects = update(&mut state, event(failed), 0.0);
    assert_eq!(maps(&effects).len(), 1);
    let Effect::Send(message) = &effects[0] else { panic!("{effects:?}") };
    assert_eq!(message.bulk, []);
    assert_eq!(state.geometry.drawing(Plot::A).trouble(), Some(&Trouble::Problem(problem)));
}

#[test]
fn a_map_moves_and_can_be_stopped_and_made_again() {
    let mut state = mapped();
    choose(&mut state, |it| it.colouring = Some(Colouring::Plain));
    let revision = maps(&choose(&mut state, |it| it.kind = Kind::Tsne))[0].0;
    let moving = |done: u32| {
        let (stage, total) = (MapStage::Moving, 1_000);
        // Looking for neighbours took three seconds, and a step two milliseconds.
        let elapsed_ms = 3_000.0 + 2.0 * f64::from(done);
        let head = Event::Mapping { revision, stage, done, total, elapsed_ms };
        Action::Worker(Message::with_f32(head, vec![0.5; 2 * COUNT]))
    };
    update(&mut state, moving(0), 0.0);
    assert_eq!(state.geometry.drawing(Plot::A).job.as_ref().unwrap().left_s(), None);
    update(&mut state, moving(250), 0.0);
    let drawing = state.geometry.drawing(Plot::A);
    assert_eq!(drawing.job.as_ref().unwrap().left_s(), Some(1.5));
    assert_eq!(drawing.points.as_ref().unwrap().quality, None);
    assert_eq!(state.geometry.laid(Plot::A)[..], [0.5; 2 * COUNT]);
    let effects = on_map(&mut state, MapAction::Stopped);
    assert_eq!(cancelled(&effects), [revision]);
    assert_eq!(questions(&effects), [], "B waited for it, and does not go on alone");
    assert_eq!(state.geometry.drawing(Plot::A).trouble(), Some(&Trouble::Stopped));
    update(&mut state, event(Event::Cancelled { revision }), 0.0);
    update(&mut state, moving(500), 0.0);
    assert_eq!(state.geometry.drawing(Plot::A).job, None, "too late");
    let again = maps(&on_map(&mut state, MapAction::Resumed));
    assert_eq!(again.len(), 1, "A; B begins from it");
    let effects = on_map(&mut state, MapAction::Reseeded);
    assert!(cancelled(&effects).contains(&again[0].0));
    let asked = questions(&effects);
    assert!(matches!(asked[..], [(_, _, Question::Map { seed: 2, .. })]), "{asked:?}");
}

#[test]
fn the_old_map_stays_on_show_as_old_until_the_new_one_comes() {
    let mut state = mapped();
    assert!(!state.geometry.is_old(Plot::A));
    let look = Look { pooling: Pooling::Mean, ..state.geometry.look(Plot::A) };
    let survey = surveys(&act(&mut state, GeometryAction::LookChosen(Plot::A, look)))[0];
    assert!(state.geometry.is_old(Plot::A) && !state.geometry.is_old(Plot::B));
    assert_eq!(state.geometry.laid(Plot::A)[..], PLACES);
    let asked = maps(&measure(&mut state, survey));
    assert_eq!(asked[0].1, survey.0);
    assert!(state.geometry.is_old(Plot::A));
    finish(&mut state, asked[0].0);
    assert!(!state.geometry.is_old(Plot::A));
}

#[test]
fn a_map_of_other_sentences_is_no_map() {
    let mut state = mapped();
    on_map(&mut state, MapAction::Selected { positions: vec![5, 1, 99], added: false });
    on_map(&mut state, MapAction::Pinned(Some(2)));
    assert_eq!(state.geometry.map.selection[..], [1, 5]);
    act(&mut state, GeometryAction::Typed("alpha\nbeta".to_owned()));
    let count = state.geometry.typed_count;
    act(&mut state, GeometryAction::Settled(count));
    assert!(state.geometry.laid(Plot::A).is_empty() && state.geometry.laid(Plot::B).is_empty());
    assert!(state.geometry.map.selection.is_empty() && state.geometry.map.pinned.is_none());
}

#[test]
fn nothing_is_asked_about_vectors_of_other_sentences() {
    let mut state = mapped();
    act(&mut state, GeometryAction::Typed("alpha\nbeta".to_owned()));
    let count = state.geometry.typed_count;
    act(&mut state, GeometryAction::Settled(count));
    let mut asked = questions(&act(&mut state, GeometryAction::Stopped(Plot::A)));
    asked.extend(questions(&act(&mut state, GeometryAction::Stopped(Plot::B))));
    asked.extend(questions(&on_map(&mut state, MapAction::Resumed)));
    assert_eq!(asked, []);
}

#[test]
fn a_question_that_failed_is_told_of_and_asked_again_when_the_visitor_says_so() {
    let mut state = mapped();
    choose(&mut state, |it| it.colouring = Some(Colouring::Plain));
    let revision = questions(&on_map(&mut state, MapAction::Pinned(Some(1))))[0].0;
    let failed = Event::Failed { revision: Some(revision), problem: Problem::NoModel };
    assert_eq!(questions(&update(&mut state, event(failed), 0.0)), []);
    assert_eq!(state.geometry.near_problem(), Some(&Problem::NoModel));
    assert_eq!(questions(&on_map(&mut state, MapAction::Resumed)).len(), 1);
    assert_eq!(state.geometry.near_problem(), None);
}

#[test]
fn a_map_of_the_wrong_length_is_refused() {
    let (mut state, asked) = measured();
    finish_at(&mut state, asked[0].0, &PLACES[2..]);
    let trouble = state.geometry.drawing(Plot::A).trouble();
    assert!(matches!(trouble, Some(Trouble::Problem(Problem::Internal { .. }))), "{trouble:?}");
    assert!(state.geometry.laid(Plot::A).is_empty());
}

#[test]
fn b_is_laid_over_a() {
    let (mut state, asked) = measured();
    // Turned by a quarter, mirrored, moved: two PCA maps keep their sizes.
    let turned: Vec<f32> =
        PLACES.chunks_exact(2).flat_map(|point| [point[1] + 7.0, point[0] - 2.0]).collect();
    finish_at(&mut state, asked[1].0, &turned);
    assert_eq!(state.geometry.laid(Plot::B)[..], turned[..], "there is no A yet");
    finish(&mut state, asked[0].0);
    let near = |laid: &[f32], wanted: &[f32]| {
        laid.iter().zip(wanted).all(|(laid, wanted)| (laid - wanted).abs() < 1e-5)
    };
    assert!(near(state.geometry.laid(Plot::B), &PLACES), "{:?}", &state.geometry.laid(Plot::B)[..]);
    act(&mut state, GeometryAction::Swapped);
    assert_eq!(state.geometry.laid(Plot::A)[..], turned[..]);
    assert!(near(state.geometry.laid(Plot::B), &turned));
    assert_eq!(questions(&on_map(&mut state, MapAction::Slid(0.0))), [], "known under other names");
}

#[test]
fn lost_vectors_are_computed_again_once_and_their_maps_are_kept() {
    let mut state = mapped();
    choose(&mut state, |it| it.colouring = Some(Colouring::Plain));
    let asked = questions(&on_map(&mut state, MapAction::Pinned(Some(3))));
    let [(revision, survey, Question::Near { position: 3, count: 10 })] = asked[..] else {
        panic!("{asked:?}")
    };
    let lost =
        |revision| event(Event::Failed { revision: Some(revision), problem: Problem::NoSurvey });
    let effects = update(&mut state, lost(revision), 0.0);
    let anew = surveys(&effects);
    assert_eq!(anew.len(), 1);
    assert_ne!(anew[0].0, survey);
    let effects = measure(&mut state, anew[0]);
    assert_eq!(maps(&effects), [], "it is the same map");
    let asked = questions(&effects);
    let [(revision, survey, Question::Near { position: 3, .. })] = asked[..] else {
        panic!("{asked:?}")
    };
    assert_eq!(survey, anew[0].0);
    let effects = update(&mut state, lost(revision), 0.0);
    assert_eq!(surveys(&effects), [], "not a third time");
    assert_eq!(questions(&effects), []);
}

#[test]
fn neighbours_are_those_of_the_vectors_on_show() {
    let mut state = mapped();
    let asked = questions(&on_map(&mut state, MapAction::Pinned(Some(0))));
    let neighbours = vec![(2, 0.9), (77, 0.5)];
    update(&mut state, event(Event::Near { revision: asked[0].0, neighbours }), 0.0);
    assert_eq!(state.geometry.neighbours(), [(2, 0.9)], "what is no sentence is left out");
    let asked = questions(&on_map(&mut state, MapAction::Slid(1.0)));
    let near: Vec<_> = asked.iter().filter(|it| matches!(it.2, Question::Near { .. })).collect();
    assert_eq!(near.len(), 1, "B has neighbours of its own");
    assert_eq!(state.geometry.neighbours(), []);
    let neighbours = vec![(4, 0.8)];
    update(&mut state, event(Event::Near { revision: near[0].0, neighbours }), 0.0);
    assert_eq!(state.geometry.neighbours(), [(4, 0.8)]);
    let effects = on_map(&mut state, MapAction::Slid(0.0));
    assert_eq!(state.geometry.neighbours(), [(2, 0.9)]);
    assert!(!questions(&effects).iter().any(|it| matches!(it.2, Question::Near { .. })));
    on_map(&mut state, MapAction::Cleared);
    assert_eq!(state.geometry.neighbours(), []);
}

#[test]
fn a_query_settles_colours_and_gives_the_colours_back() {
    let mut state = mapped();
    choose(&mut state, |it| it.colouring = Some(Colouring::Plain));
    let typed = |state: &mut State, text: &str| {
        let effects = on_map(state, MapAction::QueryTyped(text.to_owned()));
        let due = effects.iter().find_map(|effect| match effect {
            Effect::After { pause_ms: 150, action } => Some(action.clone()),
            _ => None,
        });
        due.expect("a pause")
    };
    let early = typed(&mut state, " har");
    let due = typed(&mut state, " harbour ");
    assert_eq!(questions(&update(&mut state, early, 0.0)), [], "typing went on");
    let asked = questions(&update(&mut state, due, 0.0));
    let [(revision, _, Question::Text { text, count: 10 })] = &asked[..] else {
        panic!("{asked:?}")
    };
    assert_eq!(text, "harbour");
    assert_eq!(state.geometry.colouring(), Colouring::Query);
    assert!(state.geometry.colours().is_empty(), "not known yet");
    let head = Event::Compared { revision: *revision, neighbours: vec![(1, 1.0), (0, 0.6)] };
    let cosines = vec![0.6, 1.0, 0.2, -0.4, 0.0, 0.1];
    update(&mut state, Action::Worker(Message::with_f32(head, cosines)), 0.0);
    // From the mean cosine, .2, to 1.
    assert_eq!(state.geometry.colours()[..], [32, 63, 0, 0, 0, 0]);
    let due = typed(&mut state, "");
    update(&mut state, due, 0.0);
    assert_eq!(state.geometry.colouring(), Colouring::Plain);
    assert_eq!(state.geometry.compared(), None);
}

#[test]
fn a_query_lies_among_its_nearest() {
    let positions = [0.0, 0.0, 4.0, 0.0, 0.0, 8.0, f32::NAN, 0.0];
    let place = query_place(&[(0, 0.75), (1, 0.25), (2, -0.5), (3, 0.9), (9, 1.0)], &positions);
    assert_eq!(place, Some([1.0, 0.0]));
    assert_eq!(query_place(&[(1, 0.0), (2, -0.1)], &positions), Some([2.0, 4.0]));
    assert_eq!(query_place(&[(3, 1.0)], &positions), None);
    assert_eq!(query_place(&[], &positions), None);
}

#[test]
fn clusters_are_asked_for_when_the_colours_show_them() {
    let (mut state, asked) = entered();
    choose(&mut state, |it| (it.colouring, it.clusters) = (Some(Colouring::Plain), 3));
    measure(&mut state, asked[0]);
    let effects = measure(&mut state, asked[1]);
    assert_eq!(questions(&effects).len(), 2, "two maps");
    let asked = questions(&choose(&mut state, |it| it.colouring = Some(Colouring::Cluster)));
    let [(revision, _, Question::Clusters { count: 3, seed: 1 })] = asked[..] else {
        panic!("{asked:?}")
    };
    assert_eq!(state.geometry.groups(), []);
    let labels = vec![0, 0, 0, 1, 1, 2];
    let answer = Event::Clustered { revision, labels, typical: vec![1, 4, 5] };
    assert_eq!(questions(&update(&mut state, event(answer), 0.0)), []);
    let groups = state.geometry.groups();
    let told: Vec<_> = groups.iter().map(|it| (it.name.as_str(), it.count, it.colour)).collect();
    assert_eq!(told, [("two", 3, 1), ("five", 2, 2), ("six", 1, 3)]);
    assert_eq!(state.geometry.colours()[..], [1, 1, 1, 2, 2, 3]);
    on_map(&mut state, MapAction::GroupSelected { group: 1, added: false });
    on_map(&mut state, MapAction::GroupSelected { group: 2, added: true });
    assert_eq!(state.geometry.map.selection[..], [3, 4, 5]);
    let other = questions(&choose(&mut state, |it| it.clusters = 2));
    assert!(matches!(other[..], [(_, _, Question::Clusters { count: 2, .. })]), "{other:?}");
}

fn set_topics(state: &mut State, topics: Topics) {
    let corpus = Corpus { topics, ..Corpus::clone(&state.geometry.corpus) };
    state.geometry.corpus = state.geometry.corpus.followed_by(corpus);
}

#[test]
fn topics_colour_by_size_and_beyond_the_eighth_share_one_colour() {
    let mut state = mapped();
    assert_eq!(state.geometry.colouring(), Colouring::Cluster);
    set_topics(
        &mut state,
        Topics {
            names: ["sea", "sky", "rare"].map(str::to_owned).to_vec(),
            of: vec![Some(1), Some(0), Some(1), None, Some(2), Some(1)],
        },
    );
    assert_eq!(state.geometry.colouring(), Colouring::Topic);
    assert_eq!(state.geometry.colours()[..], [1, 2, 1, 0, 3, 1]);
    let groups = state.geometry.groups();
    assert_eq!(groups[0].name, "sky");
    assert_eq!(state.geometry.members(1), [0, 2, 5]);
    let names = (0..12).map(|topic| format!("topic {topic}")).collect();
    set_topics(&mut state, Topics { names, of: (0..6).map(|it| Some(it * 2)).collect() });
    let colours: Vec<u8> = state.geometry.groups().iter().map(|group| group.colour).collect();
    assert_eq!(colours, [1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0]);
}

#[test]
fn marks_dim_what_is_not_chosen_and_warn() {
    use crate::chart::points::{DIMMED, RAISED, SELECTED, WARNED};
    let mut state = mapped();
    assert_eq!(state.geometry.marks()[..], [0, WARNED, 0, 0, WARNED, 0]);
    choose(&mut state, |it| it.warnings = false);
    assert_eq!(state.geometry.marks()[..], [0; COUNT]);
    on_map(&mut state, MapAction::Toggled(3));
    on_map(&mut state, MapAction::Pinned(Some(0)));
    let dim = DIMMED;
    assert_eq!(state.geometry.marks()[..], [RAISED, dim, dim, SELECTED, dim, dim]);
    on_map(&mut state, MapAction::Toggled(3));
    assert!(state.geometry.map.selection.is_empty());
}

#[test]
fn the_selection_is_copied_and_the_map_is_a_table() {
    let mut state = mapped();
    on_map(&mut state, MapAction::Selected { positions: vec![4, 0], added: false });
    on_map(&mut state, MapAction::Selected { positions: vec![1], added: true });
    let effects = on_map(&mut state, MapAction::SelectionCopied);
    let copied = effects.iter().find_map(|effect| match effect {
        Effect::Copy { text, .. } => Some(text.as_str()),
        _ => None,
    });
    assert_eq!(copied, Some("one\ntwo\nfive"));
    let table = csv(&state.geometry);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 7);
    assert_eq!(lines[2], "1,two,,,4.000000,0.000000,4.000000,0.000000,0.600000,0.600000,1");
    assert!(lines[3].ends_with(",,,0"), "not judged, not selected: {}", lines[3]);
}

#[test]
fn settings_survive_a_reload_and_the_query_does_not() {
    let mut state = mapped();
    choose(&mut state, |it| (it.kind, it.perplexity, it.clusters) = (Kind::Tsne, 12.0, 5));
    choose(&mut state, |it| it.colouring = Some(Colouring::Plain));
    on_map(&mut state, MapAction::QueryTyped("sea".to_owned()));
    let chosen = state.geometry.map.settings;
    let mut again = State::default();
    let saved = Some(Saved::of(&state).to_json());
    let started = Action::Started { fragment: String::new(), saved, languages: Vec::new() };
    update(&mut again, started, 0.0);
    assert_eq!(
        again.geometry.map.settings,
        Settings { colouring: Some(Colouring::Plain), ..chosen }
    );
    assert_eq!(again.geometry.map.query.text, "");
}

#[test]
fn a_dead_workers_questions_are_asked_again_of_the_next() {
    let (mut state, _) = measured();
    update(&mut state, Action::WorkerDied { message: "gone".to_owned() }, 0.0);
    assert_eq!(state.geometry.drawing(Plot::A).job, None);
    let effects = update(&mut state, event(Event::Ready), 0.0);
    let [Request::Open { revision, .. }] = requests(&effects)[..] else { panic!("{effects:?}") };
    let model = crate::state::tests::model();
    state.adapters.attached =
        Some(AdapterSummary { sha256: "ad".to_owned(), ..AdapterSummary::default() });
    let effects = update(&mut state, event(Event::Opened { revision: *revision, model }), 0.0);
    assert!(!maps(&effects).is_empty(), "{effects:?}");
}
