//! Eigenvalues of symmetric matrices, and the Gram matrices they are wanted of.

use nalgebra::{DMatrix, SymmetricEigen};

/// Give up after so many sweeps a row; two or three are usual.
const SWEEPS: usize = 64;

/// Eigenvalues and eigenvectors of a symmetric matrix, the largest eigenvalue first.
#[derive(Debug, Clone, PartialEq)]
pub struct Eigen {
    /// `[n]`, falling.
    pub values: Vec<f64>,
    /// `[n, n]`: row k is the unit eigenvector of value k. Its sign is whatever the solver found.
    pub vectors: Vec<f64>,
}

/// Eigenvalues and eigenvectors of the symmetric `matrix` `[n, n]`, of which the lower triangle is
/// read. `None` where it is not square, has a number that is not finite, or no answer is found.
///
/// nalgebra's `SymmetricEigen`: Householder's tridiagonal form, then implicit QR steps (Golub & Van
/// Loan, Matrix Computations, 4th ed., 8.3). About 9 n^3 operations; 384 rows take some 50 ms in a
/// browser.
pub fn symmetric_eigen(matrix: &[f64], n: usize) -> Option<Eigen> {
    if matrix.len() != n.checked_mul(n)? || !matrix.iter().all(|value| value.is_finite()) {
        return None;
    }
    if n == 0 {
        return Some(Eigen { values: Vec::new(), vectors: Vec::new() });
    }
    let matrix = DMatrix::from_row_slice(n, n, matrix);
    let found = SymmetricEigen::try_new(matrix, f64::EPSILON, SWEEPS.saturating_mul(n))?;
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|a, b| found.eigenvalues[*b].total_cmp(&found.eigenvalues[*a]));
    let values = order.iter().map(|k| found.eigenvalues[*k]).collect();
    // Column-major: an eigenvector's numbers lie side by side.
    let columns = found.eigenvectors.as_slice();
    let vectors = order.iter().flat_map(|k| &columns[k * n..][..n]).copied().collect();
    Some(Eigen { values, vectors })
}

/// X X^T of rows X `[n, width]`: `[n, n]`.
pub fn gram_of_rows(rows: &[f64], width: usize) -> Vec<f64> {
    let rows = matrix(rows, width);
    // The product is symmetric, so that column-major is row-major.
    (&rows * rows.transpose()).as_slice().to_vec()
}

/// X^T X of rows X `[n, width]`: `[width, width]`.
pub fn gram_of_columns(rows: &[f64], width: usize) -> Vec<f64> {
    let rows = matrix(rows, width);
    rows.tr_mul(&rows).as_slice().to_vec()
}

fn matrix(rows: &[f64], width: usize) -> DMatrix<f64> {
    let count = rows.len().checked_div(width).unwrap_or(0);
    DMatrix::from_row_slice(count, width, rows.get(..count * width).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(count: usize) -> Vec<f64> {
        (0..count).map(|i| ((i * i) as f64 * 0.37).sin()).collect()
    }

    #[test]
    fn both_gram_matrices_equal_their_sums() {
        let (count, width) = (5, 3);
        let rows = wave(count * width);
        let (left, right) = (gram_of_rows(&rows, width), gram_of_columns(&rows, width));
        for i in 0..count {
            for j in 0..count {
                let sum: f64 = (0..width).map(|k| rows[i * width + k] * rows[j * width + k]).sum();
                assert!((left[i * count + j] - sum).abs() < 1e-12);
            }
        }
        for i in 0..width {
            for j in 0..width {
                let sum: f64 = (0..count).map(|k| rows[k * width + i] * rows[k * width + j]).sum();
                assert!((right[i * width + j] - sum).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn eigenvectors_solve_their_equation_and_are_perpendicular() {
        for n in [1, 2, 7, 40] {
            let matrix = gram_of_rows(&wave(n * 12), 12);
            let Eigen { values, vectors } = symmetric_eigen(&matrix, n).unwrap();
            assert!(values.is_sorted_by(|a, b| a >= b));
            for k in 0..n {
                let vector = &vectors[k * n..][..n];
                for i in 0..n {
                    let sum: f64 = (0..n).map(|j| matrix[i * n + j] * vector[j]).sum();
                    assert!((sum - values[k] * vector[i]).abs() < 1e-9, "{n} {k} {i}");
                }
                for other in 0..n {
                    let dot: f64 =
                        vector.iter().zip(&vectors[other * n..]).map(|(a, b)| a * b).sum();
                    let expected = if other == k { 1.0 } else { 0.0 };
                    assert!((dot - expected).abs() < 1e-9, "{n} {k} {other}");
                }
            }
        }
    }

    #[test]
    fn known_values() {
        // [[2, 1], [1, 2]]: 3 along (1, 1), 1 along (1, -1).
        let found = symmetric_eigen(&[2.0, 1.0, 1.0, 2.0], 2).unwrap();
        assert!((found.values[0] - 3.0).abs() < 1e-12 && (found.values[1] - 1.0).abs() < 1e-12);
        assert!((found.vectors[0] - found.vectors[1]).abs() < 1e-12);
    }

    #[test]
    fn what_is_no_matrix_has_no_eigenvalues() {
        assert_eq!(symmetric_eigen(&[1.0, 2.0], 2), None);
        assert_eq!(symmetric_eigen(&[f64::NAN], 1), None);
        assert_eq!(symmetric_eigen(&[1.0; 4], usize::MAX), None);
        assert!(symmetric_eigen(&[], 0).unwrap().values.is_empty());
    }
}
