//! From a block's whole-number dots to its part of the sums, in wasm SIMD. No other file of ours
//! is named here: the relaxed-SIMD module, a program of its own, includes this one.
#![allow(unsafe_code, reason = "vector loads; they stay inside what is given")]

use core::arch::wasm32::{
    f32x4_add, f32x4_convert_i32x4, f32x4_mul, v128, v128_load, v128_load32_splat,
};

/// Two vectors that lie side by side.
///
/// # Safety
/// Eight numbers of 32 bits must lie there.
#[inline(always)]
pub unsafe fn pair(numbers: *const v128) -> [v128; 2] {
    // SAFETY: the caller's promise.
    unsafe { [v128_load(numbers), v128_load(numbers.add(1))] }
}

/// `sum += dot (weight scale * state scale)`, with `MIDDLES` `+ weight sum * state middle`, a row of
/// eight outputs after another.
#[inline(always)]
pub fn add<const MIDDLES: bool, const ROWS: usize>(
    sums: &mut [[v128; 2]; ROWS],
    dots: [[v128; 2]; ROWS],
    (scales, weight_sums): (&[f32; 8], &[f32; 8]),
    (state_scales, middles): (&[f32; ROWS], &[f32; ROWS]),
) {
    // SAFETY: all reads lie inside the arrays.
    unsafe {
        let scales = pair(scales.as_ptr().cast());
        let weight_sums = pair(weight_sums.as_ptr().cast());
        for (row, (sums, dots)) in sums.iter_mut().zip(dots).enumerate() {
            let scale = v128_load32_splat(state_scales.as_ptr().add(row).cast());
            let middle = v128_load32_splat(middles.as_ptr().add(row).cast());
            for half in 0..2 {
                let dots = f32x4_convert_i32x4(dots[half]);
                let mut part = f32x4_mul(dots, f32x4_mul(scales[half], scale));
                if MIDDLES {
                    part = f32x4_add(part, f32x4_mul(weight_sums[half], middle));
                }
                sums[half] = f32x4_add(sums[half], part);
            }
        }
    }
}
