//! The nearest neighbours of every row.
//!
//! ```
//! use simcse_lab::projection::neighbours::Search;
//!
//! let (rows, hidden) = (vec![1.0, 0.0, 0.0, 1.0, 0.8, 0.6], 2);
//! let mut search = Search::new(3, hidden, 1, 0);
//! while !search.step(&rows) {} // other work may go between
//! assert_eq!(search.into_neighbours().positions, [2, 2, 0]);
//! ```

use crate::geometry::pairs::{BLOCK_ROWS, pair_count, scan_columns};
use crate::projection::descent::Descent;
use crate::projection::lists::Lists;
use crate::projection::work::{cosine, rows_a_step};

/// Of up to so many rows every pair is looked at; of more, only promising ones.
pub const MOST_EXACT: usize = 20_000;

/// Places of lists that are put in order in a step.
const SORTED_A_STEP: usize = 100_000;

/// The nearest neighbours of every row, without itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbours {
    /// How many each row has.
    pub each: usize,
    /// `[n, each]`, the nearest first; of equally near ones the one that stands first.
    pub positions: Vec<u32>,
    /// `[n, each]`: their cosines, -1 to 1; -1 too where a row has a value that is not finite.
    pub cosines: Vec<f32>,
    /// Whether every pair was looked at. Else some neighbours may be missed, for farther ones.
    pub exact: bool,
}

impl Neighbours {
    fn with_room_for(rows: usize, each: usize, exact: bool) -> Self {
        let room = rows * each;
        let (positions, cosines) = (Vec::with_capacity(room), Vec::with_capacity(room));
        Self { each, positions, cosines, exact }
    }

    /// Puts the next lists in order and takes them over.
    fn extend(&mut self, lists: &mut Lists, rows: usize) {
        let next = self.rows();
        let end = next.saturating_add(rows.max(1)).min(lists.rows());
        lists.sort(next..end);
        for row in next..end {
            self.positions.extend(lists.of(row).iter().map(|entry| entry.position));
            self.cosines.extend(lists.of(row).iter().map(|entry| entry.cosine));
        }
    }

    /// Of that row.
    pub fn of(&self, row: usize) -> (&[u32], &[f32]) {
        let range = row.saturating_mul(self.each)..row.saturating_add(1).saturating_mul(self.each);
        let positions = self.positions.get(range.clone()).unwrap_or_default();
        (positions, self.cosines.get(range).unwrap_or_default())
    }

    pub fn rows(&self) -> usize {
        self.positions.len().checked_div(self.each).unwrap_or(0)
    }
}

/// Looks for the nearest neighbours by cosine of unit rows `[n, hidden]`, a step at a time.
///
/// Up to [`MOST_EXACT`] rows: all pairs, each product used for both rows. Beyond: [`Descent`].
#[derive(Debug, Clone)]
pub struct Search {
    hidden: usize,
    count: usize,
    exact: bool,
    phase: Phase,
}

#[derive(Debug, Clone)]
enum Phase {
    /// Every pair, from the one of these two on.
    Pairs {
        lists: Lists,
        row: usize,
        column: usize,
    },
    Descent(Box<Descent>),
    Sorting {
        lists: Lists,
        found: Neighbours,
    },
    Done(Neighbours),
}

impl Search {
    /// For `each` neighbours of each of `count` rows; fewer where there are not so many others.
    pub fn new(count: usize, hidden: usize, each: usize, seed: u64) -> Self {
        if count <= MOST_EXACT {
            Self::exact(count, hidden, each)
        } else {
            Self::descending(count, hidden, each, seed)
        }
    }

    /// Looks at every pair, however many there are.
    pub fn exact(count: usize, hidden: usize, each: usize) -> Self {
        let lists = Lists::new(count, each.min(count.saturating_sub(1)));
        let phase = Phase::Pairs { lists, row: 0, column: 1 };
        Self { hidden, count, exact: true, phase }
    }

    /// Looks at promising pairs only, however few there are.
    pub fn descending(count: usize, hidden: usize, each: usize, seed: u64) -> Self {
        let each = each.min(count.saturating_sub(1));
        let descent = Box::new(Descent::new(count, hidden, each, seed));
        Self { hidden, count, exact: false, phase: Phase::Descent(descent) }
    }

