//! Requests in, events out: the current model, the queue of jobs, cancellation.
//!
//! The engine does a little at a time ([`Engine::step`]) and can be asked anything between two
//! steps, so that what a person waits for (a pair, a window) goes before what takes long. It knows
//! neither worker nor network: a door fetches bytes and tells it when that begins and ends.
//!
//! Long jobs can be shared ([`sharing`]): others ask for portions and bring rows.
//!
//! *Invariant:* every request is answered once: by its result, `Cancelled` (also where a newer
//! request superseded it) or `Failed`.

mod about;
mod answers;
mod clouds;
pub mod crew;
pub mod entrusted;
pub mod exam;
mod full_workshop;
mod gpu_seat;
mod group;
pub mod helper;
mod job;
mod layers;
pub mod library;
mod memory;
mod rows;
pub mod sharing;
mod sides;
mod studio;
mod survey;
mod train;
mod views;
mod workshop;

use web_time::Instant;

use crate::backend::Backend;
use crate::backend::cpu::Cpu;
use crate::engine::entrusted::Entrusted;
use crate::engine::full_workshop::FullWorkshop;
use crate::engine::job::{Job, Kind, Stage};
use crate::engine::library::Library;
use crate::engine::library::librarian::{Librarian, Outcome};
use crate::engine::library::orders::{StoreOrder, Stored};
use crate::engine::memory::Memory;
use crate::engine::sides::{Adapter, Material, Order, Sides};
use crate::engine::workshop::{Workshop, missing};
use crate::model::encoder::Encoder;
use crate::model::error::Error;
use crate::protocol::Revision;
use crate::protocol::event::{Event, ModelSummary};
use crate::protocol::message::{Message, bytes_of};
use crate::protocol::problem::Problem;
use crate::protocol::readout::Side;
use crate::protocol::request::{AdapterSource, ModelSource, Request};
use crate::protocol::search::Ask;
use crate::protocol::training;
use crate::protocol::training::Plan;
use crate::weights::adapter_file::AdapterFile;
use crate::weights::bert::BertFile;

/// The events of a step, with their arrays.
pub type Events = Vec<Message<Event>>;

/// The side after is made ready once nothing of a lower rank waits: a pair or a window of the side
/// before does not wait for it.
const ADAPTER_RANK: u8 = 2;

/// The current model and what is to be done with it.
#[derive(Debug)]
pub struct Engine<B: Backend = Cpu> {
    backend: B,
    sides: Sides<B>,
    /// Models on their way: requests wait for them.
    loading: u32,
    jobs: Vec<Job<B>>,
    /// How many there were so far.
    job_count: u64,
    memory: Memory,
    /// Fine-tunes, before which everything else goes, and views under dropout: in a program that
    /// trains.
    workshop: Option<Box<dyn Workshop<B>>>,
    /// What somebody else computes.
    entrusted: Entrusted,
}

impl Default for Engine {
    fn default() -> Self {
        Self::on(Cpu::default())
    }
}

impl Engine {
    /// An engine that embeds and searches: it refuses `Train` and `Views`, and a program that has no
    /// other one is linked without the tensor library.
    pub fn new() -> Self {
        let library: Option<Box<dyn Librarian>> = Some(Box::<Library>::default());
        Self { memory: Memory { library, ..Memory::default() }, ..Self::default() }
    }

    /// An engine that can train, and draw views under dropout; it has no corpora.
    pub fn that_trains() -> Self {
        Self { workshop: Some(Box::<FullWorkshop>::default()), ..Self::default() }
    }
}

impl<B: Backend + Clone> Engine<B> {
    /// An engine that embeds on that backend.
    pub fn on(backend: B) -> Self {
        let (sides, loading, jobs, job_count, memory, entrusted) = Default::default();
        Self { backend, sides, loading, jobs, job_count, memory, workshop: None, entrusted }
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
        if self.sides.file().is_some() || self.loading > 0 {
            return;
        }
        for job in self.jobs.extract_if(.., |job| job.kind().needs_model()) {
            out.push(failed(job.revision(), Problem::NoModel));
        }
        self.sides.give_up(out);
        if let Some(workshop) = &mut self.workshop {
            workshop.give_up(out);
        }
    }

