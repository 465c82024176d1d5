//! Whole visits to the Search view, without a page.

use crate::protocol::event::Event;
use crate::protocol::message::Message;
use crate::protocol::problem::Problem;
use crate::protocol::readout::Lens;
use crate::protocol::request::Request;
use crate::protocol::search::{
    Answer, Ask, CorpusId, CorpusSummary, Cut, Embedder, Filter, Hit, Hits, Ingredient, Preview,
    Query, Ranking, RestReason, RowSet,
};
use crate::state::action::Action;
use crate::state::app::State;
use crate::state::effect::Effect;
use crate::state::route::View;
use crate::state::search::HitsFormat;
use crate::state::search::{Origin, Part, SearchAction, Stage, Standing, Wanted, saved};
use crate::state::tests::{event, opened, requests};
use crate::state::update::update;

const ID: CorpusId = CorpusId(5);

fn act(state: &mut State, action: SearchAction) -> Vec<Effect> {
    update(state, Action::Search(action), 0.0)
}

/// Questions about corpora among effects, with their numbers.
fn asks(effects: &[Effect]) -> Vec<(u32, Ask)> {
    let all = requests(effects).into_iter();
    all.filter_map(|request| match request {
        Request::Search { revision, ask } => Some((*revision, ask.clone())),
        _ => None,
    })
    .collect()
}

fn tell(state: &mut State, revision: u32, answer: Answer) -> Vec<Effect> {
    update(state, event(Event::Search { revision, answer }), 0.0)
}

fn fail(state: &mut State, revision: u32, problem: Problem) -> Vec<Effect> {
    update(state, event(Event::Failed { revision: Some(revision), problem }), 0.0)
}

fn set(done: u32, fits: Option<Lens>) -> RowSet {
    let embedder = Embedder {
        model_sha256: "m".to_owned(),
        model_name: "m".to_owned(),
        adapter: None,
        readout: crate::protocol::readout::Readout::last(crate::protocol::readout::Pooling::Mean),
    };
    RowSet { embedder, done, size_bytes: 0, fits }
}

fn corpus(row_sets: Vec<RowSet>) -> CorpusSummary {
    CorpusSummary {
        corpus: ID,
        name: "Notes".to_owned(),
        passages: 1_000,
        columns: Vec::new(),
        made_ms: 1.0,
        row_sets,
        size_bytes: 9,
        is_kept: true,
    }
}

/// The view entered, with what is on the shelf.
fn entered(shelf: impl FnOnce(&State) -> Vec<CorpusSummary>) -> (State, Vec<Effect>) {
    let (mut state, _) = opened();
    update(&mut state, Action::FragmentChanged { fragment: "#/search".to_owned() }, 0.0);
    assert_eq!(state.view, View::Search);
    let asked = state.search.shelf_asked.expect("the shelf is asked for");
    act(&mut state, SearchAction::Entered(77));
    let corpora = shelf(&state);
    let effects = tell(&mut state, asked, Answer::Shelf { corpora, usage: Some((1, 2)) });
    (state, effects)
}

fn complete() -> State {
    entered(|state| vec![corpus(vec![set(1_000, state.lens())])]).0
}

fn typed(state: &mut State, text: &str) -> Vec<Effect> {
    act(state, SearchAction::QueryTyped(text.to_owned()));
    let count = state.search.typed_count;
    act(state, SearchAction::QuerySettled(count))
}

fn queries(effects: &[Effect]) -> Vec<(u32, Query)> {
    let all = asks(effects).into_iter();
    all.filter_map(|(revision, ask)| match ask {
        Ask::Query(query) => Some((revision, *query)),
        _ => None,
    })
    .collect()
}

fn hit(position: u32) -> Hit {
    Hit {
        position,
        text: format!("passage \"{position}\""),
        before: String::new(),
        after: String::new(),
        cells: Vec::new(),
        cosine: Some(0.5),
        bm25: None,
        meaning_rank: Some(1),
        keyword_rank: None,
        other_rank: None,
        other_cosine: None,
        words: Vec::new(),
    }
}

fn hits(searched: u32) -> Answer {
    Answer::Hits(Box::new(Hits {
        hits: vec![hit(3)],
        searched,
        let_through: 1_000,
        ..Hits::default()
    }))
}

