//! The fine-tune's life: start, orders, handing adapters over, keeping them.

use std::sync::Arc;

use crate::protocol::message::{Bulk, Message};
use crate::protocol::recipe::Recipe;
use crate::protocol::request::{AdapterSource, Request};
use crate::protocol::training::Order;
use crate::state::app::{State, Wanted};
use crate::state::effect::Effect;
use crate::state::fine_tune::plan::{plan, uses_own_scores};
use crate::state::fine_tune::run::{Keep, Phase, Run};
use crate::state::loading::Loading;

/// Adapters up to this size are kept in the browser's store while training goes on; larger ones are
/// kept when it is over.
const MOST_ROLLING_BYTES: usize = 16_000_000;

/// Starts a fine-tune in a worker of its own, from the model or from an adapter.
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
        loading: None,
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
    vec![Effect::StartTrainer]
}

/// Asks the trainer for the model that the page uses.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    let revision = state.revision();
    let (name, size_bytes, effect) = match state.wanted.clone() {
        Wanted::Picked { name, size_bytes } => {
            (name.clone(), size_bytes, Effect::SendTrainerPickedModel { revision, name })
        }
        Wanted::Default => {
            let Some(model) = state.hosted.first() else { return Vec::new() };
            let request = Request::Open { revision, source: model.source() };
            let effect = Effect::SendTrainer(Message::plain(request));
            (model.name.clone(), model.size_bytes, effect)
        }
    };
    let Some(run) = &mut state.fine_tune.run else { return Vec::new() };
    run.revision = revision;
    run.loading = Some(Loading::new(revision, name, size_bytes));
    run.phase = Phase::Loading;
    vec![effect]
}

/// The model is open: training begins.
pub(super) fn train(state: &mut State) -> Vec<Effect> {
    let revision = state.revision();
    let Some(run) = &mut state.fine_tune.run else { return Vec::new() };
    let Some(plan) = run.plan.take() else { return Vec::new() };
    run.revision = revision;
    run.phase = Phase::Preparing;
    run.loading = None;
    let bulk = run.begin_with.take().map(|bytes| Bulk::Bytes(bytes.to_vec()));
    let head = Request::Train { revision, plan };
    vec![Effect::SendTrainer(Message { head, bulk: bulk.into_iter().collect() })]
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
        return vec![Effect::EndTrainer];
    }
    steer(state, Order::Stop)
}

/// Name of the adapter of a step, for the shelf and for the file.
pub(super) fn name_of(run: &Run, step: u32) -> String {
    format!("fine-tune, {} examples, step {step}", run.examples)
}

/// Gives an adapter to the rest of the page, and keeps it for later visits.
pub(super) fn hand_over(
    state: &mut State,
    step: u32,
    bytes: &[u8],
    name: String,
    keep: bool,
) -> Vec<Effect> {
    let mut effects = Vec::new();
    if keep {
        let head = Request::KeepAdapter { revision: state.revision() };
        effects.push(with_bytes(head, bytes));
    }
    let source = AdapterSource::Given { name };
    let revision = state.revision();
    state.fine_tune.attaching = Some((revision, step));
    let head = Request::Attach { revision, source };
    effects.push(with_bytes(head, bytes));
    effects
}

fn with_bytes(head: Request, bytes: &[u8]) -> Effect {
    Effect::Send(Message { head, bulk: vec![Bulk::Bytes(bytes.to_vec())] })
}

/// The chosen checkpoint goes to the rest of the page.
pub(super) fn use_chosen(state: &mut State) -> Vec<Effect> {
    let Some(run) = &state.fine_tune.run else { return Vec::new() };
    let Some((step, bytes)) = run.chosen_adapter() else { return Vec::new() };
    let name = name_of(run, step);
    if state.fine_tune.kept.as_ref().is_some_and(|kept| kept.step == step && kept.is_over) {
        // It is on the shelf now, and no longer this view's to forget.
        state.fine_tune.kept = None;
    }
    hand_over(state, step, &bytes, name, true)
}

/// Keeps the latest checkpoint in the browser's store, in the place of the one before.
pub(super) fn keep_latest(state: &mut State) -> Vec<Effect> {
    let Some(run) = &state.fine_tune.run else { return Vec::new() };
    let is_over = !run.phase.is_live();
    let Some((step, bytes)) = run
        .trail
        .get(run.place())
        .and_then(|point| Some((point.measures.step, point.adapter.clone()?)))
        .filter(|(_, bytes)| is_over || bytes.len() <= MOST_ROLLING_BYTES)
    else {
        return Vec::new();
    };
    let recipe = run.recipe.clone();
    let revision = state.revision();
    let keep = Keep { sha256: String::new(), step, is_over, recipe };
    state.fine_tune.keeping = Some((revision, keep));
    vec![with_bytes(Request::KeepAdapter { revision }, &bytes)]
}
