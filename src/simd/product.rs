//! The int8 product, by the fastest kernel there is here.
#![allow(unsafe_code, reason = "kernels read and write through pointers; `multiply` checks them")]

use std::ops::Range;
use std::sync::OnceLock;

use crate::simd::codes::{Codes, Coding, Form, Tiles};
use crate::simd::kernel::Kernel;
use crate::simd::layout::{BLOCK, PANEL, TILE};
use crate::simd::panels::Panels;
use crate::simd::portable;
#[cfg(target_arch = "wasm32")]
use crate::simd::wasm;
#[cfg(target_arch = "x86_64")]
use crate::simd::x86;

/// Set at most once, before any weights are packed.
static OFFERED: OnceLock<Kernel> = OnceLock::new();

impl Kernel {
    /// The plainest one.
    pub const PORTABLE: Self =
        Self { name: "portable", form: Form::Wide, group: 2, product: portable::product };

    /// From now on [`Kernel::fastest`] is this one; `false` where one was offered or asked for
    /// before.
    pub fn offer(self) -> bool {
        OFFERED.set(self).is_ok()
    }

    /// The fastest one here.
    pub fn fastest() -> Self {
        *OFFERED.get_or_init(|| Self::built_in().last().copied().unwrap_or(Self::PORTABLE))
    }

    /// All that run here and are part of this program, the fastest last.
    pub fn built_in() -> Vec<Self> {
        let mut kernels = vec![Self::PORTABLE];
        #[cfg(target_arch = "wasm32")]
        kernels.push(Self { name: "simd128", form: Form::Wide, group: 2, product: wasm::product });
        #[cfg(target_arch = "x86_64")]
        kernels.extend(x86::found().map(|(name, product)| Self {
            name,
            form: Form::Unsigned,
            group: 4,
            product,
        }));
        kernels
    }

