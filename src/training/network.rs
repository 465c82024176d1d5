//! The trained part of a BERT encoder: its upper layers with dropout, as a graph that candle can
//! differentiate, and what is read from them.
//!
//! Post-norm BERT (arXiv 1810.04805), token states `[tokens, hidden]` of a packed batch, exactly the
//! forward pass of `model::bert` where there is no dropout. Dropout sits where BERT's own code has
//! it: after the embeddings' norm, on attention's probabilities, and before both residuals.

use std::sync::Arc;

use candle_core::{Result, Tensor};

use crate::backend::Pool;
use crate::training::learner::Noise;
use crate::training::noise::{Mask, Site};
use crate::training::ops::attention::Attention;
use crate::training::ops::drop_add::{Drop, DropAdd};
use crate::training::ops::gelu::Gelu;
use crate::training::ops::linear::{Dense, Frozen, LowRank};
use crate::training::ops::norm;
use crate::training::ops::pool::Pooled;
use crate::training::parameters::{Parameters, Position};

/// A linear layer.
#[derive(Debug)]
pub enum Linear {
    Frozen { weight: Tensor, bias: Tensor },
    LowRank { weight: Tensor, bias: Tensor, a: Position, b: Position, scale: f32 },
    Dense { weight: Position, bias: Position },
}

/// A layer norm.
#[derive(Debug)]
pub enum Norm {
    Frozen { gain: Tensor, offset: Tensor },
    Trained { gain: Position, offset: Position },
}

/// One layer.
#[derive(Debug)]
pub struct Layer {
    /// Its number in the model, from 0.
    pub index: usize,
    pub query: Linear,
    pub key: Linear,
    pub value: Linear,
    pub attention_output: Linear,
    pub attention_norm: Norm,
    pub up: Linear,
    pub down: Linear,
    pub output_norm: Norm,
}

/// The embedding layer, where it is trained too.
#[derive(Debug)]
pub struct Embeddings {
    /// `[vocabulary, hidden]`
    pub words: Position,
    /// `[max_tokens, hidden]`
    pub positions: Position,
    /// `[token types, hidden]`, where the model has any.
    pub types: Option<Position>,
    pub norm: Norm,
}

/// The trained part of the encoder.
#[derive(Debug)]
pub struct Network {
    pub embeddings: Option<Embeddings>,
    pub layers: Vec<Layer>,
    /// `tanh(W cls + b)`: W and b.
    pub mlp: Option<(Position, Position)>,
    pub heads: usize,
    /// MPNet's bias by distance, `[heads, SPAN]`, or nothing. It stays as it is.
    pub bias: Arc<[f32]>,
    pub norm_epsilon: f32,
}

/// One forward pass: with which weights, which noise, over which sentences.
#[derive(Debug, Clone)]
pub struct Run<'a> {
    pub parameters: &'a Parameters,
    /// The graph remembers, so that a gradient can come back.
    pub tracked: bool,
    pub noise: Option<Noise>,
    /// `[sentences + 1]`
    pub starts: Arc<[usize]>,
}

impl Run<'_> {
    fn tensor(&self, position: Position) -> Result<Tensor> {
        self.parameters.tensor(position, self.tracked)
    }

    fn mask(&self, site: Site) -> Mask {
        Mask::new(self.noise, site)
    }

    fn linear(&self, x: &Tensor, linear: &Linear) -> Result<Tensor> {
        match linear {
            Linear::Frozen { weight, bias } => {
                x.apply_op1(Frozen { weight: weight.clone(), bias: bias.clone() })
            }
            Linear::LowRank { weight, bias, a, b, scale } => {
                let (weight, bias, scale) = (weight.clone(), bias.clone(), *scale);
                let (a, b) = (self.tensor(*a)?, self.tensor(*b)?);
                x.apply_op3(&a, &b, LowRank { weight, bias, scale })
            }
            Linear::Dense { weight, bias } => {
                x.apply_op3(&self.tensor(*weight)?, &self.tensor(*bias)?, Dense)
            }
        }
    }

    fn norm(&self, x: &Tensor, norm: &Norm, epsilon: f32) -> Result<Tensor> {
        match norm {
            Norm::Frozen { gain, offset } => {
                x.apply_op3(gain, offset, norm::Norm { epsilon, trained: false })
            }
            Norm::Trained { gain, offset } => {
                let (gain, offset) = (self.tensor(*gain)?, self.tensor(*offset)?);
                x.apply_op3(&gain, &offset, norm::Norm { epsilon, trained: true })
            }
        }
    }

    fn drop_add(&self, x: &Tensor, residual: &Tensor, site: Site) -> Result<Tensor> {
        x.apply_op2(residual, DropAdd { mask: self.mask(site) })
    }
}

