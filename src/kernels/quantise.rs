//! States to whole numbers: every 32 of a row become `round(127 v / highest)`, `highest` the largest
//! magnitude among them, with the scale `highest / 127` (as llama.cpp's q8_0). What is below 1e-30
//! becomes zeros.
//!
//! Bindings: params (blocks), x `[blocks, 32]`, codes `[blocks, 8]` of four a word, scales `[blocks]`.
//! A thread a block.

use crate::gpu::buffer::Buffer;
use crate::gpu::recording::{Access, Dispatch, Shader, rows_grid};
use crate::kernels::matrix::BLOCK;

pub static SHADER: Shader = Shader {
    name: "quantise",
    source: concat!(
        include_str!("shared/params.wgsl"),
        include_str!("quantise.wgsl"),
        include_str!("shared/rows.wgsl")
    ),
    buffers: &[Access::Read, Access::Write, Access::Write],
};

/// Threads of a workgroup: `THREADS` in the kernels.
const THREADS: usize = 64;

/// The dispatch for so many blocks.
pub fn dispatch(blocks: usize, x: &Buffer, codes: &Buffer, scales: &Buffer) -> Dispatch {
    Dispatch {
        shader: &SHADER,
        constants: Vec::new(),
        params: [blocks as u32, 0, 0, 0, 0, 0, 0, 0],
        buffers: vec![x.clone(), codes.clone(), scales.clone()],
        groups: rows_grid(blocks.div_ceil(THREADS)),
    }
}

/// Codes and scales in plain loops.
pub fn reference(x: &[f32]) -> (Vec<i8>, Vec<f32>) {
    let (mut codes, mut scales) = (Vec::new(), Vec::new());
    for block in x.chunks(BLOCK) {
        let highest = block.iter().fold(0.0_f32, |highest, value| highest.max(value.abs()));
        let factor = if highest < 1e-30 { 0.0 } else { 127.0 / highest };
        codes.extend(block.iter().map(|value| (value * factor).round_ties_even() as i8));
        scales.push(if highest < 1e-30 { 0.0 } else { highest / 127.0 });
    }
    (codes, scales)
}
