//! The wanted adapter on its way to the model.

use crate::protocol::request::{AdapterSource, Request};
use crate::state::adapters::{Arriving, Choice};
use crate::state::app::{State, Wanted};
use crate::state::effect::Effect;

/// Puts the wanted adapter on the model that is here or on its way, unless it is there. For a
/// model of the visitor's own only an adapter that the shelf knows to fit is tried.
pub(in crate::state) fn attach_wanted(state: &mut State) -> Vec<Effect> {
    let is_own = state.wanted != Wanted::Default;
    let (source, pooling) = match state.adapters.choice.clone() {
        Choice::Nothing => return Vec::new(),
        Choice::Hosted if is_own => return Vec::new(),
        Choice::Hosted => {
            let adapter = state.hosted.first().and_then(|model| model.adapter.clone());
            let Some(adapter) = adapter else { return Vec::new() };
            (adapter.source(), adapter.pooling())
        }
        Choice::Kept { sha256 } => {
            let known = state.adapters.shelf.iter().find(|kept| kept.sha256 == sha256);
            let base = state.model.as_ref().map(|model| model.sha256.as_str());
            let fits = known.is_some_and(|kept| base == Some(kept.base_sha256.as_str()));
            if is_own && !fits {
                return Vec::new();
            }
            let pooling = known.and_then(|kept| kept.best_pooling.or(kept.pooling));
            (AdapterSource::Kept { sha256 }, pooling)
        }
    };
    let sha256 = match &source {
        AdapterSource::Hosted { sha256, .. } | AdapterSource::Kept { sha256 } => sha256.clone(),
        AdapterSource::Given { .. } => return Vec::new(),
    };
    let attached = state.adapters.attached.as_ref().map(|adapter| &adapter.sha256);
    let arriving = state.adapters.arriving.as_ref().map(|arriving| &arriving.sha256);
    if arriving.or(attached) == Some(&sha256) {
        return Vec::new();
    }
    let revision = state.revision();
    state.adapters.arriving = Some(Arriving { revision, sha256, pooling });
    let mut effects = vec![Effect::ask(Request::Attach { revision, source })];
    if state.adapters.blend != 1.0 {
        effects.push(ask_blend(state));
    }
    effects
}

/// Asks for as much of the adapter as the visitor wants.
pub(super) fn ask_blend(state: &mut State) -> Effect {
    let revision = state.revision();
    state.adapters.blend_pending = Some(revision);
    Effect::ask(Request::Blend { revision, blend: state.adapters.blend })
}
