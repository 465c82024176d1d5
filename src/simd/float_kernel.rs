//! Kernels of the product of real numbers: tiles of four rows by panels of 8 to 32 columns, whose
//! sums stay in registers.
#![allow(unsafe_code, reason = "kernels read and write through pointers; `accumulate` checks them")]

use std::sync::OnceLock;

/// Rows of a tile.
pub const ROWS: usize = 4;

/// Adds tiles by panels to `out`: `(rows, depth, tile_count, panels, panel_count, out, stride)`.
/// Rows are `depth` numbers each, one after another; panels are `[depth][width]`; a row of `out` is
/// `stride` numbers long.
pub type Accumulate =
    unsafe extern "C" fn(*const f32, usize, usize, *const f32, usize, *mut f32, usize);

/// Set at most once, before anything is multiplied.
static OFFERED: OnceLock<FloatKernel> = OnceLock::new();

/// A way to compute the product.
#[derive(Debug, Clone, Copy)]
pub struct FloatKernel {
    name: &'static str,
    /// Columns of a panel.
    width: usize,
    run: Accumulate,
}

impl FloatKernel {
    /// The plainest one. Its width suits registers of 128 bits, as the browser has.
    pub const PORTABLE: Self = Self { name: "portable", width: 8, run: portable };

    /// The wasm relaxed-SIMD module's, with panels of eight.
    pub fn relaxed(run: Accumulate) -> Self {
        Self { name: "relaxed SIMD", width: 8, run }
    }

    /// From now on [`FloatKernel::fastest`] is this one; `false` where one was offered or asked
    /// for before.
    pub fn offer(self) -> bool {
        OFFERED.set(self).is_ok()
    }

    /// The fastest one here.
    pub fn fastest() -> Self {
        *OFFERED.get_or_init(|| Self::built_in().last().copied().unwrap_or(Self::PORTABLE))
    }

    /// All that run here and are part of this program, the fastest last.
    pub fn built_in() -> Vec<Self> {
        let portable = std::iter::once(Self::PORTABLE);
        #[cfg(target_arch = "x86_64")]
        let portable = portable.chain(x86::found());
        portable.collect()
    }

    /// For the benchmark's listing.
    pub fn name(&self) -> &'static str {
        self.name
    }

    pub(in crate::simd) fn width(&self) -> usize {
        self.width
    }

    /// `out += rows panels`: rows `[4 tiles, depth]`, panels `[panels][depth][width]`, `out`
    /// `[4 tiles, stride]`.
    pub(in crate::simd) fn accumulate(
        &self,
        rows: &[f32],
        depth: usize,
        panels: &[f32],
        out: &mut [f32],
        stride: usize,
    ) {
        let tile_count = rows.len() / (ROWS * depth).max(1);
        let panel_count = panels.len() / (self.width * depth).max(1);
        assert!(stride >= panel_count * self.width, "rows of the output are too short");
        assert!(out.len() >= tile_count * ROWS * stride, "the output is too short");
        let (rows, panels, out) = (rows.as_ptr(), panels.as_ptr(), out.as_mut_ptr());
        // SAFETY: the counts come from the lengths, and the output was measured above.
        unsafe { (self.run)(rows, depth, tile_count, panels, panel_count, out, stride) }
    }
}

/// The body of all kernels that the compiler turns into vector instructions.
///
/// # Safety
/// As [`Accumulate`] says.
#[inline(always)]
unsafe fn accumulate<const WIDTH: usize>(
    (rows, depth, tile_count): (*const f32, usize, usize),
    (panels, panel_count): (*const f32, usize),
    (out, stride): (*mut f32, usize),
    step: impl Fn(f32, f32, f32) -> f32,
) {
    for panel in 0..panel_count {
        for tile in 0..tile_count {
            // SAFETY: the caller promises so many panels, tiles, outputs and rows.
            unsafe {
                let panel_start = panels.add(panel * depth * WIDTH).cast::<[f32; WIDTH]>();
                let rows: [*const f32; ROWS] =
                    std::array::from_fn(|row| rows.add((tile * ROWS + row) * depth));
                let places: [*mut [f32; WIDTH]; ROWS] = std::array::from_fn(|row| {
                    out.add((tile * ROWS + row) * stride + panel * WIDTH).cast()
                });
                let mut sums = places.map(|place| place.read_unaligned());
                for place in 0..depth {
                    let weights = panel_start.add(place).read_unaligned();
                    for (sums, row) in sums.iter_mut().zip(rows) {
                        let factor = *row.add(place);
                        for (sum, weight) in sums.iter_mut().zip(weights) {
                            *sum = step(factor, weight, *sum);
                        }
                    }
                }
                for (place, sums) in places.into_iter().zip(sums) {
                    place.write_unaligned(sums);
                }
            }
        }
    }
}

/// # Safety
/// As [`Accumulate`] says.
unsafe extern "C" fn portable(
    rows: *const f32,
    depth: usize,
    tile_count: usize,
    panels: *const f32,
    panel_count: usize,
    out: *mut f32,
    stride: usize,
) {
    let (rows, panels, out) = ((rows, depth, tile_count), (panels, panel_count), (out, stride));
    // SAFETY: the caller's promise.
    unsafe { accumulate::<8>(rows, panels, out, |factor, weight, sum| sum + factor * weight) }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Accumulate, FloatKernel, accumulate};

    /// The kernels that this processor runs, the fastest last.
    pub fn found() -> impl Iterator<Item = FloatKernel> {
        let fma = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let fma = fma.then_some(FloatKernel { name: "FMA", width: 16, run: fma_256 as Accumulate });
        let wide = is_x86_feature_detected!("avx512f");
        let wide =
            wide.then_some(FloatKernel { name: "AVX-512", width: 32, run: fma_512 as Accumulate });
        fma.into_iter().chain(wide)
    }

    macro_rules! kernel {
        ($name:ident, $features:literal, $width:literal) => {
            #[target_feature(enable = $features)]
            unsafe extern "C" fn $name(
                rows: *const f32,
                depth: usize,
                tile_count: usize,
                panels: *const f32,
                panel_count: usize,
                out: *mut f32,
                stride: usize,
            ) {
                let (rows, panels) = ((rows, depth, tile_count), (panels, panel_count));
                // SAFETY: the caller's promise.
                unsafe { accumulate::<$width>(rows, panels, (out, stride), f32::mul_add) }
            }
        };
    }

    kernel!(fma_256, "avx2,fma", 16);
    kernel!(fma_512, "avx512f,fma", 32);
}
