//! What the worker says about corpora, applied to the state.

use std::sync::Arc;

use crate::files::{Format, Table};
use crate::protocol::Revision;
use crate::protocol::problem::Problem;
use crate::protocol::search::{Answer, Ask, Hits, Preview, RestReason};
use crate::state::action::Action;
use crate::state::app::State;
use crate::state::effect::Effect;
use crate::state::fine_tune::FineTuneAction;
use crate::state::geometry::GeometryAction;
use crate::state::route::{Route, View};
use crate::state::search::ask::{ask, send};
use crate::state::search::update::keep;
use crate::state::search::{Found, List, Search, SearchAction, Stage, Wanted};
use crate::state::{fine_tune, geometry};

/// Hits rest so long before their words are looked at.
const GLOW_MS: u32 = 350;
/// Numbers of files of this view, so that no other view takes them for its own.
const FIRST_FILE: u32 = 1 << 30;

/// Takes an answer; those to superseded questions are dropped by their revision.
pub(in crate::state) fn take(
    state: &mut State,
    revision: Revision,
    answer: Answer,
    numbers: Vec<f32>,
) -> Vec<Effect> {
    let mut effects = apply(state, revision, answer, numbers);
    effects.extend(ask(state));
    effects
}

fn apply(state: &mut State, revision: Revision, answer: Answer, numbers: Vec<f32>) -> Vec<Effect> {
    let search = &mut state.search;
    match answer {
        Answer::Reading { done_bytes, total_bytes } => {
            if let Some(draft) = search.draft.as_mut().filter(|draft| draft.revision == revision) {
                draft.stage = Stage::Reading { done_bytes, total_bytes };
            }
        }
        Answer::Preview(preview) => return take_preview(state, revision, preview),
        Answer::Shelf { corpora, usage } => {
            // A later one is on its way where something was changed since.
            if search.shelf_asked.take_if(|asked| *asked == revision).is_some() {
                search.shelf = Some(corpora);
                search.usage = usage;
            }
        }
        Answer::Indexing { corpus, done, total, resumed, elapsed_ms, .. } => {
            let running = search.indexing.as_mut().filter(|it| it.revision == revision);
            if let Some(indexing) = running {
                (indexing.done, indexing.total) = (done, total);
                (indexing.resumed, indexing.elapsed_ms) = (resumed, elapsed_ms);
                search.rate = indexing.per_s().or(search.rate);
                let is_shown = search.open == Some(corpus);
                if is_shown && grew(&search.list, done) {
                    search.list.outdate();
                    search.beside.outdate();
                }
            }
        }
        Answer::Rests { reason, .. } => return take_rest(state, revision, reason),
        Answer::Hits(hits) => return take_hits(search, revision, *hits),
        Answer::Glows { glows } => {
            if let Some((_, query)) = search.glow_asked.take_if(|asked| asked.0 == revision) {
                search.glows = glows.into_iter().map(|glow| (glow.position, glow)).collect();
                search.glowed = Some(query);
            }
        }
        Answer::Passages { from, total, passages } => {
            if search.browse.pending.take_if(|asked| *asked == revision).is_some() {
                (search.browse.from, search.browse.total) = (from, total);
                search.browse.passages = passages;
            }
        }
        Answer::Vectors { dimensions, .. } => {
            return take_vectors(search, revision, dimensions as usize, numbers);
        }
        Answer::Sentences { passages, .. } => return take_passages(state, revision, passages),
        Answer::NotKept { corpus, .. } => {
            if !search.not_kept.contains(&corpus) {
                search.not_kept.push(corpus);
            }
        }
    }
    Vec::new()
}

/// Whether there are so many more vectors than were searched that it pays to look again.
fn grew(list: &List, done: u32) -> bool {
    let searched = list.found.as_ref().map_or(0, |found| found.hits.searched);
    done > searched.saturating_add(searched / 4).max(searched + 64)
}

fn take_preview(state: &mut State, revision: Revision, preview: Box<Preview>) -> Vec<Effect> {
    let draft = state.search.draft.as_mut().filter(|draft| draft.revision == revision);
    let Some(draft) = draft else { return Vec::new() };
    draft.intake.column = preview.column;
    draft.stage = Stage::Ready(preview);
    if draft.is_sample { keep(state) } else { Vec::new() }
}

/// The shelf knows how many passages have vectors now.
fn take_rest(state: &mut State, revision: Revision, reason: RestReason) -> Vec<Effect> {
    let search = &mut state.search;
    let Some(ended) = search.indexing.take_if(|it| it.revision == revision) else {
        return Vec::new();
    };
    if reason == RestReason::EmbedderChanged {
        search.allowed.retain(|allowed| *allowed != ended.corpus);
    }
    if reason == RestReason::Complete {
        search.list.outdate();
        search.beside.outdate();
    }
    // Until it says otherwise, it would be asked for again.
    search.shelf = search.shelf.take().map(|mut shelf| {
        for corpus in shelf.iter_mut().filter(|corpus| corpus.corpus == ended.corpus) {
            if reason == RestReason::Complete {
                corpus
                    .row_sets
                    .iter_mut()
                    .filter(|set| set.fits == Some(ended.lens))
                    .for_each(|set| set.done = ended.total);
            }
        }
        shelf
    });
    if reason != RestReason::Paused {
        let (asked, effect) = send(state, Ask::List);
        state.search.shelf_asked = Some(asked);
        return vec![effect];
    }
    Vec::new()
}

