//! Apache Parquet (apache/parquet-format, `README.md`, `Encodings.md`, `parquet.thrift`): plain
//! values, not compressed, one row group, or one a chunk where rows come little by little ([`Groups`]).
//!
//! Columns are `sentence` (text), `topic` (text or null; where there are topics) and `embedding` (a
//! list of float32).

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::files::Table;
use crate::files::thrift::{Kind, Thrift, push_varint};

const MAGIC: &[u8] = b"PAR1";
/// A page ends after so many bytes of values.
const PAGE_BYTES: usize = 1 << 20;

// Numbers of `parquet.thrift`.
const FLOAT: i32 = 4;
const BYTE_ARRAY: i32 = 6;
const REQUIRED: i32 = 0;
const OPTIONAL: i32 = 1;
const REPEATED: i32 = 2;
const UTF8: i32 = 0;
const CONVERTED_LIST: i32 = 3;
const LOGICAL_STRING: i16 = 1;
const LOGICAL_LIST: i16 = 3;
const PLAIN: i32 = 0;
const RLE: i32 = 3;
const DATA_PAGE: i32 = 0;
const UNCOMPRESSED: i32 = 0;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Column {
    Sentence,
    Topic,
    Embedding,
}

/// What the footer says of a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Chunk {
    column: Column,
    offset: usize,
    bytes: usize,
    values: usize,
}

/// Rows that were written together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Group {
    chunks: Vec<Chunk>,
    rows: usize,
}

/// A file that grows by a row group a table, without topics. What was written so far is a value, so that
/// a file that was broken off can be gone on with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Groups {
    offset: usize,
    groups: Vec<Group>,
}

impl Groups {
    /// What a file begins with.
    pub fn begin(&mut self) -> &'static [u8] {
        self.offset = MAGIC.len();
        MAGIC
    }

    /// The bytes of a table's row group.
    pub fn push(&mut self, table: &Table) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut chunks = Vec::new();
        for column in [Column::Sentence, Column::Embedding] {
            let mut chunk =
                Chunk { column, offset: self.offset + bytes.len(), bytes: 0, values: 0 };
            let mut row = 0;
            while row < table.sentences.len() {
                let rows = page_rows(table, column, row);
                row = rows.end;
                let (mut page, values) = page(table, column, rows);
                chunk.values += values;
                chunk.bytes += page.len();
                bytes.append(&mut page);
            }
            chunks.push(chunk);
        }
        self.offset += bytes.len();
        self.groups.push(Group { chunks, rows: table.sentences.len() });
        bytes
    }

    /// What a file ends with.
    pub fn finish(&self) -> Vec<u8> {
        footer(&self.groups)
    }
}

/// The file, piece by piece.
pub(super) fn pieces(table: &Table) -> impl Iterator<Item = Vec<u8>> {
    let columns: &[Column] = if table.has_topics() {
        &[Column::Sentence, Column::Topic, Column::Embedding]
    } else {
        &[Column::Sentence, Column::Embedding]
    };
    let mut columns = columns.iter();
    let mut chunks: Vec<Chunk> = Vec::new();
    let (mut offset, mut row, mut ended) = (0, 0, false);
    let next = move || {
        let piece = if offset == 0 {
            MAGIC.to_vec()
        } else if let Some(chunk) = chunks.last_mut().filter(|_| row < table.sentences.len()) {
            let rows = page_rows(table, chunk.column, row);
            row = rows.end;
            let (page, values) = page(table, chunk.column, rows);
            chunk.values += values;
            chunk.bytes += page.len();
            page
        } else if let Some(column) = columns.next() {
            chunks.push(Chunk { column: *column, offset, bytes: 0, values: 0 });
            row = 0;
            return Some(Vec::new());
        } else if ended {
            return None;
        } else {
            ended = true;
            let rows = table.sentences.len();
            footer(&[Group { chunks: std::mem::take(&mut chunks), rows }])
        };
        offset += piece.len();
        Some(piece)
    };
    std::iter::from_fn(next).filter(|piece| !piece.is_empty())
}

/// Rows from `start` on that make a page.
fn page_rows(table: &Table, column: Column, start: usize) -> Range<usize> {
    let bytes = |row: usize| match column {
        Column::Sentence => table.sentences.get(row).map_or(0, String::len) + 4,
        Column::Topic => table.topics.get(row).map_or(0, String::len) + 4,
        Column::Embedding => 4 * table.dimensions,
    };
    let (mut end, mut sum) = (start, 0);
    while end < table.sentences.len() && (end == start || sum + bytes(end) <= PAGE_BYTES) {
        sum += bytes(end);
        end += 1;
    }
    start..end
}

/// A page with its header, and how many values it holds, nulls included.
fn page(table: &Table, column: Column, rows: Range<usize>) -> (Vec<u8>, usize) {
    let count = rows.len();
    let (mut body, mut values) = (Vec::new(), count);
    match column {
        Column::Sentence => {
            table.rows(rows).for_each(|(sentence, _, _)| push_text(&mut body, sentence));
        }
        Column::Topic => {
            let is_there = table.rows(rows.clone()).map(|(_, topic, _)| !topic.is_empty());
            push_levels(&mut body, is_there.map(|is_there| (is_there, 1)));
            let topics = table.rows(rows).map(|(_, topic, _)| topic);
            topics.filter(|topic| !topic.is_empty()).for_each(|it| push_text(&mut body, it));
        }
        Column::Embedding => {
            values = count * table.dimensions;
            // A list begins at repetition level 0 and goes on at 1; every element is there.
            let lists =
                (0..count).flat_map(|_| [(false, 1), (true, table.dimensions.saturating_sub(1))]);
            push_levels(&mut body, lists);
            push_levels(&mut body, std::iter::once((true, values)));
            let numbers = table.rows(rows).flat_map(|(_, _, vector)| vector);
            numbers.for_each(|value| body.extend_from_slice(&value.to_le_bytes()));
        }
    }
    let mut page = page_header(body.len(), values);
    page.append(&mut body);
    (page, values)
}

