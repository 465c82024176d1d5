//! The int8 product with `vpdpbusd`: four products of a byte without and a byte with sign, added
//! to a 32-bit sum. 256 bits hold a panel's eight outputs.
#![allow(unsafe_code, reason = "a kernel: see `Product`")]

use std::arch::x86_64::{
    __m256i, _mm256_add_ps, _mm256_and_si256, _mm256_cvtepi32_ps, _mm256_dpbusd_avx_epi32,
    _mm256_dpbusd_epi32, _mm256_loadu_ps, _mm256_loadu_si256, _mm256_mul_ps, _mm256_set1_epi32,
    _mm256_set1_ps, _mm256_storeu_ps,
};

use crate::simd::kernel::Product;
use crate::simd::layout::{ByteBlock, PANEL, PanelBlock, TILE};

/// Inputs that one instruction adds up.
const GROUP: usize = 4;

/// The kernels that this processor runs, the fastest last.
pub fn found() -> impl Iterator<Item = (&'static str, Product)> {
    let vex = is_x86_feature_detected!("avxvnni") && is_x86_feature_detected!("avx2");
    let wide = is_x86_feature_detected!("avx512vnni") && is_x86_feature_detected!("avx512vl");
    let vex = vex.then_some(("AVX-VNNI", avx as Product));
    vex.into_iter().chain(wide.then_some(("AVX-512 VNNI", avx512 as Product)))
}

macro_rules! product {
    ($name:ident, $features:literal, $dot:ident) => {
        #[target_feature(enable = $features)]
        unsafe extern "C" fn $name(
            tiles: *const u8,
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
            for panel in 0..panel_count {
                for tile in 0..tile_count {
                    // SAFETY: the caller promises so many panels, tiles, outputs and rows.
                    unsafe {
                        let states = tiles.cast::<ByteBlock>().add(tile * block_count);
                        let weights = panels.add(panel * block_count);
                        let mut sums = [_mm256_loadu_ps(bias.add(panel * PANEL)); TILE];
                        for block in 0..block_count {
                            let (states, weights) = (&*states.add(block), &*weights.add(block));
                            let start = weights.starts.as_ptr().cast::<__m256i>();
                            let start = _mm256_loadu_si256(start);
                            let start = _mm256_and_si256(start, _mm256_set1_epi32(starts));
                            let mut dots = [start; TILE];
                            for group in 0..groups {
                                let codes = weights.codes.as_ptr().add(group * PANEL * GROUP);
                                let codes = _mm256_loadu_si256(codes.cast());
                                for (dots, row) in dots.iter_mut().zip(&states.codes) {
                                    let four = row.as_ptr().add(group * GROUP).cast::<i32>();
                                    let four = _mm256_set1_epi32(four.read_unaligned());
                                    *dots = $dot(*dots, four, codes);
                                }
                            }
                            let scales = _mm256_loadu_ps(weights.scales.as_ptr());
                            let weight_sums = _mm256_loadu_ps(weights.sums.as_ptr());
                            for (row, (sums, dots)) in sums.iter_mut().zip(dots).enumerate() {
                                let scale =
                                    _mm256_mul_ps(scales, _mm256_set1_ps(states.scales[row]));
                                let mut part = _mm256_mul_ps(_mm256_cvtepi32_ps(dots), scale);
                                if middles != 0 {
                                    let middle = _mm256_set1_ps(states.middles[row]);
                                    let rest = _mm256_mul_ps(weight_sums, middle);
                                    part = _mm256_add_ps(part, rest);
                                }
                                *sums = _mm256_add_ps(*sums, part);
                            }
                        }
                        for (row, sums) in sums.into_iter().enumerate() {
                            let row = (tile * TILE + row) * stride;
                            _mm256_storeu_ps(out.add(row + panel * PANEL), sums);
                        }
                    }
                }
            }
        }
    };
}

product!(avx, "avx2,avxvnni", _mm256_dpbusd_avx_epi32);
product!(avx512, "avx2,avx512vnni,avx512vl", _mm256_dpbusd_epi32);
