//! A corpus as it is searched: passages, the rows they come from, and what stands beside them.
//!
//! [`source`] holds a file, [`form`] says what it is, [`rows`] gives its rows, [`cut`] makes passages of
//! a row's text, and [`reading`] does all of that a little at a time.

pub mod columns;
pub mod cut;
pub mod form;
mod markdown;
pub mod reading;
mod rows;
pub mod source;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::protocol::search::Column;

/// Passages of a corpus at most.
pub const MOST_PASSAGES: usize = 1_000_000;

/// How a book's file begins: kind and version.
const MAGIC: &[u8; 8] = b"slbook\x00\x01";
const HASH_BYTES: usize = 32;

/// Why a file is no book.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    #[error("the file does not begin as a corpus of this version does")]
    Foreign,
    #[error("the corpus's file is damaged: {0}")]
    Damaged(&'static str),
}

/// Texts one after another, in one piece of memory.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Texts {
    text: String,
    /// Where each ends, in bytes.
    ends: Vec<u32>,
}

impl Texts {
    /// Adds a text; `false` where there would be more bytes than can be counted.
    pub fn push(&mut self, text: &str) -> bool {
        let Ok(end) = u32::try_from(self.text.len() + text.len()) else { return false };
        self.text.push_str(text);
        self.ends.push(end);
        true
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text of that number; empty where there is none.
    pub fn get(&self, place: usize) -> &str {
        let Some(&end) = self.ends.get(place) else { return "" };
        let start = place.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        self.text.get(start.unwrap_or(0) as usize..end as usize).unwrap_or("")
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|place| self.get(place))
    }

    /// Bytes of all texts.
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Whether every text is where it should be: what was read from a file may not be.
    fn is_whole(&self) -> bool {
        let rising = self.ends.is_sorted();
        let last = self.ends.last().map_or(0, |end| *end as usize);
        let boundaries = self.ends.iter().all(|end| self.text.is_char_boundary(*end as usize));
        rising && boundaries && last == self.text.len()
    }

    /// Filled up with empty texts to so many.
    fn pad(&mut self, count: usize) {
        let end = self.ends.last().copied().unwrap_or(0);
        self.ends.resize(count.max(self.ends.len()), end);
    }
}

/// A corpus.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Book {
    passages: Texts,
    /// `[passages]`, the row of each, never falling.
    rows: Vec<u32>,
    columns: Vec<Column>,
    /// Which of them is cut into passages; its cells are not kept a second time.
    column: Option<u16>,
    /// `[columns]`, a cell a row.
    cells: Vec<Texts>,
    /// Passages go on from row to row: the rows are paragraphs or lines of one text.
    flows: bool,
}

impl Book {
    /// Number of passages.
    pub fn len(&self) -> usize {
        self.passages.len()
    }

    pub fn is_empty(&self) -> bool {
        self.passages.is_empty()
    }

    /// Number of rows that passages come from.
    pub fn row_count(&self) -> usize {
        self.rows.last().map_or(0, |row| *row as usize + 1)
    }

    /// A passage; empty where there is none of that number.
    pub fn passage(&self, position: u32) -> &str {
        self.passages.get(position as usize)
    }

    pub fn passages(&self) -> impl Iterator<Item = &str> {
        self.passages.iter()
    }

    /// The row that a passage comes from.
    pub fn row(&self, position: u32) -> u32 {
        self.rows.get(position as usize).copied().unwrap_or(0)
    }

    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The column that was cut into passages.
    pub fn column(&self) -> Option<u16> {
        self.column
    }

    /// What stands beside the passages of a row; empty in the column of the passages themselves.
    pub fn cell(&self, row: u32, column: u16) -> &str {
        self.cells.get(usize::from(column)).map_or("", |cells| cells.get(row as usize))
    }

    /// All cells beside a passage, one a column.
    pub fn cells(&self, position: u32) -> Vec<String> {
        let row = self.row(position);
        (0..).zip(&self.columns).map(|(column, _)| self.cell(row, column).to_owned()).collect()
    }

    /// The passages before and after, of the same row or, in a text that goes on, of the file.
    pub fn around(&self, position: u32) -> (&str, &str) {
        let row = self.row(position);
        let belongs =
            |other: &u32| (*other as usize) < self.len() && (self.flows || self.row(*other) == row);
        let text = |place: Option<u32>| place.filter(belongs).map_or("", |it| self.passage(it));
        (text(position.checked_sub(1)), text(position.checked_add(1)))
    }

    /// Bytes of all passages.
    pub fn text_bytes(&self) -> usize {
        self.passages.bytes()
    }

    /// As a file: what it is, the SHA-256 of the rest, the rest.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Serialising into memory cannot fail; an empty rest would be refused when it is read.
        let rest = postcard::to_allocvec(self).unwrap_or_default();
        [MAGIC.as_slice(), &Sha256::digest(&rest), &rest].concat()
    }

    /// From a file.
    ///
    /// # Errors
    /// [`BookError`]: it is something else, or not whole.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BookError> {
        let rest = bytes.strip_prefix(MAGIC.as_slice()).ok_or(BookError::Foreign)?;
        let (hash, rest) =
            rest.split_at_checked(HASH_BYTES).ok_or(BookError::Damaged("it ends too early"))?;
        if Sha256::digest(rest).as_slice() != hash {
            return Err(BookError::Damaged("its bytes do not match their hash"));
        }
        let book: Self =
            postcard::from_bytes(rest).map_err(|_| BookError::Damaged("it cannot be read"))?;
        if book.is_whole() { Ok(book) } else { Err(BookError::Damaged("its parts do not fit")) }
    }

    fn is_whole(&self) -> bool {
        let rows = self.row_count();
        self.rows.len() == self.passages.len()
            && self.rows.is_sorted()
            && self.passages.is_whole()
            && self.columns.len() == self.cells.len()
            && self.column.is_none_or(|column| usize::from(column) < self.columns.len())
            && self.cells.iter().all(|cells| cells.is_whole() && cells.len() >= rows)
    }
}
