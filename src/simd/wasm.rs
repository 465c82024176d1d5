//! The int8 product with plain wasm SIMD: codes of weights are widened to 16 bits, and
//! `i32x4.dot_i16x8_s` adds two products up.
#![allow(unsafe_code, reason = "a kernel: see `Product`")]

use core::arch::wasm32::{
    i16x8_extend_high_i8x16, i16x8_extend_low_i8x16, i32x4_add, i32x4_dot_i16x8, i32x4_splat, v128,
    v128_load, v128_load32_splat, v128_store,
};

use crate::simd::layout::{PANEL, PanelBlock, TILE, WideBlock};
use crate::simd::scale_wasm;

/// Inputs that one instruction adds up.
const GROUP: usize = 2;

/// A [`crate::simd::kernel::Product`] of wide codes and groups of two.
///
/// # Safety
/// The pointers must reach as far as the counts say.
pub unsafe extern "C" fn product(
    tiles: *const u8,
    tile_count: usize,
    panels: *const PanelBlock,
    panel_count: usize,
    block_count: usize,
    groups: usize,
    bias: *const f32,
    out: *mut f32,
    stride: usize,
    _starts: i32,
    middles: i32,
) {
    for panel in 0..panel_count {
        for tile in 0..tile_count {
            // SAFETY: the caller promises so many panels, tiles, outputs and rows.
            unsafe {
                let states = tiles.cast::<WideBlock>().add(tile * block_count);
                let weights = panels.add(panel * block_count);
                let bias = bias.add(panel * PANEL).cast::<v128>();
                let bias = [v128_load(bias), v128_load(bias.add(1))];
                let mut sums = [bias; TILE];
                for block in 0..block_count {
                    let (states, weights) = (&*states.add(block), &*weights.add(block));
                    if middles != 0 {
                        add_block::<true>(&mut sums, states, weights, groups);
                    } else {
                        add_block::<false>(&mut sums, states, weights, groups);
                    }
                }
                for (row, sums) in sums.into_iter().enumerate() {
                    let row = out.add((tile * TILE + row) * stride + panel * PANEL);
                    v128_store(row.cast(), sums[0]);
                    v128_store(row.cast::<v128>().add(1), sums[1]);
                }
            }
        }
    }
}

/// # Safety
/// `groups` must be at most the groups of a block.
#[inline(always)]
unsafe fn add_block<const MIDDLES: bool>(
    sums: &mut [[v128; 2]; TILE],
    states: &WideBlock,
    weights: &PanelBlock,
    groups: usize,
) {
    // SAFETY: all reads lie inside the two blocks.
    unsafe {
        let mut dots = [[i32x4_splat(0); 2]; TILE];
        for group in 0..groups {
            let codes = v128_load(weights.codes.as_ptr().add(group * PANEL * GROUP).cast());
            let codes = [i16x8_extend_low_i8x16(codes), i16x8_extend_high_i8x16(codes)];
            for (dots, row) in dots.iter_mut().zip(&states.codes) {
                let two = v128_load32_splat(row.as_ptr().add(group * GROUP).cast());
                dots[0] = i32x4_add(dots[0], i32x4_dot_i16x8(codes[0], two));
                dots[1] = i32x4_add(dots[1], i32x4_dot_i16x8(codes[1], two));
            }
        }
        let (of_weights, of_states) =
            ((&weights.scales, &weights.sums), (&states.scales, &states.middles));
        scale_wasm::add::<MIDDLES, TILE>(sums, dots, of_weights, of_states);
    }
}
