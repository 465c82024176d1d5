//! How near UMAP's points are for the distance they have on the map.

use crate::math::elementary::{exp, ln, power};

/// Places at which the curve is fitted, from 0 to [`END`].
const PLACES: usize = 300;
const END: f64 = 3.0;

/// Corrections of the fit, at most; some ten are enough.
const CORRECTIONS: usize = 100;

/// 1 / (1 + a d^(2 b)) of a distance d.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Curve {
    pub a: f64,
    pub b: f64,
}

impl Curve {
    /// The curve that is nearest, in least squares, to 1 up to `least_distance` and e^-(d - that)
    /// beyond: umap-learn's, with its spread of 1. Distances are 0 to 2; others are cut.
    ///
    /// Levenberg and Marquardt's steps on ln a and ln b, which keeps both positive.
    pub fn of(least_distance: f32) -> Self {
        // What is no number becomes 0.
        let least = if least_distance > 0.0 { f64::from(least_distance.min(2.0)) } else { 0.0 };
        let (mut a, mut b) = (1.5_f64, 1.0_f64);
        let mut damping = 1e-3;
        let mut error = Fit::of(a, b, least).error;
        for _ in 0..CORRECTIONS {
            let Fit { gradient, curvature: [aa, ab, bb], .. } = Fit::of(a, b, least);
            let (aa, bb) = (aa * (1.0 + damping), bb * (1.0 + damping));
            let determinant = aa * bb - ab * ab;
            if determinant <= 0.0 || !determinant.is_finite() {
                break;
            }
            let step_a = (bb * gradient[0] - ab * gradient[1]) / determinant;
            let step_b = (aa * gradient[1] - ab * gradient[0]) / determinant;
            let (next_a, next_b) = (a * exp(-step_a), b * exp(-step_b));
            let next = Fit::of(next_a, next_b, least).error;
            if next < error {
                (a, b, damping) = (next_a, next_b, damping * 0.1);
                if error - next < 1e-15 * error {
                    break;
                }
                error = next;
            } else {
                damping *= 10.0;
            }
        }
        Self { a, b }
    }
}

/// The sum of squared differences, half its gradient and curvature, by ln a and ln b.
struct Fit {
    error: f64,
    gradient: [f64; 2],
    /// a a, a b, b b.
    curvature: [f64; 3],
}

impl Fit {
    fn of(a: f64, b: f64, least: f64) -> Self {
        let mut fit = Self { error: 0.0, gradient: [0.0; 2], curvature: [0.0; 3] };
        for place in 0..PLACES {
            let d = END * place as f64 / (PLACES - 1) as f64;
            let wanted = if d < least { 1.0 } else { exp(least - d) };
            let raised = a * power(d, 2.0 * b);
            let near = 1.0 / (1.0 + raised);
            let difference = near - wanted;
            // By ln a: -near^2 raised; by ln b: that times 2 b ln d.
            let by_a = -near * near * raised;
            let by_b = if place == 0 { 0.0 } else { by_a * 2.0 * b * ln(d) };
            fit.error += difference * difference;
            fit.gradient[0] += difference * by_a;
            fit.gradient[1] += difference * by_b;
            fit.curvature[0] += by_a * by_a;
            fit.curvature[1] += by_a * by_b;
            fit.curvature[2] += by_b * by_b;
        }
        fit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `umap.umap_.find_ab_params(1.0, least_distance)` of umap-learn 0.5.12.
    #[test]
    fn the_curves_are_those_of_umap_learn() {
        for (least, a, b) in CURVES {
            let found = Curve::of(least);
            assert!((found.a / a - 1.0).abs() < 1e-4, "{least}: {found:?}");
            assert!((found.b / b - 1.0).abs() < 1e-4, "{least}: {found:?}");
        }
    }

    const CURVES: [(f32, f64, f64); 5] = [
        (0.0, 1.932_808_397, 0.790_494_973),
        (0.05, 1.750_224_963, 0.842_055_393),
        (0.1, 1.576_943_46, 0.895_060_878),
        (0.25, 1.121_436_342, 1.057_499_877),
        (0.5, 0.583_030_02, 1.334_166_992),
    ];

    #[test]
    fn distances_out_of_range_are_cut() {
        assert_eq!(Curve::of(f32::NAN), Curve::of(0.0));
        assert_eq!(Curve::of(-7.0), Curve::of(0.0));
        let far = Curve::of(1e9);
        assert!(far == Curve::of(2.0) && far.a > 0.0 && far.b.is_finite());
    }
}
