//! The fine-tune's life: start, orders, handing adapters over, keeping them.

use std::sync::Arc;

use crate::protocol::message::{Bulk, Message};
use crate::protocol::recipe::Recipe;
use crate::protocol::request::{AdapterSource, Request};
use crate::protocol::training::Order;
use crate::state::app::State;
use crate::state::effect::Effect;
use crate::state::fine_tune::plan::{plan, uses_own_scores};
use crate::state::fine_tune::run::{Keep, Phase, Run};
use crate::state::saved::Saved;
use crate::state::trainer::{Stage, life};

/// Adapters up to this size are kept in the browser's store while training goes on; larger ones are
/// kept when it is over.
const MOST_ROLLING_BYTES: usize = 16_000_000;

/// Starts a fine-tune in the trainer, from the model or from an adapter.
pub(super) fn start(
    state: &mut State,
    recipe: Recipe,
    begin_with: Option<Arc<[u8]>>,
) -> Vec<Effect> {
    let fine_tune = &mut state.fine_tune;
    let plan = plan(fine_tune, recipe.clone());
    let run = Run {
        revision: 0,
        recipe,
        examples: plan.examples.len(),
        pins: plan.probe.pinned.clone(),
        probe: fine_tune.probe(),
        own_scores: uses_own_scores(fine_tune),
        scored_pairs: plan.probe.scored.len(),
        goes_on: begin_with.is_some(),
        plan: Some(Box::new(plan)),
        begin_with,
        phase: Phase::Starting,
        base_sha256: None,
        outline: None,
        steps: Vec::new(),
        trail: Vec::new(),
        at: 0,
        chosen: None,
        used: None,
        slot: None,
    };
    let before = fine_tune.run.replace(run);
    // A run that measured nothing is not worth going back to.
    let before = before.filter(|run| !run.trail.is_empty());
    fine_tune.previous = before.map(Box::new).or(fine_tune.previous.take());
    let model = state.model.as_ref().map_or("", |model| &model.sha256);
    if state.trainer.has(model) {
        return train(state);
    }
    let phase = match &state.trainer.stage {
        Stage::Absent | Stage::Open { .. } => return vec![life::start(state)],
        Stage::Starting => Phase::Starting,
        Stage::Opening(_) => Phase::Loading,
    };
    if let Some(run) = &mut state.fine_tune.run {
        run.phase = phase;
    }
    Vec::new()
}

/// The trainer has the model: the fine-tune that waits for it begins.
pub(in crate::state) fn train(state: &mut State) -> Vec<Effect> {
    let Stage::Open { sha256 } = state.trainer.stage.clone() else { return Vec::new() };
    let revision = state.revision();
    let Some(run) = &mut state.fine_tune.run else { return Vec::new() };
    let Some(plan) = run.plan.take() else { return Vec::new() };
    run.revision = revision;
    run.phase = Phase::Preparing;
    run.base_sha256 = Some(sha256);
    let bulk = run.begin_with.take().map(|bytes| Bulk::Bytes(bytes.to_vec()));
    let head = Request::Train { revision, plan };
    vec![life::ask(state, Message { head, bulk: bulk.into_iter().collect() })]
}

/// An order to the fine-tune that runs, and what it is doing until the trainer has obeyed.
pub(super) fn steer(state: &mut State, order: Order) -> Vec<Effect> {
    let Some(run) = state.fine_tune.run.as_mut().filter(|run| run.phase.takes_orders()) else {
        return Vec::new();
    };
    run.phase = match order {
        Order::Pause => Phase::Pausing,
        Order::Stop => Phase::Stopping,
        Order::Restore { step } => Phase::Restoring { step },
        Order::Resume => {
            run.forget_what_was_undone();
            Phase::Running
        }
    };
    vec![Effect::SendTrainer(Message::plain(Request::Steer { revision: run.revision, order }))]
}

/// Gives the fine-tune up: before it has begun there is nothing to keep.
pub(super) fn stop(state: &mut State) -> Vec<Effect> {
    let Some(run) = &mut state.fine_tune.run else { return Vec::new() };
    if matches!(run.phase, Phase::Starting | Phase::Loading | Phase::Preparing) {
        state.fine_tune.run = state.fine_tune.previous.take().map(|run| *run);
        return vec![life::end(state)];
    }
    steer(state, Order::Stop)
}

/// Name of the adapter of a step, for the shelf and for the file.
pub(super) fn name_of(run: &Run, step: u32) -> String {
    format!("fine-tune, {} examples, step {step}", run.examples)
}

/// Gives an adapter to the rest of the page.
pub(super) fn hand_over(state: &mut State, step: u32, bytes: &[u8], name: String) -> Vec<Effect> {
    let source = AdapterSource::Given { name };
    let revision = state.revision();
    state.fine_tune.attaching = Some((revision, step));
    vec![with_bytes(Request::Attach { revision, source }, bytes)]
}

fn with_bytes(head: Request, bytes: &[u8]) -> Effect {
    Effect::Send(Message { head, bulk: vec![Bulk::Bytes(bytes.to_vec())] })
}

/// The chosen checkpoint goes to the rest of the page, and onto the visitor's shelf: what the store
/// holds of it already is no longer this view's to forget.
pub(super) fn use_chosen(state: &mut State) -> Vec<Effect> {
    let Some(run) = &state.fine_tune.run else { return Vec::new() };
    let Some((step, bytes)) = run.chosen_adapter() else { return Vec::new() };
    let name = name_of(run, step);
    let slot = run.slot.clone();
    let is_this = |kept: &mut Keep| kept.step == step && slot.as_ref() == Some(&kept.sha256);
    let mut effects = Vec::new();
    if state.fine_tune.kept.take_if(is_this).is_none() {
        let head = Request::KeepAdapter { revision: state.revision() };
        effects.push(with_bytes(head, &bytes));
    }
    effects.extend(hand_over(state, step, &bytes, name));
    effects
}

/// Keeps the latest checkpoint in the browser's store, in the place of the one before. What lies
/// there, or is on its way, is only noted as final once the run is over: two writers of one file
/// would be refused.
pub(super) fn keep_latest(state: &mut State) -> Vec<Effect> {
    let fine_tune = &mut state.fine_tune;
    let Some(run) = &fine_tune.run else { return Vec::new() };
    let is_over = !run.phase.is_live();
    let Some((step, bytes)) = run
        .trail
        .get(run.place())
        .and_then(|point| Some((point.measures.step, point.adapter.clone()?)))
        .filter(|(_, bytes)| is_over || bytes.len() <= MOST_ROLLING_BYTES)
    else {
        return Vec::new();
    };
    let coming = fine_tune.keeping.as_mut().map(|(_, keep)| keep);
    let there = fine_tune.kept.as_mut().filter(|kept| run.slot.as_ref() == Some(&kept.sha256));
    if let Some(keep) = coming.or(there).filter(|keep| keep.step == step) {
        keep.is_over = is_over;
        return vec![Effect::Save(Saved::of(state).to_json())];
    }
    let recipe = run.recipe.clone();
    let revision = state.revision();
    let keep = Keep { sha256: String::new(), step, is_over, recipe };
    state.fine_tune.keeping = Some((revision, keep));
    vec![with_bytes(Request::KeepAdapter { revision }, &bytes)]
}
