//! The fine-tune view: sentences, recipe, the run's life, what was measured, checkpoints.
//!
//! *Invariant:* what was trained is not lost by anything but starting two more fine-tunes: the
//! page holds the checkpoints' adapters, and the latest one lies in the browser's store.

pub mod draft;
pub mod events;
pub mod field;
pub mod finding;
pub mod material;
pub mod plan;
pub mod run;
pub mod saved;
pub mod training;
pub mod update;

#[cfg(test)]
mod tests;

use crate::catalogue::examples;
use crate::catalogue::sentences::EVERYDAY;
use crate::protocol::Revision;
use crate::state::fine_tune::draft::{Draft, FieldTrouble, Preset};
use crate::state::fine_tune::field::Field;
use crate::state::fine_tune::material::{
    FEWEST_EXAMPLES, Material, ProbeChoice, Warning, warnings,
};
use crate::state::fine_tune::run::{Keep, Run};
use crate::text::lists::ListError;

/// What the visitor gave to learn from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub text: String,
    /// The file it came from.
    pub name: Option<String>,
}

impl Default for Source {
    fn default() -> Self {
        Self { text: EVERYDAY.to_owned(), name: None }
    }
}

/// What the fine-tune view shows.
#[derive(Debug, Clone, PartialEq)]
pub struct FineTune {
    pub source: Source,
    /// Texts that were replaced, the latest last.
    pub(super) undo: Vec<Source>,
    pub material: Material,
    /// A file that could not be read, by its name; the text that was there stays.
    pub trouble: Option<(String, ListError)>,
    pub(super) typed_count: u32,
    /// The text that [`Self::material`] was read from, by that count.
    read_count: u32,
    /// The text was changed after the fine-tune that runs had begun.
    pub(super) is_edited: bool,
    pub draft: Draft,
    /// Pairs whose cosines the visitor follows.
    pub pins: Vec<(String, String)>,
    /// `None`: the visitor's own sentences where they are enough.
    pub probe: Option<ProbeChoice>,
    /// The held-out test is the visitor's own scored pairs, where there are any.
    pub own_scores: bool,
    /// Every checkpoint goes to the rest of the page as soon as it is there.
    pub use_live: bool,
    pub run: Option<Run>,
    /// The fine-tune before this one.
    pub previous: Option<Box<Run>>,
    /// What lies in the browser's store, so that a reload loses nothing.
    pub kept: Option<Keep>,
    /// The browser's store did not take it.
    pub keep_refused: bool,
    /// On its way to the store.
    pub(super) keeping: Option<(Revision, Keep)>,
    /// A checkpoint of this step is on its way to the rest of the page.
    pub(super) attaching: Option<(Revision, u32)>,
    /// On its way from the store.
    pub(super) fetching: Option<(Revision, Fetch)>,
}

/// Why training cannot begin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Obstacle {
    /// Fewer different examples than [`FEWEST_EXAMPLES`].
    TooFew {
        found: usize,
    },
    Setting(Field, FieldTrouble),
}

/// What a kept adapter is fetched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetch {
    GoOn,
    Export,
}

/// Pairs to follow that come with the page: two sentences that mean the same, and two that have
/// nothing in common.
fn telling_pairs() -> Vec<(String, String)> {
    [examples::PAIRS.first(), examples::PAIRS.last()]
        .into_iter()
        .flatten()
        .map(|example| (example.sentences.0.to_owned(), example.sentences.1.to_owned()))
        .collect()
}

impl Default for FineTune {
    fn default() -> Self {
        let source = Source::default();
        let material = Material::read(&source.text, None).unwrap_or_default();
        Self {
            draft: Draft::for_amount(material.examples.len()),
            material,
            source,
            undo: Vec::new(),
            trouble: None,
            typed_count: 0,
            read_count: 0,
            is_edited: false,
            pins: telling_pairs(),
            probe: None,
            own_scores: false,
            use_live: false,
            run: None,
            previous: None,
            kept: None,
            keep_refused: false,
            keeping: None,
            attaching: None,
            fetching: None,
        }
    }
}

