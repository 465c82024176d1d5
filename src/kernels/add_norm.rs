//! `states = layer_norm(states + residual)`, row by row: `(v - mean) / sqrt(variance + epsilon) gain
//! + offset` (arXiv 1607.06450), in place.
//!
//! Bindings: params (rows, hidden, epsilon), states `[rows, hidden]`, residual `[rows, hidden]`, norm
//! `[2, hidden]` (gain, offset). A workgroup a row.

use crate::gpu::buffer::Buffer;
use crate::gpu::recording::{Access, Dispatch, Shader, rows_grid};

pub static SHADER: Shader = Shader {
    name: "add_norm",
    source: concat!(
        include_str!("shared/params.wgsl"),
        include_str!("add_norm.wgsl"),
        include_str!("shared/rows.wgsl"),
        include_str!("shared/norm.wgsl")
    ),
    buffers: &[Access::Write, Access::Read, Access::Read],
};

/// The dispatch for `[rows, hidden]`.
pub fn dispatch(
    (rows, hidden): (usize, usize),
    epsilon: f32,
    states: &Buffer,
    residual: &Buffer,
    norm: &Buffer,
) -> Dispatch {
    Dispatch {
        shader: &SHADER,
        constants: Vec::new(),
        params: [rows as u32, hidden as u32, epsilon.to_bits(), 0, 0, 0, 0, 0],
        buffers: vec![states.clone(), residual.clone(), norm.clone()],
        groups: rows_grid(rows),
    }
}

/// The same in plain loops.
pub fn reference(
    states: &[f32],
    residual: &[f32],
    gain: &[f32],
    offset: &[f32],
    epsilon: f32,
) -> Vec<f32> {
    let hidden = gain.len();
    let mut out = Vec::with_capacity(states.len());
    for (states, residual) in states.chunks(hidden).zip(residual.chunks(hidden)) {
        let sums: Vec<f64> =
            states.iter().zip(residual).map(|(a, b)| f64::from(*a) + f64::from(*b)).collect();
        let mean = sums.iter().sum::<f64>() / hidden as f64;
        let variance = sums.iter().map(|sum| (sum - mean).powi(2)).sum::<f64>() / hidden as f64;
        for i in 0..hidden {
            let standard = (sums[i] - mean) / (variance + f64::from(epsilon)).sqrt();
            out.push((standard * f64::from(gain[i]) + f64::from(offset[i])) as f32);
        }
    }
    out
}
