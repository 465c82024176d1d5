//! What a file is: lines, Markdown, a table, JSON.

use crate::text::book::source::Source;
use crate::text::lists::{COMMAS, Judged, judge, number};

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Lines,
    Markdown,
    /// Cells are parted by this.
    Table {
        separator: u8,
    },
    /// A value a line.
    JsonLines,
    /// One array.
    Json,
}

impl Form {
    /// In words, for the preview.
    pub fn name(self) -> String {
        match self {
            Self::Lines => "lines".to_owned(),
            Self::Markdown => "Markdown".to_owned(),
            Self::Table { separator: b'\t' } => "TSV".to_owned(),
            Self::Table { separator } => format!("CSV, separated by {}", char::from(separator)),
            Self::JsonLines => "JSON lines".to_owned(),
            Self::Json => "JSON".to_owned(),
        }
    }
}

/// Lines that are looked at.
const SAMPLE: usize = 60;

/// What a text is, by the ending of its file's name, else by how it looks.
pub fn of(source: &Source, name: Option<&str>) -> Form {
    let text = source.text.as_str();
    let ending = name.and_then(|name| name.rsplit_once('.')).map(|(_, end)| end);
    match ending.map(str::to_ascii_lowercase).as_deref() {
        Some("csv") => table(text, COMMAS),
        Some("tsv" | "tab") => table(text, b"\t"),
        Some("jsonl" | "ndjson") => Form::JsonLines,
        Some("json") => json(text),
        Some("md" | "markdown") => Form::Markdown,
        _ => looks(text),
    }
}

fn table(text: &str, separators: &[u8]) -> Form {
    match judge(text, separators) {
        Judged::Table(separator) | Judged::Broken(separator) => Form::Table { separator },
        // Quotes around the lines of a single column are none of the text.
        Judged::OneColumn(separator) if is_narrow(text, separator) => Form::Table { separator },
        Judged::OneColumn(_) | Judged::Nothing => Form::Lines,
    }
}

/// Whether no line looks as if it had two cells; else commas in prose would cut it.
fn is_narrow(text: &str, separator: u8) -> bool {
    let first = || text.lines().take(SAMPLE);
    first().all(|line| line.trim().starts_with('"') || !line.as_bytes().contains(&separator))
}

fn json(text: &str) -> Form {
    if text.trim_start().starts_with('[') { Form::Json } else { Form::JsonLines }
}

/// A pasted text, or a file whose name says nothing.
fn looks(text: &str) -> Form {
    let lines = || text.lines().filter(|line| !line.trim().is_empty()).take(SAMPLE);
    let count = lines().count();
    let share = |is: fn(&str) -> bool| lines().filter(|line| is(line.trim())).count() * 2 > count;
    if count > 0 && share(|line| line.starts_with('{') && line.ends_with('}')) {
        return Form::JsonLines;
    }
    if share(|line| line.contains('\t')) {
        return Form::Table { separator: b'\t' };
    }
    // Prose has commas too: every line must have the same number of cells, under names.
    let even = b",;|".iter().copied().find(|separator| is_even_table(lines(), *separator));
    match even {
        Some(separator) => Form::Table { separator },
        None => Form::Lines,
    }
}

fn is_even_table<'a>(lines: impl Iterator<Item = &'a str>, separator: u8) -> bool {
    let mut widths = lines.map(|line| {
        let mut cells = 0;
        let is_quoted = |quoted: bool, byte: u8| if byte == b'"' { !quoted } else { quoted };
        line.bytes().fold(false, |quoted, byte| {
            cells += usize::from(byte == separator && !quoted);
            is_quoted(quoted, byte)
        });
        (cells + 1, line)
    });
    let Some((width, names)) = widths.next() else { return false };
    let is_word = |cell: &str| {
        let cell = cell.trim().trim_matches('"');
        cell.split_whitespace().count() == 1
            && number(cell).is_none()
            && !cell.ends_with(['.', '!', '?'])
    };
    let mut rows = 0;
    let even = widths.all(|(cells, _)| {
        rows += 1;
        cells == width
    });
    let named = names.split(char::from(separator)).all(is_word);
    width > 1 && rows > 0 && even && named
}
