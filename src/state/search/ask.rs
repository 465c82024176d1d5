//! What the view lacks, asked of the worker.

use crate::protocol::readout::Lens;
use crate::protocol::request::Request;
use crate::protocol::search::{Ask, CorpusId, Ingredient, Query, Ranking};
use crate::state::adapters::other;
use crate::state::app::{State, Worker};
use crate::state::effect::Effect;
use crate::state::route::View;
use crate::state::search::{
    FEW, Form, GLOWING, List, MOST_HITS, Origin, PAGE, Part, Sample, Search, Standing, bring,
};

/// Asks for what the view draws and does not have yet.
pub(in crate::state) fn ask(state: &mut State) -> Vec<Effect> {
    if state.worker != Worker::Ready || state.view != View::Search {
        return Vec::new();
    }
    let mut effects = ask_shelf(state);
    effects.extend(bring_sample(state));
    open_some(&mut state.search);
    effects.extend(ask_vectors(state));
    effects.extend(ask_hits(state));
    effects.extend(ask_passages(state));
    effects
}

/// Sends a question about corpora.
pub(super) fn send(state: &mut State, ask: Ask) -> (u32, Effect) {
    let revision = state.revision();
    (revision, Effect::ask(Request::Search { revision, ask }))
}

fn ask_shelf(state: &mut State) -> Vec<Effect> {
    let search = &state.search;
    let is_known = search.shelf.is_some() && !search.is_stale;
    if is_known || search.shelf_asked.is_some() {
        return Vec::new();
    }
    let (revision, effect) = send(state, Ask::List);
    state.search.is_stale = false;
    state.search.shelf_asked = Some(revision);
    vec![effect]
}

/// Where there is no corpus the sample is brought in, once.
fn bring_sample(state: &mut State) -> Vec<Effect> {
    let search = &mut state.search;
    let is_bare = search.shelf.as_ref().is_some_and(Vec::is_empty) && search.draft.is_none();
    if !is_bare || search.sample == Sample::Done {
        return Vec::new();
    }
    search.sample = Sample::Done;
    bring::bring(state, Origin::Sample)
}

/// A corpus that is not there any more makes room for the latest.
fn open_some(search: &mut Search) {
    let Some(shelf) = &search.shelf else { return };
    // One that was just made is not on the shelf yet.
    if search.corpus().is_none() && search.shelf_asked.is_none() {
        let latest = shelf.iter().max_by(|a, b| a.made_ms.total_cmp(&b.made_ms));
        search.open = latest.map(|corpus| corpus.corpus);
    }
}

fn ask_vectors(state: &mut State) -> Vec<Effect> {
    let lens = state.lens();
    let search = &state.search;
    // One after another: the visitor sees one. What is known of the vectors may be old.
    let is_settled = search.shelf_asked.is_none() && search.indexing.is_none();
    // With an adapter on its way, what is on show now is not for long.
    if !is_settled || state.adapters.arriving.is_some() {
        return Vec::new();
    }
    let lens = match search.standing(lens) {
        Some(Standing::Waiting) => lens,
        Some(Standing::Complete) => wanted_other(state),
        _ => None,
    };
    let search = &state.search;
    let (Some(corpus), Some(lens)) = (search.open, lens) else { return Vec::new() };
    let total = search.corpus().map_or(0, |corpus| corpus.passages);
    let (revision, effect) = send(state, Ask::Embed { corpus, lens });
    let indexing = crate::state::search::Indexing {
        revision,
        corpus,
        lens,
        done: 0,
        total,
        resumed: 0,
        elapsed_ms: 0.0,
    };
    state.search.indexing = Some(indexing);
    vec![effect]
}

/// The lens of the other side, where an adapter is attached.
pub(in crate::state) fn other_lens(state: &State) -> Option<Lens> {
    state.adapters.attached.as_ref()?;
    state.lens_of(other(state.adapters.side))
}

impl State {
    /// Whether the open corpus could be embedded on the other side, too, and was not.
    pub fn lacks_other_vectors(&self) -> bool {
        let search = &self.search;
        let corpus = search.corpus().filter(|it| !search.both_wanted.contains(&it.corpus));
        let lens = other_lens(self).filter(|_| search.indexing.is_none());
        corpus
            .zip(lens)
            .is_some_and(|(corpus, lens)| corpus.passages > FEW && !corpus.is_complete(lens))
    }
}

/// The other side's lens, where it is to have vectors and has not.
fn wanted_other(state: &State) -> Option<Lens> {
    let (search, lens) = (&state.search, other_lens(state)?);
    let corpus = search.corpus()?;
    let is_wanted = corpus.passages <= FEW || search.both_wanted.contains(&corpus.corpus);
    let is_free = is_wanted && !search.paused.contains(&corpus.corpus);
    (is_free && !corpus.is_complete(lens)).then_some(lens)
}

