//! Where the points of a map begin.

use crate::math::rng::Rng;
use crate::projection::tsne::centre;

/// Standard deviation that t-SNE begins with, as in scikit-learn: so small that all points still
/// attract each other.
const TSNE_DEVIATION: f64 = 1e-4;

/// Side of the box that UMAP begins in, as in umap-learn.
const UMAP_SIDE: f64 = 10.0;

/// Points are moved by about this share of the whole, so that equal rows can part.
const NOISE: f64 = 1e-3;

/// Points `[n, 2]` for t-SNE: around 0, the wider axis with its standard deviation.
pub fn for_tsne(mut points: Vec<f32>, seed: u64) -> Vec<f32> {
    centre(&mut points);
    let count = (points.len() / 2).max(1) as f64;
    let square = |axis: usize| {
        points.iter().skip(axis).step_by(2).map(|value| f64::from(*value).powi(2)).sum::<f64>()
    };
    let deviation = (square(0).max(square(1)) / count).sqrt();
    scaled(points, deviation, TSNE_DEVIATION, seed)
}

/// Points `[n, 2]` for UMAP: around 0, the longer side of their box with its length.
pub fn for_umap(mut points: Vec<f32>, seed: u64) -> Vec<f32> {
    centre(&mut points);
    let side = |axis: usize| {
        let values = || points.iter().skip(axis).step_by(2).map(|value| f64::from(*value));
        values().fold(f64::NEG_INFINITY, f64::max) - values().fold(f64::INFINITY, f64::min)
    };
    let longer = side(0).max(side(1));
    scaled(points, longer, UMAP_SIDE, seed)
}

fn scaled(mut points: Vec<f32>, size: f64, wanted: f64, seed: u64) -> Vec<f32> {
    let scale = if size.is_normal() && size > 0.0 { wanted / size } else { 0.0 };
    let mut rng = Rng::of(&[seed, points.len() as u64]);
    for value in &mut points {
        *value = (f64::from(*value) * scale + wanted * NOISE * rng.normal()) as f32;
    }
    points
}

/// Whether these can be where so many points begin.
pub fn is_usable(points: &[f32], count: usize) -> bool {
    Some(points.len()) == count.checked_mul(2) && points.iter().all(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cross(size: f32) -> Vec<f32> {
        [2.0, 0.0, -2.0, 0.0, 0.0, 1.0, 0.0, -1.0].map(|v| v * size + 5.0).to_vec()
    }

    #[test]
    fn sizes_are_those_wanted_and_shapes_are_kept() {
        for size in [1e-6, 1.0, 1e6] {
            let points = for_tsne(cross(size), 1);
            let deviation = (points.iter().step_by(2).map(|v| v * v).sum::<f32>() / 4.0).sqrt();
            assert!((deviation / 1e-4 - 1.0).abs() < 0.05, "{size}: {deviation}");
            let points = for_umap(cross(size), 1);
            assert!((points[0] - 5.0).abs() < 0.1 && (points[2] + 5.0).abs() < 0.1);
            assert!((points[5] - 2.5).abs() < 0.1 && points[1].abs() < 0.1);
        }
    }

    #[test]
    fn equal_points_part_as_the_seed_says() {
        let points = for_tsne(vec![3.0; 8], 1);
        assert!(points.iter().all(|value| value.abs() < 1e-6 && *value != 0.0));
        assert!(points == for_tsne(vec![3.0; 8], 1) && points != for_tsne(vec![3.0; 8], 2));
        assert!(for_umap(Vec::new(), 1).is_empty() && for_tsne(Vec::new(), 1).is_empty());
        assert!(is_usable(&points, 4) && !is_usable(&points, 3) && !is_usable(&[f32::NAN; 2], 1));
    }
}
