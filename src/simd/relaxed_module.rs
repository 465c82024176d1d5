//! The products with wasm relaxed SIMD: `i32x4.relaxed_dot_i8x16_i7x16_add` adds four products
//! of bytes up, `f32x4.relaxed_madd` multiplies and adds real numbers, on processors with such
//! instructions in one go.
//!
//! A module of its own, because a browser without relaxed SIMD refuses every module with it. The
//! build script compiles it; `browser::relaxed` instantiates it over the worker's memory and puts
//! its functions into the worker's function table. So it must not use memory of its own: no
//! statics, no panics, and no stack, which the build script makes so small that using it traps.
//!
//! Two things about the compilers decide the speed. LLVM evaluates nested expressions outside in:
//! an unrolled chain of dots would load all its operands first, and the browser would run out of
//! registers; so the innermost loop gets its bound from outside and stays rolled up. And browsers use
//! 15 vector registers on x86: eight sums, two of weights and one of states fit, more rows do not.
#![no_std]

#[path = "layout.rs"]
#[allow(dead_code, reason = "the other kernels' blocks are there too")]
mod layout;
#[path = "scale_wasm.rs"]
mod scale_wasm;

use core::arch::wasm32::{
    f32x4_relaxed_madd, i8x16_splat, i32x4_extract_lane,
    i32x4_relaxed_dot_i8x16_i7x16_add, i32x4_splat, v128, v128_and, v128_load, v128_load32_splat, v128_store,
};

use layout::{ByteBlock, PANEL, PanelBlock, TILE};

/// Inputs that one instruction adds up.
const GROUP: usize = 4;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}

/// What the instruction makes of a second operand beyond 7 bits, which is the browser's choice:
/// 1 a byte without sign, 2 with sign, 0 anything else. `byte` is 255, told from outside so that
/// the compiler does not answer itself.
#[unsafe(no_mangle)]
pub extern "C" fn second_operand(byte: i32) -> i32 {
    let dot = |weight: i8| {
        let zero = i32x4_splat(0);
        let (weights, states) = (i8x16_splat(weight), i8x16_splat(byte as i8));
        i32x4_extract_lane::<0>(i32x4_relaxed_dot_i8x16_i7x16_add(weights, states, zero))
    };
    match (dot(127), dot(-128)) {
        (129_540, -130_560) => 1,
        (-508, 512) => 2,
        _ => 0,
    }
}

/// A `Product` (see `kernel`) of byte codes and groups of four.
///
/// # Safety
/// The pointers must reach as far as the counts say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn product(
    tiles: *const ByteBlock,
    tile_count: usize,
    panels: *const PanelBlock,
    panel_count: usize,
    block_count: usize,
    groups: usize,
    bias: *const f32,
    out: *mut f32,
    stride: usize,
    starts: i32,
    middles: i32,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let to = Out { bias, out, stride };
        let tiles = (tiles, tile_count);
        let panels = (panels, panel_count);
        if middles != 0 {
            multiply::<true>(tiles, panels, block_count, groups, to, starts);
        } else {
            multiply::<false>(tiles, panels, block_count, groups, to, starts);
        }
    }
}

/// Where sums begin and end.
struct Out {
    bias: *const f32,
    out: *mut f32,
    stride: usize,
}

/// # Safety
/// As [`product`].
#[inline(always)]
unsafe fn multiply<const MIDDLES: bool>(
    (tiles, tile_count): (*const ByteBlock, usize),
    (panels, panel_count): (*const PanelBlock, usize),
    block_count: usize,
    groups: usize,
    Out { bias, out, stride }: Out,
    starts: i32,
) {
    for panel in 0..panel_count {
        for tile in 0..tile_count {
            // SAFETY: the caller promises so many panels, tiles, outputs and rows.
            unsafe {
                let states = tiles.add(tile * block_count);
                let weights = panels.add(panel * block_count);
                let bias = bias.add(panel * PANEL).cast::<v128>();
                let bias = [v128_load(bias), v128_load(bias.add(1))];
                let mut sums = [bias; TILE];
                for block in 0..block_count {
                    let (states, weights) = (&*states.add(block), &*weights.add(block));
                    add_block::<MIDDLES>(&mut sums, states, weights, groups, starts);
                }
                for (row, sums) in sums.into_iter().enumerate() {
                    let row = out.add((tile * TILE + row) * stride + panel * PANEL).cast::<v128>();
                    v128_store(row, sums[0]);
                    v128_store(row.add(1), sums[1]);
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
    states: &ByteBlock,
    weights: &PanelBlock,
    groups: usize,
    starts: i32,
) {
    // SAFETY: all reads lie inside the two blocks.
    unsafe {
        let mut dots = [masked(weights.starts.as_ptr().cast(), starts); TILE];
        for group in 0..groups {
            let codes = scale_wasm::pair(weights.codes.as_ptr().add(group * PANEL * GROUP).cast());
            for (dots, row) in dots.iter_mut().zip(&states.codes) {
                let four = v128_load32_splat(row.as_ptr().add(group * GROUP).cast());
                dots[0] = i32x4_relaxed_dot_i8x16_i7x16_add(codes[0], four, dots[0]);
                dots[1] = i32x4_relaxed_dot_i8x16_i7x16_add(codes[1], four, dots[1]);
            }
        }
        let (of_weights, of_states) =
            ((&weights.scales, &weights.sums), (&states.scales, &states.middles));
        scale_wasm::add::<MIDDLES, TILE>(sums, dots, of_weights, of_states);
    }
}

/// Eight whole numbers or, where `mask` is 0, zeros.
///
/// # Safety
/// Eight numbers of 32 bits must lie there.
#[inline(always)]
unsafe fn masked(numbers: *const v128, mask: i32) -> [v128; 2] {
    // SAFETY: the caller's promise.
    let [first, second] = unsafe { scale_wasm::pair(numbers) };
    [v128_and(first, i32x4_splat(mask)), v128_and(second, i32x4_splat(mask))]
}

/// An `Accumulate` (see `float_kernel`) of panels of eight.
///
/// # Safety
/// The pointers must reach as far as the counts say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn accumulate(
    rows: *const f32,
    depth: usize,
    tile_count: usize,
    panels: *const f32,
    panel_count: usize,
    out: *mut f32,
    stride: usize,
) {
    for panel in 0..panel_count {
        for tile in 0..tile_count {
            // SAFETY: the caller promises so many panels, tiles, outputs and rows.
            unsafe {
                let weights = panels.add(panel * depth * PANEL).cast::<v128>();
                let rows = rows.add(tile * TILE * depth);
                let out = out.add(tile * TILE * stride + panel * PANEL);
                let place = |row: usize| out.add(row * stride).cast::<v128>();
                let mut sums: [[v128; 2]; TILE] = core::array::from_fn(|row| {
                    [v128_load(place(row)), v128_load(place(row).add(1))]
                });
                for step in 0..depth {
                    let pair =
                        [v128_load(weights.add(2 * step)), v128_load(weights.add(2 * step + 1))];
                    for (row, sums) in sums.iter_mut().enumerate() {
                        let factor = v128_load32_splat(rows.add(row * depth + step).cast());
                        sums[0] = f32x4_relaxed_madd(factor, pair[0], sums[0]);
                        sums[1] = f32x4_relaxed_madd(factor, pair[1], sums[1]);
                    }
                }
                for (row, sums) in sums.into_iter().enumerate() {
                    v128_store(place(row), sums[0]);
                    v128_store(place(row).add(1), sums[1]);
                }
            }
        }
    }
}
