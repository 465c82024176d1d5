//! Arithmetic on rows of `f32`.
//!
//! A matrix is a slice `[rows, hidden]`, row-major. The inner loops keep several accumulators of
//! [`LANES`] values, so that they compile to SIMD without reordering anybody's sums: the order of
//! additions is fixed, and the same on every machine.

/// Values in one SIMD accumulator: a wasm `v128` of `f32`.
pub const LANES: usize = 4;

/// Dot products of `A` rows with `B` rows, all of one length.
///
/// A tile loads every value once for several products; longer rows are cut to the shortest.
#[inline(always)]
pub fn dot_tile<const A: usize, const B: usize>(
    left: [&[f32]; A],
    right: [&[f32]; B],
) -> [[f32; B]; A] {
    let length = left.iter().chain(&right).map(|row| row.len()).min().unwrap_or(0);
    let left = left.map(|row| row[..length].as_chunks::<LANES>());
    let right = right.map(|row| row[..length].as_chunks::<LANES>());
    let chunks = length / LANES;
    let sums = lane_sums(
        left.map(|(chunked, _)| &chunked[..chunks]),
        right.map(|(chunked, _)| &chunked[..chunks]),
    );
    let mut dots = [[0.0; B]; A];
    for ((dots, sums), (_, left)) in dots.iter_mut().zip(sums).zip(left) {
        for ((dot, sum), (_, right)) in dots.iter_mut().zip(sums).zip(right) {
            let rest: f32 = left.iter().zip(right).map(|(left, right)| left * right).sum();
            *dot = (sum[0] + sum[1]) + (sum[2] + sum[3]) + rest;
        }
    }
    dots
}

/// Sums of products, a lane each, of chunks that are as many in every row.
///
/// Never inlined: beside what is done with the sums, the compiler mixes the lanes of several sums in
/// one register, and a tile takes three to four times as long (x86-64 and wasm, rustc 1.95).
#[inline(never)]
fn lane_sums<const A: usize, const B: usize>(
    left: [&[[f32; LANES]]; A],
    right: [&[[f32; LANES]]; B],
) -> [[[f32; LANES]; B]; A] {
    let mut sums = [[[0.0; LANES]; B]; A];
    let chunks = left.iter().chain(&right).map(|row| row.len()).min().unwrap_or(0);
    let (left, right) = (left.map(|row| &row[..chunks]), right.map(|row| &row[..chunks]));
    for chunk in 0..chunks {
        let (left, right) = (left.map(|row| row[chunk]), right.map(|row| row[chunk]));
        for (sums, left) in sums.iter_mut().zip(&left) {
            for (sum, right) in sums.iter_mut().zip(&right) {
                for lane in 0..LANES {
                    sum[lane] += left[lane] * right[lane];
                }
            }
        }
    }
    sums
}

/// Dot product; a longer row is cut to the shorter.
pub fn dot(left: &[f32], right: &[f32]) -> f32 {
    let length = left.len().min(right.len());
    let (left, left_rest) = left[..length].as_chunks::<16>();
    let (right, right_rest) = right[..length].as_chunks::<16>();
    let mut sums = [0.0; 16];
    for (left, right) in left.iter().zip(right) {
        for lane in 0..16 {
            sums[lane] += left[lane] * right[lane];
        }
    }
    let rest: f32 = left_rest.iter().zip(right_rest).map(|(left, right)| left * right).sum();
    sums.iter().sum::<f32>() + rest
}

/// Euclidean length, summed in `f64`.
pub fn norm(row: &[f32]) -> f64 {
    row.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt()
}

/// Divides the row by its Euclidean length. A row of zeros stays as it is.
pub fn normalise(row: &mut [f32]) {
    let length = norm(row);
    if length > 0.0 {
        let scale = 1.0 / length;
        for value in row {
            *value = (f64::from(*value) * scale) as f32;
        }
    }
}

/// Squared Euclidean distance, summed in `f64`.
pub fn squared_distance(left: &[f32], right: &[f32]) -> f64 {
    left.iter().zip(right).map(|(left, right)| (f64::from(*left) - f64::from(*right)).powi(2)).sum()
}

/// The row of that number, or nothing where the matrix is shorter.
pub fn row(matrix: &[f32], hidden: usize, row: usize) -> &[f32] {
    let start = row.saturating_mul(hidden);
    matrix.get(start..start.saturating_add(hidden)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So simple that it is unlikely to be wrong.
    fn naive(left: &[f32], right: &[f32]) -> f64 {
        left.iter().zip(right).map(|(left, right)| f64::from(*left) * f64::from(*right)).sum()
    }

    fn waves(rows: usize, hidden: usize) -> Vec<f32> {
        (0..rows * hidden).map(|i| ((i * i % 97) as f32 * 0.11).sin()).collect()
    }

    #[test]
    fn dots_equal_the_naive_sum_at_every_length() {
        for length in [0, 1, 3, 4, 15, 16, 17, 31, 384] {
            let matrix = waves(6, length);
            let rows: Vec<_> = (0..6).map(|i| row(&matrix, length, i)).collect();
            let tile = dot_tile([rows[0], rows[1]], [rows[2], rows[3], rows[4], rows[5]]);
            for (i, dots) in tile.iter().enumerate() {
                for (j, found) in dots.iter().enumerate() {
                    let expected = naive(rows[i], rows[2 + j]);
                    assert!((f64::from(*found) - expected).abs() < 1e-4, "{length} {i} {j}");
                }
            }
            assert!((f64::from(dot(rows[0], rows[5])) - naive(rows[0], rows[5])).abs() < 1e-4);
        }
    }

    #[test]
    fn normalised_rows_have_length_one_and_zeros_stay() {
        let mut row = vec![3.0, 0.0, -4.0];
        normalise(&mut row);
        assert_eq!(row, [0.6, 0.0, -0.8]);
        let mut zeros = vec![0.0; 5];
        normalise(&mut zeros);
        assert_eq!(zeros, [0.0; 5]);
        let mut huge = vec![1e30, 1e30];
        normalise(&mut huge);
        assert!((norm(&huge) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn distance_of_perpendicular_units_is_two() {
        assert_eq!(squared_distance(&[1.0, 0.0], &[0.0, 1.0]), 2.0);
    }

    #[test]
    fn a_row_that_is_not_there_is_empty() {
        assert_eq!(row(&[1.0, 2.0, 3.0, 4.0], 2, 1), [3.0, 4.0]);
        assert!(row(&[1.0, 2.0, 3.0, 4.0], 2, 2).is_empty());
        assert!(row(&[1.0], usize::MAX, usize::MAX).is_empty());
    }
}
