//! Attention within each sentence, with dropout on its probabilities; heads side by side.
//!
//! Forward, for each sentence and head: `S = Q K^T / sqrt(width)`, `P = softmax(S)` by rows,
//! `D = P m` (mask m), `O = D V`. Queries, keys, values and output are `[tokens, hidden]`.
//!
//! Backward (`P` is computed again, so that nothing but the arguments is kept): `dV = D^T dO`,
//! `dP = (dO V^T) m`, `dS = P (dP - rowsum(dP P))`, `dQ = dS K / sqrt(width)`,
//! `dK = dS^T Q / sqrt(width)`.
//!
//! The probability of query token t (counted over the whole batch), head h and the k-th token of
//! the sentence has place `(t heads + h) longest + k` of the mask.

use std::ops::Range;
use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

use crate::kernels::attention::{SPAN, lean};
use crate::math::lanes::{add_scaled, exp, largest, sum_of};
use crate::math::rows::dot;
use crate::training::noise::Mask;
use crate::training::ops::{numbers, values};

/// Attention; its arguments are queries, keys, values.
pub struct Attention {
    /// `[sentences + 1]`, as [`crate::backend::Batch::starts`].
    pub starts: Arc<[usize]>,
    pub heads: usize,
    /// `[heads, SPAN]`, added to the scores by distance (it is not trained), or nothing.
    pub bias: Arc<[f32]>,
    pub mask: Mask,
}

/// One head of one sentence.
struct Head {
    tokens: Range<usize>,
    hidden: usize,
    columns: Range<usize>,
    /// `1 / sqrt(width)`
    scale: f32,
    /// Place of the first query's first probability, and the distance to the next query's.
    place: usize,
    stride: usize,
    number: usize,
}

impl Head {
    /// The head's part of a token of the sentence, counted from its first.
    fn part<'a>(&self, states: &'a [f32], token: usize) -> &'a [f32] {
        let from = (self.tokens.start + token) * self.hidden;
        &states[from + self.columns.start..from + self.columns.end]
    }

    fn part_mut<'a>(&self, states: &'a mut [f32], token: usize) -> &'a mut [f32] {
        let from = (self.tokens.start + token) * self.hidden;
        &mut states[from + self.columns.start..from + self.columns.end]
    }

    /// `P` of one query into `row`, one number a key.
    fn probabilities(&self, (q, k): (&[f32], &[f32]), query: usize, bias: &[f32], row: &mut [f32]) {
        let from = self.part(q, query);
        for (key, score) in row.iter_mut().enumerate() {
            *score = dot(from, self.part(k, key)) * self.scale;
        }
        if let Some(bias) = bias.get(self.number * SPAN..(self.number + 1) * SPAN) {
            lean(row, query, bias);
        }
        let top = largest(row);
        row.iter_mut().for_each(|score| *score = exp(*score - top));
        let share = 1.0 / sum_of(row, |weight| weight);
        row.iter_mut().for_each(|weight| *weight *= share);
    }

    /// The mask's factors of one query's probabilities.
    fn factors(&self, mask: Mask, query: usize, row: &mut [f32]) {
        let first = (self.place + query * self.stride) as u32;
        for (factor, place) in row.iter_mut().zip(first..) {
            *factor = mask.factor(place);
        }
    }
}

impl Attention {
    fn heads_of(&self, hidden: usize) -> impl Iterator<Item = Head> + '_ {
        let longest = self.starts.windows(2).map(|ends| ends[1] - ends[0]).max().unwrap_or(0);
        let width = hidden / self.heads.max(1);
        let sentences = self.starts.windows(2).map(|ends| ends[0]..ends[1]);
        sentences.flat_map(move |tokens| {
            (0..self.heads).map(move |head| Head {
                tokens: tokens.clone(),
                hidden,
                columns: head * width..(head + 1) * width,
                scale: 1.0 / (width as f32).sqrt(),
                place: (tokens.start * self.heads + head) * longest,
                stride: self.heads * longest,
                number: head,
            })
        })
    }

    fn forward(&self, q: &[f32], k: &[f32], v: &[f32], hidden: usize) -> Vec<f32> {
        let mut output = vec![0.0; q.len()];
        let (mut weights, mut factors) = (Vec::new(), Vec::new());
        for head in self.heads_of(hidden) {
            let count = head.tokens.len();
            weights.resize(count, 0.0);
            factors.resize(count, 1.0);
            for query in 0..count {
                head.probabilities((q, k), query, &self.bias, &mut weights);
                head.factors(self.mask, query, &mut factors);
                let out = head.part_mut(&mut output, query);
                for (key, (weight, factor)) in weights.iter().zip(&factors).enumerate() {
                    add_scaled(out, weight * factor, head.part(v, key));
                }
            }
        }
        output
    }

    /// Gradients of queries, keys and values.
    fn backward(&self, q: &[f32], k: &[f32], v: &[f32], g: &[f32], hidden: usize) -> [Vec<f32>; 3] {
        let [mut dq, mut dk, mut dv] = [0; 3].map(|_| vec![0.0; q.len()]);
        let (mut weights, mut factors, mut slopes) = (Vec::new(), Vec::new(), Vec::new());
        for head in self.heads_of(hidden) {
            let count = head.tokens.len();
            weights.resize(count, 0.0);
            factors.resize(count, 1.0);
            slopes.resize(count, 0.0);
            for query in 0..count {
                head.probabilities((q, k), query, &self.bias, &mut weights);
                head.factors(self.mask, query, &mut factors);
                let g = head.part(g, query);
                for (key, slope) in slopes.iter_mut().enumerate() {
                    *slope = dot(g, head.part(v, key)) * factors[key];
                    add_scaled(head.part_mut(&mut dv, key), weights[key] * factors[key], g);
                }
                let along = dot(&slopes, &weights);
                for (slope, weight) in slopes.iter_mut().zip(&weights) {
                    *slope = weight * (*slope - along) * head.scale;
                }
                for (key, slope) in slopes.iter().enumerate() {
                    add_scaled(head.part_mut(&mut dq, query), *slope, head.part(k, key));
                    add_scaled(head.part_mut(&mut dk, key), *slope, head.part(q, query));
                }
            }
        }
        [dq, dk, dv]
    }
}

