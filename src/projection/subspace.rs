//! The first two eigenvectors of a large symmetric matrix.

use crate::math::rng::Rng;

/// Vectors that are iterated together; more than are wanted, so that the wanted ones settle soon.
const WIDTH: usize = 8;

/// Give up after so many rounds: what is left then is that the next values are nearly as large, and
/// no plane is much better than another.
const ROUNDS: usize = 400;

/// Multiplications that a step may take.
const PRODUCTS: usize = 1 << 22;

/// An error below this share of the largest eigenvalue is rounding.
const SETTLED: f64 = 1e-8;

/// The first two eigenvalues, falling, and their unit vectors side by side: `[n]` pairs.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    pub values: [f64; 2],
    pub vectors: Vec<[f64; 2]>,
}

/// Subspace iteration with Rayleigh and Ritz's projection (Golub & Van Loan, Matrix Computations,
/// 4th ed., 8.2.4 and 10.1) for a symmetric matrix without negative eigenvalues, in basic operations
/// and square roots only: the same on every machine.
#[derive(Debug, Clone)]
pub struct Subspace {
    /// `[n]` rows of an orthonormal basis; a vector may be zero.
    basis: Vec<[f64; WIDTH]>,
    image: Vec<[f64; WIDTH]>,
    rounds: usize,
}

impl Subspace {
    /// For a matrix `[n, n]`, from random vectors.
    pub fn new(n: usize, rng: &mut Rng) -> Self {
        let mut basis: Vec<[f64; WIDTH]> =
            (0..n).map(|_| std::array::from_fn(|_| rng.normal())).collect();
        orthonormalise(&mut basis);
        Self { basis, image: vec![[0.0; WIDTH]; n], rounds: 0 }
    }

    /// A few rounds with the matrix; the plane once it is settled.
    pub fn step(&mut self, matrix: &[f64]) -> Option<Plane> {
        let n = self.basis.len();
        let rounds = (PRODUCTS / (n * n * WIDTH).max(1)).max(1);
        for _ in 0..rounds {
            for (image, row) in self.image.iter_mut().zip(matrix.chunks_exact(n.max(1))) {
                *image = [0.0; WIDTH];
                for (value, basis) in row.iter().zip(&self.basis) {
                    for (sum, basis) in image.iter_mut().zip(basis) {
                        *sum += value * basis;
                    }
                }
            }
            self.rounds += 1;
            let (values, turn) = ritz(inner(&self.basis, &self.image));
            turn_all(&mut self.basis, &turn);
            turn_all(&mut self.image, &turn);
            if self.rounds >= ROUNDS || self.is_settled(&values) {
                let vectors = self.basis.iter().map(|row| [row[0], row[1]]).collect();
                return Some(Plane { values: [values[0].max(0.0), values[1].max(0.0)], vectors });
            }
            self.basis.copy_from_slice(&self.image);
            orthonormalise(&mut self.basis);
        }
        None
    }

    /// Whether C v = lambda v for the first two, and nothing is left to gain.
    fn is_settled(&self, values: &[f64; WIDTH]) -> bool {
        let mut errors = [0.0; 2];
        for (basis, image) in self.basis.iter().zip(&self.image) {
            for axis in 0..2 {
                errors[axis] += (image[axis] - values[axis] * basis[axis]).powi(2);
            }
        }
        errors.iter().all(|error| error.sqrt() <= SETTLED * values[0].abs())
    }
}

/// Gram and Schmidt, each vector twice. What depends on the vectors before it becomes zero.
fn orthonormalise(basis: &mut [[f64; WIDTH]]) {
    for k in 0..WIDTH {
        let before = basis.iter().map(|row| row[k] * row[k]).sum::<f64>().sqrt();
        for _ in 0..2 {
            for other in 0..k {
                let shared: f64 = basis.iter().map(|row| row[k] * row[other]).sum();
                basis.iter_mut().for_each(|row| row[k] -= shared * row[other]);
            }
        }
        let length = basis.iter().map(|row| row[k] * row[k]).sum::<f64>().sqrt();
        let scale = if length > 1e-12 * before { 1.0 / length } else { 0.0 };
        let scale = if scale.is_finite() { scale } else { 0.0 };
        basis.iter_mut().for_each(|row| row[k] *= scale);
    }
}

type Small = [[f64; WIDTH]; WIDTH];

