//! What page and worker say to each other about searching a corpus by meaning.
//!
//! A corpus lives with the worker: its passages, what stands beside them, and one set of vectors for
//! each [`Embedder`] that read it. The page holds summaries and the hits of its last query.

use serde::{Deserialize, Serialize};

use crate::protocol::readout::{Lens, Readout};

/// A corpus. The page draws the number; the store names files by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CorpusId(pub u64);

/// How a text becomes passages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Cut {
    /// A line, a row of a table or a value of JSON is a passage.
    #[default]
    Rows,
    /// Every sentence is one (Unicode's rules, UAX #29, and common abbreviations).
    Sentences,
    /// Whole sentences together, as many as fit into so many words; a blank line ends a passage.
    Passages { words: u16 },
}

/// How a file or a pasted text is to be read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Intake {
    /// The file's name; its ending says what the file is. `None`: pasted.
    pub name: Option<String>,
    pub cut: Cut,
    /// The column of texts; `None`: the likeliest.
    pub column: Option<u16>,
    /// Passages that are said twice are kept once.
    pub drop_repeated: bool,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    pub sort: ColumnSort,
}

/// What stands in a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ColumnSort {
    /// Texts that hardly repeat.
    Text,
    /// Few different values, the most frequent first, with how many rows have them; at most 200.
    Category { values: Vec<(String, u32)> },
    /// Numbers from `low` to `high`; cells that are none are empty.
    Number { low: f64, high: f64 },
}

/// What a draft would become, before anything is embedded.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Preview {
    /// "UTF-8", "UTF-16", "Windows-1252 (guessed)".
    pub encoding: String,
    /// "CSV, separated by ;", "JSON lines", "lines", "Markdown", "Parquet".
    pub form: String,
    pub columns: Vec<Column>,
    /// The column that is read; `None` where there are no columns.
    pub column: Option<u16>,
    pub rows: u32,
    pub passages: u32,
    /// Passages said before; dropped where the intake says so.
    pub repeated: u32,
    /// Rows left out: without text, or unlike the others.
    pub skipped: u32,
    /// Bytes of all passages.
    pub text_bytes: u64,
    /// The first passages, cut short, at most eight.
    pub first: Vec<String>,
}

/// What computed vectors: rows of one are not compared with rows of another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Embedder {
    /// Of the model's file, lower-case hexadecimal, and its name.
    pub model_sha256: String,
    pub model_name: String,
    /// Hash of the adapter and how much of it; `None`: the model as it came.
    pub adapter: Option<(String, f32)>,
    pub readout: Readout,
}

/// A set of vectors of a corpus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowSet {
    pub embedder: Embedder,
    /// Passages that have vectors.
    pub done: u32,
    /// On disk.
    pub size_bytes: u64,
    /// Whether the current model, read like this, would give the same vectors; on which side.
    pub fits: Option<Lens>,
}

/// A corpus on the shelf.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CorpusSummary {
    pub corpus: CorpusId,
    pub name: String,
    pub passages: u32,
    pub columns: Vec<Column>,
    /// Milliseconds since 1970.
    pub made_ms: f64,
    pub row_sets: Vec<RowSet>,
    /// On disk, with all sets of vectors.
    pub size_bytes: u64,
    /// Whether it is in the browser's store; else it goes with the tab.
    pub is_kept: bool,
}

/// How hits are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Ranking {
    /// By cosine.
    #[default]
    Meaning,
    /// By both ranks: reciprocal rank fusion, k = 60 (Cormack, Clarke & Buettcher, SIGIR 2009).
    Both,
    /// By BM25, k1 = 1.2, b = .75 (Robertson & Zaragoza 2009).
    Keywords,
}

/// What a query is made of beside its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ingredient {
    Text(String),
    /// A passage of the corpus.
    Passage(u32),
}

/// A condition on what stands beside a passage. All must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Filter {
    /// The column's cell is one of these.
    OneOf { column: u16, values: Vec<String> },
    /// The column's number is from `low` to `high`, ends included.
    Between { column: u16, low: f64, high: f64 },
    /// The cell has this in it, in capitals or not.
    Contains { column: u16, text: String },
}

/// A query. Its vector is the unit sum of the text's and the `also` ones', less half the sum of the
/// `unlike` ones' (Rocchio's formula with weights 1, 1 and 1/2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Query {
    pub corpus: CorpusId,
    pub lens: Lens,
    /// May be empty where there are `also` ingredients.
    pub text: String,
    pub also: Vec<Ingredient>,
    pub unlike: Vec<Ingredient>,
    pub ranking: Ranking,
    pub count: u16,
    /// Hits below this cosine are left out; not of [`Ranking::Keywords`].
    pub least_cosine: Option<f32>,
    pub filters: Vec<Filter>,
    /// Also say where the hits stand through this lens, as far as it has vectors: before and after.
    pub other: Option<Lens>,
}

