//! The crew's GPU: a helper whose program computes on one.
//!
//! It is started when the page first says what it prefers, examined ([`exam`]), and kept if it is
//! chosen; then it computes lists, or pairs, instead of this engine and its other helpers. What fails or
//! goes away with it is computed here, and one more is started; a second failure is the last.

use web_time::Instant;

use crate::backend::Backend;
use crate::engine::Engine;
use crate::engine::entrusted::Entrusted;
use crate::engine::exam::decide;
use crate::engine::helper::{Helper, HelperId, Order, Stage};
use crate::protocol::Revision;
use crate::protocol::event::Event;
use crate::protocol::gpu::Backend as Kind;
use crate::protocol::gpu::{GpuState, Preference, Report, Tuned, Verdict};
use crate::protocol::message::Message;
use crate::protocol::problem::{GpuFault, Problem};
use crate::protocol::request::Request;

/// A GPU that failed so often is not started again.
const MOST_FAILURES: u8 = 2;

/// Portions that it holds: one is computed while the other travels.
const HELD: usize = 2;

/// A portion is so much work, so that cancelling is quick and progress is seen.
const PORTION_S: f64 = 0.15;
const PORTION_TOKENS: (f64, f64) = (384.0, 8_192.0);

/// The place of the one helper with a GPU.
#[derive(Debug, Default)]
pub(super) struct GpuSeat {
    is_there: bool,
    /// `None`: nobody asked yet.
    preference: Option<Preference>,
    /// What was found of a GPU, in this visit or before.
    tuned: Option<Tuned>,
    helper: Option<Helper>,
    report: Option<Report>,
    failures: u8,
    /// As last said.
    said: GpuState,
}

impl GpuSeat {
    pub fn helper(&self) -> Option<&Helper> {
        self.helper.as_ref()
    }

    pub fn is_taken(&self) -> bool {
        self.helper.is_some()
    }

    /// A GPU that failed gets another chance where the visitor asks for it.
    pub fn prefer(&mut self, preference: Preference, tuned: Option<Tuned>, is_there: bool) {
        self.preference = Some(preference);
        self.tuned = tuned.or(self.tuned.take());
        (self.is_there, self.failures) = (is_there, 0);
    }

    /// Starts and ends the helper.
    pub fn staff(
        &mut self,
        next_id: &mut HelperId,
        workers: u16,
        now: Instant,
        orders: &mut Vec<Order>,
    ) {
        let Some(preference) = self.preference else { return };
        if preference == Preference::Cpu {
            return self.say(GpuState::Unwanted, orders);
        }
        if !self.is_there {
            return self.say(GpuState::Absent, orders);
        }
        let verdict = self.verdict(workers);
        let wanted = verdict.as_ref().is_none_or(uses_gpu) && self.failures < MOST_FAILURES;
        if wanted && self.helper.is_none() {
            let id = *next_id;
            *next_id += 1;
            self.helper = Some(Helper::new(id, now));
            self.report = None;
            orders.push(Order::StartGpu(id));
            // That it failed is the more important news.
            if self.failures == 0 {
                self.say(GpuState::Starting, orders);
            }
        } else if let Some(verdict) = verdict {
            self.say(GpuState::Decided(Box::new(verdict)), orders);
        }
    }

    /// Says what is computed there, and hands it over.
    pub fn feed(
        &mut self,
        revision: &mut Revision,
        engine: &mut Engine<impl Backend + Clone>,
        now: Instant,
        orders: &mut Vec<Order>,
    ) {
        let verdict = match &self.said {
            GpuState::Decided(verdict) if uses_gpu(verdict) => verdict,
            GpuState::Decided(_) | GpuState::Unwanted => return self.leave(engine, orders),
            _ => return engine.entrust(Entrusted::default()),
        };
        let (lists, pairs) = (verdict.lists == Kind::WebGpu, verdict.pairs == Kind::WebGpu);
        let tokens = verdict.report.gpu_tokens_per_s * PORTION_S;
        let most_tokens = tokens.clamp(PORTION_TOKENS.0, PORTION_TOKENS.1) as usize;
        let Some(helper) = self.helper.as_mut().filter(|helper| helper.stage == Stage::Ready)
        else {
            return engine.entrust(Entrusted::default());
        };
        helper.recall(engine, orders);
        while helper.errands.len() < HELD {
            // A pair does not wait behind a list.
            engine.entrust(Entrusted { lists, pairs: pairs && helper.errands.is_empty() });
            let Some(portion) = engine.hand_over(most_tokens) else { break };
            *revision += 2;
            helper.give(portion, *revision, engine, now, orders);
        }
        engine.entrust(Entrusted { lists, pairs: pairs && helper.errands.is_empty() });
    }

