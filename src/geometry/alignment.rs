//! Alignment: how close positive pairs are.

use crate::math::rows::squared_distance;

/// SimCSE takes STS-B pairs rated above this as positives (strictly; ratings are 0 to 5).
pub const POSITIVE_ABOVE: f32 = 4.0;

/// Mean over positive pairs of ||x - y||^2, 0 (same direction) to 4 (opposite); lower is better.
///
/// `l_align` with alpha = 2 of Wang & Isola, ICML 2020 (arXiv 2005.10242), on unit rows.
/// `None` without pairs.
pub fn alignment<'a>(pairs: impl IntoIterator<Item = (&'a [f32], &'a [f32])>) -> Option<f64> {
    let mut sum = 0.0;
    let mut count = 0_u64;
    for (left, right) in pairs {
        sum += squared_distance(left, right);
        count += 1;
    }
    (count > 0).then(|| sum / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_opposite_and_perpendicular_pairs() {
        let (x, y, z) = ([1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]);
        assert_eq!(alignment([(&x[..], &x[..])]), Some(0.0));
        assert_eq!(alignment([(&x[..], &z[..])]), Some(4.0));
        assert_eq!(alignment([(&x[..], &x[..]), (&x[..], &y[..])]), Some(1.0));
        assert_eq!(alignment([]), None);
    }

    #[test]
    fn it_is_two_minus_twice_the_cosine() {
        let (x, y) = ([0.6, 0.8], [0.8, 0.6]);
        assert!((alignment([(&x[..], &y[..])]).unwrap() - (2.0 - 2.0 * 0.96)).abs() < 1e-6);
    }
}
