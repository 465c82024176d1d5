//! What the program says that makes models.

use crate::protocol::event::{Event, StoreOutcome};
use crate::protocol::message::Message;
use crate::protocol::problem::Problem;
use crate::protocol::request::{ModelSource, Request};
use crate::state::app::{State, Wanted};
use crate::state::ask::open_wanted;
use crate::state::effect::Effect;
use crate::state::loading::Interrupted;
use crate::state::shelf::update::list;
use crate::state::worker_events::loading_failed;

/// Takes one event of the puller. What it says of a model that is no longer waited for is dropped.
pub(in crate::state) fn take_event(
    state: &mut State,
    message: Message<Event>,
    now_ms: f64,
) -> Vec<Effect> {
    let Message { head, bulk } = message;
    let awaited = state.loading.as_ref().map(|loading| loading.revision);
    if head.revision().is_some() && (head.revision() != awaited || !state.is_pulling) {
        return Vec::new();
    }
    match head {
        Event::Loading { stage, done_bytes, total_bytes, .. } => {
            if let Some(loading) = &mut state.loading {
                loading.advance(stage, done_bytes, total_bytes, now_ms);
            }
            Vec::new()
        }
        Event::LoadingStopped { .. } => {
            let Some(loading) = state.loading.take() else { return Vec::new() };
            let (done_bytes, total_bytes) = (loading.done_bytes, loading.total_bytes);
            state.interrupted = Some(Interrupted { done_bytes, total_bytes, problem: None });
            end(state)
        }
        Event::Failed { problem, .. } => {
            loading_failed(state, problem);
            end(state)
        }
        Event::Pulled { revision, model } if !bulk.is_empty() => {
            // The browser keeps nothing: the worker gets it for this visit.
            state.store = Some(StoreOutcome::Refused);
            let (name, sha256) = (model.name, model.sha256);
            let source = ModelSource::Copied { name, sha256 };
            let head = Request::Open { revision, source };
            let mut effects = end(state);
            effects.push(Effect::Send(Message { head, bulk }));
            effects
        }
        Event::Pulled { model, .. } => {
            state.store = Some(StoreOutcome::Kept);
            let (name, sha256, size_bytes) = (model.name, model.sha256, model.size_bytes);
            state.wanted = Wanted::Kept { name, sha256, size_bytes };
            let mut effects = end(state);
            effects.extend(open_wanted(state));
            effects.extend(list(state));
            effects
        }
        _ => Vec::new(),
    }
}

/// It is gone, or never came.
pub(in crate::state) fn died(state: &mut State, message: String) -> Vec<Effect> {
    if !state.is_pulling {
        return Vec::new();
    }
    loading_failed(state, Problem::Program { detail: message });
    end(state)
}

fn end(state: &mut State) -> Vec<Effect> {
    state.is_pulling = false;
    vec![Effect::EndPuller]
}
