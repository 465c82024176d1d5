//! How a fine-tune is to be done: plain data, the same for the page, the command line's TOML files
//! and the adapter file that a fine-tune leaves.
//!
//! Names and defaults follow SimCSE (arXiv 2104.08821) and its reference code
//! (princeton-nlp/SimCSE, `simcse/models.py`, `run_unsup_example.sh`).

use serde::{Deserialize, Serialize};

use crate::protocol::readout::Pooling;

/// A fine-tune's settings. Fields that a file does not name get SimCSE's defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// Which token states become the vector that is trained.
    pub readout: TrainedReadout,
    /// Where the second view of a sentence comes from that has no partner of its own.
    pub augmentation: Augmentation,
    pub trained: Trained,
    /// tau of the contrastive loss.
    pub temperature: f32,
    /// alpha: the weight of an example's own hard negative; its logarithm is added to the logit.
    pub hard_negative_weight: f32,
    /// p, everywhere BERT has dropout: after the embeddings, on attention's probabilities, after
    /// attention's and the feed-forward's output. Frozen layers below the first trained one have none.
    pub dropout: f32,
    /// The highest learning rate of the schedule.
    pub learning_rate: f32,
    /// Share of the steps during which the rate rises from 0.
    pub warm_up: f32,
    pub decay: Decay,
    /// AdamW's decoupled weight decay; biases and layer norms are excluded.
    pub weight_decay: f32,
    /// The gradient's norm is cut to this; 0: never.
    pub gradient_clip: f32,
    /// Examples that meet in one loss.
    pub batch: u32,
    /// Sentences whose activations are in memory together; the loss still sees the whole batch
    /// (gradient caching, arXiv 2101.06983). 0: as many as fit the trainer's memory.
    pub micro_batch: u32,
    /// Longer sentences are cut to so many tokens, `[CLS]` and `[SEP]` included.
    pub max_tokens: u16,
    pub steps: u32,
    /// Steps between two measurements; each is also a checkpoint.
    pub measure_every: u32,
    pub seed: u64,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            readout: TrainedReadout::Cls,
            augmentation: Augmentation::Dropout,
            trained: Trained::default(),
            temperature: 0.05,
            hard_negative_weight: 1.0,
            dropout: 0.1,
            learning_rate: 5e-4,
            warm_up: 0.0,
            decay: Decay::Linear,
            weight_decay: 0.0,
            gradient_clip: 1.0,
            batch: 64,
            micro_batch: 0,
            max_tokens: 32,
            steps: 25,
            measure_every: 5,
            seed: 42,
        }
    }
}

/// Which token states become the vector that is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrainedReadout {
    Cls,
    /// `tanh(W cls + b)` while training; the vector afterwards is CLS alone (unsupervised SimCSE).
    ClsMlpWhileTraining,
    /// `tanh(W cls + b)` while training and afterwards (supervised SimCSE).
    ClsMlp,
    Mean,
}

impl TrainedReadout {
    /// The readout that the tuned model is to be used with.
    pub fn pooling(self) -> Pooling {
        match self {
            Self::Cls | Self::ClsMlpWhileTraining => Pooling::Cls,
            Self::ClsMlp => Pooling::ClsMlp,
            Self::Mean => Pooling::Mean,
        }
    }
}

/// Where the second view of a sentence comes from (the paper's Tables 1 and 3). All but `SameMask`
/// draw a new dropout mask for each view.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Augmentation {
    /// The same words under another dropout mask: SimCSE.
    Dropout,
    /// The same words under the same mask: both views are equal, and training collapses.
    SameMask,
    /// A span of consecutive words is kept; `share` of the words are cut away.
    Crop { share: f32 },
    /// Each word is deleted with probability `share`.
    DeleteWords { share: f32 },
    /// One word is deleted.
    DeleteOneWord,
}

