//! What the library needs an encoder for: vectors of passages, of a query, of a passage's words.

use crate::protocol::Revision;
use crate::protocol::readout::Lens;
use crate::protocol::search::{CorpusId, Query};

/// Sentences to embed, and what for.
#[derive(Debug, Clone, PartialEq)]
pub struct Errand {
    pub revision: Revision,
    pub lens: Lens,
    pub texts: Vec<String>,
    pub purpose: Purpose,
}

/// What vectors are for.
#[derive(Debug, Clone, PartialEq)]
pub enum Purpose {
    /// They are the passages' from `first` on.
    Passages { corpus: CorpusId, first: u32 },
    /// They are of the query's text, what it is also to be like, what it is to be unlike.
    Query(Box<Query>),
    /// They are of a query, as above, and of these passages with their tokens.
    Glow { query: Box<Query>, positions: Vec<u32> },
}
