//! How far a map can be believed.

use std::ops::Range;

use crate::geometry::pairs::{BLOCK_ROWS, pair_count, scan_columns};
use crate::math::evenly::evenly;
use crate::math::rows::{LANES, dot_tile, row};
use crate::projection::lists::Lists;
use crate::projection::work::{cosine, rows_a_step};

/// Pairs of a judged row and any other that are looked at, and the rows that are judged whatever
/// that makes: all of up to 5,000, every 200th of 100,000.
const PAIRS: usize = 25_000_000;
const LEAST_JUDGED: usize = 500;

/// What finding a place on the map costs for each other place, in multiplications.
const PLACE_COST: usize = 8;

/// A neighbour on the map is false where it is not among so many times as many originals.
const REACH: usize = 3;

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// 0 to 1; 1 where all neighbours on the map are neighbours in the original space.
    pub trustworthiness: f64,
    /// Neighbours on the map that each row was asked for.
    pub neighbours: usize,
    /// Rows that were judged.
    pub judged: usize,
    /// `[n]`: which share of a row's neighbours on the map are false; NaN where it was not judged.
    pub false_shares: Vec<f32>,
}

/// Trustworthiness (Venna & Kaski, ICANN 2001) of a map `[n, 2]` of unit rows `[n, hidden]`, a step
/// at a time:
///
/// T = 1 - 2 / (n k (2n - 3k - 1)) sum over rows i and those of their k neighbours j on the map
/// that are not among the k nearest of the space, of r(i, j) - k,
///
/// where r(i, j) is j's rank among all others by its cosine with i, from 1. As scikit-learn's
/// `trustworthiness`; equally near ones rank as they stand. Of more than 5,000 rows an even sample
/// is judged, each row of it against all others.
///
/// A neighbour on the map is false where it is not among the 3 k nearest of the space (half of all
/// others, if that is less): a little beyond the k-th is no lie.
#[derive(Debug, Clone)]
pub struct Trust {
    hidden: usize,
    count: usize,
    neighbours: usize,
    judged: usize,
    /// Places a row's lists take, so that SIMD can go through them.
    stride: usize,
    /// `[judged, stride]`: cosines of a row with its neighbours on the map, the
    /// least first; what is not there is infinite.
    bars: Vec<f32>,
    /// `[judged, stride]`: which rows these are.
    who: Vec<u32>,
    /// `[judged]`: the least cosine; most others are below, and cost one comparison.
    least: Vec<f32>,
    /// `[judged, stride + 1]`: others by how many of the row's neighbours on the map are farther.
    better: Vec<u32>,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    /// Looking for neighbours on the map, from this place of the sample on.
    Finding(usize),
    /// Ranking them: comparing a block of rows, from this place on, with others, from this column on.
    Ranking(usize, usize),
    Done,
}

impl Trust {
    /// For `neighbours` neighbours; fewer where that is half of all rows or more.
    pub fn new(count: usize, hidden: usize, neighbours: usize) -> Self {
        let neighbours = neighbours.min(count.saturating_sub(1) / 2);
        let judged = (PAIRS / count.max(1)).max(LEAST_JUDGED).min(count);
        Self::of_sample(count, hidden, neighbours, if neighbours == 0 { 0 } else { judged })
    }

    fn of_sample(count: usize, hidden: usize, neighbours: usize, judged: usize) -> Self {
        let stride = neighbours.next_multiple_of(LANES);
        Self {
            hidden,
            count,
            neighbours,
            judged,
            stride,
            bars: vec![f32::INFINITY; judged * stride],
            who: vec![u32::MAX; judged * stride],
            least: vec![f32::INFINITY; judged],
            better: vec![0; judged * (stride + 1)],
            phase: if judged > 0 { Phase::Finding(0) } else { Phase::Done },
        }
    }

    /// Rows that will be judged, and how far it is with them.
    pub fn judged(&self) -> usize {
        self.judged
    }

    pub fn done(&self) -> usize {
        match self.phase {
            Phase::Finding(_) => 0,
            Phase::Ranking(next, _) if self.judged < self.count => next,
            Phase::Ranking(next, _) => {
                let left = pair_count(self.count - next) as f64 / pair_count(self.count) as f64;
                ((1.0 - left) * self.judged as f64) as usize
            }
            Phase::Done => self.judged,
        }
    }

