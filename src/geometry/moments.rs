//! Sums over rows that their spectrum follows from, centred or not.
//!
//! ```
//! use simcse_lab::geometry::moments::Moments;
//!
//! let (rows, hidden) = (vec![1.0, 0.0, 0.0, 1.0], 2);
//! let mut moments = Moments::new(2, hidden);
//! while moments.step(&rows) {} // other work may go between
//! assert_eq!(moments.mean(), [0.5, 0.5]);
//! ```

use crate::math::products::Panels;

/// Products of two numbers in a slice of work: some 20 ms in a browser.
const SLICE_PRODUCTS: usize = 24 << 20;

/// Variance below this share of the squared length is rounding, of which `f32` rows have that much.
const LEAST_VARIANCE: f64 = 1e-12;

/// The sum of rows X `[n, hidden]` and the smaller of their Gram matrices, X^T X or X X^T, in `f64`.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    count: usize,
    hidden: usize,
    /// `[hidden]`
    sum: Vec<f64>,
    /// `[side, side]`
    gram: Vec<f64>,
    /// Rows that are in it, or columns where it is X X^T.
    done: usize,
}

impl Moments {
    /// Of `count` rows, none of which is in it yet.
    pub fn new(count: usize, hidden: usize) -> Self {
        let side = count.min(hidden);
        let (sum, gram) = (vec![0.0; hidden], vec![0.0; side * side]);
        Self { count, hidden, sum, gram, done: 0 }
    }

    /// Of rows `[n, hidden]`, at once.
    pub fn of(rows: &[f32], hidden: usize) -> Self {
        let mut moments = Self::new(rows.len().checked_div(hidden).unwrap_or(0), hidden);
        while moments.step(rows) {}
        moments
    }

    /// Takes some more of the rows `[n, hidden]`, which must be the same ones at every call. `false`
    /// once all are in it.
    pub fn step(&mut self, rows: &[f32]) -> bool {
        let (hidden, by_rows) = (self.hidden, self.is_by_rows());
        let whole = if by_rows { hidden } else { self.count };
        let side = self.side();
        let most = SLICE_PRODUCTS / (side * side / 2).max(1);
        let (start, terms) = (self.done, most.max(1).min(whole - self.done));
        let at = |row: usize, column: usize| {
            f64::from(rows.get(row * hidden + column).copied().unwrap_or_default())
        };
        let panels = if by_rows {
            Panels::new(terms, side, |term, row| at(row, start + term))
        } else {
            Panels::new(terms, side, |term, column| at(start + term, column))
        };
        panels.add_gram(&mut self.gram);
        let summed = if by_rows { 0..self.count } else { start..start + terms };
        let columns = if by_rows { start..start + terms } else { 0..hidden };
        for row in summed {
            for (place, column) in self.sum.iter_mut().skip(columns.start).zip(columns.clone()) {
                *place += at(row, column);
            }
        }
        self.done += terms;
        self.done < whole
    }

    /// Number of rows.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Length of a row.
    pub fn hidden(&self) -> usize {
        self.hidden
    }

    /// Whether the Gram matrix is X X^T: with no more rows than dimensions.
    pub fn is_by_rows(&self) -> bool {
        self.count <= self.hidden
    }

    /// Rows of the Gram matrix.
    pub fn side(&self) -> usize {
        self.count.min(self.hidden)
    }

    /// `[side, side]`
    pub fn gram(&self) -> &[f64] {
        &self.gram
    }

    /// Sum of the rows' squared lengths.
    pub fn squares(&self) -> f64 {
        trace(&self.gram, self.side())
    }

    /// `[hidden]`, the mean row.
    pub fn mean(&self) -> Vec<f64> {
        let count = self.count.max(1) as f64;
        self.sum.iter().map(|sum| sum / count).collect()
    }

    /// The Gram matrix of the rows less their mean, `[side, side]`: X^T X - s s^T / n with the sum s,
    /// or X X^T less the means of its rows and columns, plus the mean of all.
    ///
    /// Of unit rows about 1e-16 n is lost, which `f32` rows have not to lose.
    pub fn centred(&self) -> Vec<f64> {
        let side = self.side();
        let count = self.count.max(1) as f64;
        if !self.is_by_rows() {
            let lines = self.gram.chunks_exact(side.max(1)).zip(&self.sum);
            let line = |(line, sum): (&[f64], &f64)| -> Vec<f64> {
                line.iter().zip(&self.sum).map(|(cell, other)| cell - sum * other / count).collect()
            };
            return lines.flat_map(line).collect();
        }
        let lines = || self.gram.chunks_exact(side.max(1));
        let means: Vec<f64> = lines().map(|line| line.iter().sum::<f64>() / count).collect();
        let whole = means.iter().sum::<f64>() / count;
        let line = |(line, mean): (&[f64], &f64)| -> Vec<f64> {
            line.iter().zip(&means).map(|(cell, other)| cell - mean - other + whole).collect()
        };
        lines().zip(&means).flat_map(line).collect()
    }

