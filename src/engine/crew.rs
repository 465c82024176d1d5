//! Who helps with long jobs: engines like this one in workers of their own, each with a copy of the
//! weights.
//!
//! The crew decides and its door carries out ([`Order`]); it knows neither worker nor clock. A
//! helper gets the model's file once, an adapter when portions first need it, and holds two
//! portions, so that it has one to go on with while its rows travel. Single sentences never leave
//! the engine that was asked. A helper that dies, or says nothing for [`PATIENCE`], is let go, and
//! what it had is computed here.

use web_time::{Duration, Instant};

use crate::backend::Backend;
use crate::engine::Engine;
use crate::engine::gpu_seat::GpuSeat;
use crate::engine::helper::{Helper, HelperId, Order, Stage};
use crate::protocol::Revision;
use crate::protocol::event::Event;
use crate::protocol::gpu::{Preference, Tuned};
use crate::protocol::message::Message;

/// Helpers are started for a job with so many tokens left: some 0.7 s of one worker's work, while
/// starting one takes some 0.2 s.
const START_TOKENS: usize = 4_000;

/// Helpers without work are kept for so long, as what was asked once is often asked again.
const KEEP: Duration = Duration::from_secs(60);

/// A helper that has work says something within so long: a portion takes a second where a worker
/// is slow. Browsers tell of a worker's errors, but not if they ended it themselves.
const PATIENCE: Duration = Duration::from_secs(20);

/// Portions that a helper holds.
const HELD: usize = 2;

/// No machine gets more workers, whatever is asked for.
const MOST_WORKERS: u16 = 64;

/// What the browser says of the machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Machine {
    /// Logical processors.
    pub cores: u16,
    /// In GiB, where the browser tells; none tells of more than 8.
    pub memory_gib: Option<f64>,
}

impl Machine {
    /// How many workers, each with a model of so many bytes, suit it: one a core, of many one left
    /// for the page, with copies in no more than an eighth of the memory.
    pub fn workers(self, file_bytes: u64) -> u16 {
        /// Where the browser does not tell.
        const USUAL_MEMORY_GIB: f64 = 4.0;
        /// Program, vocabulary and what is being computed.
        const BESIDE_MODEL_BYTES: f64 = 24e6;
        let cores = if self.cores > 4 { self.cores - 1 } else { self.cores.max(1) };
        let memory_gib = self.memory_gib.unwrap_or(USUAL_MEMORY_GIB);
        // The file, and its layers as they are computed with.
        let copy_bytes = 2.0 * file_bytes as f64 + BESIDE_MODEL_BYTES;
        let copies = memory_gib * f64::from(1 << 30) / 8.0 / copy_bytes;
        cores.min(1 + copies as u16)
    }
}

/// The helpers, and what each of them does.
#[derive(Debug)]
pub struct Crew {
    machine: Machine,
    /// How many workers were asked for, the engine's own included.
    wanted: Option<u16>,
    helpers: Vec<Helper>,
    gpu: GpuSeat,
    /// Hash of the model that the helpers have.
    model: String,
    next_id: HelperId,
    next_revision: Revision,
    /// Helpers lost since there were none: so many fewer are started.
    losses: u16,
    /// When a helper last had work.
    worked: Option<Instant>,
    /// Workers ready and computing, as last said.
    said: (u16, u16),
}

impl Crew {
    pub fn new(machine: Machine) -> Self {
        Self {
            machine,
            wanted: None,
            helpers: Vec::new(),
            gpu: GpuSeat::default(),
            model: String::new(),
            next_id: 0,
            next_revision: 0,
            losses: 0,
            worked: None,
            said: (1, 1),
        }
    }

    /// How many workers there are to be, the engine's own included; as `Request::Workers`.
    pub fn want(&mut self, count: Option<u16>) {
        self.wanted = count.map(|count| count.clamp(1, MOST_WORKERS));
        self.losses = 0;
    }

    /// What sentences are to be computed by; as `Request::Prefer`. `has_gpu`: the browser offers one.
    pub fn prefer(&mut self, preference: Preference, tuned: Option<Tuned>, has_gpu: bool) {
        self.gpu.prefer(preference, tuned, has_gpu);
    }

    /// Whether there are helpers.
    pub fn is_empty(&self) -> bool {
        self.helpers.is_empty() && !self.gpu.is_taken()
    }

    /// Starts, equips and ends helpers, and gives them work. To be called whenever something
    /// happened, and every few seconds while there are helpers.
    pub fn direct(
        &mut self,
        engine: &mut Engine<impl Backend + Clone>,
        now: Instant,
        orders: &mut Vec<Order>,
    ) {
        let model = engine.file().map(|file| file.sha256.clone()).unwrap_or_default();
        if model != self.model {
            self.dismiss(0, engine, orders);
            self.gpu.dismiss(engine, orders);
            self.model = model;
            self.losses = 0;
        }
        let silent = |helper: &&Helper| {
            !helper.errands.is_empty() && now.duration_since(helper.heard) > PATIENCE
        };
        let everybody = self.helpers.iter().chain(self.gpu.helper());
        let silent: Vec<_> = everybody.filter(silent).map(|helper| helper.id).collect();
        for id in silent {
            let detail = format!("it said nothing for {} s", PATIENCE.as_secs());
            self.lost(id, &detail, engine, orders);
        }
        self.staff(engine, now, orders);
        if engine.file().is_some() {
            let workers = self.workers(engine.size_bytes());
            self.gpu.staff(&mut self.next_id, workers, now, orders);
        }
        self.feed(engine, now, orders);
    }

