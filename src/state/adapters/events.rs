//! What the worker says about adapters, applied to the state.

use std::sync::Arc;

use crate::protocol::Revision;
use crate::protocol::event::{Event, StoreOutcome};
use crate::protocol::message::{Bulk, Message, bytes_of};
use crate::protocol::problem::Problem;
use crate::protocol::readout::Side;
use crate::protocol::training::AdapterSummary;
use crate::state::adapters::Choice;
use crate::state::adapters::attach::attach_wanted;
use crate::state::adapters::update::{after_changed, show_side};
use crate::state::app::State;
use crate::state::ask::forget_side;
use crate::state::compare::PairSlot;
use crate::state::effect::Effect;
use crate::state::models::HostedModel;
use crate::state::notice::NoticeContent;

/// Takes what the worker says about adapters.
pub(in crate::state) fn take_event(state: &mut State, message: Message<Event>) -> Vec<Effect> {
    match message.head {
        Event::Attached { revision, adapter, .. } => attached(state, revision, *adapter),
        Event::Blended { revision, .. } => {
            state.adapters.blend_pending.take_if(|pending| *pending == revision);
            Vec::new()
        }
        Event::Detached { .. } => {
            // One that is on its way was asked for afterwards.
            state.adapters.attached = None;
            after_gone(state)
        }
        Event::AdapterKept { revision, adapter, outcome } => {
            kept(state, revision, *adapter, outcome)
        }
        Event::Shelf { revision, adapters, unreadable } => {
            state.adapters.listing.take_if(|pending| *pending == revision);
            state.adapters.shelf = adapters;
            state.adapters.unreadable = unreadable;
            // A model of the visitor's own may have waited for it.
            if state.adapters.attached.is_none() && state.model.is_some() {
                let mut effects = attach_wanted(state);
                effects.extend(show_side(state));
                effects
            } else {
                Vec::new()
            }
        }
        Event::AdapterFile { revision, adapter } => {
            let asked = state.adapters.exporting.take_if(|pending| *pending == revision);
            asked.map_or_else(Vec::new, |_| hand_out(&adapter, message.bulk))
        }
        _ => Vec::new(),
    }
}

/// Whether a failure is about an adapter; what follows from it.
pub(in crate::state) fn take_failure(
    state: &mut State,
    revision: Revision,
    problem: &Problem,
) -> Option<Vec<Effect>> {
    let adapters = &mut state.adapters;
    let is = |pending: &mut Revision| *pending == revision;
    if adapters.arriving.take_if(|arriving| arriving.revision == revision).is_some() {
        return Some(not_attached(state, problem));
    }
    if adapters.blend_pending.take_if(is).is_some() || adapters.listing.take_if(is).is_some() {
        return Some(Vec::new());
    }
    let asked =
        adapters.importing.take_if(is).is_some() || adapters.exporting.take_if(is).is_some();
    asked.then(|| {
        state.notify(NoticeContent::Problem { problem: problem.clone(), name: None });
        Vec::new()
    })
}

/// The worker is gone, and with it everything about adapters that was on its way.
pub(in crate::state) fn worker_died(state: &mut State) {
    let adapters = &mut state.adapters;
    if adapters.arriving.take().is_some() {
        // It may be what killed the worker; trying it again would kill the next one.
        adapters.choice = Choice::Nothing;
    }
    adapters.attached = None;
    adapters.blend_pending = None;
    adapters.importing = None;
    adapters.exporting = None;
    adapters.listing = None;
    state.settle_side();
    state.compare.forget_sides();
}

fn attached(state: &mut State, revision: Revision, adapter: AdapterSummary) -> Vec<Effect> {
    let adapters = &mut state.adapters;
    let asked = adapters.arriving.take_if(|arriving| arriving.revision == revision).is_some();
    if !asked && adapters.arriving.is_none() && revision > adapters.detached_at {
        // Another view put it on, at full strength: it is what the visitor works with now.
        adapters.choice = choice_of(&state.hosted, &adapter);
        adapters.chosen = Side::After;
        adapters.blend = 1.0;
    }
    let was_there = adapters.attached.replace(adapter).is_some();
    // A layer that the model beside this one lacks would make every request to it fail.
    let layers = state.common_layers();
    state.compare.layer = state.compare.layer.filter(|layer| *layer <= layers);
    if asked && !was_there {
        // What was asked of the side after while it was on its way is answered by this one.
        show_side(state)
    } else {
        after_changed(state)
    }
}

