//! Correlation of two lists of numbers.

/// Ranks from 1; equal values share the mean of the ranks they take together. No value may be NaN:
/// the ranks mean nothing then.
pub fn ranks(values: &[f32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut done = 0;
    // 0 and -0 are equal numbers with different bits, hence == and not total_cmp.
    for group in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let rank = done as f64 + (group.len() as f64 + 1.0) / 2.0;
        for position in group {
            ranks[*position] = rank;
        }
        done += group.len();
    }
    ranks
}

/// Pearson's correlation, -1 to 1. `None` where the lists differ in length, have fewer than two
/// values, one of them is constant, or a value is not finite.
pub fn pearson(left: &[f32], right: &[f32]) -> Option<f64> {
    correlation(&widen(left), &widen(right))
}

/// Spearman's rank correlation, -1 to 1: Pearson's of the [`ranks`], which is right with ties too
/// (SciPy's `spearmanr` does the same). `None` as for [`pearson`].
pub fn spearman(left: &[f32], right: &[f32]) -> Option<f64> {
    if !left.iter().chain(right).all(|value| value.is_finite()) {
        return None;
    }
    correlation(&ranks(left), &ranks(right))
}

fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().map(|value| f64::from(*value)).collect()
}

fn correlation(left: &[f64], right: &[f64]) -> Option<f64> {
    if left.len() != right.len() || left.len() < 2 {
        return None;
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (left_mean, right_mean) = (mean(left), mean(right));
    let (mut both, mut left_square, mut right_square) = (0.0, 0.0, 0.0);
    for (left, right) in left.iter().zip(right) {
        let (left, right) = (left - left_mean, right - right_mean);
        both += left * right;
        left_square += left * left;
        right_square += right * right;
    }
    let scale = (left_square * right_square).sqrt();
    (scale > 0.0).then(|| (both / scale).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_the_mean_rank() {
        assert_eq!(ranks(&[30.0, 10.0, 20.0, 10.0, 10.0]), [5.0, 2.0, 4.0, 2.0, 2.0]);
        assert_eq!(ranks(&[0.0, -0.0]), [1.5, 1.5]);
    }

    /// Values of scipy.stats 1.17: `spearmanr(x, y)`, `pearsonr(x, y)`.
    #[test]
    fn correlations_equal_scipy() {
        let x = [0.1, 0.4, 0.4, 0.9, 0.3, 0.7, 0.2];
        let y = [0.0, 2.5, 1.0, 5.0, 2.5, 3.8, 2.5];
        assert!((spearman(&x, &y).unwrap() - 0.785_355_471_607).abs() < 1e-9);
        assert!((pearson(&x, &y).unwrap() - 0.858_103_323_903).abs() < 1e-6);
    }

    #[test]
    fn a_monotone_map_keeps_spearman_and_a_constant_has_none() {
        let x = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(spearman(&x, &[1.0, 8.0, 27.0, 64.0]), Some(1.0));
        assert_eq!(spearman(&x, &[4.0, 3.0, 2.0, 1.0]), Some(-1.0));
        assert_eq!(pearson(&x, &[2.0; 4]), None);
        assert_eq!(pearson(&x, &[1.0]), None);
        assert_eq!(spearman(&[], &[]), None);
        for odd in [f32::NAN, f32::INFINITY] {
            assert_eq!(pearson(&x, &[1.0, 2.0, odd, 4.0]), None);
            assert_eq!(spearman(&x, &[1.0, 2.0, odd, 4.0]), None);
        }
    }
}
