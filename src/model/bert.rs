//! The forward pass of post-norm BERT (arXiv 1810.04805), in the backend's verbs; with MPNet's bias on
//! attention's scores where the model has one.
//!
//! Tensor names are llama.cpp's (`gguf-py/gguf/constants.py`, `MODEL_ARCH.BERT`). Token types are
//! all 0: sentences are never fed in pairs.

use std::sync::Arc;

use crate::backend::{Backend, Batch, Embedding, Pool};
use crate::model::error::Error;
use crate::model::pooling::Plan;
use crate::weights::bert::{BertFile, RELATIVE_BIAS, TensorView};
use crate::weights::blocks::BlockType;
use crate::weights::merged::Merged;

/// Weights on a backend. What an adapter leaves as it is, the model and the model with the adapter
/// share.
#[derive(Debug)]
pub struct Bert<B: Backend> {
    embedding: Arc<Embedding<B>>,
    layers: Vec<Arc<Layer<B>>>,
    mlp: Option<B::Linear>,
    /// MPNet's.
    bias: Option<Arc<B::Bias>>,
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
    /// Each sentence's first token alone once only that is left of the states.
    batch: Batch,
    plan: Plan,
    /// `[tokens, hidden]` of the batch, output of layer `done`.
    states: B::States,
    /// `[tokens, hidden]`, output of layer 1, where the plan wants it and later layers ran.
    first: Option<B::States>,
    done: usize,
}

impl<B: Backend> Bert<B> {
    /// Begins to move the weights of a model, as it is or with an adapter, onto a backend;
    /// [`Bert::load_layer`] goes on. What does not differ from `plain` is shared with it.
    ///
    /// # Errors
    /// Where a tensor is missing, has a wrong shape or is not finite, or memory is short.
    pub fn begin_loading(
        backend: &B,
        model: &Merged<'_>,
        plain: Option<&Self>,
    ) -> Result<Self, Error> {
        let load = Load { backend, model };
        let touched = ["token_", "position_embd"].iter().any(|prefix| model.touches(prefix));
        let embedding = match plain.filter(|_| !touched) {
            Some(plain) => Arc::clone(&plain.embedding),
            None => Arc::new(load.embedding()?),
        };
        let mlp = model.has_mlp().then(|| load.linear(&["cls".to_owned()])).transpose()?;
        let config = &model.file().config;
        let bias = match plain {
            Some(plain) => plain.bias.clone(),
            None if config.relative_buckets == 0 => None,
            None => {
                let table = model.tensor_to_run(RELATIVE_BIAS)?;
                Some(Arc::new(backend.bias(&table.view())?))
            }
        };
        Ok(Self { embedding, layers: Vec::new(), mlp, bias, heads: config.heads })
    }

    /// Moves one more layer; `false` once all were moved.
    ///
    /// # Errors
    /// As [`Bert::begin_loading`].
    pub fn load_layer(
        &mut self,
        backend: &B,
        model: &Merged<'_>,
        plain: Option<&Self>,
    ) -> Result<bool, Error> {
        let (index, count) = (self.layers.len(), model.file().config.layers);
        if index >= count {
            return Ok(false);
        }
        let touched = model.touches(&format!("blk.{index}."));
        let same = plain.and_then(|plain| plain.layers.get(index)).filter(|_| !touched);
        let layer = match same {
            Some(layer) => Arc::clone(layer),
            None => Arc::new(Load { backend, model }.layer(index)?),
        };
        self.layers.push(layer);
        Ok(index + 1 < count)
    }

    /// Whether the MLP over the first token is there.
    pub fn has_mlp(&self) -> bool {
        self.mlp.is_some()
    }

    /// One row a sentence, as the plan reads them, not normalised: `[tokens, hidden]` to
    /// `[sentences, hidden]`.
    ///
    /// # Errors
    /// [`Error::NoMlp`] where the plan needs one, or where the backend fails.
    pub fn pool(
        &self,
        backend: &B,
        states: &B::States,
        batch: &Batch,
        plan: Plan,
    ) -> Result<B::States, Error> {
        let pooled = backend.pool(states, batch, plan.pool)?;
        match &self.mlp {
            _ if !plan.with_mlp => Ok(pooled),
            Some(mlp) => Ok(backend.linear_tanh(&pooled, mlp)?),
            None => Err(Error::NoMlp),
        }
    }

    /// The embedding layer and so many layers from below: what a trainer leaves as it is.
    ///
    /// # Errors
    /// As [`Bert::begin_loading`].
    pub fn load_first(backend: &B, file: &BertFile, layers: usize) -> Result<Self, Error> {
        let model = Merged::plain(file);
        let mut bert = Self::begin_loading(backend, &model, None)?;
        for _ in 0..layers.min(file.config.layers) {
            bert.load_layer(backend, &model, None)?;
        }
        Ok(bert)
    }

    /// Begins a pass: the embedding layer.
    ///
    /// # Errors
    /// Where a token lies outside the table.
    pub fn begin(&self, backend: &B, batch: Batch, plan: Plan) -> Result<Pass<B>, Error> {
        let states = backend.embed(&self.embedding, &batch)?;
        Ok(Pass { batch, plan, states, first: None, done: 0 })
    }

