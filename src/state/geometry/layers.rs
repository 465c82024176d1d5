//! A measure through all layers of both sides: Ethayarajh's picture. It costs as much as embedding
//! the corpus once more, so that the visitor asks for it.

use crate::protocol::Revision;
use crate::protocol::lab::LayerMeasure;
use crate::protocol::readout::Side;
use crate::state::geometry::corpus::Held;
use crate::state::geometry::failure::Failure;

/// Sentences that are measured through all layers at most; the figure says of how many.
pub const MOST_SENTENCES: usize = 1_000;

/// What is drawn over the layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Measure {
    #[default]
    MeanCosine,
    Uniformity,
    Alignment,
    Spearman,
}

impl Measure {
    pub const ALL: [Self; 4] =
        [Self::MeanCosine, Self::Uniformity, Self::Alignment, Self::Spearman];

    /// Its value of a layer, where there is one.
    pub fn of(self, layer: &LayerMeasure) -> Option<f64> {
        match self {
            Self::MeanCosine => Some(layer.mean_cosine),
            Self::Uniformity => Some(layer.uniformity),
            Self::Alignment => layer.alignment,
            Self::Spearman => layer.spearman.map(|spearman| 100.0 * spearman),
        }
    }
}

/// What it is measured of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Of {
    pub(super) model: String,
    pub(super) adapter: Option<(String, f32)>,
    pub(super) corpus: Held,
}

/// What is on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct LayersJob {
    pub(super) revision: Revision,
    pub(super) of: Of,
    pub done: u32,
    pub total: u32,
}

/// One side.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct OneSide {
    pub(super) measured: Option<(Vec<LayerMeasure>, Of)>,
    pub(super) failed: Option<(Failure, Of)>,
    pub(super) job: Option<LayersJob>,
}

/// Both sides.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Layered {
    pub is_wanted: bool,
    pub shown: Measure,
    pub(super) sides: [OneSide; 2],
}

impl Layered {
    fn side(&self, side: Side) -> &OneSide {
        &self.sides[usize::from(side == Side::After)]
    }

    pub(super) fn side_mut(&mut self, side: Side) -> &mut OneSide {
        &mut self.sides[usize::from(side == Side::After)]
    }

    /// From the embedding layer on, `[CLS]` before mean; of an earlier question while a new one is
    /// on its way.
    pub fn measured(&self, side: Side) -> Option<&[LayerMeasure]> {
        self.side(side).measured.as_ref().map(|(layers, _)| layers.as_slice())
    }

    pub fn job(&self, side: Side) -> Option<&LayersJob> {
        self.side(side).job.as_ref()
    }

    pub fn failure(&self, side: Side) -> Option<&Failure> {
        self.side(side).failed.as_ref().map(|(failure, _)| failure)
    }

    /// What was asked is lost with the worker that was asked.
    pub(in crate::state) fn forget_questions(&mut self) {
        self.sides.iter_mut().for_each(|side| side.job = None);
    }
}

/// What happens to the figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayersAction {
    /// Measured from now on, and what failed or was stopped again.
    Wanted,
    Stopped,
    Shown(Measure),
}
