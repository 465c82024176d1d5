//! The Search view: corpora, and what is looked for in one of them.
//!
//! The worker has the corpora; the page has summaries, the hits of the last query, and what the visitor
//! chose. [`ask`] says what the view lacks; it is called after everything that may have changed that.

pub(in crate::state) mod ask;
mod bring;
pub(in crate::state) mod events;
mod export;
pub mod marks;
pub(in crate::state) mod saved;
pub(in crate::state) mod update;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::files::Format;
use crate::protocol::Revision;
use crate::protocol::problem::Problem;
use crate::protocol::readout::Lens;
use crate::protocol::search::{
    CorpusId, CorpusSummary, Cut, Filter, Glow, Hit, Hits, Ingredient, Intake, Preview, Query,
    Ranking, RowSet,
};

/// Passages of a page of browsing.
pub const PAGE: u16 = 20;
/// Hits that are drawn at most.
pub const MOST_HITS: u16 = 200;
/// Hits whose words glow.
pub(super) const GLOWING: usize = 12;

/// A corpus that is being brought in.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    revision: Revision,
    pub intake: Intake,
    pub name: String,
    pub stage: Stage,
    /// Kept as soon as it is read: the sample.
    is_sample: bool,
}

/// How far a draft is.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    Reading { done_bytes: u64, total_bytes: u64 },
    Ready(Box<Preview>),
    Failed(Problem),
}

/// Passages that are given vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct Indexing {
    revision: Revision,
    pub corpus: CorpusId,
    pub lens: Lens,
    pub done: u32,
    pub total: u32,
    pub resumed: u32,
    pub elapsed_ms: f64,
}

impl Indexing {
    /// Sentences a second so far.
    pub fn per_s(&self) -> Option<f64> {
        let new = f64::from(self.done.saturating_sub(self.resumed));
        (self.elapsed_ms > 300.0 && new > 0.0).then(|| new * 1e3 / self.elapsed_ms)
    }
}

/// A part of a query beside its text, with the words that the page shows for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub ingredient: Ingredient,
    pub label: String,
    /// `false`: the hits are to be unlike it.
    pub is_like: bool,
}

/// What the visitor looks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    pub text: String,
    pub parts: Vec<Part>,
    pub ranking: Ranking,
    pub count: u16,
    pub least_cosine: Option<f32>,
    /// At most one a column.
    pub filters: Vec<Filter>,
    /// Keywords in a column of their own.
    pub is_beside: bool,
}

impl Default for Form {
    fn default() -> Self {
        Self {
            text: String::new(),
            parts: Vec::new(),
            ranking: Ranking::default(),
            count: 20,
            least_cosine: None,
            filters: Vec::new(),
            is_beside: false,
        }
    }
}

impl Form {
    /// Whether nothing is looked for.
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty() && !self.parts.iter().any(|part| part.is_like)
    }
}

/// What a query found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub query: Query,
    pub hits: Hits,
}

/// A list of hits, and the question it waits for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct List {
    pub found: Option<Found>,
    pending: Option<(Revision, Query)>,
}

/// Passages in their order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Browse {
    pub from: u32,
    pub total: u32,
    pub passages: Vec<Hit>,
    /// Of which corpus, behind which filters, from where.
    of: Option<(CorpusId, Vec<Filter>, u32)>,
    pending: Option<Revision>,
}

/// What the corpus's texts or vectors are wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    Compare,
    Geometry,
    FineTune,
    File(Format),
}

/// A corpus's texts or vectors on their way to somewhere else.
#[derive(Debug, Clone, PartialEq)]
struct Errand {
    revision: Revision,
    wanted: Wanted,
    /// For a file: they come first.
    passages: Option<Vec<String>>,
    lens: Option<Lens>,
}

/// Whether the sample was brought in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Sample {
    #[default]
    Untouched,
    Done,
}

