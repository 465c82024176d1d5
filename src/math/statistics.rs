//! Means and quantiles.

/// Half-width of the 95 % interval of a normal distribution, in standard deviations.
pub const WIDTH_95: f64 = 1.959_964;

/// Mean, summed in `f64`. `None` of nothing.
pub fn mean(values: &[f32]) -> Option<f64> {
    let sum: f64 = values.iter().map(|value| f64::from(*value)).sum();
    (!values.is_empty()).then(|| sum / values.len() as f64)
}

/// The value below which the share `share` (0 to 1) of the values lies, interpolated between
/// neighbours (Hyndman & Fan's definition 7, which NumPy and R use by default). Sorts `values`.
/// `None` of nothing.
pub fn quantile(values: &mut [f32], share: f64) -> Option<f64> {
    values.sort_unstable_by(f32::total_cmp);
    let last = values.len().checked_sub(1)?;
    let place = share.clamp(0.0, 1.0) * last as f64;
    let below = place.floor();
    let low = f64::from(*values.get(below as usize)?);
    let high = f64::from(*values.get(place.ceil() as usize)?);
    Some(low + (high - low) * (place - below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate_as_numpy_does() {
        let mut values = vec![4.0, 1.0, 3.0, 2.0];
        // numpy.quantile([1, 2, 3, 4], [0, .05, .5, .95, 1])
        for (share, expected) in [(0.0, 1.0), (0.05, 1.15), (0.5, 2.5), (0.95, 3.85), (1.0, 4.0)] {
            assert!((quantile(&mut values, share).unwrap() - expected).abs() < 1e-12, "{share}");
        }
        assert_eq!(quantile(&mut [], 0.5), None);
        assert_eq!(quantile(&mut [7.0], 0.3), Some(7.0));
    }

    #[test]
    fn the_mean_of_nothing_is_nothing() {
        assert_eq!(mean(&[]), None);
        assert_eq!(mean(&[1.0, 2.0, 6.0]), Some(3.0));
    }
}
