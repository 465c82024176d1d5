//! One helper of a crew: what it has, what it was given, and what its door is to do for it.

use web_time::Instant;

use crate::backend::Backend;
use crate::engine::Engine;
use crate::engine::sharing::{Portion, Ticket};
use crate::protocol::Revision;
use crate::protocol::event::Event;
use crate::protocol::message::{Bulk, Message};
use crate::protocol::readout::Side;
use crate::protocol::request::{ModelSource, Request};

/// A helper's number; none is used twice.
pub type HelperId = u32;

/// What the door is to do.
#[derive(Debug, PartialEq)]
pub enum Order {
    Start(HelperId),
    /// Start one whose program computes on the GPU.
    StartGpu(HelperId),
    /// Hand it the current model's file, under that request, whose bytes travel beside it.
    Equip(HelperId, Request),
    Tell(HelperId, Message<Request>),
    End(HelperId),
    /// For the page.
    Say(Event),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Starting,
    /// It has the model's file and makes it ready.
    Opening,
    Ready,
}

#[derive(Debug)]
pub(super) struct Helper {
    pub(super) id: HelperId,
    pub(super) stage: Stage,
    /// What its side after is made of: hash and blend.
    material: Option<(String, f32)>,
    pub(super) errands: Vec<Errand>,
    /// When it last said something, or was given work while it had none.
    pub(super) heard: Instant,
}

/// A portion on its way.
#[derive(Debug)]
pub(super) struct Errand {
    revision: Revision,
    pub(super) ticket: Ticket,
    /// Nobody waits for it any more.
    cancelled: bool,
}

impl Helper {
    pub(super) fn new(id: HelperId, now: Instant) -> Self {
        Self { id, stage: Stage::Starting, material: None, errands: Vec::new(), heard: now }
    }

    fn errand(&mut self, revision: Revision) -> Option<Errand> {
        let found = self.errands.iter().position(|errand| errand.revision == revision)?;
        Some(self.errands.remove(found))
    }

    /// It runs: it gets the model's file.
    pub(super) fn equip(&mut self, engine: &Engine<impl Backend + Clone>, orders: &mut Vec<Order>) {
        self.stage = Stage::Opening;
        let request = copy_of(engine).map(|source| Request::Open { revision: 0, source });
        orders.extend(request.map(|request| Order::Equip(self.id, request)));
    }

    /// Gives it a portion, under that number or the one before, and the adapter that it needs first.
    pub(super) fn give(
        &mut self,
        portion: Portion,
        revision: Revision,
        engine: &Engine<impl Backend + Clone>,
        now: Instant,
        orders: &mut Vec<Order>,
    ) {
        let Portion { ticket, ids, lens, with_tokens } = portion;
        if lens.side == Side::After {
            adapt(self, revision - 1, engine, orders);
        }
        if self.errands.is_empty() {
            self.heard = now;
        }
        self.errands.push(Errand { revision, ticket, cancelled: false });
        let request = Request::Portion { revision, ids, lens, with_tokens };
        orders.push(Order::Tell(self.id, Message::plain(request)));
    }

    /// Takes the rows of a portion, or gives the portion up where there are none.
    pub(super) fn answered(
        &mut self,
        revision: Revision,
        rows: Option<&[f32]>,
        engine: &mut Engine<impl Backend + Clone>,
    ) -> bool {
        let Some(errand) = self.errand(revision) else { return false };
        match rows {
            Some(rows) => engine.take_rows(errand.ticket, rows),
            None => engine.take_back(errand.ticket),
        }
        true
    }

    /// Calls back portions that nobody waits for.
    pub(super) fn recall(
        &mut self,
        engine: &Engine<impl Backend + Clone>,
        orders: &mut Vec<Order>,
    ) {
        let stale = |errand: &&mut Errand| !errand.cancelled && !engine.expects(errand.ticket);
        for errand in self.errands.iter_mut().filter(stale) {
            errand.cancelled = true;
            let cancel = Request::Cancel { revision: errand.revision };
            orders.push(Order::Tell(self.id, Message::plain(cancel)));
        }
    }

    /// It goes: what it had is computed here.
    pub(super) fn end(self, engine: &mut Engine<impl Backend + Clone>, orders: &mut Vec<Order>) {
        self.errands.iter().for_each(|errand| engine.take_back(errand.ticket));
        orders.push(Order::End(self.id));
    }

    pub(super) fn computes(&self) -> bool {
        self.errands.iter().any(|errand| !errand.cancelled)
    }
}

/// Gives a helper what the engine's side after is made of, where it has another one, or less or more of it.
fn adapt(
    helper: &mut Helper,
    revision: Revision,
    engine: &Engine<impl Backend + Clone>,
    orders: &mut Vec<Order>,
) {
    let Some((sha256, blend, source, bytes)) = engine.material() else { return };
    let had = helper.material.replace((sha256.to_owned(), blend));
    let (same, had_blend) = match &had {
        Some((had, blend)) => (had == sha256, *blend),
        None => (false, 1.0),
    };
    if !same {
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

fn copy_of(engine: &Engine<impl Backend + Clone>) -> Option<ModelSource> {
    let file = engine.file()?;
    let (name, sha256) = (file.config.name.clone(), file.sha256.clone());
    Some(ModelSource::Copied { name, sha256 })
}
