//! How a sentence's token states become one vector.

use serde::{Deserialize, Serialize};

/// Which token states are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Pooling {
    /// Mean over the real tokens, padding excluded.
    Mean,
    /// The first token, `[CLS]`, before any pooler.
    Cls,
    /// Mean over the tokens of (first layer + last layer) / 2: `avg_first_last` of
    /// princeton-nlp/SimCSE `simcse/models.py`, whose "first" is the output of layer 1.
    FirstLast,
    /// `tanh(W cls + b)` of the first token: SimCSE's MLP, kept after training. Only models and
    /// adapters that bring `W` and `b` have it.
    ClsMlp,
}

impl Pooling {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Mean, Self::Cls, Self::FirstLast, Self::ClsMlp];

    /// Name as the command line and files write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Cls => "cls",
            Self::FirstLast => "first-last",
            Self::ClsMlp => "cls-mlp",
        }
    }

    /// The pooling of that [`Pooling::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|pooling| pooling.name() == name)
    }
}

/// The model as it came, or with its adapter: before and after a fine-tune.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Side {
    #[default]
    Before,
    /// Fails where no adapter is attached.
    After,
}

/// Which weights, read how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Lens {
    pub side: Side,
    pub readout: Readout,
}

/// Pooling at a layer. The vector is always L2-normalised afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Readout {
    pub pooling: Pooling,
    /// Output of this layer: 0 is the embedding layer, `None` the model's last layer.
    pub layer: Option<u16>,
}

impl Readout {
    /// Pooling at the last layer.
    pub fn last(pooling: Pooling) -> Self {
        Self { pooling, layer: None }
    }
}
