//! The CPU: candle's matrix product for the linear layers, our own loops for the rest.
//!
//! Linear weights are decoded to `f32` once, at load. Word, position and type tables stay in the
//! file, and rows are decoded as they are looked up: the word table is more than half of a small
//! model. No candle type is visible outside this module.

mod attention;

use std::sync::Arc;

use candle_core::{Device, Tensor};

use crate::backend::{Backend, Batch, Embedding, Error, Pool};
use crate::math::lanes;
use crate::protocol::event::Backend as Kind;
use crate::weights::bert::TensorView;
use crate::weights::blocks::BlockType;

/// The CPU.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu;

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

/// A linear layer.
#[derive(Debug)]
pub struct Linear {
    /// `[inputs, outputs]`, a transposed view.
    weights: Tensor,
    biases: Vec<f32>,
    inputs: usize,
}

/// A layer norm.
#[derive(Debug)]
pub struct Norm {
    gain: Vec<f32>,
    offset: Vec<f32>,
    epsilon: f32,
}

/// `[rows, columns]`, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct States {
    rows: usize,
    columns: usize,
    values: Vec<f32>,
}

impl States {
    fn demand(&self, verb: &'static str, rows: usize, columns: usize) -> Result<(), Error> {
        let (expected, found) = ((rows, columns), (self.rows, self.columns));
        if expected == found { Ok(()) } else { Err(Error::Shape { verb, expected, found }) }
    }
}

fn zeros(rows: usize, columns: usize) -> Result<States, Error> {
    let mut values = reserved(rows * columns)?;
    values.resize(rows * columns, 0.0);
    Ok(States { rows, columns, values })
}

fn reserved<T>(count: usize) -> Result<Vec<T>, Error> {
    let mut values = Vec::new();
    let needed_bytes = (count as u64).saturating_mul(size_of::<T>() as u64);
    values.try_reserve_exact(count).map_err(|_| Error::Memory { needed_bytes })?;
    Ok(values)
}

fn library(verb: &'static str) -> impl Fn(candle_core::Error) -> Error {
    move |error| Error::Library { verb, detail: error.to_string() }
}

/// `states weights^T`, without the biases.
fn multiply(verb: &'static str, states: &States, weights: &Linear) -> Result<States, Error> {
    states.demand(verb, states.rows, weights.inputs)?;
    let shape = (states.rows, states.columns);
    let product = Tensor::from_slice(&states.values, shape, &Device::Cpu)
        .and_then(|input| input.matmul(&weights.weights))
        .and_then(|product| product.flatten_all()?.to_vec1())
        .map_err(library(verb))?;
    Ok(States { rows: states.rows, columns: weights.biases.len(), values: product })
}

impl Backend for Cpu {
    type Table = Table;
    type Linear = Linear;
    type Norm = Norm;
    type States = States;

    fn kind(&self) -> Kind {
        Kind::Cpu
    }

    fn device(&self) -> String {
        let threads = candle_core::utils::get_num_threads();
        let vectors = if cfg!(target_feature = "simd128") { ", wasm simd128" } else { "" };
        let plural = if threads == 1 { "" } else { "s" };
        format!("candle f32{vectors}, {threads} thread{plural}")
    }

    fn table(&self, tensor: &TensorView<'_>) -> Result<Table, Error> {
        // Rows are decoded unchecked later, so every one is looked at now.
        let mut row = vec![0.0; tensor.columns];
        (0..tensor.rows).try_for_each(|position| tensor.row_into(position, &mut row))?;
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
        let inputs = parts.first().map_or(0, |(weights, _)| weights.columns);
        let outputs: usize = parts.iter().map(|(weights, _)| weights.rows).sum();
        let mut values = reserved(outputs * inputs)?;
        let mut biases = Vec::with_capacity(outputs);
        for (weights, bias) in parts {
            let found = (weights.columns, bias.rows * bias.columns);
            let expected = (inputs, weights.rows);
            if found != expected {
                return Err(Error::Shape { verb: "linear weights", expected, found });
            }
            values.extend(weights.to_f32()?);
            biases.extend(bias.to_f32()?);
        }
        let weights = Tensor::from_vec(values, (outputs, inputs), &Device::Cpu)
            .and_then(|weights| weights.t())
            .map_err(library("linear weights"))?;
        Ok(Linear { weights, biases, inputs })
    }

