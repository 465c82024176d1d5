//! A corpus as the library has it: known from its head, opened when it is asked for.

use std::sync::Arc;

use crate::engine::library::orders::{BOOK, HEAD, Head, ROWS, SetHead, VERSION};
use crate::protocol::readout::Lens;
use crate::protocol::search::{CorpusId, CorpusSummary, Embedder, Filter, RowSet};
use crate::search::filter::{Mask, mask};
use crate::search::keywords::Bm25;
use crate::search::vectors::Vectors;
use crate::text::book::Book;

/// What is in the store and not yet here.
#[derive(Debug, Clone, PartialEq)]
pub enum Held<T> {
    Away,
    /// It was asked for.
    Coming,
    Here(T),
}

impl<T> Held<T> {
    pub fn here(&self) -> Option<&T> {
        match self {
            Self::Here(held) => Some(held),
            Self::Away | Self::Coming => None,
        }
    }

    pub fn here_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Here(held) => Some(held),
            Self::Away | Self::Coming => None,
        }
    }
}

/// Vectors of a corpus's passages, by one embedder: of the first so many passages.
#[derive(Debug)]
pub struct Set {
    pub number: u32,
    pub embedder: Embedder,
    pub dimensions: usize,
    pub vectors: Held<Vectors>,
    /// Rows in the store.
    pub kept: usize,
    /// Rows that were given to the store and not yet heard of.
    pub given: usize,
    /// `false` once the store refused: what is in it stays.
    pub is_kept: bool,
}

impl Set {
    pub fn new(number: u32, embedder: Embedder, dimensions: usize) -> Self {
        let vectors = Held::Here(Vectors::new(dimensions));
        Self { number, embedder, dimensions, vectors, kept: 0, given: 0, is_kept: true }
    }

    /// From the store.
    pub fn known(head: SetHead, bytes: u64) -> Self {
        let SetHead { number, dimensions, embedder } = head;
        let dimensions = dimensions as usize;
        let kept = usize::try_from(bytes / (2 * dimensions as u64).max(1)).unwrap_or(usize::MAX);
        let vectors = if kept == 0 { Held::Here(Vectors::new(dimensions)) } else { Held::Away };
        Self { number, embedder, dimensions, vectors, kept, given: kept, is_kept: true }
    }

    /// Passages that have vectors.
    pub fn done(&self) -> usize {
        self.vectors.here().map_or(self.kept, Vectors::len)
    }

    fn head(&self) -> SetHead {
        let dimensions = u32::try_from(self.dimensions).unwrap_or(u32::MAX);
        SetHead { number: self.number, dimensions, embedder: self.embedder.clone() }
    }
}

/// A corpus.
#[derive(Debug)]
pub struct Corpus {
    pub id: CorpusId,
    pub name: String,
    pub made_ms: f64,
    pub passages: u32,
    pub columns: Vec<crate::protocol::search::Column>,
    pub book: Held<Arc<Book>>,
    /// Bytes of the book in the store.
    pub book_bytes: u64,
    /// As far as it is built.
    pub keywords: Bm25,
    pub sets: Vec<Set>,
    pub is_kept: bool,
    /// The last conditions, and what they let through.
    masked: Option<(Vec<Filter>, Arc<Mask>)>,
}

impl Corpus {
    /// A new one.
    pub fn new(id: CorpusId, name: String, book: Arc<Book>, made_ms: f64) -> Self {
        Self {
            id,
            name,
            made_ms,
            passages: u32::try_from(book.len()).unwrap_or(u32::MAX),
            columns: book.columns().to_vec(),
            book: Held::Here(book),
            book_bytes: 0,
            keywords: Bm25::default(),
            sets: Vec::new(),
            is_kept: true,
            masked: None,
        }
    }

    /// From the store; `size` gives a file's bytes.
    pub fn known(id: CorpusId, head: Head, size: impl Fn(&str) -> Option<u64>) -> Option<Self> {
        let book_bytes = size(&file(id, BOOK))?;
        let sets = head.sets.into_iter();
        let sets = sets.map(|set| {
            let bytes = size(&rows_file(id, set.number)).unwrap_or(0);
            Set::known(set, bytes)
        });
        Some(Self {
            id,
            name: head.name,
            made_ms: head.made_ms,
            passages: head.passages,
            columns: head.columns,
            book: Held::Away,
            book_bytes,
            keywords: Bm25::default(),
            sets: sets.collect(),
            is_kept: true,
            masked: None,
        })
    }

    pub fn head(&self) -> Head {
        Head {
            version: VERSION,
            name: self.name.clone(),
            passages: self.passages,
            columns: self.columns.clone(),
            made_ms: self.made_ms,
            sets: self.sets.iter().map(Set::head).collect(),
        }
    }

    /// All names of its files.
    pub fn files(&self) -> Vec<String> {
        let rows = self.sets.iter().map(|set| rows_file(self.id, set.number));
        [file(self.id, HEAD), file(self.id, BOOK)].into_iter().chain(rows).collect()
    }

    pub fn set(&self, embedder: &Embedder) -> Option<&Set> {
        self.sets.iter().find(|set| set.embedder == *embedder)
    }

    pub fn set_mut(&mut self, embedder: &Embedder) -> Option<&mut Set> {
        self.sets.iter_mut().find(|set| set.embedder == *embedder)
    }

    /// The vectors of that embedder, if they are here.
    pub fn vectors(&self, embedder: &Embedder) -> Option<&Vectors> {
        self.set(embedder)?.vectors.here()
    }

    /// What the conditions let through; `None`: all.
    pub fn mask(&mut self, filters: &[Filter]) -> Option<Arc<Mask>> {
        let book = self.book.here().filter(|_| !filters.is_empty())?;
        match &self.masked {
            Some((known, mask)) if known == filters => Some(Arc::clone(mask)),
            _ => {
                let mask = Arc::new(mask(book, filters));
                self.masked = Some((filters.to_vec(), Arc::clone(&mask)));
                Some(mask)
            }
        }
    }

    /// Gives back the memory of what is in the store.
    pub fn rest(&mut self) {
        if !self.is_kept {
            return;
        }
        self.masked = None;
        self.keywords = Bm25::default();
        if self.book.here().is_some() {
            self.book = Held::Away;
        }
        for set in &mut self.sets {
            let is_safe = set.is_kept && set.kept == set.done();
            if is_safe && set.kept > 0 && set.vectors.here().is_some() {
                set.vectors = Held::Away;
            }
        }
    }

    pub fn summary(&self, fits: impl Fn(&Embedder) -> Option<Lens>) -> CorpusSummary {
        let bytes = |set: &Set| (set.kept * set.dimensions * 2) as u64;
        let row_sets = self.sets.iter().map(|set| RowSet {
            embedder: set.embedder.clone(),
            done: u32::try_from(set.done()).unwrap_or(u32::MAX),
            size_bytes: bytes(set),
            fits: fits(&set.embedder),
        });
        CorpusSummary {
            corpus: self.id,
            name: self.name.clone(),
            passages: self.passages,
            columns: self.columns.clone(),
            made_ms: self.made_ms,
            row_sets: row_sets.collect(),
            size_bytes: self.book_bytes + self.sets.iter().map(bytes).sum::<u64>(),
            is_kept: self.is_kept,
        }
    }
}

/// A corpus's file with that ending.
pub fn file(corpus: CorpusId, ending: &str) -> String {
    format!("{}{ending}", corpus.0)
}

/// The file of a set of vectors.
pub fn rows_file(corpus: CorpusId, number: u32) -> String {
    format!("{}-{number}{ROWS}", corpus.0)
}
