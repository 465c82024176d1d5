//! Groups of rows that point the same way.

use crate::math::rng::Rng;
use crate::math::rows::{dot_tile, normalise, row};
use crate::projection::work::{cosine, rows_a_step};

/// Rounds, at most; most end after some twenty.
const ROUNDS: usize = 60;

/// Rows nearer to a middle than this (1 - cosine) are as good as equal to it.
const EQUAL: f32 = 1e-6;

/// Groups, the largest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Groups {
    /// `[n]`: each row's group.
    pub labels: Vec<u16>,
    /// `[groups]`: rows in each.
    pub sizes: Vec<u32>,
    /// `[groups]`: the row nearest to the group's middle.
    pub typical: Vec<u32>,
}

/// Spherical k-means (Dhillon & Modha, Machine Learning 2001) of unit rows `[n, hidden]`, a step at a
/// time: each row belongs to the middle with the greatest cosine, each middle is the mean of its rows
/// at length 1. The first middles are rows, each drawn with chances in proportion to its distance,
/// squared, from those before it (k-means++, Arthur & Vassilvitskii, SODA 2007).
///
/// There may be fewer groups than were asked for: no more than different rows. Rows with a value that
/// is not finite go to the first middle and do not count for it.
#[derive(Debug, Clone)]
pub struct Clustering {
    hidden: usize,
    count: usize,
    wanted: usize,
    rng: Rng,
    /// `[groups, hidden]`
    middles: Vec<f32>,
    /// `[groups, hidden]`: sums of the rows so far.
    sums: Vec<f64>,
    /// `[n]`: 1 - cosine with the nearest middle; 0 of rows that do not count.
    away: Vec<f32>,
    labels: Vec<u16>,
    round: usize,
    changes: usize,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    /// Measuring the distance from the newest middle, from this row on.
    Drawing(usize),
    /// Giving rows to middles, from this one on.
    Giving(usize),
    Done,
}

impl Clustering {
    /// For `groups` groups of `count` rows.
    pub fn new(count: usize, hidden: usize, groups: usize, seed: u64) -> Self {
        let wanted = groups.max(1).min(count).min(usize::from(u16::MAX));
        Self {
            hidden,
            count,
            wanted,
            rng: Rng::of(&[seed, count as u64, wanted as u64]),
            middles: Vec::new(),
            sums: Vec::new(),
            away: vec![f32::INFINITY; count],
            labels: vec![0; count],
            round: 0,
            changes: 0,
            phase: if count == 0 || hidden == 0 { Phase::Done } else { Phase::Drawing(0) },
        }
    }

    /// Goes on for a while; the rows must be the same every time. Whether it is done.
    pub fn step(&mut self, rows: &[f32]) -> bool {
        self.phase = match self.phase {
            Phase::Drawing(next) => self.draw(rows, next),
            Phase::Giving(next) => self.give(rows, next),
            Phase::Done => Phase::Done,
        };
        self.phase == Phase::Done
    }

    /// The groups so far; those it ends with once it is done.
    pub fn into_groups(self) -> Groups {
        let groups = self.groups();
        let mut sizes = vec![0_u32; groups];
        let mut nearest = vec![(f32::INFINITY, 0_u32); groups];
        for (i, (label, away)) in self.labels.iter().zip(&self.away).enumerate() {
            let label = usize::from(*label);
            if let (Some(size), Some(nearest)) = (sizes.get_mut(label), nearest.get_mut(label)) {
                if *size == 0 || *away < nearest.0 {
                    *nearest = (*away, i as u32);
                }
                *size += 1;
            }
        }
        let mut order: Vec<usize> = (0..groups).filter(|group| sizes[*group] > 0).collect();
        order.sort_by_key(|group| (std::cmp::Reverse(sizes[*group]), nearest[*group].1));
        let mut names = vec![0_u16; groups];
        for (name, group) in order.iter().enumerate() {
            names[*group] = name as u16;
        }
        let name = |label: &u16| names.get(usize::from(*label)).copied().unwrap_or_default();
        Groups {
            labels: self.labels.iter().map(name).collect(),
            sizes: order.iter().map(|group| sizes[*group]).collect(),
            typical: order.iter().map(|group| nearest[*group].1).collect(),
        }
    }

    fn groups(&self) -> usize {
        self.middles.len().checked_div(self.hidden).unwrap_or(0)
    }

