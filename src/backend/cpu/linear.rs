//! Linear layers: int8 where the file has whole numbers (q8_0, q4_0), `f32` otherwise.

use std::sync::Arc;

use crate::backend::Error;
use crate::backend::cpu::room::{Room, reserved};
use crate::backend::cpu::states::States;
use crate::math::lanes;
use crate::simd::codes::{Codes, Coding};
use crate::simd::float::{FloatPanels, Matrix};
use crate::simd::kernel::Kernel;
use crate::simd::layout::{BLOCK, PANEL, TILE};
use crate::simd::panels::Panels;
use crate::weights::bert::TensorView;

/// Panels whose outputs are one block of the next product's inputs.
const BLOCK_PANELS: usize = BLOCK / PANEL;

/// Weights `[outputs, inputs]` and biases of one or more linear layers with the same input.
#[derive(Debug)]
pub enum Linear {
    /// Biases are `[8 panels]`, filled up with zeros; `above` those for inputs above the GELU's
    /// floor.
    Blocks { panels: Panels, biases: Vec<f32>, above: Vec<f32>, coding: Coding },
    /// Weights are `[inputs, outputs]`.
    Real { weights: FloatPanels, biases: Vec<f32> },
}

impl Linear {
    /// Packs the layers' weights, their outputs side by side.
    ///
    /// # Errors
    /// Where shapes contradict each other, values are not finite or memory is short.
    pub fn load(
        kernel: &Kernel,
        parts: &[(TensorView<'_>, TensorView<'_>)],
    ) -> Result<Self, Error> {
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
        let whole = parts.iter().all(|(weights, _)| weights.block.is_whole_numbers());
        if whole && inputs.is_multiple_of(BLOCK) && inputs > 0 {
            Self::blocks(kernel, parts, biases, inputs)
        } else {
            Self::real(parts, biases, inputs)
        }
    }

    fn blocks(
        kernel: &Kernel,
        parts: &[(TensorView<'_>, TensorView<'_>)],
        mut biases: Vec<f32>,
        inputs: usize,
    ) -> Result<Self, Error> {
        let outputs = biases.len();
        let needed_bytes = 2 * outputs as u64 * inputs as u64;
        let mut panels =
            Panels::new(kernel, outputs, inputs).ok_or(Error::Memory { needed_bytes })?;
        let blocks = inputs / BLOCK;
        let mut place = 0;
        for (weights, _) in parts {
            weights.check()?;
            weights.block.whole_numbers(weights.bytes, |scale, codes| {
                panels.set(place / blocks, place % blocks, scale, codes);
                place += 1;
            });
        }
        biases.resize(panels.panel_count() * PANEL, 0.0);
        let totals = biases.iter().zip(panels.totals());
        let above = totals.map(|(bias, total)| bias + lanes::GELU_FLOOR * total).collect();
        // Queries, keys and values stand side by side: the softmax magnifies their errors.
        let coding = if parts.len() > 1 { Coding::Spread } else { Coding::Centred };
        Ok(Self::Blocks { panels, biases, above, coding })
    }

    fn real(
        parts: &[(TensorView<'_>, TensorView<'_>)],
        biases: Vec<f32>,
        inputs: usize,
    ) -> Result<Self, Error> {
        let count = biases.len() * inputs;
        let mut values = reserved(count)?;
        for (weights, _) in parts {
            values.extend(weights.to_f32()?);
        }
        let needed_bytes = 4 * count as u64;
        let weights = FloatPanels::new(Matrix::new(&values, inputs).transposed());
        let weights = weights.ok_or(Error::Memory { needed_bytes })?;
        Ok(Self::Real { weights, biases })
    }
}

/// The products, and what they need.
#[derive(Debug, Clone)]
pub struct Products {
    pub kernel: Kernel,
    pub room: Arc<Room>,
}

impl Products {
    /// `states weights^T + biases`, `[rows, outputs]`.
    pub fn multiply(
        &self,
        verb: &'static str,
        states: &States,
        weights: &Linear,
    ) -> Result<States, Error> {
        match weights {
            Linear::Blocks { panels, biases, above, coding } => {
                states.demand(verb, states.rows, panels.inputs())?;
                states.with_codes(&self.kernel, *coding, |codes| {
                    let is_above = matches!(codes.coding(), Coding::Above(_));
                    self.multiply_blocks(codes, panels, if is_above { above } else { biases })
                })
            }
            Linear::Real { weights, biases } => {
                states.demand(verb, states.rows, weights.rows())?;
                let mut product = self.room.numbers(states.rows * biases.len())?;
                for row in product.chunks_exact_mut(biases.len().max(1)) {
                    row.copy_from_slice(biases);
                }
                let input = states.numbers();
                weights.add_product(Matrix::new(&input, states.columns), &mut product);
                Ok(States::of_numbers(&self.room, (states.rows, biases.len()), product))
            }
        }
    }

    fn multiply_blocks(
        &self,
        codes: &Codes,
        panels: &Panels,
        biases: &[f32],
    ) -> Result<States, Error> {
        let (rows, outputs, width) = (codes.rows(), panels.outputs(), biases.len());
        let mut values = self.room.numbers(codes.tile_count() * TILE * width)?;
        let all = 0..panels.panel_count();
        self.kernel.multiply(codes, panels, all, biases, &mut values, width);
        if width > outputs {
            for row in 1..rows {
                values.copy_within(row * width..row * width + outputs, row * outputs);
            }
        }
        values.truncate(rows * outputs);
        Ok(States::of_product(&self.room, (rows, outputs), values))
    }

    /// [`Products::multiply`] and the GELU, quantised for the next product: the numbers themselves are
    /// never all there. `None` where the weights or their shape do not allow it.
    pub fn multiply_gelu(
        &self,
        states: &States,
        weights: &Linear,
    ) -> Result<Option<States>, Error> {
        let Linear::Blocks { panels, biases, above, coding } = weights else { return Ok(None) };
        if !panels.outputs().is_multiple_of(BLOCK) {
            return Ok(None);
        }
        states.demand("linear gelu", states.rows, panels.inputs())?;
        states.with_codes(&self.kernel, *coding, |codes| {
            let is_above = matches!(codes.coding(), Coding::Above(_));
            let biases = if is_above { above } else { biases };
            let mut output = self.room.codes(|| self.kernel.codes());
            output.reset(states.rows, panels.outputs(), Coding::Above(lanes::GELU_FLOOR));
            let mut values = self.room.numbers(codes.tile_count() * TILE * BLOCK)?;
            for (block, biases) in biases.as_chunks::<BLOCK>().0.iter().enumerate() {
                let these = block * BLOCK_PANELS..(block + 1) * BLOCK_PANELS;
                self.kernel.multiply(codes, panels, these, biases, &mut values, BLOCK);
                let rows = values.as_chunks_mut::<BLOCK>().0.iter_mut().take(states.rows);
                for (row, values) in rows.enumerate() {
                    lanes::gelu_to_code_each(values);
                    output.set_numbers(row, block, values);
                }
            }
            self.room.give_numbers(values);
            Ok(Some(States::of_codes(&self.room, output)))
        })
    }
}
