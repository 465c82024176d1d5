//! How far a map can be believed.

use crate::math::rows::{dot_tile, row};
use crate::projection::lists::Lists;
use crate::projection::work::{PRODUCTS, cosine};

/// Pairs of a judged row and any other that are looked at, and the rows that are judged whatever
/// that makes: all of up to 5,000, every 200th of 100,000.
const PAIRS: usize = 25_000_000;
const LEAST_JUDGED: usize = 500;

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
    next: usize,
    /// Sum of r(i, j) - k.
    penalty: f64,
    false_shares: Vec<f32>,
    /// `[2, n]`: cosines of two rows with all.
    cosines: [Vec<f32>; 2],
}

impl Trust {
    /// For `neighbours` neighbours; fewer where that is half of all rows or more.
    pub fn new(count: usize, hidden: usize, neighbours: usize) -> Self {
        let neighbours = neighbours.min(count.saturating_sub(1) / 2);
        let judged = (PAIRS / count.max(1)).max(LEAST_JUDGED).min(count);
        Self::of_sample(count, hidden, neighbours, if neighbours == 0 { 0 } else { judged })
    }

    fn of_sample(count: usize, hidden: usize, neighbours: usize, judged: usize) -> Self {
        let nothing = if neighbours == 0 { 0.0 } else { f32::NAN };
        Self {
            hidden,
            count,
            neighbours,
            judged,
            next: 0,
            penalty: 0.0,
            false_shares: vec![nothing; count],
            cosines: [vec![0.0; count], vec![0.0; count]],
        }
    }

    /// Rows that will be judged, and that are.
    pub fn judged(&self) -> usize {
        self.judged
    }

    pub fn done(&self) -> usize {
        self.next
    }

    /// Goes on for a while; rows and map must be the same every time. Whether it is done.
    pub fn step(&mut self, rows: &[f32], map: &[f32]) -> bool {
        let pairs = (PRODUCTS / (2 * self.hidden.max(1) * self.count.max(1))).max(1);
        for _ in 0..pairs {
            if self.next >= self.judged {
                break;
            }
            // A last single row is paired with itself.
            let last = (self.next + 1).min(self.judged - 1);
            let both = [self.next, last].map(|place| self.place(place));
            self.compare(rows, both);
            for (which, i) in both.into_iter().enumerate().take(self.judged - self.next) {
                self.judge(i, which, map);
            }
            self.next = (self.next + 2).min(self.judged);
        }
        self.next >= self.judged
    }

    /// What was found; of the rows so far, before it is done.
    pub fn into_judgement(self) -> Judgement {
        let (n, k) = (self.count as f64, self.neighbours as f64);
        let judged = self.next.max(1) as f64;
        let most = n * k * (2.0 * n - 3.0 * k - 1.0) / 2.0;
        let lost = if most > 0.0 { self.penalty * (n / judged) / most } else { 0.0 };
        Judgement {
            trustworthiness: 1.0 - lost,
            neighbours: self.neighbours,
            judged: self.next,
            false_shares: self.false_shares,
        }
    }

    /// The row in that place of the sample.
    fn place(&self, place: usize) -> usize {
        place * self.count / self.judged.max(1)
    }

    fn compare(&mut self, rows: &[f32], both: [usize; 2]) {
        let of = |i: usize| row(rows, self.hidden, i);
        let left = both.map(of);
        let mut column = 0;
        while column < self.count {
            if column + 4 <= self.count {
                let dots = dot_tile(left, [0, 1, 2, 3].map(|offset| of(column + offset)));
                for (cosines, dots) in self.cosines.iter_mut().zip(dots) {
                    cosines[column..column + 4].copy_from_slice(&dots.map(cosine));
                }
                column += 4;
            } else {
                for (cosines, [dot]) in self.cosines.iter_mut().zip(dot_tile(left, [of(column)])) {
                    cosines[column] = cosine(dot);
                }
                column += 1;
            }
        }
        for (cosines, own) in self.cosines.iter_mut().zip(both) {
            cosines[own] = f32::NEG_INFINITY;
        }
    }

    fn judge(&mut self, i: usize, which: usize, map: &[f32]) {
        let k = self.neighbours;
        let reach = (REACH * k).min(((self.count - 1) / 2).max(k));
        let cosines = &self.cosines[which];
        let mut wrong = 0;
        for j in on_the_map(map, i, k) {
            let rank = rank(cosines, j);
            self.penalty += rank.saturating_sub(k) as f64;
            wrong += usize::from(rank > reach);
        }
        self.false_shares[i] = wrong as f32 / k.max(1) as f32;
    }
}

/// The nearest on the map.
fn on_the_map(map: &[f32], i: usize, neighbours: usize) -> Vec<usize> {
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
    found.map(|entry| entry.position as usize).collect()
}

/// From 1, by falling cosine and then by place.
fn rank(cosines: &[f32], j: usize) -> usize {
    let Some(own) = cosines.get(j).copied() else { return 1 };
    let nearer: u32 = cosines.iter().map(|cosine| u32::from(*cosine > own)).sum();
    let equal: u32 = cosines[..j].iter().map(|cosine| u32::from(*cosine == own)).sum();
    (nearer + equal) as usize + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng::Rng;
    use crate::math::rows::{dot_tile, normalise};

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
            f64::from(dot)
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
