//! The side after: the adapter that is attached, or the model beside the one in use; the switch, the
//! blend, the shelf of kept adapters.

pub mod attach;
pub mod events;
#[cfg(test)]
mod tests;
pub mod update;

use serde::{Deserialize, Serialize};

use crate::protocol::Revision;
use crate::protocol::readout::{Pooling, Side};
use crate::protocol::training::{AdapterSummary, OtherModel};

/// The most of an adapter that the slider gives.
pub const MOST_BLEND: f32 = 1.5;

/// What the visitor wants the side after to be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Choice {
    /// The one that the site ships with its model, if it ships one.
    #[default]
    Hosted,
    /// One of the visitor's own.
    Kept { sha256: String },
    /// Another model in an adapter's place: both are compared.
    Model { name: String, sha256: String, size_bytes: u64 },
    /// None: the model as it is.
    Nothing,
}

impl Choice {
    /// Whether it is one of the visitor's own.
    pub(super) fn is_own(&self) -> bool {
        matches!(self, Self::Kept { .. })
    }
}

/// An adapter on its way to the model.
#[derive(Debug, Clone, PartialEq)]
pub struct Arriving {
    pub(super) revision: Revision,
    /// Of the file.
    pub sha256: String,
    /// The readout that scores best with it, where it is known.
    pub(super) pooling: Option<Pooling>,
}

/// What the page knows of adapters.
#[derive(Debug, Clone, PartialEq)]
pub struct Adapters {
    /// What `Side::After` is made with; it may be another model.
    pub attached: Option<AdapterSummary>,
    pub arriving: Option<Arriving>,
    pub choice: Choice,
    /// Which side every view shows now. It follows from the fields below: see [`Adapters::settle`].
    pub side: Side,
    /// Which side the visitor chose.
    pub chosen: Side,
    /// The other side is shown for as long as the visitor holds the switch.
    pub peeking: bool,
    /// How much of the adapter the visitor wants.
    pub blend: f32,
    pub(super) blend_pending: Option<Revision>,
    /// When the visitor last took one off: what was asked for earlier is not wanted any more.
    pub(super) detached_at: Revision,
    /// Counts the slider's movements, so that only the last one is followed by what takes long.
    pub(super) blend_count: u32,
    /// The kept ones.
    pub shelf: Vec<AdapterSummary>,
    /// Files in the store that are no adapters.
    pub unreadable: u32,
    /// The browser refused to store an adapter: those of this visit are in memory.
    pub refused: bool,
    /// A file of the visitor's that is being read.
    pub(super) importing: Option<Revision>,
    pub(super) exporting: Option<Revision>,
    pub(super) listing: Option<Revision>,
    /// The one that the visitor is asked about: delete it?
    pub forgetting: Option<String>,
}

impl Default for Adapters {
    fn default() -> Self {
        Self {
            attached: None,
            arriving: None,
            choice: Choice::default(),
            side: Side::Before,
            chosen: Side::After,
            peeking: false,
            blend: 1.0,
            blend_pending: None,
            detached_at: 0,
            blend_count: 0,
            shelf: Vec::new(),
            unreadable: 0,
            refused: false,
            importing: None,
            exporting: None,
            listing: None,
            forgetting: None,
        }
    }
}

impl Adapters {
    /// The adapter that is attached.
    pub fn adapter(&self) -> Option<&AdapterSummary> {
        self.attached.as_ref().filter(|attached| attached.model.is_none())
    }

    /// The model beside the one in use.
    pub fn model(&self) -> Option<(&AdapterSummary, &OtherModel)> {
        let attached = self.attached.as_ref()?;
        attached.model.as_ref().map(|model| (attached, model))
    }

    /// Works out the side on show. One that is on its way counts: what is asked waits for it, so
    /// that a first number is not followed by another one.
    pub(super) fn settle(&mut self) {
        let there = self.attached.is_some() || self.arriving.is_some();
        self.peeking &= self.attached.is_some();
        let wanted = if self.peeking { other(self.chosen) } else { self.chosen };
        self.side = if there { wanted } else { Side::Before };
    }

    /// The readout that scores best on a side, as far as it is known; `None`: as the model says.
    pub(super) fn pooling(&self, side: Side) -> Option<Pooling> {
        match (side, &self.arriving, &self.attached) {
            (Side::Before, ..) | (_, None, None) => None,
            (Side::After, Some(arriving), _) => arriving.pooling,
            (Side::After, None, Some(adapter)) => adapter.best_pooling.or(adapter.pooling),
        }
    }

    /// Whether any reader of the first token through an MLP can be had: the adapter was trained for
    /// one.
    pub fn has_mlp(&self) -> bool {
        let poolings = |adapter: &AdapterSummary| [adapter.best_pooling, adapter.pooling];
        let all = self.attached.as_ref().map(poolings);
        all.is_some_and(|poolings| poolings.contains(&Some(Pooling::ClsMlp)))
    }
}

/// The other side.
pub fn other(side: Side) -> Side {
    match side {
        Side::Before => Side::After,
        Side::After => Side::Before,
    }
}

/// What the visitor does with adapters.
#[derive(Debug, Clone, PartialEq)]
pub enum AdapterAction {
    /// The before/after switch.
    SideChosen(Side),
    /// The switch is held down, or its key.
    PeekBegan,
    PeekEnded,
    /// The slider moves.
    BlendChosen(f32),
    /// The pause after moving it is over; the number tells whether it moved on.
    BlendSettled(u32),
    /// Put this one on the model; `Choice::Nothing` takes it off.
    Chosen(Choice),
    /// A file was picked or dropped; the effects layer holds it.
    FilePicked,
    ForgetAsked {
        sha256: String,
    },
    ForgetDropped,
    Forgotten {
        sha256: String,
    },
    Exported {
        sha256: String,
    },
}

impl AdapterAction {
    /// Whether it changes what is kept for the next visit.
    pub(super) fn changes_saved(&self) -> bool {
        match self {
            Self::SideChosen(_)
            | Self::BlendChosen(_)
            | Self::Chosen(_)
            | Self::FilePicked
            | Self::Forgotten { .. } => true,
            Self::PeekBegan
            | Self::PeekEnded
            | Self::BlendSettled(_)
            | Self::ForgetAsked { .. }
            | Self::ForgetDropped
            | Self::Exported { .. } => false,
        }
    }
}
