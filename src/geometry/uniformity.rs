//! Uniformity: how evenly sentences fill the sphere.

use crate::geometry::pairs::BLOCK_ROWS;
use crate::geometry::pairs::pair_count;
use crate::geometry::pairs::scan_block;

/// Logarithm of the mean over distinct pairs of exp(-2 ||x - y||^2); lower is better. All rows
/// equal give 0, mutually perpendicular rows -4.
///
/// `l_uniform` with t = 2 of Wang & Isola, ICML 2020 (arXiv 2005.10242), on unit rows
/// `[n, hidden]`, for which ||x - y||^2 = 2 - 2 x.y. SimCSE takes all STS-B sentences. `None` with
/// fewer than two rows.
pub fn uniformity(rows: &[f32], hidden: usize) -> Option<f64> {
    let count = rows.len().checked_div(hidden)?;
    let mut sum = 0.0;
    for start in (0..count).step_by(BLOCK_ROWS) {
        scan_block(rows, hidden, start, BLOCK_ROWS, |_, _, dot| sum += potential(dot));
    }
    let pairs = pair_count(count);
    (pairs > 0).then(|| (sum / pairs as f64).ln())
}

/// exp(-2 ||x - y||^2) of two unit rows with that dot product.
fn potential(dot: f32) -> f64 {
    let squared_distance = (2.0 - 2.0 * f64::from(dot)).max(0.0);
    (-2.0 * squared_distance).exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rows::normalise;
    use crate::math::rows::squared_distance;

    #[test]
    fn equal_rows_give_zero_and_perpendicular_rows_minus_four() {
        assert_eq!(uniformity(&[1.0, 0.0, 1.0, 0.0, 1.0, 0.0], 2), Some(0.0));
        let identity: Vec<f32> = (0..25).map(|i| if i % 6 == 0 { 1.0 } else { 0.0 }).collect();
        assert!((uniformity(&identity, 5).unwrap() + 4.0).abs() < 1e-12);
        assert_eq!(uniformity(&[1.0, 0.0], 2), None);
        assert_eq!(uniformity(&[], 0), None);
    }

    #[test]
    fn it_equals_the_definition() {
        let hidden = 7;
        let mut rows: Vec<f32> = (0..hidden * 20).map(|i| ((i * i) as f32 * 0.3).sin()).collect();
        rows.chunks_exact_mut(hidden).for_each(normalise);
        let (mut sum, mut count) = (0.0, 0.0);
        for (i, x) in rows.chunks_exact(hidden).enumerate() {
            for y in rows.chunks_exact(hidden).skip(i + 1) {
                sum += (-2.0 * squared_distance(x, y)).exp();
                count += 1.0;
            }
        }
        let expected = f64::ln(sum / count);
        assert!((uniformity(&rows, hidden).unwrap() - expected).abs() < 1e-5);
    }
}