    /// Goes on for a while; the rows must be the same every time. Whether it is done.
    pub fn step(&mut self, rows: &[f32]) -> bool {
        let nothing = Neighbours::with_room_for(0, 0, self.exact);
        self.phase = match std::mem::replace(&mut self.phase, Phase::Done(nothing)) {
            Phase::Pairs { lists, row, column } => self.scan(rows, lists, row, column),
            Phase::Descent(mut descent) => {
                if descent.step(rows) {
                    self.sorting(descent.into_lists())
                } else {
                    Phase::Descent(descent)
                }
            }
            Phase::Sorting { mut lists, mut found } => {
                let more = SORTED_A_STEP / lists.width().max(1);
                found.extend(&mut lists, more);
                if found.positions.len() < lists.rows() * lists.width() {
                    Phase::Sorting { lists, found }
                } else {
                    Phase::Done(found)
                }
            }
            Phase::Done(found) => Phase::Done(found),
        };
        matches!(self.phase, Phase::Done(_))
    }

    /// How far it is, in rows; near the end it may jump.
    pub fn done(&self) -> usize {
        let share = match &self.phase {
            Phase::Pairs { row, .. } => {
                let left = pair_count(self.count.saturating_sub(*row));
                1.0 - left as f64 / pair_count(self.count).max(1) as f64
            }
            Phase::Descent(descent) => descent.share(),
            Phase::Sorting { .. } | Phase::Done(_) => 1.0,
        };
        (share * self.count as f64) as usize
    }

    /// What was found; not all before it is done.
    pub fn into_neighbours(self) -> Neighbours {
        match self.phase {
            Phase::Sorting { found, .. } | Phase::Done(found) => found,
            Phase::Pairs { .. } | Phase::Descent(_) => Neighbours::with_room_for(0, 0, self.exact),
        }
    }

    fn sorting(&self, lists: Lists) -> Phase {
        let found = Neighbours::with_room_for(lists.rows(), lists.width(), self.exact);
        Phase::Sorting { lists, found }
    }

