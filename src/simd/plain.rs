//! The int8 product so simply that it is obviously right: what every kernel is compared with.

use crate::simd::codes::{Codes, Coding};
use crate::simd::panels::Panels;

/// `states weights^T + bias`, `[rows, outputs]`; `bias` is `[outputs]`. Of states coded above a
/// floor, what they are above it.
pub fn multiply(codes: &Codes, panels: &Panels, bias: &[f32]) -> Vec<f32> {
    let mut out = Vec::with_capacity(codes.rows() * panels.outputs());
    for row in 0..codes.rows() {
        for (output, bias) in bias.iter().enumerate().take(panels.outputs()) {
            let mut sum = *bias;
            for block in 0..panels.block_count() {
                let (weights, scale, weight_sum) = panels.get(output, block);
                let (states, state_scale, middle) = codes.get(row, block);
                let dot: i32 = weights.iter().zip(states).map(|(w, x)| w * x).sum();
                let product = dot as f32 * (scale * state_scale);
                let spread = codes.coding() == Coding::Spread;
                sum += if spread { product + weight_sum * middle } else { product };
            }
            out.push(sum);
        }
    }
    out
}
