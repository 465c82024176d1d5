//! The geometry lab: a corpus, and two ways to look at its vectors, side by side.

pub mod corpus;
pub(in crate::state) mod export;
pub mod failure;
pub mod held;
pub mod layers;
pub(in crate::state) mod layers_update;
pub(in crate::state) mod link;
pub mod map;
pub(in crate::state) mod saved;
pub(in crate::state) mod session;
mod session_file;
mod sources;
pub(in crate::state) mod update;

#[cfg(test)]
mod along_tests;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::files::Format;
use crate::protocol::Revision;
use crate::protocol::lab::{Findings, Treatment};
use crate::protocol::problem::Problem;
use crate::protocol::readout::{Lens, Pooling, Readout, Side};
use crate::state::adapters::Choice;
use crate::state::geometry::corpus::{Bundled, Corpus, Held, Source};
use crate::state::geometry::failure::Failure;
use crate::state::geometry::layers::{Layered, LayersAction};
use crate::state::geometry::map::{Map, MapAction};
use crate::text::columns::Roles;
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
    corpus: Held,
    look: Look,
}

/// What was measured of the corpus, looked at in one way.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The sphere of `B` is turned so that every sentence lies near its place in `A`.
    pub findings: Findings,
    pub latency_ms: f64,
    /// Of the request: questions about these vectors name it.
    pub revision: Revision,
    of: Of,
    /// The worker has the vectors no more, and is to compute them again.
    is_lost: bool,
    /// This is already the second time, and no question was answered since.
    is_anew: bool,
    /// The sphere as it came.
    sphere: Vec<f32>,
}

impl Measured {
    /// The sentences that were measured.
    pub fn corpus(&self) -> &Held {
        &self.of.corpus
    }
}

/// Sentences that are being embedded.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    revision: Revision,
    of: Of,
    /// Asked for because the vectors were lost.
    is_anew: bool,
    pub done: u32,
    pub total: u32,
    pub elapsed_ms: f64,
}

/// What is known of one of the two.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Figure {
    pub measured: Option<Measured>,
    /// The same question is not asked again by itself.
    failed: Option<(Failure, Of)>,
    pub job: Option<Job>,
    /// The model that it stays with, by name, while others come and go: two models side by side.
    pub held: Option<String>,
}

impl Figure {
    /// Whether what was measured stays, whatever model there is. It is given up with its corpus.
    fn is_held(&self, corpus: &Held) -> bool {
        let of_corpus = self.measured.as_ref().is_some_and(|it| it.of.corpus == *corpus);
        self.held.is_some() && of_corpus
    }

    /// Why there is no answer.
    pub fn failure(&self) -> Option<&Failure> {
        self.failed.as_ref().map(|(failure, _)| failure)
    }
}

/// The vectors of A or B as a file: what is chosen, and how far it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    pub plot: Plot,
    pub format: Format,
    pub standing: Standing,
    /// The vectors were gone once; a second time it is given up.
    retried: bool,
    /// Tells one file that is written from another.
    count: u32,
}

/// How far a file is.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Standing {
    #[default]
    Nothing,
    /// The survey has to be there first.
    Measuring,
    /// The vectors are on their way.
    Asked(Asked),
    /// Pieces of the file.
    Writing {
        done: usize,
        total: usize,
    },
    Failed(Failure),
}

/// Which vectors are on their way, and of which sentences.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    revision: Revision,
    of: Of,
    format: Format,
}

impl Export {
    /// Whether a file is under way.
    pub fn is_busy(&self) -> bool {
        !matches!(self.standing, Standing::Nothing | Standing::Failed(_))
    }
}

/// A session that is being saved: the adapter in use is on its way to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Saving {
    /// From the worker.
    Asked(Revision),
    /// From the site; the number tells it from one before.
    Fetched(u32),
}

/// Why a session was not saved, or not opened; or what is missing in it.
#[derive(Debug, Clone, PartialEq)]
pub enum SessionTrouble {
    /// It was not saved: its adapter did not come.
    NoAdapter(String),
    Adapter(Problem),
    /// The file is something else.
    NoSession {
        name: String,
    },
    /// A later version of the page wrote it.
    Later {
        name: String,
    },
    Damaged {
        name: String,
        detail: String,
    },
    /// It is open, but was saved with another model.
    OtherModel {
        name: String,
    },
}

/// Session files: what is under way, and what went wrong.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Session {
    saving: Option<Saving>,
    count: u32,
    pub trouble: Option<SessionTrouble>,
    /// The adapter of one that was opened, until the worker listens.
    import: Option<Arc<[u8]>>,
}

impl Session {
    /// Whether one is being saved.
    pub fn is_saving(&self) -> bool {
        self.saving.is_some()
    }
}

/// A text that was replaced; what a session replaced besides.
#[derive(Debug, Clone, PartialEq)]
struct Past {
    source: Source,
    settings: Option<PastSettings>,
}

/// What was set before a session was opened.
#[derive(Debug, Clone, PartialEq)]
struct PastSettings {
    /// As [`saved`] writes it.
    view: String,
    /// [`Choice::Nothing`] also where the one that is chosen was not there.
    adapter: Choice,
    blend: f32,
}

/// A bundled corpus that lies beside the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// On its way; the number tells it from one that was asked for earlier.
    Coming(Bundled, u32),
    /// It did not come; what was there stays.
    Failed { bundled: Bundled, detail: String },
}

