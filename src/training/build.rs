//! From a model file and a recipe to the network that is trained.

use candle_core::{Device, Tensor};

use crate::kernels::attention::bias_by_distance;
use crate::protocol::recipe::{Linears, OutOfRange, Recipe, Trained, TrainedReadout};
use crate::training::error::Error;
use crate::training::network::{Embeddings, Layer, Linear, Network, Norm};
use crate::training::noise::uniform;
use crate::training::parameters::{Parameters, Position, Role};
use crate::weights::adapter::{Change, Changes};
use crate::weights::bert::{BertFile, RELATIVE_BIAS};

/// Names of the MLP's tensors, llama.cpp's for a classifier on `[CLS]`.
pub const MLP_WEIGHT: &str = "cls.weight";
pub const MLP_BIAS: &str = "cls.bias";

/// Standard deviation of BERT's new weights.
const NEW_WEIGHT_DEVIATION: f32 = 0.02;

/// A network and its trained weights.
#[derive(Debug)]
pub struct Built {
    pub network: Network,
    pub parameters: Parameters,
    /// Layers below the first trained one.
    pub frozen_layers: usize,
}

/// candle's refusal, which nothing a visitor does should bring about.
pub fn library(operation: &'static str) -> impl Fn(candle_core::Error) -> Error {
    move |error| Error::Library { operation, detail: error.to_string() }
}

/// Builds the network; with `from`, training goes on from that adapter.
///
/// # Errors
/// Where the recipe asks for layers that the model lacks, a tensor cannot be decoded, or the
/// adapter changes something that this recipe does not train.
pub fn build(file: &BertFile, recipe: &Recipe, from: Option<&Changes>) -> Result<Built, Error> {
    recipe.check()?;
    let frozen_layers = frozen_layers(recipe, file.config.layers)?;
    let parameters = Parameters::default();
    let mut build = Build { file, recipe, from, parameters, resumed: 0 };
    let everything = recipe.trained == Trained::Everything;
    let embeddings = everything.then(|| build.embeddings()).transpose()?;
    let layers = (frozen_layers..file.config.layers)
        .map(|index| build.layer(index))
        .collect::<Result<_, _>>()?;
    let mlp = build.mlp()?;
    build.demand_all_resumed()?;
    let (heads, norm_epsilon) = (file.config.heads, file.config.norm_epsilon);
    let bias = bias(file)?.into();
    let network = Network { embeddings, layers, mlp, heads, bias, norm_epsilon };
    Ok(Built { network, parameters: build.parameters, frozen_layers })
}

/// MPNet's bias by distance, `[heads, SPAN]`; nothing for other models.
fn bias(file: &BertFile) -> Result<Vec<f32>, Error> {
    if file.config.relative_buckets == 0 {
        return Ok(Vec::new());
    }
    Ok(bias_by_distance(&file.tensor(RELATIVE_BIAS)?.to_f32()?, file.config.heads))
}

fn frozen_layers(recipe: &Recipe, layers: usize) -> Result<usize, Error> {
    let trained = match recipe.trained {
        Trained::LastLayers { count } | Trained::Lora { last_layers: Some(count), .. } => count,
        Trained::Lora { last_layers: None, .. } | Trained::Everything => return Ok(0),
    };
    let missing = OutOfRange {
        field: "trained layers",
        found: f64::from(trained),
        low: 1.0,
        high: layers as f64,
    };
    let frozen = layers.checked_sub(usize::from(trained)).filter(|_| trained > 0);
    Ok(frozen.ok_or(missing)?)
}

fn is_chosen(linears: Linears, part: &str) -> bool {
    match linears {
        Linears::All => true,
        Linears::Attention => part.starts_with("attn"),
        Linears::QueryValue => part == "attn_q" || part == "attn_v",
        Linears::FeedForward => part.starts_with("ffn"),
    }
}

struct Build<'a> {
    file: &'a BertFile,
    recipe: &'a Recipe,
    from: Option<&'a Changes>,
    parameters: Parameters,
    /// Changes of `from` that were taken over.
    resumed: usize,
}

