//! What can be done to vectors instead of training: centring, all-but-the-top, whitening. Fitted on
//! the rows of a corpus, and applied to them or to a new row.
//!
//! ```
//! use simcse_lab::geometry::moments::Moments;
//! use simcse_lab::geometry::treatment::Transform;
//! use simcse_lab::protocol::lab::Treatment;
//!
//! let rows = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
//! let transform = Transform::new(Treatment::Centred, &Moments::of(&rows, 3), &rows).unwrap();
//! assert_eq!(transform.apply(&[0.0, 0.0, 1.0]), transform.apply(&rows)[6..]);
//! ```

use crate::geometry::moments::Moments;
use crate::math::eigen::symmetric_eigen;
use crate::math::products::Panels;
use crate::protocol::lab::Treatment;

/// Rows that each direction of whitening is estimated from, at least, where nobody says how many
/// directions to keep.
const ROWS_A_DIRECTION: usize = 4;

/// Directions that must be left: along a single one, vectors of length 1 are 1 or -1.
const LEAST_DIRECTIONS: usize = 2;

/// Rows that are treated together.
const BLOCK_ROWS: usize = 64;

/// How few rows there may be.
pub fn least_rows(treatment: Treatment) -> usize {
    match treatment {
        Treatment::AsTheyAre => 0,
        // With two rows, centring makes them opposite whatever they were.
        Treatment::Centred | Treatment::AllButTheTop { .. } => 3,
        Treatment::Whitened { .. } => LEAST_DIRECTIONS * ROWS_A_DIRECTION,
    }
}

/// A treatment as it was fitted on the rows of a corpus.
#[derive(Debug, Clone, PartialEq)]
pub struct Transform {
    hidden: usize,
    change: Change,
}

#[derive(Debug, Clone, PartialEq)]
enum Change {
    Nothing,
    /// x - mu
    Centre {
        mean: Vec<f64>,
    },
    /// x - mu, less what it has along some directions.
    Remove {
        mean: Vec<f64>,
        /// `[hidden, directions]`, and the same `[directions, hidden]`.
        onto: Panels,
        back: Panels,
    },
    /// (x - mu) W, with W `[hidden, directions]`.
    Turn {
        mean: Vec<f64>,
        onto: Panels,
    },
}

impl Transform {
    /// The treatment fitted on unit rows `[n, hidden]`, whose moments those are. With mu the mean and
    /// U Lambda U^T the covariance of the rows:
    ///
    /// - centred: x - mu;
    /// - all-but-the-top: x - mu less its parts along the first D columns of U (Mu & Viswanath, ICLR
    ///   2018, Algorithm 1); D = 0 is centring. Two directions stay, however many are to go;
    /// - whitened: (x - mu) U Lambda^(-1/2), BERT-whitening (Su et al., arXiv 2103.15316, Algorithm
    ///   1). Of U the first `keep` columns, at least two; unless that is said, n / 4. Without that,
    ///   n <= hidden rows would always whiten to a perfect simplex, all cosines -1/(n - 1), whatever
    ///   they were: a covariance of so few rows describes nothing but those rows.
    ///
    /// Directions whose variance is rounding count as none. `None` with fewer rows than
    /// [`least_rows`], where all are equal, where they have fewer than two directions and the
    /// treatment is about directions, or where a value is not finite.
    pub fn new(treatment: Treatment, moments: &Moments, rows: &[f32]) -> Option<Self> {
        let hidden = moments.hidden();
        if treatment == Treatment::AsTheyAre {
            return Some(Self { hidden, change: Change::Nothing });
        }
        let count = moments.count();
        let centred = moments.centred();
        if count < least_rows(treatment) || moments.variation(&centred).is_none() {
            return None;
        }
        let mean = moments.mean();
        let change = match treatment {
            Treatment::AsTheyAre => Change::Nothing,
            Treatment::Centred | Treatment::AllButTheTop { directions: 0 } => {
                Change::Centre { mean }
            }
            Treatment::AllButTheTop { directions } => {
                let found = Principal::new(moments, &centred)?;
                let some = usize::from(directions).min(found.rank - LEAST_DIRECTIONS);
                let onto = found.directions(moments, rows, &mean, some);
                let at = |number: usize, place: usize| onto.get(place * some + number);
                let back = Panels::new(some, hidden, |n, j| at(n, j).copied().unwrap_or_default());
                Change::Remove { mean, back, onto: packed(&onto, hidden, some) }
            }
            Treatment::Whitened { keep } => {
                let found = Principal::new(moments, &centred)?;
                let keep = keep.map_or(count / ROWS_A_DIRECTION, usize::from);
                let kept = keep.clamp(LEAST_DIRECTIONS, found.rank);
                let mut onto = found.directions(moments, rows, &mean, kept);
                let scales =
                    found.singular_values.iter().map(|value| (count as f64).sqrt() / value);
                let scales: Vec<f64> = scales.take(kept).collect();
                for line in onto.chunks_exact_mut(kept) {
                    line.iter_mut().zip(&scales).for_each(|(value, scale)| *value *= scale);
                }
                Change::Turn { mean, onto: packed(&onto, hidden, kept) }
            }
        };
        Some(Self { hidden, change })
    }