    fn norm_weights(
        &self,
        gain: &TensorView<'_>,
        offset: &TensorView<'_>,
        epsilon: f32,
    ) -> Result<Norm, Error> {
        Ok(Norm { gain: gain.to_f32()?, offset: offset.to_f32()?, epsilon })
    }

    fn embed(&self, weights: &Embedding<Self>, batch: &Batch) -> Result<States, Error> {
        let hidden = weights.words.columns;
        let mut states = zeros(batch.tokens(), hidden)?;
        let mut kind = vec![0.0; hidden];
        let mut position = vec![0.0; hidden];
        weights.types.row_into(0, &mut kind)?;
        let places = batch.ranges().flat_map(|range| 0..range.len());
        let rows = states.values.chunks_exact_mut(hidden.max(1));
        for ((row, id), place) in rows.zip(&batch.ids).zip(places) {
            weights.words.row_into(*id as usize, row)?;
            weights.positions.row_into(place, &mut position)?;
            for ((value, position), kind) in row.iter_mut().zip(&position).zip(&kind) {
                *value += position + kind;
            }
            let norm = &weights.norm;
            lanes::layer_norm(row, &norm.gain, &norm.offset, norm.epsilon);
        }
        Ok(states)
    }

    fn linear(&self, states: &States, weights: &Linear) -> Result<States, Error> {
        let mut product = multiply("linear", states, weights)?;
        lanes::add_bias(&mut product.values, &weights.biases);
        Ok(product)
    }

    fn linear_gelu(&self, states: &States, weights: &Linear) -> Result<States, Error> {
        let mut product = multiply("linear gelu", states, weights)?;
        lanes::add_bias_gelu(&mut product.values, &weights.biases);
        Ok(product)
    }

    fn linear_tanh(&self, states: &States, weights: &Linear) -> Result<States, Error> {
        let mut product = self.linear(states, weights)?;
        product.values.iter_mut().for_each(|value| *value = value.tanh());
        Ok(product)
    }

    fn attention(&self, states: &States, heads: usize, batch: &Batch) -> Result<States, Error> {
        let hidden = states.columns / 3;
        let heads_fit = heads > 0 && hidden.is_multiple_of(heads);
        states.demand("attention", batch.tokens(), 3 * if heads_fit { hidden } else { heads })?;
        let layout = attention::Layout { hidden, heads };
        let mut output = zeros(batch.tokens(), hidden)?;
        let mut scratch = attention::Scratch::new();
        for tokens in batch.ranges() {
            for head in 0..heads {
                let (tokens, values) = (tokens.clone(), &mut output.values);
                attention::head(layout, head, tokens, &states.values, values, &mut scratch);
            }
        }
        Ok(output)
    }

    fn add_norm(
        &self,
        mut states: States,
        residual: &States,
        norm: &Norm,
    ) -> Result<States, Error> {
        states.demand("add norm", residual.rows, residual.columns)?;
        states.demand("add norm", states.rows, norm.gain.len())?;
        let columns = states.columns.max(1);
        let rows = states.values.chunks_exact_mut(columns);
        for (row, residual) in rows.zip(residual.values.chunks_exact(columns)) {
            for (value, residual) in row.iter_mut().zip(residual) {
                *value += residual;
            }
            lanes::layer_norm(row, &norm.gain, &norm.offset, norm.epsilon);
        }
        Ok(states)
    }

    fn average(&self, first: &States, mut second: States) -> Result<States, Error> {
        second.demand("average", first.rows, first.columns)?;
        for (value, other) in second.values.iter_mut().zip(&first.values) {
            *value = 0.5 * (*value + other);
        }
        Ok(second)
    }

