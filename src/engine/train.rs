//! A fine-tune: from its plan to its rest, with orders in between.
//!
//! Memory, beside the model's file and encoder: the learner's weights as `f32` (43 MB of linear
//! layers for a small model; all 91 MB where everything is trained), graphs and checkpoints within
//! [`Limits::TAB`]. The page therefore gives training a worker of its own.

use web_time::{Duration, Instant};

use crate::backend::cpu::Cpu;
use crate::model;
use crate::model::encoder::Encoder;
use crate::protocol::Revision;
use crate::protocol::event::Event;
use crate::protocol::message::{Bulk, Message};
use crate::protocol::problem::Problem;
use crate::protocol::readout::Pooling;
use crate::protocol::recipe::Recipe;
use crate::protocol::training::{Measures, Order, Plan, Rest};
use crate::training::cpu::CpuLearner;
use crate::training::error::Error;
use crate::training::examples::Reader;
use crate::training::measure::TokenisedProbe;
use crate::training::recipe_text::to_toml;
use crate::training::session::{Advance, Limits, Session};
use crate::weights::adapter_file::{AdapterFile, AdapterMeta, write};
use crate::weights::bert::BertFile;
use crate::weights::merged::check_base;

/// Tokenising pauses after so long.
const SLICE: Duration = Duration::from_millis(10);

/// A fine-tune.
#[derive(Debug)]
pub struct Trainer {
    revision: Revision,
    recipe: Recipe,
    work: Work,
    /// Why it does not go on.
    rest: Option<Rest>,
    /// As before the first step.
    first: Option<Measures>,
}

#[derive(Debug)]
enum Work {
    Reading(Box<Reading>),
    Running(Box<Session<CpuLearner<Cpu>>>),
}

/// A plan's sentences on their way to tokens.
#[derive(Debug)]
struct Reading {
    plan: Plan,
    /// The adapter to go on from.
    from: Option<AdapterFile>,
    reader: Reader,
    probe: TokenisedProbe,
    /// Of all examples, then all of the probe: done.
    done: usize,
}

impl Trainer {
    /// The fine-tune of a plan; `from`: the file of the adapter to go on from.
    ///
    /// # Errors
    /// Where the recipe is out of range or the adapter cannot be read.
    pub fn new(revision: Revision, plan: Plan, from: Option<&[u8]>) -> Result<Self, Problem> {
        plan.recipe.check().map_err(|error| Problem::from(&Error::from(error)))?;
        let from = from.map(|bytes| AdapterFile::read("adapter", bytes)).transpose();
        let from = from.map_err(|error| Problem::from(&error))?;
        let reader = Reader::new(&plan.recipe);
        let recipe = plan.recipe.clone();
        let reading = Reading { plan, from, reader, probe: TokenisedProbe::new(), done: 0 };
        let work = Work::Reading(Box::new(reading));
        Ok(Self { revision, recipe, work, rest: None, first: None })
    }

    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Whether there is something to do.
    pub fn is_running(&self) -> bool {
        self.rest.is_none()
    }

    /// Whether another fine-tune may take this one's place.
    pub fn is_over(&self) -> bool {
        matches!(self.rest, Some(Rest::Finished | Rest::Stopped | Rest::Diverged))
    }

    /// Whether anything was read with the model that was current then.
    pub fn has_begun(&self) -> bool {
        match &self.work {
            Work::Reading(reading) => reading.done > 0,
            Work::Running(_) => true,
        }
    }

    /// Whether nothing can be ordered any more.
    pub fn is_stopped(&self) -> bool {
        self.rest == Some(Rest::Stopped)
    }

    /// Does a little.
    ///
    /// # Errors
    /// Where the fine-tune cannot go on at all.
    pub async fn step(
        &mut self,
        file: &BertFile,
        encoder: &Encoder<Cpu>,
        out: &mut Vec<Message<Event>>,
    ) -> Result<(), Problem> {
        let done = match &mut self.work {
            Work::Running(_) => self.advance(file, out).await,
            Work::Reading(reading) => match reading.step(encoder) {
                Ok(true) => Ok(()),
                Ok(false) => self.begin(file, out),
                Err(error) => Err(error),
            },
        };
        done.map_err(|error| Problem::from(&error))
    }

    fn begin(&mut self, file: &BertFile, out: &mut Vec<Message<Event>>) -> Result<(), Error> {
        let Work::Reading(reading) = &mut self.work else { return Ok(()) };
        if let Some(from) = &reading.from {
            check_base(&from.meta, file)?;
        }
        let from = reading.from.as_ref().map(|from| &from.changes);
        let learner = CpuLearner::new(file, &self.recipe, from)?;
        let reader = std::mem::replace(&mut reading.reader, Reader::new(&self.recipe));
        let (examples, probe) = (reader.finish()?, std::mem::take(&mut reading.probe));
        let session = Session::new(learner, self.recipe.clone(), examples, probe, Limits::TAB)?;
        let (revision, outline) = (self.revision, session.outline());
        out.push(Message::plain(Event::TrainingBegan { revision, outline }));
        self.work = Work::Running(Box::new(session));
        Ok(())
    }

