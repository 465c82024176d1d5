//! All distinct pairs of rows, a block at a time.

use crate::math::rows::dot_tile;
use crate::math::rows::row;

/// Rows that make a good block: with 384 dimensions they fill a quarter of a small second-level
/// cache, and a block against 10,000 rows takes a few tens of milliseconds.
pub const BLOCK_ROWS: usize = 64;

/// Products of two numbers in a slice of work: some 20 ms in a browser.
const SLICE_PRODUCTS: usize = 24 << 20;

/// Rows whose dots with `columns` others of length `hidden` fill a slice of work.
pub fn slice_rows(columns: usize, hidden: usize) -> usize {
    (SLICE_PRODUCTS / columns.saturating_mul(hidden).max(1)).clamp(1, BLOCK_ROWS)
}

/// Calls `each(i, j, dot)` for every pair `i < j` with `i` among the `row_count` rows from
/// `start_row`. Blocks that cover all rows cover all distinct pairs once.
///
/// The rows of the block stay in cache while the others stream by four at a time.
pub fn scan_block(
    rows: &[f32],
    hidden: usize,
    start_row: usize,
    row_count: usize,
    each: impl FnMut(usize, usize, f32),
) {
    let block = start_row..start_row.saturating_add(row_count);
    scan_columns(rows, hidden, block, start_row.saturating_add(1)..usize::MAX, each);
}

/// As [`scan_block`] with only those `j` that are in `columns`: a block in slices. What is not there
/// is passed over.
pub fn scan_columns(
    rows: &[f32],
    hidden: usize,
    block: std::ops::Range<usize>,
    columns: std::ops::Range<usize>,
    mut each: impl FnMut(usize, usize, f32),
) {
    let count = rows.len().checked_div(hidden).unwrap_or(0);
    let (start_row, end_row) = (block.start, block.end.min(count));
    let mut column = columns.start.max(start_row.saturating_add(1));
    let end_column = columns.end.min(count);
    while column < end_column {
        let tiled = column + 4 <= end_column && column >= end_row;
        if tiled {
            let right = [0, 1, 2, 3].map(|offset| row(rows, hidden, column + offset));
            scan_tile(rows, hidden, start_row..end_row, column, right, &mut each);
            column += 4;
        } else {
            let right = row(rows, hidden, column);
            for i in start_row..end_row.min(column) {
                // Through the tile, so that a pair's cosine does not depend on the blocks.
                let [[dot]] = dot_tile([row(rows, hidden, i)], [right]);
                each(i, column, dot);
            }
            column += 1;
        }
    }
}

/// All rows of the block with four rows beyond it.
fn scan_tile(
    rows: &[f32],
    hidden: usize,
    block: std::ops::Range<usize>,
    column: usize,
    right: [&[f32]; 4],
    each: &mut impl FnMut(usize, usize, f32),
) {
    let mut i = block.start;
    while i < block.end {
        // A last single row is paired with itself, and its second result dropped.
        let second = (i + 1).min(block.end - 1);
        let tile = dot_tile([row(rows, hidden, i), row(rows, hidden, second)], right);
        for (left, dots) in [i, i + 1].into_iter().zip(tile).take(block.end - i) {
            for (offset, dot) in dots.into_iter().enumerate() {
                each(left, column + offset, dot);
            }
        }
        i += 2;
    }
}

/// Number of distinct pairs of `count` things.
pub fn pair_count(count: usize) -> u64 {
    let count = count as u64;
    count * count.saturating_sub(1) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_every_pair_once_with_its_dot() {
        let hidden = 6;
        for count in [0, 1, 2, 3, 5, 8, 13] {
            let rows: Vec<f32> = (0..count * hidden).map(|i| (i as f32 * 0.37).cos()).collect();
            for block in [1, 2, 3, 5, 64] {
                let mut found = Vec::new();
                for start in (0..count).step_by(block) {
                    scan_block(&rows, hidden, start, block, |i, j, dot| found.push((i, j, dot)));
                }
                found.sort_by_key(|(i, j, _)| (*i, *j));
                let expected = (0..count).flat_map(|i| (i + 1..count).map(move |j| (i, j)));
                assert!(found.iter().map(|(i, j, _)| (*i, *j)).eq(expected), "{count} {block}");
                assert_eq!(found.len() as u64, pair_count(count));
                for (i, j, found) in found {
                    let pairs = row(&rows, hidden, i).iter().zip(row(&rows, hidden, j));
                    let expected: f32 = pairs.map(|(left, right)| left * right).sum();
                    assert!((found - expected).abs() < 1e-5);
                }
            }
        }
    }

    #[test]
    fn slices_of_columns_give_what_the_block_gives() {
        let (count, hidden) = (23, 6);
        let rows: Vec<f32> = (0..count * hidden).map(|i| (i as f32 * 0.37).cos()).collect();
        let mut whole = Vec::new();
        scan_block(&rows, hidden, 5, 7, |i, j, dot| whole.push((j, i, dot.to_bits())));
        for width in [1, 2, 3, 5, 50] {
            let mut found = Vec::new();
            for start in (0..count).step_by(width) {
                let columns = start..start + width;
                let each = |i, j, dot: f32| found.push((j, i, dot.to_bits()));
                scan_columns(&rows, hidden, 5..12, columns, each);
            }
            found.sort_unstable();
            whole.sort_unstable();
            assert_eq!(found, whole, "{width}");
        }
    }

    #[test]
    fn no_dimensions_have_no_pairs() {
        scan_block(&[1.0, 2.0], 0, 0, 5, |_, _, _| panic!("there is no pair"));
    }
}