fn inner(left: &[[f64; WIDTH]], right: &[[f64; WIDTH]]) -> Small {
    let mut sums = [[0.0; WIDTH]; WIDTH];
    for (left, right) in left.iter().zip(right) {
        for (sums, left) in sums.iter_mut().zip(left) {
            for (sum, right) in sums.iter_mut().zip(right) {
                *sum += left * right;
            }
        }
    }
    sums
}

/// Eigenvalues, falling, and eigenvectors as columns, by Jacobi's rotations.
fn ritz(mut matrix: Small) -> ([f64; WIDTH], Small) {
    const SWEEPS: usize = 12;
    let mut vectors: Small =
        std::array::from_fn(|i| std::array::from_fn(|j| if i == j { 1.0 } else { 0.0 }));
    for _ in 0..SWEEPS {
        for p in 0..WIDTH {
            for q in p + 1..WIDTH {
                rotate(&mut matrix, &mut vectors, p, q);
            }
        }
    }
    let mut order: [usize; WIDTH] = std::array::from_fn(|k| k);
    order.sort_by(|a, b| matrix[*b][*b].total_cmp(&matrix[*a][*a]));
    (order.map(|k| matrix[k][k]), vectors.map(|row| order.map(|k| row[k])))
}

/// Makes the element at p, q zero.
fn rotate(matrix: &mut Small, vectors: &mut Small, p: usize, q: usize) {
    let off = f64::midpoint(matrix[p][q], matrix[q][p]);
    if off == 0.0 || !off.is_finite() {
        return;
    }
    let ratio = (matrix[q][q] - matrix[p][p]) / (2.0 * off);
    let tangent = ratio.signum() / (ratio.abs() + (1.0 + ratio * ratio).sqrt());
    let cos = 1.0 / (1.0 + tangent * tangent).sqrt();
    let sin = tangent * cos;
    for row in matrix.iter_mut().chain(vectors) {
        (row[p], row[q]) = (cos * row[p] - sin * row[q], sin * row[p] + cos * row[q]);
    }
    let (above, below) = matrix.split_at_mut(q);
    for (x, y) in above[p].iter_mut().zip(&mut below[0]) {
        (*x, *y) = (cos * *x - sin * *y, sin * *x + cos * *y);
    }
}

fn turn_all(rows: &mut [[f64; WIDTH]], turn: &Small) {
    for row in rows {
        let old = *row;
        *row = [0.0; WIDTH];
        for (value, turn) in old.iter().zip(turn) {
            for (sum, turn) in row.iter_mut().zip(turn) {
                *sum += value * turn;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::eigen::symmetric_eigen;

    fn gram_of_rows(rows: &[f64], width: usize) -> Vec<f64> {
        let lines = rows.chunks_exact(width);
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum();
        lines.clone().flat_map(|a| lines.clone().map(move |b| dot(a, b))).collect()
    }

    fn plane(matrix: &[f64], n: usize) -> Plane {
        let mut subspace = Subspace::new(n, &mut Rng::new(3));
        loop {
            if let Some(plane) = subspace.step(matrix) {
                return plane;
            }
        }
    }

    #[test]
    fn it_finds_what_the_full_solver_finds() {
        for (n, width) in [(1, 4), (2, 4), (5, 5), (40, 60), (130, 12)] {
            let rows: Vec<f64> = (0..n * width).map(|i| ((i * i) as f64 * 0.37).sin()).collect();
            let matrix = gram_of_rows(&rows, width);
            let expected = symmetric_eigen(&matrix, n).unwrap();
            let found = plane(&matrix, n);
            for axis in 0..n.min(2) {
                let value = expected.values[axis];
                assert!((found.values[axis] - value).abs() < 1e-9 * expected.values[0], "{n}");
                let vector = &expected.vectors[axis * n..][..n];
                let dot: f64 = found.vectors.iter().zip(vector).map(|(v, e)| v[axis] * e).sum();
                assert!((dot.abs() - 1.0).abs() < 1e-6, "{n} {axis}: {dot}");
            }
        }
    }

    #[test]
    fn matrices_of_nothing_and_of_zeros_end() {
        assert!(plane(&[], 0).vectors.is_empty());
        assert_eq!(plane(&[0.0; 9], 3).values, [0.0; 2]);
        // All values equal: any plane will do.
        let identity: Vec<f64> = (0..900).map(|i| if i % 31 == 0 { 1.0 } else { 0.0 }).collect();
        let found = plane(&identity, 30);
        assert!(found.values.iter().all(|value| (value - 1.0).abs() < 1e-12));
    }
}
