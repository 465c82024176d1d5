//! The weights that are trained, in one list: what the optimiser, checkpoints and adapters walk.

use candle_core::backprop::GradStore;
use candle_core::{Device, Result, Tensor, Var};

use crate::training::adamw::{Moments, Step};
use crate::training::learner::Update;
use crate::training::ops::values;

/// What a trained tensor is to the model.
#[derive(Debug, Clone)]
pub enum Role {
    /// `A` of a low-rank addition to the tensor of that name; its `B` comes next in the list.
    LowRankA {
        scale: f32,
    },
    LowRankB,
    /// Takes the place of the model's own tensor, which is kept to tell the difference.
    Changed {
        base: Tensor,
    },
    /// New, and part of the tuned model.
    Added,
    /// New, and forgotten after training.
    Aid,
}

/// A trained tensor.
#[derive(Debug)]
pub struct Parameter {
    /// The model's name of the tensor that it changes or adds.
    pub name: String,
    pub role: Role,
    pub var: Var,
    /// `None`: no backward pass has reached it since the last update.
    gradient: Option<Tensor>,
    moments: Moments,
}

/// Position of a parameter in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position(usize);

/// All trained tensors.
#[derive(Debug, Default)]
pub struct Parameters {
    list: Vec<Parameter>,
    updates: u32,
}

/// Weights and moments as of one moment.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    weights: Vec<Tensor>,
    moments: Vec<Moments>,
    updates: u32,
}

impl Parameters {
    /// Adds a tensor.
    pub fn add(&mut self, name: String, role: Role, start: &Tensor) -> Result<Position> {
        let var = Var::from_tensor(start)?;
        let moments = Moments::new(start.elem_count());
        self.list.push(Parameter { name, role, var, gradient: None, moments });
        Ok(Position(self.list.len() - 1))
    }

    /// The tensor at a position; `tracked`: the graph remembers what is done with it.
    pub fn tensor(&self, position: Position, tracked: bool) -> Result<Tensor> {
        let parameter = self.list.get(position.0);
        let parameter = parameter.ok_or_else(|| {
            candle_core::Error::Msg(format!("there is no parameter {}", position.0))
        })?;
        let tensor = parameter.var.as_tensor();
        Ok(if tracked { tensor.clone() } else { tensor.detach() })
    }

    pub fn iter(&self) -> impl Iterator<Item = &Parameter> {
        self.list.iter()
    }

    /// Numbers that are trained.
    pub fn count(&self) -> u64 {
        self.list.iter().map(|parameter| parameter.var.elem_count() as u64).sum()
    }

    /// Adds the gradients of a backward pass to those that wait for the update.
    pub fn gather(&mut self, gradients: &mut GradStore) -> Result<()> {
        for parameter in &mut self.list {
            let Some(more) = gradients.remove(parameter.var.as_tensor()) else { continue };
            parameter.gradient = Some(match parameter.gradient.take() {
                Some(sum) => (sum + more)?,
                None => more,
            });
        }
        Ok(())
    }

    /// AdamW with the gathered gradients, which are then forgotten. Gives their L2 norm before
    /// clipping; where that is not a finite number, nothing is updated.
    pub fn update(&mut self, update: Update) -> Result<f32> {
        let mut squares = 0.0_f64;
        for gradient in self.list.iter().filter_map(|parameter| parameter.gradient.as_ref()) {
            let numbers = values(gradient)?;
            squares += numbers.iter().map(|g| f64::from(*g) * f64::from(*g)).sum::<f64>();
        }
        let norm = squares.sqrt() as f32;
        let clip = update.gradient_clip;
        let clipped = clip > 0.0 && norm > clip;
        let gradient_scale = if clipped { clip / norm } else { 1.0 };
        if norm.is_finite() {
            self.updates += 1;
        }
        for parameter in &mut self.list {
            let Some(gradient) = parameter.gradient.take().filter(|_| norm.is_finite()) else {
                continue;
            };
            // Biases, gains and offsets are vectors: they are not decayed, as in BERT's own code.
            let is_matrix = parameter.var.rank() > 1;
            let step = Step {
                learning_rate: update.learning_rate,
                weight_decay: if is_matrix { update.weight_decay } else { 0.0 },
                gradient_scale,
                count: self.updates,
            };
            let mut weights = values(parameter.var.as_tensor())?.to_vec();
            parameter.moments.update(step, &mut weights, &values(&gradient)?);
            let shape = parameter.var.shape();
            parameter.var.set(&Tensor::from_vec(weights, shape, &Device::Cpu)?)?;
        }
        Ok(norm)
    }

    /// Weights and moments now.
    pub fn checkpoint(&self) -> Result<Checkpoint> {
        let copies = self.list.iter().map(|parameter| parameter.var.as_tensor().copy());
        Ok(Checkpoint {
            weights: copies.collect::<Result<_>>()?,
            moments: self.list.iter().map(|parameter| parameter.moments.clone()).collect(),
            updates: self.updates,
        })
    }

    /// Goes back to a checkpoint of this list.
    pub fn restore(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let kept = checkpoint.weights.iter().zip(&checkpoint.moments);
        for (parameter, (weights, moments)) in self.list.iter_mut().zip(kept) {
            parameter.var.set(weights)?;
            parameter.moments = moments.clone();
            parameter.gradient = None;
        }
        self.updates = checkpoint.updates;
        Ok(())
    }

    /// The gathered gradients, in the order of the list; zeros where none has come.
    #[cfg(test)]
    pub fn gradients(&self) -> Vec<Vec<f32>> {
        let gradient = |parameter: &Parameter| match &parameter.gradient {
            Some(gradient) => values(gradient).unwrap().to_vec(),
            None => vec![0.0; parameter.var.elem_count()],
        };
        self.list.iter().map(gradient).collect()
    }

    /// Moves the numbers of one parameter and forgets the gathered gradients.
    #[cfg(test)]
    pub fn nudge(&mut self, position: usize, by: impl Fn(usize) -> f32) {
        self.list.iter_mut().for_each(|parameter| parameter.gradient = None);
        let parameter = &mut self.list[position];
        let numbers = values(parameter.var.as_tensor()).unwrap().to_vec();
        let moved = numbers.iter().enumerate().map(|(place, value)| value + by(place)).collect();
        let moved = Tensor::from_vec(moved, parameter.var.shape(), &Device::Cpu).unwrap();
        parameter.var.set(&moved).unwrap();
    }
}
