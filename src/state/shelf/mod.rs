//! The shelf of models: what the browser keeps, and what the visitor asks a hub or the disk for.

pub mod pulling;
pub mod update;

use serde::{Deserialize, Serialize};

use crate::protocol::Revision;
use crate::protocol::models::{KeptModel, Pull, QUANTISATIONS, Wish};
use crate::protocol::readout::Pooling;

/// The shelf and what is being asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ModelShelf {
    /// The last used first.
    pub kept: Vec<KeptModel>,
    /// Bytes of the browser's store in use, and how many there may be.
    pub used_bytes: Option<u64>,
    pub quota_bytes: Option<u64>,
    /// The list that was asked for.
    pub(in crate::state) pending: Option<Revision>,
    pub draft: Draft,
    /// Hash of the model that the visitor is asked about before it is deleted.
    pub forgetting: Option<String>,
}

/// What the visitor types; kept between visits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Draft {
    pub repository: String,
    /// Empty: the Hub itself.
    pub hub: String,
    /// One of [`QUANTISATIONS`].
    pub quantisation: String,
    /// `None`: as the model's files say.
    pub pooling: Option<Pooling>,
}

impl Default for Draft {
    fn default() -> Self {
        let quantisation = QUANTISATIONS[0].to_owned();
        Self { repository: String::new(), hub: String::new(), quantisation, pooling: None }
    }
}

impl Draft {
    /// What is wanted of a checkpoint.
    pub fn wish(&self) -> Wish {
        Wish { quantisation: self.quantisation.clone(), pooling: self.pooling }
    }

    /// The repository that is asked for.
    pub fn pull(&self) -> Pull {
        let (repository, hub) = (self.repository.trim().to_owned(), self.hub.trim().to_owned());
        Pull { repository, hub, wish: self.wish() }
    }
}

/// What a visitor can do with the shelf.
#[derive(Debug, Clone, PartialEq)]
pub enum ShelfAction {
    RepositoryTyped(String),
    HubTyped(String),
    QuantisationChosen(String),
    PoolingChosen(Option<Pooling>),
    /// Fetch what is typed.
    PullAsked,
    /// A checkpoint's files, which the effects layer holds; the folder's name and the weights' size.
    FilesPicked {
        name: String,
        size_bytes: u64,
    },
    /// Use a kept model.
    Used(String),
    /// Delete a kept model: asked first.
    ForgetAsked(String),
    ForgetCancelled,
    Forgotten,
    /// Save a kept model as a file.
    Exported(String),
}
