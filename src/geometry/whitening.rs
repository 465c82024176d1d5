//! Whitening: vectors turned and stretched until no direction is longer than another.

use crate::geometry::spectrum::axes;
use crate::geometry::spectrum::widened;
use crate::math::rows::normalise;

/// Rows that each kept direction is estimated from, at least.
const ROWS_A_DIRECTION: usize = 4;

/// With fewer rows there are not two directions, and nothing to whiten.
pub const LEAST_ROWS: usize = 2 * ROWS_A_DIRECTION;

/// Whitened rows of unit length.
#[derive(Debug, Clone, PartialEq)]
pub struct Whitened {
    /// `[n, directions]`
    pub rows: Vec<f32>,
    pub directions: usize,
}

/// `(x - mu) U Lambda^(-1/2)` of rows `[n, hidden]`, then unit length: BERT-whitening (Su et al.,
/// arXiv 2103.15316, Algorithm 1), with mu the mean and U Lambda U^T the covariance of these rows.
/// `None` with fewer than [`LEAST_ROWS`], where all are equal, or where a value is not finite.
///
/// Only the first `n / 4` directions are kept (the paper's whitening-k), and none whose variance is
/// rounding. Without that, n <= hidden rows would always whiten to a perfect simplex, all cosines
/// -1/(n - 1), whatever they were: a covariance of so few rows describes nothing but those rows.
pub fn whitened(rows: &[f32], hidden: usize) -> Option<Whitened> {
    let count = rows.len().checked_div(hidden)?;
    let mut centred = widened(rows, hidden);
    centre(&mut centred, hidden);
    let found = axes(&centred, hidden, count / ROWS_A_DIRECTION)?;
    // (x - mu) U are the coordinates; Lambda is their variance, the squared singular value / n.
    let column_is_there =
        |axis: &usize| found.coordinates.iter().skip(*axis).step_by(found.kept).any(|v| *v != 0.0);
    let directions = (0..found.kept).take_while(column_is_there).count();
    if directions < 2 {
        return None;
    }
    let scales: Vec<f64> = found.singular_values[..directions]
        .iter()
        .map(|value| (count as f64).sqrt() / value)
        .collect();
    let mut rows: Vec<f32> = found
        .coordinates
        .chunks_exact(found.kept)
        .flat_map(|row| row.iter().zip(&scales).map(|(value, scale)| (value * scale) as f32))
        .collect();
    rows.chunks_exact_mut(directions).for_each(normalise);
    Some(Whitened { rows, directions })
}

fn centre(rows: &mut [f64], hidden: usize) {
    let count = rows.len() / hidden.max(1);
    let mut mean = vec![0.0; hidden];
    for row in rows.chunks_exact(hidden.max(1)) {
        for (mean, value) in mean.iter_mut().zip(row) {
            *mean += value / count as f64;
        }
    }
    for row in rows.chunks_exact_mut(hidden.max(1)) {
        for (value, mean) in row.iter_mut().zip(&mean) {
            *value -= mean;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::cosine::mean_cosine;
    use crate::geometry::uniformity::uniformity;

    /// Unit rows in a cone: every row has much of the first direction, and the directions differ
    /// in how much they vary.
    fn cone(count: usize, hidden: usize) -> Vec<f32> {
        let mut state = 7_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5
        };
        let mut rows: Vec<f32> = (0..count * hidden)
            .map(|i| next() / (1.0 + (i % hidden) as f32) + if i % hidden == 0 { 1.0 } else { 0.0 })
            .collect();
        rows.chunks_exact_mut(hidden).for_each(normalise);
        rows
    }

    #[test]
    fn a_cone_becomes_round() {
        for (count, hidden) in [(400, 12), (40, 64)] {
            let rows = cone(count, hidden);
            let Whitened { rows: white, directions } = whitened(&rows, hidden).unwrap();
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
    fn cosines_equal_those_of_a_cholesky_whitening() {
        let (count, hidden) = (60, 5);
        let rows = cone(count, hidden);
        let mut centred = widened(&rows, hidden);
        centre(&mut centred, hidden);
        let covariance = |i: usize, j: usize| -> f64 {
            centred.chunks_exact(hidden).map(|row| row[i] * row[j]).sum::<f64>() / count as f64
        };
        let mut factor = vec![vec![0.0; hidden]; hidden];
        for i in 0..hidden {
            for j in 0..=i {
                let sum: f64 = (0..j).map(|k| factor[i][k] * factor[j][k]).sum();
                let rest: f64 = covariance(i, j) - sum;
                factor[i][j] = if i == j { rest.sqrt() } else { rest / factor[j][j] };
            }
        }
        let solved: Vec<Vec<f64>> = centred
            .chunks_exact(hidden)
            .map(|row| {
                let mut solved: Vec<f64> = Vec::new();
                for i in 0..hidden {
                    let sum: f64 = (0..i).map(|k| factor[i][k] * solved[k]).sum();
                    solved.push((row[i] - sum) / factor[i][i]);
                }
                let length = solved.iter().map(|value| value * value).sum::<f64>().sqrt();
                solved.iter().map(|value| value / length).collect()
            })
            .collect();
        let white = whitened(&rows, hidden).unwrap();
        assert_eq!(white.directions, hidden);
        for i in 0..count {
            for j in 0..count {
                let expected: f64 = solved[i].iter().zip(&solved[j]).map(|(a, b)| a * b).sum();
                let (x, y) = (&white.rows[i * hidden..][..hidden], &white.rows[j * hidden..]);
                let found: f32 = x.iter().zip(y).map(|(a, b)| a * b).sum();
                assert!((f64::from(found) - expected).abs() < 1e-4, "{i} {j}");
            }
        }
    }

    #[test]
    fn what_cannot_be_whitened_is_not() {
        assert_eq!(whitened(&cone(7, 20), 20), None);
        assert_eq!(whitened(&[0.5; 400], 10), None);
        assert_eq!(whitened(&[f32::NAN; 400], 10), None);
        assert_eq!(whitened(&[], 0), None);
    }
}
