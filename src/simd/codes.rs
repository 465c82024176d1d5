//! States on their way into an int8 product: 8-bit codes in tiles of four rows.

use crate::simd::layout::{BLOCK, ByteBlock, TILE, WideBlock};
#[cfg(not(target_arch = "wasm32"))]
use crate::simd::rounding as ends;
#[cfg(target_arch = "wasm32")]
use crate::simd::rounding_wasm as ends;

/// How codes are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// In a byte, 128 added.
    Unsigned,
    /// In a byte, two's complement.
    Signed,
    /// In 16 bits.
    Wide,
}

/// Spans below this are taken for none: their inverse would not be finite.
const LEAST_SPAN: f32 = 1e-30;
/// Codes of 32 numbers of a row, 128 added: `x = scale (code - 128) + middle`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Coded {
    codes: [u8; BLOCK],
    scale: f32,
    middle: f32,
}

/// The nearest codes. A block with a number that is not finite gets a middle that is not finite,
/// so that it does not pass for a good one.
#[inline]
fn encode(values: &[f32; BLOCK]) -> Coded {
    let (low, top, residue) = ends::of(values);
    let span = top - low;
    if span.is_nan() || span < LEAST_SPAN {
        return Coded { codes: [128; BLOCK], scale: 0.0, middle: low + residue };
    }
    let (scale, inverse) = (span / 255.0, 255.0 / span);
    let codes = ends::codes(values, low, inverse);
    Coded { codes, scale, middle: low + 128.0 * scale + residue }
}

/// Codes of `[rows, columns]`, the last tile and the last block filled up with zeros.
#[derive(Debug, Clone, PartialEq)]
pub struct Codes {
    pub(in crate::simd) tiles: Tiles,
    rows: usize,
    columns: usize,
}

/// `[tile][block]`
#[derive(Debug, Clone, PartialEq)]
pub(in crate::simd) enum Tiles {
    /// Bytes; `true`: 128 was added.
    Bytes(Vec<ByteBlock>, bool),
    Wide(Vec<WideBlock>),
}

