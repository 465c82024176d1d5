//! Attention with both products in int8: queries with keys, weights with values. For models whose
//! linear layers are int8 too.
//!
//! Keys and values are rounded symmetrically, 8 bits, one scale a row (key) or column (value) and
//! block of 32; queries are coded around 0, weights above it.

use std::ops::Range;

use crate::backend::cpu::attention::{Layout, soften};
use crate::kernels::attention::lean;
use crate::simd::codes::{Codes, Coding};
use crate::simd::kernel::Kernel;
use crate::simd::layout::{BLOCK, PANEL, TILE};
use crate::simd::panels::Panels;

/// Room that is used again for every head.
pub struct Scratch {
    queries: Codes,
    keys: Panels,
    weights: Codes,
    values: Panels,
    products: Vec<f32>,
    zeros: Vec<f32>,
}

impl Scratch {
    pub fn new(kernel: &Kernel) -> Self {
        Self {
            queries: kernel.codes(),
            keys: Panels::empty(kernel),
            weights: kernel.codes(),
            values: Panels::empty(kernel),
            products: Vec::new(),
            zeros: Vec::new(),
        }
    }

    /// `states weights^T` of what is packed; whole tiles of rows as wide as the panels.
    fn multiply(&mut self, kernel: &Kernel, which: Which) -> usize {
        let (codes, panels) = match which {
            Which::Scores => (&self.queries, &self.keys),
            Which::Output => (&self.weights, &self.values),
        };
        let width = panels.panel_count() * PANEL;
        self.zeros.resize(self.zeros.len().max(width), 0.0);
        self.products.resize(codes.tile_count() * TILE * width, 0.0);
        let all = 0..panels.panel_count();
        kernel.multiply(codes, panels, all, &self.zeros, &mut self.products, width);
        width
    }
}

enum Which {
    Scores,
    Output,
}

/// One head of one sentence, as [`crate::backend::cpu::attention::head`].
pub fn head(
    kernel: &Kernel,
    layout: Layout<'_>,
    head: usize,
    tokens: Range<usize>,
    input: &[f32],
    output: &mut [f32],
    scratch: &mut Scratch,
) {
    let width = layout.hidden / layout.heads;
    let (count, stride, first) = (tokens.len(), 3 * layout.hidden, head * width);
    let sentence = &input[tokens.start * stride..tokens.end * stride];
    pack(scratch, sentence, layout, first, width);
    let wide = scratch.multiply(kernel, Which::Scores);
    scratch.weights.reset(count, count, Coding::Above(0.0));
    for (row, scores) in scratch.products.chunks_exact_mut(wide).take(count).enumerate() {
        let scores = &mut scores[..count];
        if let Some(bias) = layout.bias_of(head) {
            lean(scores, row, bias);
        }
        soften(scores);
        scratch.weights.set_row(row, scores);
    }
    let wide = scratch.multiply(kernel, Which::Output);
    let rows = scratch.products.chunks_exact(wide).take(count);
    for (row, token) in rows.zip(tokens) {
        let to = token * layout.hidden + first;
        output[to..to + width].copy_from_slice(&row[..width]);
    }
}

/// Codes of queries (over the root of the width) and keys a token, of values a dimension.
fn pack(scratch: &mut Scratch, sentence: &[f32], layout: Layout<'_>, first: usize, width: usize) {
    let stride = 3 * layout.hidden;
    let count = sentence.len() / stride;
    let scale = 1.0 / (width as f32).sqrt();
    let mut block = [0.0; BLOCK];
    scratch.queries.reset(count, width, Coding::Centred);
    scratch.keys.reset(count, width);
    for (token, row) in sentence.chunks_exact(stride).enumerate() {
        let queries = row[first..first + width].chunks(BLOCK);
        let keys = row[first + layout.hidden..][..width].chunks(BLOCK);
        for (place, (queries, keys)) in queries.zip(keys).enumerate() {
            block[queries.len()..].fill(0.0);
            for (to, from) in block.iter_mut().zip(queries) {
                *to = from * scale;
            }
            scratch.queries.set_numbers(token, place, &block);
            block[..keys.len()].copy_from_slice(keys);
            scratch.keys.set_rounded(token, place, &block);
        }
    }
    scratch.values.reset(width, count);
    let first = first + 2 * layout.hidden;
    for (place, rows) in sentence.chunks(BLOCK * stride).enumerate() {
        for dim in (0..width).step_by(PANEL) {
            let panel = dim..width.min(dim + PANEL);
            let mut inputs = [[0.0; PANEL]; BLOCK];
            for (to, row) in inputs.iter_mut().zip(rows.chunks_exact(stride)) {
                let from = &row[first..][panel.clone()];
                match from.as_array() {
                    Some(eight) => *to = *eight,
                    None => to[..from.len()].copy_from_slice(from),
                }
            }
            let inputs = &inputs[..rows.len() / stride];
            scratch.values.set_rounded_across(dim / PANEL, place, inputs);
        }
    }
}