    /// Looks how far rows are from the newest middle; then draws the next.
    fn draw(&mut self, rows: &[f32], next: usize) -> Phase {
        let Some(newest) = self.groups().checked_sub(1) else {
            let first = self.rng.below(self.count);
            return self.begin(rows, first);
        };
        let end = next.saturating_add(rows_a_step(self.hidden, 2)).min(self.count);
        let middle = row(&self.middles, self.hidden, newest);
        for i in next..end {
            let row = row(rows, self.hidden, i);
            let [[dot]] = dot_tile([row], [middle]);
            let away = 1.0 - cosine(dot);
            let counts = newest > 0 || row.iter().all(|value| value.is_finite());
            let away = if away < EQUAL || !counts { 0.0 } else { away };
            self.away[i] = self.away[i].min(away);
        }
        if end < self.count {
            return Phase::Drawing(end);
        }
        let whole: f64 = self.away.iter().map(|away| f64::from(*away)).sum();
        if newest + 1 == self.wanted || whole <= 0.0 {
            return self.begin_round();
        }
        let mut left = self.rng.uniform() * whole;
        let chosen = self.away.iter().position(|away| {
            left -= f64::from(*away);
            left < 0.0
        });
        // Rounding may leave the last one.
        let chosen = chosen.or_else(|| self.away.iter().rposition(|away| *away > 0.0));
        self.begin(rows, chosen.unwrap_or(0))
    }

    /// A new middle where that row is, or the first good one where it is no number.
    fn begin(&mut self, rows: &[f32], chosen: usize) -> Phase {
        let is_good = |i: &usize| row(rows, self.hidden, *i).iter().all(|value| value.is_finite());
        let chosen = (chosen..self.count).chain(0..chosen).find(is_good);
        let start = self.middles.len();
        match chosen {
            Some(chosen) => self.middles.extend_from_slice(row(rows, self.hidden, chosen)),
            None => self.middles.resize(start + self.hidden, 0.0),
        }
        if let Some(middle) = self.middles.get_mut(start..) {
            normalise(middle);
        }
        Phase::Drawing(0)
    }

    fn begin_round(&mut self) -> Phase {
        self.sums = vec![0.0; self.middles.len()];
        self.changes = 0;
        Phase::Giving(0)
    }

    fn give(&mut self, rows: &[f32], next: usize) -> Phase {
        let end = next.saturating_add(rows_a_step(self.hidden, self.groups())).min(self.count);
        let mut i = next;
        while i < end {
            // A last single row is paired with itself.
            let both = [i, (i + 1).min(end - 1)];
            let nearest = self.nearest(rows, both);
            for ((i, (label, cosine)), _) in both.into_iter().zip(nearest).zip(i..end) {
                self.changes += usize::from(self.labels[i] != label);
                self.labels[i] = label;
                self.away[i] = 1.0 - cosine;
                let row = row(rows, self.hidden, i);
                let start = usize::from(label) * self.hidden;
                if row.iter().all(|value| value.is_finite()) {
                    for (sum, value) in self.sums[start..].iter_mut().zip(row) {
                        *sum += f64::from(*value);
                    }
                }
            }
            i += 2;
        }
        if end < self.count {
            return Phase::Giving(end);
        }
        self.round += 1;
        if self.round >= ROUNDS || (self.round > 1 && self.changes == 0) {
            return Phase::Done;
        }
        self.move_middles(rows);
        self.begin_round()
    }

    /// The middle with the greatest cosine to each of two rows; the first of equal ones.
    fn nearest(&self, rows: &[f32], both: [usize; 2]) -> [(u16, f32); 2] {
        let left = both.map(|i| row(rows, self.hidden, i));
        let mut best = [(0, f32::NEG_INFINITY); 2];
        let mut offer = |group: usize, dots: [f32; 2]| {
            for (best, dot) in best.iter_mut().zip(dots) {
                if cosine(dot) > best.1 {
                    *best = (group as u16, cosine(dot));
                }
            }
        };
        let of = |group: usize| row(&self.middles, self.hidden, group);
        let groups = self.groups();
        for group in (0..groups / 4 * 4).step_by(4) {
            let [first, second] = dot_tile(left, [0, 1, 2, 3].map(|offset| of(group + offset)));
            for (offset, dots) in first.into_iter().zip(second).enumerate() {
                offer(group + offset, dots.into());
            }
        }
        for group in groups / 4 * 4..groups {
            let [[first], [second]] = dot_tile(left, [of(group)]);
            offer(group, [first, second]);
        }
        best
    }

