//! What a visitor pastes or drops, read as sentences or as pairs.
//!
//! Rules, in this order:
//! 1. Tab-separated lines, and tables (`.csv`, `.tsv`) of two or more columns, are *pairs*. A column
//!    of numbers is the gold score.
//! 2. Everything else is *sentences*, one a line.
//!
//! Nothing is dropped silently: what could not be read is counted in [`Reading::skipped`].

use std::io::Read;

/// Two sentences.
pub type Pair = (String, String);

/// The cells of a table, row by row.
pub(super) type Rows = Vec<Vec<String>>;

/// Rows, and the line that each begins at, from 1.
pub(super) type PlacedRows = (Rows, Vec<usize>);

/// A text, cut into cells or lines.
pub(super) enum Cut {
    Table(PlacedRows),
    Lines(Vec<String>),
}

/// What was understood.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Content {
    #[default]
    Empty,
    Sentences(Vec<String>),
    /// `gold` is empty or has one finite score a pair.
    Pairs {
        pairs: Vec<Pair>,
        gold: Vec<f32>,
    },
}

impl Content {
    /// Number of sentences or pairs.
    pub fn len(&self) -> usize {
        match self {
            Self::Empty => 0,
            Self::Sentences(sentences) => sentences.len(),
            Self::Pairs { pairs, .. } => pairs.len(),
        }
    }

    /// Whether there is nothing to work on.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A list together with what the reader had to decide.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reading {
    pub content: Content,
    /// Rows left out because they lack a second sentence, or a score where the others have one.
    pub skipped: usize,
    /// The first of them that has something else in the place of its score.
    pub bad_score: Option<BadScore>,
}

/// What stands where a score should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadScore {
    pub text: String,
    /// Line of the text, from 1.
    pub line: usize,
}

/// Why a file could not be read as text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    #[error("not UTF-8 text (first bad byte at {position})")]
    Encoding { position: usize },
    #[error("holds binary data (a zero byte at {position})")]
    Binary { position: usize },
    #[error("the table cannot be read (line {line}): {detail}")]
    Table { line: u64, detail: String },
}

/// A file's bytes as text: UTF-8, or UTF-16 where it begins with a byte order mark.
///
/// # Errors
/// [`ListError::Encoding`] and [`ListError::Binary`].
pub fn decode(bytes: &[u8]) -> Result<String, ListError> {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => utf8(bytes),
    }
}

fn utf8(bytes: &[u8]) -> Result<String, ListError> {
    if let Some(position) = bytes.iter().position(|&byte| byte == 0) {
        return Err(ListError::Binary { position });
    }
    std::str::from_utf8(bytes)
        .map(str::to_owned)
        .map_err(|error| ListError::Encoding { position: error.valid_up_to() })
}

/// `bytes` come after a byte order mark of two.
fn utf16(bytes: &[u8], read: fn([u8; 2]) -> u16) -> Result<String, ListError> {
    let (units, half) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len());
    let mut position = 2;
    for character in char::decode_utf16(units.iter().map(|unit| read(*unit))) {
        match character {
            Ok('\0') => return Err(ListError::Binary { position }),
            Ok(character) => {
                text.push(character);
                position += 2 * character.len_utf16();
            }
            Err(_) => return Err(ListError::Encoding { position }),
        }
    }
    if half.is_empty() { Ok(text) } else { Err(ListError::Encoding { position }) }
}

/// Pasted text.
pub fn read_pasted(text: &str) -> Reading {
    understood(cut_pasted(text))
}

fn understood(cut: Cut) -> Reading {
    match cut {
        Cut::Table((rows, places)) => pairs_from_rows(rows, &places),
        Cut::Lines(sentences) if sentences.is_empty() => Reading::default(),
        Cut::Lines(sentences) => {
            Reading { content: Content::Sentences(sentences), ..Reading::default() }
        }
    }
}

/// Lines that most have a tab in, and comma tables with a column of scores, are tables.
pub(super) fn cut_pasted(text: &str) -> Cut {
    let lines: Vec<&str> = lines(text).collect();
    let places = || text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    let tabbed = lines.iter().filter(|line| line.contains('\t')).count();
    // A stray tab inside prose must not turn a list of sentences into pairs.
    if tabbed * 2 > lines.len() {
        let rows = lines.iter().map(|line| line.split('\t').map(clean).collect()).collect();
        return Cut::Table((rows, places().map(|(_, place)| place).collect()));
    }
    match scored_table(text) {
        Some(table) => Cut::Table(table),
        None => Cut::Lines(lines.into_iter().map(clean).collect()),
    }
}

