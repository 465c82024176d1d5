//! Requests in, events out: the current model, the queue of jobs, cancellation.
//!
//! The engine does a little at a time ([`Engine::step`]) and can be asked anything between two
//! steps, so that what a person waits for (a pair, a window) goes before what takes long. It knows
//! neither worker nor network: a door fetches bytes and tells it when that begins and ends.
//!
//! *Invariant:* every request is answered once: by its result, `Cancelled` (also where a newer
//! request superseded it) or `Failed`.

mod group;
mod job;
mod rows;
mod survey;

use web_time::Instant;

use crate::backend::Backend;
use crate::backend::cpu::Cpu;
use crate::engine::group::Group;
use crate::engine::job::{Job, Stage};
use crate::model::encoder::Encoder;
use crate::model::error::Error;
use crate::protocol::Revision;
use crate::protocol::event::{Event, ModelSummary};
use crate::protocol::message::{Bulk, Message};
use crate::protocol::problem::Problem;
use crate::protocol::request::{ModelSource, Request};
use crate::weights::bert::BertFile;

/// The events of a step, with their arrays.
pub type Events = Vec<Message<Event>>;

/// The current model and what is to be done with it.
#[derive(Debug, Default)]
pub struct Engine {
    encoder: Option<Encoder<Cpu>>,
    /// Models on their way: requests wait for them.
    loading: u32,
    jobs: Vec<Job>,
    /// The group embedded last.
    group: Option<Group>,
}

impl Engine {
    pub fn new() -> Self {
        Self::default()
    }

    /// A model is on its way: until as many calls of [`Engine::loading_ended`], requests wait for
    /// a model rather than fail for want of one.
    pub fn loading_began(&mut self) {
        self.loading += 1;
    }

    /// A model that was on its way came or failed. With none left on its way and none here,
    /// everything that waited fails.
    pub fn loading_ended(&mut self, out: &mut Events) {
        self.loading = self.loading.saturating_sub(1);
        if self.encoder.is_some() || self.loading > 0 {
            return;
        }
        for job in self.jobs.extract_if(.., |job| job.kind().needs_model()) {
            out.push(no_model(job.revision()));
        }
    }

    /// Makes a file the current model, `sha256` if it is known already. Where that fails, the last
    /// good model stays. Answers `Opened` or `Failed`; takes some 100 ms for a small model.
    pub fn open(
        &mut self,
        revision: Revision,
        name: &str,
        bytes: Vec<u8>,
        sha256: Option<String>,
        out: &mut Events,
    ) {
        match prepare(name, bytes, sha256) {
            Ok((encoder, summary)) => {
                self.encoder = Some(encoder);
                // What had begun with the old model begins anew with this one.
                self.jobs.iter_mut().for_each(Job::restart);
                let model = Box::new(summary);
                out.push(Message::plain(Event::Opened { revision, model }));
            }
            Err(error) => {
                let problem = Problem::from(&error);
                out.push(Message::plain(Event::Failed { revision: Some(revision), problem }));
            }
        }
    }

    /// Takes a request; the work is done in [`Engine::step`]. Only a picked model is opened at
    /// once. Downloads and the store are the door's: it keeps such requests to itself.
    pub fn accept(&mut self, message: Message<Request>, out: &mut Events) {
        let Message { head, bulk } = message;
        match head {
            Request::Open { revision, source: ModelSource::Picked { name } } => {
                let file = bulk.into_iter().find_map(|bulk| match bulk {
                    Bulk::Bytes(bytes) => Some(bytes),
                    Bulk::F32(_) => None,
                });
                self.open(revision, &name, file.unwrap_or_default(), None, out);
            }
            Request::Open { revision, source: ModelSource::Hosted { url, .. } } => {
                let detail = format!("the engine cannot fetch {url} itself");
                out.push(failed(revision, Problem::Internal { detail }));
            }
            Request::StopLoading | Request::Forget { .. } => {}
            Request::Cancel { revision } => self.cancel(revision, out),
            other => self.enqueue(other, out),
        }
    }

    /// Does a little of what is most urgent. `false` once there is nothing left to do.
    pub async fn step(&mut self, out: &mut Events) -> bool {
        let Some(position) = self.most_urgent() else { return false };
        let mut job = self.jobs.remove(position);
        match job.step(self.encoder.as_ref(), &mut self.group).await {
            Ok(Stage::Working) => {
                out.extend(job.progress().map(Message::plain));
                self.jobs.insert(position, job);
            }
            Ok(Stage::Finished(answer)) => out.push(answer),
            Err(problem) => out.push(failed(job.revision(), problem)),
        }
        self.most_urgent().is_some()
    }

    /// Position of the job to go on with: of the lowest rank, the oldest.
    fn most_urgent(&self) -> Option<usize> {
        let ready = self.encoder.is_some();
        let jobs = self.jobs.iter().enumerate();
        let runnable = jobs.filter(|(_, job)| ready || !job.kind().needs_model());
        runnable.min_by_key(|(_, job)| job.kind().rank()).map(|(position, _)| position)
    }

    fn enqueue(&mut self, request: Request, out: &mut Events) {
        let job = match Job::new(request) {
            Ok(Some(job)) => job,
            Ok(None) => return,
            Err((revision, problem)) => {
                out.push(failed(revision, problem));
                return;
            }
        };
        if job.kind().needs_model() && self.encoder.is_none() && self.loading == 0 {
            out.push(no_model(job.revision()));
            return;
        }
        let kind = job.kind();
        for old in self.jobs.extract_if(.., |old| old.kind() == kind && old.yields()) {
            out.push(Message::plain(Event::Cancelled { revision: old.revision() }));
        }
        self.jobs.push(job);
    }

    fn cancel(&mut self, revision: Revision, out: &mut Events) {
        for job in self.jobs.extract_if(.., |job| job.revision() == revision) {
            out.push(Message::plain(Event::Cancelled { revision: job.revision() }));
        }
    }
}

fn failed(revision: Revision, problem: Problem) -> Message<Event> {
    Message::plain(Event::Failed { revision: Some(revision), problem })
}

fn no_model(revision: Revision) -> Message<Event> {
    failed(revision, Problem::NoModel)
}

fn prepare(
    name: &str,
    bytes: Vec<u8>,
    sha256: Option<String>,
) -> Result<(Encoder<Cpu>, ModelSummary), Error> {
    let start = Instant::now();
    let file = BertFile::read(name, bytes, sha256)?;
    let encoder = Encoder::load(Cpu, &file)?;
    let config = &file.config;
    let natural = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let summary = ModelSummary {
        name: config.name.clone(),
        architecture: crate::weights::bert::ARCHITECTURE.to_owned(),
        quantisation: file.quantisation().name().to_owned(),
        size_bytes: file.size_bytes(),
        sha256: file.sha256.clone(),
        licence: config.licence.clone(),
        layers: u16::try_from(config.layers).unwrap_or(u16::MAX),
        hidden: natural(config.hidden),
        heads: natural(config.heads),
        vocabulary: natural(config.vocabulary),
        max_tokens: natural(config.max_tokens),
        pooling: config.pooling,
        backend: encoder.backend().kind(),
        device: encoder.backend().device(),
        prepare_ms: start.elapsed().as_secs_f64() * 1e3,
    };
    Ok((encoder, summary))
}
