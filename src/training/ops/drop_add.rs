//! `y = dropout(x) + residual`, and dropout alone; any shape. Backward: the same mask on `g` for
//! `x`, `g` itself for the residual. The number at position i of the tensor has place i of the mask.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};

use crate::training::noise::Mask;
use crate::training::ops::{numbers, values};

/// Dropout, then the residual.
pub struct DropAdd {
    pub mask: Mask,
}

/// Dropout alone.
pub struct Drop {
    pub mask: Mask,
}

fn masked(mask: Mask, input: &[f32]) -> Vec<f32> {
    let places = 0_u32..;
    input.iter().zip(places).map(|(value, place)| value * mask.factor(place)).collect()
}

fn masked_gradient(mask: Mask, gradient: &Tensor) -> Result<Tensor> {
    if mask.is_none() {
        return Ok(gradient.clone());
    }
    let out = masked(mask, &values(gradient)?);
    Tensor::from_vec(out, gradient.shape(), gradient.device())
}

impl CustomOp2 for DropAdd {
    fn name(&self) -> &'static str {
        "dropout and add"
    }

    fn cpu_fwd(
        &self,
        states: &CpuStorage,
        layout: &Layout,
        residual: &CpuStorage,
        residual_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (states, residual) = (numbers(states, layout)?, numbers(residual, residual_layout)?);
        let mask = self.mask;
        let both = states.iter().zip(residual);
        let output = if mask.is_none() {
            both.map(|(value, residual)| value + residual).collect()
        } else {
            let places = 0_u32..;
            let add = |((value, residual), place): ((&f32, &f32), u32)| {
                value * mask.factor(place) + residual
            };
            both.zip(places).map(add).collect()
        };
        Ok((CpuStorage::F32(output), layout.shape().clone()))
    }

    fn bwd(
        &self,
        _: &Tensor,
        _: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        Ok((Some(masked_gradient(self.mask, gradient)?), Some(gradient.clone())))
    }
}

impl CustomOp1 for Drop {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn cpu_fwd(&self, states: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let output = masked(self.mask, numbers(states, layout)?);
        Ok((CpuStorage::F32(output), layout.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        Ok(Some(masked_gradient(self.mask, gradient)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::learner::Noise;
    use crate::training::noise::Site;
    use crate::training::ops::test::{check_gradient, tensor};

    #[test]
    fn equals_a_product_with_the_mask_and_finite_differences() {
        let mask = Mask::new(Some(Noise { dropout: 0.3, seed: 5 }), Site::Embedding);
        let arguments = [tensor(&[4, 9], 1, 1.0), tensor(&[4, 9], 2, 1.0)];
        let factors: Vec<f32> = (0..36).map(|place| mask.factor(place)).collect();
        let factors = Tensor::from_vec(factors, (4, 9), arguments[0].device()).unwrap();
        check_gradient(
            &arguments,
            |a| a[0].apply_op2(&a[1], DropAdd { mask }),
            |a| (&a[0] * &factors)? + &a[1],
        );
        check_gradient(&arguments[..1], |a| a[0].apply_op1(Drop { mask }), |a| &a[0] * &factors);
        let none = Mask::NONE;
        check_gradient(
            &arguments,
            |a| a[0].apply_op2(&a[1], DropAdd { mask: none }),
            |a| &a[0] + &a[1],
        );
    }
}
