//! `rounding` in wasm SIMD: what the compiler makes of its loops takes several times as long.
#![allow(unsafe_code, reason = "vector loads; they stay inside the block")]

use core::arch::wasm32::{
    f32x4_add, f32x4_extract_lane, f32x4_mul, f32x4_pmax, f32x4_pmin, f32x4_splat, f32x4_sub,
    i8x16_narrow_i16x8, i8x16_splat, i16x8_narrow_i32x4, i16x8_splat, i16x8_sub_sat, i32x4_shuffle,
    i32x4_sub, u32x4_extract_lane, u32x4_max, u32x4_shl, u32x4_splat, v128, v128_load, v128_store,
    v128_xor,
};

use crate::simd::layout::BLOCK;

/// As in `rounding`.
pub const ROUNDER: f32 = 12_582_912.0;
const VECTORS: usize = BLOCK / 4;

#[inline]
fn load(values: &[f32; BLOCK]) -> [v128; VECTORS] {
    // SAFETY: eight vectors of four are the block.
    std::array::from_fn(|i| unsafe { v128_load(values.as_ptr().add(4 * i).cast()) })
}

/// What `join` makes of all four lanes, in every lane. (Scalars compared one by one would be
/// branches, mispredicted every other time.)
#[inline]
fn across(vector: v128, join: impl Fn(v128, v128) -> v128) -> v128 {
    let halves = join(vector, i32x4_shuffle::<2, 3, 0, 1>(vector, vector));
    join(halves, i32x4_shuffle::<1, 0, 3, 2>(halves, halves))
}

/// The smallest and the largest number, and 0, which is NaN where a number is not finite.
#[inline]
pub fn of(values: &[f32; BLOCK]) -> (f32, f32, f32) {
    let vectors = load(values);
    let zero = f32x4_splat(0.0);
    let (mut low, mut top, mut residue) = (vectors[0], vectors[0], zero);
    for vector in vectors {
        low = f32x4_pmin(low, vector);
        top = f32x4_pmax(top, vector);
        residue = f32x4_add(residue, f32x4_mul(vector, zero));
    }
    (
        f32x4_extract_lane::<0>(across(low, |a, b| f32x4_pmin(a, b))),
        f32x4_extract_lane::<0>(across(top, |a, b| f32x4_pmax(a, b))),
        f32x4_extract_lane::<0>(across(residue, |a, b| f32x4_add(a, b))),
    )
}

/// The largest distance from `low`; NaN or infinite where a number is.
#[inline]
pub fn reach(values: &[f32; BLOCK], low: f32) -> f32 {
    // Without their sign, shifted out, numbers are ordered as their bits are.
    let (low, mut top) = (f32x4_splat(low), u32x4_splat(0));
    for vector in load(values) {
        top = u32x4_max(top, u32x4_shl(f32x4_sub(vector, low), 1));
    }
    f32::from_bits(u32x4_extract_lane::<0>(across(top, |a, b| u32x4_max(a, b))) >> 1)
}

/// `(value - low) inverse`, rounded; at most 255. (Two narrowings with nothing between them, or of
/// what was masked, LLVM takes for one cut of bytes, which it has no instruction for: it moves them
/// one by one.)
#[inline]
pub fn codes(values: &[f32; BLOCK], low: f32, inverse: f32) -> [u8; BLOCK] {
    let vectors = load(values);
    let (low, inverse) = (f32x4_splat(low), f32x4_splat(inverse));
    let (rounder, zero) = (f32x4_splat(ROUNDER), u32x4_splat(ROUNDER.to_bits()));
    let code = |i: usize| {
        let steps = f32x4_mul(f32x4_sub(vectors[i], low), inverse);
        i32x4_sub(f32x4_add(steps, rounder), zero)
    };
    let middle = i16x8_splat(128);
    let quarter = |i: usize| i16x8_sub_sat(i16x8_narrow_i32x4(code(i), code(i + 1)), middle);
    let half =
        |i: usize| v128_xor(i8x16_narrow_i16x8(quarter(i), quarter(i + 2)), i8x16_splat(i8::MIN));
    let mut codes = [0; BLOCK];
    // SAFETY: two vectors of sixteen bytes are the block.
    unsafe {
        v128_store(codes.as_mut_ptr().cast(), half(0));
        v128_store(codes.as_mut_ptr().add(16).cast(), half(4));
    }
    codes
}
