//! Everything the page can ask of the worker.

use serde::{Deserialize, Serialize};

use crate::protocol::Revision;
use crate::protocol::readout::Readout;

/// Where a model comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ModelSource {
    /// A file of our own site. It is kept in the browser's store under its hash.
    Hosted {
        name: String,
        /// Absolute, or relative to the page.
        url: String,
        size_bytes: u64,
        /// Lower-case hexadecimal; what arrives is checked against it. Empty: not checked, not stored.
        sha256: String,
    },
    /// A file the visitor picked; its bytes travel beside the request.
    Picked { name: String },
}

/// Everything the page can ask of the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// Fetch or read a model and make it the current one. Until it is ready, and if it fails, the
    /// last good model stays. Answered by `Event::Loading`*, then `Opened`, `LoadingStopped` or
    /// `Failed`.
    Open { revision: Revision, source: ModelSource },
    /// Stop the download that runs; what has arrived is kept, and the next `Open` resumes there.
    StopLoading,
    /// Remove a stored model from the browser's store.
    Forget { sha256: String },
    /// Compare two sentences. A newer `Pair` supersedes an older one that has not started.
    /// Answered by `Event::Pair`.
    Pair { revision: Revision, first: String, second: String, readout: Readout },
    /// Embed sentences, find the nearest pairs and the first window of their cosine matrix.
    /// A newer `Group` supersedes an older one. Answered by `Progress`*, `Event::Group`.
    Group { revision: Revision, sentences: Vec<String>, readout: Readout },
    /// Another window of the cosine matrix of the group that the request `group` embedded; only
    /// the last one is kept. Answered by `Event::GroupWindow`.
    GroupWindow { revision: Revision, group: Revision, window: Window },
    /// Cosine of every pair, and the rank correlation where gold scores are given.
    /// `gold` is empty or one score a pair. Answered by `Progress`*, `Event::Pairs`.
    Pairs { revision: Revision, pairs: Vec<(String, String)>, gold: Vec<f32>, readout: Readout },
    /// What unrelated sentences score with this model and readout: statistics over the cosines of
    /// all distinct pairs. Answered by `Event::Baseline`.
    Baseline { revision: Revision, sentences: Vec<String>, readout: Readout },
    /// Rows for the sentences, in the given order. Answered by `Progress`*, `Event::Embedded`.
    Embed { revision: Revision, sentences: Vec<String>, readout: Readout },
    /// Give up the request of that number; answered by `Event::Cancelled` if it was still known.
    Cancel { revision: Revision },
}

/// Side of the window that comes with a group, and that the page shows at once: beyond it the cells
/// would have no room for their numbers.
pub const WINDOW_SIDE: u32 = 24;

/// A rectangle of the cosine matrix: `row_count` x `column_count` from (`row`, `column`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Window {
    pub row: u32,
    pub row_count: u32,
    pub column: u32,
    pub column_count: u32,
}
