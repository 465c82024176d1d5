//! A linear layer: `act(x weights^T + bias)`, `act` nothing, the GELU `v (1 + erf(v / sqrt 2)) / 2`
//! (arXiv 1606.08415) or tanh. Weights are unpacked from their blocks on the way into workgroup
//! memory; sums are `f32`. Where the device has `shader-f16`, states and weights may lie there as `f16`,
//! which halves what is read from it; they are multiplied and added up as `f32` all the same.
//!
//! Bindings: params (rows, inputs, outputs of this part, its first output, all outputs), x
//! `[rows, inputs]`, codes and scales of the part's weights `[outputs, inputs]`, bias
//! `[all outputs]`, out `[rows, all outputs]`. A workgroup computes a tile of 16 to 128 rows by 64 or
//! 128 outputs, a thread four or eight of each.

use crate::gpu::buffer::Buffer;
use crate::gpu::recording::{Access, Dispatch, Shader};
use crate::kernels::matrix::{Matrix, OnGpu, Part};
use crate::kernels::product::{Tile, shape};

macro_rules! shader {
    ($name:literal, $head:literal, $rows:literal, $outputs:literal) => {
        Shader {
            name: concat!($name, $rows, "x", $outputs),
            source: concat!(
                $head,
                "const THREAD_ROWS = ",
                $rows,
                "u;\nconst THREAD_OUTPUTS = ",
                $outputs,
                "u;\n",
                include_str!("shared/params.wgsl"),
                include_str!("shared/activation.wgsl"),
                include_str!("linear.wgsl")
            ),
            buffers: &[Access::Read, Access::Read, Access::Read, Access::Read, Access::Write],
        }
    };
}

macro_rules! real {
    ($rows:literal, $outputs:literal) => {
        shader!("linear ", "alias Number = f32;\n", $rows, $outputs)
    };
}

macro_rules! half {
    ($rows:literal, $outputs:literal) => {
        shader!("linear f16 ", "enable f16;\nalias Number = f16;\n", $rows, $outputs)
    };
}

pub static BY_4X4: Shader = real!(4, 4);
pub static BY_8X4: Shader = real!(8, 4);
pub static BY_8X8: Shader = real!(8, 8);
pub static HALF_BY_4X4: Shader = half!(4, 4);
pub static HALF_BY_8X4: Shader = half!(8, 4);
pub static HALF_BY_8X8: Shader = half!(8, 8);

/// What follows the sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    Nothing = 0,
    Gelu = 1,
    Tanh = 2,
}

/// What a layer reads and writes.
#[derive(Debug, Clone, Copy)]
pub struct Layer<'a> {
    pub rows: usize,
    /// `[rows, inputs]`
    pub x: &'a Buffer,
    pub weights: &'a OnGpu,
    /// `[outputs]`
    pub bias: &'a Buffer,
    pub activation: Activation,
    /// `[rows, outputs]`
    pub out: &'a Buffer,
}

/// The dispatches of a layer, one a part of its weights; `half` only where the device has `shader-f16`.
pub fn dispatches(layer: Layer<'_>, tile: Tile, half: bool) -> Vec<Dispatch> {
    layer.weights.parts.iter().map(|part| dispatch(layer, part, tile, half)).collect()
}

fn dispatch(layer: Layer<'_>, part: &Part, tile: Tile, half: bool) -> Dispatch {
    let Layer { rows, x, weights, bias, activation, out } = layer;
    let shape = shape(rows, tile);
    let sizes = [rows, weights.columns, part.rows, part.first_row, weights.rows, 0, 0, 0];
    Dispatch {
        shader: match (shape.tile, half) {
            (Tile::By4x4, false) => &BY_4X4,
            (Tile::By8x4, false) => &BY_8X4,
            (Tile::By8x8, false) => &BY_8X8,
            (Tile::By4x4, true) => &HALF_BY_4X4,
            (Tile::By8x4, true) => &HALF_BY_8X4,
            (Tile::By8x8, true) => &HALF_BY_8X8,
        },
        constants: vec![
            ("THREADS_Y", shape.threads_y as u32),
            ("REAL", u32::from(weights.is_real)),
            ("ACTIVATION", activation as u32),
        ],
        params: sizes.map(|size| size as u32),
        buffers: [x, &part.codes, &part.scales, bias, out].map(Buffer::clone).into(),
        groups: shape.groups(rows, part.rows),
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
            out.push(activated(sum, activation) as f32);
        }
    }
    out
}

/// What follows the sum, in plain words.
pub(super) fn activated(sum: f64, activation: Activation) -> f64 {
    match activation {
        Activation::Nothing => sum,
        Activation::Gelu => 0.5 * sum * (1.0 + erf(sum / 2.0_f64.sqrt())),
        Activation::Tanh => sum.tanh(),
    }
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
