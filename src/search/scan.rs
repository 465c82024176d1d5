//! The rows nearest to a query, exactly.
//!
//! Rows and query are first compared in int8. With `x = s c + d` and `q = t e + f` (codes `c`, `e`,
//! scales `s`, `t`, differences `d`, `f`) the error is `|q·x - s t c·e| <= |d| |q| + |f| |s c|`, by
//! Cauchy and Schwarz, and `|s c| <= |x| + |d|`. A row is compared again in f32 wherever that bound leaves
//! open on which side of a limit it lies: nothing is missed, and every cosine that is told is the f32 one.

use crate::math::rows::{dot, norm};
use crate::search::filter::Mask;
use crate::search::vectors::{Coded, Vectors};
use crate::simd::dots;
use crate::simd::dots::STEP;

/// What sums in f32 may be wrong by, beside the bound.
const SLACK: f32 = 1e-5;
/// Bound of the length of a unit row as it is kept.
const LONGEST: f32 = 1.01;

/// A query, compared with all rows.
#[derive(Debug)]
pub struct Scan<'a> {
    vectors: &'a Vectors,
    query: &'a [f32],
    /// Cosine of each row with the query, from the codes.
    rough: Vec<f32>,
    /// What that may be wrong by, of the row that may be most.
    bound: f32,
}

impl<'a> Scan<'a> {
    /// Compares a unit query `[dimensions]` with all rows. A query of another length is near to nothing.
    pub fn new(vectors: &'a Vectors, query: &'a [f32]) -> Self {
        let coded = Coded::new(query);
        let (scales, errors) = vectors.scales();
        let mut rough = Vec::with_capacity(vectors.len());
        if query.len() == vectors.dimensions() {
            let wide: Vec<i16> = coded.codes.iter().map(|code| i16::from(*code)).collect();
            products(vectors.codes(), &wide, |row, dot| {
                rough.push(dot as f32 * (scales[row] * coded.scale));
            });
        }
        let worst = errors.iter().fold(0.0_f32, |worst, error| worst.max(*error));
        let bound = worst * norm(query) as f32 + coded.error * (LONGEST + worst) + SLACK;
        Self { vectors, query, rough, bound }
    }

    /// Rows that were compared.
    pub fn len(&self) -> usize {
        self.rough.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rough.is_empty()
    }

    /// The cosine of a row with the query, in f32 from the 16 bits that are kept.
    pub fn cosine(&self, row: u32) -> Option<f32> {
        let mut values = Vec::new();
        self.rough.get(row as usize)?;
        Some(self.exact(row, &mut values))
    }

    /// The `count` nearest rows of the mask, the nearest first, of equals the earlier.
    pub fn top(&self, count: usize, mask: Option<&Mask>) -> Vec<(u32, f32)> {
        let rows = || self.rows(mask);
        let mut best: Vec<f32> = rows().map(|(_, rough)| rough).collect();
        if count == 0 || best.is_empty() {
            return Vec::new();
        }
        let place = count.min(best.len()) - 1;
        let (_, limit, _) = best.select_nth_unstable_by(place, |a, b| b.total_cmp(a));
        // As many rows are surely as near as this.
        let least = *limit - 2.0 * self.bound;
        let mut values = Vec::new();
        let open = rows().filter(|(_, rough)| *rough >= least);
        let mut found: Vec<(u32, f32)> =
            open.map(|(row, _)| (row, self.exact(row, &mut values))).collect();
        found.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found.truncate(count);
        found
    }

    /// How many rows of the mask have at least that cosine.
    pub fn above(&self, least: f32, mask: Option<&Mask>) -> usize {
        let mut values = Vec::new();
        let is_above = |&(row, rough): &(u32, f32)| {
            let is_sure = rough - self.bound >= least;
            let is_open = rough + self.bound >= least;
            is_sure || (is_open && self.exact(row, &mut values) >= least)
        };
        self.rows(mask).filter(is_above).count()
    }

    /// From 1, where a row stands among those of the mask.
    pub fn rank(&self, row: u32, mask: Option<&Mask>) -> Option<u32> {
        let cosine = self.cosine(row)?;
        let mut values = Vec::new();
        let goes_before = |&(other, rough): &(u32, f32)| {
            if rough - self.bound > cosine {
                return true;
            }
            if rough + self.bound < cosine {
                return false;
            }
            let exact = self.exact(other, &mut values);
            exact > cosine || (exact == cosine && other < row)
        };
        u32::try_from(self.rows(mask).filter(goes_before).count() + 1).ok()
    }

    fn rows<'b>(&'b self, mask: Option<&'b Mask>) -> impl Iterator<Item = (u32, f32)> + 'b {
        let all = (0..).zip(self.rough.iter().copied());
        all.filter(move |(row, _)| mask.is_none_or(|mask| mask.has(*row)))
    }

    fn exact(&self, row: u32, values: &mut Vec<f32>) -> f32 {
        self.vectors.row_into(row as usize, values);
        dot(values, self.query)
    }
}

