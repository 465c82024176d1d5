//! The wanted adapter on its way to the model, or the wanted model to its place beside it.

use crate::protocol::request::{AdapterSource, ModelSource, Request};
use crate::state::adapters::{Arriving, Choice};
use crate::state::app::{State, Wanted};
use crate::state::effect::Effect;

/// Puts the wanted adapter on the model that is here or on its way, unless it is there. For a
/// model of the visitor's own only an adapter that the shelf knows to fit is tried.
pub(in crate::state) fn attach_wanted(state: &mut State) -> Vec<Effect> {
    let is_own = state.wanted != Wanted::Default;
    let choice = state.adapters.choice.clone();
    let is_model = matches!(choice, Choice::Model { .. });
    let (source, sha256, pooling) = match choice {
        Choice::Nothing => return Vec::new(),
        Choice::Model { sha256, .. } if is_in_use(state, &sha256) => return Vec::new(),
        Choice::Model { name, sha256, size_bytes } => {
            let hosted = state.hosted.iter().find(|model| model.sha256 == sha256);
            let kept = ModelSource::Kept { name, sha256: sha256.clone(), size_bytes };
            let source = hosted.map_or(kept, |model| model.source());
            (AdapterSource::Model(source), sha256, None)
        }
        Choice::Hosted if is_own => return Vec::new(),
        Choice::Hosted => {
            let adapter = state.hosted.first().and_then(|model| model.adapter.clone());
            let Some(adapter) = adapter else { return Vec::new() };
            (adapter.source(), adapter.sha256.clone(), adapter.pooling())
        }
        Choice::Kept { sha256 } => {
            let known = state.adapters.shelf.iter().find(|kept| kept.sha256 == sha256);
            let base = state.model.as_ref().map(|model| model.sha256.as_str());
            let fits = known.is_some_and(|kept| base == Some(kept.base_sha256.as_str()));
            if is_own && !fits {
                return Vec::new();
            }
            let pooling = known.and_then(|kept| kept.best_pooling.or(kept.pooling));
            (AdapterSource::Kept { sha256: sha256.clone() }, sha256, pooling)
        }
    };
    let attached = state.adapters.attached.as_ref().map(|adapter| &adapter.sha256);
    let arriving = state.adapters.arriving.as_ref().map(|arriving| &arriving.sha256);
    if arriving.or(attached) == Some(&sha256) {
        return Vec::new();
    }
    let revision = state.revision();
    state.adapters.arriving = Some(Arriving { revision, sha256, pooling });
    let mut effects = vec![Effect::ask(Request::Attach { revision, source })];
    if state.adapters.blend != 1.0 && !is_model {
        effects.push(ask_blend(state));
    }
    effects
}

/// Whether a model is the one in use, or will be once it is here.
fn is_in_use(state: &State, sha256: &str) -> bool {
    match (&state.model, &state.wanted) {
        (Some(model), _) => model.sha256 == sha256,
        (None, Wanted::Default) => state.hosted.first().is_some_and(|own| own.sha256 == sha256),
        (None, Wanted::Kept { sha256: wanted, .. }) => wanted == sha256,
        (None, _) => false,
    }
}

/// Asks for as much of the adapter as the visitor wants.
pub(super) fn ask_blend(state: &mut State) -> Effect {
    let revision = state.revision();
    state.adapters.blend_pending = Some(revision);
    Effect::ask(Request::Blend { revision, blend: state.adapters.blend })
}
