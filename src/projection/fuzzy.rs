//! How surely rows are each other's neighbours: what UMAP puts onto the map.

use std::ops::Range;

use crate::math::elementary::{exp, ln};
use crate::projection::neighbours::Neighbours;

/// Halvings of the bandwidth's range, at most, and how near its sum has to come.
const HALVINGS: usize = 64;
const SETTLED: f64 = 1e-5;

/// A bandwidth is no smaller than this share of the mean distance.
const LEAST_BANDWIDTH: f64 = 1e-3;

/// Adds the weights of some rows' neighbours: exp(-(d - rho) / sigma), 1 below rho, where d is the
/// distance of unit rows, sqrt(2 - 2 cos), rho the least that is not 0, and sigma such that the
/// weights' sum is log2 of the neighbours, the row itself counted as one (McInnes et al., arXiv
/// 1802.03426, Algorithm 3, as umap-learn has it).
pub fn weigh_rows(neighbours: &Neighbours, rows: Range<usize>, weights: &mut Vec<f32>) {
    for row in rows {
        weigh(neighbours.of(row).1, weights);
    }
}

fn weigh(cosines: &[f32], weights: &mut Vec<f32>) {
    let distances =
        || cosines.iter().map(|cosine| (2.0 - 2.0 * f64::from(*cosine)).max(0.0).sqrt());
    let nearest = distances().filter(|d| *d > 0.0).fold(f64::INFINITY, f64::min);
    let nearest = if nearest.is_finite() { nearest } else { 0.0 };
    let weight = |distance: f64, bandwidth: f64| {
        let beyond = distance - nearest;
        if beyond > 0.0 { exp(-beyond / bandwidth) } else { 1.0 }
    };
    let with_itself = (cosines.len() + 1) as f64;
    let wanted = ln(with_itself) / std::f64::consts::LN_2;
    let (mut low, mut high) = (0.0, f64::INFINITY);
    let mut bandwidth = 1.0;
    for _ in 0..HALVINGS {
        let sum: f64 = distances().map(|distance| weight(distance, bandwidth)).sum();
        if (sum - wanted).abs() < SETTLED {
            break;
        }
        if sum > wanted {
            high = bandwidth;
            bandwidth = f64::midpoint(low, high);
        } else {
            low = bandwidth;
            bandwidth = if high.is_finite() { f64::midpoint(low, high) } else { 2.0 * bandwidth };
        }
    }
    let mean = distances().sum::<f64>() / with_itself;
    let bandwidth = bandwidth.max(LEAST_BANDWIDTH * mean).max(f64::MIN_POSITIVE);
    weights.extend(distances().map(|distance| weight(distance, bandwidth) as f32));
}

/// Either of two is sure: a + b - a b.
pub fn either(a: f64, b: f64) -> f64 {
    a + b - a * b
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weighed(cosines: &[f32]) -> Vec<f32> {
        let mut weights = Vec::new();
        weigh(cosines, &mut weights);
        weights
    }

    proptest::proptest! {
        #[test]
        fn weights_fall_from_1_and_have_the_sum(
            mut cosines in proptest::collection::vec(-1.0_f32..0.9, 5..40),
        ) {
            cosines.sort_by(|a, b| b.total_cmp(a));
            let weights = weighed(&cosines);
            proptest::prop_assert_eq!(weights[0], 1.0);
            proptest::prop_assert!(weights.is_sorted_by(|a, b| a >= b));
            let sum: f64 = weights.iter().map(|weight| f64::from(*weight)).sum();
            let wanted = ((cosines.len() + 1) as f64).log2();
            proptest::prop_assert!((sum - wanted).abs() < 1e-3, "{} {}", sum, wanted);
        }
    }

    #[test]
    fn equal_rows_and_lonely_ones_have_weights() {
        assert_eq!(weighed(&[1.0; 4]), [1.0; 4]);
        assert_eq!(weighed(&[0.3]), [1.0]);
        assert!(weighed(&[]).is_empty());
        // One at another distance than all others, which are equal.
        let weights = weighed(&[1.0, 1.0, 1.0, 0.5, 0.5, 0.4]);
        assert!(weights[..5] == [1.0; 5] && weights[5] < 1.0);
    }

    #[test]
    fn one_of_two_is_enough() {
        assert_eq!([either(1.0, 0.0), either(0.5, 0.5), either(0.0, 0.25)], [1.0, 0.75, 0.25]);
    }
}
