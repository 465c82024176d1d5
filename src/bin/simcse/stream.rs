//! Rows of large files, one after another: text, JSON lines, CSV, TSV, Parquet.

use std::fs::File;
use std::io;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use anyhow::Context;
use parquet::file::reader::SerializedFileReader;
use serde_json::{Map, Value};

use crate::simcse::arguments::StreamOptions;

/// What a column of texts is often called.
const NAMES: [&str; 8] =
    ["text", "sentence", "passage", "content", "body", "question", "query", "title"];

/// A row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Record {
    /// Of the file's own, where a column was named for it.
    pub id: Option<String>,
    /// `None`: the row has none.
    pub text: Option<String>,
    /// What else stands in it.
    pub rest: Map<String, Value>,
}

/// Rows on their way.
pub struct Records {
    rows: Box<dyn Iterator<Item = anyhow::Result<Row>>>,
    column: Column,
    id_column: Option<String>,
}

/// A row as its file has it.
enum Row {
    Line(String),
    Fields(Map<String, Value>),
}

/// Where the text is.
enum Column {
    Named(String),
    /// Settled by the first row.
    Open,
}

/// The kind of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Lines,
    JsonLines,
    Table(u8),
    Parquet,
}

fn kind(path: &Path, jsonl: bool) -> Kind {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    match ending.as_deref() {
        _ if jsonl => Kind::JsonLines,
        Some("jsonl" | "ndjson") => Kind::JsonLines,
        Some("csv") => Kind::Table(b','),
        Some("tsv" | "tab") => Kind::Table(b'\t'),
        Some("parquet") => Kind::Parquet,
        _ => Kind::Lines,
    }
}

/// Opens a file, or standard input for `-`.
pub fn open(path: &Path, options: &StreamOptions) -> anyhow::Result<Records> {
    let context = || format!("{} cannot be read", path.display());
    let reader: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path).with_context(context)?)
    };
    let rows: Box<dyn Iterator<Item = anyhow::Result<Row>>> = match kind(path, options.jsonl) {
        Kind::Lines => Box::new(lines(reader).map(|line| Ok(Row::Line(line?.1)))),
        Kind::JsonLines => Box::new(json_lines(reader)),
        Kind::Table(separator) => Box::new(table(reader, separator)),
        Kind::Parquet => Box::new(parquet_rows(path).with_context(context)?),
    };
    let column = options.column.clone().map_or(Column::Open, Column::Named);
    Ok(Records { rows, column, id_column: options.id_column.clone() })
}

/// Lines with their numbers, without their ends; a mark at the beginning is none of the text.
fn lines(reader: Box<dyn Read>) -> impl Iterator<Item = anyhow::Result<(usize, String)>> {
    BufReader::new(reader).lines().enumerate().map(|(place, line)| {
        let line = line.with_context(|| {
            format!("line {} is not UTF-8 text; convert the file to UTF-8", place + 1)
        })?;
        let bare = line.strip_prefix('\u{feff}').filter(|_| place == 0);
        Ok((place + 1, bare.map(str::to_owned).unwrap_or(line)))
    })
}

fn json_lines(reader: Box<dyn Read>) -> impl Iterator<Item = anyhow::Result<Row>> {
    let filled = |line: &anyhow::Result<(usize, String)>| {
        line.as_ref().map_or(true, |(_, line)| !line.trim().is_empty())
    };
    lines(reader).filter(filled).map(|line| {
        let (number, line) = line?;
        let value: Value = serde_json::from_str(&line).with_context(|| {
            format!("line {number} cannot be read; a line is {{\"text\": \"A sentence.\"}}")
        })?;
        Ok(match value {
            Value::Object(fields) => Row::Fields(fields),
            Value::String(text) => Row::Line(text),
            _ => Row::Fields(Map::new()),
        })
    })
}

fn table(reader: Box<dyn Read>, separator: u8) -> impl Iterator<Item = anyhow::Result<Row>> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .flexible(true)
        .quoting(separator != b'\t')
        .from_reader(BufReader::new(reader));
    let names = reader.headers().cloned();
    let mut records = reader.into_records();
    let mut failed = false;
    std::iter::from_fn(move || {
        if failed {
            return None;
        }
        let names = match &names {
            Ok(names) => names,
            Err(error) => {
                failed = true;
                return Some(Err(anyhow::anyhow!("the first line cannot be read: {error}")));
            }
        };
        let record = records.next()?;
        Some(record.context("a row cannot be read").map(|record| {
            let cells = names.iter().zip(record.iter());
            let fields = cells.map(|(name, cell)| (name.trim().to_owned(), Value::from(cell)));
            Row::Fields(fields.collect())
        }))
    })
}

fn parquet_rows(path: &Path) -> anyhow::Result<impl Iterator<Item = anyhow::Result<Row>> + use<>> {
    let reader = SerializedFileReader::new(File::open(path)?)
        .context("it is no Parquet file, or one cut off")?;
    Ok(reader.into_iter().map(|row| {
        let value = row.context("a row of the Parquet file cannot be read")?.to_json_value();
        Ok(match value {
            Value::Object(fields) => Row::Fields(fields),
            _ => Row::Fields(Map::new()),
        })
    }))
}

impl Iterator for Records {
    type Item = anyhow::Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = match self.rows.next()? {
            Ok(row) => row,
            Err(error) => return Some(Err(error)),
        };
        Some(self.record(row))
    }
}

impl Records {
    fn record(&mut self, row: Row) -> anyhow::Result<Record> {
        let mut rest = match row {
            Row::Line(text) => return Ok(Record { text: Some(text), ..Record::default() }),
            Row::Fields(fields) => fields,
        };
        if let Column::Open = self.column {
            self.column = Column::Named(likeliest(&rest)?);
        }
        let Column::Named(name) = &self.column else { anyhow::bail!("no column is chosen") };
        let text = match rest.remove(name) {
            Some(Value::String(text)) => Some(text),
            Some(Value::Null) | None => None,
            Some(other) => Some(other.to_string()),
        };
        let id = self.id_column.as_ref().and_then(|name| rest.remove(name));
        let id = id.filter(|id| !id.is_null()).map(|id| match id {
            Value::String(id) => id,
            other => other.to_string(),
        });
        Ok(Record { id, text, rest })
    }
}

/// The column of texts: by its name, else the longest of the first row.
fn likeliest(fields: &Map<String, Value>) -> anyhow::Result<String> {
    let named = |name: &&str| fields.get(*name).is_some_and(Value::is_string);
    if let Some(name) = NAMES.iter().find(|name| named(name)) {
        return Ok((*name).to_owned());
    }
    let texts = fields.iter().filter_map(|(name, value)| Some((name, value.as_str()?.len())));
    let longest = texts.max_by_key(|(_, length)| *length).map(|(name, _)| name.clone());
    longest.context("the first row has no text; name the column with --column")
}