/// The query as it stands, if there is one and it can be asked.
fn wanted(state: &State) -> Option<Query> {
    let search = &state.search;
    let (lens, corpus) = (state.lens()?, search.corpus()?.corpus);
    let form = &search.form;
    let with = Form { text: search.settled.clone(), ..form.clone() };
    (!with.is_empty()).then(|| Query {
        corpus,
        lens,
        text: with.text,
        also: ingredients(&with.parts, true),
        unlike: ingredients(&with.parts, false),
        ranking: form.ranking,
        count: form.count.clamp(1, MOST_HITS),
        least_cosine: form.least_cosine,
        filters: form.filters.clone(),
        other: other_lens(state),
    })
}

fn ingredients(parts: &[Part], is_like: bool) -> Vec<Ingredient> {
    let chosen = parts.iter().filter(|part| part.is_like == is_like);
    chosen.map(|part| part.ingredient.clone()).collect()
}

/// The query, then the same by keywords where they are to stand beside it.
fn ask_hits(state: &mut State) -> Vec<Effect> {
    let Some(query) = wanted(state) else {
        let search = &mut state.search;
        search.list = List::default();
        search.beside = List::default();
        search.glows.clear();
        search.glowed = None;
        return Vec::new();
    };
    let words = Query { ranking: Ranking::Keywords, ..query.clone() };
    let is_beside = state.search.form.is_beside && query.ranking != Ranking::Keywords;
    if !state.search.list.has(&query) {
        return vec![ask_list(state, query, |search| &mut search.list)];
    }
    if !is_beside {
        state.search.beside = List::default();
        return Vec::new();
    }
    // The worker answers the newest question alone: one after the other.
    if state.search.list.pending.is_none() && !state.search.beside.has(&words) {
        return vec![ask_list(state, words, |search| &mut search.beside)];
    }
    Vec::new()
}

fn ask_list(state: &mut State, query: Query, list: fn(&mut Search) -> &mut List) -> Effect {
    let (revision, effect) = send(state, Ask::Query(Box::new(query.clone())));
    list(&mut state.search).pending = Some((revision, query));
    effect
}

impl List {
    /// Whether that query was asked last.
    fn has(&self, query: &Query) -> bool {
        match (&self.pending, &self.found) {
            (Some((_, asked)), _) => asked == query,
            (None, Some(found)) => found.query == *query,
            (None, None) => false,
        }
    }

    /// The same is to be asked again: there is more to be found.
    pub(super) fn outdate(&mut self) {
        if self.pending.is_none()
            && let Some(found) = &mut self.found
        {
            // No query has that count.
            found.query.count = 0;
        }
    }
}

/// Passages in their order, where nothing is looked for.
fn ask_passages(state: &mut State) -> Vec<Effect> {
    let search = &state.search;
    let Some(corpus) = search.corpus().map(|corpus| corpus.corpus) else { return Vec::new() };
    let filters = search.form.filters.clone();
    let of = (corpus, filters.clone(), search.browse.from);
    let is_known = search.browse.of.as_ref() == Some(&of);
    if is_known || (!search.form.is_empty() && state.lens().is_some()) {
        return Vec::new();
    }
    let from = search.browse.from;
    let (revision, effect) = send(state, Ask::Browse { corpus, from, count: PAGE, filters });
    state.search.browse.of = Some(of);
    state.search.browse.pending = Some(revision);
    vec![effect]
}

/// Which words of the hits stand closest, once the hits have rested.
pub(super) fn ask_glow(state: &mut State) -> Vec<Effect> {
    let search = &state.search;
    let Some(found) = search.list.found.as_ref().filter(|_| search.list.pending.is_none()) else {
        return Vec::new();
    };
    if search.glowed.as_ref() == Some(&found.query) || found.query.text.trim().is_empty() {
        return Vec::new();
    }
    let hits = found.hits.hits.iter().filter(|hit| hit.cosine.is_some());
    let positions: Vec<u32> = hits.take(GLOWING).map(|hit| hit.position).collect();
    if positions.is_empty() {
        return Vec::new();
    }
    let query = found.query.clone();
    let ask = Ask::Glow { query: Box::new(query.clone()), positions };
    let (revision, effect) = send(state, ask);
    state.search.glow_asked = Some((revision, query));
    vec![effect]
}

/// Whether that corpus is on the shelf.
pub(super) fn is_known(search: &Search, corpus: CorpusId) -> bool {
    search.shelf.as_ref().is_some_and(|shelf| shelf.iter().any(|it| it.corpus == corpus))
}
