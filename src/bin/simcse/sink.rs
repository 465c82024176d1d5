//! A database that takes passages with their vectors, and gives back the nearest.

use serde::Serialize;
use serde_json::{Map, Value};

/// A passage with its vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Passage {
    /// From 1, in the order of the file.
    pub number: u64,
    pub id: String,
    pub text: String,
    pub metadata: Map<String, Value>,
    /// Unit length.
    pub vector: Vec<f32>,
}

/// A passage that was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    pub id: String,
    pub cosine: f32,
    pub text: String,
    pub metadata: Value,
}

/// A database.
pub trait Sink {
    /// Takes passages; one of a known id takes its place.
    fn put(&mut self, passages: &[Passage]) -> anyhow::Result<()>;

    /// Everything is there: makes it fast to search; says how.
    fn finish(&mut self) -> anyhow::Result<String>;
}
