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

#[cfg(test)]
mod tests {
    use super::{Entry, Reading, read};
    use crate::text::columns::Roles;
    use crate::text::lists::ListError;

    fn of(name: &str, text: &str) -> Reading {
        read(text, Some(name).filter(|name| !name.is_empty()), None).unwrap()
    }

    fn roles(name: &str, text: &str) -> Roles {
        of(name, text).table.expect("a table").roles
    }

    /// Sentences with their topics.
    fn topics(reading: &Reading) -> Vec<(&str, &str)> {
        let of = |entry| {
            let Entry { sentence, topic, .. }: &Entry = entry;
            (sentence.as_str(), topic.as_deref().unwrap_or("-"))
        };
        reading.entries.iter().map(of).collect()
    }

    #[test]
    fn a_named_topic_is_found_in_every_kind_of_table() {
        let wanted = [("It rains, again.", "weather"), ("She sings.", "-")];
        let csv = of("a.CSV", "id,Topic,Text\n1,weather,\"It rains, again.\"\n2,,She sings.\n");
        assert_eq!(topics(&csv), wanted);
        let tsv = of("a.tsv", "sentence\tcategory\nIt rains, again.\tweather\nShe sings.\t\n");
        assert_eq!(topics(&tsv), wanted);
        assert_eq!(topics(&of("", "text\tlabel\nIt rains, again.\tweather\nShe sings.\t")), wanted);
        let lines =
            "{\"label\":\"weather\",\"text\":\"It rains, again.\"}\n\n{\"text\":\"She sings.\"}\n";
        assert_eq!(topics(&of("a.jsonl", lines)), wanted);
        assert_eq!(topics(&of("", lines)), wanted);
        let array = format!("[{}]", lines.trim().replace("\n\n", ","));
        assert_eq!(topics(&of("a.json", &array)), wanted);
    }

    #[test]
    fn numbers_under_a_topics_name_are_topics_beside_one_sentence_and_scores_beside_two() {
        let classes = of("a.csv", "text,label\nfine film,1\ndull film,0\n");
        assert_eq!(topics(&classes), [("fine film", "1"), ("dull film", "0")]);
        let pairs = of("a.csv", "sentence1,sentence2,label\nfine film,good film,4\na,b,0\n");
        assert_eq!(pairs.entries[0].score, Some(4.0));
        let words = "premise,hypothesis,label\nfine film,good film,same\na,b,other\n";
        let Entry { score, topic, .. } = &of("a.csv", words).entries[0];
        assert_eq!((score, topic.as_deref()), (&None, Some("same")));
        let benchmark = "genre\tyear\tscore\tsentence1\tsentence2\nnews\t2012\t5\ta b\tc d\n";
        let wanted = Roles { sentence: 3, partner: Some(4), score: Some(2), topic: Some(0) };
        assert_eq!(roles("a.tsv", benchmark), wanted);
    }

    #[test]
    fn without_names_what_repeats_is_the_topic() {
        let rows: Vec<String> = (0..24)
            .map(|row| format!("sentence number {row} about it\tkind {}\t{row}", row % 3))
            .collect();
        let reading = of("", &rows.join("\n"));
        assert_eq!(reading.entries.len(), 24);
        assert_eq!(reading.entries[4].topic.as_deref(), Some("kind 1"));
        assert_eq!(reading.entries[4].partner, None);
        // Few rows do not show whether anything repeats.
        assert_eq!(roles("", "a b\tc d\ne f\tc d").partner, Some(1));
    }

    #[test]
    fn single_words_over_sentences_are_names_whatever_they_say() {
        let table = "who,said\nAnn,It rains again today.\nBob,The boats stay in the harbour.\n";
        let reading = of("a.csv", table);
        assert_eq!(reading.entries.len(), 2);
        assert_eq!(reading.table.unwrap().names, ["who", "said"]);
        // A sentence in the first row is one, and so is a word among words.
        let without =
            "Ann,It rains.\nBob,The boats stay in the harbour.\nEve,So do the men of it.\n";
        assert_eq!(of("a.csv", without).entries.len(), 3);
        assert_eq!(of("a.csv", "cat,dog\nbird,fish\ncow,hen\n").entries.len(), 3);
    }

