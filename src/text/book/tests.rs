//! Files of all kinds become books, and books files.

use crate::protocol::search::{ColumnSort, Cut, Intake, Preview};
use crate::text::book::cut::{MOST_CHARACTERS, passages, sentences};
use crate::text::book::reading::{Finished, Reading};
use crate::text::book::source::{ReadError, Source};
use crate::text::book::{Book, BookError};

fn intake(name: &str, cut: Cut) -> Intake {
    Intake { name: Some(name.to_owned()).filter(|it| !it.is_empty()), cut, ..Intake::default() }
}

fn read_as(bytes: &[u8], intake: &Intake) -> Result<Finished, ReadError> {
    let source = Source::new(bytes.to_vec())?;
    let mut reading = Reading::begin(&source, intake)?;
    loop {
        let (done, total) = reading.progress();
        assert!(done <= total + 2, "{done} of {total}");
        if let Some(finished) = reading.step()? {
            return Ok(finished);
        }
    }
}

fn read(name: &str, text: &str) -> (Book, Preview) {
    let Finished { book, preview } = read_as(text.as_bytes(), &intake(name, Cut::Rows)).unwrap();
    (book, preview)
}

fn said(book: &Book) -> Vec<&str> {
    book.passages().collect()
}

#[test]
fn lines_are_passages_and_their_neighbours_context() {
    let (book, preview) = read("a.txt", "One.\r\n\r\n  Two \t words. \nThree.");
    assert_eq!(said(&book), ["One.", "Two words.", "Three."]);
    assert_eq!((preview.rows, preview.passages, &*preview.form), (3, 3, "lines"));
    assert_eq!(book.around(1), ("One.", "Three."));
    assert_eq!((book.around(0).0, book.around(2).1), ("", ""));
    assert_eq!((book.columns().len(), book.column()), (0, None));
}

#[test]
fn a_table_keeps_what_stands_beside_its_texts() {
    let mut text = "year;Topic;said\n".to_owned();
    for row in 0..40 {
        let topic = if row % 4 == 0 { "sea" } else { "bread" };
        text.push_str(&format!(
            "{};{topic};\"Sentence {row}; about \"\"{topic}\"\".\"\n",
            1900 + row
        ));
    }
    let (book, preview) = read("a.csv", &text);
    assert_eq!((book.len(), preview.column, &*preview.form), (40, Some(2), "CSV, separated by ;"));
    assert_eq!(book.passage(4), "Sentence 4; about \"sea\".");
    assert_eq!((book.cell(4, 0), book.cell(4, 1), book.cell(4, 2)), ("1904", "sea", ""));
    let [year, topic, said] = book.columns() else { panic!("{:?}", book.columns()) };
    assert_eq!(year.sort, ColumnSort::Number { low: 1900.0, high: 1939.0 });
    let values = vec![("bread".to_owned(), 30), ("sea".to_owned(), 10)];
    assert_eq!(topic.sort, ColumnSort::Category { values });
    assert_eq!((&*said.name, &said.sort), ("said", &ColumnSort::Text));
    // Rows of a table are no context of each other.
    assert_eq!(book.around(4), ("", ""));
    let other = Intake { column: Some(1), ..intake("a.csv", Cut::Rows) };
    let topics = read_as(text.as_bytes(), &other).unwrap().book;
    assert_eq!((topics.passage(0), topics.cell(0, 1)), ("sea", ""));
    assert!(topics.cell(0, 2).starts_with("Sentence 0"));
    let none = Intake { column: Some(3), ..intake("a.csv", Cut::Rows) };
    assert_eq!(
        read_as(text.as_bytes(), &none).unwrap_err(),
        ReadError::Column { column: 3, columns: 3 }
    );
}

#[test]
fn ragged_rows_are_padded_and_nothing_of_wide_ones_is_lost() {
    let (book, preview) = read(
        "a.csv",
        "text,topic\nA first line of it,a\nA second line of it\n,b\nA third line of it,c,d\n",
    );
    assert_eq!(book.len(), 3);
    assert_eq!((book.cell(1, 1), book.cell(2, 1)), ("", "c,d"));
    assert_eq!((preview.rows, preview.skipped), (4, 1));
}

