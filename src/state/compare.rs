//! The Compare view: two sentences, many sentences, and what the worker said of them.

use crate::catalogue::examples;
use crate::protocol::Revision;
use crate::protocol::event::{Agreement, TokenisedText};
use crate::protocol::problem::Problem;
use crate::protocol::readout::{Lens, Pooling};
use crate::protocol::request::Window;
use crate::text::lists::{ListError, Reading, read_file, read_pasted};

/// Most sentences whose pairs are all looked at: 20,000 make 200 million pairs.
pub const MOST_SENTENCES: usize = 20_000;
/// Most pairs in one list.
pub const MOST_PAIRS: usize = 100_000;
/// How many earlier texts "undo" can bring back.
const UNDO_DEPTH: usize = 20;

/// What the visitor typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CompareText {
    pub first: String,
    pub second: String,
    pub list: String,
    /// Name of the file that the list came from: its ending tells how to read it.
    pub list_name: Option<String>,
}

/// The worker's answer about two sentences.
#[derive(Debug, Clone, PartialEq)]
pub struct PairResult {
    pub cosine: f32,
    pub first: TokenisedText,
    pub second: TokenisedText,
    /// `[first.pieces, second.pieces]`
    pub grid: Vec<f32>,
    /// For both sentences.
    pub latency_ms: f64,
}

/// One side's answer about two sentences, there or on its way.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PairSlot {
    pub(super) pending: Option<Revision>,
    /// What was asked for; `None` where those weights are not in use any more.
    pub(super) lens: Option<Lens>,
    pub pair: Option<PairResult>,
    pub problem: Option<Problem>,
}

/// What unrelated sentences score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Baseline {
    pub lens: Lens,
    pub mean: f32,
    pub low: f32,
    pub high: f32,
    pub pair_count: u32,
}

/// A long request that runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Job {
    pub revision: Revision,
    pub(super) lens: Lens,
    pub done: u32,
    pub total: u32,
    pub elapsed_ms: f64,
}

/// The worker's answer about a list.
#[derive(Debug, Clone, PartialEq)]
pub enum ListResult {
    Group(GroupResult),
    Pairs(PairsResult),
}

#[derive(Debug, Clone, PartialEq)]
pub struct GroupResult {
    /// The request's number: windows of the matrix are asked for by it.
    pub(super) revision: Revision,
    pub sentences: Vec<String>,
    pub truncated: Vec<u32>,
    pub nearest: Vec<(u32, u32, f32)>,
    pub pair_count: u64,
    pub mean_cosine: f32,
    pub window: Window,
    /// `[window.row_count, window.column_count]`
    pub cosines: Vec<f32>,
    pub latency_ms: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct PairsResult {
    pub pairs: Vec<(String, String)>,
    pub gold: Vec<f32>,
    pub cosines: Vec<f32>,
    pub truncated: Vec<u32>,
    pub agreement: Option<Agreement>,
    pub latency_ms: f64,
}

/// Why a list was not computed.
#[derive(Debug, Clone, PartialEq)]
pub enum ListTrouble {
    Worker(Problem),
    File {
        name: String,
        error: ListError,
    },
    TooLong {
        found: usize,
        limit: usize,
    },
    /// The worker died twice over it.
    Crashed,
}

/// State of the view.
#[derive(Debug, Clone, PartialEq)]
pub struct Compare {
    pub text: CompareText,
    pub(super) undo: Vec<CompareText>,
    pub pooling: Option<Pooling>,
    pub layer: Option<u16>,
    /// Of the side on show.
    pub shown: PairSlot,
    /// Of the other side, where an adapter is attached.
    pub other: PairSlot,
    pub baseline: Option<Baseline>,
    /// All that were measured with this model and adapter.
    pub(super) baselines: Vec<Baseline>,
    pub(super) baselines_pending: Vec<(Revision, Lens)>,
    /// How the list's text is understood.
    pub reading: Reading,
    pub(super) typed_count: u32,
    pub job: Option<Job>,
    /// The list's request that the visitor gave up, with how far it had come.
    pub cancelled: Option<Job>,
    pub(super) window_pending: Option<Revision>,
    pub result: Option<ListResult>,
    /// Which weights gave it; `None` where they are not in use any more.
    pub(super) result_lens: Option<Lens>,
    /// The same list, read otherwise: the switch brings it back at once.
    pub(super) stash: Option<(Lens, ListResult)>,
    pub trouble: Option<ListTrouble>,
    pub(super) crashes: u32,
}

impl Default for Compare {
    fn default() -> Self {
        let (first, second) = examples::PAIRS[0].sentences;
        let text =
            CompareText { first: first.into(), second: second.into(), ..CompareText::default() };
        Self {
            text,
            undo: Vec::new(),
            pooling: None,
            layer: None,
            shown: PairSlot::default(),
            other: PairSlot::default(),
            baseline: None,
            baselines: Vec::new(),
            baselines_pending: Vec::new(),
            reading: Reading::default(),
            typed_count: 0,
            job: None,
            cancelled: None,
            window_pending: None,
            result: None,
            result_lens: None,
            stash: None,
            trouble: None,
            crashes: 0,
        }
    }
}

impl Compare {
    /// Whether "undo" has something to bring back.
    pub fn can_undo(&self) -> bool {
        !self.undo.is_empty()
    }