    fn pool(&self, states: &States, batch: &Batch, pool: Pool) -> Result<States, Error> {
        states.demand("pool", batch.tokens(), states.columns)?;
        let columns = states.columns;
        let mut pooled = zeros(batch.sentences(), columns)?;
        let rows = pooled.values.chunks_exact_mut(columns.max(1));
        for (row, tokens) in rows.zip(batch.ranges()) {
            let used = match pool {
                Pool::Mean => tokens.len(),
                Pool::First => tokens.len().min(1),
            };
            let from = tokens.start * columns;
            let sentence = &states.values[from..from + used * columns];
            for token in sentence.chunks_exact(columns.max(1)) {
                for (sum, value) in row.iter_mut().zip(token) {
                    *sum += value;
                }
            }
            let scale = 1.0 / used.max(1) as f32;
            row.iter_mut().for_each(|value| *value *= scale);
        }
        Ok(pooled)
    }

    fn unit_rows(&self, mut states: States) -> Result<States, Error> {
        states.values.chunks_exact_mut(states.columns.max(1)).for_each(lanes::unit);
        Ok(states)
    }

    async fn read(&self, states: States) -> Result<Vec<f32>, Error> {
        Ok(states.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(bytes: &[u8], rows: usize, columns: usize) -> TensorView<'_> {
        TensorView { name: "test", rows, columns, block: BlockType::F32, bytes, owner: None }
    }

    fn bytes(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    fn states(rows: usize, columns: usize) -> States {
        let values = (0..rows * columns).map(|i| i as f32).collect();
        States { rows, columns, values }
    }

    #[test]
    fn linear_layers_with_one_input_stand_side_by_side() {
        let (first, second) = (bytes(&[1.0, 0.0, 0.0, 1.0]), bytes(&[1.0, 1.0]));
        let (ten, twenty) = (bytes(&[10.0, 10.0]), bytes(&[20.0]));
        let parts =
            [(view(&first, 2, 2), view(&ten, 1, 2)), (view(&second, 1, 2), view(&twenty, 1, 1))];
        let weights = Cpu.linear_weights(&parts).unwrap();
        let output = Cpu.linear(&states(2, 2), &weights).unwrap();
        assert_eq!(output.values, [10.0, 11.0, 21.0, 12.0, 13.0, 25.0]);
        let error = Cpu.linear(&states(2, 3), &weights).unwrap_err();
        assert_eq!(error.to_string(), "linear: expected (2, 2), found (2, 3)");
    }

    #[test]
    fn rows_outside_a_table_are_named() {
        let values = bytes(&[1.0, 2.0, 3.0, 4.0]);
        let table = Cpu.table(&view(&values, 2, 2)).unwrap();
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
        assert!(matches!(Cpu.table(&view(&values, 2, 2)), Err(Error::Weights(_))));
    }

    #[test]
    fn pooling_looks_at_each_sentence_alone() {
        let batch = Batch::pack([&[7, 8][..], &[], &[9]]);
        assert_eq!((batch.tokens(), batch.sentences()), (3, 3));
        let states = states(3, 2);
        let mean = Cpu.pool(&states, &batch, Pool::Mean).unwrap();
        assert_eq!(mean.values, [1.0, 2.0, 0.0, 0.0, 4.0, 5.0]);
        let first = Cpu.pool(&states, &batch, Pool::First).unwrap();
        assert_eq!(first.values, [0.0, 1.0, 0.0, 0.0, 4.0, 5.0]);
    }

    #[test]
    fn heads_that_do_not_divide_the_width_are_refused() {
        let batch = Batch::pack([&[1, 2][..]]);
        assert!(Cpu.attention(&states(2, 12), 3, &batch).is_err());
        assert!(Cpu.attention(&states(2, 12), 0, &batch).is_err());
        assert!(Cpu.attention(&states(2, 12), 2, &batch).is_ok());
    }
}