    /// [`Transform::new`] on unit rows `[n, hidden]` alone.
    pub fn fit(treatment: Treatment, rows: &[f32], hidden: usize) -> Option<Self> {
        Self::new(treatment, &Moments::of(rows, hidden), rows)
    }

    /// Length of a treated row, which is no longer than a row was.
    pub fn width(&self) -> usize {
        match &self.change {
            Change::Turn { onto, .. } => onto.width(),
            Change::Nothing | Change::Centre { .. } | Change::Remove { .. } => self.hidden,
        }
    }

    /// The treatment of rows `[n, hidden]`, of the corpus or not: `[n, width]`, of length 1. A row
    /// that is the corpus's mean has no direction and becomes zeros.
    pub fn apply(&self, rows: &[f32]) -> Vec<f32> {
        let blocks = rows.chunks(BLOCK_ROWS * self.hidden.max(1));
        match &self.change {
            Change::Nothing => rows.to_vec(),
            Change::Centre { mean } => {
                let treat = |block| units(&self.less(block, mean), self.hidden);
                blocks.flat_map(treat).collect()
            }
            Change::Remove { mean, onto, back } => {
                let treat = |block| {
                    let mut centred = self.less(block, mean);
                    let parts = turned(&centred, self.hidden, onto);
                    let removed = turned(&parts, onto.width(), back);
                    centred.iter_mut().zip(removed).for_each(|(value, part)| *value -= part);
                    units(&centred, self.hidden)
                };
                blocks.flat_map(treat).collect()
            }
            Change::Turn { mean, onto } => {
                let treat = |block| {
                    units(&turned(&self.less(block, mean), self.hidden, onto), onto.width())
                };
                blocks.flat_map(treat).collect()
            }
        }
    }

    /// Rows less the mean.
    fn less(&self, rows: &[f32], mean: &[f64]) -> Vec<f64> {
        let lines = rows.chunks_exact(self.hidden.max(1));
        let less = |line: &[f32]| -> Vec<f64> {
            line.iter().zip(mean).map(|(value, mean)| f64::from(*value) - mean).collect()
        };
        lines.flat_map(less).collect()
    }
}

/// The principal directions of centred rows that are more than rounding.
struct Principal {
    /// Falling.
    singular_values: Vec<f64>,
    /// Eigenvectors of the Gram matrix, `[side, side]`.
    vectors: Vec<f64>,
    rank: usize,
}

impl Principal {
    /// `None` with fewer than two directions.
    fn new(moments: &Moments, centred: &[f64]) -> Option<Self> {
        let found = symmetric_eigen(centred, moments.side())?;
        let singular_values: Vec<f64> =
            found.values.iter().map(|value| value.max(0.0).sqrt()).collect();
        let least = moments.least_singular_value();
        let rank = singular_values.iter().take_while(|value| **value > least).count();
        (rank >= LEAST_DIRECTIONS).then_some(Self { singular_values, vectors: found.vectors, rank })
    }