    pub fn heard(
        &mut self,
        message: Message<Event>,
        next_revision: &mut Revision,
        engine: &mut Engine<impl Backend + Clone>,
        now: Instant,
        orders: &mut Vec<Order>,
    ) {
        let Some(helper) = &mut self.helper else { return };
        helper.heard = now;
        match message.head {
            Event::Ready => helper.equip(engine, orders),
            Event::Opened { .. } => {
                *next_revision += 2;
                let (revision, tuned) = (*next_revision, self.tuned.clone());
                let examine = Request::Examine { revision, tuned };
                orders.push(Order::Tell(helper.id, Message::plain(examine)));
                self.say(GpuState::Examined, orders);
            }
            Event::Examined { report, .. } => {
                helper.stage = Stage::Ready;
                self.tuned = tuned(&report).or(self.tuned.take());
                self.report = Some(*report);
            }
            Event::Portion { revision } => {
                helper.answered(revision, Some(message.f32().unwrap_or_default()), engine);
            }
            Event::Cancelled { revision } => {
                helper.answered(revision, None, engine);
            }
            Event::Failed { problem, .. } => self.fail(problem, engine, orders),
            Event::Panicked { message } => self.lost(&message, engine, orders),
            _ => {}
        }
    }

    /// Its worker is gone, or could not be started.
    pub fn lost(
        &mut self,
        detail: &str,
        engine: &mut Engine<impl Backend + Clone>,
        orders: &mut Vec<Order>,
    ) {
        let detail = detail.to_owned();
        let starting = self.helper.as_ref().is_some_and(|it| it.stage == Stage::Starting);
        let problem = if starting {
            Problem::Program { detail }
        } else {
            Problem::Gpu { fault: GpuFault::Lost, detail }
        };
        self.fail(problem, engine, orders);
    }

    /// Another model: what is known of the GPU is of the old one.
    pub fn dismiss(&mut self, engine: &mut Engine<impl Backend + Clone>, orders: &mut Vec<Order>) {
        self.leave(engine, orders);
        self.report = None;
        self.failures = 0;
        self.said = GpuState::Unknown;
    }

    fn fail(
        &mut self,
        problem: Problem,
        engine: &mut Engine<impl Backend + Clone>,
        orders: &mut Vec<Order>,
    ) {
        self.leave(engine, orders);
        self.report = None;
        // No second look finds an adapter that is not there.
        let none = matches!(problem, Problem::Gpu { fault: GpuFault::NoAdapter, .. });
        self.failures = if none { MOST_FAILURES } else { self.failures + 1 };
        let again = self.failures < MOST_FAILURES;
        self.say(GpuState::Failed { problem, again }, orders);
    }

    fn leave(&mut self, engine: &mut Engine<impl Backend + Clone>, orders: &mut Vec<Order>) {
        engine.entrust(Entrusted::default());
        if let Some(helper) = self.helper.take() {
            helper.end(engine, orders);
        }
    }

    fn verdict(&self, workers: u16) -> Option<Verdict> {
        let report = self.report.clone()?;
        Some(decide(report, self.preference.unwrap_or_default(), workers))
    }

    fn say(&mut self, state: GpuState, orders: &mut Vec<Order>) {
        if self.said != state {
            self.said = state.clone();
            orders.push(Order::Say(Event::Gpu { state }));
        }
    }
}

/// What is to be remembered of that device.
fn tuned(report: &Report) -> Option<Tuned> {
    Some(Tuned { device: report.device.clone(), way: report.way.clone()? })
}

fn uses_gpu(verdict: &Verdict) -> bool {
    verdict.lists == Kind::WebGpu || verdict.pairs == Kind::WebGpu
}