/// The choice that leads to what is attached.
fn choice_of(hosted: &[HostedModel], attached: &AdapterSummary) -> Choice {
    let AdapterSummary { name, sha256, size_bytes, .. } = attached.clone();
    let mut adapters = hosted.iter().filter_map(|model| model.adapter.as_ref());
    if attached.model.is_some() {
        Choice::Model { name, sha256, size_bytes }
    } else if adapters.any(|adapter| adapter.sha256 == sha256) {
        Choice::Hosted
    } else {
        Choice::Kept { sha256 }
    }
}

/// There is no side after any more.
fn after_gone(state: &mut State) -> Vec<Effect> {
    forget_side(state, Side::After);
    let effects = show_side(state);
    if state.adapters.side == Side::Before {
        state.compare.other = PairSlot::default();
    }
    effects
}

fn not_attached(state: &mut State, problem: &Problem) -> Vec<Effect> {
    let mut goes_on = false;
    match problem {
        // The model's own failure is told where models are.
        Problem::NoModel => {}
        Problem::NotKept => {
            state.adapters.choice = Choice::Hosted;
            goes_on = true;
        }
        // The visitor took another model meanwhile; the shelf says whose the adapter is.
        Problem::AdapterBase { .. } if state.adapters.attached.is_none() => {}
        other => {
            if matches!(state.adapters.choice, Choice::Model { .. }) {
                // It would fail at every visit.
                state.adapters.choice = Choice::Hosted;
                goes_on = true;
            }
            state.notify(NoticeContent::Problem { problem: other.clone(), name: None });
        }
    }
    if let Some(adapter) = &state.adapters.attached {
        // The one in use stays: what was asked meanwhile was answered by it.
        state.adapters.choice = choice_of(&state.hosted, adapter);
        return after_changed(state);
    }
    let mut effects = after_gone(state);
    if goes_on {
        effects.extend(attach_wanted(state));
        effects.extend(show_side(state));
    }
    effects
}

fn kept(
    state: &mut State,
    revision: Revision,
    adapter: AdapterSummary,
    outcome: StoreOutcome,
) -> Vec<Effect> {
    let adapters = &mut state.adapters;
    adapters.refused |= outcome == StoreOutcome::Refused;
    adapters.shelf.retain(|kept| kept.sha256 != adapter.sha256);
    let sha256 = adapter.sha256.clone();
    let (base, name) = (adapter.base_sha256.clone(), adapter.base_name.clone());
    adapters.shelf.push(adapter);
    adapters.shelf.sort_by(|a, b| (&a.name, &a.sha256).cmp(&(&b.name, &b.sha256)));
    if adapters.importing.take_if(|pending| *pending == revision).is_none() {
        return Vec::new();
    }
    let found = state.model.as_ref().map(|model| model.sha256.clone()).unwrap_or_default();
    if !base.is_empty() && base != found {
        let problem = Problem::AdapterBase { expected: base, expected_name: name, found };
        state.notify(NoticeContent::Problem { problem, name: None });
        return Vec::new();
    }
    state.adapters.choice = Choice::Kept { sha256 };
    state.adapters.chosen = Side::After;
    let mut effects = attach_wanted(state);
    effects.extend(show_side(state));
    effects
}

fn hand_out(adapter: &AdapterSummary, bulk: Vec<Bulk>) -> Vec<Effect> {
    let bytes = bytes_of(bulk);
    let letters = adapter.name.chars();
    let stem: String = letters.map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    let name = format!("{}.gguf", stem.trim_matches('-'));
    bytes.map(|bytes| Effect::DownloadBytes { name, bytes: Arc::from(bytes) }).into_iter().collect()
}