/// Products of all rows of codes with a query's, in whole numbers.
fn products(codes: &[i8], query: &[i16], mut give: impl FnMut(usize, i32)) {
    let whole = query.len() / STEP * STEP;
    for (row, codes) in codes.chunks_exact(query.len().max(1)).enumerate() {
        let rest = codes[whole..].iter().zip(&query[whole..]);
        let rest: i32 = rest.map(|(code, query)| i32::from(*code) * i32::from(*query)).sum();
        give(row, dots::dot(codes, query) + rest);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Mask, Scan, Vectors};
    use crate::math::rows::normalise;

    /// Unit rows; some are equal, some nearly.
    fn rows(count: usize, width: usize, seed: u64) -> Vec<f32> {
        let value = |place: usize| {
            let row = (place / width) % (count / 2 + 1);
            let mixed = (row * width + place % width) as u64 ^ seed;
            let mixed = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let nudge = if place / width == count - 1 { 1e-4 } else { 0.0 };
            ((mixed >> 40) as f32 / (1 << 23) as f32) - 1.0 + nudge
        };
        let mut all: Vec<f32> = (0..count * width).map(value).collect();
        all.chunks_exact_mut(width).for_each(normalise);
        all
    }

    /// So simple that it is obviously right.
    fn brute(vectors: &Vectors, query: &[f32], mask: Option<&Mask>) -> Vec<(u32, f32)> {
        let (all, width) = (vectors.to_rows(), vectors.dimensions());
        let mut found: Vec<(u32, f32)> = (0..)
            .zip(all.chunks_exact(width))
            .filter(|(row, _)| mask.is_none_or(|mask| mask.has(*row)))
            .map(|(row, values)| (row, crate::math::rows::dot(values, query)))
            .collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found
    }

    proptest! {
        #[test]
        fn the_nearest_are_those_that_looking_at_all_finds(
            count in 1..80_usize, width in 1..70_usize, seed: u64, top in 0..90_usize,
            masked in prop::option::of(prop::collection::vec(prop::bool::ANY, 80)), of in 0..80_usize,
        ) {
            let mut vectors = Vectors::new(width);
            vectors.push(&rows(count, width, seed));
            let mut query = rows(count + 1, width, seed ^ 77)[count * width..].to_vec();
            if of % 2 == 0 {
                vectors.row_into(of % count, &mut query);
            }
            let mask = masked.map(|all| Mask::new(count, |row| all[row as usize]));
            let mask = mask.as_ref();
            let scan = Scan::new(&vectors, &query);
            let wanted = brute(&vectors, &query, mask);
            prop_assert_eq!(scan.top(top, mask), &wanted[..top.min(wanted.len())]);
            for (rank, (row, cosine)) in (1..).zip(&wanted).take(9) {
                prop_assert_eq!(scan.rank(*row, mask), Some(rank));
                prop_assert_eq!(scan.cosine(*row), Some(*cosine));
                let above = wanted.iter().filter(|other| other.1 >= *cosine).count();
                prop_assert_eq!(scan.above(*cosine, mask), above);
            }
            // The bound holds for every row.
            for (row, cosine) in brute(&vectors, &query, None) {
                prop_assert!((scan.rough[row as usize] - cosine).abs() <= scan.bound);
            }
        }

        #[test]
        fn kept_rows_come_back_up_to_a_torn_one(
            count in 1..20_usize, width in 1..40_usize, seed: u64, cut in 0..60_usize, first in 0..25_usize,
        ) {
            let mut vectors = Vectors::new(width);
            vectors.push(&rows(count, width, seed));
            let bytes = vectors.to_bytes(0);
            let mut again = Vectors::new(width);
            prop_assert_eq!(again.push_bytes(&bytes), count);
            prop_assert_eq!(&again, &vectors);
            let row_bytes = vectors.row_bytes();
            prop_assert_eq!(vectors.to_bytes(first).len(), count.saturating_sub(first) * row_bytes);
            // The last rows were never written.
            let mut torn = bytes.clone();
            let kept = torn.len().saturating_sub(cut);
            torn[kept..].fill(0);
            let mut again = Vectors::new(width);
            let taken = again.push_bytes(&torn);
            prop_assert!(taken >= kept / row_bytes && taken <= count);
            // Less than a row of zeros may still be a unit row.
            prop_assert!(taken <= kept.div_ceil(row_bytes));
        }
    }

    #[test]
    fn another_width_is_near_to_nothing() {
        let mut vectors = Vectors::new(3);
        vectors.push(&[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 9.0]);
        assert_eq!(vectors.len(), 2);
        let scan = Scan::new(&vectors, &[1.0, 0.0]);
        assert_eq!((scan.top(5, None), scan.cosine(0), scan.rank(0, None)), (vec![], None, None));
        assert_eq!(Scan::new(&Vectors::new(3), &[1.0, 0.0, 0.0]).top(5, None), vec![]);
    }
}
