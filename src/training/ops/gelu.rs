//! `y = x Phi(x)`, with `Phi(x) = (1 + erf(x / sqrt 2)) / 2`; `dy/dx = Phi(x) + x phi(x)`, with
//! `phi(x) = exp(-x^2 / 2) / sqrt(2 pi)`. Any shape. (arXiv 1606.08415, as BERT has it: exact.)

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use crate::math::lanes::{erf, exp};
use crate::training::ops::{numbers, values};

/// GELU of every number.
pub struct Gelu;

fn distribution(x: f32) -> f32 {
    0.5 * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

fn slope(x: f32) -> f32 {
    const SCALE: f32 = 0.398_942_3; // 1 / sqrt(2 pi)
    distribution(x) + x * SCALE * exp(-0.5 * x * x)
}

impl CustomOp1 for Gelu {
    fn name(&self) -> &'static str {
        "gelu"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let input = numbers(storage, layout)?;
        let output: Vec<f32> = input.iter().map(|x| x * distribution(*x)).collect();
        Ok((CpuStorage::F32(output), layout.shape().clone()))
    }

    fn bwd(&self, input: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let (x, g) = (values(input)?, values(gradient)?);
        let out: Vec<f32> = x.iter().zip(g.iter()).map(|(x, g)| g * slope(*x)).collect();
        Ok(Some(Tensor::from_vec(out, input.shape(), input.device())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::ops::test::{assert_close, check_gradient, tensor};

    #[test]
    fn equals_candle_and_finite_differences() {
        let x = tensor(&[3, 7], 1, 2.0);
        assert_close(&x.apply_op1(Gelu).unwrap(), &x.gelu_erf().unwrap(), 2e-6);
        check_gradient(&[x], |x| x[0].apply_op1(Gelu), |x| x[0].gelu_erf());
    }
}
