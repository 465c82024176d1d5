//! Adapters: what a fine-tune adds to a model's weights.
//!
//! In memory everything is `f32`. The file is GGUF in llama.cpp's adapter layout
//! where it fits: [`crate::weights::adapter_file`].

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

impl Change {
    /// Numbers that it consists of.
    pub fn parameters(&self) -> u64 {
        let count = match self {
            Self::LowRank { a, b, .. } => a.len() + b.len(),
            Self::Difference { difference, .. } => difference.len(),
            Self::Added { values, .. } => values.len(),
        };
        count as u64
    }

    /// Whether it has as many numbers as its shape says.
    pub fn is_whole(&self) -> bool {
        match self {
            Self::LowRank { rank, inputs, outputs, a, b, .. } => {
                Some(a.len()) == rank.checked_mul(*inputs)
                    && Some(b.len()) == rank.checked_mul(*outputs)
            }
            Self::Difference { rows, columns, difference: values }
            | Self::Added { rows, columns, values } => {
                Some(values.len()) == rows.checked_mul(*columns)
            }
        }
    }

    /// Rows and columns of the tensor that it changes or adds.
    pub fn shape(&self) -> (usize, usize) {
        match self {
            Self::LowRank { inputs, outputs, .. } => (*outputs, *inputs),
            Self::Difference { rows, columns, .. } | Self::Added { rows, columns, .. } => {
                (*rows, *columns)
            }
        }
    }
}
