//! What the visitor does with adapters, applied to the state.

use crate::protocol::readout::Side;
use crate::protocol::request::Request;
use crate::state::action::Action;
use crate::state::adapters::attach::{ask_blend, attach_wanted};
use crate::state::adapters::{AdapterAction, Choice, MOST_BLEND};
use crate::state::app::{State, Worker};
use crate::state::ask::{ask_baseline, ask_missing_pairs, ask_pair_of, forget_side, show_list};
use crate::state::effect::Effect;

/// Pause between the slider's last movement and what takes long.
const SETTLE_MS: u32 = 350;

/// Applies what the visitor did.
pub(in crate::state) fn update(state: &mut State, action: AdapterAction) -> Vec<Effect> {
    match action {
        AdapterAction::SideChosen(side) => {
            state.adapters.chosen = side;
            state.adapters.peeking = false;
            show_side(state)
        }
        AdapterAction::PeekBegan => {
            state.adapters.peeking = true;
            show_side(state)
        }
        AdapterAction::PeekEnded => {
            state.adapters.peeking = false;
            show_side(state)
        }
        AdapterAction::BlendChosen(blend) => choose_blend(state, blend),
        AdapterAction::BlendSettled(count) => settle_blend(state, count),
        AdapterAction::Chosen(choice) => choose(state, choice),
        AdapterAction::FilePicked => {
            let revision = state.revision();
            state.adapters.importing = Some(revision);
            vec![Effect::SendPickedAdapter { revision }]
        }
        AdapterAction::ForgetAsked { sha256 } => {
            state.adapters.forgetting = Some(sha256);
            Vec::new()
        }
        AdapterAction::ForgetDropped => {
            state.adapters.forgetting = None;
            Vec::new()
        }
        AdapterAction::Forgotten { sha256 } => forget(state, sha256),
        AdapterAction::Exported { sha256 } => {
            let revision = state.revision();
            state.adapters.exporting = Some(revision);
            vec![Effect::ask(Request::ReadAdapter { revision, sha256 })]
        }
    }
}

/// Asks for the list of kept adapters.
pub(in crate::state) fn list_shelf(state: &mut State) -> Vec<Effect> {
    if state.worker != Worker::Ready || state.adapters.listing.is_some() {
        return Vec::new();
    }
    let revision = state.revision();
    state.adapters.listing = Some(revision);
    vec![Effect::ask(Request::ListAdapters { revision })]
}

/// Shows the side that is due: what is known of it at once, the rest as it comes. What only peeks
/// does not begin a list.
pub(in crate::state) fn show_side(state: &mut State) -> Vec<Effect> {
    state.settle_side();
    let mut effects = ask_missing_pairs(state);
    effects.extend(ask_baseline(state));
    let may_ask = !state.adapters.peeking;
    effects.extend(show_list(state, may_ask));
    effects
}

/// The side after has other weights: what was known of it is not true any more.
pub(in crate::state) fn after_changed(state: &mut State) -> Vec<Effect> {
    forget_side(state, Side::After);
    show_side(state)
}

fn choose_blend(state: &mut State, blend: f32) -> Vec<Effect> {
    let blend = if blend.is_finite() { blend.clamp(0.0, MOST_BLEND) } else { 1.0 };
    if blend == state.adapters.blend {
        return Vec::new();
    }
    state.adapters.blend = blend;
    if state.adapters.attached.is_none() || state.worker != Worker::Ready {
        return Vec::new();
    }
    let mut effects = vec![ask_blend(state)];
    // Only the pair follows every movement; it waits in the worker until the blend is there.
    effects.extend(ask_pair_of(state, Side::After));
    state.adapters.blend_count += 1;
    let action = AdapterAction::BlendSettled(state.adapters.blend_count);
    effects.push(Effect::After { pause_ms: SETTLE_MS, action: Action::Adapters(action) });
    effects
}

fn settle_blend(state: &mut State, count: u32) -> Vec<Effect> {
    if count != state.adapters.blend_count {
        return Vec::new();
    }
    after_changed(state)
}

fn choose(state: &mut State, choice: Choice) -> Vec<Effect> {
    let to_nothing = choice == Choice::Nothing;
    state.adapters.choice = choice;
    if state.worker != Worker::Ready {
        return Vec::new();
    }
    if to_nothing {
        return detach(state);
    }
    // Whoever puts an adapter on wants to see it.
    state.adapters.chosen = Side::After;
    let mut effects = attach_wanted(state);
    effects.extend(show_side(state));
    effects
}

fn detach(state: &mut State) -> Vec<Effect> {
    state.adapters.arriving = None;
    if state.worker != Worker::Ready {
        return Vec::new();
    }
    let revision = state.revision();
    state.adapters.detached_at = revision;
    vec![Effect::ask(Request::Detach { revision })]
}

fn forget(state: &mut State, sha256: String) -> Vec<Effect> {
    let adapters = &mut state.adapters;
    adapters.forgetting = None;
    let is_on = adapters.attached.as_ref().is_some_and(|adapter| adapter.sha256 == sha256);
    let mut effects = Vec::new();
    if adapters.choice == (Choice::Kept { sha256: sha256.clone() }) {
        adapters.choice = Choice::Nothing;
    }
    if is_on {
        effects.extend(detach(state));
    }
    let revision = state.revision();
    effects.push(Effect::ask(Request::ForgetAdapter { revision, sha256 }));
    effects
}
