//! The contrastive loss of SimCSE (arXiv 2104.08821, equations 1 and 5) and its gradient.
//!
//! With u, v, w the anchors', positives' and hard negatives' rows divided by their lengths, the
//! loss of anchor i is the cross entropy of picking its own positive among all of the batch:
//!
//! ```text
//! -log( exp(u_i.v_i / tau) / ( sum_j exp(u_i.v_j / tau) + sum_k a_ik exp(u_i.w_k / tau) ) )
//! ```
//!
//! where a_ik is alpha for anchor i's own hard negative and 1 for the others' (`simcse/models.py`
//! of princeton-nlp/SimCSE adds log alpha to that logit). The batch's loss is the mean.

use crate::math::lanes::add_scaled;
use crate::math::rows::{dot, norm, normalise};

/// The vectors of a batch, as pooled: not normalised.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    pub hidden: usize,
    /// `[examples, hidden]`
    pub anchors: &'a [f32],
    /// `[examples, hidden]`
    pub positives: &'a [f32],
    /// `[negatives, hidden]`
    pub negatives: &'a [f32],
    /// The example of each hard negative: not every example has one.
    pub owners: &'a [usize],
}

/// A batch's loss, and the gradient of the loss with respect to the rows as they were given.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Loss {
    /// Mean over the examples, in nats.
    pub loss: f64,
    /// Share of the examples whose own positive is nearer than everything else in the batch.
    pub accuracy: f64,
    /// Mean cosine of anchors with their own positives.
    pub positive_cosine: f64,
    /// Mean cosine of anchors with everything else.
    pub negative_cosine: f64,
    /// `[examples, hidden]`
    pub anchors: Vec<f32>,
    /// `[examples, hidden]`
    pub positives: Vec<f32>,
    /// `[negatives, hidden]`
    pub negatives: Vec<f32>,
}

/// Loss and gradient of a batch. A row of zeros has cosine 0 with everything, and no gradient.
pub fn contrast(rows: &Rows, temperature: f32, hard_negative_weight: f32) -> Loss {
    let hidden = rows.hidden.max(1);
    let count = rows.anchors.len().min(rows.positives.len()) / hidden;
    let anchors = Units::of(rows.anchors, hidden);
    // Positives, then hard negatives: the columns of the matrix of cosines.
    let candidates = Units::of(&[rows.positives, rows.negatives].concat(), hidden);
    let logits = Logits { count, owners: rows.owners, temperature, hard_negative_weight };
    let mut total = Loss::default();
    let mut by_anchor = vec![0.0; anchors.rows.len()];
    let mut by_candidate = vec![0.0; candidates.rows.len()];
    let examples = anchors.rows.chunks_exact(hidden).zip(by_anchor.chunks_exact_mut(hidden));
    for (example, (anchor, gradient)) in examples.take(count).enumerate() {
        let all = || candidates.rows.chunks_exact(hidden);
        let mut line: Vec<f64> = all().map(|other| f64::from(dot(anchor, other))).collect();
        total.look_at(&line, example);
        total.loss += logits.cross_entropy(&mut line, example);
        let targets = by_candidate.chunks_exact_mut(hidden);
        for ((slope, candidate), target) in line.iter().zip(all()).zip(targets) {
            add_scaled(gradient, *slope as f32, candidate);
            add_scaled(target, *slope as f32, anchor);
        }
    }
    anchors.through_lengths(&mut by_anchor);
    candidates.through_lengths(&mut by_candidate);
    let negatives = by_candidate.split_off(rows.positives.len().min(by_candidate.len()));
    total.finish(count, candidates.lengths.len());
    Loss { anchors: by_anchor, positives: by_candidate, negatives, ..total }
}

/// How cosines become probabilities.
struct Logits<'a> {
    /// Examples of the batch.
    count: usize,
    owners: &'a [usize],
    temperature: f32,
    hard_negative_weight: f32,
}

