//! How all pairs of rows are spread: uniformity and the histogram of cosines, a slice at a time.
//!
//! ```
//! use simcse_lab::geometry::spread::Spread;
//!
//! let (rows, hidden) = (vec![1.0, 0.0, 0.0, 1.0, -1.0, 0.0], 2);
//! let mut spread = Spread::new(3, hidden, 4);
//! while spread.step(&rows, |_, _, _| {}) {} // other work may go between
//! assert_eq!(spread.pairs(), 3);
//! assert_eq!(spread.histogram(), [1.0 / 3.0, 0.0, 2.0 / 3.0, 0.0]);
//! ```

use crate::geometry::histogram::Histogram;
use crate::geometry::pairs::{scan_block, slice_rows};
use crate::geometry::uniformity::Potentials;
use crate::math::rng::Rng;
use crate::math::rows::{dot_tile, row};
use crate::math::statistics::WIDTH_95;

/// Of more rows only a sample of the pairs is looked at: 72 million pairs of 384 dimensions take
/// some ten seconds in a browser.
pub const MOST_ROWS: usize = 12_000;

/// Pairs in the sample.
const SAMPLED_PAIRS: usize = 20_000_000;

/// Sets the sample apart from other random numbers.
const SEED: u64 = 0x5370_7265_6164;

/// Potentials and cosines of pairs of unit rows `[n, hidden]`.
#[derive(Debug, Clone)]
pub struct Spread {
    count: usize,
    hidden: usize,
    /// How many others each row is paired with where it is a sample.
    partners: Option<usize>,
    rng: Rng,
    /// The next row.
    next: usize,
    potentials: Potentials,
    /// Sums of the potentials and of their squares.
    sum: f64,
    squares: f64,
    histogram: Histogram,
}

impl Spread {
    /// Over all distinct pairs of `count` rows, or, of more than [`MOST_ROWS`], over some 20 million
    /// pairs: every row with as many others, drawn at random with a fixed seed.
    pub fn new(count: usize, hidden: usize, bins: usize) -> Self {
        let partners = (count > MOST_ROWS).then(|| SAMPLED_PAIRS.div_ceil(count));
        Self::with_partners(count, hidden, bins, partners)
    }

    /// Over all distinct pairs, however many.
    pub fn exact(count: usize, hidden: usize, bins: usize) -> Self {
        Self::with_partners(count, hidden, bins, None)
    }

    fn with_partners(count: usize, hidden: usize, bins: usize, partners: Option<usize>) -> Self {
        let (rng, histogram, potentials) =
            (Rng::new(SEED), Histogram::new(bins), Potentials::new());
        let (next, sum, squares) = Default::default();
        Self { count, hidden, partners, rng, next, potentials, sum, squares, histogram }
    }

    /// Looks at some more pairs of the unit rows `[n, hidden]`, which must be the same ones at every
    /// call, and shows each pair to `also`: positions and cosine. `false` once all were looked at.
    pub fn step(&mut self, rows: &[f32], mut also: impl FnMut(usize, usize, f32)) -> bool {
        let left = self.count.saturating_sub(self.next);
        let row_count = match self.partners {
            None => slice_rows(left, self.hidden).min(left),
            Some(partners) => slice_rows(partners, self.hidden).min(left),
        };
        let (mut sum, mut squares) = (0.0, 0.0);
        let (histogram, potentials) = (&mut self.histogram, &self.potentials);
        let each = |i: usize, j: usize, cosine: f32| {
            let potential = potentials.of(cosine);
            sum += potential;
            squares += potential * potential;
            histogram.add(cosine);
            also(i, j, cosine);
        };
        match self.partners {
            None => scan_block(rows, self.hidden, self.next, row_count, each),
            Some(partners) => {
                let block = self.next..self.next + row_count;
                scan_drawn(rows, self.hidden, block, partners, &mut self.rng, each);
            }
        }
        self.sum += sum;
        self.squares += squares;
        self.next += row_count;
        self.next < self.count
    }

