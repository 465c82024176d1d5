//! AdamW (arXiv 1711.05101): Adam's moments, weight decay apart from the gradient.
//!
//! `m = b1 m + (1 - b1) g`, `v = b2 v + (1 - b2) g^2`,
//! `w = w - lr (m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon) + decay w)`.

const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// Both moments of one tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    first: Vec<f32>,
    second: Vec<f32>,
}

/// What is the same for every tensor of an update.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    pub learning_rate: f32,
    pub weight_decay: f32,
    /// Factor that clips the gradient.
    pub gradient_scale: f32,
    /// t: 1 for the first update.
    pub count: u32,
}

impl Moments {
    /// Of `count` numbers that were never updated.
    pub fn new(count: usize) -> Self {
        Self { first: vec![0.0; count], second: vec![0.0; count] }
    }

    /// Updates the weights in place.
    pub fn update(&mut self, step: Step, weights: &mut [f32], gradient: &[f32]) {
        let count = i32::try_from(step.count).unwrap_or(i32::MAX);
        let first_scale = 1.0 / (1.0 - BETA_1.powi(count));
        let second_scale = 1.0 / (1.0 - BETA_2.powi(count));
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((weight, gradient), (first, second)) in weights.iter_mut().zip(gradient).zip(moments) {
            let gradient = gradient * step.gradient_scale;
            *first = BETA_1 * *first + (1.0 - BETA_1) * gradient;
            *second = BETA_2 * *second + (1.0 - BETA_2) * gradient * gradient;
            let slope = *first * first_scale / ((*second * second_scale).sqrt() + EPSILON);
            *weight -= step.learning_rate * (slope + step.weight_decay * *weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor, Var};
    use candle_nn::{AdamW, Optimizer, ParamsAdamW};

    use super::*;

    #[test]
    fn equals_candles_adamw() {
        let start = vec![0.5_f32, -1.0, 2.0, 1e-3];
        let var = Var::from_tensor(&Tensor::new(start.clone(), &Device::Cpu).unwrap()).unwrap();
        let settings = ParamsAdamW { lr: 0.02, weight_decay: 0.1, ..ParamsAdamW::default() };
        let mut theirs = AdamW::new(vec![var.clone()], settings).unwrap();
        let (mut weights, mut moments) = (start, Moments::new(4));
        for count in 1..=20 {
            // The gradient of the sum of squares.
            let loss = var.sqr().unwrap().sum_all().unwrap();
            theirs.backward_step(&loss).unwrap();
            let gradient: Vec<f32> = weights.iter().map(|weight| 2.0 * weight).collect();
            let step = Step { learning_rate: 0.02, weight_decay: 0.1, gradient_scale: 1.0, count };
            moments.update(step, &mut weights, &gradient);
        }
        for (ours, theirs) in weights.iter().zip(var.to_vec1::<f32>().unwrap()) {
            assert!((ours - theirs).abs() < 1e-5, "{ours} for {theirs}");
        }
    }
}