/// A dropped or picked file; tables are recognised by the ending of `name`.
///
/// # Errors
/// Where the bytes are not text, or a table has an unclosed quote.
pub fn read_file(name: &str, bytes: &[u8]) -> Result<Reading, ListError> {
    let text = decode(bytes)?;
    let ending = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    match ending.as_str() {
        "csv" => Ok(understood(cut_table(&text, COMMAS)?)),
        "tsv" | "tab" => Ok(understood(cut_table(&text, b"\t")?)),
        _ => Ok(read_pasted(&text)),
    }
}

/// What may part the cells of a `.csv`.
pub(super) const COMMAS: &[u8] = b",;\t|";

/// Rows by which a separator is judged: a long table is not cut to its end four times.
const JUDGED_ROWS: usize = 2_000;

pub(super) fn cut_table(text: &str, separators: &[u8]) -> Result<Cut, ListError> {
    match judge(text, separators) {
        Judged::Table(separator) | Judged::Broken(separator) => {
            Ok(Cut::Table(placed_rows(text, separator)?))
        }
        Judged::OneColumn(separator) => {
            Ok(Cut::Lines(one_column(text, &placed_rows(text, separator)?.0)))
        }
        Judged::Nothing => Ok(Cut::Lines(Vec::new())),
    }
}

/// What a text is, taken for a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judged {
    /// Two columns or more, parted by this.
    Table(u8),
    OneColumn(u8),
    /// A quote is not closed.
    Broken(u8),
    /// There is no separator to try.
    Nothing,
}

/// The separator is the one that cuts most rows into no fewer cells than the first row; of equals
/// the one that gives more cells, then the earlier in `separators`. The first row alone would not
/// do: a sentence in it may hold more semicolons than the table has columns.
pub(super) fn judge(text: &str, separators: &[u8]) -> Judged {
    let mut best: Option<((usize, usize), u8)> = None;
    let (mut narrow, mut broken) = (None, None);
    for &separator in separators {
        let Ok((rows, _)) = first_rows(text, separator, JUDGED_ROWS) else {
            broken = broken.or(Some(separator));
            continue;
        };
        match regularity(&rows) {
            Some(found) if best.is_none_or(|(best, _)| found > best) => {
                best = Some((found, separator));
            }
            Some(_) => {}
            None => narrow = narrow.or(Some(separator)),
        }
    }
    match (best, broken, narrow) {
        (Some((_, separator)), ..) => Judged::Table(separator),
        (None, Some(separator), _) => Judged::Broken(separator),
        (None, None, Some(separator)) => Judged::OneColumn(separator),
        (None, None, None) => Judged::Nothing,
    }
}

/// How many rows are at least as wide as the first, and that width; `None` for what is no table,
/// where less than half of the rows have two cells.
fn regularity(rows: &[Vec<String>]) -> Option<(usize, usize)> {
    let width = rows.first().map(Vec::len).filter(|width| *width >= 2)?;
    let at_least = |width: usize| rows.iter().filter(|row| row.len() >= width).count();
    (at_least(2) * 2 >= rows.len()).then(|| (at_least(width), width))
}

/// Sentences without their quotes; whole lines where commas in prose cut some of them.
fn one_column(text: &str, rows: &[Vec<String>]) -> Vec<String> {
    if rows.iter().all(|row| row.len() == 1) {
        return rows.iter().flatten().filter(|cell| !cell.is_empty()).cloned().collect();
    }
    lines(text).map(clean).collect()
}

/// A pasted comma table is believed only where each line is `a,b,number`: prose has commas too.
fn scored_table(text: &str) -> Option<PlacedRows> {
    // Prose is not cut to its end only to be found prose.
    let is_scored = |row: &csv::StringRecord| row.len() == 3 && row.get(2).is_some_and(is_number);
    let is_filled = |row: &csv::StringRecord| row.iter().any(|cell| !cell.trim().is_empty());
    let mut first_rows = reader(text, b',').into_records().filter_map(Result::ok).filter(is_filled);
    if !first_rows.nth(1).is_some_and(|row| is_scored(&row)) {
        return None;
    }
    let (rows, places) = placed_rows(text, b',').ok()?;
    let is_scored =
        |row: &Vec<String>| row.len() == 3 && row.get(2).is_some_and(|it| is_number(it));
    let data = rows.get(1..)?;
    (!data.is_empty() && data.iter().all(is_scored)).then_some((rows, places))
}

