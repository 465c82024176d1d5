//! What computes a training step: the seam between the session and the device.
//!
//! A session needs nothing of a device but this trait, so that a WebGPU trainer brings its own
//! forward pass, gradients and optimiser, and no second session, loss or schedule.

use crate::protocol::readout::Pooling;
use crate::training::error::Error;
use crate::weights::adapter::Changes;

/// Dropout of one forward pass. The same noise and the same sentences give the same masks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// p: the share of numbers that become 0; the others are divided by 1 - p.
    pub dropout: f32,
    pub seed: u64,
}

/// Vectors of some sentences, and what is needed to send a gradient back through them.
#[derive(Debug)]
pub struct Forward<T> {
    /// `[sentences, hidden]`, as pooled for training, not normalised.
    pub rows: Vec<f32>,
    /// `None` where it was not asked for.
    pub tape: Option<T>,
}

/// One update of the weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Update {
    pub learning_rate: f32,
    /// Decoupled, on matrices only.
    pub weight_decay: f32,
    /// The gradient's L2 norm is cut to this; 0: never.
    pub gradient_clip: f32,
}

/// What computes a training step.
pub trait Learner {
    /// What a forward pass keeps for its backward pass.
    type Tape;
    /// Weights and optimiser state as of one moment.
    type Checkpoint: Clone;

    /// Length of a vector.
    fn hidden(&self) -> usize;

    /// Number of weights that are trained.
    fn parameters(&self) -> u64;

    /// Layers below the first trained one: they run without dropout, once a sentence.
    fn frozen_layers(&self) -> usize;

    /// Vectors of sentences, given as token ids. `noise: None`: no dropout.
    fn forward(
        &mut self,
        sentences: &[&[u32]],
        noise: Option<Noise>,
        keep_tape: bool,
    ) -> impl Future<Output = Result<Forward<Self::Tape>, Error>>;

    /// Adds the gradient of what is trained, given the loss's gradient with respect to the rows of
    /// the forward pass, `[sentences, hidden]`.
    fn backward(
        &mut self,
        tape: Self::Tape,
        row_gradient: &[f32],
    ) -> impl Future<Output = Result<(), Error>>;

    /// AdamW (arXiv 1711.05101; betas .9 and .999, epsilon 1e-8) with the gradient added up since
    /// the last update, which is then forgotten. The gradient's L2 norm before clipping; where that
    /// is not a finite number, the weights stay as they are.
    fn update(&mut self, update: Update) -> impl Future<Output = Result<f32, Error>>;

    /// Without dropout, several poolings of the last layer at once: each `[sentences, hidden]`, unit
    /// length. `Pooling::ClsMlp` is the trained MLP's output.
    fn embed(
        &mut self,
        sentences: &[&[u32]],
        poolings: &[Pooling],
    ) -> impl Future<Output = Result<Vec<Vec<f32>>, Error>>;

    /// Weights and optimiser state, to come back to. Bytes that one takes: `checkpoint_bytes`.
    fn checkpoint(&self) -> Result<Self::Checkpoint, Error>;

    /// Memory that a checkpoint takes.
    fn checkpoint_bytes(&self) -> u64;

    /// Goes back to a checkpoint. The gradient added up since the last update is forgotten.
    fn restore(&mut self, checkpoint: &Self::Checkpoint) -> Result<(), Error>;

    /// What training has changed so far, to be kept as an adapter.
    fn changes(&self) -> Result<Changes, Error>;
}
