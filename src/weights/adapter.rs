//! Adapters: what a fine-tune adds to a model's weights.
//!
//! In memory everything is `f32`. The file is GGUF in llama.cpp's adapter layout
//! (`general.type = "adapter"`, `adapter.type = "lora"`, tensors `NAME.weight.lora_a` and
//! `NAME.weight.lora_b`; ggml-org/llama.cpp `convert_lora_to_gguf.py`), with our own keys for
//! the recipe, the base model's hash and what was measured.

use std::collections::BTreeMap;

/// What an adapter does to one tensor of the model.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// `W + scale B A`: `a` is `[rank, inputs]`, `b` is `[outputs, rank]`.
    LowRank { rank: usize, inputs: usize, outputs: usize, a: Vec<f32>, b: Vec<f32>, scale: f32 },
    /// `W + difference`, `[rows, columns]`.
    Difference { rows: usize, columns: usize, difference: Vec<f32> },
    /// A tensor that the model does not have (the MLP's `cls.weight`, `cls.bias`), `[rows, columns]`.
    Added { rows: usize, columns: usize, values: Vec<f32> },
}

/// Every tensor that an adapter changes or adds, by the model's tensor names (`blk.0.attn_q.weight`).
pub type Changes = BTreeMap<String, Change>;
