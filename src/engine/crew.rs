//! Who helps with long jobs: engines like this one in workers of their own, each with a copy of the
//! weights.
//!
//! The crew decides and its door carries out ([`Order`]); it knows neither worker nor clock. A
//! helper gets the model's file once, an adapter when portions first need it, and holds two
//! portions, so that it has one to go on with while its rows travel. Single sentences never leave
//! the engine that was asked. A helper that dies, or says nothing for [`PATIENCE`], is let go, and
//! what it had is computed here.

use web_time::{Duration, Instant};

use crate::engine::Engine;
use crate::engine::sharing::Ticket;
use crate::protocol::Revision;
use crate::protocol::event::Event;
use crate::protocol::message::{Bulk, Message};
use crate::protocol::readout::Side;
use crate::protocol::request::{AdapterSource, ModelSource, Request};

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

/// A helper's number; none is used twice.
pub type HelperId = u32;

/// What the door is to do.
#[derive(Debug, PartialEq)]
pub enum Order {
    Start(HelperId),
    /// Hand it the current model's file, under that request, whose bytes travel beside it.
    Equip(HelperId, Request),
    Tell(HelperId, Message<Request>),
    End(HelperId),
    /// For the page.
    Say(Event),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Starting,
    /// It has the model's file and makes it ready.
    Opening,
    Ready,
}

#[derive(Debug)]
struct Helper {
    id: HelperId,
    stage: Stage,
    /// The adapter it was given: hash and blend.
    adapter: Option<(String, f32)>,
    errands: Vec<Errand>,
    /// When it last said something, or was given work while it had none.
    heard: Instant,
}

/// A portion on its way.
#[derive(Debug)]
struct Errand {
    revision: Revision,
    ticket: Ticket,
    /// Nobody waits for it any more.
    cancelled: bool,
}

impl Helper {
    fn errand(&mut self, revision: Revision) -> Option<Errand> {
        let found = self.errands.iter().position(|errand| errand.revision == revision)?;
        Some(self.errands.remove(found))
    }

    fn computes(&self) -> bool {
        self.errands.iter().any(|errand| !errand.cancelled)
    }
}

/// The helpers, and what each of them does.
#[derive(Debug)]
pub struct Crew {
    machine: Machine,
    /// How many workers were asked for, the engine's own included.
    wanted: Option<u16>,
    helpers: Vec<Helper>,
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

    /// Whether there are helpers.
    pub fn is_empty(&self) -> bool {
        self.helpers.is_empty()
    }

    /// Starts, equips and ends helpers, and gives them work. To be called whenever something
    /// happened, and every few seconds while there are helpers.
    pub fn direct(&mut self, engine: &mut Engine, now: Instant, orders: &mut Vec<Order>) {
        let model = engine.file().map(|file| file.sha256.clone()).unwrap_or_default();
        if model != self.model {
            self.dismiss(0, engine, orders);
            self.model = model;
            self.losses = 0;
        }
        let silent = |helper: &&Helper| {
            !helper.errands.is_empty() && now.duration_since(helper.heard) > PATIENCE
        };
        let silent: Vec<_> = self.helpers.iter().filter(silent).map(|helper| helper.id).collect();
        silent.into_iter().for_each(|id| self.lost(id, engine, orders));
        self.staff(engine, now, orders);
        self.feed(engine, now, orders);
    }

    /// Gives work to helpers that have room for it. Cheap where there is none.
    pub fn feed(&mut self, engine: &mut Engine, now: Instant, orders: &mut Vec<Order>) {
        self.recall(engine, orders);
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
        engine: &mut Engine,
        now: Instant,
        orders: &mut Vec<Order>,
    ) {
        let Some(helper) = self.helpers.iter_mut().find(|helper| helper.id == id) else { return };
        helper.heard = now;
        match &message.head {
            Event::Ready => {
                helper.stage = Stage::Opening;
                let request = copy_of(engine).map(|source| Request::Open { revision: 0, source });
                orders.extend(request.map(|request| Order::Equip(id, request)));
            }
            Event::Opened { .. } => helper.stage = Stage::Ready,
            Event::Portion { revision } => {
                if let Some(errand) = helper.errand(*revision) {
                    engine.take_rows(errand.ticket, message.f32().unwrap_or_default());
                }
            }
            Event::Cancelled { revision } => {
                let errand = helper.errand(*revision);
                errand.into_iter().for_each(|errand| engine.take_back(errand.ticket));
            }
            Event::Failed { revision, .. } => {
                match revision.and_then(|revision| helper.errand(revision)) {
                    Some(errand) => engine.take_back(errand.ticket),
                    // Without its model or adapter it is of no use.
                    None => self.lost(id, engine, orders),
                }
            }
            Event::Panicked { .. } => self.lost(id, engine, orders),
            // Of loading and attaching, nothing else has to be known: messages stay in order, and
            // portions wait for what they need.
            _ => {}
        }
    }

