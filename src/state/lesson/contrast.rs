//! The contrastive loss on a small matrix, for looking into it (SimCSE, arXiv 2104.08821, eq. 4).
//!
//! A matrix is `[side, side]`, row-major: cosine of first view i with second view j. Training has a
//! loss of its own, with gradients; this one is for reading along.

/// A row's shares: softmax of cosine / temperature. They add up to 1; of nothing there are none.
pub fn shares(row: &[f32], temperature: f32) -> Vec<f64> {
    let scale = 1.0 / f64::from(temperature).max(1e-6);
    let highest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    // Without the highest the exponential of a small temperature would overflow.
    let weights: Vec<f64> =
        row.iter().map(|cosine| (f64::from(cosine - highest) * scale).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

/// A row's loss in nats: minus the logarithm of its own partner's share. `None` where the matrix has
/// no such row.
pub fn row_loss(matrix: &[f32], side: usize, row: usize, temperature: f32) -> Option<f64> {
    let cosines = matrix.get(row * side..(row + 1) * side)?;
    let own = f64::from(*cosines.get(row)?);
    let scale = 1.0 / f64::from(temperature).max(1e-6);
    let highest = f64::from(cosines.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let sum: f64 =
        cosines.iter().map(|cosine| ((f64::from(*cosine) - highest) * scale).exp()).sum();
    Some((highest - own) * scale + sum.ln())
}

/// The batch's loss in nats: the mean over its rows. `None` of nothing.
pub fn batch_loss(matrix: &[f32], side: usize, temperature: f32) -> Option<f64> {
    let losses: Option<Vec<f64>> =
        (0..side).map(|row| row_loss(matrix, side, row, temperature)).collect();
    let losses = losses.filter(|losses| !losses.is_empty())?;
    Some(losses.iter().sum::<f64>() / losses.len() as f64)
}

/// Mean of the diagonal and of everything beside it: what belongs together, and what does not.
pub fn means(matrix: &[f32], side: usize) -> Option<(f64, f64)> {
    if side < 2 || matrix.len() != side * side {
        return None;
    }
    let whole: f64 = matrix.iter().map(|cosine| f64::from(*cosine)).sum();
    let own: f64 = matrix.iter().step_by(side + 1).map(|cosine| f64::from(*cosine)).sum();
    let count = side as f64;
    Some((own / count, (whole - own) / (count * (count - 1.0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_cosines_share_alike_and_lose_the_logarithm_of_their_number() {
        let matrix = [0.3; 16];
        assert_eq!(shares(&matrix[..4], 0.05), [0.25; 4]);
        for row in 0..4 {
            assert!((row_loss(&matrix, 4, row, 0.05).unwrap() - 4.0_f64.ln()).abs() < 1e-12);
        }
        assert!((batch_loss(&matrix, 4, 1.0).unwrap() - 4.0_f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn a_row_equals_its_definition() {
        let matrix = [0.9, 0.4, 0.1, 0.3, 0.2, 0.7, -0.2, 0.5, 0.8];
        let tau = 0.2;
        let weight = |cosine: f64| (cosine / tau).exp();
        let expected = -(weight(0.2) / (weight(0.3) + weight(0.2) + weight(0.7))).ln();
        assert!((row_loss(&matrix, 3, 1, 0.2).unwrap() - expected).abs() < 1e-6);
        let share = shares(&matrix[3..6], 0.2)[1];
        assert!((-share.ln() - expected).abs() < 1e-6);
    }

    #[test]
    fn a_tiny_temperature_does_not_overflow() {
        let matrix = [0.9, 1.0, 1.0, 0.9];
        let loss = row_loss(&matrix, 2, 0, 1e-3).unwrap();
        assert!((loss - 100.0).abs() < 1e-2, "{loss}");
        assert!((shares(&matrix[..2], 1e-3)[1] - 1.0).abs() < 1e-12);
    }

    #[test]
    fn means_tell_the_diagonal_from_the_rest() {
        let (own, other) = means(&[1.0, 0.2, 0.4, 0.8], 2).unwrap();
        assert!((own - 0.9).abs() < 1e-6 && (other - 0.3).abs() < 1e-6);
        assert_eq!(means(&[1.0], 1), None);
        assert_eq!(batch_loss(&[], 0, 0.05), None);
        assert_eq!(row_loss(&[1.0], 1, 3, 0.05), None);
    }
}
