//! The int8 product in plain loops over blocks, for any machine.
#![allow(unsafe_code, reason = "a kernel: see `Product`")]

use crate::simd::layout::{BLOCK, PANEL, PanelBlock, TILE, WideBlock};

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
    _groups: usize,
    bias: *const f32,
    out: *mut f32,
    stride: usize,
    _starts: i32,
    middles: i32,
) {
    // SAFETY: the caller's promise.
    let (tiles, panels, bias) = unsafe {
        (
            std::slice::from_raw_parts(tiles.cast::<WideBlock>(), tile_count * block_count),
            std::slice::from_raw_parts(panels, panel_count * block_count),
            std::slice::from_raw_parts(bias, panel_count * PANEL),
        )
    };
    for (panel, (blocks, bias)) in
        panels.chunks_exact(block_count).zip(bias.as_chunks::<PANEL>().0).enumerate()
    {
        for (tile, states) in tiles.chunks_exact(block_count).enumerate() {
            for (row, sums) in sums(states, blocks, bias, middles != 0).iter().enumerate() {
                // SAFETY: the caller's promise; a row is `stride` long.
                let to = unsafe { out.add((tile * TILE + row) * stride + panel * PANEL) };
                // SAFETY: eight outputs of a panel lie inside the row.
                unsafe { to.cast::<[f32; PANEL]>().write_unaligned(*sums) };
            }
        }
    }
}

fn sums(
    states: &[WideBlock],
    weights: &[PanelBlock],
    bias: &[f32; PANEL],
    middles: bool,
) -> [[f32; PANEL]; TILE] {
    let mut sums = [*bias; TILE];
    for (states, weights) in states.iter().zip(weights) {
        let rows = states.codes.iter().zip(states.scales.iter().zip(&states.middles));
        for (sums, (codes, (scale, middle))) in sums.iter_mut().zip(rows) {
            let dots = dots(codes, weights);
            for (lane, sum) in sums.iter_mut().enumerate() {
                let product = dots[lane] as f32 * (weights.scales[lane] * scale);
                *sum += if middles { product + weights.sums[lane] * middle } else { product };
            }
        }
    }
    sums
}

fn dots(codes: &[i16; BLOCK], weights: &PanelBlock) -> [i32; PANEL] {
    let mut dots = [0; PANEL];
    let groups = weights.codes.as_chunks::<{ 2 * PANEL }>().0;
    for (pair, group) in codes.as_chunks::<2>().0.iter().zip(groups) {
        for (dot, weights) in dots.iter_mut().zip(group.as_chunks::<2>().0) {
            let first = i32::from(weights[0]) * i32::from(pair[0]);
            *dot += first + i32::from(weights[1]) * i32::from(pair[1]);
        }
    }
    dots
}