    /// A helper is gone, or could not be started: what it had is computed here, and there is one
    /// fewer from now on.
    pub fn lost(&mut self, id: HelperId, engine: &mut Engine, orders: &mut Vec<Order>) {
        let Some(position) = self.helpers.iter().position(|helper| helper.id == id) else { return };
        let helper = self.helpers.remove(position);
        helper.errands.iter().for_each(|errand| engine.take_back(errand.ticket));
        self.losses = self.losses.saturating_add(1);
        orders.push(Order::End(id));
    }

    /// Starts helpers where there is work enough, ends them where there are too many or was none
    /// for long.
    fn staff(&mut self, engine: &mut Engine, now: Instant, orders: &mut Vec<Order>) {
        let Some(file) = engine.file() else { return };
        let workers = self.wanted.unwrap_or_else(|| self.machine.workers(file.size_bytes()));
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
            let (id, stage) = (self.next_id, Stage::Starting);
            self.next_id += 1;
            self.helpers.push(Helper { id, stage, adapter: None, errands: Vec::new(), heard: now });
            orders.push(Order::Start(id));
            self.worked = Some(now);
        }
    }

    /// Keeps so many helpers.
    fn dismiss(&mut self, keep: usize, engine: &mut Engine, orders: &mut Vec<Order>) {
        for helper in self.helpers.drain(keep.min(self.helpers.len())..) {
            helper.errands.iter().for_each(|errand| engine.take_back(errand.ticket));
            orders.push(Order::End(helper.id));
        }
    }

    /// Calls back portions that nobody waits for.
    fn recall(&mut self, engine: &Engine, orders: &mut Vec<Order>) {
        for helper in &mut self.helpers {
            let id = helper.id;
            let stale = |errand: &&mut Errand| !errand.cancelled && !engine.expects(errand.ticket);
            for errand in helper.errands.iter_mut().filter(stale) {
                errand.cancelled = true;
                let cancel = Request::Cancel { revision: errand.revision };
                orders.push(Order::Tell(id, Message::plain(cancel)));
            }
        }
    }

    /// `false` where there is nothing to send.
    fn send_portion(
        &mut self,
        position: usize,
        workers: usize,
        engine: &mut Engine,
        now: Instant,
        orders: &mut Vec<Order>,
    ) -> bool {
        let Some(portion) = engine.share(workers) else { return false };
        self.next_revision += 2;
        let revision = self.next_revision;
        let Some(helper) = self.helpers.get_mut(position) else { return false };
        if portion.lens.side == Side::After {
            adapt(helper, revision - 1, engine, orders);
        }
        if helper.errands.is_empty() {
            helper.heard = now;
        }
        helper.errands.push(Errand { revision, ticket: portion.ticket, cancelled: false });
        let request = Request::Portion { revision, ids: portion.ids, lens: portion.lens };
        orders.push(Order::Tell(helper.id, Message::plain(request)));
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

/// Gives a helper the engine's adapter where it has another one, or less or more of it.
fn adapt(helper: &mut Helper, revision: Revision, engine: &Engine, orders: &mut Vec<Order>) {
    let Some((sha256, blend, bytes)) = engine.adapter() else { return };
    let had = helper.adapter.replace((sha256.to_owned(), blend));
    let (same, had_blend) = match &had {
        Some((had, blend)) => (had == sha256, *blend),
        None => (false, 1.0),
    };
    if !same {
        let source = AdapterSource::Given { name: "adapter".to_owned() };
        let head = Request::Attach { revision, source };
        let bulk = vec![Bulk::Bytes(bytes.to_vec())];
        orders.push(Order::Tell(helper.id, Message { head, bulk }));
    }
    let has_blend = if same { had_blend } else { 1.0 };
    if has_blend != blend {
        let request = Request::Blend { revision, blend };
        orders.push(Order::Tell(helper.id, Message::plain(request)));
    }
}

fn copy_of(engine: &Engine) -> Option<ModelSource> {
    let file = engine.file()?;
    let (name, sha256) = (file.config.name.clone(), file.sha256.clone());
    Some(ModelSource::Copied { name, sha256 })
}
