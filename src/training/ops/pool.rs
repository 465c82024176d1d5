//! One row a sentence, `[tokens, hidden]` to `[sentences, hidden]`: the first token's state, or the
//! mean over the sentence's tokens. Backward: `g` to the first token, or `g / tokens` to each.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use crate::backend::Pool;
use crate::training::ops::{numbers, values};

/// One row a sentence.
pub struct Pooled {
    /// `[sentences + 1]`, as [`crate::backend::Batch::starts`].
    pub starts: Arc<[usize]>,
    pub pool: Pool,
}

impl Pooled {
    /// The tokens that each sentence's row is the mean of.
    fn used(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        self.starts.windows(2).map(|ends| match self.pool {
            Pool::Mean => ends[0]..ends[1],
            Pool::First => ends[0]..ends[1].min(ends[0] + 1),
        })
    }
}

impl CustomOp1 for Pooled {
    fn name(&self) -> &'static str {
        "pool"
    }

    fn cpu_fwd(&self, states: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, hidden) = layout.shape().dims2()?;
        let states = numbers(states, layout)?;
        let sentences = self.starts.len().saturating_sub(1);
        let mut output = vec![0.0; sentences * hidden];
        for (row, tokens) in output.chunks_exact_mut(hidden.max(1)).zip(self.used()) {
            let scale = 1.0 / tokens.len().max(1) as f32;
            let tokens = &states[tokens.start * hidden..tokens.end * hidden];
            for token in tokens.chunks_exact(hidden.max(1)) {
                for (sum, value) in row.iter_mut().zip(token) {
                    *sum += value * scale;
                }
            }
        }
        Ok((CpuStorage::F32(output), (sentences, hidden).into()))
    }

    fn bwd(&self, states: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let (_, hidden) = states.dims2()?;
        let g = values(gradient)?;
        let mut out = vec![0.0; states.elem_count()];
        for (g, tokens) in g.chunks_exact(hidden.max(1)).zip(self.used()) {
            let scale = 1.0 / tokens.len().max(1) as f32;
            let tokens = &mut out[tokens.start * hidden..tokens.end * hidden];
            for token in tokens.chunks_exact_mut(hidden.max(1)) {
                for (out, g) in token.iter_mut().zip(g) {
                    *out = g * scale;
                }
            }
        }
        Ok(Some(Tensor::from_vec(out, states.shape(), states.device())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::ops::test::{check_gradient, tensor};

    #[test]
    fn equals_candle_and_finite_differences() {
        let states = tensor(&[6, 5], 1, 1.0);
        let starts: Arc<[usize]> = Arc::from([0, 1, 4, 6]);
        let rows = |a: &[Tensor], pool: fn(&Tensor) -> Result<Tensor>| {
            let parts = [(0, 1), (1, 3), (4, 2)].map(|(from, count)| a[0].narrow(0, from, count));
            let parts = parts.into_iter().map(|part| pool(&part?)).collect::<Result<Vec<_>>>()?;
            Tensor::cat(&parts, 0)
        };
        for pool in [Pool::Mean, Pool::First] {
            let ours = |a: &[Tensor]| a[0].apply_op1(Pooled { starts: starts.clone(), pool });
            let plain: fn(&Tensor) -> Result<Tensor> = match pool {
                Pool::Mean => |part| part.mean_keepdim(0),
                Pool::First => |part| part.narrow(0, 0, 1),
            };
            check_gradient(std::slice::from_ref(&states), ours, |a| rows(a, plain));
        }
    }
}
