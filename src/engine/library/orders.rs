//! What the library wants of a store, and what comes of it: the engine has none. A door carries the
//! orders out, one after another.

use serde::{Deserialize, Serialize};

use crate::protocol::search::{Column, CorpusId, Embedder};

/// Something to do in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreOrder {
    /// A whole file, in place of what was there. Answered by `Written`.
    Write { corpus: CorpusId, file: String, bytes: Vec<u8> },
    /// More of a file, behind its first `at` bytes; what was behind them goes. Answered by `Written`.
    Append { corpus: CorpusId, file: String, at: u64, bytes: Vec<u8> },
    /// Answered by `Read`.
    Read { file: String },
    /// Not answered.
    Remove { file: String },
    /// Answered by `Listed`.
    List,
}

/// What came of an order.
#[derive(Debug, Clone, PartialEq)]
pub enum Stored {
    Written {
        corpus: CorpusId,
        file: String,
        is_done: bool,
    },
    /// `None`: it is not there, or cannot be read.
    Read {
        file: String,
        bytes: Option<Vec<u8>>,
    },
    /// `None`: there is no store.
    Listed(Option<Listing>),
}

/// What is in the store.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listing {
    /// Names and bytes.
    pub files: Vec<(String, u64)>,
    /// The contents of the files that end in [`HEAD`].
    pub heads: Vec<(String, Vec<u8>)>,
    /// Bytes that the browser says it has and allows.
    pub usage: Option<(u64, u64)>,
}

/// Files begin with the corpus's number; these are their endings.
pub const HEAD: &str = ".json";
pub const BOOK: &str = ".book";
pub const ROWS: &str = ".rows";

/// What is said of a corpus in the store, so that none has to be read to list them all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Head {
    pub version: u32,
    pub name: String,
    pub passages: u32,
    pub columns: Vec<Column>,
    /// Milliseconds since 1970.
    pub made_ms: f64,
    pub sets: Vec<SetHead>,
}

/// A set of vectors, kept in a file `<corpus>-<number>.rows`: rows in 16 bits, one after another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetHead {
    pub number: u32,
    pub dimensions: u32,
    pub embedder: Embedder,
}

/// What this program writes, and the latest that it reads.
pub const VERSION: u32 = 1;

/// The number in front of a file's name.
pub fn corpus_of(file: &str) -> Option<CorpusId> {
    let digits = file.split(['.', '-']).next()?;
    let number = digits.parse().ok()?;
    // No other spelling of the same number.
    (format!("{number}") == digits).then_some(CorpusId(number))
}
