//! The GPU: every verb records kernels, `read` runs what was recorded with one submission and one
//! read-back.
//!
//! Weights are moved once, in blocks where the file has whole numbers. States are buffers of `f32` that
//! are used again as soon as nothing holds them: what is recorded runs in order.

use std::cell::{Cell, OnceCell, RefCell};

use crate::backend::{Backend, Batch, Embedding, Error, Pool, Way};
use crate::gpu::buffer::Buffer;
use crate::gpu::device::Gpu;
use crate::gpu::error::Error as GpuError;
use crate::gpu::recording::{Dispatch, Recording, Took};
use crate::kernels::linear::{Activation, Layer};
use crate::kernels::matrix::{BLOCK, Matrix, Numbers, OnGpu};
use crate::kernels::product::Product;
use crate::kernels::{add_norm, attention, average, check, embed, multiply, pool, unit};
use crate::protocol::gpu::{Backend as Kind, KernelCheck};
use crate::weights::bert::TensorView;

/// Workgroups that a grid may have in one dimension, on every device.
const MOST_GROUPS: usize = 65_535;

/// A batch's most tokens: `[tokens, 4 x 768]` numbers are 100 MB, under the 128 MiB that every device
/// binds.
const BATCH_TOKENS: usize = 8_192;

/// A GPU behind the verbs.
#[derive(Debug)]
pub struct GpuBackend {
    gpu: Gpu,
    product: Cell<Product>,
    recording: RefCell<Recording>,
    /// How many recordings failed: states from before such a failure hold nothing.
    failures: Cell<u32>,
    laid_out: RefCell<Option<LaidOut>>,
    /// `None` where nobody wants to know.
    times: RefCell<Option<Vec<Took>>>,
}

/// A table of rows. It moves to the GPU when it is first read.
#[derive(Debug)]
pub struct Table {
    rows: usize,
    columns: usize,
    /// `None` once it has moved.
    host: RefCell<Option<Matrix>>,
    device: OnceCell<OnGpu>,
}

/// Weights `[outputs, inputs]` and biases `[outputs]`.
#[derive(Debug)]
pub struct Linear {
    weights: OnGpu,
    biases: Buffer,
}

/// A layer norm: gain and offset, one after the other.
#[derive(Debug)]
pub struct Norm {
    columns: usize,
    numbers: Buffer,
    epsilon: f32,
}

/// `[rows, columns]` numbers, recorded if not yet computed.
#[derive(Debug)]
pub struct States {
    rows: usize,
    columns: usize,
    buffer: Buffer,
    /// [`GpuBackend::failures`] when it was recorded.
    failures: u32,
}

/// What kernels read of a batch: its layers all read the same.
#[derive(Debug, Clone)]
struct LaidOut {
    batch: Batch,
    /// `[tokens]` of (id, place).
    tokens: Buffer,
    /// `[sentences + 1]`
    starts: Buffer,
    /// See [`attention::items`].
    items: Buffer,
    item_count: usize,
}

impl GpuBackend {
    /// The verbs on that GPU.
    pub fn new(gpu: Gpu) -> Self {
        let (recording, failures, laid_out, times) = Default::default();
        let product = Cell::new(Product::SAFE);
        Self { gpu, product, recording, failures, laid_out, times }
    }

    /// How linear layers are multiplied out from now on.
    pub fn choose(&self, product: Product) {
        self.product.set(product);
    }

    /// Measures ways to multiply on this device, chooses the fastest that stays near enough to `f32`,
    /// and tells which it was: its text can be kept for the next time the adapter is the same. Takes
    /// some tens of multiplications.
    ///
    /// # Errors
    /// Where the device fails.
    pub async fn tune(&self) -> Result<Product, Error> {
        let product = multiply::fastest(&self.gpu).await?;
        self.choose(product);
        Ok(product)
    }

    /// Whether from now on the device is asked how long every dispatch takes. It is slower then, since
    /// each has a pass of its own.
    pub fn keep_times(&self, wanted: bool) {
        self.times.replace(wanted.then(Vec::new));
    }