#[test]
fn at_first_the_sample_is_brought_kept_and_embedded() {
    let (mut state, effects) = entered(|_| Vec::new());
    let [Effect::SendCorpusAt { revision, intake, .. }] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(intake.name.as_deref(), Some("stories.tsv"));
    assert!(!state.search.form.is_empty());
    let preview = Box::new(Preview { passages: 300, ..Preview::default() });
    let effects = tell(&mut state, *revision, Answer::Preview(preview));
    let [(made, Ask::Create { corpus: id, name })] = &asks(&effects)[..] else {
        panic!("{effects:?}")
    };
    assert_eq!((name.as_str(), state.search.open), ("stories", Some(*id)));
    let summary = CorpusSummary { corpus: *id, ..corpus(Vec::new()) };
    let answer = Answer::Shelf { corpora: vec![summary], usage: None };
    let asked = asks(&tell(&mut state, *made, answer));
    assert!(matches!(asked[0].1, Ask::Embed { corpus, .. } if corpus == *id), "{asked:?}");
    assert!(matches!(&asked[1].1, Ask::Query(query) if query.corpus == *id), "{asked:?}");
    // Deleted, it does not come back, also not in the next visit.
    let effects = act(&mut state, SearchAction::Deleted(*id));
    let (gone, _) = asks(&effects)[0].clone();
    let effects = tell(&mut state, gone, Answer::Shelf { corpora: Vec::new(), usage: None });
    assert!(effects.is_empty(), "{effects:?}");
    let again = saved::from_json(&saved::to_json(&state.search));
    assert_eq!(again.sample, state.search.sample);
}

#[test]
fn what_is_typed_is_asked_after_a_pause_and_the_newest_wins() {
    let mut state = complete();
    let effects = act(&mut state, SearchAction::QueryTyped("sea".to_owned()));
    assert!(asks(&effects).is_empty());
    let first = queries(&typed(&mut state, "sea"));
    assert_eq!(first[0].1.text, "sea");
    let second = queries(&typed(&mut state, "sea ships"));
    let found = tell(&mut state, first[0].0, hits(1_000));
    assert!(state.search.list.found.is_none() && queries(&found).is_empty());
    let effects = tell(&mut state, second[0].0, hits(1_000));
    assert_eq!(state.search.list.found.as_ref().unwrap().query.text, "sea ships");
    // Their words are looked at when they have rested.
    let Some(Effect::After { action: Action::Search(due), .. }) = effects.first() else { panic!() };
    let glow = asks(&act(&mut state, due.clone()));
    assert!(matches!(&glow[0].1, Ask::Glow { positions, .. } if *positions == [3]));
    assert!(asks(&act(&mut state, due.clone())).len() <= 1);
    // The same is not asked twice.
    assert!(queries(&typed(&mut state, "sea ships")).is_empty());
    // With nothing to look for, passages are shown in their order: they came when the view was entered.
    assert!(asks(&act(&mut state, SearchAction::Cleared)).is_empty());
    assert!(state.search.list.found.is_none() && state.search.browse.pending.is_some());
    let asked = asks(&act(&mut state, SearchAction::Browsed(20)));
    assert!(matches!(asked[0].1, Ask::Browse { from: 20, .. }), "{asked:?}");
}

#[test]
fn parts_filters_and_controls_ask_anew() {
    let mut state = complete();
    typed(&mut state, "sea");
    let part = Part { ingredient: Ingredient::Passage(4), label: "four".to_owned(), is_like: true };
    let asked = queries(&act(&mut state, SearchAction::PartAdded(part.clone())));
    assert_eq!(asked[0].1.also, [Ingredient::Passage(4)]);
    // The other way round it takes its own place.
    let unlike = Part { is_like: false, ..part };
    let asked = queries(&act(&mut state, SearchAction::PartAdded(unlike)));
    assert_eq!((asked[0].1.also.len(), asked[0].1.unlike.len()), (0, 1));
    let asked = queries(&act(&mut state, SearchAction::PartRemoved(0)));
    assert!(asked[0].1.unlike.is_empty());
    let of = |value: &str| Filter::OneOf { column: 2, values: vec![value.to_owned()] };
    act(&mut state, SearchAction::FilterChosen(2, Some(of("a"))));
    let asked = queries(&act(&mut state, SearchAction::FilterChosen(2, Some(of("b")))));
    assert_eq!(asked[0].1.filters, [of("b")]);
    let asked = queries(&act(&mut state, SearchAction::LeastChosen(Some(0.4))));
    assert_eq!(asked[0].1.least_cosine, Some(0.4));
    let asked = queries(&act(&mut state, SearchAction::RankingChosen(Ranking::Both)));
    assert_eq!(asked[0].1.ranking, Ranking::Both);
    // Keywords beside it are asked for once these are there.
    assert!(queries(&act(&mut state, SearchAction::BesideChosen(true))).is_empty());
    let beside = queries(&tell(&mut state, asked[0].0, hits(1_000)));
    assert_eq!(beside[0].1.ranking, Ranking::Keywords);
    tell(&mut state, beside[0].0, hits(1_000));
    assert!(state.search.beside.found.is_some());
    act(&mut state, SearchAction::BesideChosen(false));
    assert!(state.search.beside.found.is_none());
}

