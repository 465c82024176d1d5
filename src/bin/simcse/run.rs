//! One stage of a recipe, told while it runs, and the best of its checkpoints.

use std::io;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use indicatif::ProgressBar;
use serde::Serialize;

use simcse_lab::protocol::training::Measures;
use simcse_lab::protocol::training::Outline;
use simcse_lab::protocol::training::Rest;
use simcse_lab::protocol::training::StepReport;
use simcse_lab::training::learner::Learner;
use simcse_lab::training::session::Advance;
use simcse_lab::training::session::Session;
use simcse_lab::weights::adapter::Changes;

use crate::simcse::bars;

/// What chooses the checkpoint.
#[derive(Debug, Clone, Copy)]
pub struct Judge {
    /// It is the mean readout's correlation that counts.
    pub counts_mean: bool,
    /// The mean readout's correlation must not be lower.
    pub floor: Option<f64>,
}

/// A measured point of a run. Correlations are x 100.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Point {
    pub stage: usize,
    pub step: u32,
    /// Mean of the steps since the last point.
    pub loss: Option<f64>,
    pub spearman: Option<f64>,
    pub spearman_mean: Option<f64>,
    pub alignment: Option<f64>,
    pub uniformity: f64,
    pub mean_cosine: f64,
}

/// A checkpoint that may be written.
#[derive(Debug, Clone)]
pub struct Best {
    pub point: Point,
    pub changes: Changes,
    /// The mean readout kept its score.
    pub is_accepted: bool,
    score: f64,
}

/// A line of the JSON output.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line<'a> {
    Began { stage: usize, outline: Outline },
    Step { stage: usize, report: StepReport },
    Measured(&'a Point),
}

/// Runs stages and remembers what they came to.
pub struct Runner {
    pub judge: Option<Judge>,
    pub json: bool,
    pub interrupted: Arc<AtomicBool>,
    pub curve: Vec<Point>,
    pub best: Option<Best>,
}

impl Runner {
    /// Runs a stage to its end, or until the run is interrupted; what it changed in the end.
    pub fn run<L: Learner>(
        &mut self,
        stage: usize,
        session: &mut Session<L>,
    ) -> anyhow::Result<Changes> {
        let outline = session.outline();
        self.tell(&Line::Began { stage, outline })?;
        let bar = bars::bar(outline.steps as usize, "steps")?;
        let mut losses = Vec::new();
        while !self.interrupted.load(Ordering::Relaxed) {
            match pollster::block_on(session.advance())? {
                Advance::Working => bar.tick(),
                Advance::Stepped(report) => {
                    self.tell(&Line::Step { stage, report })?;
                    losses.push(f64::from(report.loss));
                    bar.set_message(format!("loss {:.3}, steps", report.loss));
                    bar.set_position(u64::from(report.step));
                }
                Advance::Measured(measures) => {
                    let point = point(stage, &measures, &std::mem::take(&mut losses));
                    let changes = session.changes()?;
                    self.take(point, &measures, changes, &bar)?;
                }
                Advance::Rests(step, Rest::Diverged) => {
                    bar.suspend(|| eprintln!("it diverged; back to step {step}"));
                    break;
                }
                Advance::Rests(..) => break,
            }
        }
        bar.finish_and_clear();
        Ok(session.changes()?)
    }

    fn take(
        &mut self,
        point: Point,
        measures: &Measures,
        changes: Changes,
        bar: &ProgressBar,
    ) -> anyhow::Result<()> {
        self.tell(&Line::Measured(&point))?;
        let candidate = self.judged(&point, measures, changes);
        let rank = |best: &Best| (best.is_accepted, best.score);
        // Before the first step there is nothing to write.
        let is_best =
            point.step > 0 && self.best.as_ref().is_none_or(|best| rank(&candidate) > rank(best));
        bar.suspend(|| print(&point, self.curve.is_empty(), is_best));
        if is_best {
            self.best = Some(candidate);
        }
        self.curve.push(point);
        Ok(())
    }

    fn judged(&self, point: &Point, measures: &Measures, changes: Changes) -> Best {
        // Without a judge the last one is the best.
        let (mut score, mut is_accepted) = (self.curve.len() as f64, true);
        if let Some(judge) = self.judge {
            let mean = measures.spearman_mean;
            let counted = if judge.counts_mean { mean } else { measures.spearman };
            score = counted.unwrap_or(f64::NEG_INFINITY);
            is_accepted = judge.floor.is_none_or(|floor| mean.is_some_and(|mean| mean >= floor));
        }
        Best { point: point.clone(), changes, is_accepted, score }
    }

    fn tell(&self, line: &Line<'_>) -> anyhow::Result<()> {
        if self.json {
            // println! would panic where nobody reads any more.
            writeln!(io::stdout().lock(), "{}", serde_json::to_string(line)?)?;
        }
        Ok(())
    }
}

fn point(stage: usize, measures: &Measures, losses: &[f64]) -> Point {
    let percent = |value: Option<f64>| value.map(|value| value * 100.0);
    let mean = losses.iter().sum::<f64>() / losses.len().max(1) as f64;
    Point {
        stage,
        step: measures.step,
        loss: (!losses.is_empty()).then_some(mean),
        spearman: percent(measures.spearman),
        spearman_mean: percent(measures.spearman_mean),
        alignment: measures.alignment,
        uniformity: measures.shape.uniformity,
        mean_cosine: measures.shape.mean_cosine,
    }
}

fn print(point: &Point, is_first: bool, is_best: bool) {
    if is_first {
        eprintln!("stage  step    loss  trained    mean   align  uniform  mean cosine");
    }
    let shown = |value: Option<f64>, digits: usize| {
        value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
    };
    eprintln!(
        "{:>5} {:>5} {:>7} {:>8} {:>7} {:>7} {:>8.3} {:>12.3}{}",
        point.stage,
        point.step,
        shown(point.loss, 4),
        shown(point.spearman, 2),
        shown(point.spearman_mean, 2),
        shown(point.alignment, 3),
        point.uniformity,
        point.mean_cosine,
        if is_best { "  best" } else { "" },
    );
}
