//! Eigenvalues of symmetric matrices.

use nalgebra::linalg::SymmetricTridiagonal;
use nalgebra::{DMatrix, SymmetricEigen};

/// Give up after so many sweeps a row; two or three are usual.
const SWEEPS: usize = 64;

/// Halvings of an interval after which nothing is left of it in `f64`.
const BISECTIONS: usize = 100;

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

/// The largest eigenvalue of the symmetric `matrix` `[n, n]`, of which the lower triangle is read.
/// `None` as for [`symmetric_eigen`], and where n is 0.
///
/// Householder's tridiagonal form T, then bisection: the pivots of T - x say how many eigenvalues lie
/// below x (Sturm's sequence; Golub & Van Loan, 8.4). A sixth of the work of [`symmetric_eigen`].
pub fn largest_eigenvalue(matrix: &[f64], n: usize) -> Option<f64> {
    if n == 0 || matrix.len() != n.checked_mul(n)? || !matrix.iter().all(|value| value.is_finite())
    {
        return None;
    }
    let form = SymmetricTridiagonal::new(DMatrix::from_row_slice(n, n, matrix));
    let (diagonal, beside) = form.unpack_tridiagonal();
    let (diagonal, beside) = (diagonal.as_slice(), beside.as_slice());
    // Gershgorin's discs hold all eigenvalues.
    let radius = |k: usize| {
        let before = k.checked_sub(1).and_then(|k| beside.get(k));
        before.into_iter().chain(beside.get(k)).map(|value| value.abs()).sum::<f64>()
    };
    let discs = || diagonal.iter().enumerate().map(|(k, middle)| (middle, radius(k)));
    let mut low = discs().fold(f64::INFINITY, |low, (middle, radius)| low.min(middle - radius));
    let mut high =
        discs().fold(f64::NEG_INFINITY, |high, (middle, radius)| high.max(middle + radius));
    for _ in 0..BISECTIONS {
        let middle = f64::midpoint(low, high);
        if below(diagonal, beside, middle) < n {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(f64::midpoint(low, high)).filter(|value| value.is_finite())
}

/// How many eigenvalues of a tridiagonal matrix lie below x.
fn below(diagonal: &[f64], beside: &[f64], x: f64) -> usize {
    let mut count = 0;
    let mut pivot = 1.0;
    let squares = std::iter::once(0.0).chain(beside.iter().map(|value| value * value));
    for (middle, square) in diagonal.iter().zip(squares) {
        pivot = middle - x - square / pivot;
        if pivot == 0.0 {
            pivot = f64::MIN_POSITIVE;
        }
        count += usize::from(pivot < 0.0);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(count: usize) -> Vec<f64> {
        (0..count).map(|i| ((i * i) as f64 * 0.37).sin()).collect()
    }

    /// X X^T of rows X `[n, width]`.
    fn gram(rows: &[f64], width: usize) -> Vec<f64> {
        let dot = |x: &[f64], y: &[f64]| -> f64 { x.iter().zip(y).map(|(x, y)| x * y).sum() };
        let lines = rows.chunks_exact(width);
        lines.flat_map(|x| rows.chunks_exact(width).map(move |y| dot(x, y))).collect()
    }

    #[test]
    fn eigenvectors_solve_their_equation_and_are_perpendicular() {
        for n in [1, 2, 7, 40] {
            let matrix = gram(&wave(n * 12), 12);
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
    fn the_largest_of_all_is_the_largest() {
        for n in [1, 2, 3, 9, 40] {
            let mut matrix = gram(&wave(n * 12), 12);
            for sign in [1.0, -1.0] {
                matrix.iter_mut().for_each(|value| *value *= sign);
                let all = symmetric_eigen(&matrix, n).unwrap();
                let found = largest_eigenvalue(&matrix, n).unwrap();
                assert!((found - all.values[0]).abs() < 1e-9, "{n}: {found} {}", all.values[0]);
            }
        }
        // Equal eigenvalues, and a matrix that is diagonal already.
        assert!((largest_eigenvalue(&[2.0, 0.0, 0.0, 2.0], 2).unwrap() - 2.0).abs() < 1e-12);
        assert_eq!(largest_eigenvalue(&[0.0; 9], 3), Some(0.0));
    }

    #[test]
    fn what_is_no_matrix_has_no_eigenvalues() {
        assert_eq!(symmetric_eigen(&[1.0, 2.0], 2), None);
        assert_eq!(symmetric_eigen(&[f64::NAN], 1), None);
        assert_eq!(symmetric_eigen(&[1.0; 4], usize::MAX), None);
        assert!(symmetric_eigen(&[], 0).unwrap().values.is_empty());
        assert_eq!(largest_eigenvalue(&[], 0), None);
        assert_eq!(largest_eigenvalue(&[1.0, f64::INFINITY, 2.0, 1.0], 2), None);
        assert_eq!(largest_eigenvalue(&[1.0, 2.0], 2), None);
    }
}
