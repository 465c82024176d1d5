//! A linear layer: `act(x weights^T + bias)`, `act` nothing, the GELU `v (1 + erf(v / sqrt 2)) / 2`
//! (arXiv 1606.08415) or tanh. Weights are unpacked from their blocks on the way into workgroup
//! memory; sums are `f32`.
//!
//! Bindings: params (rows, inputs, outputs), x `[rows, inputs]`, codes and scales of the weights
//! `[outputs, inputs]`, bias `[outputs]`, out `[rows, outputs]`. A workgroup computes 64 outputs of 16
//! to 64 rows (`ROWS_4TH`).

use crate::gpu::buffer::Buffer;
use crate::gpu::recording::{Access, Dispatch, Shader};
use crate::kernels::matrix::{Matrix, OnGpu};

pub static SHADER: Shader = Shader {
    name: "linear",
    source: concat!(include_str!("shared/params.wgsl"), include_str!("linear.wgsl")),
    buffers: &[Access::Read, Access::Read, Access::Read, Access::Read, Access::Write],
};

/// What follows the sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    Nothing = 0,
    Gelu = 1,
    Tanh = 2,
}

/// Outputs of a workgroup.
const OUTPUTS: usize = 64;

/// Rows of a workgroup over four: few where there are few rows, since those outside are computed too.
fn rows_4th(rows: usize) -> usize {
    match rows {
        0..=16 => 4,
        17..=32 => 8,
        _ => 16,
    }
}

/// The dispatch for so many rows.
pub fn dispatch(
    rows: usize,
    x: &Buffer,
    weights: &OnGpu,
    bias: &Buffer,
    activation: Activation,
    out: &Buffer,
) -> Dispatch {
    let (outputs, inputs, tile) = (weights.rows, weights.columns, rows_4th(rows));
    Dispatch {
        shader: &SHADER,
        constants: vec![
            ("ROWS_4TH", tile as u32),
            ("REAL", u32::from(weights.is_real)),
            ("ACTIVATION", activation as u32),
        ],
        params: [rows as u32, inputs as u32, outputs as u32, 0, 0, 0, 0, 0],
        buffers: [x, &weights.codes, &weights.scales, bias, out].map(Buffer::clone).into(),
        groups: [outputs.div_ceil(OUTPUTS) as u32, rows.div_ceil(4 * tile) as u32, 1],
    }
}

/// The same in plain loops.
pub fn reference(x: &[f32], weights: &Matrix, bias: &[f32], activation: Activation) -> Vec<f32> {
    let table = weights.decoded();
    let mut out = Vec::new();
    for row in x.chunks(weights.columns) {
        for (weights, bias) in table.chunks(weights.columns).zip(bias) {
            let products = row.iter().zip(weights).map(|(x, w)| f64::from(*x) * f64::from(*w));
            let sum = products.sum::<f64>() + f64::from(*bias);
            out.push(match activation {
                Activation::Nothing => sum,
                Activation::Gelu => 0.5 * sum * (1.0 + erf(sum / 2.0_f64.sqrt())),
                Activation::Tanh => sum.tanh(),
            } as f32);
        }
    }
    out
}

/// The error function by its Maclaurin series, `2 / sqrt(pi) sum (-1)^n x^(2n+1) / (n! (2n+1))`.
fn erf(x: f64) -> f64 {
    if x.abs() > 5.0 {
        return x.signum();
    }
    let mut term = x;
    let mut sum = x;
    for n in 1..200 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    sum * 2.0 / std::f64::consts::PI.sqrt()
}