/// What the view shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Search {
    /// Draws the numbers of new corpora.
    seed: u64,
    drawn: u64,
    /// The box for pasting.
    pub pasted: String,
    pub draft: Option<Draft>,
    /// `None`: not heard of yet.
    pub shelf: Option<Vec<CorpusSummary>>,
    pub usage: Option<(u64, u64)>,
    shelf_asked: Option<Revision>,
    pub open: Option<CorpusId>,
    pub indexing: Option<Indexing>,
    /// Corpora that the visitor paused, or has not allowed to be embedded anew.
    paused: Vec<CorpusId>,
    /// Corpora for which the visitor allowed another set of vectors in this visit.
    allowed: Vec<CorpusId>,
    /// Corpora that are to be embedded before and after, to see how rankings move.
    both_wanted: Vec<CorpusId>,
    /// What the shelf says of vectors is of other weights than those in use now.
    is_stale: bool,
    /// Vectors a second, as the last indexing had it.
    pub rate: Option<f64>,
    pub form: Form,
    typed_count: u32,
    /// The text that is asked, after a pause.
    settled: String,
    pub list: List,
    pub beside: List,
    pub glows: BTreeMap<u32, Glow>,
    glow_asked: Option<(Revision, Query)>,
    glowed: Option<Query>,
    pub browse: Browse,
    pub trouble: Option<Problem>,
    /// The store refused something of these.
    pub not_kept: Vec<CorpusId>,
    /// The corpus whose deletion waits for a second word.
    pub deleting: Option<CorpusId>,
    errand: Option<Errand>,
    sample: Sample,
    export_count: u32,
}

/// Whether the open corpus has the vectors that the view reads.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// There is no model yet.
    NoModel,
    Complete,
    Indexing(Indexing),
    /// So many of the passages have vectors; it goes on when the visitor wants.
    Paused {
        done: u32,
        total: u32,
    },
    /// Other weights, or another readout, made the vectors: all are to be made anew.
    Anew {
        total: u32,
    },
    /// It begins by itself.
    Waiting,
}

impl Search {
    /// The corpus on show.
    pub fn corpus(&self) -> Option<&CorpusSummary> {
        let open = self.open?;
        self.shelf.as_ref()?.iter().find(|corpus| corpus.corpus == open)
    }

    /// Whether the open corpus has vectors for this lens.
    pub fn standing(&self, lens: Option<Lens>) -> Option<Standing> {
        let corpus = self.corpus()?;
        let Some(lens) = lens else { return Some(Standing::NoModel) };
        let running = self.indexing.as_ref();
        if let Some(indexing) = running.filter(|it| it.corpus == corpus.corpus && it.lens == lens) {
            return Some(Standing::Indexing(indexing.clone()));
        }
        let fitting = corpus.row_sets.iter().find(|set| fits(set, lens));
        let (done, total) = (fitting.map_or(0, |set| set.done), corpus.passages);
        let is_allowed = self.allowed.contains(&corpus.corpus) || corpus.is_soon_done(lens);
        Some(if fitting.is_some() && done >= total {
            Standing::Complete
        } else if self.is_stale || self.shelf_asked.is_some() {
            Standing::Waiting
        } else if fitting.is_none() && !corpus.row_sets.is_empty() && !is_allowed {
            Standing::Anew { total }
        } else if self.paused.contains(&corpus.corpus) {
            Standing::Paused { done, total }
        } else {
            Standing::Waiting
        })
    }

    /// Whether a question is on its way.
    pub fn is_asking(&self) -> bool {
        self.list.pending.is_some()
    }

    /// Whether texts or vectors are on their way to somewhere else.
    pub fn is_sending(&self) -> bool {
        self.errand.is_some()
    }

