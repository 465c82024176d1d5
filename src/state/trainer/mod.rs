//! The trainer, as the page knows it: a second worker, with a program of its own, for fine-tunes
//! and views under dropout. It starts when one of them needs it and opens the page's model; it ends
//! with a fine-tune, with the model, and after a while without work.

pub mod events;
pub mod life;

use crate::state::loading::Loading;

/// The trainer, as the page knows it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trainer {
    pub stage: Stage,
    /// Counts the times without work, so that an old one's end does not end a new one.
    pub(super) rests: u32,
    /// It is without work now.
    pub(super) is_resting: bool,
}

/// How far it has come.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Stage {
    #[default]
    Absent,
    /// Its program is on its way.
    Starting,
    /// The model is on its way to it.
    Opening(Loading),
    /// It has the model of that hash.
    Open { sha256: String },
}

impl Trainer {
    /// Whether it has that model.
    pub(super) fn has(&self, model: &str) -> bool {
        matches!(&self.stage, Stage::Open { sha256 } if sha256 == model)
    }

    /// Share of the model that has come, 0 to 1.
    pub fn loaded_share(&self) -> f64 {
        match &self.stage {
            Stage::Opening(loading) => loading.share(),
            Stage::Absent | Stage::Starting | Stage::Open { .. } => 0.0,
        }
    }
}
