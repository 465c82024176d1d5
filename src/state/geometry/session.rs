//! Sessions saved and opened: sentences, settings, the adapter in use.

use std::sync::Arc;

use crate::protocol::Revision;
use crate::protocol::message::{Bulk, Message, bytes_of};
use crate::protocol::problem::Problem;
use crate::protocol::request::{AdapterSource, Request};
use crate::state::adapters;
use crate::state::adapters::{AdapterAction, Choice};
use crate::state::app::{State, Worker};
use crate::state::effect::Effect;
use crate::state::geometry::corpus::Corpus;
use crate::state::geometry::session_file::{
    Contents, ENDING, InUse, Model, from_json, is_session, to_json,
};
use crate::state::geometry::{Geometry, PastSettings, Saving, SessionTrouble, saved, sources};
use crate::text::lists::ListError;

/// Saves what is there, as soon as the adapter in use has come.
pub(super) fn save(state: &mut State) -> Vec<Effect> {
    state.geometry.session.trouble = None;
    let Some(adapter) = state.adapters.adapter() else { return vec![download(state, None)] };
    let sha256 = adapter.sha256.clone();
    let hosted = state.hosted.iter().filter_map(|model| model.adapter.as_ref());
    let hosted = hosted.map(|adapter| adapter.source()).find_map(|source| match source {
        AdapterSource::Hosted { url, sha256: found, .. } if found == sha256 => Some(url),
        _ => None,
    });
    if let Some(url) = hosted {
        let session = &mut state.geometry.session;
        session.count += 1;
        session.saving = Some(Saving::Fetched(session.count));
        return vec![Effect::FetchAdapter { url, number: session.count }];
    }
    let revision = state.revision();
    state.geometry.session.saving = Some(Saving::Asked(revision));
    vec![Effect::ask(Request::ReadAdapter { revision, sha256 })]
}

/// Takes the adapter from the worker's store.
pub(in crate::state) fn take_adapter(state: &mut State, bulk: Vec<Bulk>) -> Vec<Effect> {
    state.geometry.session.saving = None;
    vec![download(state, Some(bytes_of(bulk).unwrap_or_default()))]
}

/// Takes the site's own adapter, if it is still waited for.
pub(super) fn take_fetched(
    state: &mut State,
    number: u32,
    bytes: Result<Arc<[u8]>, String>,
) -> Vec<Effect> {
    let session = &mut state.geometry.session;
    if session.saving.take_if(|saving| *saving == Saving::Fetched(number)).is_none() {
        return Vec::new();
    }
    match bytes {
        Ok(bytes) => vec![download(state, Some(bytes.to_vec()))],
        Err(detail) => {
            session.trouble = Some(SessionTrouble::NoAdapter(detail));
            Vec::new()
        }
    }
}

/// Whether a request that failed was for a session's adapter.
pub(super) fn take_failure(geometry: &mut Geometry, revision: Revision, problem: &Problem) -> bool {
    let asked = geometry.awaits_adapter(revision);
    if asked {
        geometry.session.saving = None;
        geometry.session.trouble = Some(SessionTrouble::Adapter(problem.clone()));
    }
    asked
}

fn download(state: &State, bytes: Option<Vec<u8>>) -> Effect {
    let attached = state.adapters.adapter();
    let adapter = attached.zip(bytes).map(|(adapter, bytes)| InUse {
        name: adapter.name.clone(),
        sha256: adapter.sha256.clone(),
        blend: state.adapters.blend,
        bytes,
    });
    let model = state.model.as_ref();
    let text = to_json(Contents {
        source: state.geometry.source.clone(),
        view: saved::view_to_json(&state.geometry),
        model: model.map(|it| Model { name: it.name.clone(), sha256: it.sha256.clone() }),
        adapter,
    });
    Effect::Download { name: format!("simcse-lab{ENDING}"), mime: "application/json", text }
}

/// Takes a file of sentences, or a session that was dropped in their place.
pub(super) fn take_any(
    state: &mut State,
    name: String,
    text: Result<String, ListError>,
) -> Vec<Effect> {
    match text {
        Ok(text) if is_session(&name, &text) => take_file(state, name, Ok(text)),
        text => {
            sources::take_file(&mut state.geometry, name, text);
            Vec::new()
        }
    }
}

