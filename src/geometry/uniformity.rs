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
    let potentials = Potentials::new();
    for start in (0..count).step_by(BLOCK_ROWS) {
        scan_block(rows, hidden, start, BLOCK_ROWS, |_, _, dot| sum += potentials.of(dot));
    }
    let pairs = pair_count(count);
    (pairs > 0).then(|| (sum / pairs as f64).ln())
}

/// Steps of the table in 1.
const STEPS: usize = 256;

/// The largest exponent: of opposite rows.
const LARGEST: usize = 8;

/// exp(-2 ||x - y||^2) of pairs of unit rows, from a table: the library's exponential would take a
/// fifth of the time of a pair.
#[derive(Debug, Clone)]
pub struct Potentials {
    /// exp(-k / 256) for each k.
    table: Vec<f64>,
}

impl Potentials {
    pub fn new() -> Self {
        let step = |k: usize| (-(k as f64) / STEPS as f64).exp();
        Self { table: (0..=LARGEST * STEPS).map(step).collect() }
    }

    /// The potential of two unit rows with that dot product, to 1e-14 of it. Rounding may have left
    /// the dot outside -1 to 1.
    #[inline]
    pub fn of(&self, dot: f32) -> f64 {
        // -2 ||x - y||^2 = -(4 - 4 x.y); what is no number stays none.
        let exponent = (4.0 - 4.0 * f64::from(dot)).clamp(0.0, LARGEST as f64);
        let place = exponent * STEPS as f64;
        let step = place as usize;
        let rest = (step as f64 - place) / STEPS as f64;
        let series = 1.0 + rest * (0.5 + rest * (1.0 / 6.0 + rest * (1.0 / 24.0)));
        self.table.get(step).copied().unwrap_or_default() * (1.0 + rest * series)
    }
}

impl Default for Potentials {
    fn default() -> Self {
        Self::new()
    }
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
    fn potentials_are_exponentials() {
        let potentials = Potentials::new();
        for i in 0..=20_000 {
            let dot = i as f32 / 10_000.0 - 1.0;
            let expected = (4.0 * f64::from(dot) - 4.0).exp();
            assert!((potentials.of(dot) / expected - 1.0).abs() < 1e-14, "{dot}");
        }
        assert_eq!([1.000_1, -1.000_1].map(|dot| potentials.of(dot)), [1.0, (-8.0_f64).exp()]);
        assert!(potentials.of(f32::NAN).is_nan());
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
