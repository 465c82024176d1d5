//! What happens in the view, applied to the state.

use crate::protocol::problem::Problem;
use crate::protocol::search::{Ask, CorpusId, Intake};
use crate::state::action::Action;
use crate::state::app::State;
use crate::state::effect::Effect;
use crate::state::notice::Report;
use crate::state::search::ask::{ask, ask_glow, is_known, send};
use crate::state::search::bring::bring;
use crate::state::search::export::{csv, json};
use crate::state::search::{
    Browse, Errand, Form, HitsFormat, MOST_HITS, SearchAction, Stage, Wanted, column_of,
};

/// Pause between the last keystroke and asking.
const SETTLE_MS: u32 = 90;
/// Applies what happened, and asks for what the view lacks then.
pub(in crate::state) fn update(state: &mut State, action: SearchAction) -> Vec<Effect> {
    let mut effects = apply(state, action);
    effects.extend(ask(state));
    effects
}

fn apply(state: &mut State, action: SearchAction) -> Vec<Effect> {
    let search = &mut state.search;
    match action {
        SearchAction::Entered(seed) => {
            if search.seed == 0 {
                search.seed = seed;
            }
        }
        SearchAction::PasteTyped(text) => search.pasted = text,
        SearchAction::Brought(origin) => return bring(state, origin),
        SearchAction::BringingFailed { revision, detail } => {
            if let Some(draft) = search.draft.as_mut().filter(|draft| draft.revision == revision) {
                let name = draft.intake.name.clone();
                draft.stage = Stage::Failed(Problem::Unreadable { name, detail });
            }
        }
        SearchAction::CutChosen(cut) => return read_anew(state, |intake| intake.cut = cut),
        SearchAction::ColumnChosen(column) => {
            return read_anew(state, |intake| intake.column = Some(column));
        }
        SearchAction::RepeatsChosen(drop) => {
            return read_anew(state, |intake| intake.drop_repeated = drop);
        }
        SearchAction::NameTyped(name) => {
            search.draft.iter_mut().for_each(|draft| draft.name.clone_from(&name));
        }
        SearchAction::Kept => return keep(state),
        SearchAction::Dropped => return drop_draft(state),
        SearchAction::Opened(corpus) => open(state, corpus),
        SearchAction::Renamed(corpus, name) => {
            let name = name.trim().to_owned();
            let asks = !name.is_empty() && is_known(search, corpus);
            return tell_shelf(state, asks.then_some(Ask::Rename { corpus, name }));
        }
        SearchAction::DeletionAsked(corpus) => search.deleting = corpus,
        SearchAction::Deleted(corpus) => return delete(state, corpus),
        SearchAction::Paused => return pause(state),
        SearchAction::Resumed => {
            let open = search.open;
            search.paused.retain(|paused| Some(*paused) != open);
            search.allowed.extend(open);
            search.trouble = None;
        }
        SearchAction::BothWanted => search.both_wanted.extend(search.open),
        SearchAction::QueryTyped(text) => return type_query(state, text),
        SearchAction::QuerySettled(count) => {
            if count == search.typed_count {
                search.settled = search.form.text.clone();
            }
        }
        SearchAction::RankingChosen(ranking) => search.form.ranking = ranking,
        SearchAction::BesideChosen(is_beside) => search.form.is_beside = is_beside,
        SearchAction::CountChosen(count) => search.form.count = count.clamp(1, MOST_HITS),
        SearchAction::LeastChosen(least) => {
            search.form.least_cosine = least.filter(|least| (-1.0..=1.0).contains(least));
        }
        SearchAction::PartAdded(part) => {
            search.form.parts.retain(|known| known.ingredient != part.ingredient);
            search.form.parts.push(part);
        }
        SearchAction::PartRemoved(place) => {
            if place < search.form.parts.len() {
                search.form.parts.remove(place);
            }
        }
        SearchAction::FilterChosen(column, filter) => {
            search.form.filters.retain(|known| column_of(known) != column);
            search.form.filters.extend(filter);
            search.browse.from = 0;
        }
        SearchAction::FiltersCleared => {
            search.form.filters.clear();
            search.browse.from = 0;
        }
        SearchAction::Cleared => {
            search.form = Form {
                ranking: search.form.ranking,
                count: search.form.count,
                is_beside: search.form.is_beside,
                ..Form::default()
            };
            search.settled.clear();
        }
        SearchAction::Browsed(from) => search.browse.from = from,
        SearchAction::GlowDue(count) => {
            if count == search.typed_count {
                return ask_glow(state);
            }
        }
        SearchAction::PassageCopied(text) => {
            return vec![Effect::Copy { text, is_fragment: false, report: Report::Copied }];
        }
        SearchAction::HitsSaved(format) => return save_hits(state, format),
        SearchAction::Sent(wanted) => return send_on(state, wanted),
        SearchAction::TroubleDismissed => search.trouble = None,
    }
    Vec::new()
}

