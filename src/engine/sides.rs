//! Before and after: the current model, and the same model with an adapter in it, or another model.
//!
//! Memory: the model's file stays (26 MB for the shipped one), for adapters are merged into it and
//! both sides read their token table from it. Beside it each side has its linear layers packed in
//! int8 (15 MB); layers that the adapter leaves alone are shared. The adapter is there as it was read and
//! as a file, for the workers that help. Another model is there whole, file and layers. While an adapter or a blend is made
//! ready, the side after is there twice.

use std::collections::VecDeque;

use web_time::Instant;

use crate::backend::Backend;
use crate::model::encoder::Encoder;
use crate::model::error::Error;
use crate::protocol::Revision;
use crate::protocol::event::Event;
use crate::protocol::message::Message;
use crate::protocol::problem::Problem;
use crate::protocol::readout::{Lens, Side};
use crate::protocol::search::Embedder;
use crate::protocol::training::{AdapterSummary, OtherModel};
use crate::weights::adapter_file::AdapterFile;
use crate::weights::bert::BertFile;
use crate::weights::merged::{MAX_BLEND, Merged, check_base};

/// An adapter, and its file for others that need it too.
#[derive(Debug)]
pub struct Adapter {
    pub parsed: Box<AdapterFile>,
    pub bytes: Vec<u8>,
}

/// What the side after is made of.
#[derive(Debug)]
pub enum Material {
    /// The model, and this in it.
    Adapter(Adapter),
    /// Another model.
    Model(Box<BertFile>),
}

impl Material {
    fn adapter(&self) -> Option<&Adapter> {
        match self {
            Self::Adapter(adapter) => Some(adapter),
            Self::Model(_) => None,
        }
    }

    fn summary(&self) -> AdapterSummary {
        let file = match self {
            Self::Adapter(adapter) => return adapter.parsed.summary(),
            Self::Model(file) => file,
        };
        let config = &file.config;
        AdapterSummary {
            name: config.name.clone(),
            sha256: file.sha256.clone(),
            size_bytes: file.size_bytes(),
            pooling: Some(config.pooling),
            licence: config.licence.clone(),
            model: Some(OtherModel {
                quantisation: file.quantisation().name().to_owned(),
                layers: u16::try_from(config.layers).unwrap_or(u16::MAX),
            }),
            ..AdapterSummary::default()
        }
    }
}

/// What is to be done about the side after, in the order it was asked for.
#[derive(Debug)]
pub enum Order {
    Attach { revision: Revision, material: Material },
    Blend { revision: Revision, blend: f32 },
    Detach { revision: Revision },
}

impl Order {
    fn blend(&self) -> Option<f32> {
        match self {
            Self::Blend { blend, .. } => Some(*blend),
            Self::Attach { .. } | Self::Detach { .. } => None,
        }
    }

    fn revision(&self) -> Revision {
        match self {
            Self::Attach { revision, .. }
            | Self::Blend { revision, .. }
            | Self::Detach { revision } => *revision,
        }
    }
}

/// The model on both sides.
#[derive(Debug)]
pub struct Sides<B: Backend> {
    before: Option<Before<B>>,
    after: Option<After<B>>,
    making: Option<Making<B>>,
    orders: VecDeque<Order>,
    /// Adapters that somebody fetches.
    arriving: u32,
}

#[derive(Debug)]
struct Before<B: Backend> {
    file: BertFile,
    encoder: Encoder<B>,
}

#[derive(Debug)]
struct After<B: Backend> {
    material: Material,
    /// 1 of another model.
    blend: f32,
    encoder: Encoder<B>,
}

/// The next side after, on its way.
#[derive(Debug)]
struct Making<B: Backend> {
    revision: Revision,
    /// `None`: the attached one, at another blend.
    material: Option<Material>,
    blend: f32,
    encoder: Encoder<B>,
    begun: Instant,
}

impl<B: Backend> Default for Sides<B> {
    fn default() -> Self {
        let (before, after, making, orders, arriving) = Default::default();
        Self { before, after, making, orders, arriving }
    }
}

impl<B: Backend + Clone> Sides<B> {
    /// The model's file, if there is a model.
    pub fn file(&self) -> Option<&BertFile> {
        self.before.as_ref().map(|before| &before.file)
    }