/// What is trained.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Trained {
    /// Low-rank additions to the linear layers (LoRA, arXiv 2106.09685): `W + alpha / rank B A`.
    Lora {
        rank: u16,
        alpha: f32,
        linears: Linears,
        /// Only the last so many layers; `None`: all.
        last_layers: Option<u16>,
    },
    /// Every weight of the last so many layers. The layers below are run once a sentence.
    LastLayers { count: u16 },
    /// Every weight, the token table included.
    Everything,
}

impl Default for Trained {
    fn default() -> Self {
        Self::Lora { rank: 16, alpha: 16.0, linears: Linears::All, last_layers: None }
    }
}

/// Which linear layers LoRA is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Linears {
    All,
    /// Queries, keys, values and attention's output.
    Attention,
    /// Queries and values (the LoRA paper's choice).
    QueryValue,
    FeedForward,
}

/// How the learning rate falls after the warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decay {
    /// To 0 at the last step.
    Linear,
    /// Half a cosine to 0 at the last step.
    Cosine,
    Constant,
}

/// What is wrong with a recipe.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{field} is {found}, it must be from {low} to {high}")]
pub struct OutOfRange {
    /// Name of the field.
    pub field: &'static str,
    pub found: f64,
    pub low: f64,
    pub high: f64,
}

impl Recipe {
    /// Checks every number against what training can work with.
    ///
    /// # Errors
    /// The first field that is out of its range (a number that is none is out of any range).
    pub fn check(&self) -> Result<(), OutOfRange> {
        for (field, found, low, high) in self.ranges() {
            if !(low..=high).contains(&found) {
                return Err(OutOfRange { field, found, low, high });
            }
        }
        Ok(())
    }

    /// The least and the most that training can work with of the field that a check gives that name.
    pub fn range(field: &str) -> Option<(f64, f64)> {
        let all = Self::default().ranges();
        all.into_iter().find(|(name, ..)| *name == field).map(|(_, _, low, high)| (low, high))
    }

    /// Every number by its name, and the least and the most that it may be.
    fn ranges(&self) -> [(&'static str, f64, f64, f64); 14] {
        let share = match self.augmentation {
            Augmentation::Crop { share } | Augmentation::DeleteWords { share } => share,
            Augmentation::Dropout | Augmentation::SameMask | Augmentation::DeleteOneWord => 0.0,
        };
        let (rank, alpha) = match self.trained {
            Trained::Lora { rank, alpha, .. } => (rank, alpha),
            Trained::LastLayers { .. } | Trained::Everything => (1, 1.0),
        };
        [
            ("augmentation share", f64::from(share), 0.0, 0.9),
            ("LoRA rank", f64::from(rank), 1.0, 256.0),
            ("LoRA alpha", f64::from(alpha), 1e-3, 4096.0),
            ("temperature", f64::from(self.temperature), 1e-4, 100.0),
            ("hard negative weight", f64::from(self.hard_negative_weight), 1e-6, 1e6),
            ("dropout", f64::from(self.dropout), 0.0, 0.9),
            ("learning rate", f64::from(self.learning_rate), 0.0, 1.0),
            ("warm-up", f64::from(self.warm_up), 0.0, 1.0),
            ("weight decay", f64::from(self.weight_decay), 0.0, 1.0),
            ("gradient clip", f64::from(self.gradient_clip), 0.0, 1e6),
            ("batch", f64::from(self.batch), 2.0, 65_536.0),
            ("max tokens", f64::from(self.max_tokens), 4.0, 512.0),
            ("steps", f64::from(self.steps), 1.0, 1e6),
            ("measure every", f64::from(self.measure_every), 1.0, 1e6),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_training_cannot_work_with_is_named() {
        assert_eq!(Recipe::default().check(), Ok(()));
        let error = Recipe { temperature: f32::NAN, ..Recipe::default() }.check().unwrap_err();
        assert_eq!(error.field, "temperature");
        let error = Recipe { batch: 1, ..Recipe::default() }.check().unwrap_err();
        assert_eq!(error.to_string(), "batch is 1, it must be from 2 to 65536");
    }
}
