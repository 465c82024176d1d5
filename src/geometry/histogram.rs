//! How the cosines of all pairs are spread.

use crate::geometry::pairs::{BLOCK_ROWS, pair_count, scan_block};

/// Share of all distinct pairs' cosines in each of `bins` equal parts of -1 to 1, for unit rows
/// `[n, hidden]`: `[bins]`, which add up to 1; zeros with fewer than two rows. A part contains its
/// lower end; the last one both.
///
/// The cosine density of SimCSE (arXiv 2104.08821), Fig. G.1, without its bands of gold scores.
pub fn histogram(rows: &[f32], hidden: usize, bins: usize) -> Vec<f32> {
    let count = rows.len().checked_div(hidden).unwrap_or(0);
    let mut counts = vec![0_u64; bins];
    for start in (0..count).step_by(BLOCK_ROWS) {
        scan_block(rows, hidden, start, BLOCK_ROWS, |_, _, cosine| {
            if let Some(count) = counts.get_mut(bin(cosine, bins)) {
                *count += 1;
            }
        });
    }
    let pairs = pair_count(count).max(1) as f64;
    counts.into_iter().map(|count| (count as f64 / pairs) as f32).collect()
}

/// The part of -1 to 1 that a cosine is in. Rounding may leave it slightly outside.
fn bin(cosine: f32, bins: usize) -> usize {
    // The cast cuts: below 0 and what is no number become the first part.
    let place = (f64::from(cosine) + 1.0) / 2.0 * bins as f64;
    (place as usize).min(bins.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rows::{dot, normalise, row};

    #[test]
    fn edges_and_roundings_find_their_part() {
        let found = [-1.1, -1.0, -0.51, -0.5, 0.0, 0.499, 1.0, 1.001, f32::NAN];
        assert_eq!(found.map(|cosine| bin(cosine, 4)), [0, 0, 0, 1, 2, 2, 3, 3, 0]);
        assert_eq!(bin(0.5, 0), 0);
    }

    #[test]
    fn known_pairs() {
        // Cosines 0, -1, 0 of the pairs of (1,0), (0,1), (-1,0).
        let found = histogram(&[1.0, 0.0, 0.0, 1.0, -1.0, 0.0], 2, 4);
        assert_eq!(found, [1.0 / 3.0, 0.0, 2.0 / 3.0, 0.0]);
        assert_eq!(histogram(&[1.0, 0.0], 2, 3), [0.0; 3]);
        assert_eq!(histogram(&[], 0, 2), [0.0; 2]);
    }

    proptest::proptest! {
        #[test]
        fn it_counts_every_pair_where_a_plain_loop_does(
            values in proptest::collection::vec(-1.0_f32..1.0, 10..300),
            bins in 1_usize..90,
        ) {
            let hidden = 5;
            let mut rows = values[..values.len() / hidden * hidden].to_vec();
            rows.chunks_exact_mut(hidden).for_each(normalise);
            let count = rows.len() / hidden;
            let mut expected = vec![0.0; bins];
            for i in 0..count {
                for j in i + 1..count {
                    let cosine = dot(row(&rows, hidden, i), row(&rows, hidden, j));
                    let upper = |part: usize| (part + 1) as f64 / bins as f64 * 2.0 - 1.0;
                    let part = (0..bins - 1).find(|part| f64::from(cosine) < upper(*part));
                    expected[part.unwrap_or(bins - 1)] += 1.0;
                }
            }
            let found = histogram(&rows, hidden, bins);
            let pairs = pair_count(count) as f32;
            proptest::prop_assert!((found.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            // A cosine that falls on a border may be rounded to either side.
            for (part, (found, expected)) in found.iter().zip(&expected).enumerate() {
                let difference = (found * pairs - expected).abs();
                proptest::prop_assert!(difference < 1.5, "{part}: {found} {expected}");
            }
        }
    }
}
