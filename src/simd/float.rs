//! The product of real numbers: `out = start + a b`, with either factor as it lies in memory or
//! turned over. Training multiplies forward (`x W^T`) and backward (`g W`, `g^T x`) with it.
//!
//! The sums of an output are formed in the order of the shared dimension, whatever the sizes
//! around it: equal numbers give equal bits on the same machine. Machines differ: some multiply
//! and add in one step, which rounds once instead of twice.

use std::cell::RefCell;

use crate::simd::float_kernel::{FloatKernel, ROWS};

/// Of the shared dimension, at most so many numbers at a time: a panel stays in the first cache.
const DEPTH: usize = 256;
/// Rows that are gone through for each panel: they stay in the second cache.
const CHUNK: usize = 64;

/// Numbers in memory as a matrix.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    /// Whether `values` are `[columns, rows]`.
    turned: bool,
}

impl<'a> Matrix<'a> {
    /// `[rows, columns]`, row-major; the rows are as many as there are numbers for.
    pub fn new(values: &'a [f32], columns: usize) -> Self {
        let rows = values.len() / columns.max(1);
        Self { values, rows, columns, turned: false }
    }

    /// `[columns, rows]`: the same numbers turned over.
    pub fn transposed(self) -> Self {
        let Self { values, rows, columns, turned } = self;
        Self { values, rows: columns, columns: rows, turned: !turned }
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Whether the numbers of a column, not of a row, lie side by side.
    pub fn is_turned(&self) -> bool {
        self.turned
    }

    /// The numbers of a row from a column on, where rows lie in one piece.
    fn row(&self, row: usize, from: usize, count: usize) -> &'a [f32] {
        &self.values[row * self.columns + from..][..count]
    }

    /// Writes `[count rows, depth]` from a place on to rows that are `depth` long.
    fn copy_rows(&self, row: usize, from: usize, depth: usize, to: &mut [f32]) {
        if !self.turned {
            for (row, to) in (row..).zip(to.chunks_exact_mut(depth)) {
                to.copy_from_slice(self.row(row, from, depth));
            }
            return;
        }
        let count = to.len() / depth.max(1);
        for place in 0..depth {
            let column = &self.values[(from + place) * self.rows + row..][..count];
            for (to, value) in to[place..].iter_mut().step_by(depth).zip(column) {
                *to = *value;
            }
        }
    }

    /// Appends rows `from..from + depth` as panels: `[panel][depth][width]`, filled up with zeros.
    fn append_panels(&self, from: usize, depth: usize, width: usize, to: &mut Vec<f32>) {
        let start = to.len();
        to.resize(start + self.columns.next_multiple_of(width) * depth, 0.0);
        let panels = to[start..].chunks_exact_mut((depth * width).max(1));
        for (panel, to) in panels.enumerate() {
            let first = panel * width;
            let used = width.min(self.columns - first);
            if !self.turned {
                for (row, to) in (from..).zip(to.chunks_exact_mut(width)) {
                    to[..used].copy_from_slice(self.row(row, first, used));
                }
                continue;
            }
            for lane in 0..used {
                let line = &self.values[(first + lane) * self.rows + from..][..depth];
                for (to, value) in to[lane..].iter_mut().step_by(width).zip(line) {
                    *to = *value;
                }
            }
        }
    }
}

/// What a product needs besides its operands; kept, it takes no new memory for the next one.
#[derive(Debug, Default)]
pub struct FloatRoom {
    panels: Vec<f32>,
    rows: Vec<f32>,
    out: Vec<f32>,
}

thread_local! {
    static ROOM: RefCell<FloatRoom> = RefCell::default();
}

/// `a b`, `[a.rows, b.columns]`.
///
/// # Panics
/// Where the shapes do not fit.
pub fn product(a: Matrix<'_>, b: Matrix<'_>) -> Vec<f32> {
    let mut out = vec![0.0; a.rows * b.columns];
    ROOM.with_borrow_mut(|room| add_product(&FloatKernel::fastest(), room, a, b, &mut out));
    out
}