    /// An adapter is on its way: until as many calls of [`Engine::adapter_ended`], requests to
    /// `Side::After` wait for it.
    pub fn adapter_began(&mut self) {
        self.sides.arriving();
    }

    /// An adapter that was on its way was given to [`Engine::attach`], or failed.
    pub fn adapter_ended(&mut self, out: &mut Events) {
        self.sides.arrived();
        self.fail_orphans(out);
    }

    /// Attaches an adapter, after the models that are on their way. Where it fails, the last good
    /// one stays. Answers `Attached` or `Failed`.
    pub fn attach(&mut self, revision: Revision, name: &str, bytes: &[u8], out: &mut Events) {
        match AdapterFile::read(name, bytes) {
            Ok(adapter) => {
                let adapter = Adapter { parsed: Box::new(adapter), bytes: bytes.to_vec() };
                let material = Material::Adapter(adapter);
                self.order(Order::Attach { revision, material }, out);
            }
            Err(error) => out.push(failed(revision, Problem::from(&error))),
        }
    }

    /// Puts another model beside the current one: from then on it is `Side::After`. As
    /// [`Engine::attach`], and `sha256` as in [`Engine::open`].
    pub fn beside(
        &mut self,
        revision: Revision,
        name: &str,
        bytes: Vec<u8>,
        sha256: String,
        out: &mut Events,
    ) {
        match BertFile::read(name, bytes, Some(sha256)) {
            Ok(file) => {
                let material = Material::Model(Box::new(file));
                self.order(Order::Attach { revision, material }, out);
            }
            Err(error) => out.push(failed(revision, Problem::from(&error))),
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
        match prepare(self.backend.clone(), name, bytes, sha256) {
            Ok((file, encoder, summary)) => {
                let model = Box::new(summary);
                out.push(Message::plain(Event::Opened { revision, model }));
                self.sides.replace(revision, file, encoder, out);
                self.memory.clouds.forget(Side::Before);
                self.memory.clouds.forget(Side::After);
                self.rest_changed(out);
                // What had begun with the old model begins anew with this one.
                self.jobs.iter_mut().for_each(Job::restart);
                self.fail_orphans(out);
                if let Some(workshop) = &mut self.workshop {
                    workshop.model_changed(out);
                }
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
                self.open(revision, &name, bytes_of(bulk).unwrap_or_default(), None, out);
            }
            Request::Open {
                revision,
                source:
                    ModelSource::Hosted { .. }
                    | ModelSource::Kept { .. }
                    | ModelSource::Pulled { .. }
                    | ModelSource::Files { .. },
            } => {
                let detail = "the engine has neither network nor store".to_owned();
                out.push(failed(revision, Problem::Internal { detail }));
            }
            Request::Open { revision, source: ModelSource::Copied { name, sha256 } } => {
                self.open(revision, &name, bytes_of(bulk).unwrap_or_default(), Some(sha256), out);
            }
            Request::Attach { revision, source: AdapterSource::Given { name } } => {
                self.attach(revision, &name, &bytes_of(bulk).unwrap_or_default(), out);
            }
            Request::Attach {
                revision,
                source: AdapterSource::Model(ModelSource::Copied { name, sha256 }),
            } => {
                self.beside(revision, &name, bytes_of(bulk).unwrap_or_default(), sha256, out);
            }
            Request::Attach {
                revision,
                source:
                    AdapterSource::Hosted { .. } | AdapterSource::Kept { .. } | AdapterSource::Model(_),
            } => {
                let detail = "the engine has neither network nor store".to_owned();
                out.push(failed(revision, Problem::Internal { detail }));
            }
            Request::Blend { revision, blend } => self.order(Order::Blend { revision, blend }, out),
            Request::Detach { revision } => self.order(Order::Detach { revision }, out),
            Request::Train { revision, plan } => {
                self.train(revision, *plan, bytes_of(bulk).as_deref(), out);
            }
            Request::Steer { revision, order } => self.steer(revision, order, out),
            Request::StopLoading
            | Request::KeepModel
            | Request::ListModels { .. }
            | Request::Forget { .. }
            | Request::Workers { .. }
            | Request::Prefer { .. } => {}
            Request::Cancel { revision } => self.cancel(revision, out),
            Request::Search { revision, ask } => {
                self.ask_library(Message { head: (revision, ask), bulk }, out);
            }
            other => self.enqueue(Message { head: other, bulk }, out),
        }
    }

    /// Does a little of what is most urgent. `false` once there is nothing left to do here: also
    /// while all that is missing is with others.
    pub async fn step(&mut self, out: &mut Events) -> bool {
        let position = self.most_urgent();
        let urgent = position.and_then(|position| self.jobs.get(position));
        let waits = urgent.is_none_or(|job| job.kind().rank() >= ADAPTER_RANK);
        if waits && self.library_has_work() {
            let sides = &self.sides;
            if let Some(library) = &mut self.memory.library {
                library.step(&|lens| sides.embedder(lens));
            }
            self.run_errands(out);
        } else if waits && self.can_change_sides() {
            if self.sides.step(out) {
                self.memory.clouds.forget(Side::After);
                self.rest_changed(out);
                let after = self.jobs.iter_mut().filter(|job| job.needs(Side::After));
                after.for_each(Job::restart);
            }
            self.fail_orphans(out);
        } else if let Some(position) = position {
            self.advance(position, out).await;
        } else if self.can_train()
            && let Some(workshop) = &mut self.workshop
        {
            workshop.train_on(&self.sides, out).await;
        }
        self.most_urgent().is_some()
            || self.can_change_sides()
            || self.can_train()
            || self.library_has_work()
    }

    fn library_has_work(&self) -> bool {
        self.memory.library.as_ref().is_some_and(|library| library.has_work())
    }

    fn ask_library(&mut self, asked: Message<(Revision, Ask)>, out: &mut Events) {
        let Message { head: (revision, ask), bulk } = asked;
        let sides = &self.sides;
        match &mut self.memory.library {
            Some(library) => library.ask(revision, ask, bulk, &|lens| sides.embedder(lens)),
            None => {
                let detail = "this program has no corpora".to_owned();
                out.push(failed(revision, Problem::Internal { detail }));
            }
        }
        self.run_errands(out);
    }

    /// What the library wants of the store, in this order; what comes of each is for
    /// [`Engine::stored`].
    pub fn store_orders(&mut self) -> Vec<StoreOrder> {
        self.memory.library.as_mut().map_or_else(Vec::new, |library| library.take_orders())
    }

    /// Takes what came of an order to the store.
    pub fn stored(&mut self, stored: Stored, out: &mut Events) {
        let sides = &self.sides;
        if let Some(library) = &mut self.memory.library {
            library.stored(stored, &|lens| sides.embedder(lens));
        }
        self.run_errands(out);
    }

    /// Passages whose embedder is gone are given no more vectors.
    fn rest_changed(&mut self, out: &mut Events) {
        let sides = &self.sides;
        if let Some(library) = &mut self.memory.library {
            library.rest_changed(&|lens| sides.embedder(lens));
        }
        self.run_errands(out);
    }

    /// Passes on what the library answers, and takes up what it wants embedded.
    fn run_errands(&mut self, out: &mut Events) {
        let Some(library) = &mut self.memory.library else { return };
        let Outcome { answers, errands, called_off } = library.take_outcome();
        out.extend(answers);
        if !called_off.is_empty() {
            self.jobs
                .retain(|job| job.kind() != Kind::Index || !called_off.contains(&job.revision()));
        }
        for errand in errands {
            self.job_count += 1;
            let job = Job::of_errand(self.job_count, errand);
            self.queue(job, out);
        }
    }

    async fn advance(&mut self, position: usize, out: &mut Events) {
        if let Some(workshop) = &mut self.workshop {
            workshop.tidy();
        }
        let mut job = self.jobs.remove(position);
        match job.step(&self.sides, &mut self.memory, self.workshop.as_deref_mut()).await {
            Ok(Stage::Working) => {
                out.extend(job.progress());
                self.jobs.insert(position, job);
            }
            Ok(Stage::Finished(answer)) => out.push(answer),
            Err(problem) => {
                if let Some(library) = &mut self.memory.library {
                    library.give_up(job.revision());
                }
                out.push(failed(job.revision(), problem));
            }
        }
        self.run_errands(out);
    }

    fn can_train(&self) -> bool {
        let runs = self.workshop.as_ref().is_some_and(|workshop| workshop.can_train());
        runs && self.sides.file().is_some()
    }

    /// Whether adapters can be dealt with: they belong to the model that comes.
    fn can_change_sides(&self) -> bool {
        self.loading == 0 && self.sides.has_orders()
    }

    /// Position of the job to go on with: of the lowest rank, the oldest.
    fn most_urgent(&self) -> Option<usize> {
        let jobs = self.jobs.iter().enumerate();
        let runnable = jobs
            .filter(|(_, job)| self.can_run(job) && !job.is_waiting() && !self.is_elsewhere(job));
        runnable.min_by_key(|(_, job)| job.kind().rank()).map(|(position, _)| position)
    }

    /// Whether the side it needs is there, and stays.
    fn can_run(&self, job: &Job<B>) -> bool {
        let settled = !job.needs(Side::After) || !self.sides.is_changing();
        !job.kind().needs_model() || (settled && self.sides.encoder(job.side()).is_some())
    }

    fn enqueue(&mut self, message: Message<Request>, out: &mut Events) {
        self.job_count += 1;
        let job = match Job::new(self.job_count, message, &self.memory.clouds) {
            Ok(Some(job)) => job,
            Ok(None) => return,
            Err((revision, problem)) => {
                out.push(failed(revision, problem));
                return;
            }
        };
        self.queue(job, out);
    }

    fn queue(&mut self, job: Job<B>, out: &mut Events) {
        if job.kind().needs_model() && !self.has_model() {
            out.push(failed(job.revision(), Problem::NoModel));
            return;
        }
        for old in self.jobs.extract_if(.., |old| job.supersedes(old)) {
            out.push(Message::plain(Event::Cancelled { revision: old.revision() }));
        }
        self.jobs.push(job);
        self.fail_orphans(out);
    }

    fn train(&mut self, revision: Revision, plan: Plan, from: Option<&[u8]>, out: &mut Events) {
        let has_model = self.has_model();
        let problem = match &mut self.workshop {
            None => missing(),
            Some(_) if !has_model => Problem::NoModel,
            Some(workshop) => match workshop.train(revision, plan, from) {
                Ok(()) => return,
                Err(problem) => problem,
            },
        };
        out.push(failed(revision, problem));
    }

    /// A fine-tune that is not here was cancelled.
    fn steer(&mut self, revision: Revision, order: training::Order, out: &mut Events) {
        match &mut self.workshop {
            Some(workshop) => workshop.steer(revision, order, out),
            None => out.push(Message::plain(Event::Cancelled { revision })),
        }
    }

    fn order(&mut self, order: Order, out: &mut Events) {
        self.sides.order(order, out);
        if !self.has_model() {
            self.sides.give_up(out);
        }
    }

    /// Whether a model is here or on its way.
    fn has_model(&self) -> bool {
        self.sides.file().is_some() || self.loading > 0
    }

    /// Requests to the side after fail where no adapter is here or on its way.
    fn fail_orphans(&mut self, out: &mut Events) {
        if self.sides.encoder(Side::After).is_some() || self.sides.is_changing() {
            return;
        }
        for job in self.jobs.extract_if(.., |job| job.needs(Side::After)) {
            out.push(failed(job.revision(), Problem::NoAdapter));
        }
    }

    fn cancel(&mut self, revision: Revision, out: &mut Events) {
        for job in self.jobs.extract_if(.., |job| job.revision() == revision) {
            out.push(Message::plain(Event::Cancelled { revision: job.revision() }));
        }
        if self.memory.library.as_mut().is_some_and(|library| library.cancel(revision)) {
            out.push(Message::plain(Event::Cancelled { revision }));
        }
        if self.workshop.as_mut().is_some_and(|workshop| workshop.cancel(revision)) {
            out.push(Message::plain(Event::Cancelled { revision }));
        }
    }
}

fn failed(revision: Revision, problem: Problem) -> Message<Event> {
    Message::plain(Event::Failed { revision: Some(revision), problem })
}

fn prepare<B: Backend>(
    backend: B,
    name: &str,
    bytes: Vec<u8>,
    sha256: Option<String>,
) -> Result<(BertFile, Encoder<B>, ModelSummary), Error> {
    let start = Instant::now();
    let file = BertFile::read(name, bytes, sha256)?;
    let encoder = Encoder::load(backend, &file)?;
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
    Ok((file, encoder, summary))
}
