//! How far a corpus is that is given vectors.

use std::collections::BTreeMap;

use web_time::Instant;

use crate::engine::answers::milliseconds;
use crate::protocol::Revision;
use crate::protocol::readout::Lens;
use crate::protocol::search::{Answer, CorpusId, Embedder};

/// Passages of a portion, and portions under way: enough for many workers.
pub(super) const PORTION: u32 = 128;
pub(super) const UNDER_WAY: usize = 6;

/// A corpus that is given vectors.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) revision: Revision,
    pub(super) corpus: CorpusId,
    pub(super) lens: Lens,
    pub(super) embedder: Embedder,
    /// The first passage that is in no portion yet.
    pub(super) next: u32,
    pub(super) total: u32,
    pub(super) resumed: u32,
    pub(super) begun: Instant,
    pub(super) told: Instant,
    /// Portions under way, by their first passage: how many of each have vectors.
    pub(super) under_way: BTreeMap<u32, usize>,
    /// Portions that came before an earlier one.
    pub(super) early: BTreeMap<u32, Vec<f32>>,
}

impl Run {
    /// How far it is, `done` of the passages being in their place.
    pub(super) fn indexing(&self, done: u32) -> Answer {
        let early: usize = self.early.keys().map(|first| self.length(*first)).sum();
        let partly: usize = self.under_way.values().sum();
        Answer::Indexing {
            corpus: self.corpus,
            lens: self.lens,
            done: done.saturating_add(narrow(early + partly)).min(self.total),
            total: self.total,
            resumed: self.resumed,
            elapsed_ms: milliseconds(self.begun),
        }
    }

    fn length(&self, first: u32) -> usize {
        (self.total.min(first + PORTION) - first.min(self.total)) as usize
    }
}

/// A count as the protocol has it.
pub(super) fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
