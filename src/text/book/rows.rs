//! The rows of a text, one after another.

use std::collections::HashMap;
use std::io::{Chain, Read};
use std::sync::Arc;

use serde_json::Value;

use crate::text::book::form::Form;
use crate::text::book::markdown::next_paragraph;
use crate::text::book::source::{ReadError, Tape};
use crate::text::columns::MOST_COLUMNS;

/// A JSON array is read at once: longer ones are better given a value a line.
const MOST_JSON_BYTES: usize = 64 << 20;

/// A row put after the text: a quote that is never closed swallows it, which the library does not
/// tell otherwise.
const LAST_ROW: &[u8] = b"\n\x01";
const LAST_CELL: &str = "\x01";

/// Rows on their way.
pub(super) enum Rows {
    Table(Box<TableRows>),
    Json(JsonRows),
    Text(TextRows),
}

/// Cells, read by the `csv` crate.
pub(super) struct TableRows {
    reader: csv::Reader<Chain<Tape, &'static [u8]>>,
    record: csv::StringRecord,
    separator: u8,
    /// Cells of the first row; what stands further right is part of the last one.
    width: Option<usize>,
    ended: bool,
}

/// Values, whose fields are columns.
pub(super) struct JsonRows {
    values: Values,
    /// In the order they were first seen.
    columns: HashMap<String, usize>,
    pub(super) names: Vec<String>,
}

enum Values {
    Lines { tape: Tape, line: u64 },
    Array { all: std::vec::IntoIter<Value>, done: usize, bytes: usize },
}

/// Lines or paragraphs.
pub(super) struct TextRows {
    tape: Tape,
    unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Line,
    Paragraph,
    Markdown,
}

impl Rows {
    /// From the beginning of a text; `whole` are paragraphs rather than lines.
    pub(super) fn new(text: &Arc<String>, form: Form, whole: bool) -> Result<Self, ReadError> {
        let tape = Tape { text: Arc::clone(text), at: 0 };
        Ok(match form {
            Form::Lines => {
                let unit = if whole { Unit::Paragraph } else { Unit::Line };
                Self::Text(TextRows { tape, unit })
            }
            Form::Markdown => Self::Text(TextRows { tape, unit: Unit::Markdown }),
            Form::Table { separator } => Self::Table(Box::new(TableRows::new(tape, separator))),
            Form::JsonLines => Self::Json(JsonRows::new(Values::Lines { tape, line: 0 })),
            Form::Json => Self::Json(JsonRows::new(array(&tape)?)),
        })
    }

    /// The next row's cells; columns that it lacks are missing at its end, or empty.
    pub(super) fn next(&mut self) -> Result<Option<Vec<String>>, ReadError> {
        match self {
            Self::Table(rows) => rows.next(),
            Self::Json(rows) => rows.next(),
            Self::Text(rows) => Ok(rows.next().map(|text| vec![text])),
        }
    }

    /// Bytes that were read.
    pub(super) fn done_bytes(&self) -> usize {
        match self {
            Self::Table(rows) => {
                usize::try_from(rows.reader.position().byte()).unwrap_or(usize::MAX)
            }
            Self::Json(JsonRows { values: Values::Lines { tape, .. }, .. }) => tape.at,
            Self::Json(JsonRows { values: Values::Array { all, done, bytes }, .. }) => {
                bytes * done / (done + all.len()).max(1)
            }
            Self::Text(rows) => rows.tape.at,
        }
    }
}

impl TableRows {
    fn new(tape: Tape, separator: u8) -> Self {
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator)
            .quoting(separator != b'\t')
            .from_reader(tape.chain(LAST_ROW));
        Self { reader, record: csv::StringRecord::new(), separator, width: None, ended: false }
    }

    fn next(&mut self) -> Result<Option<Vec<String>>, ReadError> {
        while !self.ended {
            let line = self.reader.position().line();
            let is_more = self.reader.read_record(&mut self.record);
            if !is_more.map_err(|error| ReadError::Line { line, detail: error.to_string() })? {
                let detail =
                    "a quote is opened and never closed; a quote inside a text is written twice";
                return Err(ReadError::Line { line: self.line(), detail: detail.to_owned() });
            }
            self.ended = self.record.len() == 1 && self.record.get(0) == Some(LAST_CELL);
            if !self.ended && self.record.iter().any(|cell| !cell.trim().is_empty()) {
                return Ok(Some(self.cells()));
            }
        }
        Ok(None)
    }

    /// Where the last record begins.
    fn line(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line)
    }

    fn cells(&mut self) -> Vec<String> {
        let width = *self.width.get_or_insert(self.record.len().min(MOST_COLUMNS));
        let mut cells: Vec<String> =
            self.record.iter().take(width).map(|cell| cell.trim().to_owned()).collect();
        if let Some(last) = cells.last_mut() {
            for surplus in self.record.iter().skip(width).filter(|cell| !cell.trim().is_empty()) {
                last.push(char::from(self.separator));
                last.push_str(surplus);
            }
        }
        cells
    }
}