/// `out += a b`, `[a.rows, b.columns]`.
///
/// # Panics
/// Where the shapes do not fit.
pub fn add_product(
    kernel: &FloatKernel,
    room: &mut FloatRoom,
    a: Matrix<'_>,
    b: Matrix<'_>,
    out: &mut [f32],
) {
    assert!(a.columns == b.rows, "{} columns times {} rows", a.columns, b.rows);
    let mut panels = std::mem::take(&mut room.panels);
    for from in (0..a.columns).step_by(DEPTH) {
        let depth = DEPTH.min(a.columns - from);
        panels.clear();
        b.append_panels(from, depth, kernel.width(), &mut panels);
        add_part(kernel, room, (a, from, depth), (&panels, b.columns), out);
    }
    room.panels = panels;
}

/// The right factor of many products, arranged once.
#[derive(Clone)]
pub struct FloatPanels {
    values: Vec<f32>,
    rows: usize,
    columns: usize,
    kernel: FloatKernel,
}

/// Leaves out the numbers.
impl std::fmt::Debug for FloatPanels {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "FloatPanels [{}, {}]", self.rows, self.columns)
    }
}

impl FloatPanels {
    /// Arranges a matrix for the fastest kernel; `None` where memory is short.
    pub fn new(matrix: Matrix<'_>) -> Option<Self> {
        let kernel = FloatKernel::fastest();
        let (rows, columns) = (matrix.rows, matrix.columns);
        let mut values = Vec::new();
        let count = columns.next_multiple_of(kernel.width()).checked_mul(rows)?;
        values.try_reserve_exact(count).ok()?;
        for from in (0..rows).step_by(DEPTH) {
            matrix.append_panels(from, DEPTH.min(rows - from), kernel.width(), &mut values);
        }
        Some(Self { values, rows, columns, kernel })
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    /// `out += a self`, `[a.rows, columns]`: the same bits as [`add_product`] gives.
    ///
    /// # Panics
    /// Where the shapes do not fit.
    pub fn add_product(&self, a: Matrix<'_>, out: &mut [f32]) {
        assert!(a.columns == self.rows, "{} columns times {} rows", a.columns, self.rows);
        let width = self.columns.next_multiple_of(self.kernel.width());
        for from in (0..self.rows).step_by(DEPTH) {
            let depth = DEPTH.min(self.rows - from);
            let panels = &self.values[from * width..][..depth * width];
            ROOM.with_borrow_mut(|room| {
                add_part(&self.kernel, room, (a, from, depth), (panels, self.columns), out);
            });
        }
    }
}

/// Adds the part of a product that comes from `depth` columns of `a`, from a place on, and the
/// rows of the right factor that belong to them, given as panels of `columns` columns altogether.
fn add_part(
    kernel: &FloatKernel,
    room: &mut FloatRoom,
    (a, from, depth): (Matrix<'_>, usize, usize),
    (panels, columns): (&[f32], usize),
    out: &mut [f32],
) {
    assert!(out.len() == a.rows * columns, "{} outputs", out.len());
    if out.is_empty() {
        return;
    }
    let width = columns.next_multiple_of(kernel.width());
    for (chunk, out) in out.chunks_mut(CHUNK * columns).enumerate() {
        let rows = out.len() / columns;
        // Whole tiles and whole panels; what is filled up is left behind.
        let padded = rows.next_multiple_of(ROWS);
        room.rows.resize(padded * depth, 0.0);
        let (used, unused) = room.rows.split_at_mut(rows * depth);
        a.copy_rows(chunk * CHUNK, from, depth, used);
        unused.fill(0.0);
        if padded == rows && width == columns {
            kernel.accumulate(&room.rows, depth, panels, out, width);
            continue;
        }
        spread(out, columns, width, padded, &mut room.out);
        kernel.accumulate(&room.rows, depth, panels, &mut room.out, width);
        for (to, from) in out.chunks_exact_mut(columns).zip(room.out.chunks_exact(width)) {
            to.copy_from_slice(&from[..columns]);
        }
    }
}

/// Rows of `columns` numbers as rows of `width`, `count` of them, filled up with zeros.
fn spread(from: &[f32], columns: usize, width: usize, count: usize, to: &mut Vec<f32>) {
    to.clear();
    to.resize(count * width, 0.0);
    for (to, from) in to.chunks_exact_mut(width).zip(from.chunks_exact(columns)) {
        to[..columns].copy_from_slice(from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, seed: f32) -> Vec<f32> {
        (0..count).map(|i| ((i as f32 + seed) * 0.731).sin() * 2.0).collect()
    }

    /// The obvious loops in double precision, and what the sums come to without signs.
    fn plain(a: Matrix<'_>, b: Matrix<'_>) -> Vec<(f64, f64)> {
        let at = |it: &Matrix<'_>, row: usize, column: usize| {
            let place = if it.turned { column * it.rows + row } else { row * it.columns + column };
            f64::from(it.values[place])
        };
        let sums = |row: usize, column: usize| {
            let products = (0..a.columns).map(|k| at(&a, row, k) * at(&b, k, column));
            products.fold((0.0, 0.0), |(sum, size), it| (sum + it, size + it.abs()))
        };
        let places = (0..a.rows).flat_map(|row| (0..b.columns).map(move |column| (row, column)));
        places.map(|(row, column)| sums(row, column)).collect()
    }

    #[test]
    fn every_kernel_and_orientation_equals_plain_loops() {
        let shapes = [
            (1, 1, 1),
            (4, 8, 8),
            (5, 3, 7),
            (3, 300, 17),
            (70, 33, 40),
            (64, 16, 32),
            (130, 520, 9),
        ];
        let mut room = FloatRoom::default();
        for (rows, depth, columns) in shapes {
            let (a, b) = (numbers(rows * depth, 1.0), numbers(depth * columns, 2.0));
            let left = [Matrix::new(&a, depth), Matrix::new(&a, rows).transposed()];
            let right = [Matrix::new(&b, columns), Matrix::new(&b, depth).transposed()];
            for (a, b) in left.iter().flat_map(|a| right.iter().map(move |b| (*a, *b))) {
                assert_eq!((a.rows(), a.columns(), b.columns()), (rows, depth, columns));
                let wanted = plain(a, b);
                for kernel in FloatKernel::built_in() {
                    let mut found = vec![0.5; rows * columns];
                    add_product(&kernel, &mut room, a, b, &mut found);
                    for (found, (wanted, size)) in found.iter().zip(&wanted) {
                        let error = (f64::from(*found) - 0.5 - wanted).abs();
                        let limit = 1e-6 * (size + 1.0);
                        assert!(error < limit, "{} {rows} {depth} {columns}", kernel.name());
                    }
                }
            }
        }
    }

    #[test]
    fn a_row_does_not_depend_on_the_rows_beside_it() {
        let (a, b) = (numbers(67 * 300, 3.0), numbers(300 * 24, 4.0));
        let b = Matrix::new(&b, 24);
        let together = product(Matrix::new(&a, 300), b);
        for (row, wanted) in a.chunks_exact(300).zip(together.chunks_exact(24)) {
            assert_eq!(product(Matrix::new(row, 300), b), wanted);
        }
    }

    #[test]
    fn panels_arranged_before_give_the_same_bits() {
        let (a, b) = (numbers(21 * 600, 5.0), numbers(600 * 19, 6.0));
        let a = Matrix::new(&a, 600);
        for b in [Matrix::new(&b, 19), Matrix::new(&b, 600).transposed()] {
            let panels = FloatPanels::new(b).unwrap();
            assert_eq!((panels.rows(), panels.columns()), (600, 19));
            let mut found = vec![0.0; 21 * 19];
            panels.add_product(a, &mut found);
            assert_eq!(found, product(a, b));
        }
    }

    #[test]
    fn nothing_times_something_is_nothing() {
        let b = [1.0; 6];
        assert!(product(Matrix::new(&[], 2), Matrix::new(&b, 3)).is_empty());
        let empty = Matrix::new(&[], 4).transposed();
        assert_eq!(product(empty, Matrix::new(&[], 3)), [0.0; 12]);
    }
}