/// A text, with its length before it.
fn push_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

/// Levels of 0 or 1 as runs of equal ones, with their length in bytes before them.
fn push_levels(bytes: &mut Vec<u8>, runs: impl Iterator<Item = (bool, usize)>) {
    let mut encoded = Vec::new();
    let mut push = |(level, count): (bool, usize)| {
        if count > 0 {
            push_varint(&mut encoded, (count as u64) << 1);
            encoded.push(u8::from(level));
        }
    };
    let mut run = (false, 0);
    for (level, count) in runs {
        if level != run.0 {
            push(std::mem::replace(&mut run, (level, 0)));
        }
        run.1 += count;
    }
    push(run);
    bytes.extend_from_slice(&(encoded.len() as u32).to_le_bytes());
    bytes.append(&mut encoded);
}

fn page_header(bytes: usize, values: usize) -> Vec<u8> {
    let mut header = Thrift::new();
    header.i32(1, DATA_PAGE);
    // Uncompressed, and as it stands here: a page is a megabyte, or one row.
    header.i32(2, bytes as i32);
    header.i32(3, bytes as i32);
    header.open(5);
    header.i32(1, values as i32);
    header.i32(2, PLAIN);
    header.i32(3, RLE);
    header.i32(4, RLE);
    header.close();
    header.finish()
}

fn footer(groups: &[Group]) -> Vec<u8> {
    let mut footer = Thrift::new();
    footer.i32(1, 1);
    let has_topics =
        groups.iter().flat_map(|group| &group.chunks).any(|it| it.column == Column::Topic);
    schema(&mut footer, has_topics);
    footer.i64(3, groups.iter().map(|group| group.rows as i64).sum());
    footer.list(4, Kind::Struct, groups.len());
    for Group { chunks, rows } in groups {
        footer.open_item();
        footer.list(1, Kind::Struct, chunks.len());
        chunks.iter().for_each(|chunk| chunk.describe(&mut footer));
        footer.i64(2, chunks.iter().map(|chunk| chunk.bytes as i64).sum());
        footer.i64(3, *rows as i64);
        footer.close();
    }
    footer.text(6, "SimCSE Lab");
    let mut bytes = footer.finish();
    let length = bytes.len() as u32;
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(MAGIC);
    bytes
}

impl Chunk {
    fn describe(&self, footer: &mut Thrift) {
        let (kind, path): (i32, &[&str]) = match self.column {
            Column::Sentence => (BYTE_ARRAY, &["sentence"]),
            Column::Topic => (BYTE_ARRAY, &["topic"]),
            Column::Embedding => (FLOAT, &["embedding", "list", "element"]),
        };
        footer.open_item();
        footer.i64(2, self.offset as i64);
        footer.open(3);
        footer.i32(1, kind);
        footer.list(2, Kind::I32, 2);
        footer.i32_item(PLAIN);
        footer.i32_item(RLE);
        footer.list(3, Kind::Text, path.len());
        path.iter().for_each(|part| footer.text_item(part));
        footer.i32(4, UNCOMPRESSED);
        footer.i64(5, self.values as i64);
        footer.i64(6, self.bytes as i64);
        footer.i64(7, self.bytes as i64);
        footer.i64(9, self.offset as i64);
        footer.close();
        footer.close();
    }
}

/// A tree, the root first, every branch before its leaves.
fn schema(footer: &mut Thrift, has_topics: bool) {
    footer.list(2, Kind::Struct, 5 + usize::from(has_topics));
    footer.open_item();
    footer.text(4, "schema");
    footer.i32(5, 2 + i32::from(has_topics));
    footer.close();
    text_leaf(footer, "sentence", REQUIRED);
    if has_topics {
        text_leaf(footer, "topic", OPTIONAL);
    }
    footer.open_item();
    footer.i32(3, REQUIRED);
    footer.text(4, "embedding");
    footer.i32(5, 1);
    footer.i32(6, CONVERTED_LIST);
    logical(footer, LOGICAL_LIST);
    footer.close();
    footer.open_item();
    footer.i32(3, REPEATED);
    footer.text(4, "list");
    footer.i32(5, 1);
    footer.close();
    footer.open_item();
    footer.i32(1, FLOAT);
    footer.i32(3, REQUIRED);
    footer.text(4, "element");
    footer.close();
}

fn text_leaf(footer: &mut Thrift, name: &str, repetition: i32) {
    footer.open_item();
    footer.i32(1, BYTE_ARRAY);
    footer.i32(3, repetition);
    footer.text(4, name);
    footer.i32(6, UTF8);
    logical(footer, LOGICAL_STRING);
    footer.close();
}

/// A union with nothing in it but which one it is.
fn logical(footer: &mut Thrift, which: i16) {
    footer.open(10);
    footer.open(which);
    footer.close();
    footer.close();
}
