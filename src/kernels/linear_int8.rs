//! A linear layer in whole numbers: `act(x weights^T + bias)`, x rounded to codes of a byte in blocks of
//! 32 (`quantise`), the weights' codes as they are in the file. Products inside a block are summed as
//! whole numbers, four at a time by `dot4I8Packed` (DP4A, or what stands in for it where a device has
//! no such instruction); scales are applied block by block, in `f32`. `act` is as in `linear`.
//!
//! Rounding states costs more than a GPU may lose: over the golden sentences the default weights' lowest
//! cosine to the f32 reference is 0.9983 with it and 0.9996 without, and at least 0.9995 is asked for. So
//! it is never chosen by itself ([`Arithmetic::is_near`](crate::kernels::product::Arithmetic::is_near)).
//!
//! Bindings: params (rows, inputs, outputs of this part, its first output, all outputs), codes of x
//! `[rows, inputs]`, scales of x `[rows, inputs / 32]`, codes and scales of the part's weights
//! `[outputs, inputs]`, bias `[all outputs]`, out `[rows, all outputs]`. A workgroup of 16 by `THREADS_Y`
//! threads; the tile of one is a constant of the shader ([`Tile`]).

use crate::gpu::buffer::Buffer;
use crate::gpu::recording::{Access, Dispatch, Shader};
use crate::kernels::linear::{Activation, Layer, activated};
use crate::kernels::matrix::{BLOCK, Matrix, Numbers, Part};
use crate::kernels::product::{Tile, shape};
use crate::kernels::quantise;

macro_rules! shader {
    ($rows:literal, $outputs:literal) => {
        Shader {
            name: concat!("linear int8 ", $rows, "x", $outputs),
            source: concat!(
                "const THREAD_ROWS = ",
                $rows,
                "u;\nconst THREAD_OUTPUTS = ",
                $outputs,
                "u;\n",
                include_str!("shared/params.wgsl"),
                include_str!("shared/activation.wgsl"),
                include_str!("linear_int8.wgsl")
            ),
            buffers: &[
                Access::Read,
                Access::Read,
                Access::Read,
                Access::Read,
                Access::Read,
                Access::Write,
            ],
        }
    };
}

pub static BY_4X4: Shader = shader!(4, 4);
pub static BY_8X4: Shader = shader!(8, 4);
pub static BY_8X8: Shader = shader!(8, 8);

/// The dispatches of a layer over rounded states, one a part of its weights: `layer.x` holds their
/// codes.
pub fn dispatches(layer: Layer<'_>, scales: &Buffer, tile: Tile) -> Vec<Dispatch> {
    layer.weights.parts.iter().map(|part| dispatch(layer, scales, part, tile)).collect()
}

fn dispatch(layer: Layer<'_>, of_x: &Buffer, part: &Part, tile: Tile) -> Dispatch {
    let Layer { rows, x, weights, bias, activation, out } = layer;
    let shape = shape(rows, tile);
    let sizes = [rows, weights.columns, part.rows, part.first_row, weights.rows, 0, 0, 0];
    Dispatch {
        shader: match shape.tile {
            Tile::By4x4 => &BY_4X4,
            Tile::By8x4 => &BY_8X4,
            Tile::By8x8 => &BY_8X8,
        },
        constants: vec![("THREADS_Y", shape.threads_y as u32), ("ACTIVATION", activation as u32)],
        params: sizes.map(|size| size as u32),
        buffers: [x, of_x, &part.codes, &part.scales, bias, out].map(Buffer::clone).into(),
        groups: shape.groups(rows, part.rows),
    }
}

/// The same in plain loops, rounding included. `None` for weights that are real numbers.
pub fn reference(x: &[f32], weights: &Matrix, bias: &[f32], layer: Activation) -> Option<Vec<f32>> {
    let Numbers::Blocks { codes: of_weights, scales: weight_scales } = &weights.numbers else {
        return None;
    };
    let (codes, scales) = quantise::reference(x);
    let (columns, blocks) = (weights.columns, weights.columns / BLOCK);
    let mut out = Vec::new();
    for (row, row_scales) in codes.chunks(columns).zip(scales.chunks(blocks)) {
        let outputs = of_weights.chunks(columns).zip(weight_scales.chunks(blocks)).zip(bias);
        for ((output, output_scales), bias) in outputs {
            let mut sum = f64::from(*bias);
            let pairs = row.chunks(BLOCK).zip(output.chunks(BLOCK));
            for ((a, b), scales) in pairs.zip(row_scales.iter().zip(output_scales)) {
                let whole: i32 = a.iter().zip(b).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
                sum += f64::from(whole) * f64::from(*scales.0) * f64::from(*scales.1);
            }
            out.push(activated(sum, layer) as f32);
        }
    }
    Some(out)
}
