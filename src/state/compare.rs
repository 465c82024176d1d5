//! The Compare view: two sentences, many sentences, and what the worker said of them.

use crate::catalogue::examples;
use crate::protocol::Revision;
use crate::protocol::event::{Agreement, TokenisedText};
use crate::protocol::problem::Problem;
use crate::protocol::readout::{Pooling, Readout};
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

/// What unrelated sentences score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Baseline {
    pub readout: Readout,
    pub mean: f32,
    pub low: f32,
    pub high: f32,
    pub pair_count: u32,
}

/// A long request that runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Job {
    pub revision: Revision,
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
    pub(super) pair_pending: Option<Revision>,
    pub pair: Option<PairResult>,
    pub pair_problem: Option<Problem>,
    pub(super) baseline_pending: Option<(Revision, Readout)>,
    pub baseline: Option<Baseline>,
    /// How the list's text is understood.
    pub reading: Reading,
    pub(super) typed_count: u32,
    pub job: Option<Job>,
    /// The list's request that the visitor gave up, with how far it had come.
    pub cancelled: Option<Job>,
    pub(super) window_pending: Option<Revision>,
    pub result: Option<ListResult>,
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
            pair_pending: None,
            pair: None,
            pair_problem: None,
            baseline_pending: None,
            baseline: None,
            reading: Reading::default(),
            typed_count: 0,
            job: None,
            cancelled: None,
            window_pending: None,
            result: None,
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

    /// The readout in use, given what the model asks for.
    pub fn readout(&self, model_pooling: Pooling) -> Readout {
        Readout { pooling: self.pooling.unwrap_or(model_pooling), layer: self.layer }
    }

    /// One of the two boxes is empty: there is nothing to compare.
    pub fn lacks_sentence(&self) -> bool {
        self.text.first.trim().is_empty() || self.text.second.trim().is_empty()
    }

    /// The number shown belongs to the sentences shown.
    pub fn pair_is_current(&self) -> bool {
        self.pair.is_some() && self.pair_pending.is_none()
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
