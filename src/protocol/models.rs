//! What page and worker say to each other about other people's models.

use serde::{Deserialize, Serialize};

use crate::protocol::readout::Pooling;

/// The Hub itself; a mirror has the same interface.
pub const HUB: &str = "https://huggingface.co";

/// Repositories to begin with.
pub const SUGGESTIONS: [&str; 12] = [
    "princeton-nlp/unsup-simcse-bert-base-uncased",
    "princeton-nlp/sup-simcse-bert-base-uncased",
    "princeton-nlp/unsup-simcse-roberta-base",
    "princeton-nlp/sup-simcse-roberta-base",
    "google-bert/bert-base-uncased",
    "sentence-transformers/all-MiniLM-L6-v2",
    "sentence-transformers/all-mpnet-base-v2",
    "sentence-transformers/all-distilroberta-v1",
    "BAAI/bge-small-en-v1.5",
    "thenlper/gte-small",
    "intfloat/e5-small-v2",
    "intfloat/multilingual-e5-small",
];

/// Number formats that a checkpoint can be quantised to on its way in, the usual one first.
pub const QUANTISATIONS: [&str; 3] = ["q8_0", "q4_0", "f16"];

/// What is wanted of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// One of [`QUANTISATIONS`].
    pub quantisation: String,
    /// The readout the model is to be read by; `None`: as its files say.
    pub pooling: Option<Pooling>,
}

/// A repository of a hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pull {
    /// As the visitor typed it.
    pub repository: String,
    /// Empty: [`HUB`].
    pub hub: String,
    pub wish: Wish,
}

/// A file on the visitor's disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalFile {
    /// Within the folder that was dropped, with `/`.
    pub path: String,
    /// An object URL, good while the page is there.
    pub url: String,
    pub size_bytes: u64,
}

/// A model in the browser's store.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptModel {
    /// Lower-case hexadecimal.
    pub sha256: String,
    /// Empty where it was kept without a word beside it, as the site's own model by older pages.
    pub name: String,
    pub quantisation: String,
    pub size_bytes: u64,
    /// Where it is from: an address of a repository and its commit, or a file's name.
    pub source: Option<String>,
    pub licence: Option<String>,
    /// Milliseconds since 1970; 0: not known.
    pub used_ms: f64,
}