    /// A number for a new corpus, unlike those of other visits and tabs.
    fn draw(&mut self) -> CorpusId {
        self.drawn += 1;
        // SplitMix64 (Steele, Lea & Flood, OOPSLA 2014).
        let mut mixed = self.seed.wrapping_add(self.drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        CorpusId(mixed ^ (mixed >> 31))
    }

    /// Other weights are in use: whose vectors fit has to be heard anew.
    pub(super) fn outdate_fits(&mut self) {
        self.is_stale = self.shelf.is_some() || self.shelf_asked.is_some();
    }

    /// What was asked is lost with the worker that was asked, and so is what only it had.
    pub(super) fn forget_questions(&mut self) {
        self.shelf_asked = None;
        self.shelf = None;
        self.indexing = None;
        self.list.pending = None;
        self.beside.pending = None;
        self.glow_asked = None;
        self.browse = Browse::default();
        self.errand = None;
        self.draft = None;
    }
}

/// The column that a condition is about.
pub fn column_of(filter: &Filter) -> u16 {
    match filter {
        Filter::OneOf { column, .. }
        | Filter::Between { column, .. }
        | Filter::Contains { column, .. } => *column,
    }
}

/// Passages that are embedded before one has read that they have to be.
pub(in crate::state) const FEW: u32 = 2_000;

impl CorpusSummary {
    /// Whether other vectors are there in a moment: of few passages, by the same model.
    fn is_soon_done(&self, lens: Lens) -> bool {
        let is_same_model = self.row_sets.iter().any(|set| set.fits.is_some_and(|it| it != lens));
        self.passages <= FEW && is_same_model
    }

    /// Whether all passages have vectors for this lens.
    pub(super) fn is_complete(&self, lens: Lens) -> bool {
        self.row_sets.iter().any(|set| fits(set, lens) && set.done >= self.passages)
    }
}

/// Whether a set of vectors is what this lens shows.
fn fits(set: &RowSet, lens: Lens) -> bool {
    set.fits == Some(lens)
}

/// What a corpus is made of.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    /// A file, which the effects layer holds.
    File {
        name: String,
    },
    Pasted,
    /// The bundled one.
    Sample,
}

/// How hits are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HitsFormat {
    Csv,
    Json,
}

/// What happens in the view.
#[derive(Debug, Clone, PartialEq)]
pub enum SearchAction {
    /// The view is drawn; a random number.
    Entered(u64),
    PasteTyped(String),
    /// What is pasted, or the file that was picked, is to be read.
    Brought(Origin),
    /// It did not come.
    BringingFailed {
        revision: Revision,
        detail: String,
    },
    CutChosen(Cut),
    ColumnChosen(u16),
    RepeatsChosen(bool),
    NameTyped(String),
    /// The draft becomes a corpus.
    Kept,
    /// The draft is dropped; what was pasted stays in its box.
    Dropped,
    Opened(CorpusId),
    Renamed(CorpusId, String),
    DeletionAsked(Option<CorpusId>),
    Deleted(CorpusId),
    Paused,
    Resumed,
    /// The other side is to have vectors, too.
    BothWanted,
    QueryTyped(String),
    /// The pause after typing is over; the number tells whether typing went on.
    QuerySettled(u32),
    RankingChosen(Ranking),
    BesideChosen(bool),
    CountChosen(u16),
    LeastChosen(Option<f32>),
    /// A passage as it stands, or a text of the visitor's.
    PartAdded(Part),
    PartRemoved(usize),
    /// In place of the column's condition; `None`: none.
    FilterChosen(u16, Option<Filter>),
    FiltersCleared,
    Cleared,
    Browsed(u32),
    /// The pause after new hits is over.
    GlowDue(u32),
    PassageCopied(String),
    HitsSaved(HitsFormat),
    Sent(Wanted),
    TroubleDismissed,
}

impl SearchAction {
    /// Whether it changes what survives a reload.
    pub(in crate::state) fn changes_saved(&self) -> bool {
        !matches!(
            self,
            Self::Entered(_)
                | Self::QuerySettled(_)
                | Self::GlowDue(_)
                | Self::PassageCopied(_)
                | Self::HitsSaved(_)
                | Self::BringingFailed { .. }
        )
    }
}