/// Opens a session. A file that is none leaves everything.
pub(super) fn take_file(
    state: &mut State,
    name: String,
    text: Result<String, ListError>,
) -> Vec<Effect> {
    let opened = match text {
        Ok(text) => from_json(&name, &text).and_then(|contents| {
            let corpus = Corpus::read(&contents.source);
            let damaged = |error: ListError| SessionTrouble::Damaged {
                name: name.clone(),
                detail: error.to_string(),
            };
            Ok((corpus.map_err(damaged)?, contents))
        }),
        Err(_) => Err(SessionTrouble::NoSession { name: name.clone() }),
    };
    match opened {
        Ok((corpus, contents)) => open(state, corpus, contents),
        Err(trouble) => {
            state.geometry.session.trouble = Some(trouble);
            Vec::new()
        }
    }
}

fn open(state: &mut State, corpus: Corpus, contents: Contents) -> Vec<Effect> {
    let Contents { source, view, model, adapter } = contents;
    let adapters = &state.adapters;
    let has_adapter = adapters.attached.is_some() || adapters.arriving.is_some();
    let before = PastSettings {
        view: saved::view_to_json(&state.geometry),
        adapter: if has_adapter { adapters.choice.clone() } else { Choice::Nothing },
        blend: state.adapters.blend,
    };
    let here = state.model.as_ref().map(|model| &model.sha256);
    let other = model.filter(|model| here.is_some_and(|here| *here != model.sha256));
    let geometry = &mut state.geometry;
    geometry.session.trouble = other.map(|model| SessionTrouble::OtherModel { name: model.name });
    geometry.session.import = None;
    sources::pile(geometry, Some(before));
    sources::take_read(geometry, source, corpus);
    saved::apply_view(geometry, &view);
    match adapter {
        Some(adapter) => bring(state, adapter),
        None => choose(state, Choice::Nothing),
    }
}

/// Puts the session's adapter on: the one that is there already, or its file.
fn bring(state: &mut State, adapter: InUse) -> Vec<Effect> {
    let InUse { sha256, blend, bytes, .. } = adapter;
    let mut effects = adapters::update::update(state, AdapterAction::BlendChosen(blend));
    if state.adapters.attached.as_ref().is_some_and(|attached| attached.sha256 == sha256) {
        return effects;
    }
    let mut hosted = state.hosted.iter().filter_map(|model| model.adapter.as_ref());
    if hosted.any(|hosted| hosted.sha256 == sha256) {
        effects.extend(choose(state, Choice::Hosted));
    } else if state.adapters.shelf.iter().any(|kept| kept.sha256 == sha256) {
        effects.extend(choose(state, Choice::Kept { sha256 }));
    } else {
        state.geometry.session.import = Some(bytes.into());
        effects.extend(import(state));
    }
    effects
}

fn choose(state: &mut State, choice: Choice) -> Vec<Effect> {
    if state.adapters.choice == choice {
        return Vec::new();
    }
    adapters::update::update(state, AdapterAction::Chosen(choice))
}

/// Gives the adapter of the session that was opened to the worker, once it listens; it keeps it, and
/// what is kept on the visitor's wish is put on.
pub(in crate::state) fn import(state: &mut State) -> Vec<Effect> {
    if state.worker != Worker::Ready {
        return Vec::new();
    }
    let Some(bytes) = state.geometry.session.import.take() else { return Vec::new() };
    let revision = state.revision();
    state.adapters.importing = Some(revision);
    let head = Request::KeepAdapter { revision };
    vec![Effect::Send(Message { head, bulk: vec![Bulk::Bytes(bytes.to_vec())] })]
}

/// Back to the text before; where a session took its place, also to what was set.
pub(super) fn undo(state: &mut State) -> Vec<Effect> {
    let geometry = &mut state.geometry;
    let Some(past) = geometry.undo.pop() else { return Vec::new() };
    if past.settings.is_none() {
        sources::put_below(geometry);
    }
    sources::settle(geometry, past.source);
    let Some(PastSettings { view, adapter, blend }) = past.settings else { return Vec::new() };
    geometry.session.trouble = None;
    geometry.session.import = None;
    saved::apply_view(geometry, &view);
    let mut effects = adapters::update::update(state, AdapterAction::BlendChosen(blend));
    effects.extend(choose(state, adapter));
    effects
}
