//! Turning one cloud of points onto another.

/// A 3 x 3 matrix, row by row.
pub type Matrix3 = [[f64; 3]; 3];

/// Steps of the iteration below; it doubles its correct digits each time.
const STEPS: usize = 40;

/// The orthogonal matrix R (a rotation, or a rotation and a reflection) that brings the points `from`
/// `[n, 3]` nearest to the points `onto` `[n, 3]`, row by row: the least sum of
/// ||R from - onto||^2 (orthogonal Procrustes, Schonemann 1966). `None` where the points lie in a
/// plane or are not finite, so that R is not settled.
///
/// R is the orthogonal factor of M = sum of onto from^T, by Newton's iteration
/// R <- (R + R^-T) / 2 (Higham 1986).
pub fn nearest_turn(from: &[f32], onto: &[f32]) -> Option<Matrix3> {
    let mut turn = [[0.0; 3]; 3];
    for (from, onto) in from.chunks_exact(3).zip(onto.chunks_exact(3)) {
        for (line, onto) in turn.iter_mut().zip(onto) {
            for (cell, from) in line.iter_mut().zip(from) {
                *cell += f64::from(*onto) * f64::from(*from);
            }
        }
    }
    let size = turn.iter().flatten().fold(0.0_f64, |size, cell| size.max(cell.abs()));
    if !size.is_finite() || size == 0.0 {
        return None;
    }
    turn.iter_mut().flatten().for_each(|cell| *cell /= size);
    for _ in 0..STEPS {
        let inverse = inverse_transposed(&turn)?;
        for (line, other) in turn.iter_mut().zip(&inverse) {
            for (cell, other) in line.iter_mut().zip(other) {
                *cell = f64::midpoint(*cell, *other);
            }
        }
    }
    Some(turn)
}

/// Every point turned: `[n, 3]`.
pub fn turned(points: &[f32], turn: &Matrix3) -> Vec<f32> {
    let along = |line: &[f64; 3], point: &[f32]| -> f32 {
        line.iter().zip(point).map(|(cell, value)| cell * f64::from(*value)).sum::<f64>() as f32
    };
    points
        .chunks_exact(3)
        .flat_map(|point| turn.each_ref().map(|line| along(line, point)))
        .collect()
}

/// Cofactors divided by the determinant; `None` where that is as good as zero.
fn inverse_transposed(m: &Matrix3) -> Option<Matrix3> {
    let cofactor = |i: usize, j: usize| {
        let (a, b) = ((i + 1) % 3, (i + 2) % 3);
        let (c, d) = ((j + 1) % 3, (j + 2) % 3);
        m[a][c] * m[b][d] - m[a][d] * m[b][c]
    };
    let cofactors = [0, 1, 2].map(|i| [0, 1, 2].map(|j| cofactor(i, j)));
    let determinant: f64 = (0..3).map(|j| m[0][j] * cofactors[0][j]).sum();
    (determinant.abs() > 1e-9).then(|| cofactors.map(|line| line.map(|cell| cell / determinant)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cloud(count: usize) -> Vec<f32> {
        (0..count * 3).map(|i| ((i * i) as f32 * 0.7).sin()).collect()
    }

    #[test]
    fn a_turned_and_mirrored_cloud_is_turned_back() {
        let (sin, cos) = 0.8_f64.sin_cos();
        let turn = [[cos, -sin, 0.0], [0.0, 0.0, -1.0], [sin, cos, 0.0]];
        let points = cloud(20);
        let moved = turned(&points, &turn);
        let found = nearest_turn(&points, &moved).unwrap();
        for (found, expected) in found.iter().flatten().zip(turn.iter().flatten()) {
            assert!((found - expected).abs() < 1e-5);
        }
        for (back, onto) in turned(&points, &found).iter().zip(&moved) {
            assert!((back - onto).abs() < 1e-5);
        }
    }

    #[test]
    fn the_turn_keeps_lengths_and_angles() {
        let found = nearest_turn(&cloud(9), &cloud(12)[9..]).unwrap();
        for i in 0..3 {
            for j in 0..3 {
                let dot: f64 = (0..3).map(|k| found[i][k] * found[j][k]).sum();
                assert!((dot - if i == j { 1.0 } else { 0.0 }).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn flat_clouds_settle_no_turn() {
        let flat = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
        assert_eq!(nearest_turn(&flat, &flat), None);
        assert_eq!(nearest_turn(&[f32::NAN; 9], &[1.0; 9]), None);
        assert_eq!(nearest_turn(&[], &[]), None);
    }
}