    /// Pairs looked at.
    pub fn pairs(&self) -> u64 {
        self.histogram.total()
    }

    /// Logarithm of the mean potential ([`crate::geometry::uniformity::uniformity`]), of the pairs
    /// looked at. `None` without any.
    pub fn uniformity(&self) -> Option<f64> {
        (self.pairs() > 0).then(|| (self.sum / self.pairs() as f64).ln())
    }

    /// Half-width of the 95 % interval of [`Spread::uniformity`]; `None` over all pairs.
    ///
    /// The standard error of the mean potential, as of independent pairs, divided by that mean: what
    /// an error of a mean is in its logarithm (delta method). That every row is drawn as often as any
    /// other can only make it smaller.
    pub fn error(&self) -> Option<f64> {
        self.partners?;
        let pairs = self.pairs() as f64;
        let mean = self.sum / pairs;
        let variance = (self.squares / pairs - mean * mean).max(0.0);
        let error = WIDTH_95 * (variance / pairs).sqrt() / mean;
        error.is_finite().then_some(error)
    }

    /// Share of the cosines in each part of -1 to 1.
    pub fn histogram(&self) -> Vec<f32> {
        self.histogram.shares()
    }
}

/// Each row of the block with `partners` others, drawn with replacement.
fn scan_drawn(
    rows: &[f32],
    hidden: usize,
    block: std::ops::Range<usize>,
    partners: usize,
    rng: &mut Rng,
    mut each: impl FnMut(usize, usize, f32),
) {
    let count = rows.len().checked_div(hidden).unwrap_or(0);
    for i in block {
        let left = row(rows, hidden, i);
        let mut drawn = 0;
        while drawn < partners {
            let others = [(); 4].map(|()| {
                let other = rng.below(count.saturating_sub(1));
                other + usize::from(other >= i)
            });
            let [dots] = dot_tile([left], others.map(|j| row(rows, hidden, j)));
            for (j, dot) in others.into_iter().zip(dots).take(partners - drawn) {
                each(i, j, dot);
            }
            drawn += 4;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::pairs::pair_count;
    use crate::geometry::uniformity::uniformity;
    use crate::math::rows::{dot, normalise};

    fn units(count: usize, hidden: usize, seed: u64) -> Vec<f32> {
        let mut rng = Rng::new(seed);
        let mut rows: Vec<f32> = (0..count * hidden)
            .map(|i| rng.normal() as f32 + if i % hidden == 0 { 1.0 } else { 0.0 })
            .collect();
        rows.chunks_exact_mut(hidden).for_each(normalise);
        rows
    }

    fn run(mut spread: Spread, rows: &[f32]) -> Spread {
        while spread.step(rows, |_, _, _| {}) {}
        spread
    }

    #[test]
    fn uniformity_is_that_of_all_pairs_and_has_no_error() {
        for count in [0, 1, 2, 5, 150] {
            let rows = units(count, 7, 3);
            let spread = run(Spread::new(count, 7, 9), &rows);
            assert_eq!(spread.pairs(), pair_count(count));
            assert_eq!(spread.error(), None);
            match (spread.uniformity(), uniformity(&rows, 7)) {
                (Some(found), Some(expected)) => assert!((found - expected).abs() < 1e-12),
                (found, expected) => assert_eq!(found, expected),
            }
        }
    }

    #[test]
    fn every_pair_is_shown_with_its_cosine() {
        let (count, hidden) = (70, 3);
        let rows = units(count, hidden, 4);
        let mut shown = Vec::new();
        let mut spread = Spread::exact(count, hidden, 2);
        while spread.step(&rows, |i, j, cosine| shown.push((i, j, cosine))) {}
        shown.sort_by_key(|(i, j, _)| (*i, *j));
        let places: Vec<_> = shown.iter().map(|(i, j, _)| (*i, *j)).collect();
        let all: Vec<_> = (0..count).flat_map(|i| (i + 1..count).map(move |j| (i, j))).collect();
        assert_eq!(places, all);
        for (i, j, cosine) in shown {
            let expected = dot(row(&rows, hidden, i), row(&rows, hidden, j));
            assert!((cosine - expected).abs() < 1e-6);
        }
    }

    #[test]
    fn a_sample_finds_the_whole_within_its_error() {
        let (count, hidden) = (400, 5);
        let mut misses = 0;
        for seed in 0..20 {
            let rows = units(count, hidden, seed);
            let exact = run(Spread::exact(count, hidden, 10), &rows);
            let mut sampled = Spread::with_partners(count, hidden, 10, Some(21));
            sampled.rng = Rng::new(seed);
            let sampled = run(sampled, &rows);
            assert_eq!(sampled.pairs(), 400 * 21);
            let error = sampled.error().unwrap();
            let off = (sampled.uniformity().unwrap() - exact.uniformity().unwrap()).abs();
            assert!(error < 0.05 && off < 3.0 * error, "{off} {error}");
            misses += usize::from(off > error);
            for (found, expected) in sampled.histogram().iter().zip(exact.histogram()) {
                assert!((found - expected).abs() < 0.03);
            }
        }
        // One of twenty is expected.
        assert!(misses <= 4, "{misses}");
    }

    #[test]
    fn of_more_rows_than_can_be_paired_there_is_a_sample() {
        let (count, hidden) = (MOST_ROWS + 1, 2);
        let rows = units(count, hidden, 8);
        let spread = run(Spread::new(count, hidden, 4), &rows);
        assert!(spread.pairs() >= 20_000_000 && spread.pairs() < pair_count(count));
        assert!(spread.error().is_some_and(|error| error > 0.0 && error < 0.001));
        assert_eq!(Spread::new(MOST_ROWS, hidden, 4).partners, None);
    }

    #[test]
    fn a_sample_is_the_same_each_time() {
        let rows = units(300, 4, 8);
        let once = || run(Spread::with_partners(300, 4, 5, Some(9)), &rows);
        assert_eq!(once().uniformity(), once().uniformity());
    }

    #[test]
    fn a_row_is_never_paired_with_itself() {
        let rows = units(9, 2, 1);
        let mut spread = Spread::with_partners(9, 2, 1, Some(200));
        let mut seen = std::collections::BTreeSet::new();
        let mut count = 0;
        while spread.step(&rows, |i, j, _| {
            assert_ne!(i, j);
            seen.insert((i, j));
            count += 1;
        }) {}
        assert_eq!((seen.len(), count), (9 * 8, 9 * 200));
    }

    proptest::proptest! {
        #[test]
        fn the_histogram_counts_every_pair_where_a_plain_loop_does(
            values in proptest::collection::vec(-1.0_f32..1.0, 10..300),
            bins in 1_usize..90,
        ) {
            let hidden = 5;
            let mut rows = values[..values.len() / hidden * hidden].to_vec();
            rows.chunks_exact_mut(hidden).for_each(normalise);
            let count = rows.len() / hidden;
            let mut expected = vec![0.0; bins];
            for i in 0..count {
                for j in i + 1..count {
                    let cosine = dot(row(&rows, hidden, i), row(&rows, hidden, j));
                    let upper = |part: usize| (part + 1) as f64 / bins as f64 * 2.0 - 1.0;
                    let part = (0..bins - 1).find(|part| f64::from(cosine) < upper(*part));
                    expected[part.unwrap_or(bins - 1)] += 1.0;
                }
            }
            let found = run(Spread::new(count, hidden, bins), &rows).histogram();
            let pairs = pair_count(count) as f32;
            proptest::prop_assert!((found.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            // A cosine that falls on a border may be rounded to either side.
            for (part, (found, expected)) in found.iter().zip(&expected).enumerate() {
                let difference = (found * pairs - expected).abs();
                proptest::prop_assert!(difference < 1.5, "{part}: {found} {expected}");
            }
        }
    }
}