    /// A block of rows with as many columns as a step may take.
    fn scan(&self, rows: &[f32], mut lists: Lists, row: usize, column: usize) -> Phase {
        let end = column.saturating_add(rows_a_step(self.hidden, BLOCK_ROWS));
        let block = row..row.saturating_add(BLOCK_ROWS);
        scan_columns(rows, self.hidden, block.clone(), column..end, |i, j, dot| {
            let cosine = cosine(dot);
            lists.offer(i, j, cosine);
            lists.offer(j, i, cosine);
        });
        if end < self.count {
            Phase::Pairs { lists, row, column: end }
        } else if block.end < self.count {
            Phase::Pairs { lists, row: block.end, column: block.end + 1 }
        } else {
            self.sorting(lists)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng::Rng;
    use crate::math::rows::{dot_tile, normalise, row};

    pub fn found(mut search: Search, rows: &[f32]) -> Neighbours {
        while !search.step(rows) {}
        search.into_neighbours()
    }

    /// Sorts all others of every row.
    fn naive(rows: &[f32], hidden: usize, each: usize) -> Vec<(u32, f32)> {
        let count = rows.len() / hidden;
        let mut all = Vec::new();
        for i in 0..count {
            let mut others: Vec<(u32, f32)> = (0..count)
                .filter(|j| *j != i)
                .map(|j| {
                    let [[dot]] = dot_tile([row(rows, hidden, i)], [row(rows, hidden, j)]);
                    (j as u32, if dot.is_nan() { -1.0 } else { dot.clamp(-1.0, 1.0) })
                })
                .collect();
            others.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            all.extend(others.into_iter().take(each));
        }
        all
    }

    /// Rows about as sentences lie: groups, and a few directions that count most.
    fn grouped(count: usize, hidden: usize, seed: u64) -> Vec<f32> {
        let mut rng = Rng::new(seed);
        let middles: Vec<f32> = (0..count.div_ceil(40) * hidden)
            .map(|i| rng.normal() as f32 / (1.0 + (i % hidden) as f32 / 8.0))
            .collect();
        let mut rows: Vec<f32> = (0..count * hidden)
            .map(|i| {
                let (group, column) = (i / hidden * 7919 % count.div_ceil(40), i % hidden);
                let spread = 1.0 / (1.0 + column as f32 / 8.0);
                middles[group * hidden + column] + spread * rng.normal() as f32
            })
            .collect();
        rows.chunks_exact_mut(hidden).for_each(normalise);
        rows
    }

    proptest::proptest! {
        #[test]
        fn it_finds_what_sorting_finds(
            values in proptest::collection::vec(-2_i8..=2, 0..700),
            hidden in 1_usize..6,
            each in 0_usize..12,
        ) {
            // Few different values: many cosines are equal.
            let rows = &values[..values.len() / hidden * hidden];
            let mut rows: Vec<f32> = rows.iter().map(|value| f32::from(*value)).collect();
            rows.chunks_exact_mut(hidden).for_each(normalise);
            let count = rows.len() / hidden;
            let neighbours = found(Search::new(count, hidden, each, 1), &rows);
            let pairs = neighbours.positions.iter().copied().zip(neighbours.cosines.iter().copied());
            let expected = naive(&rows, hidden, each);
            proptest::prop_assert!(pairs.eq(expected.iter().copied()));
            proptest::prop_assert_eq!(neighbours.each, each.min(count.saturating_sub(1)));
            proptest::prop_assert!(neighbours.exact);
        }
    }

    #[test]
    fn steps_are_many_and_progress_grows() {
        let (count, hidden) = (900, 2_000);
        let rows = grouped(count, hidden, 3);
        let mut search = Search::new(count, hidden, 4, 0);
        let mut seen = vec![search.done()];
        while !search.step(&rows) {
            seen.push(search.done());
        }
        assert!(seen.len() > 10 && seen[0] == 0 && seen.is_sorted());
        assert_eq!(search.done(), count);
        let expected: Vec<u32> = naive(&rows, hidden, 4).iter().map(|pair| pair.0).collect();
        assert_eq!(search.into_neighbours().positions, expected);
    }

    #[test]
    fn rows_that_are_no_numbers_are_nobodys_neighbours() {
        let rows = [1.0, 0.0, f32::NAN, 0.0, 0.0, 1.0, f32::INFINITY, f32::NEG_INFINITY, 0.6, 0.8];
        let neighbours = found(Search::new(5, 2, 2, 0), &rows);
        assert_eq!(neighbours.of(0).0, [4, 2]);
        assert_eq!(neighbours.of(1), (&[0, 2][..], &[-1.0; 2][..]));
        assert!(neighbours.of(9).0.is_empty());
    }

    /// How many of the true neighbours were found.
    fn recall(rows: &[f32], hidden: usize, each: usize) -> f64 {
        let count = rows.len() / hidden;
        let exact = found(Search::exact(count, hidden, each), rows);
        let near = found(Search::descending(count, hidden, each, 5), rows);
        assert!(!near.exact && near.each == exact.each);
        let mut common = 0;
        for i in 0..count {
            let (found, cosines) = near.of(i);
            assert!(cosines.is_sorted_by(|a, b| a >= b) && !found.contains(&(i as u32)));
            common += exact.of(i).0.iter().filter(|other| found.contains(other)).count();
        }
        common as f64 / (count * exact.each) as f64
    }

    #[test]
    fn descent_finds_nearly_all() {
        for (count, hidden, each) in [(3_000, 48, 15), (2_000, 24, 60), (400, 8, 10)] {
            let recall = recall(&grouped(count, hidden, 11), hidden, each);
            assert!(recall > 0.95, "{count} {hidden} {each}: {recall}");
        }
    }

    #[test]
    fn descent_bears_equal_rows_and_few_rows() {
        let equal = vec![0.5; 4 * 1_000];
        let near = found(Search::descending(1_000, 4, 7, 1), &equal);
        assert!(near.cosines.iter().all(|cosine| *cosine == 1.0));
        let nan = found(Search::descending(300, 4, 7, 1), &[f32::NAN; 1_200]);
        assert!(nan.cosines.iter().all(|cosine| *cosine == -1.0));
        for count in 0..9 {
            let rows = grouped(count, 6, 2);
            let near = found(Search::descending(count, 6, 5, 1), &rows);
            let expected = found(Search::exact(count, 6, 5), &rows);
            assert_eq!(near.positions, expected.positions, "{count}");
        }
    }

    #[test]
    fn equal_seeds_give_equal_neighbours() {
        let rows = grouped(1_500, 16, 4);
        let search = |seed| found(Search::descending(1_500, 16, 12, seed), &rows);
        assert_eq!(search(1), search(1));
    }
}