    #[test]
    fn pairs_and_triplets_are_read_as_elsewhere_in_the_page() {
        assert_eq!(roles("", "a\tb\t5\nb\tc\t4").score, Some(2));
        let wide = "id;left text;right text;rating\n1;a long sentence;another one;3,5\n";
        let reading = of("x.csv", wide);
        assert_eq!(reading.entries.len(), 1);
        assert_eq!(reading.entries[0].score, Some(3.5));
        let triplets =
            "He runs.\tA man is running.\tHe sleeps.\nIt rains.\tRain falls.\tIt is dry.";
        assert_eq!(roles("", triplets), Roles { partner: Some(1), ..Roles::default() });
        let ragged = of("x.csv", "sentence1,sentence2,score\na,b,1\nc,d,none\ne\nf,g,2\n");
        assert_eq!((ragged.entries.len(), ragged.skipped), (2, 2));
    }

    #[test]
    fn objects_with_one_unknown_field_of_text_are_sentences() {
        let reading =
            of("a.ndjson", "{\"n\":1,\"said\":\"Good day.\"}\n{\"n\":2,\"said\":\"Bye.\"}");
        assert_eq!(topics(&reading), [("Good day.", "-"), ("Bye.", "-")]);
        let one = of("a.jsonl", "{\"said\":\"Good day.\"}");
        assert_eq!((topics(&one), &one.table), (vec![("Good day.", "-")], &None));
        let texts = of("a.json", "[\"Good day.\", \"\", \"Bye.\"]");
        assert_eq!(topics(&texts), [("Good day.", "-"), ("Bye.", "-")]);
    }

    #[test]
    fn a_broken_line_of_json_is_named() {
        let text = "{\"text\":\"fine\"}\n\n{\"text\":\"cut off\n";
        let error = read(text, Some("a.jsonl"), None).unwrap_err();
        assert!(matches!(error, ListError::Table { line: 3, .. }), "{error}");
        // Pasted, it is what it looks like: lines.
        assert_eq!(of("", "{braces}\nand more").entries.len(), 2);
    }

    #[test]
    fn a_column_of_sentences_may_have_a_name_and_a_list_of_sentences_has_none() {
        assert_eq!(of("a.csv", "text\none, two\nthree\n").entries.len(), 2);
        assert_eq!(of("a.txt", "text\none, two\nthree\n").entries.len(), 3);
        assert_eq!(of("a.csv", "").entries.len(), 0);
        assert_eq!(of("a.jsonl", "\n").entries.len(), 0);
    }

    #[test]
    fn a_cell_of_a_megabyte_is_one_sentence() {
        let long = "word ".repeat(200_000);
        let reading = of("a.csv", &format!("text,topic\n\"{long}\",long\nshort,short\n"));
        assert_eq!(reading.entries[0].sentence.len(), long.trim().len());
        assert_eq!(reading.entries.len(), 2);
    }

    #[test]
    fn wanted_roles_count_where_they_fit() {
        let text = "a b\tc d\ne f\tg h";
        let wanted = Roles { sentence: 1, topic: Some(0), ..Roles::default() };
        let reading = read(text, None, Some(wanted)).unwrap();
        assert_eq!(topics(&reading), [("c d", "a b"), ("g h", "e f")]);
        for unfit in [
            Roles { sentence: 2, ..Roles::default() },
            Roles { topic: Some(0), ..Roles::default() },
            Roles { score: Some(1), ..Roles::default() },
        ] {
            let reading = read(text, None, Some(unfit)).unwrap();
            assert_eq!(reading.table.unwrap().roles.partner, Some(1), "{unfit:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn anything_is_read_or_refused(text in ".{0,300}", sentence in 0..4_usize, topic in 0..4_usize) {
            let wanted = Some(Roles { sentence, topic: Some(topic), ..Roles::default() });
            for name in [None, Some("x.csv"), Some("x.tsv"), Some("x.jsonl")] {
                let _ = read(&text, name, None);
                let _ = read(&text, name, wanted);
            }
        }

        /// Whatever stands in the cells, every row of a table with names is an entry or is counted.
        #[test]
        fn no_row_is_lost(cells in proptest::collection::vec(("[a-z ,\"]{0,9}", "[a-c]{0,1}"), 1..30)) {
            let quoted = |cell: &str| format!("\"{}\"", cell.replace('"', "\"\""));
            let rows = cells.iter().map(|(a, b)| format!("{},{}\n", quoted(a), quoted(b)));
            let text = format!("text,topic\n{}", rows.collect::<String>());
            let reading = of("x.csv", &text);
            let filled = cells.iter().filter(|(a, b)| !a.trim().is_empty() || !b.is_empty());
            proptest::prop_assert_eq!(reading.entries.len() + reading.skipped, filled.count());
            let said = cells.iter().map(|(a, _)| a.trim()).filter(|a| !a.is_empty());
            proptest::prop_assert!(reading.entries.iter().map(|entry| entry.sentence.as_str()).eq(said));
        }
    }
}