    /// What computes on a side, if the side is there.
    pub fn encoder(&self, side: Side) -> Option<&Encoder<B>> {
        match side {
            Side::Before => self.before.as_ref().map(|before| &before.encoder),
            Side::After => self.after.as_ref().map(|after| &after.encoder),
        }
    }

    /// The attached adapter, and how much of it the side after has.
    pub fn adapter(&self) -> Option<(&AdapterFile, f32)> {
        let after = self.after.as_ref()?;
        Some((&*after.material.adapter()?.parsed, after.blend))
    }

    /// What the side after is made of, and how much of it there is.
    pub fn material(&self) -> Option<(&Material, f32)> {
        self.after.as_ref().map(|after| (&after.material, after.blend))
    }

    /// Bytes of the files that both sides need.
    pub fn size_bytes(&self) -> u64 {
        let other = match self.material() {
            Some((Material::Model(file), _)) => file.size_bytes(),
            _ => 0,
        };
        self.file().map_or(0, BertFile::size_bytes) + other
    }

    /// What computes vectors through a lens, by name; `None` while that side is not there.
    pub fn embedder(&self, lens: Lens) -> Option<Embedder> {
        let (file, adapter) = match (lens.side, self.material()) {
            (Side::Before, _) => (self.file()?, None),
            (Side::After, None) => return None,
            (Side::After, Some((Material::Model(file), _))) => (&**file, None),
            (Side::After, Some((Material::Adapter(adapter), blend))) => {
                (self.file()?, Some((adapter.parsed.sha256.clone(), blend)))
            }
        };
        Some(Embedder {
            model_sha256: file.sha256.clone(),
            model_name: file.config.name.clone(),
            adapter,
            readout: lens.readout,
        })
    }

    /// Whether the side after is about to become another one: requests to it wait.
    pub fn is_changing(&self) -> bool {
        self.arriving > 0 || self.has_orders()
    }

    /// Whether [`Sides::step`] has something to do.
    pub fn has_orders(&self) -> bool {
        self.making.is_some() || !self.orders.is_empty()
    }

    /// Another model takes the old one's place. An adapter that does not belong to it comes off;
    /// the answer says so under the number of the request for the model.
    pub fn replace(
        &mut self,
        revision: Revision,
        file: BertFile,
        encoder: Encoder<B>,
        out: &mut Vec<Message<Event>>,
    ) {
        if let Some(Making { revision, material, blend, .. }) = self.making.take() {
            self.orders.push_front(match material {
                Some(material) => Order::Attach { revision, material },
                None => Order::Blend { revision, blend },
            });
        }
        let gone = self.after.take_if(|after| match &after.material {
            Material::Adapter(adapter) => adapter.parsed.meta.base_sha256 != file.sha256,
            // A model beside itself would show nothing.
            Material::Model(other) => other.sha256 == file.sha256,
        });
        out.extend(gone.map(|_| Message::plain(Event::Detached { revision })));
        self.before = Some(Before { file, encoder });
    }

    /// An adapter is fetched: until as many calls of [`Sides::arrived`], requests to the side after
    /// wait.
    pub fn arriving(&mut self) {
        self.arriving += 1;
    }

    /// One that was fetched came or failed.
    pub fn arrived(&mut self) {
        self.arriving = self.arriving.saturating_sub(1);
    }

    /// Takes an order. A newer blend supersedes one that was not begun.
    pub fn order(&mut self, order: Order, out: &mut Vec<Message<Event>>) {
        if matches!(order, Order::Blend { .. }) {
            let old = self.orders.pop_back_if(|last| matches!(last, Order::Blend { .. }));
            let cancelled = old.map(|old| Event::Cancelled { revision: old.revision() });
            out.extend(cancelled.map(Message::plain));
        }
        self.orders.push_back(order);
    }

    /// Gives all orders up for want of a model.
    pub fn give_up(&mut self, out: &mut Vec<Message<Event>>) {
        for order in self.orders.drain(..) {
            out.push(failed(order.revision(), Problem::NoModel));
        }
    }

    /// Does a little of the orders: looks at one, or makes a layer. `true` where the side after
    /// became another one or went: what had begun with it must begin anew.
    pub fn step(&mut self, out: &mut Vec<Message<Event>>) -> bool {
        let Some(mut making) = self.making.take() else { return self.begin(out) };
        match self.make_layer(&mut making) {
            Ok(true) => {
                self.making = Some(making);
                false
            }
            Ok(false) => {
                out.extend(self.change(making));
                true
            }
            Err(error) => {
                out.push(failed(making.revision, Problem::from(&error)));
                false
            }
        }
    }

