//! What can be wrong with a weight file, with the operands a message needs and the remedy.

use crate::protocol::problem::Problem;

/// What is wrong with a weight file or with a conversion.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    #[error(
        "{name} is not a GGUF file{}; convert the model with `simcse convert`, or pick a file that ends in .gguf",
        looks_like.map(|kind| format!(" but looks like {kind}")).unwrap_or_default()
    )]
    NotGguf { name: String, looks_like: Option<&'static str> },

    #[error(
        "GGUF version {found} is not supported (2 and 3 are{}); convert the model again with a current tool",
        if found.swap_bytes() <= 3 { ", little-endian only, and this file is big-endian" } else { "" }
    )]
    Version { found: u32 },

    #[error(
        "the file ends too early: {needed_bytes} bytes are needed, {found_bytes} are there; download or copy it again"
    )]
    Truncated { needed_bytes: u64, found_bytes: u64 },

    #[error("the file is damaged: {what}; download it again, or convert the model again")]
    Damaged { what: String },

    #[error(
        "{what} is {found}, and no model that runs here has more than {limit}; the header is damaged, download the file again"
    )]
    Absurd { what: String, found: u64, limit: u64 },

    #[error("{name} is an adapter, not a model; open its base model and attach it to that")]
    IsAdapter { name: String },

    #[error(
        "{name} is no adapter; take a .gguf that `simcse train` or the page wrote, or a LoRA adapter of llama.cpp"
    )]
    NotAdapter { name: String },

    #[error(
        "the adapter {name} belongs to the model {expected_name} (sha256 {expected}), and this one is {found_name} (sha256 {found}); take the adapter's own base model"
    )]
    AdapterBase {
        name: String,
        expected: String,
        expected_name: String,
        // Boxed, or every result that may fail would be as large as these five.
        found: Box<str>,
        found_name: Box<str>,
    },

    #[error(
        "the file holds a {found} model; only encoders of BERT's family run here: take a BERT, RoBERTa, XLM-R, DistilBERT or MPNet"
    )]
    Architecture { found: String },

    #[error(
        "the metadata key {key} is missing; convert the model again with `simcse convert` or a current llama.cpp"
    )]
    MissingKey { key: String },

    #[error(
        "the metadata key {key} holds {found} where {expected} belongs; convert the model again"
    )]
    KeyType { key: String, expected: &'static str, found: &'static str },

    #[error("the tensor {name} is missing; convert the model again from its complete checkpoint")]
    MissingTensor { name: String },

    #[error(
        "the tensor {name} has the shape {found:?} where the header asks for {expected:?} (innermost dimension last); convert the model again"
    )]
    TensorShape { name: String, expected: Vec<u64>, found: Vec<u64> },

    #[error(
        "the tensor {name} has the number format {found}, which cannot be used; convert the model to f32, f16, q8_0 or q4_0"
    )]
    TensorType { name: String, found: String },

    #[error(
        "the tensor {name} holds a value that is not a finite number; download the file again, or convert the model again"
    )]
    NotFinite { name: String },

    #[error(
        "the tokeniser cannot be used: {detail}; take a GGUF of a WordPiece BERT, or convert the model with its tokenizer.json"
    )]
    Tokeniser { detail: String },

    #[error(
        "the file asks for pooling type {found}, which gives no sentence vector; convert the model again with --pooling mean or --pooling cls"
    )]
    Pooling { found: u64 },

    #[error("{needed_bytes} bytes of memory are not to be had; take a smaller quantisation")]
    Memory { needed_bytes: u64 },

    #[error("config.json: {what}")]
    Config { what: String },

    #[error("{file} cannot be used: {detail}; download it again, or take another copy")]
    Source { file: String, detail: String },

    #[error(
        "{file} asks to run {asked}, which only reading weights never needs: it is not opened; take a model.safetensors instead, or weights from somebody you trust"
    )]
    Pickle { file: String, asked: String },

    #[error(
        "{file} is not what was promised: sha256 {found} instead of {expected}; download it again"
    )]
    SourceHash { file: String, expected: String, found: String },

    #[error("{given} numbers in {bytes} bytes are no whole number of {block} blocks")]
    BlockLength { block: &'static str, given: usize, bytes: usize },

    #[error("row {row} lies outside the tensor {name} of {rows} rows")]
    Row { name: String, row: usize, rows: usize },
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        match error.clone() {
            Error::NotGguf { name, looks_like } => {
                Self::NotGguf { name, looks_like: looks_like.map(str::to_owned) }
            }
            Error::Version { found } => Self::GgufVersion { found },
            Error::Truncated { needed_bytes, found_bytes } => {
                Self::Truncated { needed_bytes, found_bytes }
            }
            Error::Damaged { what } => Self::Damaged { what },
            Error::Absurd { what, found, limit } => Self::Absurd { what, found, limit },
            Error::Architecture { found } => Self::Architecture { found },
            Error::IsAdapter { name } => Self::IsAdapter { name },
            Error::NotAdapter { name } => Self::NotAdapter { name },
            Error::AdapterBase { expected, expected_name, found, .. } => {
                Self::AdapterBase { expected, expected_name, found: found.into() }
            }
            Error::MissingTensor { name } => Self::MissingTensor { name },
            Error::TensorShape { name, expected, found } => {
                Self::TensorShape { name, expected, found }
            }
            Error::TensorType { name, found } => Self::TensorType { name, found },
            Error::NotFinite { name } => Self::NotFinite { name },
            Error::Tokeniser { detail } => Self::Tokeniser { detail },
            Error::Memory { needed_bytes } => Self::Memory { needed_bytes },
            Error::MissingKey { .. } | Error::KeyType { .. } | Error::Pooling { .. } => {
                Self::Damaged { what: error.to_string() }
            }
            Error::Config { what } => {
                Self::Checkpoint { file: "config.json".to_owned(), detail: what }
            }
            Error::Source { file, detail } => Self::Checkpoint { file, detail },
            Error::Pickle { file, asked } => Self::Pickle { file, asked },
            Error::SourceHash { expected, found, .. } => Self::Hash { expected, found },
            Error::BlockLength { .. } | Error::Row { .. } => {
                Self::Internal { detail: error.to_string() }
            }
        }
    }
}