/// A passage that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    pub position: u32,
    pub text: String,
    /// The passages before and after it, of the same row or file; empty at the ends, cut short.
    pub before: String,
    pub after: String,
    /// A cell a column.
    pub cells: Vec<String>,
    /// `None`: not embedded yet.
    pub cosine: Option<f32>,
    /// `None`: has none of the words.
    pub bm25: Option<f32>,
    /// From 1, among all that the filters let through. By meaning, by keywords, by meaning on the
    /// other side.
    pub meaning_rank: Option<u32>,
    pub keyword_rank: Option<u32>,
    pub other_rank: Option<u32>,
    pub other_cosine: Option<f32>,
    /// Where words of the query stand in `text`: byte ranges.
    pub words: Vec<(u32, u32)>,
}

/// What a query found.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Hits {
    pub hits: Vec<Hit>,
    /// Passages that the filters let through, and how many of them have vectors.
    pub let_through: u32,
    pub searched: u32,
    /// How many hits there would be without `count`, where a least cosine was asked for.
    pub above: Option<u32>,
    /// The query was longer than the model reads.
    pub was_cut: bool,
    /// Embedding the query, then ranking.
    pub embed_ms: f64,
    pub rank_ms: f64,
}

/// Which words of a hit stand closest to the query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Glow {
    pub position: u32,
    /// Words as byte ranges of the passage, with the cosine of their tokens' mean with the query.
    pub words: Vec<(u32, u32, f32)>,
}

/// What can be asked. A corpus that is not open is opened from the store first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Ask {
    /// Read a file, or the last one anew in another way. Bulk: Bytes, or none. A newer one supersedes
    /// an older one. Answered by `Reading`*, `Preview`.
    Read { intake: Intake },
    /// Make a corpus of what was read last. Answered by `Shelf`.
    Create { corpus: CorpusId, name: String },
    /// Give the passages vectors, from where that stopped. Answered by `Indexing`*, `Rests`.
    Embed { corpus: CorpusId, lens: Lens },
    /// Stop giving vectors. What is there stays. Answered by `Shelf`; the `Embed` by `Rests`.
    Pause { corpus: CorpusId },
    /// A newer one supersedes an older one. Answered by `Hits`.
    Query(Box<Query>),
    /// The words of these passages that stand closest to the query. A newer one supersedes an older
    /// one. Answered by `Glows`.
    Glow { query: Box<Query>, positions: Vec<u32> },
    /// Passages in their order, for browsing. Answered by `Passages`.
    Browse { corpus: CorpusId, from: u32, count: u16, filters: Vec<Filter> },
    /// All vectors of one reading. Bulk: F32 `[passages, hidden]`. Answered by `Vectors`.
    Vectors { corpus: CorpusId, lens: Lens },
    /// All passages, for another view. Answered by `Sentences`.
    Sentences { corpus: CorpusId },
    /// Answered by `Shelf`.
    Rename { corpus: CorpusId, name: String },
    /// From memory and store. Answered by `Shelf`.
    Delete { corpus: CorpusId },
    /// One set of vectors, from memory and store. Answered by `Shelf`.
    DeleteRows { corpus: CorpusId, embedder: Box<Embedder> },
    /// Answered by `Shelf`.
    List,
}

/// Why a corpus is given no more vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RestReason {
    /// All have vectors.
    Complete,
    Paused,
    /// The model, or the adapter's blend, became another one.
    EmbedderChanged,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    Reading {
        done_bytes: u64,
        total_bytes: u64,
    },
    Preview(Box<Preview>),
    Shelf {
        corpora: Vec<CorpusSummary>,
        /// What the browser says it has and allows, in bytes.
        usage: Option<(u64, u64)>,
    },
    Indexing {
        corpus: CorpusId,
        lens: Lens,
        done: u32,
        total: u32,
        /// How many of `done` were there at the beginning.
        resumed: u32,
        elapsed_ms: f64,
    },
    Rests {
        corpus: CorpusId,
        lens: Lens,
        done: u32,
        total: u32,
        reason: RestReason,
    },
    Hits(Box<Hits>),
    Glows {
        glows: Vec<Glow>,
    },
    Passages {
        from: u32,
        /// Of all passages that the filters let through.
        total: u32,
        passages: Vec<Hit>,
    },
    Vectors {
        corpus: CorpusId,
        dimensions: u32,
    },
    Sentences {
        corpus: CorpusId,
        passages: Vec<String>,
    },
    /// The store did not take, or no longer has, what was to be kept; the visit works from memory.
    NotKept {
        corpus: CorpusId,
        detail: String,
    },
}
