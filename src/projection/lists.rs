//! For every row the best few of what it was offered.

use std::cmp::Ordering;
use std::ops::Range;

/// Of each row the `width` others with the greatest cosines; of equal ones those that stand first,
/// so that the order of offers makes no difference.
#[derive(Debug, Clone)]
pub struct Lists {
    width: usize,
    /// `[rows, width]`: heaps with the worst on top, later sorted. Free places are worse than any
    /// offer.
    entries: Vec<Entry>,
    /// `[rows]`: each list's worst cosine; most offers cost one comparison with it.
    bars: Vec<f32>,
}

/// One of a row's neighbours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    pub cosine: f32,
    pub position: u32,
    /// Until somebody says otherwise.
    pub is_new: bool,
}

impl Entry {
    const FREE: Self = Self { cosine: f32::NEG_INFINITY, position: u32::MAX, is_new: false };

    pub fn is_free(&self) -> bool {
        self.position == u32::MAX
    }

    /// The best is the least.
    fn order(&self, other: &Self) -> Ordering {
        other.cosine.total_cmp(&self.cosine).then(self.position.cmp(&other.position))
    }
}

impl Lists {
    pub fn new(rows: usize, width: usize) -> Self {
        let bars = vec![f32::NEG_INFINITY; rows];
        Self { width, entries: vec![Entry::FREE; rows * width], bars }
    }

    pub fn rows(&self) -> usize {
        self.bars.len()
    }

    pub fn width(&self) -> usize {
        self.width
    }

    pub fn of(&self, row: usize) -> &[Entry] {
        let start = row.saturating_mul(self.width);
        self.entries.get(start..start.saturating_add(self.width)).unwrap_or_default()
    }

    pub fn of_mut(&mut self, row: usize) -> &mut [Entry] {
        let start = row.saturating_mul(self.width);
        self.entries.get_mut(start..start.saturating_add(self.width)).unwrap_or_default()
    }

    /// Offers a neighbour that this row was not offered before. Whether it was taken.
    #[inline]
    pub fn offer(&mut self, row: usize, position: usize, cosine: f32) -> bool {
        self.bars.get(row).is_some_and(|bar| cosine >= *bar) && self.take(row, position, cosine)
    }

    /// Offers a neighbour that the row may have already.
    #[inline]
    pub fn offer_again(&mut self, row: usize, position: usize, cosine: f32) -> bool {
        let has = |list: &[Entry]| list.iter().any(|entry| entry.position as usize == position);
        self.bars.get(row).is_some_and(|bar| cosine >= *bar)
            && !has(self.of(row))
            && self.take(row, position, cosine)
    }

    fn take(&mut self, row: usize, position: usize, cosine: f32) -> bool {
        let Ok(position) = u32::try_from(position) else { return false };
        let offered = Entry { cosine, position, is_new: true };
        let list = self.of_mut(row);
        if list.first().is_none_or(|worst| offered.order(worst).is_ge()) {
            return false;
        }
        let mut hole = 0;
        loop {
            let left = 2 * hole + 1;
            let Some(mut child) = list.get(left).copied() else { break };
            let mut place = left;
            if let Some(right) = list.get(left + 1)
                && right.order(&child).is_gt()
            {
                (child, place) = (*right, left + 1);
            }
            if child.order(&offered).is_le() {
                break;
            }
            list[hole] = child;
            hole = place;
        }
        list[hole] = offered;
        let bar = list[0].cosine;
        self.bars[row] = bar;
        true
    }

    /// Puts the lists of these rows in order, best first; no more offers to them after that.
    pub fn sort(&mut self, rows: Range<usize>) {
        for row in rows {
            self.of_mut(row).sort_unstable_by(Entry::order);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn the_best_are_kept_whatever_the_order(
            cosines in proptest::collection::vec(-4_i8..4, 1..60),
            width in 0_usize..12,
            backwards in proptest::bool::ANY,
        ) {
            let mut lists = Lists::new(2, width);
            let mut offers: Vec<(usize, f32)> =
                cosines.iter().map(|cosine| f32::from(*cosine) / 4.0).enumerate().collect();
            if backwards {
                offers.reverse();
            }
            for (position, cosine) in &offers {
                lists.offer(1, *position, *cosine);
                lists.offer_again(0, *position, *cosine);
                lists.offer_again(0, *position, *cosine);
            }
            lists.sort(0..2);
            offers.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            for row in 0..2 {
                let list = lists.of(row).iter().filter(|entry| !entry.is_free());
                let found: Vec<_> = list.map(|e| (e.position as usize, e.cosine)).collect();
                proptest::prop_assert_eq!(&found[..], &offers[..width.min(offers.len())]);
            }
        }
    }

    #[test]
    fn what_is_not_there_takes_nothing() {
        let mut lists = Lists::new(1, 2);
        assert!(!lists.offer(1, 0, 1.0) && !lists.offer(0, usize::MAX, 1.0));
        assert!(!lists.offer(0, 3, f32::NAN) && lists.of(7).is_empty());
        assert!(lists.offer(0, 3, -1.0) && !Lists::new(1, 0).offer(0, 3, -1.0));
    }
}
