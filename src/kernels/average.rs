//! `second = (first + second) / 2`, number by number, in place.
//!
//! Bindings: params (rows, hidden), first `[rows, hidden]`, second `[rows, hidden]`. A workgroup a
//! row.

use crate::gpu::buffer::Buffer;
use crate::gpu::recording::{Access, Dispatch, Shader, rows_grid};

pub static SHADER: Shader = Shader {
    name: "average",
    source: concat!(
        include_str!("shared/params.wgsl"),
        include_str!("average.wgsl"),
        include_str!("shared/rows.wgsl")
    ),
    buffers: &[Access::Read, Access::Write],
};

/// The dispatch for `[rows, hidden]`.
pub fn dispatch((rows, hidden): (usize, usize), first: &Buffer, second: &Buffer) -> Dispatch {
    Dispatch {
        shader: &SHADER,
        constants: Vec::new(),
        params: [rows as u32, hidden as u32, 0, 0, 0, 0, 0, 0],
        buffers: vec![first.clone(), second.clone()],
        groups: rows_grid(rows),
    }
}

/// The same in plain loops.
pub fn reference(first: &[f32], second: &[f32]) -> Vec<f32> {
    first.iter().zip(second).map(|(a, b)| 0.5 * (a + b)).collect()
}