    fn begin(&mut self, out: &mut Vec<Message<Event>>) -> bool {
        let Some(order) = self.orders.pop_front() else { return false };
        let revision = order.revision();
        if let Order::Detach { .. } = order {
            out.push(Message::plain(Event::Detached { revision }));
            return self.after.take().is_some();
        }
        match self.begin_making(order) {
            Ok(Some(making)) => self.making = Some(making),
            Ok(None) => {
                let blend = self.after.as_ref().map_or(1.0, |after| after.blend);
                out.push(Message::plain(Event::Blended { revision, blend }));
            }
            Err(problem) => out.push(failed(revision, problem)),
        }
        false
    }

    /// `None` where the side after is at that blend already.
    fn begin_making(&self, order: Order) -> Result<Option<Making<B>>, Problem> {
        let before = self.before.as_ref().ok_or(Problem::NoModel)?;
        let (revision, material, blend) = match order {
            Order::Attach { revision, material: Material::Model(file) } => {
                return before.beside(revision, file).map(Some);
            }
            Order::Attach { revision, material: Material::Adapter(adapter) } => {
                let meta = &adapter.parsed.meta;
                check_base(meta, &before.file).map_err(|error| Problem::from(&error))?;
                // Not made twice where the blend is known already.
                let blend = self.orders.front().and_then(Order::blend);
                (revision, Some(Material::Adapter(adapter)), blend.unwrap_or(1.0))
            }
            Order::Blend { revision, blend } => (revision, None, blend),
            Order::Detach { .. } => return Ok(None),
        };
        let blend = if blend.is_finite() { blend.clamp(0.0, MAX_BLEND) } else { 1.0 };
        let attached = self.after.as_ref();
        if material.is_none() && attached.is_some_and(|after| after.has_blend(blend)) {
            return Ok(None);
        }
        let source = material.as_ref().or(attached.map(|after| &after.material));
        let source = source.and_then(Material::adapter).ok_or(Problem::NoAdapter)?;
        let begun = Instant::now();
        let encoder = Merged::new(&before.file, &source.parsed.changes, blend)
            .map_err(Error::from)
            .and_then(|merged| before.encoder.adapt(&merged))
            .map_err(|error| Problem::from(&error))?;
        Ok(Some(Making { revision, material, blend, encoder, begun }))
    }

    /// `false` once there was none left to make.
    fn make_layer(&self, making: &mut Making<B>) -> Result<bool, Error> {
        let attached = self.after.as_ref().map(|after| &after.material);
        let material = making.material.as_ref().or(attached);
        let (Some(before), Some(adapter)) = (&self.before, material.and_then(Material::adapter))
        else {
            // Another model was made in one go.
            return Ok(false);
        };
        let merged = Merged::new(&before.file, &adapter.parsed.changes, making.blend)?;
        before.encoder.adapt_step(&merged, &mut making.encoder)
    }

    /// What was made takes its place.
    fn change(&mut self, making: Making<B>) -> Option<Message<Event>> {
        let Making { revision, material, blend, encoder, begun } = making;
        let event = match &material {
            Some(material) => Event::Attached {
                revision,
                adapter: Box::new(material.summary()),
                prepare_ms: begun.elapsed().as_secs_f64() * 1e3,
            },
            None => Event::Blended { revision, blend },
        };
        let material = material.or_else(|| self.after.take().map(|after| after.material))?;
        self.after = Some(After { material, blend, encoder });
        Some(Message::plain(event))
    }
}

impl<B: Backend + Clone> Before<B> {
    /// Another model, made ready to be the side after.
    fn beside(&self, revision: Revision, file: Box<BertFile>) -> Result<Making<B>, Problem> {
        let begun = Instant::now();
        let backend = self.encoder.backend().clone();
        let encoder = Encoder::load(backend, &file).map_err(|error| Problem::from(&error))?;
        let material = Some(Material::Model(file));
        Ok(Making { revision, material, blend: 1.0, encoder, begun })
    }
}

impl<B: Backend> After<B> {
    /// Whether it is at that blend already; another model has none to change.
    fn has_blend(&self, blend: f32) -> bool {
        self.material.adapter().is_none() || self.blend == blend
    }
}

fn failed(revision: Revision, problem: Problem) -> Message<Event> {
    Message::plain(Event::Failed { revision: Some(revision), problem })
}
