//! Unit rows `[rows, dimensions]` as they come: in 16 bits, as they are kept, and in 8 for a quick look.
//!
//! A row takes 3 bytes a dimension and 8 more: 116 MB for 100,000 rows of 384.

use half::f16;

/// How far a row's length may be from 1: rounding to 16 bits costs less, a torn write more.
const UNIT: f64 = 0.01;

/// Rows of unit length.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Vectors {
    dimensions: usize,
    /// `[rows, dimensions]`
    halves: Vec<f16>,
    /// `[rows, dimensions]`, each row in units of its scale.
    codes: Vec<i8>,
    scales: Vec<f32>,
    /// Upper bound of the length of a row's difference from its codes.
    errors: Vec<f32>,
}

impl Vectors {
    pub fn new(dimensions: usize) -> Self {
        Self { dimensions, ..Self::default() }
    }

    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.scales.len()
    }

    pub fn is_empty(&self) -> bool {
        self.scales.is_empty()
    }

    /// Adds `[rows, dimensions]`; a rest that is no whole row is left out.
    pub fn push(&mut self, rows: &[f32]) {
        for row in rows.chunks_exact(self.dimensions.max(1)) {
            let start = self.halves.len();
            self.halves.extend(row.iter().copied().map(f16::from_f32));
            self.code_row(start);
        }
    }

    /// Adds rows as [`Vectors::to_bytes`] writes them, up to the first that is no unit row: what stands
    /// behind a torn write is worth nothing. Tells how many were taken.
    pub fn push_bytes(&mut self, bytes: &[u8]) -> usize {
        let before = self.len();
        for row in bytes.chunks_exact(self.row_bytes().max(1)) {
            let start = self.halves.len();
            let values = row.as_chunks::<2>().0;
            self.halves.extend(values.iter().map(|value| f16::from_le_bytes(*value)));
            let squares = self.halves[start..].iter().map(|value| value.to_f64().powi(2));
            let length = squares.sum::<f64>().sqrt();
            // A length that is no number is in no range.
            if !(1.0 - UNIT..1.0 + UNIT).contains(&length) {
                self.halves.truncate(start);
                break;
            }
            self.code_row(start);
        }
        self.len() - before
    }

    /// Rows from `first` on, as they are kept.
    pub fn to_bytes(&self, first: usize) -> Vec<u8> {
        let rest = self.halves.get(first.saturating_mul(self.dimensions)..).unwrap_or_default();
        rest.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    /// Bytes of a row, as it is kept.
    pub fn row_bytes(&self) -> usize {
        2 * self.dimensions
    }

    /// Writes a row into `into`; nothing where there is none.
    pub fn row_into(&self, row: usize, into: &mut Vec<f32>) {
        into.clear();
        into.extend(self.halves_of(row).iter().map(|value| value.to_f32()));
    }

    /// All rows, `[rows, dimensions]`.
    pub fn to_rows(&self) -> Vec<f32> {
        self.halves.iter().map(|value| value.to_f32()).collect()
    }

    pub(super) fn codes(&self) -> &[i8] {
        &self.codes
    }

    /// A row's scale and error.
    pub(super) fn scales(&self) -> (&[f32], &[f32]) {
        (&self.scales, &self.errors)
    }

    fn halves_of(&self, row: usize) -> &[f16] {
        let start = row.saturating_mul(self.dimensions);
        self.halves.get(start..start + self.dimensions).unwrap_or_default()
    }

    fn code_row(&mut self, start: usize) {
        let row: Vec<f32> = self.halves[start..].iter().map(|value| value.to_f32()).collect();
        let coded = Coded::new(&row);
        self.codes.extend(coded.codes);
        self.scales.push(coded.scale);
        self.errors.push(coded.error);
    }
}

/// A row in 8 bits a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Coded {
    pub(super) codes: Vec<i8>,
    pub(super) scale: f32,
    /// At least the length of the difference between the row and `scale` times its codes.
    pub(super) error: f32,
}

impl Coded {
    pub(super) fn new(row: &[f32]) -> Self {
        let most = row.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
        let scale = most / 127.0;
        let code = |value: &f32| if scale > 0.0 { (value / scale).round() as i8 } else { 0 };
        let codes: Vec<i8> = row.iter().map(code).collect();
        let squares = row
            .iter()
            .zip(&codes)
            .map(|(value, code)| (f64::from(*value) - f64::from(scale) * f64::from(*code)).powi(2));
        // Rounded up, and more than this sum and root may be wrong.
        let error = (squares.sum::<f64>().sqrt() * 1.000_001) as f32 + 1e-7;
        Self { codes, scale, error }
    }
}
