//! Weights of a linear layer as an int8 product reads them.

use crate::simd::codes::Form;
use crate::simd::kernel::Kernel;
use crate::simd::layout::{BLOCK, PANEL, PanelBlock};
#[cfg(not(target_arch = "wasm32"))]
use crate::simd::rounding as ends;
#[cfg(target_arch = "wasm32")]
use crate::simd::rounding_wasm as ends;

/// Blocks of smaller numbers are taken for zero: the inverse of their scale would not be finite.
const LEAST: f32 = 1e-30;

/// `[outputs, inputs]` in panels of eight outputs, `[panel][block]`.
#[derive(Clone, PartialEq)]
pub struct Panels {
    pub(in crate::simd) blocks: Vec<PanelBlock>,
    outputs: usize,
    inputs: usize,
    form: Form,
    group: usize,
}

/// Leaves out the numbers.
impl std::fmt::Debug for Panels {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Panels [{}, {}]", self.outputs, self.inputs)
    }
}

impl Panels {
    /// Room for `[outputs, inputs]`, all zero; `None` where memory is short. Inputs are rounded up
    /// to whole blocks.
    pub fn new(kernel: &Kernel, outputs: usize, inputs: usize) -> Option<Self> {
        let mut panels = Self::empty(kernel);
        let count = outputs.div_ceil(PANEL).checked_mul(inputs.div_ceil(BLOCK))?;
        panels.blocks.try_reserve_exact(count).ok()?;
        panels.reset(outputs, inputs);
        Some(panels)
    }

    /// No weights yet.
    pub fn empty(kernel: &Kernel) -> Self {
        let (form, group) = (kernel.form, kernel.group);
        Self { blocks: Vec::new(), outputs: 0, inputs: 0, form, group }
    }

    /// Becomes `[outputs, inputs]` zeros; takes no new memory where it was as large before.
    pub fn reset(&mut self, outputs: usize, inputs: usize) {
        (self.outputs, self.inputs) = (outputs, inputs);
        let (scales, sums) = ([0.0; PANEL], [0.0; PANEL]);
        let empty = PanelBlock { codes: [0; BLOCK * PANEL], starts: [0; PANEL], scales, sums };
        self.blocks.clear();
        self.blocks.resize(self.panel_count() * self.block_count(), empty);
    }

    pub fn outputs(&self) -> usize {
        self.outputs
    }

    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Panels of eight outputs; the last one may be filled up with zeros.
    pub fn panel_count(&self) -> usize {
        self.outputs.div_ceil(PANEL)
    }

    /// Blocks of 32 inputs.
    pub fn block_count(&self) -> usize {
        self.inputs.div_ceil(BLOCK)
    }

    /// Bytes in memory.
    pub fn size_bytes(&self) -> usize {
        self.blocks.len() * size_of::<PanelBlock>()
    }

    pub(in crate::simd) fn fits(&self, kernel: &Kernel) -> bool {
        self.form == kernel.form && self.group == kernel.group
    }

    /// Sets 32 inputs of an output; places outside are ignored.
    pub fn set(&mut self, output: usize, block: usize, scale: f32, codes: &[i8; BLOCK]) {
        let place = (output / PANEL) * self.block_count() + block;
        let (group, lane) = (self.group, output % PANEL);
        let Some(to) = self.blocks.get_mut(place) else { return };
        match group {
            2 => spread::<2>(codes, lane, &mut to.codes),
            _ => spread::<4>(codes, lane, &mut to.codes),
        }
        let sum: i32 = codes.iter().map(|code| i32::from(*code)).sum();
        to.starts[lane] = self.form.start() * sum;
        to.scales[lane] = scale;
        to.sums[lane] = scale * sum as f32;
    }

    /// Sets 32 inputs of an output to the nearest codes of real numbers. Where one is not finite,
    /// the scale is not either, so that they do not pass for good ones.
    pub fn set_rounded(&mut self, output: usize, block: usize, values: &[f32; BLOCK]) {
        let most = ends::reach(values, 0.0);
        if most < LEAST {
            return self.set(output, block, 0.0, &[0; BLOCK]);
        }
        let codes = ends::codes(values, -most, 127.0 / most);
        self.set(
            output,
            block,
            if most.is_finite() { most / 127.0 } else { f32::NAN },
            &codes.map(|code| code.wrapping_sub(127).cast_signed()),
        );
    }

    /// The sums of each output's weights, `[8 panels]`: what a constant added to all inputs comes to.
    pub fn totals(&self) -> impl Iterator<Item = f32> {
        let panels = self.blocks.chunks_exact(self.block_count().max(1));
        panels.flat_map(|blocks| {
            let lane = |lane: usize| blocks.iter().map(|block| block.sums[lane]).sum();
            std::array::from_fn::<f32, PANEL, _>(lane)
        })
    }

    /// The codes of a place with their scale and sum.
    pub(in crate::simd) fn get(&self, output: usize, block: usize) -> ([i32; BLOCK], f32, f32) {
        let it = &self.blocks[(output / PANEL) * self.block_count() + block];
        let (group, lane) = (self.group, output % PANEL);
        let code = |input: usize| {
            let groups = (input / group) * PANEL * group;
            i32::from(it.codes[groups + lane * group + input % group])
        };
        (std::array::from_fn(code), it.scales[lane], it.sums[lane])
    }
}

/// Puts the groups of an output's codes where they belong among its neighbours'.
fn spread<const GROUP: usize>(codes: &[i8; BLOCK], lane: usize, to: &mut [i8; BLOCK * PANEL]) {
    let places = to.as_chunks_mut::<GROUP>().0.iter_mut().skip(lane).step_by(PANEL);
    for (place, group) in places.zip(codes.as_chunks::<GROUP>().0) {
        *place = *group;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounded_weights_are_near_and_the_largest_is_exact() {
        let mut panels = Panels::new(&Kernel::PORTABLE, 9, 64).unwrap();
        let values: [f32; BLOCK] = std::array::from_fn(|i| (i as f32 * 0.9).sin() * 3.0 - 0.5);
        panels.set_rounded(8, 1, &values);
        let (codes, scale, sum) = panels.get(8, 1);
        assert!(codes.contains(&-127) && codes.iter().all(|code| code.abs() <= 127));
        for (code, value) in codes.iter().zip(values) {
            assert!((*code as f32 * scale - value).abs() <= 0.501 * scale, "{code} {value}");
        }
        assert_eq!(sum, scale * codes.iter().sum::<i32>() as f32);
        assert_eq!(panels.get(0, 0), ([0; BLOCK], 0.0, 0.0));
        panels.set_rounded(0, 0, &[1e-35; BLOCK]);
        assert_eq!(panels.get(0, 0), ([0; BLOCK], 0.0, 0.0));
        for bad in [f32::NAN, f32::INFINITY] {
            let mut values = values;
            values[5] = bad;
            panels.set_rounded(1, 0, &values);
            assert!(panels.get(1, 0).1.is_nan(), "{bad}");
        }
    }
}