impl CustomOp3 for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(
        &self,
        q: &CpuStorage,
        q_layout: &Layout,
        k: &CpuStorage,
        k_layout: &Layout,
        v: &CpuStorage,
        v_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (_, hidden) = q_layout.shape().dims2()?;
        let (q, k, v) = (numbers(q, q_layout)?, numbers(k, k_layout)?, numbers(v, v_layout)?);
        Ok((CpuStorage::F32(self.forward(q, k, v, hidden)), q_layout.shape().clone()))
    }

    fn bwd(
        &self,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (_, hidden) = q.dims2()?;
        let [dq, dk, dv] = {
            let (q, k, v) = (values(q)?, values(k)?, values(v)?);
            self.backward(&q, &k, &v, &values(gradient)?, hidden)
        };
        let tensor = |numbers| Tensor::from_vec(numbers, q.shape(), q.device());
        Ok((Some(tensor(dq)?), Some(tensor(dk)?), Some(tensor(dv)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::learner::Noise;
    use crate::training::noise::Site;
    use crate::training::ops::test::{check_gradient, tensor};

    const HEADS: usize = 2;
    const WIDTH: usize = 3;
    const STARTS: [usize; 4] = [0, 4, 5, 7];
    const LONGEST: usize = 4;

    /// Each sentence and head alone, in candle's operations.
    fn plain(a: &[Tensor], bias: &[f32], mask: Mask) -> Result<Tensor> {
        let mut sentences = Vec::new();
        for ends in STARTS.windows(2) {
            let count = ends[1] - ends[0];
            let mut heads = Vec::new();
            for head in 0..HEADS {
                let part = |t: &Tensor| {
                    t.narrow(0, ends[0], count)?.narrow(1, head * WIDTH, WIDTH)?.contiguous()
                };
                let (q, k, v) = (part(&a[0])?, part(&a[1])?, part(&a[2])?);
                let scores = (q.matmul(&k.t()?)? / (WIDTH as f64).sqrt())?;
                let leaning = (0..count).flat_map(|query| {
                    let mut row = vec![0.0; count];
                    let from = bias.len().min(head * SPAN);
                    lean(&mut row, query, &bias[from..bias.len().min(from + SPAN)]);
                    row
                });
                let leaning: Vec<f32> = leaning.collect();
                let scores = (scores + Tensor::from_vec(leaning, (count, count), a[0].device())?)?;
                let weights = scores.exp()?;
                let weights = weights.broadcast_div(&weights.sum_keepdim(1)?)?;
                let place = |query: usize, key: usize| {
                    (((ends[0] + query) * HEADS + head) * LONGEST + key) as u32
                };
                let factors = (0..count * count)
                    .map(|i| mask.factor(place(i / count, i % count)))
                    .collect::<Vec<_>>();
                let factors = Tensor::from_vec(factors, (count, count), a[0].device())?;
                heads.push((weights * factors)?.matmul(&v)?);
            }
            sentences.push(Tensor::cat(&heads, 1)?);
        }
        Tensor::cat(&sentences, 0)
    }

    #[test]
    fn equals_candle_and_finite_differences() {
        let arguments = [1, 2, 3].map(|seed| tensor(&[7, HEADS * WIDTH], seed, 1.0));
        let noise = Noise { dropout: 0.4, seed: 11 };
        let bias: Arc<[f32]> =
            (0..HEADS * SPAN).map(|i| ((i * i) as f32 * 0.3).sin()).collect::<Vec<_>>().into();
        let none: Arc<[f32]> = Arc::from([]);
        let masks = [Mask::NONE, Mask::new(Some(noise), Site::Probabilities { layer: 1 })];
        for (mask, bias) in masks.into_iter().flat_map(|mask| [(mask, &bias), (mask, &none)]) {
            let ours = |a: &[Tensor]| {
                let (starts, bias) = (Arc::from(STARTS), Arc::clone(bias));
                let attention = Attention { starts, heads: HEADS, bias, mask };
                a[0].apply_op3(&a[1], &a[2], attention)
            };
            check_gradient(&arguments, ours, |a| plain(a, bias, mask));
        }
    }
}