fn array(tape: &Tape) -> Result<Values, ReadError> {
    let bytes = tape.text.len();
    if bytes > MOST_JSON_BYTES {
        let detail = format!(
            "a JSON array of {bytes} bytes is too long; save it as JSON lines, a value a line"
        );
        return Err(ReadError::Line { line: 1, detail });
    }
    let all: Vec<Value> = serde_json::from_str(&tape.text).map_err(|error| ReadError::Line {
        line: error.line() as u64,
        detail: error.to_string(),
    })?;
    Ok(Values::Array { all: all.into_iter(), done: 0, bytes })
}

impl JsonRows {
    fn new(values: Values) -> Self {
        Self { values, columns: HashMap::new(), names: Vec::new() }
    }

    fn next(&mut self) -> Result<Option<Vec<String>>, ReadError> {
        Ok(self.values.next()?.map(|value| self.row(value)))
    }

    fn row(&mut self, value: Value) -> Vec<String> {
        let mut row = Vec::new();
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.put(&mut row, name, value);
                }
            }
            Value::Array(values) => {
                for (place, value) in (1..).zip(values) {
                    self.put(&mut row, format!("{place}"), value);
                }
            }
            value => self.put(&mut row, "text".to_owned(), value),
        }
        row
    }

    fn put(&mut self, row: &mut Vec<String>, name: String, value: Value) {
        let next = self.names.len();
        let column = match self.columns.get(&name) {
            Some(column) => *column,
            None if next >= MOST_COLUMNS => return,
            None => {
                self.names.push(name.clone());
                self.columns.insert(name, next);
                next
            }
        };
        row.resize(row.len().max(column + 1), String::new());
        row[column] = match value {
            Value::Null => String::new(),
            Value::String(text) => text,
            other => other.to_string(),
        };
    }
}

impl Values {
    fn next(&mut self) -> Result<Option<Value>, ReadError> {
        match self {
            Self::Array { all, done, .. } => {
                *done += 1;
                Ok(all.next())
            }
            Self::Lines { tape, line } => loop {
                let Some(text) = next_line(tape) else { return Ok(None) };
                *line += 1;
                if !text.trim().is_empty() {
                    return serde_json::from_str(text).map(Some).map_err(|error| ReadError::Line {
                        line: *line,
                        detail: error.to_string(),
                    });
                }
            },
        }
    }
}

/// The next line of a tape, its end left out.
fn next_line(tape: &mut Tape) -> Option<&str> {
    let line = tape.text.get(tape.at..)?.split_inclusive('\n').next()?;
    tape.at += line.len();
    Some(line.trim_end_matches(['\n', '\r']))
}

impl TextRows {
    fn next(&mut self) -> Option<String> {
        match self.unit {
            Unit::Line => loop {
                let line = next_line(&mut self.tape)?.trim();
                if !line.is_empty() {
                    return Some(line.to_owned());
                }
            },
            Unit::Paragraph => self.paragraph(),
            Unit::Markdown => {
                let (paragraph, at) = next_paragraph(&self.tape.text, self.tape.at)?;
                self.tape.at = at;
                Some(paragraph)
            }
        }
    }

    /// Lines up to an empty one. Those that end where the margin was are joined; others stay lines of
    /// their own: a list of sentences without full stops is no single sentence.
    fn paragraph(&mut self) -> Option<String> {
        const MARGIN: usize = 45;
        let mut paragraph = String::new();
        let mut is_open = false;
        loop {
            let at = self.tape.at;
            let Some(line) = next_line(&mut self.tape).map(str::trim) else { break };
            let ends = line.is_empty() || (!paragraph.is_empty() && !is_open);
            if ends && !paragraph.is_empty() {
                // It begins the next paragraph.
                self.tape.at = at;
                break;
            }
            if !line.is_empty() {
                if !paragraph.is_empty() {
                    paragraph.push(' ');
                }
                paragraph.push_str(line);
                is_open = line.chars().count() >= MARGIN;
            }
        }
        (!paragraph.is_empty()).then_some(paragraph)
    }
}
