//! From 32 numbers to bytes, in loops that become vector instructions.

use crate::simd::layout::BLOCK;

/// `1.5 * 2^23`: adding it rounds to a whole number and leaves that in the low bits.
pub const ROUNDER: f32 = 12_582_912.0;
const LANES: usize = 4;

/// The smallest and the largest number, and 0, which is NaN where a number is not finite.
#[inline]
pub fn of(values: &[f32; BLOCK]) -> (f32, f32, f32) {
    let mut lows = [f32::INFINITY; LANES];
    let mut tops = [f32::NEG_INFINITY; LANES];
    let mut residues = [0.0; LANES];
    for lanes in values.as_chunks::<LANES>().0 {
        for lane in 0..LANES {
            let value = lanes[lane];
            lows[lane] = if value < lows[lane] { value } else { lows[lane] };
            tops[lane] = if value > tops[lane] { value } else { tops[lane] };
            residues[lane] += value * 0.0;
        }
    }
    let low = lows.iter().fold(f32::INFINITY, |low, value| if *value < low { *value } else { low });
    let top =
        tops.iter().fold(f32::NEG_INFINITY, |top, value| if *value > top { *value } else { top });
    (low, top, residues.iter().sum())
}

/// The largest distance from `low`; NaN or infinite where a number is.
#[inline]
pub fn reach(values: &[f32; BLOCK], low: f32) -> f32 {
    // Without their sign, numbers are ordered as their bits are, NaN beyond infinity.
    let mut tops = [0; LANES];
    for lanes in values.as_chunks::<LANES>().0 {
        for (top, value) in tops.iter_mut().zip(lanes) {
            *top = (*top).max((value - low).abs().to_bits());
        }
    }
    f32::from_bits(tops.into_iter().fold(0, u32::max))
}

/// `(value - low) inverse`, rounded; at most 255.
#[inline]
pub fn codes(values: &[f32; BLOCK], low: f32, inverse: f32) -> [u8; BLOCK] {
    let mut wide = [0; BLOCK];
    for (code, value) in wide.iter_mut().zip(values) {
        *code = ((value - low) * inverse + ROUNDER).to_bits() & 255;
    }
    wide.map(|code| code as u8)
}