/// Where else in the page there are sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Elsewhere {
    Compare,
    FineTune,
}

/// What the view shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Geometry {
    pub source: Source,
    /// Texts that were replaced, the latest last.
    undo: Vec<Past>,
    pub corpus: Held,
    pub arrival: Option<Arrival>,
    arrival_count: u32,
    /// A file that could not be read, by its name; the text that was there stays.
    pub trouble: Option<(String, ListError)>,
    typed_count: u32,
    looks: [Look; 2],
    figures: [Figure; 2],
    pub layered: Layered,
    pub export: Export,
    pub session: Session,
    pub map: Map,
}

impl Default for Geometry {
    fn default() -> Self {
        let look = |side| Look {
            side,
            pooling: Pooling::Cls,
            layer: None,
            treatment: Treatment::AsTheyAre,
        };
        // What the page brings with it can be read; a test holds us to it.
        let source = Bundled::Pairs.source().unwrap_or_default();
        let corpus = Corpus::read(&source).unwrap_or_default();
        Self {
            source,
            undo: Vec::new(),
            corpus: Held::default().followed_by(corpus),
            arrival: None,
            arrival_count: 0,
            trouble: None,
            typed_count: 0,
            looks: [look(Side::Before), look(Side::After)],
            figures: Default::default(),
            layered: Layered::default(),
            export: Export {
                plot: Plot::A,
                format: Format::Csv,
                standing: Standing::Nothing,
                retried: false,
                count: 0,
            },
            session: Session::default(),
            map: Map::default(),
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

    /// Whether a plot's vectors are there or on their way.
    pub fn can_have_vectors(&self, plot: Plot) -> bool {
        let figure = self.figure(plot);
        figure.measured.is_some() || figure.job.is_some()
    }

    /// Whether there is a text to go back to.
    pub fn can_undo(&self) -> bool {
        !self.undo.is_empty()
    }

    /// Whether an adapter's file is asked for, for a session.
    pub(super) fn awaits_adapter(&self, revision: Revision) -> bool {
        self.session.saving == Some(Saving::Asked(revision))
    }

    /// What was asked is lost with the worker that was asked.
    pub(super) fn forget_questions(&mut self) {
        for figure in &mut self.figures {
            figure.job = None;
            // Vectors that went with a worker are no fault of theirs.
            figure.measured.iter_mut().for_each(|measured| measured.is_anew = false);
        }
        self.map.forget_questions();
        self.layered.forget_questions();
        if matches!(self.export.standing, Standing::Asked(_)) {
            self.export.standing = Standing::Failed(Failure::Stopped);
        }
        if let Some(Saving::Asked(_)) = self.session.saving {
            self.session.saving = None;
        }
    }

    /// The worker does not have the vectors of that survey; whether they are to be computed again. Not
    /// twice in a row: then something else is wrong.
    fn lose(&mut self, survey: Revision) -> bool {
        // What is held cannot be computed again: its model may be gone.
        let free = self.figures.iter_mut().filter(|figure| figure.held.is_none());
        let all = free.filter_map(|figure| figure.measured.as_mut());
        let mut all = all.filter(|measured| measured.revision == survey);
        all.next().is_some_and(|measured| {
            measured.is_lost = !measured.is_anew;
            measured.is_lost
        })
    }

    /// The worker has the vectors of that survey.
    fn found(&mut self, survey: Revision) {
        let all = self.figures.iter_mut().filter_map(|figure| figure.measured.as_mut());
        for measured in all.filter(|measured| measured.revision == survey) {
            measured.is_anew = false;
        }
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
    /// What lies beside the page has come, or why not; the number is of its [`Arrival::Coming`].
    BundledArrived {
        number: u32,
        text: Result<String, String>,
    },
    /// The sentences of another view.
    TakenFrom(Elsewhere),
    /// What the columns of the table are; `None`: as they look.
    RolesChosen(Option<Roles>),
    /// Back to the text before.
    TextUndone,
    LookChosen(Plot, Look),
    /// `A` and `B` change places.
    Swapped,
    /// The view's address, copied.
    LinkCopied,
    ExportPlotChosen(Plot),
    ExportFormatChosen(Format),
    ExportAsked,
    /// So many pieces of the file are written; the number tells which file.
    ExportAdvanced {
        number: u32,
        done: usize,
    },
    ExportEnded {
        number: u32,
    },
    SessionSaved,
    /// The site's own adapter, for a session that is being saved.
    SessionAdapterCame {
        number: u32,
        bytes: Result<Arc<[u8]>, String>,
    },
    /// A file was picked to be opened as a session.
    SessionFileRead {
        name: String,
        text: Result<String, ListError>,
    },
    /// `true`: what was measured stays as it is, also when another model comes.
    Held(Plot, bool),
    Stopped(Plot),
    /// Asked for again what was stopped or failed.
    Resumed(Plot),
    Layers(LayersAction),
    Map(MapAction),
}

impl GeometryAction {
    /// Whether it changes what survives a reload.
    pub(in crate::state) fn changes_saved(&self) -> bool {
        match self {
            Self::Map(action) => action.changes_saved(),
            Self::ExportAdvanced { .. } | Self::ExportEnded { .. } | Self::LinkCopied => false,
            _ => true,
        }
    }
}
