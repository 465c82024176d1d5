//! A file in pieces.

use std::ops::Range;

use crate::files::{Format, Table, npy, parquet, rows};

/// Numbers in a piece of a file.
const NUMBERS: usize = 100_000;

/// The file in pieces of about a megabyte; together they are the file. `table` needs vectors for all
/// but [`Format::ProjectorMetadata`].
pub fn pieces(format: Format, table: &Table) -> Box<dyn Iterator<Item = Vec<u8>> + '_> {
    let once = std::iter::once;
    match format {
        Format::Npy => {
            let numbers = table.vectors.chunks(2 * NUMBERS).map(little_endian);
            Box::new(once(npy::header(table.sentences.len(), table.dimensions)).chain(numbers))
        }
        Format::Parquet => Box::new(parquet::pieces(table)),
        Format::Csv => {
            let some = spans(table).map(|rows| rows::csv(table, rows));
            Box::new(once(rows::csv_head(table)).chain(some))
        }
        Format::JsonLines => Box::new(spans(table).map(|rows| rows::json_lines(table, rows))),
        Format::ProjectorVectors => {
            Box::new(spans(table).map(|rows| rows::projector_vectors(table, rows)))
        }
        Format::ProjectorMetadata => {
            let some = spans(table).map(|rows| rows::projector_metadata(table, rows));
            Box::new(once(rows::projector_metadata_head(table)).chain(some))
        }
    }
}

/// How many pieces there are, about: for showing how far the writing is.
pub fn piece_count(format: Format, table: &Table) -> usize {
    match format {
        Format::Npy | Format::Parquet => 2 + table.vectors.len() / (2 * NUMBERS),
        _ => 1 + spans(table).count(),
    }
}

/// Ranges of rows, a piece each.
fn spans(table: &Table) -> impl Iterator<Item = Range<usize>> + use<> {
    let (count, step) = (table.sentences.len(), (NUMBERS / table.dimensions.max(8)).max(1));
    (0..count).step_by(step).map(move |start| start..count.min(start + step))
}

fn little_endian(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::pieces;
    use crate::files::{Format, Table, npy};

    fn table(topics: &[&str]) -> Table {
        let sentences = ["plain", "with, comma and \"quotes\"", " tab\tand\nline ", ""];
        Table {
            sentences: Arc::from(sentences.map(str::to_owned)),
            topics: topics.iter().map(|&topic| topic.to_owned()).collect(),
            dimensions: 2,
            vectors: vec![0.5, -0.1, 1.0, 0.0, 1e-9, 0.333_333_34, -1.0, 0.25],
        }
    }

    fn file(format: Format, table: &Table) -> Vec<u8> {
        pieces(format, table).flatten().collect()
    }

    fn text(format: Format, table: &Table) -> String {
        String::from_utf8(file(format, table)).unwrap()
    }

    #[test]
    fn an_array_is_the_command_lines() {
        let mut wanted = Vec::new();
        let table = table(&[]);
        npy::write(&mut wanted, &table.vectors, 2).unwrap();
        assert_eq!(file(Format::Npy, &table), wanted);
    }

    #[test]
    fn a_csv_gives_back_what_went_in_to_the_last_bit() {
        let table = table(&["a", "", "b, c", "d"]);
        let file = file(Format::Csv, &table);
        let mut reader = csv::Reader::from_reader(file.as_slice());
        assert_eq!(reader.headers().unwrap(), vec!["sentence", "topic", "d1", "d2"]);
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 4);
        for (place, row) in rows.iter().enumerate() {
            assert_eq!((&row[0], &row[1]), (&*table.sentences[place], &*table.topics[place]));
            let values = [2, 3].map(|column: usize| row[column].parse::<f32>().unwrap());
            assert_eq!(values, table.vectors[2 * place..][..2]);
        }
        assert!(
            text(Format::Csv, &self::table(&[])).starts_with("sentence,d1,d2\nplain,0.5,-0.1\n")
        );
    }

    #[test]
    fn json_lines_give_back_what_went_in_to_the_last_bit() {
        #[derive(serde::Deserialize)]
        struct Line {
            text: String,
            #[serde(default)]
            topic: String,
            embedding: Vec<f32>,
        }
        let table = table(&["a", "", "b\n", "d"]);
        let text = text(Format::JsonLines, &table);
        let lines: Vec<Line> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 4);
        for (place, line) in lines.iter().enumerate() {
            assert_eq!((&line.text, &line.topic), (&table.sentences[place], &table.topics[place]));
            assert_eq!(line.embedding, table.vectors[2 * place..][..2]);
        }
    }

    #[test]
    fn the_projectors_two_files_have_a_line_each_for_a_sentence() {
        let alone = table(&[]);
        let vectors = text(Format::ProjectorVectors, &alone);
        assert!(vectors.starts_with("0.5\t-0.1\n1\t0\n"), "{vectors}");
        // One column has no name.
        let wanted = "plain\nwith, comma and \"quotes\"\n tab and line \n\n";
        assert_eq!(text(Format::ProjectorMetadata, &alone), wanted);
        let both = text(Format::ProjectorMetadata, &table(&["a", "", "b\tc", "d"]));
        assert!(both.starts_with("sentence\ttopic\nplain\ta\n"), "{both}");
        assert_eq!((both.lines().count(), vectors.lines().count()), (5, 4));
        assert!(both.lines().all(|line| line.matches('\t').count() == 1));
    }

    #[test]
    fn many_rows_come_in_pieces() {
        let sentences: Vec<String> = (0..50_000).map(|row| format!("sentence {row}")).collect();
        let vectors = (0..400_000).map(|it| it as f32 / 7.0).collect();
        let table = Table { sentences: sentences.into(), topics: vec![], dimensions: 8, vectors };
        for format in Format::ALL {
            let sizes: Vec<usize> = pieces(format, &table).map(|piece| piece.len()).collect();
            assert!(sizes.len() > 2 && sizes.iter().all(|size| *size < 2_000_000), "{format:?}");
        }
        assert_eq!(text(Format::Csv, &table).lines().count(), 50_001);
        assert_eq!(text(Format::ProjectorVectors, &table).lines().count(), 50_000);
    }
}
