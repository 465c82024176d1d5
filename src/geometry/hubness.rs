//! Hubness: whether some sentences are among everybody's nearest neighbours.

use crate::geometry::pairs::slice_rows;
use crate::math::rng::Rng;
use crate::math::rows::{dot_tile, row};
use crate::protocol::lab::Hubness;

/// Neighbours that each row names (Radovanovic et al. take 10).
pub const NEIGHBOURS: usize = 10;

/// Where not all rows ask, so many cosines are looked at: those of 10,000 rows with each other.
const MOST_COSINES: usize = 100_000_000;

/// With fewer rows nobody has a choice of neighbours.
const LEAST_ROWS: usize = 3;

/// Sets the sample apart from other random numbers.
const SEED: u64 = 0x0048_7562_6e65_7373;

/// The nearest few of some rows, as far as pairs were seen. Of equal cosines the earlier row is the
/// nearer one, so that the order of the pairs does not matter.
#[derive(Debug, Clone)]
pub struct Nearest {
    each: usize,
    /// One list a row, the nearest first: cosine and position.
    kept: Vec<Vec<(f32, u32)>>,
    /// What a cosine has to reach to get into the list, kept apart: most pairs cost one comparison.
    bars: Vec<f32>,
}

impl Nearest {
    /// The `each` nearest of `count` rows; nothing seen yet.
    pub fn new(count: usize, each: usize) -> Self {
        Self { each, kept: vec![Vec::new(); count], bars: vec![f32::NEG_INFINITY; count] }
    }

    /// Row number `asker` sees that the row `other` has that cosine with it. What is no number is
    /// passed over.
    #[inline]
    pub fn see(&mut self, asker: usize, other: usize, cosine: f32) {
        if self.bars.get(asker).is_some_and(|bar| cosine >= *bar) {
            self.insert(asker, (cosine, other as u32));
        }
    }

    /// Puts a neighbour into its place, and drops the last one where there are too many.
    fn insert(&mut self, asker: usize, new: (f32, u32)) {
        let Some(kept) = self.kept.get_mut(asker) else { return };
        let is_nearer =
            |old: &(f32, u32)| old.0.total_cmp(&new.0).reverse().then(old.1.cmp(&new.1)).is_lt();
        let place = kept.partition_point(is_nearer);
        if place < self.each {
            kept.truncate(self.each - 1);
            kept.insert(place, new);
        }
        let last = kept.last().filter(|_| kept.len() >= self.each);
        if let (Some((cosine, _)), Some(bar)) = (last, self.bars.get_mut(asker)) {
            *bar = *cosine;
        }
    }

    /// The nearest of each row, the nearest first: cosine and position.
    pub fn lists(&self) -> &[Vec<(f32, u32)>] {
        &self.kept
    }
}

/// The search for the neighbours of a sample of rows.
#[derive(Debug, Clone)]
pub struct Asking {
    /// Positions of the rows that ask.
    askers: Vec<u32>,
    next: usize,
    nearest: Nearest,
}

impl Asking {
    /// A sample of `count` rows, drawn at random with a fixed seed: as many as keep the cosines at
    /// some 100 million.
    pub fn new(count: usize) -> Self {
        Self::with_askers(count, (MOST_COSINES / count.max(1)).clamp(1, count.max(1)))
    }

    fn with_askers(count: usize, wanted: usize) -> Self {
        let mut askers: Vec<u32> = (0..u32::try_from(count).unwrap_or(u32::MAX)).collect();
        Rng::new(SEED).shuffle(&mut askers);
        askers.truncate(wanted);
        // In their order, so that neighbours in memory are asked together.
        askers.sort_unstable();
        let nearest = Nearest::new(askers.len(), neighbours(count));
        Self { askers, next: 0, nearest }
    }

