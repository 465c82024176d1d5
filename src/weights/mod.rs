//! Weight files: GGUF, safetensors, quantised blocks.
//!
//! [`gguf`] reads any GGUF header and its [`metadata`], [`bert`] checks that it holds a BERT
//! encoder and hands out its tensors, [`tokens`] reads its vocabulary, [`blocks`] turns number
//! formats into `f32` and back, [`writer`] lays out a GGUF file and [`convert`] makes one from
//! safetensors. An [`adapter`] is read and written by [`adapter_file`] and put into a model by
//! [`merged`].
//!
//! *Invariant:* no bytes, however hostile, make these modules panic or hold more memory than a
//! small multiple of the file's own length.

pub mod adapter;
pub mod adapter_file;
pub mod bert;
pub mod blocks;
pub mod convert;
pub mod error;
pub mod gguf;
pub mod merged;
pub mod metadata;
pub mod tokens;
pub mod writer;