fn take_hits(search: &mut Search, revision: Revision, hits: Hits) -> Vec<Effect> {
    if let Some((_, query)) = search.beside.pending.take_if(|asked| asked.0 == revision) {
        search.beside.found = Some(Found { query, hits });
        return Vec::new();
    }
    let Some((_, query)) = search.list.pending.take_if(|asked| asked.0 == revision) else {
        return Vec::new();
    };
    let is_same = search.glowed.as_ref().is_some_and(|glowed| glowed.text == query.text);
    if !is_same {
        search.glows.clear();
    }
    search.list.found = Some(Found { query, hits });
    search.trouble = None;
    let action = Action::Search(SearchAction::GlowDue(search.typed_count));
    vec![Effect::After { pause_ms: GLOW_MS, action }]
}

fn take_passages(state: &mut State, revision: Revision, passages: Vec<String>) -> Vec<Effect> {
    let search = &mut state.search;
    let Some(mut errand) = search.errand.take_if(|errand| errand.revision == revision) else {
        return Vec::new();
    };
    let view = match errand.wanted {
        Wanted::Compare => View::Compare,
        Wanted::Geometry => View::Geometry,
        Wanted::FineTune => View::FineTune,
        Wanted::File(_) => {
            let Some((lens, corpus)) = errand.lens.zip(search.open) else { return Vec::new() };
            let (asked, effect) = send(state, Ask::Vectors { corpus, lens });
            errand.revision = asked;
            errand.passages = Some(passages);
            state.search.errand = Some(errand);
            return vec![effect];
        }
    };
    let text = passages.join("\n");
    state.view = view;
    let mut effects = vec![Effect::ShowFragment(Route { view, ..Route::default() }.to_fragment())];
    effects.extend(match view {
        View::Geometry => geometry::update::update(state, GeometryAction::Typed(text)),
        View::FineTune => fine_tune::update::update(state, FineTuneAction::Typed(text)),
        _ => vec![Effect::After { pause_ms: 0, action: Action::ListTyped(text) }],
    });
    effects
}

fn take_vectors(
    search: &mut Search,
    revision: Revision,
    dimensions: usize,
    vectors: Vec<f32>,
) -> Vec<Effect> {
    let Some(errand) = search.errand.take_if(|errand| errand.revision == revision) else {
        return Vec::new();
    };
    let Wanted::File(format) = errand.wanted else { return Vec::new() };
    let mut sentences = errand.passages.unwrap_or_default();
    // While a corpus is still embedded, the first passages have vectors.
    sentences.truncate(vectors.len() / dimensions.max(1));
    let table = Table { sentences: sentences.into(), topics: Vec::new(), dimensions, vectors };
    search.export_count += 1;
    vec![Effect::SaveTable {
        number: FIRST_FILE + search.export_count,
        name: file_name(format),
        format,
        table: Arc::new(table),
    }]
}

fn file_name(format: Format) -> String {
    format!("simcse-corpus{}", format.ending())
}

/// Whether a request that failed was this view's.
pub(in crate::state) fn take_failure(
    state: &mut State,
    revision: Revision,
    problem: &Problem,
) -> Option<Vec<Effect>> {
    let search = &mut state.search;
    if let Some(draft) = search.draft.as_mut().filter(|draft| draft.revision == revision) {
        draft.stage = Stage::Failed(problem.clone());
        return Some(Vec::new());
    }
    let own = search.list.pending.take_if(|it| it.0 == revision);
    let beside = search.beside.pending.take_if(|it| it.0 == revision);
    if let Some((_, query)) = own.or(beside) {
        // The same is not asked again by itself.
        search.beside.found = None;
        search.list.found = Some(Found { query, hits: Hits::default() });
        search.trouble = Some(problem.clone());
        return Some(Vec::new());
    }
    if let Some(ended) = search.indexing.take_if(|it| it.revision == revision) {
        search.paused.push(ended.corpus);
        search.trouble = Some(problem.clone());
        let (asked, effect) = send(state, Ask::List);
        state.search.shelf_asked = Some(asked);
        return Some(vec![effect]);
    }
    if search.glow_asked.take_if(|it| it.0 == revision).is_some() {
        return Some(Vec::new());
    }
    let is_ours = search.browse.pending.take_if(|it| *it == revision).is_some()
        || search.errand.take_if(|it| it.revision == revision).is_some();
    let is_shelf = search.shelf_asked.take_if(|it| *it == revision).is_some();
    if is_ours || is_shelf {
        search.trouble = Some(problem.clone());
        // Nothing is asked again for it: it would fail again.
        return Some(Vec::new());
    }
    None
}

/// A request was superseded or given up.
pub(in crate::state) fn take_cancelled(search: &mut Search, revision: Revision) {
    search.list.pending.take_if(|it| it.0 == revision);
    search.beside.pending.take_if(|it| it.0 == revision);
    search.glow_asked.take_if(|it| it.0 == revision);
}
