//! Everything that is drawn of a set of vectors, at once.

use crate::geometry::cosine::mean_cosine;
use crate::geometry::moments::Moments;
use crate::geometry::spectrum::{axes, effective_rank, relative, share};
use crate::geometry::sphere::sphere;
use crate::geometry::spread::Spread;
use crate::protocol::training::Shape;

/// Axes of the sphere.
const AXES: usize = 3;

/// The geometry of unit rows `[n, hidden]`. With fewer than two rows uniformity and mean cosine are
/// 0; where a value is not finite there is no spectrum and no sphere.
///
/// 300 rows of 384 take some 60 ms in a browser, most of it for the eigenvalues.
pub fn shape(rows: &[f32], hidden: usize) -> Shape {
    let count = rows.len().checked_div(hidden).unwrap_or(0);
    let mut spread = Spread::new(count, hidden, Shape::BINS);
    while spread.step(rows, |_, _, _| {}) {}
    gathered(rows, &spread, &Moments::of(rows, hidden))
}

/// The geometry of unit rows whose pairs and moments those are: what is left to do is to find the
/// eigenvalues.
pub fn gathered(rows: &[f32], spread: &Spread, moments: &Moments) -> Shape {
    let hidden = moments.hidden();
    let mut shape = Shape {
        sentences: u32::try_from(moments.count()).unwrap_or(u32::MAX),
        dimensions: u32::try_from(hidden).unwrap_or(u32::MAX),
        uniformity: spread.uniformity().unwrap_or_default(),
        mean_cosine: mean_cosine(rows, hidden).unwrap_or_default(),
        histogram: spread.histogram(),
        ..Shape::default()
    };
    if let Some(axes) = axes(rows, moments, AXES) {
        shape.spectrum = relative(&axes.singular_values, Shape::SINGULAR_VALUES);
        shape.effective_rank = effective_rank(&axes.singular_values);
        shape.sphere = sphere(&axes.coordinates, axes.kept);
        shape.sphere_share = share(&axes.singular_values, AXES) as f32;
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::shape;
    use crate::math::rows::{dot, norm, normalise};
    use crate::protocol::training::Shape;

    fn units(count: usize, hidden: usize, along: f32) -> Vec<f32> {
        let mut rows: Vec<f32> = (0..count * hidden)
            .map(|i| ((i * i) as f32 * 0.13).sin() + if i % hidden == 1 { along } else { 0.0 })
            .collect();
        rows.chunks_exact_mut(hidden).for_each(normalise);
        rows
    }

    #[test]
    fn a_cone_stays_a_cone_on_the_sphere() {
        let (count, hidden) = (90, 24);
        let (wide, narrow) =
            (shape(&units(count, hidden, 0.0), hidden), shape(&units(count, hidden, 15.0), hidden));
        assert!(narrow.mean_cosine > 0.9 && wide.mean_cosine < 0.2);
        assert!(narrow.uniformity > wide.uniformity + 1.0);
        // The first axis runs through the cone: every point lies near it.
        assert!(narrow.sphere.chunks_exact(3).all(|point| point[0] > 0.9));
        assert!(wide.sphere.chunks_exact(3).any(|point| point[0] < 0.5));
        assert!(narrow.sphere_share > wide.sphere_share);
        assert!(narrow.effective_rank < wide.effective_rank);
        assert!(narrow.spectrum[1] < 0.2 && narrow.spectrum[1] < wide.spectrum[1]);
    }

    #[test]
    fn in_three_dimensions_the_sphere_is_exact() {
        let (count, hidden) = (20, 3);
        let rows = units(count, hidden, 0.5);
        let found = shape(&rows, hidden);
        assert!((found.sphere_share - 1.0).abs() < 1e-6);
        assert_eq!(found.dimensions, 3);
        assert!((1.0..=3.0).contains(&found.effective_rank), "{}", found.effective_rank);
        for i in 0..count {
            for j in 0..count {
                let expected = dot(&rows[i * 3..][..3], &rows[j * 3..][..3]);
                let cosine = dot(&found.sphere[i * 3..][..3], &found.sphere[j * 3..][..3]);
                assert!((cosine - expected).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn nothing_one_and_what_is_no_number_have_a_shape() {
        assert_eq!(shape(&[], 4).sentences, 0);
        assert_eq!(shape(&[], 0).histogram, vec![0.0; Shape::BINS]);
        let one = shape(&[0.6, 0.8], 2);
        assert_eq!((one.sentences, one.uniformity, one.spectrum.as_slice()), (1, 0.0, &[1.0][..]));
        assert!(shape(&[f32::NAN; 6], 2).sphere.is_empty());
    }

    proptest::proptest! {
        #[test]
        fn lengths_and_ranges_hold(
            values in proptest::collection::vec(-1.0_f32..1.0, 1..400),
            hidden in 1_usize..20,
        ) {
            let mut rows = values[..values.len() / hidden * hidden].to_vec();
            rows.chunks_exact_mut(hidden).for_each(normalise);
            let count = rows.len() / hidden;
            let found = shape(&rows, hidden);
            proptest::prop_assert_eq!(found.sphere.len(), count * 3);
            let longest = count.min(hidden).min(Shape::SINGULAR_VALUES);
            proptest::prop_assert_eq!(found.spectrum.len(), longest);
            proptest::prop_assert!(found.spectrum.is_sorted_by(|a, b| a >= b));
            proptest::prop_assert!((0.0..=1.000_001).contains(&found.sphere_share));
            proptest::prop_assert!(found.uniformity <= 1e-9 && found.uniformity >= -8.0);
            for point in found.sphere.chunks_exact(3) {
                let length = norm(point);
                proptest::prop_assert!(length == 0.0 || (length - 1.0).abs() < 1e-5);
            }
        }
    }
}
