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

    /// As [`Panels::set_rounded`] of a panel's eight outputs at once, whose numbers stand side by
    /// side: eight an input, at most 32 inputs, the rest 0. Places outside are ignored.
    pub fn set_rounded_across(&mut self, panel: usize, block: usize, inputs: &[[f32; PANEL]]) {
        let place = panel * self.block_count() + block;
        let (group, start) = (self.group, self.form.start());
        let Some(to) = self.blocks.get_mut(place).filter(|_| block * BLOCK < self.inputs) else {
            return;
        };
        let steps = Steps::of(inputs);
        let sums = match group {
            2 => steps.encode::<2>(inputs, &mut to.codes),
            _ => steps.encode::<4>(inputs, &mut to.codes),
        };
        to.starts = sums.map(|sum| start * sum);
        to.scales = steps.scales;
        to.sums = std::array::from_fn(|lane| steps.scales[lane] * sums[lane] as f32);
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

/// How eight outputs are rounded, side by side: what [`Panels::set_rounded`] finds for one.
struct Steps {
    most: [f32; PANEL],
    inverses: [f32; PANEL],
    scales: [f32; PANEL],
    /// No bit where all numbers are taken for zero.
    masks: [u32; PANEL],
}

impl Steps {
    fn of(inputs: &[[f32; PANEL]]) -> Self {
        // Without their sign, numbers are ordered as their bits are, NaN beyond infinity.
        let mut tops = [0_i32; PANEL];
        for values in inputs {
            for (top, value) in tops.iter_mut().zip(values) {
                *top = (*top).max(value.abs().to_bits().cast_signed());
            }
        }
        let most = tops.map(|top| f32::from_bits(top.cast_unsigned()));
        let scale = |most: f32| match most {
            most if most < LEAST => 0.0,
            most if most.is_finite() => most / 127.0,
            _ => f32::NAN,
        };
        Self {
            most,
            inverses: most.map(|most| 127.0 / most.max(LEAST)),
            scales: most.map(scale),
            masks: most.map(|most| if most < LEAST { 0 } else { u32::MAX }),
        }
    }

    /// Writes the codes in groups as [`PanelBlock`] says; returns their sums.
    #[inline]
    fn encode<const GROUP: usize>(
        &self,
        inputs: &[[f32; PANEL]],
        to: &mut [i8; BLOCK * PANEL],
    ) -> [i32; PANEL] {
        let mut sums = [0_i32; PANEL];
        to.fill(0);
        for (to, group) in to.chunks_exact_mut(GROUP * PANEL).zip(inputs.chunks(GROUP)) {
            // An output's codes, the first one lowest.
            let mut words = [0_u32; PANEL];
            for (place, values) in group.iter().enumerate() {
                for lane in 0..PANEL {
                    let steps = (values[lane] + self.most[lane]) * self.inverses[lane];
                    let code = ((steps + ends::ROUNDER).to_bits() & 255).wrapping_sub(127);
                    let code = code & self.masks[lane];
                    sums[lane] += code.cast_signed();
                    words[lane] |= (code & 255) << (8 * place);
                }
            }
            for (to, word) in to.as_chunks_mut::<GROUP>().0.iter_mut().zip(words) {
                for (to, byte) in to.iter_mut().zip(word.to_le_bytes()) {
                    *to = byte.cast_signed();
                }
            }
        }
        sums
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

    #[test]
    fn eight_outputs_at_once_are_as_one_by_one() {
        let inputs = 2 * BLOCK + 5;
        let value = |output: usize, input: usize| match output {
            2 => 0.0,
            3 => 1e-33 * input as f32,
            4 => -7e20,
            5 if input == 40 => f32::NAN,
            6 if input == 3 => f32::NEG_INFINITY,
            _ => ((output * 71 + input * 13) as f32 * 0.37).sin() * output as f32,
        };
        for kernel in Kernel::built_in() {
            let room = || Panels::new(&kernel, 11, inputs).unwrap();
            let (mut found, mut wanted) = (room(), room());
            for block in 0..3 {
                let width = BLOCK.min(inputs - block * BLOCK);
                for panel in 0..2 {
                    let rows: Vec<[f32; PANEL]> = (0..width)
                        .map(|input| {
                            let output = |lane| panel * PANEL + lane;
                            std::array::from_fn(|lane| value(output(lane), block * BLOCK + input))
                        })
                        .collect();
                    found.set_rounded_across(panel, block, &rows);
                    for lane in 0..PANEL {
                        let mut values = [0.0; BLOCK];
                        for (to, row) in values.iter_mut().zip(&rows) {
                            *to = row[lane];
                        }
                        wanted.set_rounded(panel * PANEL + lane, block, &values);
                    }
                }
            }
            found.set_rounded_across(2, 0, &[[1.0; PANEL]]);
            found.set_rounded_across(0, 3, &[[1.0; PANEL]]);
            for (output, block) in (0..11).flat_map(|output| (0..3).map(move |b| (output, b))) {
                let (found, wanted) = (found.get(output, block), wanted.get(output, block));
                let what = (kernel.name, output, block);
                if wanted.1.is_nan() {
                    assert!(found.1.is_nan() && found.2.is_nan(), "{what:?}");
                } else {
                    assert_eq!(found, wanted, "{what:?}");
                }
            }
        }
    }
}
