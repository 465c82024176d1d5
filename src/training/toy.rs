//! A learner for tests, so small that its gradient can be written by hand: a sentence's vector is
//! the mean of its tokens' rows of a table, with dropout on every number.

use crate::math::rng::Rng;
use crate::math::rows::{normalise, row};
use crate::protocol::readout::Pooling;
use crate::training::error::Error;
use crate::training::learner::{Forward, Learner, Noise, Update};
use crate::weights::adapter::{Change, Changes};

pub const HIDDEN: usize = 8;
pub const VOCABULARY: usize = 40;

/// What was asked of the learner.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    Forward { sentences: usize, noise: Option<Noise>, keep_tape: bool },
    Backward,
    Update,
    Embed { sentences: usize },
}

#[derive(Debug)]
pub struct Toy {
    /// `[VOCABULARY, HIDDEN]`
    pub table: Vec<f32>,
    velocity: Vec<f32>,
    gradient: Vec<f32>,
    updates: u32,
    pub calls: Vec<Call>,
    /// After so many updates every number is NaN.
    pub poison: Option<u32>,
}

/// Of each token of each sentence: its row of the table, and what every number is multiplied by.
pub struct Tape(Vec<Vec<(usize, Vec<f32>)>>);

impl Toy {
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let size = VOCABULARY * HIDDEN;
        // All rows near one direction: a cone to be opened.
        let table = (0..size).map(|_| (1.0 + 0.4 * rng.normal()) as f32).collect();
        let (velocity, gradient) = (vec![0.0; size], vec![0.0; size]);
        Self { table, velocity, gradient, updates: 0, calls: Vec::new(), poison: None }
    }

    fn tape(sentences: &[&[u32]], noise: Option<Noise>) -> Tape {
        let scales = |sentence: usize, place: usize, share: f32| -> Vec<f32> {
            let Some(noise) = noise else { return vec![share; HIDDEN] };
            let mut rng = Rng::of(&[noise.seed, sentence as u64, place as u64]);
            let kept = share / (1.0 - noise.dropout);
            let scale = |rng: &mut Rng| {
                if rng.uniform() < f64::from(noise.dropout) { 0.0 } else { kept }
            };
            (0..HIDDEN).map(|_| scale(&mut rng)).collect()
        };
        let sentence = |(number, ids): (usize, &&[u32])| {
            let share = 1.0 / ids.len() as f32;
            let tokens = ids.iter().enumerate();
            tokens.map(|(place, id)| (*id as usize, scales(number, place, share))).collect()
        };
        Tape(sentences.iter().enumerate().map(sentence).collect())
    }

    fn rows(&self, tape: &Tape) -> Vec<f32> {
        let mut rows = vec![0.0; tape.0.len() * HIDDEN];
        for (out, tokens) in rows.chunks_exact_mut(HIDDEN).zip(&tape.0) {
            for (id, scales) in tokens {
                for ((out, value), scale) in
                    out.iter_mut().zip(row(&self.table, HIDDEN, *id)).zip(scales)
                {
                    *out += value * scale;
                }
            }
        }
        rows
    }
}

impl Learner for Toy {
    type Tape = Tape;
    type Checkpoint = (Vec<f32>, Vec<f32>, u32);

    fn hidden(&self) -> usize {
        HIDDEN
    }

    fn parameters(&self) -> u64 {
        self.table.len() as u64
    }

    fn frozen_layers(&self) -> usize {
        0
    }

    async fn forward(
        &mut self,
        sentences: &[&[u32]],
        noise: Option<Noise>,
        keep_tape: bool,
    ) -> Result<Forward<Tape>, Error> {
        self.calls.push(Call::Forward { sentences: sentences.len(), noise, keep_tape });
        let tape = Self::tape(sentences, noise);
        Ok(Forward { rows: self.rows(&tape), tape: keep_tape.then_some(tape) })
    }

    async fn backward(&mut self, tape: Tape, row_gradient: &[f32]) -> Result<(), Error> {
        self.calls.push(Call::Backward);
        assert_eq!(row_gradient.len(), tape.0.len() * HIDDEN);
        for (gradient, tokens) in row_gradient.chunks_exact(HIDDEN).zip(tape.0) {
            for (id, scales) in tokens {
                let target = &mut self.gradient[id * HIDDEN..][..HIDDEN];
                for ((target, slope), scale) in target.iter_mut().zip(gradient).zip(scales) {
                    *target += slope * scale;
                }
            }
        }
        Ok(())
    }

    async fn update(&mut self, update: Update) -> Result<f32, Error> {
        self.calls.push(Call::Update);
        self.updates += 1;
        let squares: f64 = self.gradient.iter().map(|slope| f64::from(*slope).powi(2)).sum();
        let gradients = self.gradient.iter_mut().zip(&mut self.velocity).zip(&mut self.table);
        for ((slope, velocity), value) in gradients {
            *velocity = 0.8 * *velocity + std::mem::take(slope);
            *value -= update.learning_rate * *velocity;
        }
        if self.poison == Some(self.updates) {
            self.table.fill(f32::NAN);
        }
        Ok(squares.sqrt() as f32)
    }

    async fn embed(
        &mut self,
        sentences: &[&[u32]],
        poolings: &[Pooling],
    ) -> Result<Vec<Vec<f32>>, Error> {
        self.calls.push(Call::Embed { sentences: sentences.len() });
        // The "first token" is the whole sentence here, the "mean" leaves `[CLS]` out.
        let mut rows = |pooling: &Pooling| {
            let skipped = usize::from(*pooling == Pooling::Mean);
            let parts: Vec<&[u32]> = sentences.iter().map(|ids| &ids[skipped..]).collect();
            let mut rows = self.rows(&Self::tape(&parts, None));
            rows.chunks_exact_mut(HIDDEN).for_each(normalise);
            rows
        };
        Ok(poolings.iter().map(&mut rows).collect())
    }

    fn checkpoint(&self) -> Result<Self::Checkpoint, Error> {
        Ok((self.table.clone(), self.velocity.clone(), self.updates))
    }

    fn checkpoint_bytes(&self) -> u64 {
        2_560
    }

    fn restore(&mut self, checkpoint: &Self::Checkpoint) -> Result<(), Error> {
        (self.table, self.velocity, self.updates) = checkpoint.clone();
        self.gradient.fill(0.0);
        Ok(())
    }

    fn changes(&self) -> Result<Changes, Error> {
        let (rows, columns, difference) = (VOCABULARY, HIDDEN, self.table.clone());
        let change = Change::Difference { rows, columns, difference };
        Ok([("table".to_owned(), change)].into())
    }
}
