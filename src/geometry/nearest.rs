//! The most similar distinct pairs of a set of unit rows.
//!
//! ```
//! use simcse_lab::geometry::nearest::NearestPairs;
//! use simcse_lab::geometry::pairs::BLOCK_ROWS;
//!
//! let (rows, hidden) = (vec![1.0, 0.0, 0.0, 1.0, 0.8, 0.6], 2);
//! let mut nearest = NearestPairs::new(1);
//! for start_row in (0..rows.len() / hidden).step_by(BLOCK_ROWS) {
//!     nearest.scan_block(&rows, hidden, start_row, BLOCK_ROWS); // other work may go between
//! }
//! assert_eq!(nearest.into_sorted(), [(0, 2, 0.8)]);
//! ```

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::geometry::pairs::scan_block;

/// Keeps the `limit` most similar pairs of those it has seen.
#[derive(Debug, Clone)]
pub struct NearestPairs {
    limit: usize,
    /// The worst of the kept pairs is on top.
    kept: BinaryHeap<Kept>,
}

/// A pair; the greater of two is the one to be dropped first.
#[derive(Debug, Clone, Copy)]
struct Kept {
    left: u32,
    right: u32,
    cosine: f32,
}

impl Ord for Kept {
    fn cmp(&self, other: &Self) -> Ordering {
        // Of equal cosines the later pair is dropped, so that the result does not depend on blocks.
        let places = (self.left, self.right).cmp(&(other.left, other.right));
        other.cosine.total_cmp(&self.cosine).then(places)
    }
}

impl PartialOrd for Kept {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Kept {}

impl NearestPairs {
    /// Nothing seen yet; at most `limit` pairs will be kept.
    pub fn new(limit: usize) -> Self {
        Self { limit, kept: BinaryHeap::new() }
    }

    /// Sees every pair `i < j` with `i` among the `row_count` rows from `start_row` of the unit
    /// rows `[n, hidden]`. Pairs whose cosine is not a number are passed over.
    pub fn scan_block(&mut self, rows: &[f32], hidden: usize, start_row: usize, row_count: usize) {
        // The bar that a pair has to clear is kept apart: most pairs cost one comparison.
        let mut bar = self.bar();
        scan_block(rows, hidden, start_row, row_count, |i, j, cosine| {
            if cosine >= bar {
                self.offer(Kept { left: i as u32, right: j as u32, cosine });
                bar = self.bar();
            }
        });
    }

    /// The kept pairs, best first: positions and cosine.
    pub fn into_sorted(self) -> Vec<(u32, u32, f32)> {
        let sorted = self.kept.into_sorted_vec().into_iter();
        sorted.map(|pair| (pair.left, pair.right, pair.cosine)).collect()
    }

    fn bar(&self) -> f32 {
        let full = self.kept.len() >= self.limit;
        let worst = self.kept.peek().filter(|_| full);
        worst.map_or(f32::NEG_INFINITY, |worst| worst.cosine)
    }

    fn offer(&mut self, pair: Kept) {
        if self.kept.len() < self.limit {
            self.kept.push(pair);
        } else if let Some(mut worst) = self.kept.peek_mut()
            && pair < *worst
        {
            *worst = pair;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rows::dot;
    use crate::math::rows::normalise;
    use crate::math::rows::row;

    fn naive(rows: &[f32], hidden: usize, limit: usize) -> Vec<(u32, u32, f32)> {
        let count = rows.len() / hidden;
        let mut all = Vec::new();
        for i in 0..count {
            for j in i + 1..count {
                all.push((i as u32, j as u32, dot(row(rows, hidden, i), row(rows, hidden, j))));
            }
        }
        all.sort_by(|a, b| b.2.total_cmp(&a.2).then((a.0, a.1).cmp(&(b.0, b.1))));
        all.truncate(limit);
        all
    }

    #[test]
    fn blocks_of_any_size_find_what_sorting_finds() {
        let (count, hidden) = (41, 8);
        let mut rows: Vec<f32> =
            (0..count * hidden).map(|i| ((i * i * 31 % 1009) as f32 * 0.1).sin()).collect();
        rows.chunks_exact_mut(hidden).for_each(normalise);
        for limit in [0, 1, 7, 200, 5_000] {
            let expected = naive(&rows, hidden, limit);
            for block in [1, 4, 5, 64] {
                let mut nearest = NearestPairs::new(limit);
                for start in (0..count).step_by(block) {
                    nearest.scan_block(&rows, hidden, start, block);
                }
                let found = nearest.into_sorted();
                assert_eq!(found.len(), expected.len());
                for (found, expected) in found.iter().zip(&expected) {
                    assert!((found.2 - expected.2).abs() < 1e-6, "{limit} {block}");
                }
            }
        }
    }

    #[test]
    fn equal_cosines_come_in_the_order_of_their_places() {
        let rows = [1.0_f32; 6];
        let mut nearest = NearestPairs::new(4);
        for start in (0..6).rev() {
            nearest.scan_block(&rows, 1, start, 1);
        }
        let places: Vec<_> =
            nearest.into_sorted().iter().map(|(left, right, _)| (*left, *right)).collect();
        assert_eq!(places, [(0, 1), (0, 2), (0, 3), (0, 4)]);
    }

    #[test]
    fn what_is_not_a_number_is_passed_over() {
        let mut nearest = NearestPairs::new(9);
        nearest.scan_block(&[1.0, f32::NAN, 1.0], 1, 0, 3);
        assert_eq!(nearest.into_sorted(), [(0, 2, 1.0)]);
    }
}