    /// The first `some` directions, of unit length, side by side: `[hidden, some]`. From X^T X they
    /// are the eigenvectors; from X X^T with its eigenvectors v they are (X - mu)^T v / sigma.
    fn directions(&self, moments: &Moments, rows: &[f32], mean: &[f64], some: usize) -> Vec<f64> {
        let (side, hidden) = (moments.side(), moments.hidden());
        let vector = |number: usize, place: usize| {
            self.vectors.get(number * side + place).copied().unwrap_or_default()
        };
        if !moments.is_by_rows() {
            return (0..hidden).flat_map(|j| (0..some).map(move |n| vector(n, j))).collect();
        }
        let centred = Panels::new(side, hidden, |row, column| {
            let value = rows.get(row * hidden + column).copied().unwrap_or_default();
            f64::from(value) - mean.get(column).copied().unwrap_or_default()
        });
        let shares = Panels::new(side, some, |row, number| {
            let scale = self.singular_values.get(number).copied().unwrap_or(1.0);
            vector(number, row) / scale
        });
        centred.product(&shares)
    }
}

fn packed(matrix: &[f64], terms: usize, width: usize) -> Panels {
    Panels::new(terms, width, |term, column| {
        matrix.get(term * width + column).copied().unwrap_or_default()
    })
}

/// Rows `[n, hidden]` times a matrix `[hidden, width]`: `[n, width]`.
fn turned(rows: &[f64], hidden: usize, onto: &Panels) -> Vec<f64> {
    let count = rows.len().checked_div(hidden).unwrap_or(0);
    let across = Panels::new(hidden, count, |term, row| {
        rows.get(row * hidden + term).copied().unwrap_or_default()
    });
    across.product(onto)
}