    /// Gives work to helpers that have room for it. Cheap where there is none.
    pub fn feed(
        &mut self,
        engine: &mut Engine<impl Backend + Clone>,
        now: Instant,
        orders: &mut Vec<Order>,
    ) {
        self.helpers.iter_mut().for_each(|helper| helper.recall(engine, orders));
        self.gpu.feed(&mut self.next_revision, engine, now, orders);
        let ready = self.helpers.iter().filter(|helper| helper.stage == Stage::Ready).count();
        // Everybody gets one before anybody gets two.
        for room in 0..HELD {
            for position in 0..self.helpers.len() {
                let free = self.helpers.get(position).is_some_and(|helper| {
                    helper.stage == Stage::Ready && helper.errands.len() <= room
                });
                if free && !self.send_portion(position, ready + 1, engine, now, orders) {
                    break;
                }
            }
        }
        if self.helpers.iter().any(Helper::computes) {
            self.worked = Some(now);
        }
        self.say(orders);
    }

    /// Takes what a helper said.
    pub fn heard(
        &mut self,
        id: HelperId,
        message: Message<Event>,
        engine: &mut Engine<impl Backend + Clone>,
        now: Instant,
        orders: &mut Vec<Order>,
    ) {
        if self.gpu.helper().is_some_and(|helper| helper.id == id) {
            return self.gpu.heard(message, &mut self.next_revision, engine, now, orders);
        }
        let Some(helper) = self.helpers.iter_mut().find(|helper| helper.id == id) else { return };
        helper.heard = now;
        match &message.head {
            Event::Ready => helper.equip(engine, orders),
            Event::Opened { .. } => helper.stage = Stage::Ready,
            Event::Portion { revision } => {
                helper.answered(*revision, Some(message.f32().unwrap_or_default()), engine);
            }
            Event::Cancelled { revision } => {
                helper.answered(*revision, None, engine);
            }
            Event::Failed { revision, problem } => {
                let was_errand = revision.is_some_and(|it| helper.answered(it, None, engine));
                if !was_errand {
                    // Without its model or adapter it is of no use.
                    self.lost(id, &format!("{problem:?}"), engine, orders);
                }
            }
            Event::Panicked { message } => self.lost(id, message, engine, orders),
            // Of loading and attaching, nothing else has to be known: messages stay in order, and
            // portions wait for what they need.
            _ => {}
        }
    }

    /// A helper is gone, or could not be started: what it had is computed here, and there is one
    /// fewer from now on.
    pub fn lost(
        &mut self,
        id: HelperId,
        detail: &str,
        engine: &mut Engine<impl Backend + Clone>,
        orders: &mut Vec<Order>,
    ) {
        if self.gpu.helper().is_some_and(|helper| helper.id == id) {
            return self.gpu.lost(detail, engine, orders);
        }
        let Some(position) = self.helpers.iter().position(|helper| helper.id == id) else { return };
        self.helpers.remove(position).end(engine, orders);
        self.losses = self.losses.saturating_add(1);
    }

    fn workers(&self, file_bytes: u64) -> u16 {
        self.wanted.unwrap_or_else(|| self.machine.workers(file_bytes))
    }

    /// Starts helpers where there is work enough, ends them where there are too many or was none
    /// for long.
    fn staff(
        &mut self,
        engine: &mut Engine<impl Backend + Clone>,
        now: Instant,
        orders: &mut Vec<Order>,
    ) {
        if engine.file().is_none() {
            return;
        }
        let workers = self.workers(engine.size_bytes());
        let most = usize::from(workers.saturating_sub(1).saturating_sub(self.losses));
        let idle = self.wanted.is_none()
            && self.worked.is_some_and(|worked| now.duration_since(worked) > KEEP);
        if idle {
            self.worked = None;
            self.losses = 0;
        }
        self.dismiss(if idle { 0 } else { most }, engine, orders);
        if self.wanted.is_none() && engine.shareable_tokens() < START_TOKENS {
            return;
        }
        for _ in self.helpers.len()..most {
            let id = self.next_id;
            self.next_id += 1;
            self.helpers.push(Helper::new(id, now));
            orders.push(Order::Start(id));
            self.worked = Some(now);
        }
    }

    /// Keeps so many helpers.
    fn dismiss(
        &mut self,
        keep: usize,
        engine: &mut Engine<impl Backend + Clone>,
        orders: &mut Vec<Order>,
    ) {
        for helper in self.helpers.drain(keep.min(self.helpers.len())..) {
            helper.end(engine, orders);
        }
    }

    /// `false` where there is nothing to send.
    fn send_portion(
        &mut self,
        position: usize,
        workers: usize,
        engine: &mut Engine<impl Backend + Clone>,
        now: Instant,
        orders: &mut Vec<Order>,
    ) -> bool {
        let Some(portion) = engine.share(workers) else { return false };
        let Some(helper) = self.helpers.get_mut(position) else { return false };
        self.next_revision += 2;
        helper.give(portion, self.next_revision, engine, now, orders);
        true
    }

    fn say(&mut self, orders: &mut Vec<Order>) {
        let natural = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        let ready = self.helpers.iter().filter(|helper| helper.stage == Stage::Ready).count();
        let computing = self.helpers.iter().filter(|helper| helper.computes()).count();
        let (ready, computing) = (natural(1 + ready), natural(1 + computing));
        if (ready, computing) != self.said {
            self.said = (ready, computing);
            orders.push(Order::Say(Event::Workers { ready, computing }));
        }
    }
}