    /// One of the two boxes is empty: there is nothing to compare.
    pub fn lacks_sentence(&self) -> bool {
        self.text.first.trim().is_empty() || self.text.second.trim().is_empty()
    }

    /// The number shown belongs to the sentences shown.
    pub fn pair_is_current(&self) -> bool {
        self.shown.pair.is_some() && self.shown.pending.is_none()
    }

    /// The slot that waits for an answer of that number.
    pub(super) fn slot_waiting_for(&mut self, revision: Revision) -> Option<&mut PairSlot> {
        let slots = [&mut self.shown, &mut self.other];
        slots.into_iter().find(|slot| slot.pending == Some(revision))
    }

    /// The other side is on show now.
    pub(super) fn swap_sides(&mut self) {
        std::mem::swap(&mut self.shown, &mut self.other);
    }

    /// Both sides have other weights now, or none. The number on show stays until there is another.
    pub(super) fn forget_sides(&mut self) {
        self.shown.pending = None;
        self.shown.lens = None;
        self.other = PairSlot::default();
        self.baseline = None;
        self.baselines.clear();
        self.baselines_pending.clear();
        self.result_lens = None;
        self.stash = None;
    }

    /// The list's text is another one, or cannot be computed.
    pub(super) fn drop_result(&mut self) {
        self.result = None;
        self.result_lens = None;
        self.stash = None;
    }

    /// Takes a list's result: on show where it was read as `shown`, else for the switch.
    pub(super) fn take_result(&mut self, lens: Lens, result: ListResult, shown: Option<Lens>) {
        if shown != Some(lens) {
            self.stash = Some((lens, result));
            return;
        }
        let old = self.result.replace(result);
        if let (Some(old), Some(old_lens)) = (old, self.result_lens.replace(lens))
            && old_lens != lens
        {
            self.stash = Some((old_lens, old));
        }
    }

    /// Brings back what is known of the list as `lens` reads it; `false` where nothing is.
    pub(super) fn bring_back(&mut self, lens: Lens) -> bool {
        let Some((_, result)) = self.stash.take_if(|(of, _)| *of == lens) else { return false };
        self.take_result(lens, result, Some(lens));
        true
    }

    pub(super) fn remember(&mut self) {
        if self.undo.last() == Some(&self.text) {
            return;
        }
        self.undo.push(self.text.clone());
        let excess = self.undo.len().saturating_sub(UNDO_DEPTH);
        self.undo.drain(..excess);
    }

    /// Reads the list's text again; a file's ending counts as long as its text is there.
    pub(super) fn read_list(&mut self) {
        if self.text.list.trim().is_empty() {
            self.text.list_name = None;
        }
        let reading = match &self.text.list_name {
            Some(name) => read_file(name, self.text.list.as_bytes()),
            None => Ok(read_pasted(&self.text.list)),
        };
        match reading {
            Ok(reading) => {
                self.reading = reading;
                self.trouble = None;
            }
            Err(error) => {
                // An older reading would be taken for this text's.
                self.reading = Reading::default();
                let name = self.text.list_name.clone().unwrap_or_default();
                self.trouble = Some(ListTrouble::File { name, error });
            }
        }
    }
}
