//! Linear layers `y = x W^T + c`: `x` is `[rows, inputs]`, `W` `[outputs, inputs]`, `c` `[outputs]`.
//!
//! - [`Frozen`]: `dx = g W`; nothing for `W` and `c`.
//! - [`LowRank`] (LoRA, arXiv 2106.09685): `W + s B A` with `A` `[rank, inputs]`, `B` `[outputs, rank]`;
//!   `y = x W^T + s (x A^T) B^T + c`, `dB = s g^T (x A^T)`, `dA = s (g B)^T x`,
//!   `dx = g W + s (g B) A`.
//! - [`Dense`]: `dx = g W`, `dW = g^T x`, `dc = sum over rows of g`.

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp1, CustomOp3, Layout, Result, Shape, Storage, Tensor};

use crate::math::lanes::add_bias;
use crate::training::ops::{numbers, values};

/// A layer that is not trained.
pub struct Frozen {
    /// `[outputs, inputs]`
    pub weight: Tensor,
    /// `[outputs]`
    pub bias: Tensor,
}

/// A frozen layer with a trained low-rank addition; its arguments are `x`, `A`, `B`.
pub struct LowRank {
    pub weight: Tensor,
    pub bias: Tensor,
    pub scale: f32,
}

/// A layer whose every number is trained; its arguments are `x`, `W`, `c`.
pub struct Dense;

/// `x M^T`, with `M` `[outputs, inputs]`.
fn times_transposed(
    x: &CpuStorage,
    x_layout: &Layout,
    matrix: &CpuStorage,
    matrix_layout: &Layout,
) -> Result<CpuStorage> {
    let (rows, inputs) = x_layout.shape().dims2()?;
    let (outputs, _) = matrix_layout.shape().dims2()?;
    x.matmul(matrix, (1, rows, outputs, inputs), x_layout, &matrix_layout.transpose(0, 1)?)
}

/// [`times_transposed`] with a tensor.
fn times_weight(x: &CpuStorage, x_layout: &Layout, weight: &Tensor) -> Result<CpuStorage> {
    let (storage, layout) = weight.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => times_transposed(x, x_layout, storage, layout),
        _ => Err(candle_core::Error::Msg("weights must be on the CPU".to_owned())),
    }
}

fn output_shape(x: &Layout, outputs: usize) -> Result<Shape> {
    Ok((x.shape().dims2()?.0, outputs).into())
}

fn finished(product: CpuStorage, bias: &[f32], shape: Shape) -> Result<(CpuStorage, Shape)> {
    match product {
        CpuStorage::F32(mut product) => {
            add_bias(&mut product, bias);
            Ok((CpuStorage::F32(product), shape))
        }
        _ => Err(candle_core::Error::Msg("linear layers compute in f32".to_owned())),
    }
}

impl CustomOp1 for Frozen {
    fn name(&self) -> &'static str {
        "frozen linear"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let product = times_weight(x, layout, &self.weight)?;
        finished(product, &values(&self.bias)?, output_shape(layout, self.weight.dims2()?.0)?)
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        // Below the first trained layer nobody wants the gradient.
        x.track_op().then(|| gradient.matmul(&self.weight)).transpose()
    }
}

impl CustomOp3 for LowRank {
    fn name(&self) -> &'static str {
        "low-rank linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let shape = output_shape(x_layout, self.weight.dims2()?.0)?;
        let product = times_weight(x, x_layout, &self.weight)?;
        let inner = times_transposed(x, x_layout, a, a_layout)?;
        let inner_layout = Layout::contiguous((x_layout.dims()[0], a_layout.dims()[0]));
        let addition = times_transposed(&inner, &inner_layout, b, b_layout)?;
        match (product, addition) {
            (CpuStorage::F32(mut product), CpuStorage::F32(addition)) => {
                for (value, more) in product.iter_mut().zip(&addition) {
                    *value += self.scale * more;
                }
                finished(CpuStorage::F32(product), &values(&self.bias)?, shape)
            }
            _ => Err(candle_core::Error::Msg("linear layers compute in f32".to_owned())),
        }
    }

    fn bwd(
        &self,
        x: &Tensor,
        a: &Tensor,
        b: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (x_tracked, x, a, b) = (x.track_op(), x.detach(), a.detach(), b.detach());
        let scale = f64::from(self.scale);
        // `[rows, rank]`, both with the scale in them.
        let back = (gradient.matmul(&b)? * scale)?;
        let inner = (x.matmul(&a.t()?)? * scale)?;
        let b_gradient = gradient.t()?.matmul(&inner)?;
        let a_gradient = back.t()?.matmul(&x)?;
        let x_gradient = if x_tracked {
            Some((gradient.matmul(&self.weight)? + back.matmul(&a)?)?)
        } else {
            None
        };
        Ok((x_gradient, Some(a_gradient), Some(b_gradient)))
    }
}

impl CustomOp3 for Dense {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let product = times_transposed(x, x_layout, weight, weight_layout)?;
        let shape = output_shape(x_layout, weight_layout.dims()[0])?;
        finished(product, numbers(bias, bias_layout)?, shape)
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let x_gradient = x.track_op().then(|| gradient.matmul(&weight.detach())).transpose()?;
        let weight_gradient = gradient.t()?.matmul(&x.detach())?;
        Ok((x_gradient, Some(weight_gradient), Some(gradient.sum(0)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::ops::test::{check_gradient, tensor};

    fn affine(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
        x.matmul(&weight.t()?)?.broadcast_add(bias)
    }

    #[test]
    fn equal_candle_and_finite_differences() {
        let x = tensor(&[5, 6], 1, 1.0);
        let (weight, bias) = (tensor(&[4, 6], 2, 1.0), tensor(&[4], 3, 1.0));
        check_gradient(
            std::slice::from_ref(&x),
            |a| a[0].apply_op1(Frozen { weight: weight.clone(), bias: bias.clone() }),
            |a| affine(&a[0], &weight, &bias),
        );
        check_gradient(
            &[x.clone(), weight.clone(), bias.clone()],
            |a| a[0].apply_op3(&a[1], &a[2], Dense),
            |a| affine(&a[0], &a[1], &a[2]),
        );
        let (a, b) = (tensor(&[2, 6], 4, 1.0), tensor(&[4, 2], 5, 1.0));
        let scale = 0.5_f32;
        check_gradient(
            &[x, a, b],
            |a| {
                let (weight, bias) = (weight.clone(), bias.clone());
                a[0].apply_op3(&a[1], &a[2], LowRank { weight, bias, scale })
            },
            |a| {
                let addition = (a[2].matmul(&a[1])? * f64::from(scale))?;
                affine(&a[0], &(&weight + addition)?, &bias)
            },
        );
    }
}