    /// How long dispatches took since the last call, in their order; nothing unless they are kept and
    /// the device can tell.
    pub fn take_times(&self) -> Vec<Took> {
        self.times.borrow_mut().as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// How linear layers are multiplied out.
    pub fn product(&self) -> Product {
        self.product.get()
    }

    /// The GPU it runs on.
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// The most tokens that a batch may have whose states are at most so many numbers wide: of BERT
    /// the wide layer's, or three times the hidden ones. A single sentence is a batch of its own.
    pub fn most_tokens(&self, widest_columns: usize) -> usize {
        // Attention has a workgroup for every sixteen tokens, at worst for every one.
        (self.gpu.most_numbers() / widest_columns.max(1)).min(MOST_GROUPS)
    }

    fn record(&self, dispatch: Dispatch) -> Result<(), Error> {
        let needed = dispatch.groups.into_iter().max().unwrap_or(0) as usize;
        if needed > MOST_GROUPS {
            let (needed, limit) = (needed as u64, MOST_GROUPS as u64);
            return Err(GpuError::Limit { what: dispatch.shader.name, needed, limit }.into());
        }
        self.recording.borrow_mut().steps.push(dispatch);
        Ok(())
    }

    fn record_all(&self, dispatches: Vec<Dispatch>) -> Result<(), Error> {
        dispatches.into_iter().try_for_each(|dispatch| self.record(dispatch))
    }

    fn room(&self, what: &'static str, rows: usize, columns: usize) -> Result<States, Error> {
        let buffer = self.gpu.room(what, rows * columns)?;
        Ok(States { rows, columns, buffer, failures: self.failures.get() })
    }

    /// Fails unless the states are `[rows, columns]` and were not lost with a failed recording.
    fn demand(
        &self,
        verb: &'static str,
        states: &States,
        expected: (usize, usize),
    ) -> Result<(), Error> {
        if states.failures != self.failures.get() {
            let detail = format!("{verb}: earlier work on these states failed");
            return Err(GpuError::Refused { detail }.into());
        }
        let found = (states.rows, states.columns);
        if expected == found { Ok(()) } else { Err(Error::Shape { verb, expected, found }) }
    }

    fn lay_out(&self, batch: &Batch) -> Result<LaidOut, Error> {
        if let Some(known) = self.laid_out.borrow().as_ref().filter(|it| it.batch == *batch) {
            return Ok(known.clone());
        }
        let places = batch.ranges().flat_map(|range| 0..range.len() as u32);
        let tokens: Vec<u32> =
            batch.ids.iter().zip(places).flat_map(|(id, place)| [*id, place]).collect();
        let starts: Vec<u32> = batch.starts.iter().map(|start| *start as u32).collect();
        let items = attention::items(&batch.starts);
        let laid_out = LaidOut {
            batch: batch.clone(),
            tokens: self.gpu.upload("tokens", &tokens)?,
            starts: self.gpu.upload("starts", &starts)?,
            item_count: items.len() / 4,
            items: self.gpu.upload("attention items", &items)?,
        };
        self.laid_out.replace(Some(laid_out.clone()));
        Ok(laid_out)
    }

    fn multiply(
        &self,
        verb: &'static str,
        states: &States,
        layer: &Linear,
        activation: Activation,
    ) -> Result<States, Error> {
        self.demand(verb, states, (states.rows, layer.weights.columns))?;
        let out = self.room(verb, states.rows, layer.weights.rows)?;
        let Linear { weights, biases } = layer;
        let (rows, x, to) = (states.rows, &states.buffer, &out.buffer);
        let layer = Layer { rows, x, weights, bias: biases, activation, out: to };
        self.record_all(multiply::steps(&self.gpu, layer, self.product())?)?;
        Ok(out)
    }
}

/// Another recording on the same GPU.
impl Clone for GpuBackend {
    fn clone(&self) -> Self {
        Self { product: self.product.clone(), ..Self::new(self.gpu.clone()) }
    }
}

impl Table {
    /// The table in GPU memory.
    fn on_gpu(&self, gpu: &Gpu) -> Result<&OnGpu, Error> {
        if let Some(there) = self.device.get() {
            return Ok(there);
        }
        let moved = match self.host.take() {
            Some(matrix) => matrix.upload(gpu, "table")?,
            None => return Err(lost_table()),
        };
        Ok(self.device.get_or_init(|| moved))
    }

