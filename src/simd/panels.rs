//! Weights of a linear layer as an int8 product reads them.

use crate::simd::codes::Form;
use crate::simd::kernel::Kernel;
use crate::simd::layout::{BLOCK, PANEL, PanelBlock};

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
        let count = outputs.div_ceil(PANEL).checked_mul(inputs.div_ceil(BLOCK))?;
        let mut blocks = Vec::new();
        blocks.try_reserve_exact(count).ok()?;
        let (scales, sums) = ([0.0; PANEL], [0.0; PANEL]);
        let empty = PanelBlock { codes: [0; BLOCK * PANEL], starts: [0; PANEL], scales, sums };
        blocks.resize(count, empty);
        Some(Self { blocks, outputs, inputs, form: kernel.form, group: kernel.group })
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
        for (groups, codes) in
            to.codes.chunks_exact_mut(PANEL * group).zip(codes.chunks_exact(group))
        {
            groups[lane * group..][..group].copy_from_slice(codes);
        }
        let sum: i32 = codes.iter().map(|code| i32::from(*code)).sum();
        to.starts[lane] = if self.form == Form::Unsigned { -128 * sum } else { 0 };
        to.scales[lane] = scale;
        to.sums[lane] = scale * sum as f32;
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
