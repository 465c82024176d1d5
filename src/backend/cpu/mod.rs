//! The CPU: the int8 product for weights in blocks of whole numbers (q8_0, q4_0), the `f32` product
//! for others, plain loops for the rest.
//!
//! Weights are packed once, at load. Word, position and type tables stay in the file, and rows are
//! decoded as they are looked up: the word table is more than half of a small model.

mod attention;
mod attention_blocks;
mod linear;
mod room;
mod states;

use std::ops::Range;
use std::sync::Arc;

use crate::backend::cpu::linear::{Linear, Products};
use crate::backend::cpu::room::{Room, reserved};
use crate::backend::cpu::states::States;
use crate::backend::{Backend, Batch, Embedding, Error, Pool};
use crate::kernels::attention::bias_by_distance;
use crate::math::lanes;
use crate::protocol::gpu::Backend as Kind;
use crate::simd::kernel::Kernel;
use crate::weights::bert::TensorView;
use crate::weights::blocks::BlockType;

/// The CPU. Copies share the buffers that are used again.
#[derive(Debug, Clone)]
pub struct Cpu {
    products: Products,
    room: Arc<Room>,
}

/// With the fastest kernel here.
impl Default for Cpu {
    fn default() -> Self {
        Self::with(Kernel::fastest())
    }
}

/// Rows in a number format of the file.
pub struct Table {
    rows: usize,
    columns: usize,
    block: BlockType,
    /// The whole file where the table is a part of one, so that it is in memory once.
    bytes: Arc<Vec<u8>>,
    start: usize,
    row_bytes: usize,
}

/// Leaves out the bytes.
impl std::fmt::Debug for Table {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { rows, columns, block, .. } = self;
        write!(out, "Table [{rows}, {columns}] {block:?}")
    }
}

impl Table {
    fn row_into(&self, row: usize, out: &mut [f32]) -> Result<(), Error> {
        let from = row.checked_mul(self.row_bytes).filter(|_| row < self.rows);
        let from = from.map(|from| self.start + from);
        let bytes = from.and_then(|from| self.bytes.get(from..from + self.row_bytes));
        let bytes = bytes.ok_or(Error::Row { row, rows: self.rows })?;
        Ok(self.block.decode(bytes, out)?)
    }
}

/// A layer norm.
#[derive(Debug)]
pub struct Norm {
    gain: Vec<f32>,
    offset: Vec<f32>,
    epsilon: f32,
}

impl Cpu {
    /// With that kernel.
    pub fn with(kernel: Kernel) -> Self {
        let room = Arc::default();
        Self { products: Products { kernel, room: Arc::clone(&room) }, room }
    }

    fn states(&self, rows: usize, columns: usize, values: Vec<f32>) -> States {
        States::of_numbers(&self.room, (rows, columns), values)
    }
}

impl Backend for Cpu {
    type Table = Table;
    type Linear = Linear;
    type Norm = Norm;
    /// `[heads, SPAN]`
    type Bias = Vec<f32>;
    type States = States;

    fn kind(&self) -> Kind {
        Kind::Cpu
    }

    fn device(&self) -> String {
        format!("int8 {}", self.products.kernel.name)
    }

    /// Larger batches are no faster on one thread, and a layer of this one keeps a browser's worker
    /// busy for some 12 ms.
    fn batch_tokens(&self) -> usize {
        384
    }

    fn table(&self, tensor: &TensorView<'_>) -> Result<Table, Error> {
        // Rows are decoded unchecked later, so every one is looked at now.
        tensor.check()?;
        let (bytes, start) = match tensor.owner {
            Some((file, start)) => (Arc::clone(file), start),
            None => {
                let mut bytes = reserved(tensor.bytes.len())?;
                bytes.extend_from_slice(tensor.bytes);
                (Arc::new(bytes), 0)
            }
        };
        let row_bytes = tensor.bytes.len().checked_div(tensor.rows).unwrap_or(0);
        let (rows, columns, block) = (tensor.rows, tensor.columns, tensor.block);
        Ok(Table { rows, columns, block, bytes, start, row_bytes })
    }

    fn linear_weights(&self, parts: &[(TensorView<'_>, TensorView<'_>)]) -> Result<Linear, Error> {
        Linear::load(&self.products.kernel, parts)
    }

    fn norm_weights(
        &self,
        gain: &TensorView<'_>,
        offset: &TensorView<'_>,
        epsilon: f32,
    ) -> Result<Norm, Error> {
        Ok(Norm { gain: gain.to_f32()?, offset: offset.to_f32()?, epsilon })
    }