    /// Some more of them look for their neighbours among the unit rows `[n, hidden]`. `false` once
    /// all have.
    pub fn step(&mut self, rows: &[f32], hidden: usize) -> bool {
        let count = rows.len().checked_div(hidden).unwrap_or(0);
        let end = (self.next + slice_rows(count, hidden)).min(self.askers.len());
        let asking = self.askers.get(self.next..end).unwrap_or_default();
        let numbers = self.next..end;
        for first in (0..count).step_by(4) {
            // A row that is not there would cut the others: the last one stands for it, unseen.
            let place = |offset: usize| (first + offset).min(count - 1);
            let others = [0, 1, 2, 3].map(|offset| row(rows, hidden, place(offset)));
            for (number, asker) in numbers.clone().zip(asking) {
                let asker = *asker as usize;
                let [dots] = dot_tile([row(rows, hidden, asker)], others);
                for (other, cosine) in (first..count).zip(dots).filter(|(it, _)| *it != asker) {
                    self.nearest.see(number, other, cosine);
                }
            }
        }
        self.next = end;
        self.next < self.askers.len()
    }

    /// What was found of `count` rows.
    pub fn finish(self, count: usize) -> Option<Hubness> {
        hubness(&self.nearest, count)
    }
}

/// How many neighbours each of `count` rows names.
pub fn neighbours(count: usize) -> usize {
    NEIGHBOURS.min(count.saturating_sub(1))
}

/// Hubness of `count` rows from the neighbours that all of them, or a random sample, named. `None`
/// with fewer than three rows.
///
/// The skewness of how often a row is named, E (N - mean)^3 / sd^3 (Radovanovic et al., JMLR 2010):
/// 0 where all are named as often, above 1 where hubs are. It is 0 where nothing varies.
///
/// Of a sample of askers, N would look more skewed than it is: few names, many rows. So its factorial
/// moments E N (N - 1) ... are taken and divided by the chance that as many namers of a row are all
/// in the sample, which gives those of all rows without bias.
pub fn hubness(nearest: &Nearest, count: usize) -> Option<Hubness> {
    if count < LEAST_ROWS {
        return None;
    }
    let mut named = vec![0_u32; count];
    for (_, other) in nearest.lists().iter().flatten() {
        if let Some(named) = named.get_mut(*other as usize) {
            *named += 1;
        }
    }
    let asked = nearest.lists().len();
    // Of equals the first.
    let hub = (0..count).rev().max_by_key(|place| named.get(*place))?;
    let natural = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Some(Hubness {
        neighbours: u16::try_from(nearest.each).unwrap_or(u16::MAX),
        skewness: skewness(&named, asked),
        hub: natural(hub),
        named: named.get(hub).copied().unwrap_or_default(),
        asked: natural(asked),
    })
}

