//! What the page asks of the worker, and what it remembers to have asked.

use crate::catalogue::examples;
use crate::protocol::readout::{Lens, Side};

use crate::protocol::message::Message;
use crate::protocol::request::{ModelSource, Request, WINDOW_SIDE, Window};
use crate::state::adapters::attach::attach_wanted;
use crate::state::adapters::other;
use crate::state::app::{State, Wanted, Worker};
use crate::state::compare::{
    CompareText, Job, ListResult, ListTrouble, MOST_PAIRS, MOST_SENTENCES, PairSlot,
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
    if std::mem::take(&mut state.is_pulling) {
        let mut effects = vec![Effect::EndPuller];
        effects.extend(open_wanted(state));
        return effects;
    }
    let revision = state.revision();
    match state.wanted.clone() {
        Wanted::Picked { name, size_bytes } => {
            state.loading = Some(Loading::new(revision, name.clone(), size_bytes));
            vec![Effect::SendPickedModel { revision, name }]
        }
        Wanted::Kept { name, sha256, size_bytes } => {
            state.loading = Some(Loading::new(revision, name.clone(), size_bytes));
            let source = ModelSource::Kept { name, sha256, size_bytes };
            vec![Effect::ask(Request::Open { revision, source })]
        }
        Wanted::Pulled { pull } => {
            state.loading = Some(Loading::new(revision, pull.repository.clone(), 0));
            state.is_pulling = true;
            let source = ModelSource::Pulled { pull };
            vec![Effect::Pull(Message::plain(Request::Open { revision, source }))]
        }
        Wanted::Files { name, size_bytes, wish } => {
            state.loading = Some(Loading::new(revision, name, size_bytes));
            state.is_pulling = true;
            vec![Effect::PullFiles { revision, wish }]
        }
        Wanted::Default => {
            let Some(model) = state.hosted.first().cloned() else { return Vec::new() };
            state.loading = Some(Loading::new(revision, model.name.clone(), model.size_bytes));
            let mut effects = vec![Effect::ask(Request::Open { revision, source: model.source() })];
            // Fetched beside its model, it is there when the model is.
            effects.extend(attach_wanted(state));
            state.settle_side();
            effects
        }
    }
}

/// Asks for the two sentences' cosine: the side on show first, then the other one, if there is one.
pub(super) fn ask_pair(state: &mut State) -> Vec<Effect> {
    let side = state.adapters.side;
    let mut effects = ask_pair_of(state, side);
    effects.extend(ask_pair_of(state, other(side)));
    effects
}

/// Asks for what is not known, nor on its way, of the two sentences on either side.
pub(super) fn ask_missing_pairs(state: &mut State) -> Vec<Effect> {
    let side = state.adapters.side;
    let mut effects = Vec::new();
    for side in [side, other(side)] {
        let slot =
            if side == state.adapters.side { &state.compare.shown } else { &state.compare.other };
        if slot.lens.is_none() || slot.lens != state.lens_of(side) {
            effects.extend(ask_pair_of(state, side));
        }
    }
    effects
}

/// Asks for the two sentences' cosine on one side.
pub(super) fn ask_pair_of(state: &mut State, side: Side) -> Vec<Effect> {
    let is_there = side == state.adapters.side || state.adapters.attached.is_some();
    let lens = ready_lens(state, side).filter(|_| is_there && !state.compare.lacks_sentence());
    let revision = state.revision();
    let compare = &mut state.compare;
    let slot = if side == state.adapters.side { &mut compare.shown } else { &mut compare.other };
    let Some(lens) = lens else {
        // Nobody will answer, so the number on show would stay beside sentences it is not of.
        *slot = PairSlot { problem: slot.problem.take(), ..PairSlot::default() };
        return Vec::new();
    };
    slot.pending = Some(revision);
    slot.lens = Some(lens);
    let CompareText { first, second, .. } = compare.text.clone();
    vec![Effect::ask(Request::Pair { revision, first, second, lens })]
}

