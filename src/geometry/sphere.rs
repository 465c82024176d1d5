//! Vectors on a sphere that can be drawn.

/// Coordinates `[n, axes]` on the first axes, of which at most three are taken, scaled to length 1:
/// `[n, 3]`. A row that those axes know nothing of stays zero.
pub fn sphere(coordinates: &[f64], axes: usize) -> Vec<f32> {
    let mut points = Vec::with_capacity(coordinates.len() / axes.max(1) * 3);
    for row in coordinates.chunks_exact(axes.max(1)) {
        let mut point = [0.0; 3];
        for (place, value) in point.iter_mut().zip(row) {
            *place = *value;
        }
        let length = point.iter().map(|value| value * value).sum::<f64>().sqrt();
        let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
        points.extend(point.map(|value| (value * scale) as f32));
    }
    points
}

#[cfg(test)]
mod tests {
    use super::sphere;

    #[test]
    fn points_have_length_one_and_missing_axes_are_zero() {
        assert_eq!(sphere(&[3.0, 4.0, 0.0, -2.0], 2), [0.6, 0.8, 0.0, 0.0, -1.0, 0.0]);
        assert_eq!(sphere(&[0.0, 0.0, 2.0, 9.0], 4), [0.0, 0.0, 1.0]);
        assert_eq!(sphere(&[0.0; 3], 3), [0.0; 3]);
        assert!(sphere(&[], 0).is_empty());
    }
}
