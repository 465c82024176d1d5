//! What stands in the columns beside the passages.

use std::collections::HashMap;

use crate::protocol::search::{Column, ColumnSort};
use crate::text::book::Texts;

/// Different values of a category at most.
const MOST_VALUES: usize = 200;
/// More different numbers than this are a range, fewer are names.
const FEW_NUMBERS: usize = 12;
/// Characters of a category's value, in the mean.
const LONGEST_VALUE: usize = 60;

/// A column, by its cells.
pub(super) fn column(name: String, cells: &Texts) -> Column {
    let filled = || cells.iter().filter(|cell| !cell.is_empty());
    let count = filled().count();
    let values = distinct(filled());
    let numbers = filled().filter_map(number);
    let (numeric, low, high) = numbers
        .fold((0, f64::INFINITY, f64::NEG_INFINITY), |(numeric, low, high), number| {
            (numeric + 1, number.min(low), number.max(high))
        });
    let is_many = values.as_ref().is_none_or(|values| values.len() > FEW_NUMBERS);
    let is_short = cells.bytes() <= LONGEST_VALUE * count;
    let sort = match values {
        _ if count > 0 && numeric * 10 >= count * 9 && is_many => ColumnSort::Number { low, high },
        Some(values) if count > 0 && is_short && values.len() * 2 <= count.max(2) => {
            ColumnSort::Category { values }
        }
        _ => ColumnSort::Text,
    };
    Column { name, sort }
}

/// A cell's number.
pub fn number(cell: &str) -> Option<f64> {
    let cell = cell.trim();
    let parsed = cell.parse::<f64>().ok().or_else(|| cell.replacen(',', ".", 1).parse().ok());
    parsed.filter(|number| number.is_finite())
}

/// All different values with their counts, the most frequent first; `None` where there are too many.
fn distinct<'a>(cells: impl Iterator<Item = &'a str>) -> Option<Vec<(String, u32)>> {
    let mut counts: HashMap<&str, u32> = HashMap::new();
    for cell in cells {
        *counts.entry(cell).or_default() += 1;
        if counts.len() > MOST_VALUES {
            return None;
        }
    }
    let mut values: Vec<(&str, u32)> = counts.into_iter().collect();
    values.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    Some(values.into_iter().map(|(value, count)| (value.to_owned(), count)).collect())
}
