//! What the page asks of the worker, and what it remembers to have asked.

use crate::catalogue::examples;
use crate::protocol::message::Message;
use crate::protocol::readout::{Lens, Readout, Side};
use crate::protocol::request::{Request, WINDOW_SIDE, Window};
use crate::state::app::{State, Wanted, Worker};
use crate::state::compare::{
    CompareText, Job, ListResult, ListTrouble, MOST_PAIRS, MOST_SENTENCES,
};
use crate::state::effect::Effect;
use crate::state::loading::Loading;
use crate::text::lists::Content;

/// Asks for the wanted model, from store or network, if the worker listens.
pub(super) fn open_wanted(state: &mut State) -> Vec<Effect> {
    if state.worker != Worker::Ready {
        return Vec::new();
    }
    state.interrupted = None;
    let revision = state.revision();
    match state.wanted.clone() {
        Wanted::Picked { name, size_bytes } => {
            state.loading = Some(Loading::new(revision, name.clone(), size_bytes));
            vec![Effect::SendPickedModel { revision, name }]
        }
        Wanted::Default => {
            let Some(model) = state.hosted.first().cloned() else { return Vec::new() };
            state.loading = Some(Loading::new(revision, model.name.clone(), model.size_bytes));
            vec![Effect::Send(Message::plain(Request::Open { revision, source: model.source() }))]
        }
    }
}

/// Asks for the two sentences' cosine.
pub(super) fn ask_pair(state: &mut State) -> Vec<Effect> {
    let readout = ready_readout(state).filter(|_| !state.compare.lacks_sentence());
    let Some(readout) = readout else {
        // Nobody will answer, so the number on show would stay beside sentences it is not of.
        state.compare.pair = None;
        state.compare.pair_pending = None;
        return Vec::new();
    };
    let revision = state.revision();
    state.compare.pair_pending = Some(revision);
    let CompareText { first, second, .. } = state.compare.text.clone();
    vec![send(Request::Pair { revision, first, second, lens: before(readout) })]
}

/// Asks what unrelated sentences score, unless it is known for this readout.
pub(super) fn ask_baseline(state: &mut State) -> Vec<Effect> {
    let Some(readout) = ready_readout(state) else { return Vec::new() };
    let known = state.compare.baseline.is_some_and(|baseline| baseline.readout == readout);
    let asked = state.compare.baseline_pending.is_some_and(|(_, asked)| asked == readout);
    if known {
        // An answer on its way is for a readout that was left again.
        state.compare.baseline_pending = None;
    }
    if known || asked {
        return Vec::new();
    }
    // One readout's cosines say nothing beside another's baseline.
    state.compare.baseline = None;
    let revision = state.revision();
    state.compare.baseline_pending = Some((revision, readout));
    let sentences = examples::UNRELATED.iter().map(|&sentence| sentence.to_owned()).collect();
    vec![send(Request::Baseline { revision, sentences, lens: before(readout) })]
}

/// Asks for the list's matrix or scores; an older list that still runs is given up.
pub(super) fn ask_list(state: &mut State) -> Vec<Effect> {
    let mut effects = cancel_job(state);
    state.compare.cancelled = None;
    let Some(readout) = ready_readout(state) else { return effects };
    match state.compare.trouble {
        // Only another text is worth another try.
        Some(ListTrouble::Crashed) => {
            state.compare.result = None;
            return effects;
        }
        // A file that was not taken says nothing of the list that is there.
        Some(ListTrouble::File { .. }) | None => {}
        Some(ListTrouble::Worker(_) | ListTrouble::TooLong { .. }) => state.compare.trouble = None,
    }
    let total = state.compare.reading.content.len();
    let limit = match state.compare.reading.content {
        Content::Pairs { .. } => MOST_PAIRS,
        Content::Sentences(_) | Content::Empty => MOST_SENTENCES,
    };
    if total > limit {
        state.compare.result = None;
        state.compare.trouble = Some(ListTrouble::TooLong { found: total, limit });
        return effects;
    }
    let revision = state.revision();
    let request = match state.compare.reading.content.clone() {
        Content::Sentences(sentences) if total >= 2 => {
            Request::Group { revision, sentences, lens: before(readout) }
        }
        Content::Pairs { pairs, gold } => {
            Request::Pairs { revision, pairs, gold, lens: before(readout) }
        }
        Content::Empty | Content::Sentences(_) => {
            state.compare.result = None;
            return effects;
        }
    };
    let total = u32::try_from(total).unwrap_or(u32::MAX);
    state.compare.job = Some(Job { revision, done: 0, total, elapsed_ms: 0.0 });
    effects.push(send(request));
    effects
}

/// Everything the view needs, for a new model or a new worker.
pub(super) fn ask_all(state: &mut State) -> Vec<Effect> {
    state.compare.baseline = None;
    state.compare.baseline_pending = None;
    let mut effects = ask_pair(state);
    effects.extend(ask_list(state));
    effects.extend(ask_baseline(state));
    effects
}

/// Gives up the list's request that runs.
pub(super) fn cancel_job(state: &mut State) -> Vec<Effect> {
    let Some(job) = state.compare.job.take() else { return Vec::new() };
    vec![send(Request::Cancel { revision: job.revision })]
}

/// Asks for another window of the matrix.
pub(super) fn ask_window(state: &mut State, row: u32, column: u32) -> Vec<Effect> {
    let Some(ListResult::Group(group)) = &state.compare.result else { return Vec::new() };
    let count = u32::try_from(group.sentences.len()).unwrap_or(u32::MAX);
    let size = WINDOW_SIDE.min(count);
    let window = Window {
        row: row.min(count - size),
        row_count: size,
        column: column.min(count - size),
        column_count: size,
    };
    if window == group.window {
        // One that is on its way was moved away from again.
        state.compare.window_pending = None;
        return Vec::new();
    }
    if !state.can_compute() {
        return Vec::new();
    }
    let group = group.revision;
    let revision = state.revision();
    state.compare.window_pending = Some(revision);
    vec![send(Request::GroupWindow { revision, group, window })]
}

fn ready_readout(state: &State) -> Option<Readout> {
    let model = state.model.as_ref().filter(|_| state.can_compute())?;
    Some(state.compare.readout(model.pooling))
}

fn send(request: Request) -> Effect {
    Effect::Send(Message::plain(request))
}

fn before(readout: Readout) -> Lens {
    Lens { side: Side::Before, readout }
}