    fn bias(&self, table: &TensorView<'_>) -> Result<Vec<f32>, Error> {
        Ok(bias_by_distance(&table.to_f32()?, table.columns))
    }

    fn embed(&self, weights: &Embedding<Self>, batch: &Batch) -> Result<States, Error> {
        let hidden = weights.words.columns;
        let mut values = self.room.numbers(batch.tokens() * hidden)?;
        let mut extra = self.room.numbers(2 * hidden)?;
        let (kind, position) = extra.split_at_mut(hidden);
        weights.types.row_into(0, kind)?;
        let places = batch.ranges().flat_map(|range| 0..range.len());
        let rows = values.chunks_exact_mut(hidden.max(1));
        for ((row, id), place) in rows.zip(&batch.ids).zip(places) {
            weights.words.row_into(*id as usize, row)?;
            weights.positions.row_into(place, position)?;
            for ((value, position), kind) in row.iter_mut().zip(&*position).zip(&*kind) {
                *value += position + kind;
            }
            let norm = &weights.norm;
            lanes::layer_norm(row, &norm.gain, &norm.offset, norm.epsilon);
        }
        self.room.give_numbers(extra);
        Ok(self.states(batch.tokens(), hidden, values))
    }

    fn linear(&self, states: &States, weights: &Linear) -> Result<States, Error> {
        self.products.multiply("linear", states, weights)
    }

    fn linear_gelu(&self, states: &States, weights: &Linear) -> Result<States, Error> {
        if let Some(product) = self.products.multiply_gelu(states, weights)? {
            return Ok(product);
        }
        let product = self.products.multiply("linear gelu", states, weights)?;
        Ok(product.each_row(lanes::gelu_each))
    }

    fn linear_tanh(&self, states: &States, weights: &Linear) -> Result<States, Error> {
        let product = self.products.multiply("linear tanh", states, weights)?;
        Ok(product.each_row(|row| row.iter_mut().for_each(|value| *value = value.tanh())))
    }

    fn attention(
        &self,
        states: &States,
        heads: usize,
        bias: Option<&Vec<f32>>,
        batch: &Batch,
    ) -> Result<States, Error> {
        let hidden = states.columns / 3;
        let heads_fit = heads > 0 && hidden.is_multiple_of(heads);
        states.demand("attention", batch.tokens(), 3 * if heads_fit { hidden } else { heads })?;
        let bias = bias.map_or(&[][..], Vec::as_slice);
        let layout = attention::Layout { hidden, heads, bias };
        let input = states.numbers();
        let mut output = self.room.numbers(batch.tokens() * hidden)?;
        let heads_of = |tokens: Range<usize>| (0..heads).map(move |head| (head, tokens.clone()));
        let places = batch.ranges().flat_map(heads_of);
        if states.is_rounded {
            let kernel = &self.products.kernel;
            self.room.with_attention_blocks(kernel, |scratch| {
                for (head, tokens) in places {
                    let (input, output) = (&input, &mut output);
                    attention_blocks::head(kernel, layout, head, tokens, input, output, scratch);
                }
            });
        } else {
            self.room.with_attention(|scratch| {
                for (head, tokens) in places {
                    attention::head(layout, head, tokens, &input, &mut output, scratch);
                }
            });
        }
        Ok(self.states(batch.tokens(), hidden, output))
    }

    fn add_norm(&self, states: States, residual: &States, norm: &Norm) -> Result<States, Error> {
        states.demand("add norm", residual.rows, residual.columns)?;
        states.demand("add norm", states.rows, norm.gain.len())?;
        let residual = residual.numbers();
        let mut rows = residual.chunks_exact(states.columns.max(1));
        Ok(states.each_row(|row| {
            for (value, residual) in row.iter_mut().zip(rows.next().unwrap_or_default()) {
                *value += residual;
            }
            lanes::layer_norm(row, &norm.gain, &norm.offset, norm.epsilon);
        }))
    }

    fn average(&self, first: &States, second: States) -> Result<States, Error> {
        second.demand("average", first.rows, first.columns)?;
        let first = first.numbers();
        let mut rows = first.chunks_exact(second.columns.max(1));
        Ok(second.each_row(|row| {
            for (value, other) in row.iter_mut().zip(rows.next().unwrap_or_default()) {
                *value = 0.5 * (*value + other);
            }
        }))
    }