    /// `states weights^T + bias` (of states coded above a floor: what they are above it) of those
    /// panels of weights: eight outputs each, side by side in
    /// `out` from its first number on, whose rows are `stride` apart. Rows are written in whole
    /// tiles: `out` must hold `4 tile_count` of them. `bias` is `[8 panels]`.
    ///
    /// # Panics
    /// Where codes or panels are another kernel's, or shapes contradict each other.
    pub fn multiply(
        &self,
        codes: &Codes,
        weights: &Panels,
        panels: Range<usize>,
        bias: &[f32],
        out: &mut [f32],
        stride: usize,
    ) {
        let (blocks, tiles) = (weights.block_count(), codes.tile_count());
        assert!(codes.form() == self.form && weights.fits(self), "packed for another kernel");
        assert!(codes.block_count() == blocks, "inputs differ");
        let used = &weights.blocks[panels.start * blocks..panels.end * blocks];
        let width = panels.len() * PANEL;
        if width == 0 || tiles == 0 {
            return;
        }
        assert!(bias.len() >= width && stride >= width, "outputs differ");
        assert!(out.len() >= (tiles * TILE - 1) * stride + width, "the output is too short");
        let states = match &codes.tiles {
            Tiles::Bytes(blocks, _) => blocks.as_ptr().cast::<u8>(),
            Tiles::Wide(blocks) => blocks.as_ptr().cast::<u8>(),
        };
        // SAFETY: `Codes` holds `tiles * blocks` blocks of its form, `used` is `panels.len() *
        // blocks` long, bias and out were measured above.
        unsafe {
            (self.product)(
                states,
                tiles,
                used.as_ptr(),
                panels.len(),
                blocks,
                BLOCK / self.group,
                bias.as_ptr(),
                out.as_mut_ptr(),
                stride,
                if codes.form().has_start(codes.coding()) { -1 } else { 0 },
                i32::from(codes.coding() == Coding::Spread),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::plain;

    /// Deterministic bytes (Marsaglia's xorshift).
    struct Bytes(u64);

    impl Bytes {
        fn next(&mut self) -> u8 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 40) as u8
        }

        fn real(&mut self) -> f32 {
            (f32::from(self.next()) - 127.5) / 64.0
        }
    }

    /// Codes and weights of which many are as large as they can be.
    fn case(
        kernel: &Kernel,
        coding: Coding,
        (rows, outputs, inputs): (usize, usize, usize),
    ) -> (Codes, Panels) {
        let mut bytes = Bytes(0x9e37_79b9 + (rows * 31 + outputs * 7 + inputs) as u64);
        let mut codes = kernel.codes();
        let values: Vec<f32> = (0..rows * inputs)
            .map(|_| if bytes.next() < 80 { 1e4 } else { bytes.real() * 3e3 })
            .collect();
        codes.fill(&values, inputs, coding);
        let mut panels = Panels::new(kernel, outputs, inputs).unwrap();
        for output in 0..outputs {
            for block in 0..inputs.div_ceil(BLOCK) {
                let mut extreme = || match bytes.next() {
                    0..60 => i8::MIN,
                    60..120 => i8::MAX,
                    other => other.cast_signed(),
                };
                let weights = std::array::from_fn(|_| extreme());
                let scale = bytes.real() * 0.01;
                panels.set(output, block, scale, &weights);
            }
        }
        (codes, panels)
    }

    #[test]
    fn every_kernel_equals_the_plain_product_to_the_bit() {
        let shapes = [
            (1, 8, 32),
            (2, 1, 32),
            (3, 9, 64),
            (4, 16, 96),
            (5, 23, 33),
            (7, 40, 31),
            (8, 7, 1536),
            (33, 24, 384),
        ];
        let codings = [Coding::Spread, Coding::Centred, Coding::Above(-7e3)];
        for kernel in Kernel::built_in() {
            let cases = shapes.iter().flat_map(|shape| codings.map(|coding| (*shape, coding)));
            for ((rows, outputs, inputs), coding) in cases {
                let (codes, panels) = case(&kernel, coding, (rows, outputs, inputs));
                let width = panels.panel_count() * PANEL;
                let bias: Vec<f32> = (0..width).map(|i| i as f32 * 0.1 - 1.0).collect();
                let wanted = plain::multiply(&codes, &panels, &bias);
                let mut found = vec![f32::NAN; codes.tile_count() * TILE * width];
                let all = 0..panels.panel_count();
                kernel.multiply(&codes, &panels, all, &bias, &mut found, width);
                for row in 0..rows {
                    let found = &found[row * width..][..outputs];
                    let wanted = &wanted[row * outputs..][..outputs];
                    let what = (kernel.name, coding, rows, outputs, inputs, row);
                    assert!(
                        found.iter().zip(wanted).all(|(a, b)| a.to_bits() == b.to_bits()),
                        "{what:?}\n{found:?}\n{wanted:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn panels_can_be_taken_one_by_one() {
        let kernel = Kernel::fastest();
        let (codes, panels) = case(&kernel, Coding::Centred, (6, 24, 64));
        let bias: Vec<f32> = (0..24).map(|i| i as f32).collect();
        let wanted = plain::multiply(&codes, &panels, &bias);
        for panel in 0..3 {
            let mut found = [0.0; 8 * 10];
            kernel.multiply(&codes, &panels, panel..panel + 1, &bias[panel * 8..], &mut found, 10);
            for row in 0..6 {
                assert_eq!(found[row * 10..][..8], wanted[row * 24 + panel * 8..][..8]);
                assert_eq!(found[row * 10 + 8..][..2], [0.0; 2]);
            }
        }
    }

    #[test]
    fn kernels_that_run_here_are_named() {
        let names: Vec<_> = Kernel::built_in().iter().map(|kernel| kernel.name).collect();
        println!("kernels: {names:?}; the fastest: {}", Kernel::fastest().name);
        assert_eq!(names[0], "portable");
    }
}