#[test]
fn an_interrupted_corpus_goes_on_by_itself_unless_it_was_paused() {
    let (mut state, effects) = entered(|state| vec![corpus(vec![set(400, state.lens())])]);
    let asked = asks(&effects);
    let (revision, lens) = match &asked[0] {
        (revision, Ask::Embed { lens, .. }) => (*revision, *lens),
        other => panic!("{other:?}"),
    };
    let (done, total, resumed, elapsed_ms) = (600, 1_000, 400, 1_000.0);
    let answer = Answer::Indexing { corpus: ID, lens, done, total, resumed, elapsed_ms };
    tell(&mut state, revision, answer);
    let Some(Standing::Indexing(indexing)) = state.search.standing(state.lens()) else { panic!() };
    assert_eq!(indexing.per_s(), Some(200.0));
    let asked = asks(&act(&mut state, SearchAction::Paused));
    assert_eq!(asked[0].1, Ask::Pause { corpus: ID });
    let reason = RestReason::Paused;
    tell(&mut state, revision, Answer::Rests { corpus: ID, lens, done: 600, total, reason });
    let corpora = vec![corpus(vec![set(600, state.lens())])];
    let effects =
        tell(&mut state, asked[0].0, Answer::Shelf { corpora: corpora.clone(), usage: None });
    assert!(asks(&effects).is_empty(), "{effects:?}");
    let paused = Some(Standing::Paused { done: 600, total: 1_000 });
    assert_eq!(state.search.standing(state.lens()), paused);
    // Also after a reload.
    let mut again = saved::from_json(&saved::to_json(&state.search));
    again.shelf = Some(corpora);
    assert_eq!(again.standing(state.lens()), paused);
    let asked = asks(&act(&mut state, SearchAction::Resumed));
    assert!(matches!(asked[0].1, Ask::Embed { .. }));
    let (revision, reason) = (asked[0].0, RestReason::Complete);
    let rests = Answer::Rests { corpus: ID, lens, done: 1_000, total, reason };
    let asked = asks(&tell(&mut state, revision, rests));
    assert_eq!(asked.iter().map(|it| &it.1).collect::<Vec<_>>(), [&Ask::List]);
    let corpora = vec![corpus(vec![set(1_000, state.lens())])];
    tell(&mut state, asked[0].0, Answer::Shelf { corpora, usage: None });
    assert_eq!(state.search.standing(state.lens()), Some(Standing::Complete));
}

#[test]
fn other_weights_are_said_before_anything_is_embedded_anew() {
    let (mut state, effects) = entered(|_| vec![corpus(vec![set(1_000, None)])]);
    assert!(!asks(&effects).iter().any(|it| matches!(it.1, Ask::Embed { .. })));
    let standing = state.search.standing(state.lens());
    assert!(matches!(standing, Some(Standing::Anew { total: 1_000 })), "{standing:?}");
    let asked = asks(&act(&mut state, SearchAction::Resumed));
    assert!(matches!(asked[0].1, Ask::Embed { .. }));
}

#[test]
fn hits_are_asked_again_while_vectors_come() {
    let (mut state, effects) = entered(|_| vec![corpus(Vec::new())]);
    let (revision, lens) = match asks(&effects)[0].clone() {
        (revision, Ask::Embed { lens, .. }) => (revision, lens),
        other => panic!("{other:?}"),
    };
    let asked = queries(&typed(&mut state, "sea"));
    tell(&mut state, asked[0].0, hits(100));
    let more = |done| Answer::Indexing {
        corpus: ID,
        lens,
        done,
        total: 1_000,
        resumed: 0,
        elapsed_ms: 9.0,
    };
    assert!(queries(&tell(&mut state, revision, more(120))).is_empty());
    let asked = queries(&tell(&mut state, revision, more(300)));
    assert_eq!((asked.len(), asked[0].1.count), (1, 20));
    // Not while one is on its way.
    assert!(queries(&tell(&mut state, revision, more(900))).is_empty());
}

