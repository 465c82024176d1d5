//! The shelf's part of `update`.

use crate::protocol::Revision;
use crate::protocol::event::StoreOutcome;
use crate::protocol::models::KeptModel;
use crate::protocol::request::Request;
use crate::state::adapters;
use crate::state::adapters::{AdapterAction, Choice};
use crate::state::app::{State, Wanted, Worker};
use crate::state::effect::Effect;
use crate::state::route::View;
use crate::state::shelf::ShelfAction;

/// Takes what the visitor did; the model that is wanted from now on, where it changes that.
pub(in crate::state) fn update(
    state: &mut State,
    action: ShelfAction,
) -> (Option<Wanted>, Vec<Effect>) {
    let shelf = &mut state.shelf;
    match action {
        ShelfAction::RepositoryTyped(text) => shelf.draft.repository = text,
        ShelfAction::HubTyped(text) => shelf.draft.hub = text,
        ShelfAction::QuantisationChosen(name) => shelf.draft.quantisation = name,
        ShelfAction::PoolingChosen(pooling) => shelf.draft.pooling = pooling,
        ShelfAction::PullAsked => {
            let pull = shelf.draft.pull();
            let is_asked = !pull.repository.is_empty();
            return (is_asked.then_some(Wanted::Pulled { pull }), Vec::new());
        }
        ShelfAction::FilesPicked { name, size_bytes } => {
            let wish = shelf.draft.wish();
            return (Some(Wanted::Files { name, size_bytes, wish }), Vec::new());
        }
        ShelfAction::Used(sha256) => {
            let hosted = state.hosted.first().map(|model| &model.sha256);
            if hosted == Some(&sha256) {
                return (Some(Wanted::Default), Vec::new());
            }
            let kept = state.shelf.kept.iter().find(|kept| kept.sha256 == sha256);
            return (kept.map(wanted), Vec::new());
        }
        ShelfAction::ForgetAsked(sha256) => shelf.forgetting = Some(sha256),
        ShelfAction::ForgetCancelled => shelf.forgetting = None,
        ShelfAction::Forgotten => {
            let Some(sha256) = shelf.forgetting.take() else { return (None, Vec::new()) };
            shelf.kept.retain(|kept| kept.sha256 != sha256);
            let choice = &state.adapters.choice;
            let beside = matches!(choice, Choice::Model { sha256: it, .. } if *it == sha256);
            let mut effects = vec![Effect::ask(Request::Forget { sha256 })];
            if beside {
                let action = AdapterAction::Chosen(Choice::Nothing);
                effects.extend(adapters::update::update(state, action));
            }
            return (None, effects);
        }
        ShelfAction::Exported(sha256) => {
            let kept = shelf.kept.iter().find(|kept| kept.sha256 == sha256);
            let hosted = state.hosted.iter().find(|model| model.sha256 == sha256);
            let name = match (kept, hosted) {
                (Some(kept), _) if !kept.name.is_empty() => {
                    format!("{}-{}.gguf", kept.name, kept.quantisation)
                }
                (_, Some(hosted)) => hosted.file.clone(),
                _ => format!("{sha256}.gguf"),
            };
            return (None, vec![Effect::ExportModel { name, sha256 }]);
        }
    }
    (None, Vec::new())
}

fn wanted(kept: &KeptModel) -> Wanted {
    let KeptModel { sha256, name, size_bytes, .. } = kept.clone();
    Wanted::Kept { name, sha256, size_bytes }
}

/// Asks what is kept, if the worker listens.
pub(in crate::state) fn list(state: &mut State) -> Vec<Effect> {
    if state.worker != Worker::Ready {
        return Vec::new();
    }
    let revision = state.revision();
    state.shelf.pending = Some(revision);
    vec![Effect::ask(Request::ListModels { revision })]
}

/// What is kept came.
pub(in crate::state) fn take_list(
    state: &mut State,
    revision: Revision,
    models: Vec<KeptModel>,
    usage: (Option<u64>, Option<u64>),
) {
    let shelf = &mut state.shelf;
    if shelf.pending.take_if(|pending| *pending == revision).is_some() {
        shelf.kept = models;
        (shelf.used_bytes, shelf.quota_bytes) = usage;
    }
}

/// A model is in use: one that was taken from disk is kept from now on.
pub(in crate::state) fn opened(state: &State) -> Vec<Effect> {
    let is_picked = matches!(state.wanted, Wanted::Picked { .. }) && state.loading.is_none();
    // Others were kept before they were opened.
    if is_picked { vec![Effect::ask(Request::KeepModel)] } else { Vec::new() }
}

/// The store took a model, or not. The one that is in use and came from disk is wanted from there from now
/// on: also after a reload, and by the trainer.
pub(in crate::state) fn stored(
    state: &mut State,
    sha256: &str,
    outcome: StoreOutcome,
) -> Vec<Effect> {
    let is_picked = matches!(state.wanted, Wanted::Picked { .. }) && state.loading.is_none();
    let model = state.model.as_ref().filter(|model| model.sha256 == sha256);
    if let Some(model) = model.filter(|_| is_picked && outcome == StoreOutcome::Kept) {
        state.wanted = Wanted::kept(model);
    }
    // Elsewhere nobody sees the shelf; entering the view asks for it.
    if state.view == View::Models { list(state) } else { Vec::new() }
}
