//! Scaled dot-product attention over ragged sentences, in `f32`.
//!
//! Both products (queries with keys, weights with values) are the same small matrix product: four
//! rows by a panel of eight columns, whose 32 sums stay in registers.

use std::ops::Range;

use crate::kernels::attention::{SPAN, lean};
use crate::math::lanes::{LANES, exp, largest, sum_of};

/// Queries handled side by side.
const ROWS: usize = 4;

/// Where a head's numbers lie: rows of `3 hidden` with queries, keys and values side by side.
#[derive(Debug, Clone, Copy)]
pub struct Layout<'a> {
    pub hidden: usize,
    pub heads: usize,
    /// `[heads, SPAN]`, added to the scores by distance, or nothing.
    pub bias: &'a [f32],
}

impl<'a> Layout<'a> {
    /// The head's part of the bias.
    pub fn bias_of(&self, head: usize) -> Option<&'a [f32]> {
        self.bias.get(head * SPAN..(head + 1) * SPAN)
    }
}

/// Columns of a matrix in panels of eight: `[panel][row][8]`, the last panel filled with zeros.
struct Panels {
    values: Vec<f32>,
    rows: usize,
}

impl Panels {
    /// `rows` x `columns` numbers that `at(row, column)` gives.
    fn fill(&mut self, rows: usize, columns: usize, at: impl Fn(usize, usize) -> f32) {
        self.rows = rows;
        self.values.clear();
        self.values.resize(columns.div_ceil(LANES) * rows * LANES, 0.0);
        let panels = self.values.chunks_exact_mut((rows * LANES).max(1));
        for (panel, numbers) in panels.enumerate() {
            let first = panel * LANES;
            for (row, block) in numbers.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
                for (lane, value) in block.iter_mut().enumerate().take(columns - first) {
                    *value = at(row, first + lane);
                }
            }
        }
    }

    fn iter(&self) -> impl Iterator<Item = &[[f32; LANES]]> {
        self.values.chunks_exact((self.rows * LANES).max(1)).map(|panel| panel.as_chunks().0)
    }
}

/// Four rows (each as long as the panel) times a panel.
fn product(rows: [&[f32]; ROWS], panel: &[[f32; LANES]]) -> [[f32; LANES]; ROWS] {
    let mut sums = [[0.0; LANES]; ROWS];
    let [a, b, c, d] = rows;
    for ((((block, a), b), c), d) in panel.iter().zip(a).zip(b).zip(c).zip(d) {
        for (sum, factor) in sums.iter_mut().zip([a, b, c, d]) {
            for (sum, value) in sum.iter_mut().zip(block) {
                *sum += factor * value;
            }
        }
    }
    sums
}

/// Room that is used again for every head.
pub struct Scratch {
    keys: Panels,
    values: Panels,
    queries: [Vec<f32>; ROWS],
    weights: [Vec<f32>; ROWS],
}

impl Scratch {
    pub fn new() -> Self {
        let empty = || Panels { values: Vec::new(), rows: 0 };
        Self {
            keys: empty(),
            values: empty(),
            queries: Default::default(),
            weights: Default::default(),
        }
    }
}

/// One head of one sentence: reads `tokens` of `input` (`[tokens, 3 hidden]`), writes the head's
/// columns of the same tokens of `output` (`[tokens, hidden]`).
pub fn head(
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
    let keys = first + layout.hidden;
    let values = first + 2 * layout.hidden;
    scratch.keys.fill(width, count, |dim, token| sentence[token * stride + keys + dim]);
    scratch.values.fill(count, width, |token, dim| sentence[token * stride + values + dim]);
    let scale = 1.0 / (width as f32).sqrt();
    for start in (0..count).step_by(ROWS) {
        for (row, query) in scratch.queries.iter_mut().enumerate() {
            // A last, incomplete block repeats its last query.
            let from = (start + row).min(count - 1) * stride + first;
            query.clear();
            query.extend(sentence[from..from + width].iter().map(|value| value * scale));
        }
        weigh(scratch, count, start, layout.bias_of(head));
        for (panel, block) in scratch.values.iter().enumerate() {
            let sums = product(scratch.weights.each_ref().map(Vec::as_slice), block);
            let columns = panel * LANES..width.min((panel + 1) * LANES);
            for (row, sum) in sums.iter().enumerate().take(count - start) {
                let to = (tokens.start + start + row) * layout.hidden + first;
                let place = &mut output[to + columns.start..to + columns.end];
                place.copy_from_slice(&sum[..columns.len()]);
            }
        }
    }
}

/// Softmax of the scores of four queries, from `first` on, with every key.
fn weigh(scratch: &mut Scratch, count: usize, first: usize, bias: Option<&[f32]>) {
    scratch.weights.iter_mut().for_each(Vec::clear);
    for panel in scratch.keys.iter() {
        let sums = product(scratch.queries.each_ref().map(Vec::as_slice), panel);
        for (weights, sum) in scratch.weights.iter_mut().zip(sums) {
            weights.extend_from_slice(&sum);
        }
    }
    for (row, weights) in scratch.weights.iter_mut().enumerate() {
        weights.truncate(count);
        if let Some(bias) = bias {
            lean(weights, first + row, bias);
        }
        soften(weights);
    }
}

/// Softmax, in place.
pub fn soften(scores: &mut [f32]) {
    let top = largest(scores);
    scores.iter_mut().for_each(|score| *score = exp(*score - top));
    let scale = 1.0 / sum_of(scores, |score| score);
    scores.iter_mut().for_each(|score| *score *= scale);
}