impl Network {
    /// Token states after the embedding layer, `[tokens, hidden]`, where it is trained.
    pub fn embed(&self, run: &Run<'_>, layer: &Embeddings, ids: &[u32]) -> Result<Tensor> {
        let places: Vec<u32> =
            run.starts.windows(2).flat_map(|ends| 0..(ends[1] - ends[0]) as u32).collect();
        let words = run.tensor(layer.words)?;
        let device = words.device().clone();
        let ids = Tensor::new(ids, &device)?;
        let kinds = Tensor::zeros(places.len(), candle_core::DType::U32, &device)?;
        let places = Tensor::new(places, &device)?;
        let states = words.index_select(&ids, 0)?;
        let states = (states + run.tensor(layer.positions)?.index_select(&places, 0)?)?;
        let states = match layer.types {
            Some(types) => (states + run.tensor(types)?.index_select(&kinds, 0)?)?,
            None => states,
        };
        run.norm(&states, &layer.norm, self.norm_epsilon)
    }

    /// Dropout after the embedding layer.
    pub fn drop_embedding(&self, run: &Run<'_>, states: Tensor) -> Result<Tensor> {
        let mask = run.mask(Site::Embedding);
        if mask.is_none() { Ok(states) } else { states.apply_op1(Drop { mask }) }
    }

    /// Token states after the last layer, given those below the first trained one.
    pub fn run(&self, run: &Run<'_>, states: Tensor) -> Result<Tensor> {
        self.layers.iter().try_fold(states, |states, layer| self.layer(run, layer, &states))
    }

    fn layer(&self, run: &Run<'_>, layer: &Layer, states: &Tensor) -> Result<Tensor> {
        let number = layer.index;
        let query = run.linear(states, &layer.query)?;
        let key = run.linear(states, &layer.key)?;
        let value = run.linear(states, &layer.value)?;
        let mask = run.mask(Site::Probabilities { layer: number });
        let (starts, bias) = (Arc::clone(&run.starts), Arc::clone(&self.bias));
        let attention = Attention { starts, heads: self.heads, bias, mask };
        let context = query.apply_op3(&key, &value, attention)?;
        let output = run.linear(&context, &layer.attention_output)?;
        let attended = run.drop_add(&output, states, Site::Attention { layer: number })?;
        let attended = run.norm(&attended, &layer.attention_norm, self.norm_epsilon)?;
        let wide = run.linear(&attended, &layer.up)?.apply_op1(Gelu)?;
        let output = run.linear(&wide, &layer.down)?;
        let output = run.drop_add(&output, &attended, Site::FeedForward { layer: number })?;
        run.norm(&output, &layer.output_norm, self.norm_epsilon)
    }

    /// One row a sentence, `[sentences, hidden]`.
    pub fn pool(&self, run: &Run<'_>, states: &Tensor, pool: Pool) -> Result<Tensor> {
        states.apply_op1(Pooled { starts: Arc::clone(&run.starts), pool })
    }

    /// `tanh(W row + b)` of every row; the rows themselves where there is no MLP.
    pub fn mlp(&self, run: &Run<'_>, rows: &Tensor) -> Result<Tensor> {
        let Some((weight, bias)) = self.mlp else { return Ok(rows.clone()) };
        run.linear(rows, &Linear::Dense { weight, bias })?.tanh()
    }
}
