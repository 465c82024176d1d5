//! What page and worker say to each other about a fine-tune.

use serde::{Deserialize, Serialize};

use crate::protocol::readout::Pooling;
use crate::protocol::recipe::Recipe;

/// A fine-tune that is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub recipe: Recipe,
    pub examples: Vec<Example>,
    pub probe: Probe,
}

/// One example: a sentence; with a partner that means the same; with one that does not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Example {
    pub anchor: String,
    /// `None`: the anchor's second view is made by the recipe's augmentation.
    pub positive: Option<String>,
    /// Counts only beside a positive.
    pub hard_negative: Option<String>,
}

/// What is measured while training goes on; none of it is trained on unless it is among the examples.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Probe {
    /// For uniformity, mean cosine, histogram, spectrum and the sphere.
    pub sentences: Vec<String>,
    /// Pairs with gold scores from 0 to 5, for Spearman's correlation, and for alignment (the pairs
    /// above 4). Without any, alignment is that of two dropout views of `sentences`.
    pub scored: Vec<(String, String, f32)>,
    /// Pairs whose cosines the visitor follows.
    pub pinned: Vec<(String, String)>,
}

/// What can be ordered of a fine-tune that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    Pause,
    Resume,
    /// End it; what was trained so far is kept as after the last step.
    Stop,
    /// Go back to the checkpoint of that step (0: before the first), or to the latest kept one before
    /// it, and pause there; `TrainingRests` says where.
    Restore {
        step: u32,
    },
}

/// Why a fine-tune does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rest {
    /// All steps were done.
    Finished,
    /// On order, for good.
    Stopped,
    /// On order, until `Resume`.
    Paused,
    /// The loss or a weight is no longer a number; the last checkpoint is in use.
    Diverged,
}

/// What a fine-tune will cost, known once its sentences are tokenised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Outline {
    pub examples: u32,
    /// Tokens of all examples' sentences, after cutting.
    pub tokens: u64,
    pub truncated: u32,
    /// Weights that are trained.
    pub parameters: u64,
    /// Layers below that are run once a sentence.
    pub frozen_layers: u16,
    pub steps: u32,
    /// Examples in a batch: the recipe's number, or all where there are fewer.
    pub batch: u32,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct StepReport {
    /// From 1.
    pub step: u32,
    /// Mean over the batch, in nats.
    pub loss: f32,
    /// Share of the examples whose own partner had the highest similarity.
    pub accuracy: f32,
    /// Mean cosine of the batch's positive pairs, as trained (with dropout).
    pub positive_cosine: f32,
    /// Mean cosine of the batch's other pairs.
    pub negative_cosine: f32,
    pub learning_rate: f32,
    /// Before clipping.
    pub gradient_norm: f32,
    pub step_ms: f64,
}

/// The geometry of some sentences' vectors: what a plot of alignment and uniformity, a histogram, a
/// spectrum and a sphere are drawn from. Unit vectors, no dropout.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Shape {
    pub sentences: u32,
    /// Numbers a vector: fewer than the model's where whitening kept fewer directions.
    pub dimensions: u32,
    /// log mean exp(-2 squared distance) over distinct pairs (Wang & Isola 2020, t = 2).
    pub uniformity: f64,
    /// Over distinct pairs.
    pub mean_cosine: f64,
    /// Share of all distinct pairs' cosines in each of [`Shape::BINS`] equal parts of -1 to 1.
    pub histogram: Vec<f32>,
    /// Singular values of the matrix of vectors divided by the largest, falling; at most
    /// [`Shape::SINGULAR_VALUES`] of them.
    pub spectrum: Vec<f32>,
    /// How many directions are used: exp of the entropy of all singular values' shares of their sum
    /// (Roy & Vetterli 2007).
    pub effective_rank: f64,
    /// `[sentences, 3]` unit vectors: coordinates on the first three right singular vectors of the
    /// matrix (not centred, so that a cone stays a cone), scaled to length 1.
    pub sphere: Vec<f32>,
    /// Share of the vectors' squared length that those three axes hold.
    pub sphere_share: f32,
}

impl Shape {
    pub const BINS: usize = 80;
    pub const SINGULAR_VALUES: usize = 64;
}

/// A measurement after some step.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Measures {
    /// 0: before the first step.
    pub step: u32,
    /// Of the trained readout, over the probe's sentences.
    pub shape: Shape,
    /// Mean squared distance of positive pairs (Wang & Isola 2020, alpha = 2).
    pub alignment: Option<f64>,
    pub positives: Positives,
    /// Spearman's correlation with the gold scores, -1 to 1: of the trained readout, and of the mean
    /// over tokens beside it.
    pub spearman: Option<f64>,
    pub spearman_mean: Option<f64>,
    /// Cosine of each pinned pair.
    pub pinned: Vec<f32>,
    pub measure_ms: f64,
}

/// Which pairs an alignment was measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Positives {
    /// Pairs with gold scores above 4.
    #[default]
    Scored,
    /// Two dropout views (p = .1, whatever the recipe says) of the same sentence.
    Views,
}

/// An adapter, as the page knows it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AdapterSummary {
    pub name: String,
    /// Of the adapter's file, lower-case hexadecimal.
    pub sha256: String,
    pub size_bytes: u64,
    /// Of the model it belongs to.
    pub base_sha256: String,
    pub base_name: String,
    /// The recipe as TOML, for the reader.
    pub recipe: String,
    pub seed: u64,
    /// The readout it was trained for.
    pub pooling: Option<Pooling>,
    /// The readout that scores best with it, where its maker measured that.
    pub best_pooling: Option<Pooling>,
    /// Lines "name: value" of what was measured, for the reader.
    pub metrics: Vec<(String, String)>,
    /// Numbers that it changes or adds.
    pub parameters: u64,
    pub licence: Option<String>,
    /// It is no adapter but another model, whose hash and size these are.
    #[serde(default)]
    pub model: Option<OtherModel>,
}

/// A model beside the one in use.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OtherModel {
    pub quantisation: String,
    pub layers: u16,
}