#[test]
fn a_file_is_shown_before_it_is_kept_and_errors_keep_what_was_pasted() {
    let mut state = complete();
    act(&mut state, SearchAction::PasteTyped("one line\ntwo lines".to_owned()));
    let effects = act(&mut state, SearchAction::Brought(Origin::Pasted));
    let [Effect::SendCorpusText { revision, text, .. }] = &effects[..1] else {
        panic!("{effects:?}")
    };
    assert_eq!(text, "one line\ntwo lines");
    let problem = Problem::EmptyCorpus { rows: 2, skipped: 2 };
    fail(&mut state, *revision, problem.clone());
    assert_eq!(state.search.draft.as_ref().unwrap().stage, Stage::Failed(problem));
    assert_eq!(state.search.pasted, "one line\ntwo lines");
    let asked = asks(&act(&mut state, SearchAction::CutChosen(Cut::Sentences)));
    let (revision, Ask::Read { intake }) = &asked[0] else { panic!("{asked:?}") };
    assert_eq!(intake.cut, Cut::Sentences);
    let preview = Box::new(Preview { passages: 2, column: Some(1), ..Preview::default() });
    tell(&mut state, *revision, Answer::Preview(preview));
    act(&mut state, SearchAction::NameTyped("Lines".to_owned()));
    let asked = asks(&act(&mut state, SearchAction::Kept));
    let Ask::Create { name, corpus } = &asked[0].1 else { panic!("{asked:?}") };
    assert_eq!((name.as_str(), state.search.open), ("Lines", Some(*corpus)));
    assert!(*corpus != ID && state.search.draft.is_none() && state.search.pasted.is_empty());
    // Dropped while it is read, the reading is called off.
    let name = "a.csv".to_owned();
    act(&mut state, SearchAction::Brought(Origin::File { name }));
    let effects = act(&mut state, SearchAction::Dropped);
    assert!(requests(&effects).iter().any(|it| matches!(it, Request::Cancel { .. })));
}

#[test]
fn what_fails_is_said_and_not_asked_for_ever() {
    let mut state = complete();
    let asked = queries(&typed(&mut state, "sea"));
    let problem = Problem::Internal { detail: "x".to_owned() };
    let effects = fail(&mut state, asked[0].0, problem.clone());
    assert!(effects.is_empty());
    assert_eq!(state.search.trouble, Some(problem));
    assert_eq!(queries(&typed(&mut state, "sea!")).len(), 1);
    // A worker that died is asked again for the shelf.
    update(&mut state, Action::WorkerDied { message: String::new() }, 0.0);
    let effects = update(&mut state, event(Event::Ready), 1.0);
    assert!(asks(&effects).iter().any(|it| it.1 == Ask::List), "{effects:?}");
}

#[test]
fn hits_leave_as_files_and_passages_for_other_views() {
    let mut state = complete();
    let asked = queries(&typed(&mut state, "sea"));
    tell(&mut state, asked[0].0, hits(1_000));
    let file = |effects: &[Effect]| match effects {
        [Effect::Download { text, .. }] => text.clone(),
        other => panic!("{other:?}"),
    };
    let csv = file(&act(&mut state, SearchAction::HitsSaved(HitsFormat::Csv)));
    assert_eq!(csv.lines().nth(1), Some("1,3,0.500000,,\"passage \"\"3\"\"\""));
    let json = file(&act(&mut state, SearchAction::HitsSaved(HitsFormat::Json)));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["hits"][0]["passage"], "passage \"3\"");
    let asked = asks(&act(&mut state, SearchAction::Sent(Wanted::File(crate::files::Format::Npy))));
    let passages = vec!["a".to_owned(), "b".to_owned()];
    let asked = asks(&tell(
        &mut state,
        asked[0].0,
        Answer::Sentences { corpus: ID, passages: passages.clone() },
    ));
    let answer = Answer::Vectors { corpus: ID, dimensions: 2 };
    let message = Message::with_f32(Event::Search { revision: asked[0].0, answer }, vec![1.0, 0.0]);
    let effects = update(&mut state, Action::Worker(message), 0.0);
    let [Effect::SaveTable { table, .. }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!((table.sentences.len(), table.dimensions), (1, 2));
    let asked = asks(&act(&mut state, SearchAction::Sent(Wanted::Geometry)));
    tell(&mut state, asked[0].0, Answer::Sentences { corpus: ID, passages });
    assert_eq!((state.view, &*state.geometry.source.text), (View::Geometry, "a\nb"));
}
