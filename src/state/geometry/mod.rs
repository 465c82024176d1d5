//! The geometry lab: a corpus, and two ways to look at its vectors, side by side.

pub mod corpus;
pub(in crate::state) mod saved;
pub(in crate::state) mod update;

#[cfg(test)]
mod tests;

use crate::protocol::Revision;
use crate::protocol::lab::{Findings, Treatment};
use crate::protocol::problem::Problem;
use crate::protocol::readout::{Lens, Pooling, Readout, Side};
use crate::state::geometry::corpus::{Bundled, Corpus, Source};
use crate::text::lists::ListError;

/// Surveys of this view are told from the lesson's by their slots, which begin here.
const FIRST_SLOT: u8 = 8;

/// One of the two that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plot {
    A,
    B,
}

impl Plot {
    pub const ALL: [Self; 2] = [Self::A, Self::B];

    fn place(self) -> usize {
        match self {
            Self::A => 0,
            Self::B => 1,
        }
    }

    fn slot(self) -> u8 {
        match self {
            Self::A => FIRST_SLOT,
            Self::B => FIRST_SLOT + 1,
        }
    }

    fn of_slot(slot: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|plot| plot.slot() == slot)
    }
}

/// Which vectors of the corpus are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Look {
    pub side: Side,
    pub pooling: Pooling,
    /// `None`: the last one.
    pub layer: Option<u16>,
    pub treatment: Treatment,
}

impl Look {
    fn lens(self) -> Lens {
        Lens { side: self.side, readout: Readout { pooling: self.pooling, layer: self.layer } }
    }
}

/// What a picture was measured of: it is measured again when any of this changes.
#[derive(Debug, Clone, PartialEq)]
struct Of {
    model: String,
    /// Hash and blend.
    adapter: Option<(String, f32)>,
    /// Number of the corpus.
    corpus: u32,
    look: Look,
}

/// What was measured of the corpus, looked at in one way.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The sphere of `B` is turned so that every sentence lies near its place in `A`.
    pub findings: Findings,
    pub latency_ms: f64,
    of: Of,
    /// The sphere as it came.
    sphere: Vec<f32>,
}

/// Sentences that are being embedded.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    revision: Revision,
    of: Of,
    pub done: u32,
    pub total: u32,
    pub elapsed_ms: f64,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Failure {
    /// The visitor gave it up.
    Stopped,
    Problem(Problem),
}

/// What is known of one of the two.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Figure {
    pub measured: Option<Measured>,
    /// The same question is not asked again by itself.
    failed: Option<(Failure, Of)>,
    pub job: Option<Job>,
}

impl Figure {
    /// Why there is no answer.
    pub fn failure(&self) -> Option<&Failure> {
        self.failed.as_ref().map(|(failure, _)| failure)
    }
}

/// What the view shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Geometry {
    pub source: Source,
    /// Texts that were replaced, the latest last.
    undo: Vec<Source>,
    pub corpus: Corpus,
    /// A file that could not be read, by its name; the text that was there stays.
    pub trouble: Option<(String, ListError)>,
    typed_count: u32,
    /// Tells one corpus from another.
    corpus_count: u32,
    looks: [Look; 2],
    figures: [Figure; 2],
}

impl Default for Geometry {
    fn default() -> Self {
        let look = |side| Look {
            side,
            pooling: Pooling::Cls,
            layer: None,
            treatment: Treatment::AsTheyAre,
        };
        let source = Bundled::Pairs.source();
        // What we bundle can be read; a test holds us to it.
        let corpus = Corpus::read(&source.text, None).unwrap_or_default();
        Self {
            source,
            undo: Vec::new(),
            corpus,
            trouble: None,
            typed_count: 0,
            corpus_count: 0,
            looks: [look(Side::Before), look(Side::After)],
            figures: Default::default(),
        }
    }
}

impl Geometry {
    pub fn look(&self, plot: Plot) -> Look {
        self.looks[plot.place()]
    }

    pub fn figure(&self, plot: Plot) -> &Figure {
        &self.figures[plot.place()]
    }

    /// The bundled corpus that is there, if it is one.
    pub fn bundled(&self) -> Option<Bundled> {
        Bundled::ALL.into_iter().find(|bundled| bundled.source().text == self.source.text)
    }

    /// Whether there is a text to go back to.
    pub fn can_undo(&self) -> bool {
        !self.undo.is_empty()
    }

    /// What was asked is lost with the worker that was asked.
    pub(super) fn forget_questions(&mut self) {
        self.figures.iter_mut().for_each(|figure| figure.job = None);
    }
}

/// What happens in the view.
#[derive(Debug, Clone, PartialEq)]
pub enum GeometryAction {
    Typed(String),
    /// The pause after typing is over; the number tells whether typing went on.
    Settled(u32),
    FileRead {
        name: String,
        text: Result<String, ListError>,
    },
    BundledChosen(Bundled),
    /// Back to the text before.
    TextUndone,
    LookChosen(Plot, Look),
    /// `A` and `B` change places.
    Swapped,
    Stopped(Plot),
    /// Asked for again what was stopped or failed.
    Resumed(Plot),
}
