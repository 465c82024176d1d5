//! Singular values of a matrix of vectors, and coordinates on its first axes.

use crate::geometry::moments::Moments;
use crate::math::eigen::{largest_eigenvalue, symmetric_eigen};

/// Singular values below this share of the largest are rounding.
const SMALLEST: f64 = 1e-7;

/// The singular value decomposition X = U S V^T, as far as it is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Axes {
    /// All singular values, `[min(n, hidden)]`, falling.
    pub singular_values: Vec<f64>,
    /// `[n, kept]`, row-major: X V, the rows' coordinates on the first right singular vectors. The
    /// sum of each column's cubes is not negative, which settles its sign. Columns of singular
    /// values that are zero are zero.
    pub coordinates: Vec<f64>,
    pub kept: usize,
}

/// Singular values of the rows X `[n, hidden]`, not centred, and coordinates on at most `keep`
/// right singular vectors; `moments` are theirs. `None` where a value is not finite.
///
/// From the eigenvalues of the smaller of X X^T (whose eigenvectors U give X V = U S) and X^T X
/// (whose eigenvectors are V): exact, but singular values below 1e-7 of the largest are lost.
pub fn axes(rows: &[f32], moments: &Moments, keep: usize) -> Option<Axes> {
    let (count, hidden, side) = (moments.count(), moments.hidden(), moments.side());
    let kept = keep.min(side);
    let found = symmetric_eigen(moments.gram(), side)?;
    let singular_values: Vec<f64> =
        found.values.iter().map(|value| value.max(0.0).sqrt()).collect();
    let least = singular_values.first().map_or(0.0, |largest| largest * SMALLEST);
    let mut coordinates = vec![0.0; count * kept];
    let vectors = found.vectors.chunks_exact(side.max(1));
    for (axis, (&value, vector)) in singular_values.iter().zip(vectors).enumerate().take(kept) {
        if value <= least {
            continue;
        }
        let mut column: Vec<f64> = if moments.is_by_rows() {
            vector.iter().map(|share| share * value).collect()
        } else {
            rows.chunks_exact(hidden.max(1)).map(|row| product(row, vector)).collect()
        };
        if column.iter().map(|value| value * value * value).sum::<f64>() < 0.0 {
            column.iter_mut().for_each(|value| *value = -*value);
        }
        for (place, value) in coordinates.iter_mut().skip(axis).step_by(kept).zip(column) {
            *place = value;
        }
    }
    Some(Axes { singular_values, coordinates, kept })
}

/// The first `count` singular values divided by the largest (SimCSE, arXiv 2104.08821, Fig. F.1).
pub fn relative(singular_values: &[f64], count: usize) -> Vec<f32> {
    let largest = singular_values.first().copied().unwrap_or(0.0);
    let scale = if largest > 0.0 { 1.0 / largest } else { 0.0 };
    singular_values.iter().take(count).map(|value| (value * scale) as f32).collect()
}

/// Share of the squared length of all rows that the first `count` axes hold, 0 to 1.
pub fn share(singular_values: &[f64], count: usize) -> f64 {
    let squares = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>();
    let whole = squares(singular_values);
    let first = squares(&singular_values[..count.min(singular_values.len())]);
    if whole > 0.0 { first / whole } else { 0.0 }
}

/// Effective rank, 1 to the number of values: exp of the entropy of the singular values divided by
/// their sum (Roy & Vetterli, EUSIPCO 2007). 0 where all are zero.
pub fn effective_rank(singular_values: &[f64]) -> f64 {
    let sum: f64 = singular_values.iter().sum();
    if sum <= 0.0 {
        return 0.0;
    }
    let shares = singular_values.iter().map(|value| value / sum).filter(|share| *share > 0.0);
    (-shares.map(|share| share * share.ln()).sum::<f64>()).exp()
}

/// Share of the centred rows' squared length that their first principal direction holds, 0 to 1;
/// `centred` is [`Moments::centred`]. `None` where the rows are equal, or a value is not finite.
pub fn top_share(moments: &Moments, centred: &[f64]) -> Option<f64> {
    let variation = moments.variation(centred)?;
    Some((largest_eigenvalue(centred, moments.side())? / variation).clamp(0.0, 1.0))
}

