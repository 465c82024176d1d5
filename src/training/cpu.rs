//! The learner on the CPU: candle's autograd over weights decoded from the GGUF file, with our own
//! operations at its nodes; frozen layers on any inference backend.

#[cfg(test)]
mod test;

use std::sync::Arc;

use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor};

use crate::backend::cpu::Cpu;
use crate::backend::{Backend, Batch, Pool};
use crate::math::lanes::unit;
use crate::protocol::readout::Pooling;
use crate::protocol::recipe::{Recipe, TrainedReadout};
use crate::training::build::{Built, build, library};
use crate::training::error::Error;
use crate::training::frozen::Frozen;
use crate::training::learner::{Forward, Learner, Noise, Update};
use crate::training::network::{Network, Run};
use crate::training::parameters::{Checkpoint, Parameter, Parameters, Role};
use crate::weights::adapter::{Change, Changes};
use crate::weights::bert::BertFile;

/// Tokens that run together where no gradient is wanted.
const EMBED_TOKENS: usize = 768;

/// The learner on the CPU.
#[derive(Debug)]
pub struct CpuLearner<B: Backend> {
    frozen: Frozen<B>,
    network: Network,
    parameters: Parameters,
    readout: TrainedReadout,
    hidden: usize,
}

/// The rows of a forward pass, with the graph that leads to them.
#[derive(Debug)]
pub struct Tape {
    rows: Tensor,
}

impl CpuLearner<Cpu> {
    /// A learner whose frozen layers run on the CPU as well.
    ///
    /// # Errors
    /// As [`CpuLearner::on`].
    pub fn new(file: &BertFile, recipe: &Recipe, from: Option<&Changes>) -> Result<Self, Error> {
        Self::on(Cpu::default(), file, recipe, from)
    }
}

impl<B: Backend> CpuLearner<B> {
    /// A learner of a file's weights; its frozen layers run on `backend`. With `from`, training goes
    /// on from that adapter. The file may be dropped afterwards.
    ///
    /// # Errors
    /// Where the recipe is out of range, the adapter does not fit the recipe, or weights are damaged.
    pub fn on(
        backend: B,
        file: &BertFile,
        recipe: &Recipe,
        from: Option<&Changes>,
    ) -> Result<Self, Error> {
        let Built { network, parameters, frozen_layers } = build(file, recipe, from)?;
        let frozen = Frozen::load(backend, file, frozen_layers)?;
        let (readout, hidden) = (recipe.readout, file.config.hidden);
        Ok(Self { frozen, network, parameters, readout, hidden })
    }

    /// Token states after the last layer, `[tokens, hidden]`.
    async fn states(
        &mut self,
        sentences: &[&[u32]],
        noise: Option<Noise>,
        tracked: bool,
    ) -> Result<(Tensor, Arc<[usize]>), Error> {
        let batch = Batch::pack(sentences.iter().copied());
        let below = match self.network.embeddings {
            Some(_) => None,
            None => Some(self.frozen.states(sentences).await?),
        };
        let starts: Arc<[usize]> = batch.starts.into();
        let shape = (batch.ids.len(), self.hidden);
        // Layers that are run once a sentence cannot have noise that is new each time.
        let noise_below = noise.filter(|_| self.frozen.layers() == 0);
        let run = self.pass(noise, tracked, &starts);
        let graph = || {
            let states = match (&self.network.embeddings, below) {
                (Some(layer), _) => self.network.embed(&run, layer, &batch.ids)?,
                (None, below) => Tensor::from_vec(below.unwrap_or_default(), shape, &Device::Cpu)?,
            };
            let below = Run { noise: noise_below, ..run.clone() };
            self.network.run(&run, self.network.drop_embedding(&below, states)?)
        };
        let states = graph().map_err(library("forward"))?;
        Ok((states, starts))
    }

    fn pass(&self, noise: Option<Noise>, tracked: bool, starts: &Arc<[usize]>) -> Run<'_> {
        Run { parameters: &self.parameters, tracked, noise, starts: Arc::clone(starts) }
    }

    /// `[sentences, hidden]`, unit length, of sentences that run together.
    fn pooled(
        &self,
        states: &Tensor,
        starts: &Arc<[usize]>,
        pooling: Pooling,
    ) -> candle_core::Result<Vec<f32>> {
        let run = self.pass(None, false, starts);
        let rows = match pooling {
            // First-last needs the first layer, which may be a frozen one that was not kept.
            Pooling::Mean | Pooling::FirstLast => self.network.pool(&run, states, Pool::Mean)?,
            Pooling::Cls => self.network.pool(&run, states, Pool::First)?,
            Pooling::ClsMlp => {
                self.network.mlp(&run, &self.network.pool(&run, states, Pool::First)?)?
            }
        };
        let mut rows = rows.flatten_all()?.to_vec1::<f32>()?;
        rows.chunks_exact_mut(self.hidden.max(1)).for_each(unit);
        Ok(rows)
    }
}

impl<B: Backend> Learner for CpuLearner<B> {
    type Tape = Tape;
    type Checkpoint = Checkpoint;

    fn hidden(&self) -> usize {
        self.hidden
    }

    fn parameters(&self) -> u64 {
        self.parameters.count()
    }

