//! The whole state of the page.

use crate::catalogue::language::Language;
use crate::protocol::Revision;
use crate::protocol::event::{ModelSummary, StoreOutcome};
use crate::protocol::models::{Pull, Wish};
use crate::protocol::readout::{Lens, Pooling, Readout, Side};
use crate::state::adapters::Adapters;
use crate::state::compare::Compare;
use crate::state::fine_tune::FineTune;
use crate::state::geometry::{Elsewhere, Geometry};
use crate::state::gpu::Gpu;
use crate::state::lesson::Lesson;
use crate::state::loading::{Interrupted, Loading};
use crate::state::models::{HostedModel, hosted};
use crate::state::notice::{Notice, NoticeContent};
use crate::state::route::View;
use crate::state::search::Search;
use crate::state::settings::Theme;
use crate::state::shelf::ModelShelf;
use crate::state::trainer::Trainer;

/// The worker, as the page knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Worker {
    /// Messages sent now would be lost.
    #[default]
    Starting,
    Ready,
    /// It died too often; the visitor decides.
    Stopped,
}

/// Which model the visitor wants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Wanted {
    /// The first of the site's own.
    #[default]
    Default,
    /// A file from disk, which the effects layer holds for this visit.
    Picked { name: String, size_bytes: u64 },
    /// One in the browser's store.
    Kept { name: String, sha256: String, size_bytes: u64 },
    /// A repository of a hub, until it is here.
    Pulled { pull: Pull },
    /// A checkpoint's files from disk, which the effects layer holds, until they are read.
    Files { name: String, size_bytes: u64, wish: Wish },
}

impl Wanted {
    /// The model in use, from the browser's store.
    pub(super) fn kept(model: &ModelSummary) -> Self {
        let (name, sha256) = (model.name.clone(), model.sha256.clone());
        Self::Kept { name, sha256, size_bytes: model.size_bytes }
    }
}

/// The whole state of the page.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    pub language: Language,
    /// The visitor chose it; otherwise it follows the browser.
    pub language_chosen: bool,
    pub theme: Theme,
    pub system_dark: bool,
    pub view: View,
    pub worker: Worker,
    /// How many workers compute for the page's one, itself included, while a long request runs.
    pub computing_workers: u16,
    /// When the worker died, for giving up after too many deaths.
    pub(super) deaths_ms: Vec<f64>,
    pub hosted: Vec<HostedModel>,
    pub wanted: Wanted,
    pub model: Option<ModelSummary>,
    pub loading: Option<Loading>,
    pub interrupted: Option<Interrupted>,
    pub store: Option<StoreOutcome>,
    pub shelf: ModelShelf,
    /// A program makes the wanted model.
    pub(super) is_pulling: bool,
    pub compare: Compare,
    pub adapters: Adapters,
    pub trainer: Trainer,
    pub gpu: Gpu,
    pub fine_tune: FineTune,
    pub geometry: Geometry,
    pub search: Search,
    pub lesson: Lesson,
    pub notices: Vec<Notice>,
    pub(super) next_notice: u32,
    pub(super) next_revision: Revision,
    pub(super) save_count: u32,
    pub(super) save_refusal_said: bool,
}

impl Default for State {
    fn default() -> Self {
        Self {
            language: Language::default(),
            language_chosen: false,
            theme: Theme::default(),
            system_dark: false,
            view: View::default(),
            worker: Worker::default(),
            computing_workers: 1,
            deaths_ms: Vec::new(),
            hosted: hosted(),
            wanted: Wanted::default(),
            model: None,
            loading: None,
            interrupted: None,
            store: None,
            shelf: ModelShelf::default(),
            is_pulling: false,
            compare: Compare::default(),
            adapters: Adapters::default(),
            trainer: Trainer::default(),
            gpu: Gpu::default(),
            fine_tune: FineTune::default(),
            geometry: Geometry::default(),
            search: Search::default(),
            lesson: Lesson::default(),
            notices: Vec::new(),
            next_notice: 0,
            next_revision: 0,
            save_count: 0,
            save_refusal_said: false,
        }
    }
}

impl State {
    /// Whether the page is drawn dark.
    pub fn is_dark(&self) -> bool {
        match self.theme {
            Theme::System => self.system_dark,
            Theme::Light => false,
            Theme::Dark => true,
        }
    }

    /// Whether a model is there and the worker listens.
    pub fn can_compute(&self) -> bool {
        self.model.is_some() && self.worker == Worker::Ready
    }

    /// Works out the side on show; what is known of it takes the other one's place.
    pub(super) fn settle_side(&mut self) {
        let before = self.adapters.side;
        self.adapters.settle();
        if self.adapters.side != before {
            self.compare.swap_sides();
        }
    }

    /// Which weights every view reads, and how; `None` without a model.
    pub fn lens(&self) -> Option<Lens> {
        self.lens_of(self.adapters.side)
    }

    /// How a side is read.
    pub fn lens_of(&self, side: Side) -> Option<Lens> {
        let pooling = self.compare.pooling.or(self.best_pooling(side))?;
        Some(Lens { side, readout: Readout { pooling, layer: self.compare.layer } })
    }

    /// The readout that scores best on a side, as far as model and adapter say.
    pub fn best_pooling(&self, side: Side) -> Option<Pooling> {
        let model = self.model.as_ref()?;
        Some(self.adapters.pooling(side).unwrap_or(model.pooling))
    }

    /// Layers of a side's model; 0 without a model.
    pub fn layers_of(&self, side: Side) -> u16 {
        match (side, self.adapters.model()) {
            (Side::After, Some((_, known))) => known.layers,
            _ => self.model.as_ref().map_or(0, |model| model.layers),
        }
    }

    /// Layers that can be read on both sides; 0 without a model.
    pub fn common_layers(&self) -> u16 {
        self.layers_of(Side::Before).min(self.layers_of(Side::After))
    }

    /// Names of the model in use and of the one beside it, told apart by their number formats where
    /// they are the same.
    pub fn names_of_two(&self) -> Option<[String; 2]> {
        let (model, (other, known)) = (self.model.as_ref()?, self.adapters.model()?);
        Some(if model.name == other.name {
            [&model.quantisation, &known.quantisation].map(|it| format!("{} {it}", model.name))
        } else {
            [model.name.clone(), other.name.clone()]
        })
    }

    /// Whether another view has sentences for the geometry lab.
    pub fn has_sentences(&self, elsewhere: Elsewhere) -> bool {
        !self.sentences_of(elsewhere).0.trim().is_empty()
    }

    /// Another view's text, and the file that it came from.
    pub(super) fn sentences_of(&self, elsewhere: Elsewhere) -> (&str, Option<&String>) {
        match elsewhere {
            Elsewhere::Compare => (&self.compare.text.list, self.compare.text.list_name.as_ref()),
            Elsewhere::FineTune => {
                (&self.fine_tune.source.text, self.fine_tune.source.name.as_ref())
            }
        }
    }

    pub(super) fn revision(&mut self) -> Revision {
        self.next_revision += 1;
        self.next_revision
    }

    /// Shows a notice and gives its number; the same one is not shown twice, and a problem takes the
    /// place of the problem before it.
    pub(super) fn notify(&mut self, content: NoticeContent) -> u32 {
        let is_problem = |content: &NoticeContent| matches!(content, NoticeContent::Problem { .. });
        self.notices.retain(|notice| {
            notice.content != content && !(is_problem(&content) && is_problem(&notice.content))
        });
        self.next_notice += 1;
        self.notices.push(Notice { id: self.next_notice, content });
        self.next_notice
    }
}