/// Shows what unrelated sentences score; asks for it unless it is known for these weights and this
/// readout.
pub(super) fn ask_baseline(state: &mut State) -> Vec<Effect> {
    let Some(lens) = ready_lens(state, state.adapters.side) else { return Vec::new() };
    // One readout's cosines say nothing beside another's baseline.
    let known = state.compare.baselines.iter().find(|baseline| baseline.lens == lens);
    state.compare.baseline = known.copied();
    let asked = state.compare.baselines_pending.iter().any(|(_, of)| *of == lens);
    if state.compare.baseline.is_some() || asked {
        return Vec::new();
    }
    let revision = state.revision();
    state.compare.baselines_pending.push((revision, lens));
    let sentences = examples::UNRELATED.iter().map(|&sentence| sentence.to_owned()).collect();
    vec![Effect::ask(Request::Baseline { revision, sentences, lens })]
}

/// Forgets what was measured on a side, for its weights are others now.
pub(super) fn forget_side(state: &mut State, side: Side) {
    let compare = &mut state.compare;
    compare.baselines.retain(|baseline| baseline.lens.side != side);
    compare.baselines_pending.retain(|(_, lens)| lens.side != side);
    compare.result_lens.take_if(|lens| lens.side == side);
    compare.stash.take_if(|(lens, _)| lens.side == side);
    for slot in [&mut compare.shown, &mut compare.other] {
        slot.lens.take_if(|lens| lens.side == side);
    }
    if let Some(job) = compare.job.as_mut().filter(|job| job.lens.side == side) {
        // The worker begins it anew with the new weights.
        job.done = 0;
    }
}

/// Shows the list as the side on show reads it, from memory where it is known. Where it is not and
/// `may_ask`, asks for it.
pub(super) fn show_list(state: &mut State, may_ask: bool) -> Vec<Effect> {
    let Some(lens) = ready_lens(state, state.adapters.side) else { return Vec::new() };
    let compare = &mut state.compare;
    let on_its_way = compare.job.is_some_and(|job| job.lens == lens);
    // What the visitor gave up does not start again by itself.
    let is_due = may_ask && !on_its_way && compare.cancelled.is_none();
    if compare.result_lens == Some(lens) || compare.bring_back(lens) || !is_due {
        return Vec::new();
    }
    ask_list(state)
}

/// Asks for the list's matrix or scores; an older list that still runs is given up.
pub(super) fn ask_list(state: &mut State) -> Vec<Effect> {
    let mut effects = cancel_job(state);
    state.compare.cancelled = None;
    let Some(lens) = ready_lens(state, state.adapters.side) else { return effects };
    match state.compare.trouble {
        // Only another text is worth another try.
        Some(ListTrouble::Crashed) => {
            state.compare.drop_result();
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
        state.compare.drop_result();
        state.compare.trouble = Some(ListTrouble::TooLong { found: total, limit });
        return effects;
    }
    let revision = state.revision();
    let request = match state.compare.reading.content.clone() {
        Content::Sentences(sentences) if total >= 2 => Request::Group { revision, sentences, lens },
        Content::Pairs { pairs, gold } => Request::Pairs { revision, pairs, gold, lens },
        Content::Empty | Content::Sentences(_) => {
            state.compare.drop_result();
            return effects;
        }
    };
    let total = u32::try_from(total).unwrap_or(u32::MAX);
    state.compare.job = Some(Job { revision, lens, done: 0, total, elapsed_ms: 0.0 });
    effects.push(Effect::ask(request));
    effects
}

/// Everything the view needs, for a new model or a new worker.
pub(super) fn ask_all(state: &mut State) -> Vec<Effect> {
    let mut effects = ask_pair(state);
    effects.extend(ask_list(state));
    effects.extend(ask_baseline(state));
    effects
}

/// Gives up the list's request that runs.
pub(super) fn cancel_job(state: &mut State) -> Vec<Effect> {
    let Some(job) = state.compare.job.take() else { return Vec::new() };
    vec![Effect::ask(Request::Cancel { revision: job.revision })]
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
    vec![Effect::ask(Request::GroupWindow { revision, group, window })]
}

fn ready_lens(state: &State, side: Side) -> Option<Lens> {
    if state.can_compute() { state.lens_of(side) } else { None }
}
