//! Every row divided by its L2 norm, in place; a row of zeros stays.
//!
//! Bindings: params (rows, hidden), states `[rows, hidden]`. A workgroup a row.

use crate::gpu::buffer::Buffer;
use crate::gpu::recording::{Access, Dispatch, Shader, rows_grid};

pub static SHADER: Shader = Shader {
    name: "unit",
    source: concat!(
        include_str!("shared/params.wgsl"),
        include_str!("unit.wgsl"),
        include_str!("shared/rows.wgsl")
    ),
    buffers: &[Access::Write],
};

/// The dispatch for `[rows, hidden]`.
pub fn dispatch((rows, hidden): (usize, usize), states: &Buffer) -> Dispatch {
    Dispatch {
        shader: &SHADER,
        constants: Vec::new(),
        params: [rows as u32, hidden as u32, 0, 0, 0, 0, 0, 0],
        buffers: vec![states.clone()],
        groups: rows_grid(rows),
    }
}

/// The same in plain loops.
pub fn reference(states: &[f32], hidden: usize) -> Vec<f32> {
    let mut out = Vec::with_capacity(states.len());
    for row in states.chunks(hidden) {
        let norm = row.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
        let norm = if norm == 0.0 { 1.0 } else { norm };
        out.extend(row.iter().map(|value| (f64::from(*value) / norm) as f32));
    }
    out
}
