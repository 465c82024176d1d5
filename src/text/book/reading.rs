//! A file becomes a book, a little at a time.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::protocol::search::{Cut, Intake, Preview};
use crate::text::book::columns::column;
use crate::text::book::cut::passages;
use crate::text::book::form::{self, Form};
use crate::text::book::rows::Rows;
use crate::text::book::source::{ReadError, Source};
use crate::text::book::{Book, MOST_PASSAGES, Texts};
use crate::text::columns::{Roles, find, names_sentences};

/// Bytes of a step.
const STEP_BYTES: usize = 256 << 10;
/// Rows by which columns are found.
const SAMPLE: usize = 300;
/// Passages of a preview, and their characters.
const SHOWN: usize = 8;
const SHOWN_CHARACTERS: usize = 240;

/// A book, and what the page shows of it before it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    pub book: Book,
    pub preview: Preview,
}

/// A file on its way to a book.
pub struct Reading {
    source: Source,
    intake: Intake,
    form: Form,
    rows: Rows,
    /// Rows that were read to find the columns, to be taken first.
    sample: std::vec::IntoIter<Vec<String>>,
    names: Vec<String>,
    /// The column of texts.
    chosen: usize,
    book: Book,
    /// Hashes of passages, and where each was said first.
    said: HashMap<u64, u32>,
    row_count: u32,
    repeated: u32,
    skipped: u32,
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let passages = self.book.len();
        formatter
            .debug_struct("Reading")
            .field("form", &self.form)
            .field("passages", &passages)
            .finish_non_exhaustive()
    }
}

impl Reading {
    /// Begins to read; looks at the first rows.
    ///
    /// # Errors
    /// [`ReadError`]: the first rows cannot be read, or there is no such column.
    pub fn begin(source: &Source, intake: &Intake) -> Result<Self, ReadError> {
        let form = form::of(source, intake.name.as_deref());
        let whole = intake.cut != Cut::Rows;
        let mut rows = Rows::new(&source.text, form, whole)?;
        let mut sample = Vec::new();
        while sample.len() < SAMPLE && rows.done_bytes() < 4 * STEP_BYTES {
            let Some(row) = rows.next()? else { break };
            sample.push(row);
        }
        let (names, found, headed) = columns_of(&rows, &sample);
        let chosen = intake.column.map_or(found, usize::from);
        if chosen > 0 && chosen >= names.len() {
            let (column, columns) = (intake.column.unwrap_or_default(), names.len());
            return Err(ReadError::Column { column, columns });
        }
        if headed {
            sample.remove(0);
        }
        let flows = matches!(form, Form::Lines | Form::Markdown);
        let book = Book { flows, cells: vec![Texts::default(); names.len()], ..Book::default() };
        Ok(Self {
            source: source.clone(),
            intake: intake.clone(),
            form,
            rows,
            sample: sample.into_iter(),
            names,
            chosen,
            book,
            said: HashMap::new(),
            row_count: 0,
            repeated: 0,
            skipped: 0,
        })
    }

    /// Bytes that were read, of how many.
    pub fn progress(&self) -> (u64, u64) {
        (self.rows.done_bytes() as u64, self.source.len() as u64)
    }

    /// Reads on; the book once it is there.
    ///
    /// # Errors
    /// [`ReadError`]: a row cannot be read, or there are too many passages.
    pub fn step(&mut self) -> Result<Option<Finished>, ReadError> {
        let end = self.rows.done_bytes() + STEP_BYTES;
        // The rows of the sample were read already: they are counted.
        for _ in 0..4 * SAMPLE {
            let row = match self.sample.next() {
                Some(row) => Some(row),
                None => self.rows.next()?,
            };
            match row {
                Some(row) => self.take(row)?,
                None => return Ok(Some(self.finish())),
            }
            if self.rows.done_bytes() >= end {
                break;
            }
        }
        Ok(None)
    }