    /// The table with row 0 of another one added to every row: positions with the token type.
    fn on_gpu_plus(&self, gpu: &Gpu, types: &Self) -> Result<&OnGpu, Error> {
        if self.device.get().is_none() {
            let mut host = self.host.borrow_mut();
            let types = types.host.borrow();
            let (Some(matrix), Some(types)) = (host.as_mut(), types.as_ref()) else {
                return Err(lost_table());
            };
            let mut values = matrix.decoded();
            let kind = types.decoded();
            for row in values.chunks_exact_mut(self.columns.max(1)) {
                row.iter_mut().zip(&kind).for_each(|(value, kind)| *value += kind);
            }
            matrix.numbers = Numbers::Real(values);
        }
        self.on_gpu(gpu)
    }
}

/// A table whose move to the GPU failed is not tried again: the model has to be loaded anew.
fn lost_table() -> Error {
    GpuError::Refused { detail: "an earlier move of this table failed".to_owned() }.into()
}

/// The tensors' rows one below the other.
fn matrix(tensors: &[&TensorView<'_>]) -> Result<Matrix, Error> {
    let columns = tensors.first().map_or(0, |tensor| tensor.columns);
    let whole = tensors.iter().all(|tensor| tensor.block.is_whole_numbers());
    let rows = tensors.iter().map(|tensor| tensor.rows).sum();
    let mut numbers = if whole && columns > 0 && columns.is_multiple_of(BLOCK) {
        Numbers::Blocks { codes: Vec::new(), scales: Vec::new() }
    } else {
        Numbers::Real(Vec::new())
    };
    for tensor in tensors {
        match &mut numbers {
            Numbers::Real(values) => values.extend(tensor.to_f32()?),
            Numbers::Blocks { codes, scales } => {
                tensor.check()?;
                tensor.block.whole_numbers(tensor.bytes, |scale, block| {
                    scales.push(scale);
                    codes.extend_from_slice(block);
                });
            }
        }
    }
    Ok(Matrix { rows, columns, numbers })
}

impl Backend for GpuBackend {
    type Table = Table;
    type Linear = Linear;
    type Norm = Norm;
    type Bias = Buffer;
    type States = States;

    fn kind(&self) -> Kind {
        Kind::WebGpu
    }

    fn device(&self) -> String {
        self.gpu.facts().to_string()
    }

    async fn check(&self) -> Result<Vec<KernelCheck>, Error> {
        Ok(check::check(&self.gpu, self.product()).await?)
    }

    async fn settle(&self, way: Way<'_>) -> Result<(), Error> {
        let known = match way {
            Way::Safe => Some(Product::SAFE),
            Way::Known(name) => name.parse().ok(),
            Way::Measured => None,
        };
        match known {
            Some(product) => self.choose(product),
            None => drop(self.tune().await?),
        }
        Ok(())
    }

    fn way(&self) -> Option<String> {
        Some(self.product().to_string())
    }

    /// Every recording costs a way to the device and back, so a batch is as large as buffers of the
    /// widest states of a usual model may be.
    fn batch_tokens(&self) -> usize {
        BATCH_TOKENS
    }

    fn table(&self, tensor: &TensorView<'_>) -> Result<Table, Error> {
        let matrix = matrix(&[tensor])?;
        let (rows, columns) = (matrix.rows, matrix.columns);
        Ok(Table { rows, columns, host: RefCell::new(Some(matrix)), device: OnceCell::new() })
    }

    fn linear_weights(&self, parts: &[(TensorView<'_>, TensorView<'_>)]) -> Result<Linear, Error> {
        let inputs = parts.first().map_or(0, |(weights, _)| weights.columns);
        let mut biases = Vec::new();
        for (weights, bias) in parts {
            let found = (weights.columns, bias.rows * bias.columns);
            let expected = (inputs, weights.rows);
            if found != expected {
                return Err(Error::Shape { verb: "linear weights", expected, found });
            }
            biases.extend(bias.to_f32()?);
        }
        let tensors: Vec<_> = parts.iter().map(|(weights, _)| weights).collect();
        let weights = matrix(&tensors)?.upload(&self.gpu, "weights")?;
        Ok(Linear { weights, biases: self.gpu.upload_reals("biases", &biases)? })
    }

    fn norm_weights(
        &self,
        gain: &TensorView<'_>,
        offset: &TensorView<'_>,
        epsilon: f32,
    ) -> Result<Norm, Error> {
        let mut numbers = gain.to_f32()?;
        let columns = numbers.len();
        numbers.extend(offset.to_f32()?);
        if numbers.len() != 2 * columns {
            let (expected, found) = ((1, columns), (1, numbers.len() - columns));
            return Err(Error::Shape { verb: "norm weights", expected, found });
        }
        Ok(Norm { columns, numbers: self.gpu.upload_reals("norm", &numbers)?, epsilon })
    }

    fn bias(&self, table: &TensorView<'_>) -> Result<Buffer, Error> {
        let bias = attention::bias_by_distance(&table.to_f32()?, table.columns);
        Ok(self.gpu.upload_reals("attention bias", &bias)?)
    }

    fn embed(&self, weights: &Embedding<Self>, batch: &Batch) -> Result<States, Error> {
        let Embedding { words, positions, types, norm } = weights;
        let row = batch.ids.iter().map(|id| *id as usize).max();
        if let Some(row) = row.filter(|row| *row >= words.rows) {
            return Err(Error::Row { row, rows: words.rows });
        }
        let longest = batch.ranges().map(|range| range.len()).max().unwrap_or(0);
        if longest > positions.rows {
            return Err(Error::Row { row: longest - 1, rows: positions.rows });
        }
        let (expected, found) = ((words.columns, words.columns), (positions.columns, norm.columns));
        if expected != found || types.columns != words.columns {
            return Err(Error::Shape { verb: "embed", expected, found });
        }
        let laid_out = self.lay_out(batch)?;
        let out = self.room("embed", batch.tokens(), words.columns)?;
        let input = embed::Input {
            tokens: &laid_out.tokens,
            words: words.on_gpu(&self.gpu)?,
            positions: positions.on_gpu_plus(&self.gpu, types)?,
            norm: &norm.numbers,
            epsilon: norm.epsilon,
        };
        self.record_all(embed::dispatches(batch.tokens(), input, &out.buffer))?;
        Ok(out)
    }

    fn linear(&self, states: &States, weights: &Linear) -> Result<States, Error> {
        self.multiply("linear", states, weights, Activation::Nothing)
    }

    fn linear_gelu(&self, states: &States, weights: &Linear) -> Result<States, Error> {
        self.multiply("linear gelu", states, weights, Activation::Gelu)
    }

    fn linear_tanh(&self, states: &States, weights: &Linear) -> Result<States, Error> {
        self.multiply("linear tanh", states, weights, Activation::Tanh)
    }

    fn attention(
        &self,
        states: &States,
        heads: usize,
        bias: Option<&Buffer>,
        batch: &Batch,
    ) -> Result<States, Error> {
        let hidden = states.columns / 3;
        let heads_fit = heads > 0 && hidden.is_multiple_of(heads);
        let columns = 3 * if heads_fit { hidden } else { heads };
        self.demand("attention", states, (batch.tokens(), columns))?;
        let width = hidden / heads;
        if !width.is_multiple_of(4) || width > attention::MOST_WIDTH {
            let (needed, limit) = (width as u64, attention::MOST_WIDTH as u64);
            return Err(GpuError::Limit { what: "a head's width", needed, limit }.into());
        }
        let LaidOut { items, item_count, .. } = self.lay_out(batch)?;
        let out = self.room("attention", states.rows, hidden)?;
        let shape = (hidden, heads);
        let inputs = (&states.buffer, bias);
        let step = attention::dispatch(item_count, shape, &items, inputs, &out.buffer);
        self.record(step)?;
        Ok(out)
    }

    fn add_norm(&self, states: States, residual: &States, norm: &Norm) -> Result<States, Error> {
        let shape = (residual.rows, residual.columns);
        self.demand("add norm", &states, shape)?;
        self.demand("add norm", residual, (states.rows, norm.columns))?;
        let (to, from) = (&states.buffer, &residual.buffer);
        self.record(add_norm::dispatch(shape, norm.epsilon, to, from, &norm.numbers))?;
        Ok(states)
    }

    fn average(&self, first: &States, second: States) -> Result<States, Error> {
        let shape = (first.rows, first.columns);
        self.demand("average", &second, shape)?;
        self.demand("average", first, shape)?;
        self.record(average::dispatch(shape, &first.buffer, &second.buffer))?;
        Ok(second)
    }

    fn pool(&self, states: &States, batch: &Batch, pool: Pool) -> Result<States, Error> {
        self.demand("pool", states, (batch.tokens(), states.columns))?;
        let laid_out = self.lay_out(batch)?;
        let out = self.room("pool", batch.sentences(), states.columns)?;
        let (shape, first) = ((out.rows, out.columns), pool == Pool::First);
        let (from, to) = (&states.buffer, &out.buffer);
        self.record(pool::dispatch(shape, first, &laid_out.starts, from, to))?;
        Ok(out)
    }

    fn unit_rows(&self, states: States) -> Result<States, Error> {
        let shape = (states.rows, states.columns);
        self.demand("unit rows", &states, shape)?;
        self.record(unit::dispatch(shape, &states.buffer))?;
        Ok(states)
    }

    async fn read<const N: usize>(&self, states: [States; N]) -> Result<[Vec<f32>; N], Error> {
        for states in &states {
            self.demand("read", states, (states.rows, states.columns))?;
        }
        let outputs =
            states.each_ref().map(|states| (&states.buffer, states.rows * states.columns));
        let recording = self.recording.take();
        let wanted = self.times.borrow().is_some();
        let outcome = if wanted {
            let outcome = self.gpu.run_timed(recording, &outputs).await;
            outcome.map(|(values, took)| {
                let mut times = self.times.borrow_mut();
                times.iter_mut().for_each(|times| times.extend(took.iter().flatten()));
                values
            })
        } else {
            self.gpu.run(recording, &outputs).await
        };
        if outcome.is_err() {
            self.failures.set(self.failures.get() + 1);
        }
        let mut values = outcome?;
        // From behind, so that the first and largest stays where it is.
        let mut parts = [const { Vec::new() }; N];
        for (part, (_, count)) in parts.iter_mut().zip(outputs).rev() {
            *part = values.split_off(values.len().saturating_sub(count));
        }
        Ok(parts)
    }
}
