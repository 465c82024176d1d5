//! A corpus as visitors have it: lines, tables, JSON.
//!
//! A table's columns have [`Roles`]: the sentence, one that means the same, how alike the two are,
//! the topic. They are found by their names or by what stands in them; the visitor may say
//! otherwise. Nothing is dropped silently: what could not be read is counted.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::text::columns::{MOST_COLUMNS, Roles, find, names_sentences};
use crate::text::lists::{COMMAS, Cut, ListError, clean, cut_pasted, cut_table, lines, number};

/// One row, understood.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Entry {
    pub sentence: String,
    pub partner: Option<String>,
    /// Finite.
    pub score: Option<f32>,
    pub topic: Option<String>,
}

/// The columns of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// What the first row calls them, or the beginning of what stands in them.
    pub names: Vec<String>,
    pub roles: Roles,
}

/// What was understood.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reading {
    pub entries: Vec<Entry>,
    /// Rows left out because they lack a sentence, or a score where the others have one.
    pub skipped: usize,
    /// Where the text is a table of two columns or more.
    pub table: Option<Table>,
}

/// Reads what was pasted, or the file of that name. `wanted` are the roles that the visitor gave the
/// columns; those of columns that are not there do not count.
///
/// # Errors
/// Where a table has an unclosed quote, or a line of JSON is none.
pub fn read(text: &str, name: Option<&str>, wanted: Option<Roles>) -> Result<Reading, ListError> {
    let ending = name.and_then(|name| name.rsplit_once('.')).map(|(_, end)| end);
    let form = match ending.map(str::to_ascii_lowercase).as_deref() {
        Some("csv") => Form::cut(cut_table(text, COMMAS)?, true),
        Some("tsv" | "tab") => Form::cut(cut_table(text, b"\t")?, true),
        Some("jsonl" | "ndjson" | "json") => json(text)?,
        _ if begins_with_object(text) => {
            json(text).unwrap_or_else(|_| Form::cut(cut_pasted(text), false))
        }
        _ => Form::cut(cut_pasted(text), false),
    };
    Ok(match form {
        Form::Lines(sentences) => listed(sentences),
        Form::Table { rows, is_named } => tabled(rows, is_named, wanted),
    })
}

enum Form {
    Lines(Vec<String>),
    Table {
        rows: Vec<Vec<String>>,
        /// The first row is names, whatever it says.
        is_named: bool,
    },
}

impl Form {
    fn cut(cut: Cut, is_table_file: bool) -> Self {
        match cut {
            Cut::Table((rows, _)) => Self::Table { rows, is_named: false },
            Cut::Lines(mut lines) => {
                let headed = is_table_file && lines.len() > 1;
                if headed && lines.first().is_some_and(|first| names_sentences(first)) {
                    lines.remove(0);
                }
                Self::Lines(lines)
            }
        }
    }
}

fn listed(sentences: Vec<String>) -> Reading {
    let alone = |sentence| Entry { sentence, ..Entry::default() };
    Reading { entries: sentences.into_iter().map(alone).collect(), ..Reading::default() }
}

fn tabled(mut rows: Vec<Vec<String>>, is_named: bool, wanted: Option<Roles>) -> Reading {
    let (found, has_names) = find(&rows);
    let width = rows.iter().map(Vec::len).max().unwrap_or(0).min(MOST_COLUMNS);
    let roles = wanted.filter(|wanted| wanted.fit(width)).unwrap_or(found);
    let names = (0..width).map(|column| label(&rows, column)).collect();
    let table = (width > 1).then_some(Table { names, roles });
    let mut reading = Reading { table, ..Reading::default() };
    for row in rows.iter_mut().skip(usize::from(is_named || has_names)) {
        match entry(row, roles) {
            Some(entry) => reading.entries.push(entry),
            None => reading.skipped += 1,
        }
    }
    reading
}

/// A row's parts, taken out of it.
fn entry(row: &mut [String], roles: Roles) -> Option<Entry> {
    let score = match roles.score {
        Some(column) => Some(row.get(column).and_then(|cell| number(cell))?),
        None => None,
    };
    let topic = roles.topic.and_then(|column| row.get(column)).filter(|cell| !cell.is_empty());
    let topic = topic.cloned();
    let mut take =
        |column: usize| row.get_mut(column).filter(|cell| !cell.is_empty()).map(std::mem::take);
    let partner = match roles.partner {
        Some(column) => Some(take(column)?),
        None => None,
    };
    Some(Entry { sentence: take(roles.sentence)?, partner, score, topic })
}

/// How a column is called where the visitor chooses: its first cell, cut short.
fn label(rows: &[Vec<String>], column: usize) -> String {
    const LONGEST: usize = 40;
    let cell = rows.iter().filter_map(|row| row.get(column)).find(|cell| !cell.is_empty());
    let cell = cell.map_or("", String::as_str);
    match cell.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &cell[..end]),
        None => cell.to_owned(),
    }
}

fn begins_with_object(text: &str) -> bool {
    let first = lines(text).next().map(str::trim);
    first.is_some_and(|line| line.starts_with('{') && line.ends_with('}'))
}

/// An array, or a value a line: texts, or objects and arrays, whose fields are columns.
fn json(text: &str) -> Result<Form, ListError> {
    let values: Vec<Value> = match serde_json::from_str::<Value>(text) {
        Ok(Value::Array(values)) => values,
        Ok(value) => vec![value],
        Err(_) => {
            let numbered = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
            numbered.map(|(line, place)| value(line, place)).collect::<Result<_, _>>()?
        }
    };
    if values.iter().all(Value::is_string) {
        let texts = values.into_iter().map(cell);
        return Ok(Form::Lines(texts.filter(|text| !text.is_empty()).collect()));
    }
    Ok(rows_of(values))
}

fn value(line: &str, place: usize) -> Result<Value, ListError> {
    serde_json::from_str(line)
        .map_err(|error| ListError::Table { line: place as u64, detail: error.to_string() })
}

/// A row of names, if there is an object, then a row a value.
fn rows_of(values: Vec<Value>) -> Form {
    let mut columns: BTreeMap<String, usize> = BTreeMap::new();
    let mut rows = Vec::new();
    for value in values {
        let mut row = Vec::new();
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let next = columns.len();
                    let column = *columns.entry(name).or_insert(next);
                    row.resize(row.len().max(column + 1), String::new());
                    if let Some(place) = row.get_mut(column) {
                        *place = cell(value);
                    }
                }
            }
            Value::Array(values) => row.extend(values.into_iter().map(cell)),
            value => row.push(cell(value)),
        }
        rows.push(row);
    }
    let is_named = !columns.is_empty();
    if is_named {
        let mut names: Vec<(String, usize)> = columns.into_iter().collect();
        names.sort_by_key(|(_, column)| *column);
        rows.insert(0, names.into_iter().map(|(name, _)| name).collect());
    }
    Form::Table { rows, is_named }
}

fn cell(value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => clean(&text),
        other => other.to_string(),
    }
}
