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

impl Form {
    /// What the integer sum may have to begin with, as a multiple of the weights' sum.
    pub(in crate::simd) fn start(self) -> i32 {
        match self {
            Self::Unsigned => -128,
            Self::Signed => 128,
            Self::Wide => 0,
        }
    }

    /// Whether it begins with that: codes around 0 stored without sign do, and codes from 0 on
    /// stored with one.
    pub(in crate::simd) fn has_start(self, coding: Coding) -> bool {
        (self == Self::Signed) == matches!(coding, Coding::Above(_))
    }
}

/// What codes stand for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Coding {
    /// From a block's smallest number to its largest: `scale code + middle`, -128 to 127.
    Spread,
    /// As far below 0 as above: `scale code`, -127 to 127. A fifth less work than `Spread`.
    Centred,
    /// From this floor, below which no number lies, to a block's largest: `scale code + floor`,
    /// 0 to 255. The product leaves the floor to the bias.
    Above(f32),
}

/// Spans below this are taken for none: their inverse would not be finite.
const LEAST_SPAN: f32 = 1e-30;
/// Codes of 32 numbers of a row, 128 added where they are around 0.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Coded {
    codes: [u8; BLOCK],
    scale: f32,
    middle: f32,
}

/// The nearest codes. A block with a number that is not finite gets a middle or scale that is not,
/// so that it does not pass for a good one.
#[inline]
fn encode(values: &[f32; BLOCK], coding: Coding) -> Coded {
    match coding {
        Coding::Spread => spread(values),
        Coding::Centred => from_zero::<127, 128>(values, 0.0),
        Coding::Above(floor) => from_zero::<255, 0>(values, floor),
    }
}

/// Codes that have no middle: `STEPS` of them up to the number farthest from `zero`, whose own code
/// is `FIRST`.
#[inline]
fn from_zero<const STEPS: u8, const FIRST: u8>(values: &[f32; BLOCK], zero: f32) -> Coded {
    let (steps, first) = (f32::from(STEPS), f32::from(FIRST));
    let reach = ends::reach(values, zero);
    if reach < LEAST_SPAN {
        return Coded { codes: [FIRST; BLOCK], scale: 0.0, middle: 0.0 };
    }
    // As a factor: one division is enough.
    let scale = if reach.is_finite() { reach * (1.0 / steps) } else { f32::NAN };
    let codes = ends::codes(values, zero - first * scale, steps / reach);
    Coded { codes, scale, middle: 0.0 }
}