/// Skewness of how often each row is named by all, from how often it is named by so many of them.
fn skewness(named: &[u32], asked: usize) -> f64 {
    let (count, asked) = (named.len() as f64, asked as f64);
    let mut factorial = [0.0; 3];
    for named in named {
        let mut product = 1.0;
        for (less, sum) in factorial.iter_mut().enumerate() {
            product *= f64::from(*named) - less as f64;
            *sum += product;
        }
    }
    let mut chance = 1.0;
    for (less, sum) in factorial.iter_mut().enumerate() {
        chance *= (asked - less as f64) / (count - less as f64);
        *sum = if chance > 0.0 { *sum / count / chance } else { 0.0 };
    }
    let [first, second, third] = factorial;
    let (square, cube) = (second + first, third + 3.0 * second + first);
    let variance = square - first * first;
    if variance <= 1e-9 * square {
        return 0.0;
    }
    (cube - 3.0 * first * square + 2.0 * first * first * first) / (variance * variance.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::pairs::scan_block;
    use crate::math::rows::normalise;

    fn units(count: usize, hidden: usize, seed: u64) -> Vec<f32> {
        let mut rng = Rng::new(seed);
        let mut rows: Vec<f32> = (0..count * hidden).map(|_| rng.normal() as f32).collect();
        rows.chunks_exact_mut(hidden).for_each(normalise);
        rows
    }

    /// Every row's nearest by sorting.
    fn sorted(rows: &[f32], hidden: usize, each: usize) -> Vec<Vec<u32>> {
        let count = rows.len() / hidden;
        let of = |i: usize| {
            let mut all: Vec<usize> = (0..count).filter(|j| *j != i).collect();
            let cosine = |j: usize| dot_tile([row(rows, hidden, i)], [row(rows, hidden, j)])[0][0];
            all.sort_by(|a, b| cosine(*b).total_cmp(&cosine(*a)).then(a.cmp(b)));
            all.truncate(each);
            all.into_iter().map(|j| j as u32).collect()
        };
        (0..count).map(of).collect()
    }

    fn places(nearest: &Nearest) -> Vec<Vec<u32>> {
        let place = |list: &Vec<(f32, u32)>| list.iter().map(|(_, place)| *place).collect();
        nearest.lists().iter().map(place).collect()
    }

    #[test]
    fn pairs_in_blocks_and_askers_in_slices_find_what_sorting_finds() {
        for (count, hidden, each) in [(60, 4, 10), (5, 3, 4), (41, 2, 7)] {
            // Some rows are there twice.
            let mut rows = units(count, hidden, 7);
            rows.copy_within(0..hidden * 2, hidden * 3);
            let mut nearest = Nearest::new(count, each);
            for start in (0..count).step_by(9) {
                scan_block(&rows, hidden, start, 9, |i, j, cosine| {
                    nearest.see(i, j, cosine);
                    nearest.see(j, i, cosine);
                });
            }
            let expected = sorted(&rows, hidden, each);
            assert_eq!(places(&nearest), expected);
            let mut asking = Asking::with_askers(count, count);
            asking.nearest.each = each;
            while asking.step(&rows, hidden) {}
            assert_eq!(places(&asking.nearest), expected);
        }
    }

    #[test]
    fn known_skewness() {
        // Third power of the deviations, worked out by hand.
        assert!((skewness(&[1, 1, 1, 5], 4) - 1.154_700_538).abs() < 1e-9);
        assert!((skewness(&[0, 1, 2, 3, 9], 5) - 1.138_419_958).abs() < 1e-9);
        assert_eq!(skewness(&[4, 4, 4], 3), 0.0);
    }

    #[test]
    fn one_row_in_the_middle_of_a_star_is_the_hub() {
        // In many dimensions, rows around one direction are nearest to that direction.
        let (count, hidden) = (200, 40);
        let mut rows = units(count, hidden, 3);
        for (place, row) in rows.chunks_exact_mut(hidden).enumerate() {
            row[0] = if place == 77 { 30.0 } else { row[0] * 0.1 + 0.6 };
            normalise(row);
        }
        let mut asking = Asking::new(count);
        while asking.step(&rows, hidden) {}
        let found = asking.finish(count).unwrap();
        assert_eq!((found.neighbours, found.hub, found.asked), (10, 77, 200));
        assert!(found.named > 190 && found.skewness > 3.0, "{found:?}");
    }

    #[test]
    fn a_sample_of_askers_estimates_the_skewness_of_all() {
        let (count, hidden) = (2_000, 30);
        let mut rows = units(count, hidden, 5);
        for row in rows.chunks_exact_mut(hidden) {
            row[0] += 1.5;
            normalise(row);
        }
        let found = |askers| {
            let mut asking = Asking::with_askers(count, askers);
            while asking.step(&rows, hidden) {}
            asking.finish(count).unwrap()
        };
        let (all, some) = (found(count), found(500));
        assert_eq!((all.asked, some.asked), (2_000, 500));
        // Without the division it would be far above: few names, many rows.
        assert!(all.skewness > 1.5, "{all:?}");
        assert!((some.skewness / all.skewness - 1.0).abs() < 0.15, "{some:?} {all:?}");
        assert!((f64::from(some.named) * 4.0 / f64::from(all.named) - 1.0).abs() < 0.4);
    }

    #[test]
    fn so_few_that_nobody_has_a_choice() {
        for (count, expected) in [(0, None), (2, None), (3, Some(0.0)), (11, Some(0.0))] {
            let rows = units(count, 3, 2);
            let mut asking = Asking::new(count);
            while asking.step(&rows, 3) {}
            assert_eq!(asking.finish(count).map(|found| found.skewness), expected);
        }
    }

    #[test]
    fn more_rows_mean_fewer_askers() {
        assert_eq!(Asking::new(10_000).askers.len(), 10_000);
        let asking = Asking::new(100_000);
        assert_eq!(asking.askers.len(), 1_000);
        assert!(asking.askers.is_sorted_by(|a, b| a < b));
        // Spread over the whole.
        assert!(asking.askers[250] > 20_000 && asking.askers[750] < 80_000);
    }
}