    /// Goes on for a while; rows and map must be the same every time. Whether it is done.
    pub fn step(&mut self, rows: &[f32], map: &[f32]) -> bool {
        self.phase = match self.phase {
            Phase::Finding(next) => self.find(rows, map, next),
            Phase::Ranking(next, column) => self.rank(rows, next, column),
            Phase::Done => Phase::Done,
        };
        self.phase == Phase::Done
    }

    /// What was found; nothing of worth before it is done.
    pub fn into_judgement(self) -> Judgement {
        let k = self.neighbours;
        let reach = (REACH * k).min((self.count.saturating_sub(1) / 2).max(k));
        // Nobody's neighbours are false where nobody has any.
        let mut false_shares = vec![if k == 0 { 0.0 } else { f32::NAN }; self.count];
        let mut penalty = 0.0;
        for place in 0..self.judged {
            let better = &self.better[place * (self.stride + 1)..][..=self.stride];
            let who = &self.who[place * self.stride..][..self.stride];
            let (mut rank, mut wrong) = (1, 0);
            for (better, _) in better[1..].iter().zip(who).rev().filter(|(_, j)| **j != u32::MAX) {
                rank += *better as usize;
                penalty += rank.saturating_sub(k) as f64;
                wrong += usize::from(rank > reach);
            }
            false_shares[self.row_in(place)] = wrong as f32 / k.max(1) as f32;
        }
        let (n, k) = (self.count as f64, k as f64);
        let most = n * k * (2.0 * n - 3.0 * k - 1.0) / 2.0;
        let lost = if most > 0.0 { penalty * (n / self.judged as f64) / most } else { 0.0 };
        Judgement {
            trustworthiness: 1.0 - lost,
            neighbours: self.neighbours,
            judged: self.judged,
            false_shares,
        }
    }

    /// The row in that place of the sample.
    fn row_in(&self, place: usize) -> usize {
        evenly(place, self.judged, self.count)
    }

    /// Some rows' neighbours on the map and their cosines.
    fn find(&mut self, rows: &[f32], map: &[f32], next: usize) -> Phase {
        let more = rows_a_step(self.count, PLACE_COST).max(1);
        let end = next.saturating_add(more).min(self.judged);
        for place in next..end {
            let i = self.row_in(place);
            let mut found: Vec<(f32, u32)> = on_the_map(map, i, self.neighbours)
                .into_iter()
                .map(|j| {
                    let [[dot]] =
                        dot_tile([row(rows, self.hidden, i)], [row(rows, self.hidden, j as usize)]);
                    (cosine(dot), j)
                })
                .collect();
            // The worst first; of equal ones that which stands last.
            found.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
            let start = place * self.stride;
            for (offset, (cosine, j)) in found.into_iter().enumerate() {
                (self.bars[start + offset], self.who[start + offset]) = (cosine, j);
            }
            self.least[place] = self.bars[start];
        }
        if end < self.judged { Phase::Finding(end) } else { Phase::Ranking(0, 0) }
    }

    fn rank(&mut self, rows: &[f32], next: usize, column: usize) -> Phase {
        let more = rows_a_step(self.hidden, BLOCK_ROWS).next_multiple_of(LANES);
        let end = column.saturating_add(more);
        let block = next..next.saturating_add(BLOCK_ROWS).min(self.judged);
        if self.judged == self.count {
            scan_columns(rows, self.hidden, block.clone(), column..end, |i, j, dot| {
                self.meet(i, j, cosine(dot));
                self.meet(j, i, cosine(dot));
            });
        } else {
            self.compare(rows, block.clone(), column..end.min(self.count));
        }
        if end < self.count {
            Phase::Ranking(next, end)
        } else if block.end < self.judged {
            // Whoever meets both ways has met what is above.
            Phase::Ranking(block.end, if self.judged == self.count { block.end } else { 0 })
        } else {
            Phase::Done
        }
    }

