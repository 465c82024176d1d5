//! What a fine-tune learns from, read from what a visitor pastes or drops: sentences, pairs, or
//! triplets. A triplet is a sentence, one that means the same, and one that does not (SimCSE's
//! supervised data: `sent0,sent1,hard_neg`).

use crate::text::lists::{
    Content, ListError, Reading, Rows, clean, lines, number, read_file, read_pasted, rows,
};

/// A sentence, one that means the same, one that does not.
pub type Triplet = [String; 3];

/// What was understood.
#[derive(Debug, Clone, PartialEq)]
pub enum Material {
    /// Sentences or pairs, as the lists' reader has them.
    List(Content),
    /// The third sentence is empty where a row has none.
    Triplets(Vec<Triplet>),
}

/// Examples, and the rows left out because they lack one of their sentences.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub material: Material,
    pub skipped: usize,
}

/// Names that a header may give the three columns.
const HEADERS: [&[&str]; 3] = [
    &["anchor", "sent0", "premise", "sentence", "query"],
    &["positive", "same", "sent1", "entailment"],
    &["negative", "opposite", "hard_neg", "hard_negative", "contradiction"],
];

/// Reads text; tables are recognised by the ending of the file's `name`, if it is from a file.
///
/// # Errors
/// As [`read_file`].
pub fn read_examples(name: Option<&str>, text: &str) -> Result<Found, ListError> {
    if let Some(found) = table(name, text).and_then(triplets) {
        return Ok(found);
    }
    let Reading { content, skipped, .. } = match name {
        Some(name) => read_file(name, text.as_bytes())?,
        None => read_pasted(text),
    };
    Ok(Found { material: Material::List(content), skipped })
}

/// The rows of what may hold triplets: a table by its name, lines with two tabs or more, or pasted
/// commas under a header that says so.
fn table(name: Option<&str>, text: &str) -> Option<Rows> {
    let ending = name.and_then(|name| name.rsplit_once('.')).map(|(_, end)| end);
    let ending = ending.map(str::to_ascii_lowercase);
    match ending.as_deref() {
        Some("csv") => {
            let tables = [b',', b';', b'\t', b'|'].map(|separator| rows(text, separator).ok());
            tables.into_iter().flatten().find(|rows| share_of_width(rows, 3) > 0.5)
        }
        Some("tsv" | "tab") => rows(text, b'\t').ok(),
        _ => {
            let tabbed: Rows =
                lines(text).map(|line| line.split('\t').map(clean).collect()).collect();
            if share_of_width(&tabbed, 3) > 0.5 {
                return Some(tabbed);
            }
            let commas = rows(text, b',').ok()?;
            header(commas.first()?).is_some().then_some(commas)
        }
    }
}

fn share_of_width(rows: &Rows, width: usize) -> f64 {
    let wide = rows.iter().filter(|row| row.len() >= width).count();
    wide as f64 / rows.len().max(1) as f64
}

/// The columns that a header names.
fn header(row: &[String]) -> Option<[usize; 3]> {
    let find = |names: &[&str]| {
        row.iter().position(|cell| names.contains(&cell.to_ascii_lowercase().as_str()))
    };
    let [anchor, positive, negative] = HEADERS;
    Some([find(anchor)?, find(positive)?, find(negative)?])
}

/// Three columns of text and none of scores, or a header that names them; `None` for anything else.
fn triplets(mut rows: Rows) -> Option<Found> {
    let columns = match header(rows.first()?) {
        Some(columns) => {
            rows.remove(0);
            columns
        }
        None => three_texts(&rows)?,
    };
    let count = rows.len();
    let cell = |row: &[String], column: usize| row.get(column).cloned().unwrap_or_default();
    let triplets: Vec<Triplet> = rows
        .iter()
        .map(|row| columns.map(|column| cell(row, column)))
        .filter(|[anchor, positive, _]| !anchor.is_empty() && !positive.is_empty())
        .collect();
    let skipped = count - triplets.len();
    (!triplets.is_empty()).then_some(Found { material: Material::Triplets(triplets), skipped })
}

/// The only three columns, where most rows have all of them and none is of numbers.
fn three_texts(rows: &Rows) -> Option<[usize; 3]> {
    let sample = rows.get(..rows.len().min(200))?;
    let width = sample.iter().map(Vec::len).max()?;
    let is_text = |column: usize| {
        let filled: Vec<&String> = sample
            .iter()
            .filter_map(|row| row.get(column))
            .filter(|cell| !cell.is_empty())
            .collect();
        let numbers = filled.iter().filter(|cell| number(cell).is_some()).count();
        filled.len() * 2 > sample.len() && numbers * 2 < filled.len()
    };
    (width == 3 && (0..3).all(is_text)).then_some([0, 1, 2])
}

#[cfg(test)]
mod tests {
    use super::{Content, Found, Material, read_examples};

    fn triplets(name: Option<&str>, text: &str) -> Vec<[String; 3]> {
        match read_examples(name, text).unwrap() {
            Found { material: Material::Triplets(triplets), .. } => triplets,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn three_columns_of_text_are_triplets() {
        let text = "He runs.\tA man is running.\tHe sleeps.\nIt rains.\tRain falls.\tIt is dry.\n";
        assert_eq!(triplets(None, text)[1], ["It rains.", "Rain falls.", "It is dry."]);
        assert_eq!(triplets(Some("x.tsv"), text).len(), 2);
        let commas = "a cat,the cat,a dog\n\"one, two\",three,four\n";
        assert_eq!(triplets(Some("x.csv"), commas)[1][0], "one, two");
    }

    #[test]
    fn the_papers_header_names_the_columns_also_when_pasted() {
        let text = "sent0,sent1,hard_neg\n\"Well, yes\",Indeed,No\nlonely,,x\n";
        let found = read_examples(None, text).unwrap();
        let wanted = Material::Triplets(vec![["Well, yes", "Indeed", "No"].map(String::from)]);
        assert_eq!(found, Found { material: wanted, skipped: 1 });
    }

    #[test]
    fn scores_make_pairs_and_prose_stays_sentences() {
        let scored = read_examples(Some("x.tsv"), "a\tb\t3.5\nc\td\t1\n").unwrap();
        assert!(
            matches!(scored.material, Material::List(Content::Pairs { ref gold, .. }) if gold.len() == 2)
        );
        let prose = read_examples(None, "One, two, three.\nFour, five, six.\n").unwrap();
        assert!(
            matches!(prose.material, Material::List(Content::Sentences(ref s)) if s.len() == 2)
        );
        let pairs = read_examples(None, "a\tb\nc\td\n").unwrap();
        assert!(
            matches!(pairs.material, Material::List(Content::Pairs { ref gold, .. }) if gold.is_empty())
        );
    }

    #[test]
    fn a_row_without_an_opposite_is_kept() {
        assert_eq!(triplets(None, "a\tb\tc\nd\te\tf\ng\th\t\n")[2], ["g", "h", ""]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,300}") {
            let _ = read_examples(None, &text);
            let _ = read_examples(Some("x.csv"), &text);
        }
    }
}
