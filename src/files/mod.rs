//! Embeddings as files that other programs read.
//!
//! A file is written in [`write::pieces`], so that the page can show how far it is and never holds it
//! twice.

pub mod base64;
pub mod npy;
pub mod parquet;
pub mod rows;
mod thrift;
pub mod write;

use std::sync::Arc;

/// What is written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    pub sentences: Arc<[String]>,
    /// One a sentence, empty where it has none; or none at all.
    pub topics: Vec<String>,
    /// Numbers a vector.
    pub dimensions: usize,
    /// `[sentences, dimensions]`
    pub vectors: Vec<f32>,
}

impl Table {
    /// Whether any sentence has a topic.
    pub fn has_topics(&self) -> bool {
        !self.topics.is_empty()
    }

    /// Sentence, topic and vector of each row in a range.
    pub(in crate::files) fn rows(
        &self,
        rows: std::ops::Range<usize>,
    ) -> impl Iterator<Item = (&str, &str, &[f32])> {
        rows.filter_map(|row| {
            let start = row * self.dimensions;
            Some((
                self.sentences.get(row)?.as_str(),
                self.topics.get(row).map_or("", String::as_str),
                self.vectors.get(start..start + self.dimensions).unwrap_or_default(),
            ))
        })
    }
}

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Of NumPy: the vectors alone, in the order of the sentences.
    Npy,
    Parquet,
    Csv,
    /// An object a line: `{"text", "topic", "embedding"}`.
    JsonLines,
    /// The first of the two files that TensorFlow's Embedding Projector loads: the vectors.
    ProjectorVectors,
    /// The second one: sentences and topics, a line a vector.
    ProjectorMetadata,
}

impl Format {
    pub const ALL: [Self; 6] = [
        Self::Npy,
        Self::Parquet,
        Self::Csv,
        Self::JsonLines,
        Self::ProjectorVectors,
        Self::ProjectorMetadata,
    ];

    /// The end of the file's name.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Npy => ".npy",
            Self::Parquet => ".parquet",
            Self::Csv => ".csv",
            Self::JsonLines => ".jsonl",
            Self::ProjectorVectors => "-vectors.tsv",
            Self::ProjectorMetadata => "-metadata.tsv",
        }
    }
}