#[test]
fn values_of_json_are_rows_and_their_fields_columns() {
    let lines = "{\"text\":\"It rains.\",\"n\":1}\n\n{\"n\":2,\"text\":\"It snows.\",\"tags\":[\"a\"]}\n\"bare\"\n";
    let (book, preview) = read("a.jsonl", lines);
    assert_eq!(said(&book), ["It rains.", "It snows.", "bare"]);
    let names: Vec<&str> = book.columns().iter().map(|column| column.name.as_str()).collect();
    assert_eq!((names, preview.form.as_str()), (vec!["n", "text", "tags"], "JSON lines"));
    assert_eq!((book.cell(0, 2), book.cell(1, 2), book.cell(1, 0)), ("", "[\"a\"]", "2"));
    let (book, _) = read("a.json", "[\"One.\", \"Two.\", null]");
    assert_eq!(said(&book), ["One.", "Two."]);
    let broken = read_as(b"{\"text\":\"fine\"}\n{\"text\":\n", &intake("a.jsonl", Cut::Rows));
    assert!(matches!(broken, Err(ReadError::Line { line: 2, .. })), "{broken:?}");
    // A field that only a late value has.
    let mut late: String = (0..400).map(|n| format!("{{\"text\":\"Line {n}.\"}}\n")).collect();
    late.push_str("{\"text\":\"The last.\",\"late\":\"yes\"}\n");
    let (book, _) = read("a.jsonl", &late);
    assert_eq!((book.cell(399, 1), book.cell(400, 1)), ("", "yes"));
}

#[test]
fn markdown_is_read_without_its_marks() {
    let text = "# The *harbour*\n\nBoats [come](http://x.y/(a)) and go,\n**every** day.\n\n- one\n- [x] two * three\n\n```rust\nlet a = 1;\n```\n> Said `so`.\n\n| a | b |\n|---|---|\n";
    let (book, preview) = read("a.md", text);
    let wanted = [
        "The harbour",
        "Boats come) and go, every day.",
        "one",
        "two * three",
        "Said so.",
        "a · b",
    ];
    assert_eq!(said(&book), wanted);
    assert_eq!(preview.form, "Markdown");
}

#[test]
fn pasted_text_is_what_it_looks_like() {
    assert_eq!(read("", "a\tb\nc d e\tf\n").1.form, "TSV");
    assert_eq!(read("", "{\"a\":\"b\"}\n").1.form, "JSON lines");
    let (book, preview) =
        read("", "who,said\nAnn,\"It rains, again.\"\nBob,It snows in the hills.\n");
    assert_eq!((preview.form.as_str(), book.len()), ("CSV, separated by ,", 2));
    let prose = "It rains, again.\nIt snows, too.\nYes, it does.";
    assert_eq!(read("", prose).1.form, "lines");
    assert_eq!(said(&read("a.csv", "text\n\"one, two\"\nthree\n").0), ["one, two", "three"]);
}

#[test]
fn sentences_end_where_readers_say() {
    let text =
        "Dr. A. B. Smith paid 3.50 for it, e.g. today. Was it dear? \"Yes!\" 他来了。天黑了！";
    let wanted = [
        "Dr. A. B. Smith paid 3.50 for it, e.g. today.",
        "Was it dear?",
        "\"Yes!\"",
        "他来了。",
        "天黑了！",
    ];
    assert_eq!(sentences(text), wanted);
    let wrapped = "This line of prose is wrapped where the margin\nof the page was. It goes on.\n\nNext one.\nA list\nof short lines";
    let Finished { book, .. } =
        read_as(wrapped.as_bytes(), &intake("a.txt", Cut::Sentences)).unwrap();
    let wanted = [
        "This line of prose is wrapped where the margin of the page was.",
        "It goes on.",
        "Next one.",
        "A list",
        "of short lines",
    ];
    assert_eq!(said(&book), wanted);
}

#[test]
fn passages_hold_whole_sentences_up_to_so_many_words() {
    let text = "One two three. Four five six. Seven eight nine ten eleven twelve thirteen. End.";
    let mut found = Vec::new();
    passages(text, Cut::Passages { words: 6 }, |it| found.push(it.to_owned()));
    let wanted =
        ["One two three. Four five six.", "Seven eight nine ten eleven twelve", "thirteen. End."];
    assert_eq!(found, wanted);
}

#[test]
fn repeats_are_counted_and_dropped_where_that_is_wanted() {
    let text = "same\nother\nsame\nsame\n";
    let (book, preview) = read("a.txt", text);
    assert_eq!((book.len(), preview.repeated), (4, 2));
    let once = Intake { drop_repeated: true, ..intake("a.txt", Cut::Rows) };
    let Finished { book, preview } = read_as(text.as_bytes(), &once).unwrap();
    assert_eq!((said(&book), preview.repeated), (vec!["same", "other"], 2));
}

#[test]
fn encodings_are_found() {
    let of = |bytes: &[u8]| {
        let Finished { book, preview } = read_as(bytes, &intake("a.txt", Cut::Rows)).unwrap();
        (book.passage(0).to_owned(), preview.encoding)
    };
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    assert_eq!(of("\u{feff}été".as_bytes()), ("été".into(), "UTF-8".into()));
    assert_eq!(of(&[&[0xff, 0xfe], &*utf16("été")].concat()), ("été".into(), "UTF-16".into()));
    assert_eq!(of(&utf16("plain words")), ("plain words".into(), "UTF-16".into()));
    assert_eq!(of(b"\x93caf\xe9\x94 \x80"), ("“café” €".into(), "Windows-1252 (guessed)".into()));
    let broken = [&b"\xff"[..], "日本語".as_bytes()].concat();
    assert_eq!(of(&broken).1, "UTF-8, 1 unreadable character replaced");
}