impl FineTune {
    /// Whether a replaced text can be brought back.
    pub fn can_undo(&self) -> bool {
        !self.undo.is_empty()
    }

    /// Whether the text is the bundled collection.
    pub fn is_bundled(&self) -> bool {
        self.source.text == EVERYDAY
    }

    /// What the visitor should know before training.
    pub fn warnings(&self) -> Vec<Warning> {
        warnings(&self.material, &self.draft.recipe)
    }

    /// Which sentences are measured.
    pub fn probe(&self) -> ProbeChoice {
        self.probe.unwrap_or_else(|| self.material.advised_probe())
    }

    /// A fine-tune that is not over.
    pub fn live_run(&self) -> Option<&Run> {
        self.run.as_ref().filter(|run| run.phase.is_live())
    }

    /// Whether the fine-tune that runs learns from another text than the one that is shown.
    pub fn trains_on_older_text(&self) -> bool {
        self.is_edited && self.live_run().is_some()
    }

    /// What holds a fine-tune back that no other one is in the way of.
    pub fn obstacle(&self) -> Option<Obstacle> {
        let found = self.material.distinct_examples();
        if found < FEWEST_EXAMPLES {
            return Some(Obstacle::TooFew { found });
        }
        self.draft.first_trouble().map(|(field, trouble)| Obstacle::Setting(field, trouble))
    }

    /// Whether a fine-tune can be started.
    pub fn can_start(&self) -> bool {
        self.live_run().is_none() && self.draft.is_ready() && self.obstacle().is_none()
    }

    /// Whether a fine-tune that a reload interrupted can go on: with its own recipe, on these examples.
    pub fn can_go_on(&self) -> bool {
        self.live_run().is_none() && self.material.distinct_examples() >= FEWEST_EXAMPLES
    }

    /// Whether an answer of the main worker belongs to this view.
    pub(super) fn awaits(&self, revision: Option<Revision>) -> bool {
        let keeping = self.keeping.as_ref().map(|(revision, _)| *revision);
        let fetching = self.fetching.map(|(revision, _)| revision);
        revision.is_some() && (revision == keeping || revision == fetching)
    }

    fn remember(&mut self) {
        const MOST: usize = 5;
        self.undo.push(self.source.clone());
        if self.undo.len() > MOST {
            self.undo.remove(0);
        }
    }
}

/// Which sentence of a pinned pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    First,
    Second,
}

/// What the visitor does in the fine-tune view.
#[derive(Debug, Clone, PartialEq)]
pub enum FineTuneAction {
    Typed(String),
    /// The pause after typing is over; the number tells whether typing went on.
    Settled(u32),
    FileRead {
        name: String,
        text: Result<String, ListError>,
    },
    BundledChosen,
    TextUndone,
    FieldTyped(Field, String),
    FieldReset(Field),
    PresetChosen(Preset),
    PinTyped {
        place: usize,
        half: Half,
        text: String,
    },
    PinAdded,
    PinRemoved(usize),
    ProbeChosen(ProbeChoice),
    OwnScoresChosen(bool),
    UseLiveChosen(bool),
    Started,
    Paused,
    Resumed,
    Stopped,
    /// Undo to the checkpoint of a step while training; afterwards it is merely chosen.
    CheckpointChosen(u32),
    /// The chosen checkpoint goes to the rest of the page.
    Used,
    /// The chosen checkpoint as a file.
    Exported,
    /// A new fine-tune begins where the chosen checkpoint ended.
    TrainedFurther,
    /// This fine-tune and the one before change places.
    RunsSwapped,
    /// What an earlier visit trained.
    KeptFetched(Fetch),
    KeptUsed,
    KeptForgotten,
}
