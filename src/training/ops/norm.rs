//! Layer norm (arXiv 1607.06450): `x^ = (x - mean) / sqrt(variance + epsilon)`, `y = x^ gain + offset`,
//! rows `[rows, hidden]`, gain and offset `[hidden]`.
//!
//! Backward, with `e = g gain`: `dx = (e - mean(e) - x^ mean(e x^)) / sqrt(variance + epsilon)`,
//! `dgain = sum over rows of g x^`, `doffset = sum over rows of g`.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

use crate::math::lanes::{layer_norm, sum_of};
use crate::training::ops::{numbers, values};

/// Layer norm of every row.
pub struct Norm {
    pub epsilon: f32,
    /// Gain and offset are trained too.
    pub trained: bool,
}

impl CustomOp3 for Norm {
    fn name(&self) -> &'static str {
        "layer norm"
    }

    fn cpu_fwd(
        &self,
        states: &CpuStorage,
        layout: &Layout,
        gain: &CpuStorage,
        gain_layout: &Layout,
        offset: &CpuStorage,
        offset_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let mut output = numbers(states, layout)?.to_vec();
        let (gain, offset) = (numbers(gain, gain_layout)?, numbers(offset, offset_layout)?);
        for row in output.chunks_exact_mut(gain.len().max(1)) {
            layer_norm(row, gain, offset, self.epsilon);
        }
        Ok((CpuStorage::F32(output), layout.shape().clone()))
    }

    fn bwd(
        &self,
        states: &Tensor,
        gain: &Tensor,
        _: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (x, gains, g) = (values(states)?, values(gain)?, values(gradient)?);
        let hidden = gains.len().max(1);
        let mut out = vec![0.0; x.len()];
        let mut gain_sums = vec![0.0; gains.len()];
        let mut offset_sums = vec![0.0; gains.len()];
        let mut hat = vec![0.0; gains.len()];
        let rows = x.chunks_exact(hidden).zip(g.chunks_exact(hidden));
        for ((x, g), out) in rows.zip(out.chunks_exact_mut(hidden)) {
            let scale = standardise(x, &mut hat, self.epsilon);
            for ((out, g), gain) in out.iter_mut().zip(g).zip(gains.iter()) {
                *out = g * gain;
            }
            let mean = sum_of(out, |value| value) / hidden as f32;
            let along = out.iter().zip(&hat).map(|(e, hat)| e * hat).sum::<f32>() / hidden as f32;
            for (out, hat) in out.iter_mut().zip(&hat) {
                *out = (*out - mean - hat * along) * scale;
            }
            if self.trained {
                for (((gain, offset), g), hat) in
                    gain_sums.iter_mut().zip(&mut offset_sums).zip(g).zip(&hat)
                {
                    *gain += g * hat;
                    *offset += g;
                }
            }
        }
        let device = states.device();
        let out = Tensor::from_vec(out, states.shape(), device)?;
        if !self.trained {
            return Ok((Some(out), None, None));
        }
        let gain_sums = Tensor::from_vec(gain_sums, gain.shape(), device)?;
        let offset_sums = Tensor::from_vec(offset_sums, gain.shape(), device)?;
        Ok((Some(out), Some(gain_sums), Some(offset_sums)))
    }
}

/// `x^` of a row into `hat`; gives `1 / sqrt(variance + epsilon)`.
fn standardise(row: &[f32], hat: &mut [f32], epsilon: f32) -> f32 {
    let count = row.len().max(1) as f32;
    let mean = sum_of(row, |value| value) / count;
    let variance = sum_of(row, |value| (value - mean) * (value - mean)) / count;
    let scale = 1.0 / (variance + epsilon).sqrt();
    for (hat, value) in hat.iter_mut().zip(row) {
        *hat = (value - mean) * scale;
    }
    scale
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::ops::test::{check_gradient, tensor};

    #[test]
    fn equals_candle_and_finite_differences() {
        let arguments = [tensor(&[4, 24], 1, 2.0), tensor(&[24], 2, 1.0), tensor(&[24], 3, 1.0)];
        let plain = |a: &[Tensor]| {
            let centred = a[0].broadcast_sub(&a[0].mean_keepdim(1)?)?;
            let deviation = (centred.sqr()?.mean_keepdim(1)? + 1e-5)?.sqrt()?;
            centred.broadcast_div(&deviation)?.broadcast_mul(&a[1])?.broadcast_add(&a[2])
        };
        let ours =
            |a: &[Tensor]| a[0].apply_op3(&a[1], &a[2], Norm { epsilon: 1e-5, trained: true });
        check_gradient(&arguments, ours, plain);
    }
}