    /// The rows of a part of the sample with some others, which stream by.
    fn compare(&mut self, rows: &[f32], block: Range<usize>, columns: Range<usize>) {
        let (hidden, last) = (self.hidden, self.count.saturating_sub(1));
        for column in columns.clone().step_by(4) {
            let right = [0, 1, 2, 3].map(|offset| row(rows, hidden, (column + offset).min(last)));
            for place in block.clone().step_by(2) {
                // A last single row is paired with itself.
                let pair = [place, (place + 1).min(block.end - 1)];
                let left = pair.map(|place| row(rows, hidden, self.row_in(place)));
                let tile = dot_tile(left, right);
                for (place, dots) in (place..block.end).zip(tile) {
                    for (j, dot) in (column..columns.end).zip(dots) {
                        if j != self.row_in(place) {
                            self.meet(place, j, cosine(dot));
                        }
                    }
                }
            }
        }
    }

    /// Notes that the row in that place has another with that cosine.
    #[inline]
    fn meet(&mut self, place: usize, j: usize, cosine: f32) {
        if cosine < self.least[place] {
            return;
        }
        let range = place * self.stride..(place + 1) * self.stride;
        let bars = &self.bars[range.clone()];
        let mut farther: u32 = bars.iter().map(|bar| u32::from(*bar < cosine)).sum();
        if bars.get(farther as usize) == Some(&cosine) {
            let ties = bars.iter().zip(&self.who[range]);
            farther +=
                ties.map(|(bar, who)| u32::from(*bar == cosine && *who as usize > j)).sum::<u32>();
        }
        self.better[place * (self.stride + 1) + farther as usize] += 1;
    }
}

