//! The forward pass of post-norm BERT (arXiv 1810.04805), in the backend's verbs.
//!
//! Tensor names are llama.cpp's (`gguf-py/gguf/constants.py`, `MODEL_ARCH.BERT`). Token types are
//! all 0: sentences are never fed in pairs.

use crate::backend::{Backend, Batch, Embedding};
use crate::model::error::Error;
use crate::model::pooling::Plan;
use crate::weights::bert::BertFile;

/// Weights on a backend.
#[derive(Debug)]
pub struct Bert<B: Backend> {
    embedding: Embedding<B>,
    layers: Vec<Layer<B>>,
    heads: usize,
}

#[derive(Debug)]
struct Layer<B: Backend> {
    /// Queries, keys and values side by side.
    attention: B::Linear,
    attention_output: B::Linear,
    attention_norm: B::Norm,
    up: B::Linear,
    down: B::Linear,
    output_norm: B::Norm,
}

/// A forward pass that can be put down between layers.
#[derive(Debug)]
pub struct Pass<B: Backend> {
    batch: Batch,
    plan: Plan,
    /// `[tokens, hidden]`, output of layer `done`.
    states: B::States,
    /// `[tokens, hidden]`, output of layer 1, where the plan wants it and later layers ran.
    first: Option<B::States>,
    done: usize,
}

impl<B: Backend> Bert<B> {
    /// Moves the weights of a file onto a backend.
    ///
    /// # Errors
    /// Where a tensor is missing, has a wrong shape or is not finite, or memory is short.
    pub fn load(backend: &B, file: &BertFile) -> Result<Self, Error> {
        Self::load_first(backend, file, file.config.layers)
    }

    /// As [`Bert::load`], but only so many layers from below: what a trainer leaves as it is.
    ///
    /// # Errors
    /// As [`Bert::load`].
    pub fn load_first(backend: &B, file: &BertFile, layers: usize) -> Result<Self, Error> {
        let load = Load { backend, file };
        let embedding = Embedding {
            words: backend.table(&file.tensor("token_embd.weight")?)?,
            positions: backend.table(&file.tensor("position_embd.weight")?)?,
            types: backend.table(&file.tensor("token_types.weight")?)?,
            norm: load.norm("token_embd_norm")?,
        };
        let layers = (0..layers).map(|index| load.layer(index)).collect::<Result<_, _>>();
        Ok(Self { embedding, layers: layers?, heads: file.config.heads })
    }

    /// Begins a pass: the embedding layer.
    ///
    /// # Errors
    /// Where a token lies outside the table.
    pub fn begin(&self, backend: &B, batch: Batch, plan: Plan) -> Result<Pass<B>, Error> {
        let states = backend.embed(&self.embedding, &batch)?;
        Ok(Pass { batch, plan, states, first: None, done: 0 })
    }

    /// Runs one more layer; `false` once there was none left to run.
    ///
    /// # Errors
    /// Where the backend fails.
    pub fn advance(&self, backend: &B, pass: &mut Pass<B>) -> Result<bool, Error> {
        let Some(layer) = self.layers.get(pass.done).filter(|_| pass.done < pass.plan.layer) else {
            return Ok(false);
        };
        let output = layer.run(backend, &pass.states, self.heads, &pass.batch)?;
        let input = std::mem::replace(&mut pass.states, output);
        if pass.plan.with_first && pass.done == 1 {
            pass.first = Some(input);
        }
        pass.done += 1;
        Ok(true)
    }
}

impl<B: Backend> Pass<B> {
    /// The token states that the plan reads, `[tokens, hidden]`, and the batch they belong to.
    ///
    /// # Errors
    /// Where the backend fails.
    pub fn finish(self, backend: &B) -> Result<(B::States, Batch), Error> {
        let states = match self.first {
            Some(first) => backend.average(&first, self.states)?,
            None => self.states,
        };
        Ok((states, self.batch))
    }
}

impl<B: Backend> Layer<B> {
    /// `[tokens, hidden]` to `[tokens, hidden]`.
    fn run(
        &self,
        backend: &B,
        states: &B::States,
        heads: usize,
        batch: &Batch,
    ) -> Result<B::States, Error> {
        let projected = backend.linear(states, &self.attention)?;
        let context = backend.attention(&projected, heads, batch)?;
        let attended = backend.linear(&context, &self.attention_output)?;
        let attended = backend.add_norm(attended, states, &self.attention_norm)?;
        let wide = backend.linear_gelu(&attended, &self.up)?;
        let output = backend.linear(&wide, &self.down)?;
        Ok(backend.add_norm(output, &attended, &self.output_norm)?)
    }
}

struct Load<'a, B> {
    backend: &'a B,
    file: &'a BertFile,
}

impl<B: Backend> Load<'_, B> {
    fn linear(&self, names: &[String]) -> Result<B::Linear, Error> {
        let mut parts = Vec::with_capacity(names.len());
        for name in names {
            let weights = self.file.tensor(&format!("{name}.weight"))?;
            parts.push((weights, self.file.tensor(&format!("{name}.bias"))?));
        }
        Ok(self.backend.linear_weights(&parts)?)
    }

    fn norm(&self, name: &str) -> Result<B::Norm, Error> {
        let gain = self.file.tensor(&format!("{name}.weight"))?;
        let offset = self.file.tensor(&format!("{name}.bias"))?;
        Ok(self.backend.norm_weights(&gain, &offset, self.file.config.norm_epsilon)?)
    }

    fn layer(&self, index: usize) -> Result<Layer<B>, Error> {
        let name = |part: &str| format!("blk.{index}.{part}");
        Ok(Layer {
            attention: self.linear(&[name("attn_q"), name("attn_k"), name("attn_v")])?,
            attention_output: self.linear(&[name("attn_output")])?,
            attention_norm: self.norm(&name("attn_output_norm"))?,
            up: self.linear(&[name("ffn_up")])?,
            down: self.linear(&[name("ffn_down")])?,
            output_norm: self.norm(&name("layer_output_norm"))?,
        })
    }
}
