//! The verbs a forward pass is made of, and the backends that run them.
//!
//! A batch is packed: the tokens of all sentences stand one after another, `[tokens, hidden]`, with
//! no padding anywhere, and [`Batch::starts`] says where each sentence begins. Only attention and
//! pooling look at the borders.
//!
//! Every verb but [`Backend::read`] returns at once and may only have recorded its work; `read`
//! is the one place where a device is waited for.

pub mod cpu;
pub mod gpu;

use std::ops::Range;

use crate::protocol::gpu::{Backend as Kind, KernelCheck};
use crate::weights::bert::TensorView;

/// What can go wrong in a verb. All but `Memory`, `Weights` and `Gpu` mean a bug or a damaged
/// model.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Weights(#[from] crate::weights::error::Error),
    #[error(transparent)]
    Gpu(#[from] crate::gpu::error::Error),
    #[error("{verb}: expected {expected:?}, found {found:?}")]
    Shape { verb: &'static str, expected: (usize, usize), found: (usize, usize) },
    #[error("embed: row {row} lies outside a table of {rows} rows")]
    Row { row: usize, rows: usize },
    #[error("{needed_bytes} bytes of memory are not available")]
    Memory { needed_bytes: u64 },
}

/// Token ids of some sentences, one after another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    /// `[tokens]`
    pub ids: Vec<u32>,
    /// `[sentences + 1]`: sentence `i` is `starts[i]..starts[i + 1]` of the tokens.
    pub starts: Vec<usize>,
}

impl Batch {
    /// Packs sentences.
    pub fn pack<'a>(sentences: impl IntoIterator<Item = &'a [u32]>) -> Self {
        let mut batch = Self { ids: Vec::new(), starts: vec![0] };
        for sentence in sentences {
            batch.ids.extend_from_slice(sentence);
            batch.starts.push(batch.ids.len());
        }
        batch
    }

    /// Each sentence's first token alone; `None` where a sentence has none.
    pub fn first_tokens(&self) -> Option<Self> {
        let ids = self.ranges().map(|range| self.ids.get(range)?.first().copied());
        let ids: Vec<u32> = ids.collect::<Option<_>>()?;
        let starts = (0..=ids.len()).collect();
        Some(Self { ids, starts })
    }

    /// The tokens of each sentence.
    pub fn ranges(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        self.starts.windows(2).map(|ends| ends[0]..ends[1])
    }

    /// Number of tokens.
    pub fn tokens(&self) -> usize {
        self.ids.len()
    }

    /// Number of sentences.
    pub fn sentences(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }
}

/// What the embedding layer needs.
#[derive(Debug)]
pub struct Embedding<B: Backend + ?Sized> {
    /// `[vocabulary, hidden]`
    pub words: B::Table,
    /// `[max_tokens, hidden]`
    pub positions: B::Table,
    /// `[token types, hidden]`; only row 0 is used.
    pub types: B::Table,
    pub norm: B::Norm,
}

/// Which rows of a sentence become its vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pool {
    /// Mean over the sentence's tokens.
    Mean,
    /// Its first token.
    First,
}

/// How a device is to compute where it can in several ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way<'a> {
    /// As every device computes well enough.
    Safe,
    /// As that name says; measured where it says nothing.
    Known(&'a str),
    /// The fastest one that stays near enough to `f32`.
    Measured,
}

/// A device that runs the verbs.
pub trait Backend {
    /// Rows to look up.
    type Table: std::fmt::Debug;
    /// Weights and biases of a linear layer.
    type Linear: std::fmt::Debug;
    /// Gain, offset and epsilon of a layer norm.
    type Norm: std::fmt::Debug;
    /// Biases of attention by distance.
    type Bias: std::fmt::Debug;
    /// `[rows, columns]` numbers on the device.
    type States: std::fmt::Debug;

    fn kind(&self) -> Kind;

    /// What computes, in words.
    fn device(&self) -> String;

    /// Compares what the device's own programs compute with plain loops; one result a program.
    ///
    /// # Errors
    /// Where the device fails.
    fn check(&self) -> impl Future<Output = Result<Vec<KernelCheck>, Error>> {
        async { Ok(Vec::new()) }
    }

    /// Computes in that way from now on. Does nothing where there is only one.
    ///
    /// # Errors
    /// Where the device fails.
    fn settle(&self, _way: Way<'_>) -> impl Future<Output = Result<(), Error>> {
        async { Ok(()) }
    }