impl Build<'_> {
    /// A tensor of the file: `[rows, columns]`, or `[columns]` of a vector.
    fn tensor(&self, name: &str) -> Result<Tensor, Error> {
        let view = self.file.tensor(name)?;
        let is_vector =
            view.rows == 1 && !name.ends_with("embd.weight") && name != "token_types.weight";
        let shape = if is_vector { vec![view.columns] } else { vec![view.rows, view.columns] };
        Tensor::from_vec(view.to_f32()?, shape, &Device::Cpu).map_err(library("load"))
    }

    fn add(&mut self, name: &str, role: Role, start: &Tensor) -> Result<Position, Error> {
        self.parameters.add(name.to_owned(), role, start).map_err(library("load"))
    }

    /// A tensor whose every number is trained.
    fn changed(&mut self, name: &str) -> Result<Position, Error> {
        let base = self.tensor(name)?;
        let start = match self.from.and_then(|from| from.get(name)) {
            None => base.clone(),
            Some(Change::Difference { difference, .. })
                if difference.len() == base.elem_count() =>
            {
                self.resumed += 1;
                let difference = Tensor::from_slice(difference, base.shape(), &Device::Cpu);
                difference.and_then(|difference| &base + difference).map_err(library("resume"))?
            }
            Some(other) => return Err(misfit(name, other)),
        };
        self.add(name, Role::Changed { base }, &start)
    }

    fn linear(&mut self, index: usize, part: &str) -> Result<Linear, Error> {
        let name = format!("blk.{index}.{part}");
        let (weight, bias) = (format!("{name}.weight"), format!("{name}.bias"));
        match self.recipe.trained {
            Trained::Lora { rank, alpha, linears, .. } if is_chosen(linears, part) => {
                let scale = alpha / f32::from(rank);
                let frozen = (self.tensor(&weight)?, self.tensor(&bias)?);
                let (a, b) = self.low_rank(&weight, usize::from(rank), scale)?;
                Ok(Linear::LowRank { weight: frozen.0, bias: frozen.1, a, b, scale })
            }
            Trained::Lora { .. } => {
                Ok(Linear::Frozen { weight: self.tensor(&weight)?, bias: self.tensor(&bias)? })
            }
            Trained::LastLayers { .. } | Trained::Everything => {
                let (weight, bias) = (self.changed(&weight)?, self.changed(&bias)?);
                Ok(Linear::Dense { weight, bias })
            }
        }
    }

    /// `A` random within 1 / sqrt(inputs), `B` zero, as the LoRA paper's code begins; or as `from` has them.
    fn low_rank(
        &mut self,
        name: &str,
        rank: usize,
        scale: f32,
    ) -> Result<(Position, Position), Error> {
        let view = self.file.tensor(name)?;
        let (outputs, inputs) = (view.rows, view.columns);
        let (a, b) = match self.from.and_then(|from| from.get(name)) {
            None => {
                let bound = 1.0 / (inputs as f32).sqrt();
                (self.random(rank * inputs, bound), vec![0.0; outputs * rank])
            }
            Some(Change::LowRank { rank: found, a, b, scale: theirs, .. })
                if *found == rank && a.len() == rank * inputs && b.len() == outputs * rank =>
            {
                self.resumed += 1;
                (a.clone(), b.iter().map(|value| value * theirs / scale).collect())
            }
            Some(other) => return Err(misfit(name, other)),
        };
        let tensor = |values, shape: (usize, usize)| {
            Tensor::from_vec(values, shape, &Device::Cpu).map_err(library("load"))
        };
        let a = self.add(name, Role::LowRankA { scale }, &tensor(a, (rank, inputs))?)?;
        let b = self.add(name, Role::LowRankB, &tensor(b, (outputs, rank))?)?;
        Ok((a, b))
    }

    /// New weights, evenly from -`bound` to `bound`; every tensor has a stream of its own.
    fn random(&self, count: usize, bound: f32) -> Vec<f32> {
        let stream = self.parameters.iter().count() as u32;
        let number = |place: usize| bound * uniform(self.recipe.seed, stream, place as u32);
        (0..count).map(number).collect()
    }

    fn norm(&mut self, name: &str) -> Result<Norm, Error> {
        let (gain, offset) = (format!("{name}.weight"), format!("{name}.bias"));
        Ok(match self.recipe.trained {
            Trained::Lora { .. } => {
                Norm::Frozen { gain: self.tensor(&gain)?, offset: self.tensor(&offset)? }
            }
            Trained::LastLayers { .. } | Trained::Everything => {
                Norm::Trained { gain: self.changed(&gain)?, offset: self.changed(&offset)? }
            }
        })
    }

    fn layer(&mut self, index: usize) -> Result<Layer, Error> {
        Ok(Layer {
            index,
            query: self.linear(index, "attn_q")?,
            key: self.linear(index, "attn_k")?,
            value: self.linear(index, "attn_v")?,
            attention_output: self.linear(index, "attn_output")?,
            attention_norm: self.norm(&format!("blk.{index}.attn_output_norm"))?,
            up: self.linear(index, "ffn_up")?,
            down: self.linear(index, "ffn_down")?,
            output_norm: self.norm(&format!("blk.{index}.layer_output_norm"))?,
        })
    }

    fn embeddings(&mut self) -> Result<Embeddings, Error> {
        Ok(Embeddings {
            words: self.changed("token_embd.weight")?,
            positions: self.changed("position_embd.weight")?,
            types: match self.file.config.token_types {
                0 => None,
                _ => Some(self.changed("token_types.weight")?),
            },
            norm: self.norm("token_embd_norm")?,
        })
    }

    fn mlp(&mut self) -> Result<Option<(Position, Position)>, Error> {
        let role = match self.recipe.readout {
            TrainedReadout::Cls | TrainedReadout::Mean => return Ok(None),
            TrainedReadout::ClsMlpWhileTraining => Role::Aid,
            TrainedReadout::ClsMlp => Role::Added,
        };
        let hidden = self.file.config.hidden;
        // An even distribution with BERT's deviation: its bound is sqrt 3 deviations.
        let bound = NEW_WEIGHT_DEVIATION * 3.0_f32.sqrt();
        let fresh = self.random(hidden * hidden, bound);
        let weight = self.added(MLP_WEIGHT, fresh)?;
        let bias = self.added(MLP_BIAS, vec![0.0; hidden])?;
        let tensor = |values: Vec<f32>, shape: &[usize]| {
            Tensor::from_vec(values, shape, &Device::Cpu).map_err(library("load"))
        };
        let weight = self.add(MLP_WEIGHT, role.clone(), &tensor(weight, &[hidden, hidden])?)?;
        let bias = self.add(MLP_BIAS, role, &tensor(bias, &[hidden])?)?;
        Ok(Some((weight, bias)))
    }

    /// What `from` added under that name, or the new values.
    fn added(&mut self, name: &str, fresh: Vec<f32>) -> Result<Vec<f32>, Error> {
        match self.from.and_then(|from| from.get(name)) {
            None => Ok(fresh),
            Some(Change::Added { values, .. }) if values.len() == fresh.len() => {
                self.resumed += 1;
                Ok(values.clone())
            }
            Some(other) => Err(misfit(name, other)),
        }
    }

    /// What an adapter changes beyond what is trained here would be lost silently.
    fn demand_all_resumed(&self) -> Result<(), Error> {
        let Some(from) = self.from.filter(|from| from.len() != self.resumed) else { return Ok(()) };
        let trained = |name: &str| self.parameters.iter().any(|parameter| parameter.name == name);
        let name = from.keys().find(|name| !trained(name)).cloned().unwrap_or_default();
        Err(Error::Resume { name, detail: "this recipe does not train it".to_owned() })
    }
}

fn misfit(name: &str, change: &Change) -> Error {
    let detail = match change {
        Change::LowRank { rank, inputs, outputs, .. } => {
            format!("it is a low-rank addition of rank {rank} to {outputs} x {inputs} weights")
        }
        Change::Difference { rows, columns, .. } => {
            format!("it changes all of {rows} x {columns} weights")
        }
        Change::Added { rows, columns, .. } => format!("it adds {rows} x {columns} weights"),
    };
    Error::Resume { name: name.to_owned(), detail }
}