#[test]
fn what_is_no_text_is_named() {
    let of = |bytes: &[u8]| read_as(bytes, &intake("a.txt", Cut::Rows)).unwrap_err();
    assert_eq!(of(b"%PDF-1.7"), ReadError::Binary { what: "a PDF" });
    assert_eq!(
        of(b"PK\x03\x04rest"),
        ReadError::Binary { what: "a zip archive (perhaps a .docx or .xlsx)" }
    );
    assert_eq!(of(b"abc\0def\0\0"), ReadError::Binary { what: "binary data" });
    let quote = read_as(b"text,b\n\"open,1\n", &intake("a.csv", Cut::Rows)).unwrap_err();
    assert!(matches!(quote, ReadError::Line { .. }), "{quote:?}");
    assert_eq!(read("a.csv", "").0.len(), 0);
    assert_eq!(read("a.json", "[]").0.len(), 0);
}

#[test]
fn a_cell_of_a_megabyte_is_several_passages_of_one_row() {
    let long = "word ".repeat(200_000);
    let (book, _) =
        read("a.csv", &format!("text,topic\n\"{long}\",long\nA short one here,short\n"));
    assert!(book.len() > 200 && book.passages().all(|it| it.len() <= MOST_CHARACTERS));
    let last = book.len() as u32 - 1;
    assert_eq!((book.row(0), book.row(last - 1), book.row(last)), (0, 0, 1));
    assert_eq!((book.cell(0, 1), book.cell(1, 1)), ("long", "short"));
    assert!(!book.around(1).0.is_empty());
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(0_u8.., 0..400), words in 1..9_u16) {
        for name in ["", "a.csv", "a.tsv", "a.jsonl", "a.json", "a.md"] {
            for cut in [Cut::Rows, Cut::Sentences, Cut::Passages { words }] {
                let _ = read_as(&bytes, &intake(name, cut));
            }
        }
    }

    #[test]
    fn every_row_is_a_passage_or_counted(cells in proptest::collection::vec(("[a-z ,\"]{0,9}", "[a-c]{0,1}"), 1..30)) {
        let quoted = |cell: &str| format!("\"{}\"", cell.replace('"', "\"\""));
        let rows = cells.iter().map(|(a, b)| format!("{},{}\n", quoted(a), quoted(b)));
        let text = format!("text,topic\n{}", rows.collect::<String>());
        let (book, preview) = read("x.csv", &text);
        let filled = cells.iter().filter(|(a, b)| !a.trim().is_empty() || !b.is_empty()).count();
        proptest::prop_assert_eq!(book.len() + preview.skipped as usize, filled);
    }

    #[test]
    fn all_words_stay_whatever_the_cut(text in "[a-zA-Z .!?\n]{0,300}", words in 5..20_u16) {
        let letters = |text: &str| text.chars().filter(|it| !it.is_whitespace()).collect::<String>();
        for cut in [Cut::Rows, Cut::Sentences, Cut::Passages { words }] {
            let mut found = String::new();
            passages(&text, cut, |it| found.push_str(it));
            proptest::prop_assert_eq!(letters(&found), letters(&text));
        }
    }

    #[test]
    fn a_book_is_read_as_it_was_written(lines in proptest::collection::vec(("\\PC{1,20}", "[a-c]"), 2..20), at in 0_usize.., bit in 0..8_u32) {
        let rows = lines.iter().map(|(a, b)| format!("{}\n", serde_json::json!({"text": a, "b": b})));
        let (book, _) = read("a.jsonl", &rows.collect::<String>());
        let mut bytes = book.to_bytes();
        proptest::prop_assert_eq!(Book::from_bytes(&bytes), Ok(book));
        let at = at % bytes.len();
        proptest::prop_assert!(Book::from_bytes(&bytes[..at]).is_err());
        bytes[at] ^= 1 << bit;
        proptest::prop_assert!(Book::from_bytes(&bytes).is_err());
    }
}

#[test]
fn a_books_parts_have_to_fit() {
    let (book, _) = read("a.csv", "text,topic\nA line of it,a\nA line of that,b\n");
    let mut bent = book.clone();
    bent.rows = vec![1, 0];
    let damaged = Err(BookError::Damaged("its parts do not fit"));
    assert_eq!(Book::from_bytes(&bent.to_bytes()), damaged);
    let mut bent = book.clone();
    bent.passages.ends[0] = 99;
    assert_eq!(Book::from_bytes(&bent.to_bytes()), damaged);
    assert_eq!(Book::from_bytes(b"something else"), Err(BookError::Foreign));
}
