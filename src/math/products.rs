//! Products of matrices in `f64`. The order of all additions is fixed, so that every machine and
//! browser finds the same bits, which a library that looks for the processor's best instructions
//! does not promise.

/// Columns in a panel, and rows and columns of the tile of sums that is kept in registers.
const SIDE: usize = 4;

/// A matrix `[terms, width]`, laid out for products: four columns side by side, the others below.
#[derive(Debug, Clone, PartialEq)]
pub struct Panels {
    terms: usize,
    width: usize,
    /// `[panels, terms]`; columns beyond the width are zero.
    values: Vec<[f64; SIDE]>,
}

impl Panels {
    /// The matrix of those values, each asked for once by its term and column.
    pub fn new(terms: usize, width: usize, value: impl Fn(usize, usize) -> f64) -> Self {
        let mut values = Vec::with_capacity(terms * width.div_ceil(SIDE));
        for first in (0..width).step_by(SIDE) {
            for term in 0..terms {
                let mut place = [0.0; SIDE];
                for (column, place) in (first..width).zip(&mut place) {
                    *place = value(term, column);
                }
                values.push(place);
            }
        }
        Self { terms, width, values }
    }

    /// Length of a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// A^T B of this one A `[terms, width]` and B `[terms, other width]`: `[width, other width]`.
    /// Terms that only one of them has are left out.
    pub fn product(&self, other: &Self) -> Vec<f64> {
        let mut out = vec![0.0; self.width * other.width];
        for (first, left) in self.panels() {
            for (second, right) in other.panels() {
                add_tile(&tile(left, right), first, second, other.width, &mut out);
            }
        }
        out
    }

    /// Adds A^T A to `sums` `[width, width]`.
    pub fn add_gram(&self, sums: &mut [f64]) {
        for (first, left) in self.panels() {
            for (second, right) in self.panels().filter(|(second, _)| *second >= first) {
                let sums_here = tile(left, right);
                add_tile(&sums_here, first, second, self.width, sums);
                if second > first {
                    let mirrored = [0, 1, 2, 3].map(|j| sums_here.map(|line| line[j]));
                    add_tile(&mirrored, second, first, self.width, sums);
                }
            }
        }
    }

    /// First column and values of each panel.
    fn panels(&self) -> impl Iterator<Item = (usize, &[[f64; SIDE]])> {
        let panels = self.values.chunks_exact(self.terms.max(1));
        panels.enumerate().map(|(number, panel)| (number * SIDE, panel))
    }
}

/// Sums over the terms of every product of a left number with a right one.
fn tile(left: &[[f64; SIDE]], right: &[[f64; SIDE]]) -> [[f64; SIDE]; SIDE] {
    let mut sums = [[0.0; SIDE]; SIDE];
    for (left, right) in left.iter().zip(right) {
        for (sums, left) in sums.iter_mut().zip(left) {
            for (sum, right) in sums.iter_mut().zip(right) {
                *sum += left * right;
            }
        }
    }
    sums
}

/// Adds a tile at that place, as far as it lies inside the matrix.
fn add_tile(
    tile: &[[f64; SIDE]; SIDE],
    first_row: usize,
    first_column: usize,
    width: usize,
    out: &mut [f64],
) {
    let rows = out.chunks_exact_mut(width.max(1)).skip(first_row);
    for (row, sums) in rows.zip(tile) {
        for (place, sum) in row.iter_mut().skip(first_column).zip(sums) {
            *place += sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(count: usize, salt: f64) -> Vec<f64> {
        (0..count).map(|i| ((i * i) as f64 * 0.37 + salt).sin()).collect()
    }

    fn panels(matrix: &[f64], terms: usize, width: usize) -> Panels {
        Panels::new(terms, width, |term, column| matrix[term * width + column])
    }

    #[test]
    fn a_product_is_its_sums() {
        for (terms, left, right) in [(1, 1, 1), (5, 4, 7), (9, 3, 12), (0, 2, 2), (3, 0, 5)] {
            let (a, b) = (wave(terms * left, 0.0), wave(terms * right, 1.0));
            let found = panels(&a, terms, left).product(&panels(&b, terms, right));
            assert_eq!(found.len(), left * right);
            for i in 0..left {
                for j in 0..right {
                    let sum: f64 = (0..terms).map(|t| a[t * left + i] * b[t * right + j]).sum();
                    assert!((found[i * right + j] - sum).abs() < 1e-12, "{terms} {i} {j}");
                }
            }
        }
    }

    #[test]
    fn a_gram_matrix_is_the_product_with_itself_and_adds_up() {
        for (terms, width) in [(6, 1), (7, 4), (5, 11)] {
            let matrix = panels(&wave(terms * width, 0.5), terms, width);
            let mut sums = vec![0.0; width * width];
            matrix.add_gram(&mut sums);
            assert_eq!(sums, matrix.product(&matrix));
            matrix.add_gram(&mut sums);
            for (twice, once) in sums.iter().zip(matrix.product(&matrix)) {
                assert_eq!(*twice, 2.0 * once);
            }
        }
    }
}
