//! Files of text, a row a sentence: CSV, JSON lines, the two of TensorFlow's Embedding Projector.

use std::fmt::Write;
use std::ops::Range;

use crate::files::Table;

/// The first line of a CSV: `sentence`, `topic` where there are topics, `d1` to `dN`.
pub(super) fn csv_head(table: &Table) -> Vec<u8> {
    let mut head = String::from("sentence");
    if table.has_topics() {
        head.push_str(",topic");
    }
    for dimension in 1..=table.dimensions {
        push(&mut head, format_args!(",d{dimension}"));
    }
    head.push('\n');
    head.into_bytes()
}

/// Rows of a CSV.
pub(super) fn csv(table: &Table, rows: Range<usize>) -> Vec<u8> {
    let mut text = String::new();
    for (sentence, topic, vector) in table.rows(rows) {
        quote(&mut text, sentence);
        if table.has_topics() {
            text.push(',');
            quote(&mut text, topic);
        }
        for value in vector {
            push(&mut text, format_args!(",{value}"));
        }
        text.push('\n');
    }
    text.into_bytes()
}

/// A cell in quotes where it must be (RFC 4180).
fn quote(text: &mut String, cell: &str) {
    let plain = !cell.contains(['"', ',', '\n', '\r']) && cell.trim() == cell && !cell.is_empty();
    if plain {
        return text.push_str(cell);
    }
    text.push('"');
    text.push_str(&cell.replace('"', "\"\""));
    text.push('"');
}

/// Rows of JSON lines.
pub(super) fn json_lines(table: &Table, rows: Range<usize>) -> Vec<u8> {
    let mut text = String::new();
    for (sentence, topic, vector) in table.rows(rows) {
        push(&mut text, format_args!("{{\"text\":{}", json(sentence)));
        if !topic.is_empty() {
            push(&mut text, format_args!(",\"topic\":{}", json(topic)));
        }
        text.push_str(",\"embedding\":[");
        for (place, value) in vector.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            push(&mut text, format_args!("{comma}{value}"));
        }
        text.push_str("]}\n");
    }
    text.into_bytes()
}

fn json(text: &str) -> String {
    // Text can always be written.
    serde_json::to_string(text).unwrap_or_default()
}

/// Rows of the projector's vectors: numbers between tabs.
pub(super) fn projector_vectors(table: &Table, rows: Range<usize>) -> Vec<u8> {
    let mut text = String::new();
    for (_, _, vector) in table.rows(rows) {
        for (place, value) in vector.iter().enumerate() {
            let tab = if place == 0 { "" } else { "\t" };
            push(&mut text, format_args!("{tab}{value}"));
        }
        text.push('\n');
    }
    text.into_bytes()
}

/// The projector wants names of columns where there are two, and none where there is one.
pub(super) fn projector_metadata_head(table: &Table) -> Vec<u8> {
    if table.has_topics() { b"sentence\ttopic\n".to_vec() } else { Vec::new() }
}

/// Rows of the projector's metadata. Tabs and line breaks inside a cell become spaces, for it knows
/// no quotes.
pub(super) fn projector_metadata(table: &Table, rows: Range<usize>) -> Vec<u8> {
    let mut text = String::new();
    let line = |cell: &str| cell.replace(['\t', '\n', '\r'], " ");
    for (sentence, topic, _) in table.rows(rows) {
        text.push_str(&line(sentence));
        if table.has_topics() {
            text.push('\t');
            text.push_str(&line(topic));
        }
        text.push('\n');
    }
    text.into_bytes()
}

fn push(text: &mut String, what: std::fmt::Arguments<'_>) {
    // A string takes everything.
    let _ = text.write_fmt(what);
}