    fn frozen_layers(&self) -> usize {
        self.frozen.layers()
    }

    async fn forward(
        &mut self,
        sentences: &[&[u32]],
        noise: Option<Noise>,
        keep_tape: bool,
    ) -> Result<Forward<Tape>, Error> {
        let (states, starts) = self.states(sentences, noise, keep_tape).await?;
        let run = self.pass(noise, keep_tape, &starts);
        let pool = match self.readout {
            TrainedReadout::Mean => Pool::Mean,
            TrainedReadout::Cls | TrainedReadout::ClsMlpWhileTraining | TrainedReadout::ClsMlp => {
                Pool::First
            }
        };
        let graph = || self.network.mlp(&run, &self.network.pool(&run, &states, pool)?);
        let rows = graph().map_err(library("forward"))?;
        let numbers = rows.flatten_all().and_then(|rows| rows.to_vec1::<f32>());
        let numbers = numbers.map_err(library("forward"))?;
        Ok(Forward { rows: numbers, tape: keep_tape.then_some(Tape { rows }) })
    }

    async fn backward(&mut self, tape: Tape, row_gradient: &[f32]) -> Result<(), Error> {
        let backward = || -> candle_core::Result<GradStore> {
            let gradient = Tensor::from_slice(row_gradient, tape.rows.shape(), &Device::Cpu)?;
            // The sum of rows times gradient has just that gradient with respect to the rows.
            (&tape.rows * gradient)?.sum_all()?.backward()
        };
        let mut gradients = backward().map_err(library("backward"))?;
        drop(tape);
        self.parameters.gather(&mut gradients).map_err(library("backward"))
    }

    async fn update(&mut self, update: Update) -> Result<f32, Error> {
        self.parameters.update(update).map_err(library("update"))
    }

    async fn embed(
        &mut self,
        sentences: &[&[u32]],
        poolings: &[Pooling],
    ) -> Result<Vec<Vec<f32>>, Error> {
        let mut rows = vec![Vec::with_capacity(sentences.len() * self.hidden); poolings.len()];
        let mut rest = sentences;
        while !rest.is_empty() {
            let mut tokens = 0;
            let fitting = rest.iter().take_while(|ids| {
                tokens += ids.len();
                tokens <= EMBED_TOKENS
            });
            let (batch, more) = rest.split_at(fitting.count().max(1));
            rest = more;
            let (states, starts) = self.states(batch, None, false).await?;
            for (rows, pooling) in rows.iter_mut().zip(poolings) {
                let pooled = self.pooled(&states, &starts, *pooling);
                rows.extend(pooled.map_err(library("embed"))?);
            }
        }
        Ok(rows)
    }

    fn checkpoint(&self) -> Result<Checkpoint, Error> {
        self.parameters.checkpoint().map_err(library("checkpoint"))
    }

    fn checkpoint_bytes(&self) -> u64 {
        // The weights and both of their moments.
        3 * size_of::<f32>() as u64 * self.parameters.count()
    }

    fn restore(&mut self, checkpoint: &Checkpoint) -> Result<(), Error> {
        self.parameters.restore(checkpoint).map_err(library("restore"))
    }

    fn changes(&self) -> Result<Changes, Error> {
        let mut changes = Changes::new();
        let mut list = self.parameters.iter();
        while let Some(parameter) = list.next() {
            let change = match &parameter.role {
                Role::LowRankA { scale } => {
                    let b = list.next().ok_or(Error::Library {
                        operation: "changes",
                        detail: format!("{} has no second factor", parameter.name),
                    })?;
                    low_rank(parameter, b, *scale)
                }
                Role::Changed { base } => difference(parameter, base),
                Role::Added => added(parameter),
                // The second factor is taken with the first; aids are forgotten.
                Role::LowRankB | Role::Aid => continue,
            };
            changes.insert(parameter.name.clone(), change.map_err(library("changes"))?);
        }
        Ok(changes)
    }
}

fn low_rank(a: &Parameter, b: &Parameter, scale: f32) -> candle_core::Result<Change> {
    let (rank, inputs) = a.var.dims2()?;
    let (outputs, _) = b.var.dims2()?;
    let numbers = |parameter: &Parameter| parameter.var.flatten_all()?.to_vec1::<f32>();
    Ok(Change::LowRank { rank, inputs, outputs, a: numbers(a)?, b: numbers(b)?, scale })
}

fn difference(parameter: &Parameter, base: &Tensor) -> candle_core::Result<Change> {
    let (rows, columns) = rows_and_columns(base);
    let difference = (parameter.var.as_tensor().detach() - base)?;
    let difference = difference.flatten_all()?.to_vec1::<f32>()?;
    Ok(Change::Difference { rows, columns, difference })
}

fn added(parameter: &Parameter) -> candle_core::Result<Change> {
    let (rows, columns) = rows_and_columns(parameter.var.as_tensor());
    let values = parameter.var.flatten_all()?.to_vec1::<f32>()?;
    Ok(Change::Added { rows, columns, values })
}

/// A vector is one row.
fn rows_and_columns(tensor: &Tensor) -> (usize, usize) {
    match *tensor.dims() {
        [rows, columns] => (rows, columns),
        _ => (1, tensor.elem_count()),
    }
}
