//! Linear layers `y = x W^T + c`: `x` is `[rows, inputs]`, `W` `[outputs, inputs]`, `c` `[outputs]`.
//!
//! - [`Frozen`]: `dx = g W`; nothing for `W` and `c`.
//! - [`LowRank`] (LoRA, arXiv 2106.09685): `W + s B A` with `A` `[rank, inputs]`, `B` `[outputs, rank]`;
//!   `y = x W^T + s (x A^T) B^T + c`, `dB = s g^T (x A^T)`, `dA = s (g B)^T x`,
//!   `dx = g W + s (g B) A`.
//! - [`Dense`]: `dx = g W`, `dW = g^T x`, `dc = sum over rows of g`.

use candle_core::{CpuStorage, CustomOp1, CustomOp3, Layout, Result, Shape, Tensor};

use crate::math::lanes::{add_bias, add_scaled};
use crate::simd::float::{Matrix, product};
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

/// An argument as a matrix.
fn argument<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<Matrix<'a>> {
    Ok(Matrix::new(numbers(storage, layout)?, layout.shape().dims2()?.1))
}

/// A tensor's numbers as a matrix of so many columns.
fn matrix<'a>(values: &'a [f32], tensor: &Tensor) -> Result<Matrix<'a>> {
    Ok(Matrix::new(values, tensor.dims2()?.1))
}

/// A matrix as a tensor.
fn tensor(values: Vec<f32>, columns: usize, like: &Tensor) -> Result<Tensor> {
    let rows = values.len() / columns.max(1);
    Tensor::from_vec(values, (rows, columns), like.device())
}

/// `x W^T + c`
fn affine(x: Matrix<'_>, weight: Matrix<'_>, bias: &[f32]) -> Vec<f32> {
    let mut output = product(x, weight.transposed());
    add_bias(&mut output, bias);
    output
}

fn finished(output: Vec<f32>, rows: usize, columns: usize) -> (CpuStorage, Shape) {
    (CpuStorage::F32(output), (rows, columns).into())
}

/// `a b` of two tensors.
fn times(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let (left, right) = (values(a)?, values(b)?);
    let right = matrix(&right, b)?;
    tensor(product(matrix(&left, a)?, right), right.columns(), a)
}

/// `a b^T` of two tensors.
fn times_transposed(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let (left, right) = (values(a)?, values(b)?);
    let right = matrix(&right, b)?.transposed();
    tensor(product(matrix(&left, a)?, right), right.columns(), a)
}

/// `a^T b` of two tensors.
fn transposed_times(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let (left, right) = (values(a)?, values(b)?);
    let right = matrix(&right, b)?;
    tensor(product(matrix(&left, a)?.transposed(), right), right.columns(), a)
}

impl CustomOp1 for Frozen {
    fn name(&self) -> &'static str {
        "frozen linear"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (x, weight) = (argument(x, layout)?, values(&self.weight)?);
        let weight = matrix(&weight, &self.weight)?;
        let output = affine(x, weight, &values(&self.bias)?);
        Ok(finished(output, x.rows(), weight.rows()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        // Below the first trained layer nobody wants the gradient.
        x.track_op().then(|| times(&gradient.contiguous()?, &self.weight)).transpose()
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
        let (x, weight) = (argument(x, x_layout)?, values(&self.weight)?);
        let (a, b) = (argument(a, a_layout)?, argument(b, b_layout)?);
        let weight = matrix(&weight, &self.weight)?;
        let mut output = affine(x, weight, &values(&self.bias)?);
        let inner = product(x, a.transposed());
        let addition = product(Matrix::new(&inner, a.rows()), b.transposed());
        add_scaled(&mut output, self.scale, &addition);
        Ok(finished(output, x.rows(), weight.rows()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        a: &Tensor,
        b: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (gradient, scale) = (gradient.contiguous()?, f64::from(self.scale));
        // `[rows, rank]`, both with the scale in them.
        let back = (times(&gradient, b)? * scale)?;
        let inner = (times_transposed(x, a)? * scale)?;
        let b_gradient = transposed_times(&gradient, &inner)?;
        let a_gradient = transposed_times(&back, x)?;
        let x_gradient = if x.track_op() {
            Some((times(&gradient, &self.weight)? + times(&back, a)?)?)
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
        let (x, weight) = (argument(x, x_layout)?, argument(weight, weight_layout)?);
        let output = affine(x, weight, numbers(bias, bias_layout)?);
        Ok(finished(output, x.rows(), weight.rows()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let gradient = gradient.contiguous()?;
        let x_gradient = x.track_op().then(|| times(&gradient, weight)).transpose()?;
        let weight_gradient = transposed_times(&gradient, x)?;
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