    /// Sum of the squared lengths of the rows less their mean, of their [`Moments::centred`]. `None`
    /// where all rows are equal but for rounding, or a value is not finite.
    pub fn variation(&self, centred: &[f64]) -> Option<f64> {
        let variation = trace(centred, self.side());
        (variation > LEAST_VARIANCE * self.squares()).then_some(variation)
    }

    /// Singular values of the centred rows that are not above this are rounding.
    pub fn least_singular_value(&self) -> f64 {
        (LEAST_VARIANCE * self.squares()).sqrt()
    }
}

/// Sum of the diagonal of a matrix `[side, side]`.
fn trace(matrix: &[f64], side: usize) -> f64 {
    matrix.iter().step_by(side + 1).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(count: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * i) as f32 * 0.21).sin() + 0.3).collect()
    }

    /// X^T X or X X^T by their definition.
    fn gram(rows: &[Vec<f64>], by_rows: bool) -> Vec<f64> {
        let width = rows[0].len();
        let dot = |x: &[f64], y: &[f64]| -> f64 { x.iter().zip(y).map(|(x, y)| x * y).sum() };
        if by_rows {
            return rows.iter().flat_map(|x| rows.iter().map(move |y| dot(x, y))).collect();
        }
        let columns: Vec<Vec<f64>> =
            (0..width).map(|j| rows.iter().map(|row| row[j]).collect()).collect();
        columns.iter().flat_map(|x| columns.iter().map(move |y| dot(x, y))).collect()
    }

    fn check(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        }
    }

    #[test]
    fn both_gram_matrices_and_the_mean_equal_their_sums() {
        for (count, hidden) in [(1, 5), (4, 9), (9, 9), (30, 6), (12, 1)] {
            let rows = wave(count * hidden);
            let moments = Moments::of(&rows, hidden);
            let mut wide: Vec<Vec<f64>> = rows
                .chunks_exact(hidden)
                .map(|row| row.iter().map(|value| f64::from(*value)).collect())
                .collect();
            check(moments.gram(), &gram(&wide, count <= hidden));
            let mean: Vec<f64> = (0..hidden)
                .map(|j| wide.iter().map(|row| row[j]).sum::<f64>() / count as f64)
                .collect();
            check(&moments.mean(), &mean);
            for row in &mut wide {
                row.iter_mut().zip(&mean).for_each(|(value, mean)| *value -= mean);
            }
            check(&moments.centred(), &gram(&wide, count <= hidden));
        }
    }

    #[test]
    fn slices_of_many_rows_or_columns_add_up() {
        // More than a slice of either: 24 M products are 46 terms of 1,024.
        for (count, hidden) in [(1_100, 1_024), (1_000, 1_050)] {
            let rows = wave(count * hidden);
            let mut moments = Moments::new(count, hidden);
            let mut steps = 1;
            while moments.step(&rows) {
                steps += 1;
            }
            assert!(steps > 10, "{steps}");
            let squares: f64 = rows.iter().map(|value| f64::from(*value).powi(2)).sum();
            assert!((moments.squares() / squares - 1.0).abs() < 1e-12);
            let centred = trace(&moments.centred(), moments.side());
            let mean: f64 = moments.mean().iter().map(|mean| mean * mean).sum();
            assert!((centred - (squares - mean * count as f64)).abs() < 1e-6 * squares);
        }
    }

    #[test]
    fn equal_rows_do_not_vary() {
        for (count, hidden) in [(40, 3), (3, 40)] {
            let row: Vec<f32> = wave(hidden);
            let mut rows = row.repeat(count);
            let varies = |rows: &[f32]| {
                let moments = Moments::of(rows, hidden);
                moments.variation(&moments.centred())
            };
            assert_eq!(varies(&rows), None);
            rows[0] += 0.001;
            let expected = 0.001_f64.powi(2) * (1.0 - 1.0 / count as f64);
            assert!((varies(&rows).unwrap() / expected - 1.0).abs() < 1e-3);
            rows[0] = f32::NAN;
            assert_eq!(varies(&rows), None);
        }
    }

    #[test]
    fn nothing_has_no_moments() {
        assert_eq!(Moments::of(&[], 3).mean(), [0.0; 3]);
        assert!(Moments::of(&[], 0).centred().is_empty());
        assert_eq!(Moments::of(&[], 4).squares(), 0.0);
    }
}
