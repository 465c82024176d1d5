//! A fine-tune: what it is doing, what it measured, the checkpoints it left.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::protocol::Revision;
use crate::protocol::problem::Problem;
use crate::protocol::recipe::{Decay, Recipe};
use crate::protocol::training::{Measures, Outline, Plan, Rest, StepReport};
use crate::state::fine_tune::material::ProbeChoice;

/// Bytes of checkpoints that the page holds; beyond, the oldest go, never the best and the latest.
const MOST_BYTES: usize = 64_000_000;

/// What a fine-tune is doing.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// The trainer starts.
    Starting,
    /// The model is on its way to the worker.
    Loading,
    /// The sentences are made into tokens and measured for the first time.
    Preparing,
    Running,
    /// Ordered, not there yet.
    Pausing,
    Stopping,
    Restoring {
        step: u32,
    },
    Paused,
    /// Paused at the checkpoint that it was ordered to.
    Moved {
        /// To an earlier step, not forwards again.
        back: bool,
    },
    /// The worker is gone, the checkpoints are here.
    Over(Rest),
    /// The worker died: most often of too little memory.
    Died {
        message: String,
    },
    Failed(Problem),
}

impl Phase {
    /// Whether its worker is there, or coming.
    pub fn is_live(&self) -> bool {
        !matches!(self, Self::Over(_) | Self::Died { .. } | Self::Failed(_))
    }

    /// Whether it waits for the order to go on.
    pub fn is_paused(&self) -> bool {
        matches!(self, Self::Paused | Self::Moved { .. })
    }

    /// Whether there is a fine-tune in the worker that takes orders.
    pub fn takes_orders(&self) -> bool {
        self.is_paused() || matches!(self, Self::Running | Self::Pausing | Self::Restoring { .. })
    }
}

/// A measurement with the adapter as of that step.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    pub measures: Measures,
    /// `None`: at step 0, or given up for want of memory.
    pub adapter: Option<Arc<[u8]>>,
}

/// What lies in the browser's store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Keep {
    /// Empty until the store has answered.
    pub sha256: String,
    pub step: u32,
    pub is_over: bool,
    pub recipe: Recipe,
}

impl Keep {
    /// The rest of an interrupted fine-tune: the steps that are left, at the rate it had come to.
    pub fn rest(&self) -> Recipe {
        let left = self.recipe.steps.saturating_sub(self.step).max(1);
        let share = f64::from(left) / f64::from(self.recipe.steps.max(1));
        let fallen = match self.recipe.decay {
            Decay::Constant => 1.0,
            Decay::Linear => share,
            Decay::Cosine => (1.0 - (std::f64::consts::PI * share).cos()) / 2.0,
        };
        Recipe {
            steps: left,
            learning_rate: (f64::from(self.recipe.learning_rate) * fallen) as f32,
            warm_up: 0.0,
            ..self.recipe.clone()
        }
    }
}

/// A fine-tune.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Of `Request::Train`; 0 until the trainer has the model.
    pub(super) revision: Revision,
    /// Until the model is open.
    pub(super) plan: Option<Box<Plan>>,
    /// The adapter to begin with, until it is sent.
    pub(super) begin_with: Option<Arc<[u8]>>,
    /// It goes on from an adapter, not from the model as it came.
    pub goes_on: bool,
    pub recipe: Recipe,
    pub examples: usize,
    pub pins: Vec<(String, String)>,
    pub probe: ProbeChoice,
    pub own_scores: bool,
    pub scored_pairs: usize,
    pub phase: Phase,
    /// Of the model that is trained.
    pub base_sha256: Option<String>,
    pub outline: Option<Outline>,
    pub steps: Vec<StepReport>,
    pub trail: Vec<Checkpoint>,
    /// Steps done; those of the trail beyond were left by an undo.
    pub at: u32,
    /// The checkpoint that is chosen for use, where it is not the advised one.
    pub(super) chosen: Option<u32>,
    /// The checkpoint that the rest of the page was given.
    pub used: Option<u32>,
    /// Hash of its own latest checkpoint in the browser's store.
    pub(super) slot: Option<String>,
}

impl Run {
    /// Where the run has come to, in the trail.
    pub fn place(&self) -> usize {
        self.trail.iter().rposition(|point| point.measures.step <= self.at).unwrap_or(0)
    }

