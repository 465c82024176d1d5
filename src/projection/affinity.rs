//! How near rows feel to their neighbours: what t-SNE puts onto the map.

use crate::math::elementary::{exp, ln};
use crate::projection::neighbours::Neighbours;

/// Neighbours that each row gets for each of its perplexity: beyond, the weights are next to zero.
pub const NEIGHBOURS_A_PERPLEXITY: f32 = 3.0;

/// Halvings of the bandwidth's range, at most.
const HALVINGS: usize = 64;

/// The entropy has to be met to this.
const SETTLED: f64 = 1e-5;

/// The perplexity that so many rows can have: a third of the others at most, and 1 at least.
pub fn bounded(perplexity: f32, rows: usize) -> f32 {
    let most = rows.saturating_sub(1) as f32 / NEIGHBOURS_A_PERPLEXITY;
    // What is no number becomes 1.
    perplexity.max(1.0).min(most.max(1.0))
}

/// p(j|i) of one row's neighbours, given their cosines: exp(-beta d^2) divided by their sum, where
/// d^2 = 2 - 2 cos and beta is such that 2^entropy is the perplexity (van der Maaten & Hinton 2008,
/// eq. 1). Where the perplexity cannot be had, as near as it gets.
pub fn weigh(cosines: &[f32], perplexity: f32, weights: &mut Vec<f32>) {
    let distances = || cosines.iter().map(|cosine| 2.0 - 2.0 * f64::from(*cosine));
    // The nearest at distance 0 changes no share, and keeps the sum from vanishing.
    let nearest = distances().fold(f64::INFINITY, f64::min);
    let wanted = ln(f64::from(perplexity).max(1.0));
    let (mut low, mut high) = (0.0, f64::INFINITY);
    let mut beta = 1.0;
    let mut sum = 0.0;
    for _ in 0..HALVINGS {
        let mut moment = 0.0;
        sum = 0.0;
        for distance in distances() {
            let weight = exp(-beta * (distance - nearest));
            sum += weight;
            moment += weight * (distance - nearest);
        }
        // H = ln(sum) + beta E[d^2], in nats.
        let entropy = if sum > 0.0 { ln(sum) + beta * moment / sum } else { wanted };
        if (entropy - wanted).abs() < SETTLED {
            break;
        }
        if entropy > wanted {
            low = beta;
            beta = if high.is_finite() { f64::midpoint(low, high) } else { 2.0 * beta };
        } else {
            high = beta;
            beta = f64::midpoint(low, high);
        }
    }
    let share = if sum > 0.0 { 1.0 / sum } else { 0.0 };
    weights.extend(distances().map(|d| (exp(-beta * (d - nearest)) * share) as f32));
}

/// The weights of the neighbours of these rows, after those before them.
pub fn weigh_rows(
    neighbours: &Neighbours,
    rows: std::ops::Range<usize>,
    perplexity: f32,
    weights: &mut Vec<f32>,
) {
    for row in rows {
        weigh(neighbours.of(row).1, perplexity, weights);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn perplexity(weights: &[f32]) -> f64 {
        let shares = weights.iter().map(|w| f64::from(*w)).filter(|w| *w > 0.0);
        (-shares.map(|w| w * w.ln()).sum::<f64>()).exp()
    }

    proptest::proptest! {
        #[test]
        fn weights_have_the_perplexity_and_fall(
            mut cosines in proptest::collection::vec(-1.0_f32..1.0, 30..120),
            wanted in 2.0_f32..9.0,
        ) {
            cosines.sort_by(|a, b| b.total_cmp(a));
            let mut weights = Vec::new();
            weigh(&cosines, wanted, &mut weights);
            proptest::prop_assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            proptest::prop_assert!(weights.is_sorted_by(|a, b| a >= b));
            let found = perplexity(&weights);
            proptest::prop_assert!((found - f64::from(wanted)).abs() < 1e-3, "{}", found);
        }
    }

    #[test]
    fn what_cannot_be_had_is_as_near_as_it_gets() {
        let mut weights = Vec::new();
        weigh(&[0.5; 4], 2.0, &mut weights);
        assert_eq!(weights, [0.25; 4]);
        weights.clear();
        weigh(&[0.9], 30.0, &mut weights);
        assert_eq!(weights, [1.0]);
        weights.clear();
        weigh(&[], 30.0, &mut weights);
        assert!(weights.is_empty());
        assert_eq!([bounded(30.0, 10), bounded(f32::NAN, 90), bounded(5.0, 1)], [3.0, 1.0, 1.0]);
        assert_eq!(bounded(30.0, 1_000), 30.0);
    }
}