    fn pool(&self, states: &States, batch: &Batch, pool: Pool) -> Result<States, Error> {
        states.demand("pool", batch.tokens(), states.columns)?;
        let columns = states.columns;
        let numbers = states.numbers();
        let mut pooled = self.room.numbers(batch.sentences() * columns)?;
        pooled.fill(0.0);
        let rows = pooled.chunks_exact_mut(columns.max(1));
        for (row, tokens) in rows.zip(batch.ranges()) {
            let used = match pool {
                Pool::Mean => tokens.len(),
                Pool::First => tokens.len().min(1),
            };
            let from = tokens.start * columns;
            let sentence = &numbers[from..from + used * columns];
            for token in sentence.chunks_exact(columns.max(1)) {
                for (sum, value) in row.iter_mut().zip(token) {
                    *sum += value;
                }
            }
            let scale = 1.0 / used.max(1) as f32;
            row.iter_mut().for_each(|value| *value *= scale);
        }
        Ok(self.states(batch.sentences(), columns, pooled))
    }

    fn unit_rows(&self, states: States) -> Result<States, Error> {
        Ok(states.each_row(lanes::unit))
    }

    async fn read<const N: usize>(&self, states: [States; N]) -> Result<[Vec<f32>; N], Error> {
        let mut all = [const { Vec::new() }; N];
        for (values, states) in all.iter_mut().zip(states) {
            // A copy: the buffer may be far larger, and is used again.
            let numbers = states.numbers();
            *values = reserved(numbers.len())?;
            values.extend_from_slice(&numbers);
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpu() -> Cpu {
        Cpu::default()
    }

    fn view(bytes: &[u8], rows: usize, columns: usize) -> TensorView<'_> {
        TensorView { name: "test", rows, columns, block: BlockType::F32, bytes, owner: None }
    }

    fn bytes(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    fn states(rows: usize, columns: usize) -> States {
        let values = (0..rows * columns).map(|i| i as f32).collect();
        cpu().states(rows, columns, values)
    }

    #[test]
    fn linear_layers_with_one_input_stand_side_by_side() {
        let (first, second) = (bytes(&[1.0, 0.0, 0.0, 1.0]), bytes(&[1.0, 1.0]));
        let (ten, twenty) = (bytes(&[10.0, 10.0]), bytes(&[20.0]));
        let parts =
            [(view(&first, 2, 2), view(&ten, 1, 2)), (view(&second, 1, 2), view(&twenty, 1, 1))];
        let weights = cpu().linear_weights(&parts).unwrap();
        let output = cpu().linear(&states(2, 2), &weights).unwrap();
        assert_eq!(*output.numbers(), [10.0, 11.0, 21.0, 12.0, 13.0, 25.0]);
        let error = cpu().linear(&states(2, 3), &weights).unwrap_err();
        assert_eq!(error.to_string(), "linear: expected (2, 2), found (2, 3)");
    }

    #[test]
    fn rows_outside_a_table_are_named() {
        let values = bytes(&[1.0, 2.0, 3.0, 4.0]);
        let table = cpu().table(&view(&values, 2, 2)).unwrap();
        let mut row = [0.0; 2];
        table.row_into(1, &mut row).unwrap();
        assert_eq!(row, [3.0, 4.0]);
        for outside in [2, usize::MAX] {
            let error = table.row_into(outside, &mut row).unwrap_err();
            assert!(matches!(error, Error::Row { row, rows: 2 } if row == outside));
        }
    }

    #[test]
    fn a_table_that_is_not_finite_is_refused() {
        let values = bytes(&[1.0, 2.0, f32::INFINITY, 4.0]);
        assert!(matches!(cpu().table(&view(&values, 2, 2)), Err(Error::Weights(_))));
    }

    #[test]
    fn pooling_looks_at_each_sentence_alone() {
        let batch = Batch::pack([&[7, 8][..], &[], &[9]]);
        assert_eq!((batch.tokens(), batch.sentences()), (3, 3));
        let states = states(3, 2);
        let mean = cpu().pool(&states, &batch, Pool::Mean).unwrap();
        assert_eq!(*mean.numbers(), [1.0, 2.0, 0.0, 0.0, 4.0, 5.0]);
        let first = cpu().pool(&states, &batch, Pool::First).unwrap();
        assert_eq!(*first.numbers(), [0.0, 1.0, 0.0, 0.0, 4.0, 5.0]);
    }

    #[test]
    fn heads_that_do_not_divide_the_width_are_refused() {
        let batch = Batch::pack([&[1, 2][..]]);
        assert!(cpu().attention(&states(2, 12), 3, None, &batch).is_err());
        assert!(cpu().attention(&states(2, 12), 0, None, &batch).is_err());
        assert!(cpu().attention(&states(2, 12), 2, None, &batch).is_ok());
    }
}