    async fn advance(
        &mut self,
        file: &BertFile,
        out: &mut Vec<Message<Event>>,
    ) -> Result<(), Error> {
        let Work::Running(session) = &mut self.work else { return Ok(()) };
        let revision = self.revision;
        match session.advance().await? {
            Advance::Working => {}
            Advance::Stepped(report) => {
                out.push(Message::plain(Event::TrainingStep { revision, report }));
            }
            Advance::Measured(measures) => {
                let bulk = if measures.step == 0 {
                    Vec::new()
                } else {
                    let changes = session.changes()?;
                    let bytes = write(&changes, &self.meta(file, &measures))?;
                    vec![Bulk::Bytes(bytes)]
                };
                self.first.get_or_insert_with(|| (*measures).clone());
                let head = Event::TrainingMeasured { revision, measures };
                out.push(Message { head, bulk });
            }
            Advance::Rests(step, rest) => {
                self.rest = Some(rest);
                out.push(Message::plain(Event::TrainingRests { revision, step, rest }));
            }
        }
        Ok(())
    }

    /// Obeys an order, between two pieces of work.
    ///
    /// # Errors
    /// Where a checkpoint cannot be gone back to.
    pub fn obey(&mut self, order: Order, out: &mut Vec<Message<Event>>) -> Result<(), Problem> {
        match (order, self.rest) {
            (Order::Pause, None) => self.rest = Some(Rest::Paused),
            (Order::Resume, Some(Rest::Paused)) => {
                self.rest = None;
                return Ok(());
            }
            (Order::Resume, None) => return Ok(()),
            // What rests says again why.
            (Order::Pause | Order::Resume, Some(_)) => {}
            (Order::Stop, _) => return self.stop(out),
            (Order::Restore { step }, _) => {
                if let Work::Running(session) = &mut self.work {
                    session.restore(step).map_err(|error| Problem::from(&error))?;
                }
                self.rest = Some(Rest::Paused);
            }
        }
        self.tell_rest(out);
        Ok(())
    }

    /// A fine-tune that runs is measured once more before it stops.
    fn stop(&mut self, out: &mut Vec<Message<Event>>) -> Result<(), Problem> {
        let is_over = self.is_over();
        match &mut self.work {
            Work::Running(session) if !is_over => {
                session.stop();
                self.rest = None;
            }
            Work::Running(_) | Work::Reading(_) => {
                self.rest = Some(Rest::Stopped);
                self.tell_rest(out);
            }
        }
        Ok(())
    }

    fn tell_rest(&self, out: &mut Vec<Message<Event>>) {
        let step = match &self.work {
            Work::Running(session) => session.step(),
            Work::Reading(_) => 0,
        };
        let revision = self.revision;
        let told = self.rest.map(|rest| Event::TrainingRests { revision, step, rest });
        out.extend(told.map(Message::plain));
    }

    fn meta(&self, file: &BertFile, measures: &Measures) -> AdapterMeta {
        let trained = self.recipe.readout.pooling();
        let scores = measures.spearman.zip(measures.spearman_mean);
        let best = scores.map(|(own, mean)| if mean > own { Pooling::Mean } else { trained });
        AdapterMeta {
            name: format!("{} SimCSE {}", file.config.name, measures.step),
            base_name: file.config.name.clone(),
            base_sha256: file.sha256.clone(),
            recipe: to_toml(&self.recipe),
            seed: self.recipe.seed,
            pooling: Some(trained),
            best_pooling: best,
            metrics: metrics(self.first.as_ref(), measures, trained),
            curve: String::new(),
            licence: file.config.licence.clone(),
        }
    }
}

impl Reading {
    /// Tokenises for a while. `false` once everything is done.
    fn step(&mut self, encoder: &Encoder<Cpu>) -> Result<bool, Error> {
        let start = Instant::now();
        let tokenise = |text: &str| -> Result<_, model::error::Error> { encoder.tokenise(text) };
        let Plan { examples, probe, .. } = &self.plan;
        while start.elapsed() < SLICE {
            let is_more = match examples.get(self.done) {
                Some(example) => self.reader.push(example, &tokenise).map(|()| true)?,
                None => self.probe.push(probe, self.done - examples.len(), &tokenise)?,
            };
            if !is_more {
                return Ok(false);
            }
            self.done += 1;
        }
        Ok(true)
    }
}

/// What was measured before the first step and after so many.
fn metrics(first: Option<&Measures>, now: &Measures, trained: Pooling) -> Vec<(String, String)> {
    let mut metrics = vec![("steps".to_owned(), now.step.to_string())];
    let readout = trained.name();
    for (when, measures) in [("before", first), ("after", Some(now))] {
        let Some(measures) = measures else { continue };
        let percent = |value: Option<f64>| value.map(|value| value * 100.0);
        let lines = [
            (format!("Spearman, {readout}"), percent(measures.spearman), 2),
            ("Spearman, mean".to_owned(), percent(measures.spearman_mean), 2),
            (format!("alignment, {readout}"), measures.alignment, 3),
            (format!("uniformity, {readout}"), Some(measures.shape.uniformity), 3),
        ];
        for (name, value, digits) in lines {
            let value = value.map(|value| format!("{value:.digits$}"));
            metrics.extend(value.map(|value| (format!("{name}, {when}"), value)));
        }
    }
    metrics
}