/// Dot product, summed in four lanes.
fn product(left: &[f32], right: &[f64]) -> f64 {
    let (left, left_rest) = left.as_chunks::<4>();
    let (right, right_rest) = right.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for (left, right) in left.iter().zip(right) {
        for ((sum, left), right) in sums.iter_mut().zip(left).zip(right) {
            *sum += f64::from(*left) * right;
        }
    }
    let rest = left_rest.iter().zip(right_rest).map(|(left, right)| f64::from(*left) * right);
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest.sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(count: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * i) as f32 * 0.21).sin() + 0.3).collect()
    }

    fn axes_of(rows: &[f32], hidden: usize, keep: usize) -> Option<Axes> {
        axes(rows, &Moments::of(rows, hidden), keep)
    }

    fn plain(left: &[f64], right: &[f64]) -> f64 {
        left.iter().zip(right).map(|(left, right)| left * right).sum()
    }

    /// Hestenes's one-sided Jacobi rotations: slow, and so simple that it is unlikely to be wrong.
    /// Singular values and X V, column by column.
    fn jacobi(rows: &[f32], hidden: usize) -> Vec<(f64, Vec<f64>)> {
        let count = rows.len() / hidden;
        let mut columns: Vec<Vec<f64>> = (0..hidden)
            .map(|j| (0..count).map(|i| f64::from(rows[i * hidden + j])).collect())
            .collect();
        for _ in 0..60 {
            for p in 0..hidden {
                for q in p + 1..hidden {
                    let (x, y) = (&columns[p], &columns[q]);
                    let (a, b, c) = (plain(x, x), plain(y, y), plain(x, y));
                    if c.abs() < 1e-300 {
                        continue;
                    }
                    let angle = 0.5 * (2.0 * c).atan2(a - b);
                    let (sin, cos) = angle.sin_cos();
                    let (left, right) = columns.split_at_mut(q);
                    for (x, y) in left[p].iter_mut().zip(&mut right[0]) {
                        (*x, *y) = (cos * *x + sin * *y, cos * *y - sin * *x);
                    }
                }
            }
        }
        let mut found: Vec<_> =
            columns.into_iter().map(|column| (plain(&column, &column).sqrt(), column)).collect();
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        found
    }

    #[test]
    fn values_and_coordinates_equal_those_of_jacobi_rotations() {
        for (count, hidden) in [(4, 9), (9, 9), (30, 6), (12, 1), (1, 5)] {
            let rows = wave(count * hidden);
            let expected = jacobi(&rows, hidden);
            let found = axes_of(&rows, hidden, 3).unwrap();
            assert_eq!(found.singular_values.len(), count.min(hidden));
            for (axis, value) in found.singular_values.iter().enumerate() {
                assert!((value - expected[axis].0).abs() < 1e-6, "{count} {hidden} {axis}");
            }
            for axis in 0..found.kept {
                let column: Vec<f64> =
                    found.coordinates.iter().skip(axis).step_by(found.kept).copied().collect();
                assert!(column.iter().map(|value| value.powi(3)).sum::<f64>() >= 0.0);
                let sign = plain(&column, &expected[axis].1).signum();
                for (found, expected) in column.iter().zip(&expected[axis].1) {
                    assert!((found - sign * expected).abs() < 1e-6, "{count} {hidden} {axis}");
                }
            }
        }
    }

    #[test]
    fn the_axes_that_are_not_there_are_zero() {
        // Rank 1: only the first axis has anything.
        let found = axes_of(&[3.0, 4.0, 0.0, 6.0, 8.0, 0.0], 3, 2).unwrap();
        assert!((found.singular_values[0] - 125.0_f64.sqrt()).abs() < 1e-12);
        assert_eq!([found.coordinates[1], found.coordinates[3]], [0.0, 0.0]);
        assert!((found.coordinates[0] - 5.0).abs() < 1e-9);
        assert_eq!(axes_of(&[f32::INFINITY, 0.0], 2, 1), None);
        assert!(axes_of(&[], 0, 3).unwrap().singular_values.is_empty());
    }

    #[test]
    fn the_first_principal_direction_has_its_share() {
        // Along (1, 0) the variance is 4, along (0, 1) it is 1, around (5, 5).
        let rows = [7.0, 5.0, 3.0, 5.0, 5.0, 6.0, 5.0, 4.0];
        let share = |rows: &[f32], hidden| {
            let moments = Moments::of(rows, hidden);
            top_share(&moments, &moments.centred())
        };
        assert!((share(&rows, 2).unwrap() - 0.8).abs() < 1e-12);
        // Few rows of many dimensions, through X X^T: the same with zeros behind.
        let wide: Vec<f32> = rows.chunks(2).flat_map(|row| [row[0], row[1], 0., 0., 0.]).collect();
        assert!((share(&wide, 5).unwrap() - 0.8).abs() < 1e-12);
        assert_eq!(share(&[0.5; 12], 3), None);
        assert_eq!(share(&[], 3), None);
    }

    #[test]
    fn relative_values_share_and_effective_rank() {
        assert_eq!(relative(&[4.0, 2.0, 1.0], 2), [1.0, 0.5]);
        assert_eq!(relative(&[0.0], 2), [0.0]);
        assert!((share(&[2.0, 1.0, 1.0], 1) - 4.0 / 6.0).abs() < 1e-12);
        assert_eq!(share(&[], 3), 0.0);
        // k equal values have effective rank k; one alone has 1.
        assert!((effective_rank(&[0.7; 6]) - 6.0).abs() < 1e-9);
        assert!((effective_rank(&[5.0, 0.0]) - 1.0).abs() < 1e-12);
        assert_eq!(effective_rank(&[0.0]), 0.0);
        // exp(-(3/4 ln 3/4 + 1/4 ln 1/4))
        assert!((effective_rank(&[3.0, 1.0]) - 1.754_765).abs() < 1e-6);
    }

    proptest::proptest! {
        #[test]
        fn squared_values_add_up_to_the_squared_length(
            values in proptest::collection::vec(-1.0_f32..1.0, 1..120),
            hidden in 1_usize..12,
        ) {
            let rows = &values[..values.len() / hidden * hidden];
            let found = axes_of(rows, hidden, hidden).unwrap();
            let whole: f64 = rows.iter().map(|value| f64::from(*value).powi(2)).sum();
            let squares: f64 = found.singular_values.iter().map(|value| value * value).sum();
            proptest::prop_assert!((whole - squares).abs() < 1e-9);
            let coordinates: f64 = found.coordinates.iter().map(|value| value * value).sum();
            proptest::prop_assert!((whole - coordinates).abs() < 1e-9);
        }
    }
}
