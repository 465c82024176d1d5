//! A run of a recipe: batches, steps, measurements, checkpoints, whatever the learner computes with.
//!
//! [`Session::advance`] does one bounded piece of work (a few sentences forward or back, an update,
//! a slice of a measurement), so that whoever calls it can listen to other things in between.
//!
//! *Invariant:* everything random is drawn from the recipe's seed, the step and the place in it. A
//! run is the same whenever it is repeated, interrupted, or taken up again from a checkpoint.

use crate::protocol::recipe::Recipe;
use crate::protocol::training::{Measures, Outline, Rest, StepReport};
use crate::training::batches::Batches;
use crate::training::checkpoints::Checkpoints;
use crate::training::error::Error;
use crate::training::examples::Examples;
use crate::training::learner::Learner;
use crate::training::measure::{Measuring, TokenisedProbe};
use crate::training::step::{Progress, Step};
use crate::weights::adapter::Changes;

/// Memory that a session may use beside the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Tokens whose graphs are in memory together; a token of a small model takes some 200 KiB.
    pub tape_tokens: usize,
    /// For checkpoints; the first and the latest are kept even where they take more.
    pub checkpoint_bytes: u64,
}

impl Limits {
    /// What fits into a browser's tab beside a small model.
    pub const TAB: Self = Self { tape_tokens: 2_048, checkpoint_bytes: 160 << 20 };
}

/// What a piece of work came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Advance {
    Working,
    Stepped(StepReport),
    Measured(Box<Measures>),
    /// There is nothing more to do after that step.
    Rests(u32, Rest),
}

/// A run of a recipe.
#[derive(Debug)]
pub struct Session<L: Learner> {
    pub(in crate::training) learner: L,
    recipe: Recipe,
    examples: Examples,
    probe: TokenisedProbe,
    limits: Limits,
    batches: Batches,
    checkpoints: Checkpoints<L::Checkpoint>,
    /// Steps done.
    step: u32,
    /// The step that was measured last.
    measured: Option<u32>,
    /// No step shall follow.
    stopping: bool,
    phase: Phase<L::Tape>,
}

#[derive(Debug)]
enum Phase<T> {
    /// Between two pieces of work that belong together.
    Between,
    /// With the batches that are still to come once the step is done.
    Stepping(Box<Step<T>>, Batches),
    Measuring(Box<Measuring>),
    Over(Rest),
}

impl<L: Learner> Session<L> {
    /// A session before its first step.
    ///
    /// # Errors
    /// Where the recipe is out of range or memory for the first checkpoint is short.
    pub fn new(
        learner: L,
        recipe: Recipe,
        examples: Examples,
        probe: TokenisedProbe,
        limits: Limits,
    ) -> Result<Self, Error> {
        recipe.check()?;
        let batches = Batches::new(&examples, recipe.batch, recipe.seed);
        let each_bytes = learner.checkpoint_bytes() + Batches::size_bytes(&examples);
        let mut checkpoints = Checkpoints::new(each_bytes, limits.checkpoint_bytes);
        checkpoints.keep(0, learner.checkpoint()?, batches.clone(), None);
        Ok(Self {
            learner,
            recipe,
            examples,
            probe,
            limits,
            batches,
            checkpoints,
            step: 0,
            measured: None,
            stopping: false,
            phase: Phase::Between,
        })
    }

    /// What the run will cost.
    pub fn outline(&self) -> Outline {
        let natural = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Outline {
            examples: natural(self.examples.len()),
            tokens: self.examples.tokens(),
            truncated: natural(self.examples.truncated()),
            parameters: self.learner.parameters(),
            frozen_layers: u16::try_from(self.learner.frozen_layers()).unwrap_or(u16::MAX),
            steps: self.recipe.steps,
            batch: natural(self.batches.size()),
        }
    }

    /// Steps done.
    pub fn step(&self) -> u32 {
        self.step
    }

    /// The steps that can be gone back to.
    pub fn checkpoints(&self) -> impl Iterator<Item = u32> {
        self.checkpoints.steps()
    }