impl Logits<'_> {
    /// The example's loss. Its line of cosines becomes the slope of the batch's loss along each.
    fn cross_entropy(&self, line: &mut [f64], example: usize) -> f64 {
        let temperature = f64::from(self.temperature);
        for logit in line.iter_mut() {
            *logit /= temperature;
        }
        let hard = line.iter_mut().skip(self.count).zip(self.owners);
        for (logit, _) in hard.filter(|(_, owner)| **owner == example) {
            *logit += f64::from(self.hard_negative_weight).ln();
        }
        let own = line.get(example).copied().unwrap_or_default();
        let highest = line.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = line.iter().map(|logit| (logit - highest).exp()).sum();
        let scale = 1.0 / (temperature * self.count as f64);
        for slope in line.iter_mut() {
            *slope = (*slope - highest).exp() / sum * scale;
        }
        if let Some(slope) = line.get_mut(example) {
            *slope -= scale;
        }
        sum.ln() + highest - own
    }
}

impl Loss {
    /// Counts an example's line of cosines in; [`Loss::finish`] makes means of the sums.
    fn look_at(&mut self, line: &[f64], example: usize) {
        let own = line.get(example).copied().unwrap_or_default();
        let others = || line.iter().enumerate().filter(|(other, _)| *other != example);
        let nearest = others().all(|(_, cosine)| *cosine < own);
        self.accuracy += f64::from(u8::from(nearest));
        self.positive_cosine += own;
        self.negative_cosine += others().map(|(_, cosine)| cosine).sum::<f64>();
    }

    fn finish(&mut self, examples: usize, candidates: usize) {
        let count = examples.max(1) as f64;
        self.loss /= count;
        self.accuracy /= count;
        self.positive_cosine /= count;
        self.negative_cosine /= count * candidates.saturating_sub(1).max(1) as f64;
    }
}

/// Rows of length 1, and the lengths they had.
struct Units {
    hidden: usize,
    /// `[n, hidden]`
    rows: Vec<f32>,
    lengths: Vec<f64>,
}

impl Units {
    fn of(rows: &[f32], hidden: usize) -> Self {
        let mut rows = rows.to_vec();
        let lengths = rows.chunks_exact(hidden).map(norm).collect();
        rows.chunks_exact_mut(hidden).for_each(normalise);
        Self { hidden, rows, lengths }
    }