/// The nearest on the map.
fn on_the_map(map: &[f32], i: usize, neighbours: usize) -> Vec<u32> {
    let points = map.as_chunks::<2>().0;
    let Some([x, y]) = points.get(i).copied() else { return Vec::new() };
    let mut nearest = Lists::new(1, neighbours);
    for (j, other) in points.iter().enumerate() {
        let (dx, dy) = (x - other[0], y - other[1]);
        if j != i {
            nearest.offer(0, j, -(dx * dx + dy * dy));
        }
    }
    let found = nearest.of(0).iter().filter(|entry| !entry.is_free());
    found.map(|entry| entry.position).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng::Rng;
    use crate::math::rows::normalise;

    fn judged(mut trust: Trust, rows: &[f32], map: &[f32]) -> Judgement {
        while !trust.step(rows, map) {}
        trust.into_judgement()
    }

    fn random(count: usize, hidden: usize, seed: u64) -> Vec<f32> {
        let mut rng = Rng::new(seed);
        let mut rows: Vec<f32> = (0..count * hidden).map(|_| rng.normal() as f32).collect();
        rows.chunks_exact_mut(hidden).for_each(normalise);
        rows
    }

    /// By the definition: every ranking sorted.
    fn by_definition(rows: &[f32], hidden: usize, map: &[f32], k: usize) -> f64 {
        let count = rows.len() / hidden;
        let order = |near: &dyn Fn(usize, usize) -> f64, i: usize| -> Vec<usize> {
            let mut others: Vec<usize> = (0..count).filter(|j| *j != i).collect();
            others.sort_by(|a, b| near(i, *b).total_cmp(&near(i, *a)).then(a.cmp(b)));
            others
        };
        let original = |i: usize, j: usize| {
            let [[dot]] = dot_tile([row(rows, hidden, i)], [row(rows, hidden, j)]);
            f64::from(cosine(dot))
        };
        let mapped = |i: usize, j: usize| {
            let (dx, dy) = (map[2 * i] - map[2 * j], map[2 * i + 1] - map[2 * j + 1]);
            -f64::from(dx * dx + dy * dy)
        };
        let mut sum = 0.0;
        for i in 0..count {
            let ranks = order(&original, i);
            for j in order(&mapped, i).into_iter().take(k) {
                let rank = ranks.iter().position(|other| *other == j).unwrap() + 1;
                sum += rank.saturating_sub(k) as f64;
            }
        }
        let (n, k) = (count as f64, k as f64);
        1.0 - 2.0 / (n * k * (2.0 * n - 3.0 * k - 1.0)) * sum
    }

    #[test]
    fn it_equals_the_definition() {
        for (count, hidden, k) in [(40, 5, 7), (33, 3, 15), (9, 2, 1), (120, 8, 15)] {
            let (rows, map) = (random(count, hidden, 1), random(count, 2, 2));
            let found = judged(Trust::new(count, hidden, k), &rows, &map);
            let expected = by_definition(&rows, hidden, &map, k);
            assert!((found.trustworthiness - expected).abs() < 1e-12, "{count} {hidden} {k}");
            assert_eq!((found.judged, found.neighbours), (count, k));
        }
    }

    proptest::proptest! {
        #[test]
        fn equally_near_ones_rank_as_they_stand(
            values in proptest::collection::vec(-1_i8..=1, 12..300),
            places in proptest::collection::vec(-2_i8..=2, 200),
            k in 1_usize..9,
        ) {
            let mut rows: Vec<f32> =
                values[..values.len() / 3 * 3].iter().map(|value| f32::from(*value)).collect();
            rows.chunks_exact_mut(3).for_each(normalise);
            let count = rows.len() / 3;
            let map: Vec<f32> = places[..2 * count].iter().map(|value| f32::from(*value)).collect();
            let k = k.min((count - 1) / 2);
            let expected = by_definition(&rows, 3, &map, k);
            let found = judged(Trust::new(count, 3, k), &rows, &map);
            proptest::prop_assert!((found.trustworthiness - expected).abs() < 1e-12);
            // The way of a sample comes to the same.
            let mut trust = Trust::of_sample(count, 3, k, count - 1);
            while !trust.step(&rows, &map) {}
            let some = trust.into_judgement();
            for (some, all) in some.false_shares.iter().zip(&found.false_shares) {
                proptest::prop_assert!(some.is_nan() || some == all);
            }
        }
    }

    #[test]
    fn the_plane_itself_is_trusted_and_its_shuffle_is_not() {
        let rows = random(200, 2, 3);
        let good = judged(Trust::new(200, 2, 10), &rows, &rows);
        assert_eq!(good.trustworthiness, 1.0);
        assert!(good.false_shares.iter().all(|share| *share == 0.0));
        let bad = judged(Trust::new(200, 2, 10), &rows, &random(200, 2, 4));
        assert!((bad.trustworthiness - 0.5).abs() < 0.1);
        // 30 of 199 are near enough.
        let mean = bad.false_shares.iter().sum::<f32>() / 200.0;
        assert!((mean - 0.85).abs() < 0.05, "{mean}");
    }

    #[test]
    fn a_sample_says_nearly_what_all_say() {
        let (count, hidden) = (900, 6);
        let rows = random(count, hidden, 5);
        let map: Vec<f32> = rows.chunks_exact(hidden).flat_map(|row| [row[0], row[1]]).collect();
        let all = judged(Trust::new(count, hidden, 12), &rows, &map);
        let some = judged(Trust::of_sample(count, hidden, 12, 299), &rows, &map);
        assert!((all.trustworthiness - some.trustworthiness).abs() < 0.02);
        assert_eq!(some.judged, 299);
        let known = some.false_shares.iter().zip(&all.false_shares).filter(|(s, _)| !s.is_nan());
        assert_eq!(known.clone().count(), 299);
        assert!(known.clone().all(|(some, all)| some == all));
    }

    #[test]
    fn few_rows_and_no_numbers_are_judged() {
        for count in 0..5 {
            let (rows, map) = (random(count, 3, 1), random(count, 2, 2));
            let found = judged(Trust::new(count, 3, 15), &rows, &map);
            assert_eq!(found.neighbours, count.saturating_sub(1) / 2);
            assert!((0.0..=1.0).contains(&found.trustworthiness));
            assert_eq!(found.false_shares.len(), count);
            assert!(found.false_shares.iter().all(|share| !share.is_nan()));
        }
        let found = judged(Trust::new(50, 2, 5), &[f32::NAN; 100], &random(50, 2, 1));
        assert!(found.trustworthiness.is_finite());
        let found = judged(Trust::new(50, 2, 5), &random(50, 2, 1), &[f32::NAN; 100]);
        assert!(found.trustworthiness.is_finite());
    }
}