    /// The name of the way it computes in, where there are several.
    fn way(&self) -> Option<String> {
        None
    }

    /// A batch holds at most so many tokens, or one sentence.
    fn batch_tokens(&self) -> usize;

    /// Keeps a table for look-up, in the file's own number format where that is possible.
    ///
    /// # Errors
    /// Where memory is short.
    fn table(&self, tensor: &TensorView<'_>) -> Result<Self::Table, Error>;

    /// Linear layers with the same input, as one with their outputs side by side:
    /// weights `[outputs, inputs]`, biases `[outputs]`.
    ///
    /// # Errors
    /// Where shapes contradict each other or memory is short.
    fn linear_weights(
        &self,
        parts: &[(TensorView<'_>, TensorView<'_>)],
    ) -> Result<Self::Linear, Error>;

    /// `[hidden]` gain and offset.
    ///
    /// # Errors
    /// Where the tensors cannot be decoded.
    fn norm_weights(
        &self,
        gain: &TensorView<'_>,
        offset: &TensorView<'_>,
        epsilon: f32,
    ) -> Result<Self::Norm, Error>;

    /// MPNet's biases, from its table `[buckets, heads]`.
    ///
    /// # Errors
    /// Where the tensor cannot be decoded or memory is short.
    fn bias(&self, table: &TensorView<'_>) -> Result<Self::Bias, Error>;

    /// Sum of word, position and type rows, normalised: `[tokens, hidden]`.
    ///
    /// # Errors
    /// Where an id or a position lies outside its table.
    fn embed(&self, weights: &Embedding<Self>, batch: &Batch) -> Result<Self::States, Error>;

    /// `states weights^T + biases`: `[rows, inputs]` to `[rows, outputs]`.
    ///
    /// # Errors
    /// Where the shapes do not fit.
    fn linear(&self, states: &Self::States, weights: &Self::Linear) -> Result<Self::States, Error>;

    /// [`Backend::linear`], then `x (1 + erf(x / sqrt 2)) / 2` of each number.
    ///
    /// # Errors
    /// Where the shapes do not fit.
    fn linear_gelu(
        &self,
        states: &Self::States,
        weights: &Self::Linear,
    ) -> Result<Self::States, Error>;

    /// [`Backend::linear`], then the hyperbolic tangent of each number.
    ///
    /// # Errors
    /// Where the shapes do not fit.
    fn linear_tanh(
        &self,
        states: &Self::States,
        weights: &Self::Linear,
    ) -> Result<Self::States, Error>;

    /// Scaled dot-product attention within each sentence: `[tokens, 3 hidden]` (queries, keys,
    /// values side by side, heads side by side within each) to `[tokens, hidden]`, with a bias on its
    /// scores or none.
    ///
    /// # Errors
    /// Where the shapes do not fit.
    fn attention(
        &self,
        states: &Self::States,
        heads: usize,
        bias: Option<&Self::Bias>,
        batch: &Batch,
    ) -> Result<Self::States, Error>;

    /// `layer_norm(states + residual)`: `[rows, hidden]`.
    ///
    /// # Errors
    /// Where the shapes do not fit.
    fn add_norm(
        &self,
        states: Self::States,
        residual: &Self::States,
        norm: &Self::Norm,
    ) -> Result<Self::States, Error>;

    /// `(first + second) / 2`.
    ///
    /// # Errors
    /// Where the shapes do not fit.
    fn average(&self, first: &Self::States, second: Self::States) -> Result<Self::States, Error>;

    /// One row a sentence: `[tokens, hidden]` to `[sentences, hidden]`.
    ///
    /// # Errors
    /// Where the shapes do not fit.
    fn pool(&self, states: &Self::States, batch: &Batch, pool: Pool)
    -> Result<Self::States, Error>;

    /// Every row divided by its L2 norm; a row of zeros stays.
    ///
    /// # Errors
    /// None on the CPU.
    fn unit_rows(&self, states: Self::States) -> Result<Self::States, Error>;

    /// The numbers of each, row-major. However many they are, the device is waited for once.
    ///
    /// # Errors
    /// Where the device fails.
    fn read<const N: usize>(
        &self,
        states: [Self::States; N],
    ) -> impl Future<Output = Result<[Vec<f32>; N], Error>>;
}
