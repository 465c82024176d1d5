//! Checkpoints of a run, within a budget of memory.

use crate::protocol::training::Measures;
use crate::training::batches::Batches;

/// A moment of a run.
#[derive(Debug, Clone)]
pub struct Moment<C> {
    /// Steps done; 0: before the first.
    pub step: u32,
    /// Weights and optimiser state.
    pub learner: C,
    pub batches: Batches,
    /// The higher, the better.
    score: f64,
}

/// Checkpoints of a run: the first, the best, and as many of the latest as fit.
#[derive(Debug)]
pub struct Checkpoints<C> {
    /// By step, rising.
    list: Vec<Moment<C>>,
    each_bytes: u64,
    budget_bytes: u64,
}

impl<C> Checkpoints<C> {
    /// None yet; each takes `each_bytes`.
    pub fn new(each_bytes: u64, budget_bytes: u64) -> Self {
        Self { list: Vec::new(), each_bytes, budget_bytes }
    }

    /// Keeps a moment (in place of one of the same step) and drops what does not fit any more: the
    /// oldest ones first, then the best one; the first and the latest stay in any case.
    ///
    /// Measured moments are better the higher their correlation with gold scores is; without
    /// scores, the lower their uniformity.
    pub fn keep(&mut self, step: u32, learner: C, batches: Batches, measures: Option<&Measures>) {
        let score = measures.map_or(f64::NEG_INFINITY, |measures| {
            measures.spearman.unwrap_or(-measures.shape.uniformity)
        });
        let place = self.list.partition_point(|moment| moment.step < step);
        if self.list.get(place).is_some_and(|moment| moment.step == step) {
            self.list.remove(place);
        }
        self.list.insert(place, Moment { step, learner, batches, score });
        while self.list.len() as u64 * self.each_bytes > self.budget_bytes && self.list.len() > 2 {
            let spare = self.spare(step);
            self.list.remove(spare);
        }
    }

    /// The latest moment at or before a step.
    pub fn at(&self, step: u32) -> Option<&Moment<C>> {
        self.list.iter().rev().find(|moment| moment.step <= step)
    }

    /// The steps that can be gone back to.
    pub fn steps(&self) -> impl Iterator<Item = u32> {
        self.list.iter().map(|moment| moment.step)
    }

    /// Position of the moment to drop first, given the step that was kept last; there are three at
    /// least.
    fn spare(&self, latest: u32) -> usize {
        let best = self.list.iter().max_by(|a, b| a.score.total_cmp(&b.score));
        let best = best.map(|moment| moment.step);
        let mut inner =
            self.list.iter().enumerate().skip(1).filter(|(_, moment)| moment.step != latest);
        let ordinary = inner.clone().find(|(_, moment)| Some(moment.step) != best);
        ordinary.or_else(|| inner.next()).map_or(1, |(place, _)| place)
    }
}
