//! What survives a reload.

use serde::{Deserialize, Serialize};

use crate::catalogue::language::Language;
use crate::protocol::gpu::{Preference, Tuned};
use crate::protocol::readout::{Pooling, Side};
use crate::state::adapters::Choice;
use crate::state::app::{State, Wanted};
use crate::state::fine_tune;
use crate::state::geometry;
use crate::state::lesson::experiment::Outcome;
use crate::state::search;
use crate::state::settings::Theme;
use crate::state::shelf::Draft as ModelDraft;

/// What is kept in the browser between visits. Fields that an older page did not write get their
/// defaults, so that an update never loses what was typed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Saved {
    pub language: Option<Language>,
    pub theme: Theme,
    pub backend: Preference,
    pub tuned: Option<Tuned>,
    pub first: Option<String>,
    pub second: Option<String>,
    pub list: String,
    pub list_name: Option<String>,
    pub pooling: Option<Pooling>,
    pub layer: Option<u16>,
    pub adapter: Choice,
    /// `None`: not chosen yet.
    pub side: Option<Side>,
    pub blend: Option<f32>,
    /// A text of its own: see [`fine_tune::saved`].
    pub fine_tune: Option<String>,
    /// Likewise.
    pub geometry: Option<String>,
    /// Likewise.
    pub search: Option<String>,
    /// The model in use, where it is one that the browser keeps.
    pub model: Option<SavedModel>,
    pub model_draft: ModelDraft,
    pub lesson_own: Option<String>,
    pub lesson_outcomes: Vec<Outcome>,
}

/// A model in the browser's store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedModel {
    pub name: String,
    pub sha256: String,
    pub size_bytes: u64,
}

impl SavedModel {
    fn of(wanted: &Wanted) -> Option<Self> {
        match wanted.clone() {
            Wanted::Kept { name, sha256, size_bytes } => Some(Self { name, sha256, size_bytes }),
            _ => None,
        }
    }
}

impl From<SavedModel> for Wanted {
    fn from(saved: SavedModel) -> Self {
        let SavedModel { name, sha256, size_bytes } = saved;
        Self::Kept { name, sha256, size_bytes }
    }
}

impl Saved {
    /// What is worth keeping of the state.
    pub fn of(state: &State) -> Self {
        let compare = &state.compare;
        Self {
            language: state.language_chosen.then_some(state.language),
            theme: state.theme,
            backend: state.gpu.preference,
            tuned: state.gpu.tuned.clone(),
            first: Some(compare.text.first.clone()),
            second: Some(compare.text.second.clone()),
            list: compare.text.list.clone(),
            list_name: compare.text.list_name.clone(),
            pooling: compare.pooling,
            layer: compare.layer,
            adapter: state.adapters.choice.clone(),
            side: Some(state.adapters.chosen),
            blend: Some(state.adapters.blend),
            fine_tune: Some(fine_tune::saved::to_json(&state.fine_tune)),
            geometry: Some(geometry::saved::to_json(&state.geometry)),
            search: Some(search::saved::to_json(&state.search)),
            model: SavedModel::of(&state.wanted),
            model_draft: state.shelf.draft.clone(),
            lesson_own: Some(state.lesson.own.clone()),
            lesson_outcomes: state.lesson.outcomes.clone(),
        }
    }

    /// As text. Serialising strings and numbers cannot fail; if it did, nothing would be kept.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// From text; nothing where it is not ours.
    pub fn from_json(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}