#[inline]
fn spread(values: &[f32; BLOCK]) -> Coded {
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
    coding: Coding,
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
        Self { tiles, rows: 0, columns: 0, coding: Coding::Spread }
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    pub fn coding(&self) -> Coding {
        self.coding
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

    /// Becomes `[rows, columns]` to be set, all scales zero; takes no new memory where it was as large before.
    pub fn reset(&mut self, rows: usize, columns: usize, coding: Coding) {
        (self.rows, self.columns, self.coding) = (rows, columns, coding);
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
    pub fn fill(&mut self, values: &[f32], columns: usize, coding: Coding) {
        self.reset(values.len() / columns.max(1), columns, coding);
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
        self.set(row, block, &encode(values, self.coding));
    }

    #[inline]
    fn set(&mut self, row: usize, block: usize, coded: &Coded) {
        let place = (row / TILE) * self.block_count() + block;
        let (row, first) = (row % TILE, self.first());
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
                    *to = i16::from(*code) - first;
                }
                (to.scales[row], to.middles[row]) = (coded.scale, coded.middle);
            }
        }
    }

    /// What was added to codes on their way into a byte without sign.
    fn first(&self) -> i16 {
        if matches!(self.coding, Coding::Above(_)) { 0 } else { 128 }
    }

    /// The codes of a place with scale and middle.
    pub(in crate::simd) fn get(&self, row: usize, block: usize) -> ([i32; BLOCK], f32, f32) {
        let place = (row / TILE) * self.block_count() + block;
        let (row, first) = (row % TILE, i32::from(self.first()));
        match &self.tiles {
            Tiles::Bytes(blocks, true) => {
                let it = &blocks[place];
                (it.codes[row].map(|code| i32::from(code) - first), it.scales[row], it.middles[row])
            }
            Tiles::Bytes(blocks, false) => {
                let it = &blocks[place];
                let codes = it.codes[row].map(|code| i32::from(code ^ 0x80) - first);
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
        let floor = if let Coding::Above(floor) = self.coding { floor } else { 0.0 };
        for row in 0..self.rows {
            for block in 0..self.block_count() {
                let (codes, scale, middle) = self.get(row, block);
                let left = self.columns - block * BLOCK;
                let zero = middle + floor;
                values.extend(codes.iter().take(left).map(|code| *code as f32 * scale + zero));
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
        for (coding, first, zero, ends) in [
            (Coding::Spread, 128.0, 0.0, [0, 255]),
            (Coding::Centred, 128.0, 0.0, [128, 255]),
            (Coding::Above(-2.5), 0.0, -2.5, [0, 255]),
        ] {
            let mut values = values;
            values[3] = if ends[0] == 128 { 0.0 } else { values[3] };
            values[7] = if first == 0.0 { zero } else { values[7] };
            let coded = encode(&values, coding);
            for (value, code) in values.iter().zip(coded.codes) {
                let back = coded.scale * (f32::from(code) - first) + coded.middle + zero;
                assert!((back - value).abs() <= coded.scale * 0.501, "{value} became {back}");
            }
            assert!(ends.iter().all(|end| coded.codes.contains(end)), "{coding:?}");
        }
    }

    #[test]
    fn constants_and_tiny_spans_are_kept() {
        for value in [0.0, -3.5, 1e30] {
            let coded = encode(&[value; BLOCK], Coding::Spread);
            assert_eq!((coded.scale, coded.middle), (0.0, value));
            let mut codes = Codes::new(Form::Wide);
            codes.fill(&[value; BLOCK], BLOCK, Coding::Centred);
            let near = |back: &f32| (back - value).abs() <= 1e-6 * value.abs();
            assert!(codes.decode().iter().all(near), "{value}");
        }
        let mut values = [0.0; BLOCK];
        values[3] = 1e-40;
        for coding in [Coding::Spread, Coding::Centred, Coding::Above(0.0)] {
            assert_eq!(encode(&values, coding).scale, 0.0);
        }
    }

    #[test]
    fn what_is_not_finite_does_not_pass() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut values = [1.0; BLOCK];
            values[17] = bad;
            for coding in [Coding::Spread, Coding::Centred, Coding::Above(-1.0)] {
                for values in [values, [bad; BLOCK]] {
                    let coded = encode(&values, coding);
                    assert!(!(coded.middle + coded.scale).is_finite(), "{bad} {coding:?}");
                }
            }
        }
    }

    #[test]
    fn every_form_holds_the_same_numbers() {
        let values: Vec<f32> = (0..5 * 40).map(|i| (i as f32 * 0.37).cos()).collect();
        for coding in [Coding::Spread, Coding::Centred, Coding::Above(-1.0)] {
            let decoded = [Form::Unsigned, Form::Signed, Form::Wide].map(|form| {
                let mut codes = Codes::new(form);
                codes.fill(&values, 40, coding);
                assert_eq!((codes.tile_count(), codes.block_count(), codes.form()), (2, 2, form));
                codes.decode()
            });
            assert!(decoded[0] == decoded[1] && decoded[1] == decoded[2], "{coding:?}");
            let worst = decoded[0].iter().zip(&values).map(|(a, b)| (a - b).abs());
            assert!(worst.fold(0.0, f32::max) < 0.005, "{coding:?}");
        }
    }
}