    /// What training has changed so far.
    ///
    /// # Errors
    /// Where the learner fails.
    pub fn changes(&self) -> Result<Changes, Error> {
        self.learner.changes()
    }

    /// Does one piece of work.
    ///
    /// # Errors
    /// Where the learner fails; what was begun is given up.
    pub async fn advance(&mut self) -> Result<Advance, Error> {
        match std::mem::replace(&mut self.phase, Phase::Between) {
            Phase::Between => {
                self.phase = self.next_phase();
                Ok(Advance::Working)
            }
            Phase::Stepping(step, batches) => self.go_on(step, batches).await,
            Phase::Measuring(measuring) => self.measure(measuring).await,
            Phase::Over(rest) => {
                self.phase = Phase::Over(rest);
                Ok(Advance::Rests(self.step, rest))
            }
        }
    }

    /// No step shall follow; one that has begun is given up. What was trained so far is measured
    /// once more, unless it is.
    pub fn stop(&mut self) {
        self.stopping = true;
        if !matches!(self.phase, Phase::Measuring(_)) {
            self.phase = Phase::Between;
        }
    }

    /// Goes back to the latest checkpoint at or before a step; that checkpoint's step.
    ///
    /// # Errors
    /// Where the learner fails.
    pub fn restore(&mut self, step: u32) -> Result<u32, Error> {
        if let Some(moment) = self.checkpoints.at(step) {
            self.learner.restore(&moment.learner)?;
            self.batches = moment.batches.clone();
            // The checkpoint of step 0 is taken before anything is measured.
            self.measured = self.measured.map(|_| moment.step);
            self.step = moment.step;
        }
        self.stopping = false;
        self.phase = Phase::Between;
        Ok(self.step)
    }

    fn next_phase(&mut self) -> Phase<L::Tape> {
        let is_last = self.stopping || self.step >= self.recipe.steps;
        let is_due = is_last || self.step.is_multiple_of(self.recipe.measure_every.max(1));
        if is_due && self.measured != Some(self.step) {
            let pooling = self.recipe.readout.pooling();
            let measuring = Measuring::new(&self.probe, pooling, self.learner.hidden());
            return Phase::Measuring(Box::new(measuring));
        }
        if is_last {
            return Phase::Over(if self.stopping { Rest::Stopped } else { Rest::Finished });
        }
        let mut batches = self.batches.clone();
        let batch = batches.draw(&self.examples);
        let number = self.step + 1;
        let views = self.examples.views(&batch, number);
        let step = Step::new(number, views, &self.recipe, self.limits.tape_tokens);
        Phase::Stepping(Box::new(step), batches)
    }

    async fn go_on(
        &mut self,
        mut step: Box<Step<L::Tape>>,
        batches: Batches,
    ) -> Result<Advance, Error> {
        match step.advance(&mut self.learner, &self.recipe).await? {
            Progress::Working => {
                self.phase = Phase::Stepping(step, batches);
                Ok(Advance::Working)
            }
            Progress::NotFinite => self.diverged(),
            Progress::Done(report) => {
                self.step = report.step;
                self.batches = batches;
                Ok(Advance::Stepped(report))
            }
        }
    }

    async fn measure(&mut self, mut measuring: Box<Measuring>) -> Result<Advance, Error> {
        if measuring.step(&mut self.learner, &self.probe).await? {
            self.phase = Phase::Measuring(measuring);
            return Ok(Advance::Working);
        }
        let Some(measures) = measuring.finish(&self.probe, self.step) else {
            return self.diverged();
        };
        let (learner, batches) = (self.learner.checkpoint()?, self.batches.clone());
        self.checkpoints.keep(self.step, learner, batches, Some(&measures));
        self.measured = Some(self.step);
        Ok(Advance::Measured(Box::new(measures)))
    }

    fn diverged(&mut self) -> Result<Advance, Error> {
        self.restore(self.step)?;
        self.phase = Phase::Over(Rest::Diverged);
        Ok(Advance::Rests(self.step, Rest::Diverged))
    }
}