impl Codes {
    /// No codes yet, in that form.
    pub const fn new(form: Form) -> Self {
        let tiles = match form {
            Form::Unsigned => Tiles::Bytes(Vec::new(), true),
            Form::Signed => Tiles::Bytes(Vec::new(), false),
            Form::Wide => Tiles::Wide(Vec::new()),
        };
        Self { tiles, rows: 0, columns: 0 }
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Tiles of four rows.
    pub fn tile_count(&self) -> usize {
        self.rows.div_ceil(TILE)
    }

    /// Blocks of 32 columns.
    pub fn block_count(&self) -> usize {
        self.columns.div_ceil(BLOCK)
    }

    pub(in crate::simd) fn form(&self) -> Form {
        match self.tiles {
            Tiles::Bytes(_, true) => Form::Unsigned,
            Tiles::Bytes(_, false) => Form::Signed,
            Tiles::Wide(_) => Form::Wide,
        }
    }

    /// Becomes `[rows, columns]` zeros; takes no new memory where it was as large before.
    pub fn reset(&mut self, rows: usize, columns: usize) {
        (self.rows, self.columns) = (rows, columns);
        let count = self.tile_count() * self.block_count();
        let (scales, middles) = ([0.0; TILE], [0.0; TILE]);
        match &mut self.tiles {
            Tiles::Bytes(blocks, _) => {
                blocks.clear();
                blocks.resize(count, ByteBlock { codes: [[0; BLOCK]; TILE], scales, middles });
            }
            Tiles::Wide(blocks) => {
                blocks.clear();
                blocks.resize(count, WideBlock { codes: [[0; BLOCK]; TILE], scales, middles });
            }
        }
    }

    /// Becomes the codes of `values`, `[rows, columns]` row-major.
    pub fn fill(&mut self, values: &[f32], columns: usize) {
        self.reset(values.len() / columns.max(1), columns);
        for (row, values) in values.chunks_exact(columns.max(1)).enumerate() {
            self.set_row(row, values);
        }
    }

    /// Sets a row.
    pub fn set_row(&mut self, row: usize, values: &[f32]) {
        let (blocks, rest) = values.as_chunks::<BLOCK>();
        for (block, values) in blocks.iter().enumerate() {
            self.set_numbers(row, block, values);
        }
        if !rest.is_empty() {
            let mut values = [0.0; BLOCK];
            values[..rest.len()].copy_from_slice(rest);
            self.set_numbers(row, blocks.len(), &values);
        }
    }

    /// Sets a block of a row to the nearest codes; places outside are ignored.
    #[inline]
    pub fn set_numbers(&mut self, row: usize, block: usize, values: &[f32; BLOCK]) {
        self.set(row, block, &encode(values));
    }

    #[inline]
    fn set(&mut self, row: usize, block: usize, coded: &Coded) {
        let place = (row / TILE) * self.block_count() + block;
        let row = row % TILE;
        match &mut self.tiles {
            Tiles::Bytes(blocks, offset) => {
                let Some(to) = blocks.get_mut(place) else { return };
                // Taking 128 from a byte turns its highest bit over.
                let flip = if *offset { 0 } else { 0x80 };
                for (to, code) in to.codes[row].iter_mut().zip(&coded.codes) {
                    *to = code ^ flip;
                }
                (to.scales[row], to.middles[row]) = (coded.scale, coded.middle);
            }
            Tiles::Wide(blocks) => {
                let Some(to) = blocks.get_mut(place) else { return };
                for (to, code) in to.codes[row].iter_mut().zip(&coded.codes) {
                    *to = i16::from(*code) - 128;
                }
                (to.scales[row], to.middles[row]) = (coded.scale, coded.middle);
            }
        }
    }

    /// The codes of a place, -128 to 127, with scale and middle.
    pub(in crate::simd) fn get(&self, row: usize, block: usize) -> ([i32; BLOCK], f32, f32) {
        let place = (row / TILE) * self.block_count() + block;
        let row = row % TILE;
        match &self.tiles {
            Tiles::Bytes(blocks, true) => {
                let it = &blocks[place];
                (it.codes[row].map(|code| i32::from(code) - 128), it.scales[row], it.middles[row])
            }
            Tiles::Bytes(blocks, false) => {
                let it = &blocks[place];
                let codes = it.codes[row].map(|code| i32::from(code.cast_signed()));
                (codes, it.scales[row], it.middles[row])
            }
            Tiles::Wide(blocks) => {
                let it = &blocks[place];
                (it.codes[row].map(i32::from), it.scales[row], it.middles[row])
            }
        }
    }

    /// The numbers that the codes stand for, `[rows, columns]`.
    pub fn decode(&self) -> Vec<f32> {
        let mut values = Vec::with_capacity(self.rows * self.columns);
        for row in 0..self.rows {
            for block in 0..self.block_count() {
                let (codes, scale, middle) = self.get(row, block);
                let left = self.columns - block * BLOCK;
                values.extend(codes.iter().take(left).map(|code| *code as f32 * scale + middle));
            }
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_nearest_and_the_ends_are_exact() {
        let values: [f32; BLOCK] = std::array::from_fn(|i| (i as f32 * 0.7).sin() * 3.0 + 1.0);
        let coded = encode(&values);
        for (value, code) in values.iter().zip(coded.codes) {
            let back = coded.scale * (f32::from(code) - 128.0) + coded.middle;
            assert!((back - value).abs() <= coded.scale * 0.5001, "{value} became {back}");
        }
        assert!(coded.codes.contains(&0) && coded.codes.contains(&255));
    }

    #[test]
    fn constants_and_tiny_spans_are_kept() {
        for value in [0.0, -3.5, 1e30] {
            let coded = encode(&[value; BLOCK]);
            assert_eq!((coded.scale, coded.middle), (0.0, value));
        }
        let mut values = [0.0; BLOCK];
        values[3] = 1e-40;
        assert_eq!(encode(&values).scale, 0.0);
    }

    #[test]
    fn what_is_not_finite_does_not_pass() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut values = [1.0; BLOCK];
            values[17] = bad;
            assert!(!encode(&values).middle.is_finite(), "{bad}");
            assert!(!encode(&[bad; BLOCK]).middle.is_finite(), "all {bad}");
        }
    }

    #[test]
    fn every_form_holds_the_same_numbers() {
        let values: Vec<f32> = (0..5 * 40).map(|i| (i as f32 * 0.37).cos()).collect();
        let decoded = [Form::Unsigned, Form::Signed, Form::Wide].map(|form| {
            let mut codes = Codes::new(form);
            codes.fill(&values, 40);
            assert_eq!((codes.tile_count(), codes.block_count(), codes.form()), (2, 2, form));
            codes.decode()
        });
        assert!(decoded[0] == decoded[1] && decoded[1] == decoded[2]);
        let worst = decoded[0].iter().zip(&values).map(|(a, b)| (a - b).abs());
        assert!(worst.fold(0.0, f32::max) < 0.005);
    }
}