    fn take(&mut self, mut row: Vec<String>) -> Result<(), ReadError> {
        self.row_count += 1;
        let text = row.get_mut(self.chosen).map(std::mem::take).unwrap_or_default();
        let before = self.book.len();
        let place = u32::try_from(self.book.row_count()).unwrap_or(u32::MAX);
        let mut is_full = false;
        passages(&text, self.intake.cut, |passage| {
            let known = self.said.entry(hash(passage)).or_insert(u32::MAX);
            let is_repeated =
                *known != u32::MAX && self.book.passages.get(*known as usize) == passage;
            self.repeated += u32::from(is_repeated);
            if is_repeated && self.intake.drop_repeated {
                return;
            }
            if *known == u32::MAX {
                *known = u32::try_from(self.book.passages.len()).unwrap_or(u32::MAX);
            }
            is_full |= !self.book.passages.push(passage);
            self.book.rows.push(place);
        });
        if is_full || self.book.len() > MOST_PASSAGES {
            return Err(ReadError::TooMany { limit: MOST_PASSAGES });
        }
        if self.book.len() == before {
            self.skipped += u32::from(text.trim().is_empty());
            return Ok(());
        }
        for (number, cells) in self.book.cells.iter_mut().enumerate() {
            let cell = row.get(number).map_or("", String::as_str);
            if !cells.push(cell) {
                return Err(ReadError::TooMany { limit: MOST_PASSAGES });
            }
        }
        self.take_new_columns(&row);
        Ok(())
    }

    /// Fields that a later value of JSON brought.
    fn take_new_columns(&mut self, row: &[String]) {
        let Rows::Json(json) = &self.rows else { return };
        let rows = self.book.row_count();
        for (number, name) in json.names.iter().enumerate().skip(self.book.cells.len()) {
            let mut cells = Texts::default();
            cells.pad(rows - 1);
            // One cell after none always fits.
            cells.push(row.get(number).map_or("", String::as_str));
            self.book.cells.push(cells);
            self.names.push(name.clone());
        }
    }

    fn finish(&mut self) -> Finished {
        let mut book = std::mem::take(&mut self.book);
        let is_table = self.names.len() > 1;
        if is_table {
            let columns = self.names.drain(..).zip(&book.cells);
            book.columns = columns.map(|(name, cells)| column(name, cells)).collect();
            book.column = u16::try_from(self.chosen).ok();
        } else {
            book.cells = Vec::new();
        }
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let preview = Preview {
            encoding: self.source.encoding.clone(),
            form: self.form.name(),
            columns: book.columns.clone(),
            column: book.column,
            rows: self.row_count,
            passages: count(book.len()),
            repeated: self.repeated,
            skipped: self.skipped,
            text_bytes: book.text_bytes() as u64,
            first: book.passages().take(SHOWN).map(shortened).collect(),
        };
        Finished { book, preview }
    }
}

fn shortened(passage: &str) -> String {
    match passage.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{}…", &passage[..end]),
        None => passage.to_owned(),
    }
}

fn hash(passage: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    passage.hash(&mut hasher);
    hasher.finish()
}

/// Of two columns of sentences the one with the longer texts: a title is found by what it stands over.
fn longest(roles: Roles, sample: &[Vec<String>], width: usize) -> usize {
    let length = |column: &usize| -> usize {
        sample.iter().filter_map(|row| row.get(*column)).map(String::len).sum()
    };
    // Of equals the first, which the greatest of all is looked for last.
    let columns = [roles.partner, Some(roles.sentence)].into_iter().flatten();
    columns.filter(|column| *column < width).max_by_key(length).unwrap_or(0)
}

/// Names of the columns, which one holds the texts, and whether the first row is names.
fn columns_of(rows: &Rows, sample: &[Vec<String>]) -> (Vec<String>, usize, bool) {
    match rows {
        Rows::Text(_) => (vec![String::new()], 0, false),
        Rows::Json(json) => {
            let named: Vec<Vec<String>> =
                [&json.names].into_iter().chain(sample).cloned().collect();
            (json.names.clone(), longest(find(&named).0, sample, json.names.len()), false)
        }
        Rows::Table(_) => {
            let width = sample.iter().map(Vec::len).max().unwrap_or(0).max(1);
            let (roles, headed) = find(sample);
            let first = sample.first();
            let is_name = |row: &Vec<String>| {
                width == 1 && sample.len() > 1 && row.first().is_some_and(|it| names_sentences(it))
            };
            let headed = headed || first.is_some_and(is_name);
            let name = |number: usize| {
                let named = first.filter(|_| headed).and_then(|row| row.get(number));
                let named = named.filter(|name| !name.is_empty());
                named.cloned().unwrap_or_else(|| (number + 1).to_string())
            };
            ((0..width).map(name).collect(), longest(roles, sample, width), headed)
        }
    }
}
