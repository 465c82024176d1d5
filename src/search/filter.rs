//! Which passages a query may find.

use crate::protocol::search::Filter;
use crate::text::book::Book;
use crate::text::book::columns::number;

/// A set of positions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mask {
    bits: Vec<u64>,
    count: u32,
}

impl Mask {
    /// Of so many positions those for which it holds.
    pub fn new(length: usize, mut holds: impl FnMut(u32) -> bool) -> Self {
        let mut mask = Self { bits: vec![0; length.div_ceil(64)], count: 0 };
        for position in 0..u32::try_from(length).unwrap_or(u32::MAX) {
            if holds(position) {
                mask.bits[position as usize / 64] |= 1 << (position % 64);
                mask.count += 1;
            }
        }
        mask
    }

    pub fn has(&self, position: u32) -> bool {
        self.bits.get(position as usize / 64).is_some_and(|bits| bits >> (position % 64) & 1 == 1)
    }

    /// Number of positions.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Positions below `end` alone.
    pub fn count_below(&self, end: usize) -> u32 {
        let whole = self.bits.iter().take(end / 64).map(|bits| bits.count_ones()).sum::<u32>();
        let part = self.bits.get(end / 64).map_or(0, |bits| bits & ((1_u64 << (end % 64)) - 1));
        whole + part.count_ones()
    }

    pub fn positions(&self) -> impl Iterator<Item = u32> {
        let words = (0_u32..).zip(&self.bits).filter(|(_, bits)| **bits != 0);
        words.flat_map(|(word, bits)| {
            (0..64).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| 64 * word + bit)
        })
    }
}

/// The passages whose rows meet all conditions.
pub fn mask(book: &Book, filters: &[Filter]) -> Mask {
    let filters: Vec<Ready<'_>> = filters.iter().map(Ready::new).collect();
    // The passages' own column is looked at a passage at a time.
    let (own, beside): (Vec<_>, Vec<_>) =
        filters.iter().partition(|filter| Some(filter.column()) == book.column());
    // Passages of one row stand together: a row is looked at once.
    let mut last = None;
    Mask::new(book.len(), |position| {
        let row = book.row(position);
        let holds = match last {
            Some((known, holds)) if known == row => holds,
            _ => {
                let cell = |column| book.cell(row, column);
                let holds = beside.iter().all(|filter| filter.holds(cell(filter.column())));
                last = Some((row, holds));
                holds
            }
        };
        holds && own.iter().all(|filter| filter.holds(book.passage(position)))
    })
}

/// A condition, with what it looks for in small letters.
struct Ready<'a> {
    filter: &'a Filter,
    small: String,
}

impl<'a> Ready<'a> {
    fn new(filter: &'a Filter) -> Self {
        let small = match filter {
            Filter::Contains { text, .. } => text.to_lowercase(),
            Filter::OneOf { .. } | Filter::Between { .. } => String::new(),
        };
        Self { filter, small }
    }

    fn column(&self) -> u16 {
        match self.filter {
            Filter::OneOf { column, .. }
            | Filter::Between { column, .. }
            | Filter::Contains { column, .. } => *column,
        }
    }

    fn holds(&self, cell: &str) -> bool {
        match self.filter {
            Filter::OneOf { values, .. } => values.iter().any(|value| value == cell),
            Filter::Between { low, high, .. } => {
                number(cell).is_some_and(|it| (*low..=*high).contains(&it))
            }
            Filter::Contains { .. } => cell.to_lowercase().contains(&self.small),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Filter, Mask, mask};
    use crate::protocol::search::Intake;
    use crate::text::book::Book;
    use crate::text::book::reading::Reading;
    use crate::text::book::source::Source;

    fn book() -> Book {
        let text = "year,topic,text\n1990,Sea,A line about ships\n2001,bread,A line about bread\n,sea,A line without a year\n";
        let source = Source::new(text.as_bytes().to_vec()).unwrap();
        let intake = Intake { name: Some("a.csv".to_owned()), ..Intake::default() };
        let mut reading = Reading::begin(&source, &intake).unwrap();
        loop {
            if let Some(finished) = reading.step().unwrap() {
                return finished.book;
            }
        }
    }

    #[test]
    fn all_conditions_must_hold() {
        let book = book();
        let of = |filters: &[Filter]| mask(&book, filters).positions().collect::<Vec<u32>>();
        let values = vec!["sea".to_owned(), "Sea".to_owned()];
        let sea = Filter::OneOf { column: 1, values };
        let late = Filter::Between { column: 0, low: 1990.0, high: 1999.0 };
        let has = Filter::Contains { column: 1, text: "EA".to_owned() };
        assert_eq!(of(&[]), [0, 1, 2]);
        assert_eq!(of(std::slice::from_ref(&sea)), [0, 2]);
        assert_eq!(of(std::slice::from_ref(&late)), [0]);
        assert_eq!(of(&[has]), [0, 1, 2]);
        assert_eq!(of(&[sea, late]), [0]);
        assert_eq!(of(&[Filter::Contains { column: 2, text: "BREAD".to_owned() }]), [1]);
        assert_eq!(of(&[Filter::Contains { column: 9, text: "x".to_owned() }]), [0_u32; 0]);
    }

    proptest::proptest! {
        #[test]
        fn a_mask_is_the_set_it_was_made_of(bits in proptest::collection::vec(proptest::bool::ANY, 0..200), end in 0..220_usize) {
            let mask = Mask::new(bits.len(), |position| bits[position as usize]);
            let wanted: Vec<u32> = (0..).zip(&bits).filter(|(_, is)| **is).map(|(at, _)| at).collect();
            proptest::prop_assert_eq!(mask.positions().collect::<Vec<_>>(), wanted.clone());
            proptest::prop_assert_eq!(mask.count() as usize, wanted.len());
            let below = wanted.iter().filter(|at| (**at as usize) < end).count();
            proptest::prop_assert_eq!(mask.count_below(end) as usize, below);
            for position in 0..220 {
                proptest::prop_assert_eq!(mask.has(position), wanted.contains(&position));
            }
        }
    }
}
