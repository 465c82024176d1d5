//! IsoScore: how evenly a cloud of vectors fills its dimensions.

use crate::geometry::moments::Moments;

/// IsoScore (Rudman et al., Findings of ACL 2022) of rows `[m, n]`: 0 where all variance lies in one
/// direction, 1 where every direction has as much; higher is more even. `centred` is
/// [`Moments::centred`]. `None` with no more rows than dimensions, for which it is not defined, with
/// fewer than two dimensions, where the rows are equal, or where a value is not finite.
///
/// The paper scales the variances v of the n principal axes to length sqrt(n), takes the isotropy
/// defect delta = ||v - 1|| / sqrt(2 (n - sqrt n)), and from it ((n - delta^2 (n - sqrt n))^2 - n) /
/// (n (n - 1)). With r = sum v / ||v|| that is delta^2 (n - sqrt n) = n - sqrt(n) r, and so the score
/// is (r^2 - 1) / (n - 1). Sum and length of the variances are the trace and the Frobenius norm of
/// the covariance, which needs no axes.
pub fn iso_score(moments: &Moments, centred: &[f64]) -> Option<f64> {
    let dimensions = moments.hidden();
    if moments.is_by_rows() || dimensions < 2 {
        return None;
    }
    let sum = moments.variation(centred)?;
    let squares: f64 = centred.iter().map(|cell| cell * cell).sum();
    let score = (sum * sum / squares - 1.0) / (dimensions as f64 - 1.0);
    score.is_finite().then(|| score.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::eigen::symmetric_eigen;

    fn score(rows: &[f32], hidden: usize) -> Option<f64> {
        let moments = Moments::of(rows, hidden);
        iso_score(&moments, &moments.centred())
    }

    /// The paper's steps, one after another.
    fn by_the_paper(rows: &[f32], hidden: usize) -> f64 {
        let n = hidden as f64;
        let moments = Moments::of(rows, hidden);
        let variances = symmetric_eigen(&moments.centred(), hidden).unwrap().values;
        let length = variances.iter().map(|value| value * value).sum::<f64>().sqrt();
        let scaled = variances.iter().map(|value| value / length * n.sqrt());
        let defect = scaled.map(|value| (value - 1.0).powi(2)).sum::<f64>().sqrt()
            / (2.0 * (n - n.sqrt())).sqrt();
        ((n - defect.powi(2) * (n - n.sqrt())).powi(2) - n) / (n * (n - 1.0))
    }

    #[test]
    fn known_clouds() {
        // Both directions vary by the same.
        let round = [1.0, 0.0, -1.0, 0.0, 0.0, 1.0, 0.0, -1.0];
        assert!((score(&round, 2).unwrap() - 1.0).abs() < 1e-12);
        // Only one does, wherever it points and however far from 0 the cloud lies.
        let line = [3.0, 4.0, 6.0, 8.0, -3.0, -4.0];
        assert!(score(&line, 2).unwrap().abs() < 1e-12);
        // Variances 9 : 3 : 0, so r^2 = 144 / 90 and the score is (1.6 - 1) / 2.
        let (long, short) = (4.5_f32.sqrt(), 1.5_f32.sqrt());
        let flat = [long, 0., 0., -long, 0., 0., 0., short, 0., 0., -short, 0.];
        assert!((score(&flat, 3).unwrap() - 0.3).abs() < 1e-6);
    }

    #[test]
    fn where_it_is_not_defined_there_is_none() {
        assert_eq!(score(&[1.0, 0.0, 0.0, 1.0], 2), None);
        assert_eq!(score(&[0.5; 20], 2), None);
        assert_eq!(score(&[0.5, 0.7, 0.9], 1), None);
        assert_eq!(score(&[f32::NAN; 20], 2), None);
        assert_eq!(score(&[], 0), None);
    }

    proptest::proptest! {
        #[test]
        fn it_is_what_the_papers_steps_give(
            values in proptest::collection::vec(-1.0_f32..1.0, 60..300),
            hidden in 2_usize..12,
        ) {
            let rows = &values[..values.len() / hidden * hidden];
            proptest::prop_assume!(rows.len() / hidden > hidden);
            let (found, expected) = (score(rows, hidden).unwrap(), by_the_paper(rows, hidden));
            proptest::prop_assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        }
    }
}