    /// Runs one more layer; `false` once there was none left to run. Where a readout wants the first
    /// tokens only, the last layer computes no others behind attention: rows stand alone there, so
    /// what is read stays the same to the bit, without three quarters of that layer.
    ///
    /// # Errors
    /// Where the backend fails.
    pub fn advance(&self, backend: &B, pass: &mut Pass<B>) -> Result<bool, Error> {
        let Some(layer) = self.layers.get(pass.done).filter(|_| pass.done < pass.plan.layer) else {
            return Ok(false);
        };
        let attention = (self.heads, self.bias.as_deref());
        let context = layer.attend(backend, &pass.states, attention, &pass.batch)?;
        let is_narrow = pass.done + 1 == pass.plan.layer && pass.plan.reads_first_only();
        let output = match is_narrow.then(|| pass.batch.first_tokens()).flatten() {
            Some(first_tokens) => {
                let first = |of| backend.pool(of, &pass.batch, Pool::First);
                let output = layer.transform(backend, &first(&context)?, &first(&pass.states)?)?;
                pass.batch = first_tokens;
                output
            }
            None => layer.transform(backend, &context, &pass.states)?,
        };
        let input = std::mem::replace(&mut pass.states, output);
        if pass.plan.with_first && pass.done == 1 {
            pass.first = Some(input);
        }
        pass.done += 1;
        Ok(true)
    }
}

impl<B: Backend> Pass<B> {
    /// One row a sentence of the layer that the pass has come to, not normalised:
    /// `[sentences, hidden]`. The pass can go on. Of the last layer, where the plan has every token.
    ///
    /// # Errors
    /// Where the backend fails.
    pub fn pooled(&self, backend: &B, pool: Pool) -> Result<B::States, Error> {
        Ok(backend.pool(&self.states, &self.batch, pool)?)
    }

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
    /// `[tokens, hidden]` to `[tokens, hidden]`: every token's mixture of its sentence.
    fn attend(
        &self,
        backend: &B,
        states: &B::States,
        (heads, bias): (usize, Option<&B::Bias>),
        batch: &Batch,
    ) -> Result<B::States, Error> {
        let projected = backend.linear(states, &self.attention)?;
        Ok(backend.attention(&projected, heads, bias, batch)?)
    }

    /// What follows attention, row by row: its `context` and the layer's input `states`, both
    /// `[rows, hidden]`, to `[rows, hidden]`.
    fn transform(
        &self,
        backend: &B,
        context: &B::States,
        states: &B::States,
    ) -> Result<B::States, Error> {
        let attended = backend.linear(context, &self.attention_output)?;
        let attended = backend.add_norm(attended, states, &self.attention_norm)?;
        let wide = backend.linear_gelu(&attended, &self.up)?;
        let output = backend.linear(&wide, &self.down)?;
        Ok(backend.add_norm(output, &attended, &self.output_norm)?)
    }
}

struct Load<'a, B> {
    backend: &'a B,
    model: &'a Merged<'a>,
}

impl<B: Backend> Load<'_, B> {
    fn linear(&self, names: &[String]) -> Result<B::Linear, Error> {
        let mut tensors = Vec::with_capacity(names.len());
        for name in names {
            let weights = self.model.tensor_to_run(&format!("{name}.weight"))?;
            tensors.push((weights, self.model.tensor_to_run(&format!("{name}.bias"))?));
        }
        let parts: Vec<_> =
            tensors.iter().map(|(weights, bias)| (weights.view(), bias.view())).collect();
        Ok(self.backend.linear_weights(&parts)?)
    }

    fn norm(&self, name: &str) -> Result<B::Norm, Error> {
        let gain = self.model.tensor_to_run(&format!("{name}.weight"))?;
        let offset = self.model.tensor_to_run(&format!("{name}.bias"))?;
        let epsilon = self.model.file().config.norm_epsilon;
        Ok(self.backend.norm_weights(&gain.view(), &offset.view(), epsilon)?)
    }

    fn embedding(&self) -> Result<Embedding<B>, Error> {
        let table = |name| -> Result<B::Table, Error> {
            Ok(self.backend.table(&self.model.tensor_to_run(name)?.view())?)
        };
        Ok(Embedding {
            words: table("token_embd.weight")?,
            positions: table("position_embd.weight")?,
            types: self.types()?,
            norm: self.norm("token_embd_norm")?,
        })
    }

    /// A row of zeros where the model has no token types.
    fn types(&self) -> Result<B::Table, Error> {
        let config = &self.model.file().config;
        if config.token_types > 0 {
            return Ok(self
                .backend
                .table(&self.model.tensor_to_run("token_types.weight")?.view())?);
        }
        let bytes = vec![0; config.hidden * size_of::<f32>()];
        let (name, rows, columns) = ("token_types.weight", 1, config.hidden);
        let block = BlockType::F32;
        let zeros = TensorView { name, rows, columns, block, bytes: &bytes, owner: None };
        Ok(self.backend.table(&zeros)?)
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