/// Reads the same bytes in another way.
fn read_anew(state: &mut State, change: impl FnOnce(&mut Intake)) -> Vec<Effect> {
    let Some(draft) = &mut state.search.draft else { return Vec::new() };
    change(&mut draft.intake);
    let intake = draft.intake.clone();
    let (revision, effect) = send(state, Ask::Read { intake });
    if let Some(draft) = &mut state.search.draft {
        draft.revision = revision;
        draft.stage = Stage::Reading { done_bytes: 0, total_bytes: 0 };
    }
    vec![effect]
}

/// The draft becomes a corpus, and the one on show.
pub(super) fn keep(state: &mut State) -> Vec<Effect> {
    let search = &mut state.search;
    let Some(draft) = search.draft.take_if(|draft| matches!(draft.stage, Stage::Ready(_))) else {
        return Vec::new();
    };
    let corpus = search.draw();
    let name = draft.name.trim().to_owned();
    if draft.intake.name.is_none() {
        // It is in the store now, or in the worker's memory.
        search.pasted.clear();
    }
    open(state, corpus);
    tell_shelf(state, Some(Ask::Create { corpus, name }))
}

fn drop_draft(state: &mut State) -> Vec<Effect> {
    let Some(draft) = state.search.draft.take() else { return Vec::new() };
    let is_reading = matches!(draft.stage, Stage::Reading { .. });
    let revision = draft.revision;
    let cancel = crate::protocol::request::Request::Cancel { revision };
    is_reading.then(|| Effect::ask(cancel)).into_iter().collect()
}

/// Shows a corpus; what was chosen of another's columns and passages does not fit it.
fn open(state: &mut State, corpus: CorpusId) {
    let search = &mut state.search;
    if search.open == Some(corpus) {
        return;
    }
    search.open = Some(corpus);
    search.form.filters.clear();
    search.form.parts.clear();
    search.browse = Browse::default();
    search.list.found = None;
    search.beside.found = None;
    search.glows.clear();
    search.deleting = None;
}

/// Sends what is answered by the shelf.
fn tell_shelf(state: &mut State, ask: Option<Ask>) -> Vec<Effect> {
    let Some(ask) = ask else { return Vec::new() };
    let (revision, effect) = send(state, ask);
    state.search.shelf_asked = Some(revision);
    vec![effect]
}

fn delete(state: &mut State, corpus: CorpusId) -> Vec<Effect> {
    let search = &mut state.search;
    search.deleting = None;
    search.indexing.take_if(|indexing| indexing.corpus == corpus);
    search.paused.retain(|paused| *paused != corpus);
    if let Some(shelf) = &mut search.shelf {
        shelf.retain(|known| known.corpus != corpus);
    }
    if search.open == Some(corpus) {
        search.open = None;
        search.list.found = None;
        search.beside.found = None;
        search.browse = Browse::default();
        search.form.filters.clear();
        search.form.parts.clear();
    }
    tell_shelf(state, Some(Ask::Delete { corpus }))
}

fn pause(state: &mut State) -> Vec<Effect> {
    let search = &mut state.search;
    let Some(corpus) = search.indexing.as_ref().map(|indexing| indexing.corpus) else {
        return Vec::new();
    };
    if !search.paused.contains(&corpus) {
        search.paused.push(corpus);
    }
    tell_shelf(state, Some(Ask::Pause { corpus }))
}

fn type_query(state: &mut State, text: String) -> Vec<Effect> {
    let search = &mut state.search;
    search.form.text = text;
    search.typed_count += 1;
    let action = Action::Search(SearchAction::QuerySettled(search.typed_count));
    vec![Effect::After { pause_ms: SETTLE_MS, action }]
}

fn save_hits(state: &State, format: HitsFormat) -> Vec<Effect> {
    let search = &state.search;
    let Some((found, corpus)) = search.list.found.as_ref().zip(search.corpus()) else {
        return Vec::new();
    };
    vec![match format {
        HitsFormat::Csv => Effect::Download {
            name: "simcse-search.csv".to_owned(),
            mime: "text/csv",
            text: csv(found, corpus),
        },
        HitsFormat::Json => Effect::Download {
            name: "simcse-search.json".to_owned(),
            mime: "application/json",
            text: json(found, corpus),
        },
    }]
}

/// Texts, then vectors where a file of them is wanted, on their way to somewhere else.
fn send_on(state: &mut State, wanted: Wanted) -> Vec<Effect> {
    let Some(corpus) = state.search.open.filter(|_| state.search.errand.is_none()) else {
        return Vec::new();
    };
    let lens = state.lens();
    let (revision, effect) = send(state, Ask::Sentences { corpus });
    state.search.errand = Some(Errand { revision, wanted, passages: None, lens });
    vec![effect]
}
