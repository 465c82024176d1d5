//! The list's results as CSV and as text for the clipboard.

use crate::state::compare::{Compare, GroupResult, ListResult, PairsResult};

/// The results as a table: pairs with cosine and gold, or the nearest pairs of a list; `None` where
/// there are no results yet.
pub fn csv(compare: &Compare) -> Option<String> {
    table(compare, b',')
}

/// The same, tab-separated, as spreadsheets take it from the clipboard.
pub fn tsv(compare: &Compare) -> Option<String> {
    table(compare, b'\t')
}

/// The window of the cosine matrix that is shown: a header of sentences, then a row for each.
pub fn matrix_csv(compare: &Compare) -> Option<String> {
    let ListResult::Group(group) = compare.result.as_ref()? else { return None };
    let mut writer = csv::Writer::from_writer(Vec::new());
    write_matrix(group, &mut writer).ok()?;
    String::from_utf8(writer.into_inner().ok()?).ok()
}

fn write_matrix(group: &GroupResult, writer: &mut csv::Writer<Vec<u8>>) -> csv::Result<()> {
    let window = group.window;
    let shown = |from: u32, count: u32| {
        group.sentences.iter().skip(from as usize).take(count as usize).map(String::as_str)
    };
    let columns = window.column_count as usize;
    writer.write_record([""].into_iter().chain(shown(window.column, window.column_count)))?;
    let rows = group.cosines.chunks(columns.max(1));
    for (sentence, cosines) in shown(window.row, window.row_count).zip(rows) {
        let cosines = cosines.iter().map(|cosine| format!("{cosine:.6}"));
        writer.write_record([sentence.to_owned()].into_iter().chain(cosines))?;
    }
    Ok(())
}

fn table(compare: &Compare, separator: u8) -> Option<String> {
    let mut writer = csv::WriterBuilder::new().delimiter(separator).from_writer(Vec::new());
    match compare.result.as_ref()? {
        ListResult::Pairs(pairs) => write_pairs(pairs, &mut writer),
        ListResult::Group(group) => write_group(group, &mut writer),
    }
    .ok()?;
    String::from_utf8(writer.into_inner().ok()?).ok()
}

fn write_pairs(pairs: &PairsResult, writer: &mut csv::Writer<Vec<u8>>) -> csv::Result<()> {
    let has_gold = !pairs.gold.is_empty();
    let mut header = vec!["sentence1", "sentence2", "cosine"];
    header.extend(has_gold.then_some("gold"));
    writer.write_record(header)?;
    for (place, ((first, second), cosine)) in pairs.pairs.iter().zip(&pairs.cosines).enumerate() {
        let mut row = vec![first.clone(), second.clone(), format!("{cosine:.6}")];
        row.extend(pairs.gold.get(place).map(f32::to_string));
        writer.write_record(row)?;
    }
    Ok(())
}

fn write_group(group: &GroupResult, writer: &mut csv::Writer<Vec<u8>>) -> csv::Result<()> {
    writer.write_record(["sentence1", "sentence2", "cosine"])?;
    for &(first, second, cosine) in &group.nearest {
        let sentence = |place: u32| group.sentences.get(place as usize).map_or("", String::as_str);
        writer.write_record([sentence(first), sentence(second), &format!("{cosine:.6}")])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Compare, ListResult, PairsResult, csv};

    #[test]
    fn quotes_and_commas_survive() {
        let mut compare = Compare::default();
        assert_eq!(csv(&compare), None);
        compare.result = Some(ListResult::Pairs(PairsResult {
            pairs: vec![("a, \"b\"".into(), "c".into())],
            gold: vec![4.5],
            cosines: vec![0.25],
            truncated: vec![],
            agreement: None,
            latency_ms: 1.0,
        }));
        assert_eq!(
            csv(&compare).unwrap(),
            "sentence1,sentence2,cosine,gold\n\"a, \"\"b\"\"\",c,0.250000,4.5\n"
        );
    }
}