fn is_number(cell: &str) -> bool {
    number(cell).is_some()
}

/// A row put after the text: a quote that is never closed swallows it, which the library does not
/// tell otherwise.
const LAST_ROW: &str = "\n\u{1}";

pub(super) fn rows(text: &str, separator: u8) -> Result<Rows, ListError> {
    placed_rows(text, separator).map(|(rows, _)| rows)
}

fn reader(text: &str, separator: u8) -> csv::Reader<impl Read> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .quoting(separator != b'\t')
        .from_reader(text.as_bytes().chain(LAST_ROW.as_bytes()))
}

/// The rows, and the line that each begins at, from 1.
fn placed_rows(text: &str, separator: u8) -> Result<PlacedRows, ListError> {
    first_rows(text, separator, usize::MAX)
}

/// As [`placed_rows`], at most so many; what comes after them is not looked at.
fn first_rows(text: &str, separator: u8, most: usize) -> Result<PlacedRows, ListError> {
    let mut reader = reader(text, separator);
    let (mut rows, mut places) = (Vec::new(), Vec::new());
    let (mut line, mut ended) = (0, false);
    for record in reader.records() {
        let record = record.map_err(|error| ListError::Table {
            line: error.position().map_or(0, csv::Position::line),
            detail: error.to_string(),
        })?;
        line = record.position().map_or(line, csv::Position::line);
        ended = record.len() == 1 && record.get(0) == LAST_ROW.get(1..);
        if !ended && record.iter().any(|cell| !cell.trim().is_empty()) {
            rows.push(record.iter().map(clean).collect());
            places.push(usize::try_from(line).unwrap_or(usize::MAX));
        }
        if rows.len() >= most {
            return Ok((rows, places));
        }
    }
    if !ended {
        let detail = "a quote is opened and never closed; a quote inside a text is written twice";
        return Err(ListError::Table { line, detail: detail.to_owned() });
    }
    Ok((rows, places))
}

/// Which columns hold the two sentences and the score.
struct Columns {
    first: usize,
    second: usize,
    score: Option<usize>,
    has_header: bool,
}

/// `places` are the lines that the rows begin at.
fn pairs_from_rows(rows: Rows, places: &[usize]) -> Reading {
    let columns = find_columns(&rows);
    let (mut pairs, mut gold, mut skipped) = (Vec::new(), Vec::new(), 0);
    let mut bad_score = None;
    for (row, line) in rows.into_iter().zip(places).skip(usize::from(columns.has_header)) {
        let cell = |column: usize| row.get(column).filter(|cell| !cell.is_empty()).cloned();
        let score = columns.score.map(|column| row.get(column).and_then(|cell| number(cell)));
        match (cell(columns.first), cell(columns.second), score) {
            (Some(first), Some(second), None) => pairs.push((first, second)),
            (Some(first), Some(second), Some(Some(score))) => {
                pairs.push((first, second));
                gold.push(score);
            }
            (Some(_), Some(_), Some(None)) => {
                skipped += 1;
                let text = columns.score.and_then(cell);
                bad_score = bad_score.or(text.map(|text| BadScore { text, line: *line }));
            }
            _ => skipped += 1,
        }
    }
    let content = if pairs.is_empty() { Content::Empty } else { Content::Pairs { pairs, gold } };
    Reading { content, skipped, bad_score }
}

fn find_columns(rows: &[Vec<String>]) -> Columns {
    let width = rows.iter().take(100).map(Vec::len).max().unwrap_or(0);
    let header = rows.first().map(Vec::as_slice).unwrap_or_default();
    let named = |names: &[&str]| {
        header.iter().position(|cell| names.contains(&cell.to_ascii_lowercase().as_str()))
    };
    let score = header.iter().position(|cell| {
        let name = cell.to_ascii_lowercase();
        ["score", "gold", "label", "similarity", "rating"].iter().any(|part| name.contains(part))
    });
    let first = named(&["sentence1", "sentence 1", "sentence_1", "sentence_a", "text1", "first"]);
    let second = named(&["sentence2", "sentence 2", "sentence_2", "sentence_b", "text2", "second"]);
    if let (Some(first), Some(second)) = (first, second) {
        return Columns { first, second, score, has_header: true };
    }
    let data = rows.get(1..).filter(|data| !data.is_empty()).unwrap_or(rows);
    let sample = &data[..data.len().min(200)];
    let is_number = |column: &usize| {
        let filled: Vec<_> =
            sample.iter().filter_map(|row| row.get(*column)).filter(|c| !c.is_empty()).collect();
        !filled.is_empty()
            // Half: a few cells that are no number are named, not taken for a column of words.
            && filled.iter().filter(|c| number(c).is_some()).count() * 2 >= filled.len()
    };
    let score = (0..width).rev().find(is_number).filter(|_| width > 2);
    let has_header = score.is_some_and(|column| {
        rows.len() > 1 && header.get(column).is_some_and(|cell| number(cell).is_none())
    });
    let mut texts: Vec<(usize, usize)> = (0..width)
        .filter(|column| Some(*column) != score)
        .map(|column| {
            (sample.iter().filter_map(|row| row.get(column)).map(String::len).sum(), column)
        })
        .collect();
    texts.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut chosen: Vec<usize> = texts.iter().take(2).map(|(_, column)| *column).collect();
    chosen.sort_unstable();
    Columns {
        first: chosen.first().copied().unwrap_or(0),
        second: chosen.get(1).copied().unwrap_or(1),
        score,
        has_header,
    }
}

pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim().is_empty())
}

pub(super) fn clean(cell: &str) -> String {
    cell.trim().to_owned()
}

/// A finite number, with a decimal comma allowed.
pub(super) fn number(cell: &str) -> Option<f32> {
    let cell = cell.trim();
    let parsed = cell.parse::<f32>().ok().or_else(|| cell.replace(',', ".").parse().ok());
    parsed.filter(|number| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::{BadScore, Content, ListError, decode, read_file, read_pasted};

    fn pair(a: &str, b: &str) -> (String, String) {
        (a.to_owned(), b.to_owned())
    }

    #[test]
    fn lines_are_sentences_and_commas_stay_inside_them() {
        let reading = read_pasted("Well, no.\n\n  A second, longer line. \r\n");
        assert_eq!(
            reading.content,
            Content::Sentences(vec!["Well, no.".into(), "A second, longer line.".into()])
        );
    }

    #[test]
    fn tabs_make_pairs_and_incomplete_rows_are_counted() {
        let reading = read_pasted("a cat\ta dog\none\ttwo\nlonely\n");
        let pairs = vec![pair("a cat", "a dog"), pair("one", "two")];
        assert_eq!(reading.content, Content::Pairs { pairs, gold: vec![] });
        assert_eq!(reading.skipped, 1);
    }

    #[test]
    fn a_third_number_is_the_gold_score_and_a_header_is_seen() {
        let text = "sentence1,sentence2,score\n\"a, b\",c,4.5\nd,e,0\n";
        let reading = read_file("pairs.CSV", text.as_bytes()).unwrap();
        let pairs = vec![pair("a, b", "c"), pair("d", "e")];
        assert_eq!(reading.content, Content::Pairs { pairs, gold: vec![4.5, 0.0] });
    }

    #[test]
    fn unnamed_headers_and_extra_columns_are_found_by_content() {
        let text = "id;left text;right text;rating\n1;a long sentence;another one;3,5\n2;more words here;and here;1\n";
        let reading = read_file("x.csv", text.as_bytes()).unwrap();
        let pairs =
            vec![pair("a long sentence", "another one"), pair("more words here", "and here")];
        assert_eq!(reading.content, Content::Pairs { pairs, gold: vec![3.5, 1.0] });
    }

    #[test]
    fn a_one_column_table_is_a_list() {
        let reading = read_file("x.csv", b"first sentence\nsecond sentence\n").unwrap();
        assert_eq!(reading.content.len(), 2);
        assert!(matches!(reading.content, Content::Sentences(_)));
    }

    #[test]
    fn commas_in_a_one_column_table_are_prose() {
        let text = "No.\nWell, no.\n\"Yes, yes.\"\nA third, shorter one.\n";
        let Content::Sentences(found) = read_file("x.csv", text.as_bytes()).unwrap().content else {
            panic!("sentences")
        };
        assert_eq!(found[1], "Well, no.");
        assert_eq!(found.len(), 4);
    }

    #[test]
    fn the_separator_is_the_one_that_the_rows_agree_on() {
        let reading = read_file("x.csv", b"a; b; c; d,x y,3\nq q,r,4\ns,t,1\n").unwrap();
        let pairs = vec![pair("a; b; c; d", "x y"), pair("q q", "r"), pair("s", "t")];
        assert_eq!(reading.content, Content::Pairs { pairs, gold: vec![3.0, 4.0, 1.0] });
    }

    #[test]
    fn rows_narrower_than_the_header_are_pairs_still() {
        let text = b"first\tsecond\tnote\tsource\na\tb\nc\td\ne\tf\n";
        let reading = read_file("x.tsv", text).unwrap();
        let pairs = vec![pair("a", "b"), pair("c", "d"), pair("e", "f")];
        assert_eq!(reading.content, Content::Pairs { pairs, gold: vec![] });
    }

    #[test]
    fn a_named_score_is_found_by_a_part_of_its_name() {
        let reading = read_file("x.csv", b"sentence1,sentence2,gold_score\na,b,3\n").unwrap();
        assert!(matches!(reading.content, Content::Pairs { ref gold, .. } if gold == &[3.0]));
    }

    #[test]
    fn a_long_table_is_judged_by_its_beginning_and_read_to_its_end() {
        let rows: String =
            (0..5_000).map(|row| format!("left {row},\"right, {row}\",2\n")).collect();
        let reading = read_file("x.csv", rows.as_bytes()).unwrap();
        assert_eq!((reading.content.len(), reading.skipped), (5_000, 0));
        let error = read_file("x.csv", format!("{rows}last,\"open,1\n").as_bytes()).unwrap_err();
        assert!(matches!(error, ListError::Table { line: 5_001, .. }), "{error}");
    }

    #[test]
    fn an_open_quote_swallows_nothing_unsaid() {
        let text = b"a,b,3\n\"open, x,2\nq,r,4\n";
        let error = read_file("x.csv", text).unwrap_err();
        assert!(matches!(error, ListError::Table { line: 2, .. }), "{error}");
        assert!(read_file("x.csv", b"a \"quoted\" word,b,3\n5\" wide,d,2\n").is_ok());
    }

    #[test]
    fn a_pasted_scored_table_is_read() {
        let reading = read_pasted("a cat,a dog,3\nsun,rain,1\n");
        assert!(matches!(reading.content, Content::Pairs { ref gold, .. } if gold == &[3.0, 1.0]));
    }

    #[test]
    fn a_score_that_is_no_number_costs_its_row_alone_and_is_named() {
        let bad = |text: &str, line| Some(BadScore { text: text.into(), line });
        let reading = read_pasted("a\tb\t1\n\nc\td\tnone\ne\tf\t3\n");
        assert_eq!((reading.content.len(), reading.skipped), (2, 1));
        assert_eq!(reading.bad_score, bad("none", 3));
        let table = b"sentence1,sentence2,score\n\"a\nb\",c,2\nd,e,x2\nf,g,1\nh,i,\n";
        let reading = read_file("x.csv", table).unwrap();
        assert!(matches!(reading.content, Content::Pairs { ref gold, .. } if gold == &[2.0, 1.0]));
        assert_eq!((reading.skipped, reading.bad_score), (2, bad("x2", 4)));
    }

    #[test]
    fn rows_without_a_score_are_left_out_where_others_have_one() {
        let reading = read_pasted(
            "a\tb\t1\nc\td\t2\ne\tf\t3\ng\th\t4\ni\tj\t5\nk\tl\t6\nm\tn\t7\no\tp\t8\nq\tr\t9\ns\tt\tnone\n",
        );
        assert_eq!((reading.content.len(), reading.skipped), (9, 1));
    }

    #[test]
    fn encodings_are_recognised_or_refused_with_the_position() {
        assert_eq!(decode(b"\xef\xbb\xbfhi").unwrap(), "hi");
        assert_eq!(decode(b"\xff\xfeh\0i\0").unwrap(), "hi");
        assert_eq!(decode(b"\xfe\xff\0h\xd8\0"), Err(ListError::Encoding { position: 4 }));
        assert_eq!(decode(b"\xff\xfeh\0i"), Err(ListError::Encoding { position: 4 }));
        assert_eq!(decode(b"\xff\xfeh\0\0\0"), Err(ListError::Binary { position: 4 }));
        assert_eq!(decode(b"ab\xff"), Err(ListError::Encoding { position: 2 }));
        assert_eq!(decode(b"a\0b"), Err(ListError::Binary { position: 1 }));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_panic_and_without_losing_lines(text in ".{0,400}") {
            let reading = read_pasted(&text);
            if let Content::Sentences(sentences) = &reading.content {
                proptest::prop_assert_eq!(
                    sentences.len(),
                    text.lines().filter(|line| !line.trim().is_empty()).count()
                );
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(0u8.., 0..300)) {
            let _ = read_file("x.csv", &bytes);
            let _ = read_file("x.tsv", &bytes);
        }
    }
}