/// The rows at length 1.
fn units(rows: &[f64], width: usize) -> Vec<f32> {
    let unit = |row: &[f64]| -> Vec<f32> {
        let length = row.iter().map(|value| value * value).sum::<f64>().sqrt();
        let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
        row.iter().map(|value| (value * scale) as f32).collect()
    };
    rows.chunks_exact(width.max(1)).flat_map(unit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::cosine::{grid, mean_cosine};
    use crate::geometry::uniformity::uniformity;
    use crate::math::rng::Rng;
    use crate::math::rows::{norm, normalise};

    const WHITENED: Treatment = Treatment::Whitened { keep: None };

    fn without(directions: u16) -> Treatment {
        Treatment::AllButTheTop { directions }
    }

    /// Unit rows in a cone: every row has much of the first direction, and the directions differ
    /// in how much they vary.
    fn cone(count: usize, hidden: usize) -> Vec<f32> {
        let mut rng = Rng::new(7);
        let mut value = |i: usize| {
            let noise = (rng.uniform() - 0.5) / (1.0 + (i % hidden) as f64);
            (noise + if i.is_multiple_of(hidden) { 1.0 } else { 0.0 }) as f32
        };
        let mut rows: Vec<f32> = (0..count * hidden).map(&mut value).collect();
        rows.chunks_exact_mut(hidden).for_each(normalise);
        rows
    }

    fn treated(treatment: Treatment, rows: &[f32], hidden: usize) -> (Vec<f32>, usize) {
        let transform = Transform::fit(treatment, rows, hidden).unwrap();
        (transform.apply(rows), transform.width())
    }

    fn dot(x: &[f64], y: &[f64]) -> f64 {
        x.iter().zip(y).map(|(x, y)| x * y).sum()
    }

    /// The rows less their mean, one by one.
    fn centred(rows: &[f32], hidden: usize) -> Vec<Vec<f64>> {
        let count = rows.len() / hidden;
        let mean = |j: usize| {
            rows.iter().skip(j).step_by(hidden).map(|value| f64::from(*value)).sum::<f64>()
                / count as f64
        };
        let means: Vec<f64> = (0..hidden).map(mean).collect();
        let less = |row: &[f32]| {
            row.iter().zip(&means).map(|(value, mean)| f64::from(*value) - mean).collect()
        };
        rows.chunks_exact(hidden).map(less).collect()
    }

    /// All cosines of some vectors.
    fn cosines(rows: &[Vec<f64>]) -> Vec<f64> {
        let cosine = |x: &[f64], y: &[f64]| dot(x, y) / (dot(x, x) * dot(y, y)).sqrt();
        rows.iter().flat_map(|x| rows.iter().map(move |y| cosine(x, y))).collect()
    }

    fn check_cosines(rows: &[f32], width: usize, expected: &[Vec<f64>]) {
        for (found, expected) in grid(rows, rows, width).iter().zip(cosines(expected)) {
            assert!((f64::from(*found) - expected).abs() < 1e-4, "{found} {expected}");
        }
    }

    #[test]
    fn as_they_are_nothing_changes() {
        let rows = cone(9, 4);
        assert_eq!(treated(Treatment::AsTheyAre, &rows, 4), (rows, 4));
    }

    #[test]
    fn centred_rows_are_those_less_their_mean() {
        for (count, hidden) in [(30, 4), (3, 9), (70, 9)] {
            let rows = cone(count, hidden);
            let (found, width) = treated(Treatment::Centred, &rows, hidden);
            assert_eq!(width, hidden);
            check_cosines(&found, width, &centred(&rows, hidden));
            assert_eq!(treated(without(0), &rows, hidden).0, found);
        }
    }

    /// The directions are found here by iterating with the covariance.
    #[test]
    fn all_but_the_top_has_nothing_left_of_the_first_directions() {
        for (count, hidden, directions) in [(80, 6, 1), (80, 6, 3), (12, 20, 2)] {
            let rows = cone(count, hidden);
            let mut expected = centred(&rows, hidden);
            for _ in 0..directions {
                let mut axis = expected[0].clone();
                for _ in 0..4_000 {
                    let parts: Vec<f64> = expected.iter().map(|row| dot(row, &axis)).collect();
                    let along = |j: usize| expected.iter().zip(&parts).map(|(x, p)| x[j] * p).sum();
                    axis = (0..hidden).map(along).collect();
                    let length = dot(&axis, &axis).sqrt();
                    axis.iter_mut().for_each(|value| *value /= length);
                }
                for row in &mut expected {
                    let part = dot(row, &axis);
                    row.iter_mut().zip(&axis).for_each(|(value, axis)| *value -= part * axis);
                }
            }
            let (found, width) = treated(without(directions), &rows, hidden);
            check_cosines(&found, width, &expected);
        }
    }

    #[test]
    fn two_directions_stay_however_many_are_to_go() {
        let rows = cone(20, 5);
        let (found, width) = treated(without(u16::MAX), &rows, 5);
        assert_eq!((found.clone(), width), treated(without(3), &rows, 5));
        assert_ne!(found, treated(without(2), &rows, 5).0);
        assert!(found.chunks_exact(5).all(|row| (norm(row) - 1.0).abs() < 1e-6));
    }

    #[test]
    fn whitened_a_cone_becomes_round() {
        for (count, hidden) in [(400, 12), (40, 64)] {
            let rows = cone(count, hidden);
            let (white, directions) = treated(WHITENED, &rows, hidden);
            assert_eq!(directions, hidden.min(count / 4));
            assert!(mean_cosine(&rows, hidden).unwrap() > 0.8);
            assert!(mean_cosine(&white, directions).unwrap().abs() < 0.03);
            assert!(uniformity(&white, directions).unwrap() < -3.0);
        }
    }

    /// Before unit length, whitened rows have mean 0 and the identity as covariance; the direction
    /// of each row is what is left of that. Checked against a Cholesky factor, which whitens up to
    /// a rotation: cosines are the same.
    #[test]
    fn whitened_cosines_equal_those_of_a_cholesky_whitening() {
        let (count, hidden) = (60, 5);
        let rows = cone(count, hidden);
        let centred = centred(&rows, hidden);
        let covariance = |i: usize, j: usize| -> f64 {
            centred.iter().map(|row| row[i] * row[j]).sum::<f64>() / count as f64
        };
        let mut factor = vec![vec![0.0; hidden]; hidden];
        for i in 0..hidden {
            for j in 0..=i {
                let rest: f64 = covariance(i, j) - dot(&factor[i][..j], &factor[j][..j]);
                factor[i][j] = if i == j { rest.sqrt() } else { rest / factor[j][j] };
            }
        }
        let solved = |row: &Vec<f64>| {
            let mut solved: Vec<f64> = Vec::new();
            for i in 0..hidden {
                solved.push((row[i] - dot(&factor[i][..i], &solved)) / factor[i][i]);
            }
            solved
        };
        let (white, directions) = treated(WHITENED, &rows, hidden);
        assert_eq!(directions, hidden);
        check_cosines(&white, directions, &centred.iter().map(solved).collect::<Vec<_>>());
    }

    #[test]
    fn so_many_directions_are_kept_as_are_asked_for_and_there() {
        let rows = cone(40, 12);
        let kept = |keep| treated(Treatment::Whitened { keep: Some(keep) }, &rows, 12);
        for (keep, expected) in [(0, 2), (1, 2), (3, 3), (12, 12), (99, 12)] {
            assert_eq!(kept(keep).1, expected);
        }
        // The first ones, whatever more is kept.
        let (few, many) = (kept(3).0, kept(12).0);
        for (few, many) in few.chunks_exact(3).zip(many.chunks_exact(12)) {
            let length = norm(&many[..3]) as f32;
            assert!(few.iter().zip(many).all(|(a, b)| (a - b / length).abs() < 1e-5));
        }
        // Nine rows less their mean have eight directions; those of two alone have two.
        let fewer = Treatment::Whitened { keep: Some(99) };
        assert_eq!(treated(fewer, &cone(9, 20), 20).1, 8);
        let flat: Vec<f32> = cone(40, 2).chunks(2).flat_map(|row| [row[0], 0.0, row[1]]).collect();
        assert_eq!(treated(fewer, &flat, 3).1, 2);
    }

    #[test]
    fn what_cannot_be_treated_is_not() {
        let all = [WHITENED, Treatment::Centred, without(1)];
        assert_eq!(Transform::fit(WHITENED, &cone(7, 20), 20), None);
        for treatment in all {
            assert!(Transform::fit(treatment, &cone(8, 20), 20).is_some());
            assert_eq!(Transform::fit(treatment, &cone(2, 20), 20), None);
            assert_eq!(Transform::fit(treatment, &[0.5; 400], 10), None);
            assert_eq!(Transform::fit(treatment, &[f32::NAN; 400], 10), None);
            assert_eq!(Transform::fit(treatment, &[], 0), None);
        }
    }

    proptest::proptest! {
        #[test]
        fn a_row_is_treated_alike_alone_and_in_a_corpus_of_few_or_many(
            count in 8_usize..90,
            hidden in 2_usize..30,
            number in 0_usize..6,
        ) {
            let keep = Some(2);
            let treatment = [
                Treatment::Centred, without(1), without(2), WHITENED, Treatment::Whitened { keep },
                Treatment::AsTheyAre,
            ][number];
            let rows = cone(count, hidden);
            let transform = Transform::fit(treatment, &rows, hidden).unwrap();
            let (all, width) = (transform.apply(&rows), transform.width());
            proptest::prop_assert_eq!(all.len(), count * width);
            for (row, expected) in rows.chunks_exact(hidden).zip(all.chunks_exact(width)) {
                proptest::prop_assert_eq!(transform.apply(row), expected);
                proptest::prop_assert!((norm(expected) - 1.0).abs() < 1e-5);
            }
            // More dimensions than rows, through the other Gram matrix: zeros change nothing.
            let pad = |row: &[f32]| [row, &[0.0; 100]].concat();
            let padded: Vec<f32> = rows.chunks_exact(hidden).flat_map(pad).collect();
            let (wide, wide_width) = treated(treatment, &padded, hidden + 100);
            let (found, expected) = (grid(&wide, &wide, wide_width), grid(&all, &all, width));
            for (found, expected) in found.iter().zip(expected) {
                proptest::prop_assert!((found - expected).abs() < 1e-3, "{} {}", found, expected);
            }
        }
    }
}