    /// To the mean of their rows. One without rows takes the row that is farthest from its own, once
    /// for each such row; where all rows are at their middles it stays.
    fn move_middles(&mut self, rows: &[f32]) {
        let (hidden, sums) = (self.hidden, &self.sums);
        for (middle, sum) in self.middles.chunks_exact_mut(hidden).zip(sums.chunks_exact(hidden)) {
            let length = sum.iter().map(|value| value * value).sum::<f64>().sqrt();
            if length > 0.0 {
                for (middle, sum) in middle.iter_mut().zip(sum) {
                    *middle = (sum / length) as f32;
                }
                continue;
            }
            let farthest =
                (0..self.count).rev().max_by(|a, b| self.away[*a].total_cmp(&self.away[*b]));
            if let Some(i) = farthest.filter(|i| self.away[*i] > EQUAL) {
                self.away[i] = 0.0;
                middle.copy_from_slice(row(rows, hidden, i));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rows::dot;

    fn grouped(rows: &[f32], hidden: usize, groups: usize, seed: u64) -> Groups {
        let mut clustering = Clustering::new(rows.len() / hidden.max(1), hidden, groups, seed);
        while !clustering.step(rows) {}
        clustering.into_groups()
    }

    /// `sizes[g]` rows about the g-th axis.
    fn about_axes(sizes: &[usize], hidden: usize) -> Vec<f32> {
        let mut rng = Rng::new(9);
        let mut rows = Vec::new();
        for (axis, size) in sizes.iter().enumerate() {
            for _ in 0..*size {
                let own = |column| if column == axis { 1.0 } else { 0.0 };
                rows.extend((0..hidden).map(|column| own(column) + 0.08 * rng.normal() as f32));
            }
        }
        rows.chunks_exact_mut(hidden).for_each(normalise);
        rows
    }

    #[test]
    fn groups_that_are_there_are_found_largest_first() {
        let rows = about_axes(&[20, 70, 5, 41], 9);
        for seed in 0..5 {
            let found = grouped(&rows, 9, 4, seed);
            assert_eq!(found.sizes, [70, 41, 20, 5], "{seed}");
            let expected = [(20, 2), (70, 0), (5, 3), (41, 1)];
            let expected = expected.iter().flat_map(|(size, label)| vec![*label; *size]);
            assert!(found.labels.iter().copied().eq(expected), "{seed}");
        }
    }

    #[test]
    fn the_typical_row_is_the_nearest_to_the_mean() {
        let rows = about_axes(&[30, 12], 6);
        let found = grouped(&rows, 6, 2, 1);
        for (group, typical) in found.typical.iter().enumerate() {
            let members: Vec<usize> =
                (0..42).filter(|i| usize::from(found.labels[*i]) == group).collect();
            let mut mean = vec![0.0; 6];
            for i in &members {
                mean.iter_mut().zip(row(&rows, 6, *i)).for_each(|(sum, value)| *sum += value);
            }
            normalise(&mut mean);
            let near = |i: usize| dot(row(&rows, 6, i), &mean);
            assert!(members.iter().all(|i| near(*i) <= near(*typical as usize) + 1e-6));
        }
    }

    #[test]
    fn equal_seeds_give_equal_groups_and_steps_do_not_matter() {
        let rows = about_axes(&[100, 100, 100], 700);
        assert_eq!(grouped(&rows, 700, 20, 3), grouped(&rows, 700, 20, 3));
    }

    proptest::proptest! {
        #[test]
        fn every_row_is_with_its_nearest_middle(
            values in proptest::collection::vec(-3_i8..=3, 3..240),
            groups in 1_usize..9,
            seed in 0_u64..50,
        ) {
            let mut rows: Vec<f32> =
                values[..values.len() / 3 * 3].iter().map(|value| f32::from(*value)).collect();
            rows.chunks_exact_mut(3).for_each(normalise);
            let found = grouped(&rows, 3, groups, seed);
            let count = rows.len() / 3;
            proptest::prop_assert_eq!(found.labels.len(), count);
            proptest::prop_assert!(found.sizes.len() <= groups.min(count));
            proptest::prop_assert!(found.sizes.is_sorted_by(|a, b| a >= b));
            proptest::prop_assert_eq!(found.sizes.iter().sum::<u32>() as usize, count);
            for (group, (size, typical)) in found.sizes.iter().zip(&found.typical).enumerate() {
                let members = found.labels.iter().filter(|label| usize::from(**label) == group);
                proptest::prop_assert_eq!(members.count(), *size as usize);
                proptest::prop_assert_eq!(usize::from(found.labels[*typical as usize]), group);
            }
        }
    }

    #[test]
    fn little_equal_and_no_numbers_have_groups() {
        assert_eq!(grouped(&[], 0, 3, 1), Groups::default());
        let one = Groups { labels: vec![0], sizes: vec![1], typical: vec![0] };
        assert_eq!(grouped(&[0.6, 0.8], 2, 3, 1), one);
        let equal = grouped(&[1.0, 0.0].repeat(50), 2, 7, 1);
        assert_eq!((equal.sizes, equal.typical), (vec![50], vec![0]));
        assert_eq!(grouped(&[f32::NAN; 20], 2, 3, 1).sizes, [10]);
        let mut rows = about_axes(&[10, 10], 4);
        rows.extend([f32::NAN, 0.0, 0.0, 1.0]);
        let found = grouped(&rows, 4, 2, 1);
        assert_eq!(found.sizes.iter().sum::<u32>(), 21);
        assert_ne!(found.labels[0], found.labels[10]);
    }
}