    /// From the gradient with respect to the unit rows to that of the rows as they were:
    /// (g - (g.u) u) / length.
    fn through_lengths(&self, gradient: &mut [f32]) {
        let units = self.rows.chunks_exact(self.hidden);
        let gradients = gradient.chunks_exact_mut(self.hidden);
        for ((gradient, unit), length) in gradients.zip(units).zip(&self.lengths) {
            let along = f64::from(dot(gradient, unit));
            let scale = if *length > 0.0 { 1.0 / length } else { 0.0 };
            for (slope, value) in gradient.iter_mut().zip(unit) {
                *slope = ((f64::from(*slope) - along * f64::from(*value)) * scale) as f32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng::Rng;

    const HIDDEN: usize = 6;

    /// The loss word for word, in `f64`, so simple that it is unlikely to be wrong.
    fn reference(rows: &[Vec<f64>; 3], owners: &[usize], tau: f64, alpha: f64) -> f64 {
        let [anchors, positives, negatives] =
            [&rows[0], &rows[1], &rows[2]].map(|all| all.chunks_exact(HIDDEN).collect::<Vec<_>>());
        let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
        let similarity =
            |x: &[f64], y: &[f64]| product(x, y) / (product(x, x) * product(y, y)).sqrt();
        let mut loss = 0.0;
        for (i, anchor) in anchors.iter().enumerate() {
            let mut sum = 0.0;
            for positive in &positives {
                sum += (similarity(anchor, positive) / tau).exp();
            }
            for (negative, owner) in negatives.iter().zip(owners) {
                let weight = if *owner == i { alpha } else { 1.0 };
                sum += weight * (similarity(anchor, negative) / tau).exp();
            }
            loss -= ((similarity(anchor, positives[i]) / tau).exp() / sum).ln();
        }
        loss / anchors.len() as f64
    }

    fn random(seed: u64, examples: usize, negatives: usize) -> [Vec<f32>; 3] {
        let mut rng = Rng::new(seed);
        [examples, examples, negatives]
            .map(|count| (0..count * HIDDEN).map(|_| (rng.normal() * 1.7) as f32).collect())
    }

    fn wide(rows: &[Vec<f32>; 3]) -> [Vec<f64>; 3] {
        [0, 1, 2].map(|view| rows[view].iter().map(|value| f64::from(*value)).collect())
    }

    fn run(rows: &[Vec<f32>; 3], owners: &[usize], tau: f32, alpha: f32) -> Loss {
        let [anchors, positives, negatives] = rows;
        contrast(&Rows { hidden: HIDDEN, anchors, positives, negatives, owners }, tau, alpha)
    }

    /// Without, with some, and with all hard negatives.
    const CASES: [(usize, &[usize], f32, f32); 4] = [
        (5, &[], 0.05, 1.0),
        (4, &[1, 3], 0.2, 2.0),
        (3, &[0, 1, 2], 0.1, 0.5),
        (3, &[2, 0, 2, 1], 1.0, 3.0),
    ];

    #[test]
    fn the_loss_is_its_definition() {
        for (seed, (examples, owners, tau, alpha)) in (0..).zip(CASES) {
            let rows = random(seed, examples, owners.len());
            let expected = reference(&wide(&rows), owners, f64::from(tau), f64::from(alpha));
            let found = run(&rows, owners, tau, alpha).loss;
            assert!(
                (found - expected).abs() < 1e-5 * expected.abs().max(1.0),
                "{found} {expected}"
            );
        }
    }

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        const STEP: f64 = 1e-6;
        for (seed, (examples, owners, tau, alpha)) in (10..).zip(CASES) {
            let rows = random(seed, examples, owners.len());
            let found = run(&rows, owners, tau, alpha);
            let gradients = [&found.anchors, &found.positives, &found.negatives];
            for (view, gradient) in gradients.into_iter().enumerate() {
                assert_eq!(gradient.len(), rows[view].len());
                for (place, slope) in gradient.iter().enumerate() {
                    let loss_at = |offset: f64| {
                        let mut moved = wide(&rows);
                        moved[view][place] += offset;
                        reference(&moved, owners, f64::from(tau), f64::from(alpha))
                    };
                    let expected = (loss_at(STEP) - loss_at(-STEP)) / (2.0 * STEP);
                    let difference = (f64::from(*slope) - expected).abs();
                    assert!(difference < 2e-5 * (1.0 + expected.abs()), "{view} {place}: {slope}");
                }
            }
        }
    }

    #[test]
    fn what_is_reported_can_be_read_off_simple_rows() {
        let (x, y) = ([1.0, 0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 3.0, 0.0, 0.0, 0.0, 0.0]);
        let pair = [x, y].concat();
        // The second anchor lies on its own hard negative, its positive on the first anchor.
        let rows = [pair.clone(), [x, x].concat(), y.to_vec()];
        let found = run(&rows, &[1], 1.0, 1.0);
        assert_eq!(found.positive_cosine, 0.5);
        assert_eq!(found.negative_cosine, (1.0 + 0.0 + 0.0 + 1.0) / 4.0);
        // The first anchor's positive ties with the other's: nearest is not nearer than all.
        assert_eq!(found.accuracy, 0.0);
        let apart = run(&[pair.clone(), pair, Vec::new()], &[], 1.0, 1.0);
        assert_eq!(apart.accuracy, 1.0);
        assert!((apart.loss - (1.0 + (-1.0_f64).exp()).ln()).abs() < 1e-9);
    }

    #[test]
    fn a_collapsed_batch_costs_the_logarithm_of_its_size_and_zeros_have_no_gradient() {
        let rows = vec![0.5; 4 * HIDDEN];
        let found = run(&[rows.clone(), rows, Vec::new()], &[], 0.05, 1.0);
        assert!((found.loss - 4.0_f64.ln()).abs() < 1e-6);
        assert_eq!(found.accuracy, 0.0);
        let zeros = vec![0.0; 2 * HIDDEN];
        let found = run(&[zeros.clone(), zeros.clone(), Vec::new()], &[], 0.05, 1.0);
        assert_eq!((found.anchors, found.positive_cosine), (zeros, 0.0));
    }

    #[test]
    fn small_temperatures_do_not_overflow() {
        let rows = random(3, 5, 2);
        let found = run(&rows, &[0, 4], 1e-4, 1.0);
        assert!(found.loss.is_finite());
        assert!(found.anchors.iter().chain(&found.negatives).all(|value| value.is_finite()));
    }
}