    /// The first measurement.
    pub fn start(&self) -> Option<&Measures> {
        self.trail.first().map(|point| &point.measures)
    }

    /// The measurement that is shown: of the chosen checkpoint once it is over, else the latest.
    pub fn now(&self) -> Option<&Measures> {
        let step = if self.phase.is_live() { None } else { self.chosen };
        let chosen = step.and_then(|step| self.checkpoint(step));
        chosen.or_else(|| self.trail.get(self.place())).map(|point| &point.measures)
    }

    /// The checkpoint of a step.
    pub fn checkpoint(&self, step: u32) -> Option<&Checkpoint> {
        self.trail.iter().find(|point| point.measures.step == step)
    }

    /// The checkpoint that scores best on the held-out pairs, as the paper chooses it; the latest
    /// where there are no scores.
    pub fn best(&self) -> Option<u32> {
        let with = self.trail.iter().filter(|point| point.adapter.is_some());
        let latest = with.clone().map(|point| point.measures.step).max();
        let scored = with.filter_map(|point| Some((point.measures.spearman?, point.measures.step)));
        let best = scored.filter(|(score, _)| score.is_finite()).max_by(|a, b| a.0.total_cmp(&b.0));
        best.map(|(_, step)| step).or(latest)
    }

    /// The step whose checkpoint "use" and "export" mean.
    pub fn chosen(&self) -> Option<u32> {
        let has_adapter = |step: &u32| self.checkpoint(*step).is_some_and(|p| p.adapter.is_some());
        self.chosen.filter(has_adapter).or_else(|| self.best())
    }

    /// The chosen checkpoint's adapter, and its step.
    pub fn chosen_adapter(&self) -> Option<(u32, Arc<[u8]>)> {
        let step = self.chosen()?;
        Some((step, self.checkpoint(step)?.adapter.clone()?))
    }

    /// Milliseconds a step, over the last ones.
    pub fn step_ms(&self) -> Option<f64> {
        const LAST: usize = 5;
        let last = self.steps.iter().rev().take(LAST);
        let count = last.clone().count();
        (count > 0).then(|| last.map(|step| step.step_ms).sum::<f64>() / count as f64)
    }

    /// Seconds until it is finished, measurements included.
    pub fn remaining_s(&self) -> Option<f64> {
        let left = self.total_steps().saturating_sub(self.at);
        let measurements = f64::from(left.div_ceil(self.recipe.measure_every.max(1)));
        let measure_ms = self.trail.last().map_or(0.0, |point| point.measures.measure_ms);
        Some((self.step_ms()? * f64::from(left) + measure_ms * measurements) / 1000.0)
    }

    /// Steps in all.
    pub fn total_steps(&self) -> u32 {
        self.outline.map_or(self.recipe.steps, |outline| outline.steps)
    }

    /// Examples that meet in one loss.
    pub fn batch(&self) -> u32 {
        self.outline.map_or(self.recipe.batch, |outline| outline.batch)
    }

    /// What an undo left behind is given up: training goes on from here.
    pub(super) fn forget_what_was_undone(&mut self) {
        let at = self.at;
        self.steps.retain(|step| step.step <= at);
        self.trail.retain(|point| point.measures.step <= at);
    }

    /// Takes a measurement, in the place of an older one of that step.
    pub(super) fn measured(&mut self, measures: Measures, adapter: Option<Arc<[u8]>>) {
        let step = measures.step;
        self.trail.retain(|point| point.measures.step < step);
        self.trail.push(Checkpoint { measures, adapter });
        self.at = step;
        self.make_room();
    }

    fn make_room(&mut self) {
        let held = |trail: &[Checkpoint]| -> usize {
            trail.iter().filter_map(|point| point.adapter.as_ref()).map(|bytes| bytes.len()).sum()
        };
        let latest = self.trail.last().map(|point| point.measures.step);
        let spared = [self.best(), latest];
        for place in 0..self.trail.len() {
            if held(&self.trail) <= MOST_BYTES {
                return;
            }
            let point = &mut self.trail[place];
            if !spared.contains(&Some(point.measures.step)) {
                point.adapter = None;
            }
        }
    }
}
