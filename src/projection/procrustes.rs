//! One map laid onto another.

/// A turn, perhaps a mirroring, one scale and a shift of the plane: z becomes `turn` z + `shift`, or
/// `turn` z* + `shift` where it is mirrored, as complex numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    /// Scale times cosine and sine of the angle.
    turn: [f64; 2],
    shift: [f64; 2],
    mirrored: bool,
}

impl Similarity {
    /// The similarity that brings the points `from` `[n, 2]` nearest to the points `onto` `[n, 2]`,
    /// row by row: the least sum of squared distances (Procrustes analysis; Gower & Dijksterhuis,
    /// 2004). Rows with a value that is not finite are passed over. `None` without two rows apart in
    /// both, or where no turn is better than another.
    ///
    /// In the plane it is closed: with both means taken off, the turn is sum of onto from* / sum of
    /// |from|^2, mirrored sum of onto from / sum of |from|^2, and the longer of the two is better.
    pub fn fit(from: &[f32], onto: &[f32]) -> Option<Self> {
        let pairs = || {
            let both = from.as_chunks::<2>().0.iter().zip(onto.as_chunks::<2>().0);
            both.map(|(from, onto)| (from.map(f64::from), onto.map(f64::from)))
                .filter(|(from, onto)| from.iter().chain(onto).all(|value| value.is_finite()))
        };
        let count = pairs().count() as f64;
        let mut means = [[0.0; 2]; 2];
        for (from, onto) in pairs() {
            for axis in 0..2 {
                means[0][axis] += from[axis] / count;
                means[1][axis] += onto[axis] / count;
            }
        }
        let (mut straight, mut mirrored) = ([0.0; 2], [0.0; 2]);
        let mut size = [0.0; 2];
        for (from, onto) in pairs() {
            let [a, b] = [from[0] - means[0][0], from[1] - means[0][1]];
            let [c, d] = [onto[0] - means[1][0], onto[1] - means[1][1]];
            straight = [straight[0] + a * c + b * d, straight[1] + a * d - b * c];
            mirrored = [mirrored[0] + a * c - b * d, mirrored[1] + a * d + b * c];
            size = [size[0] + a * a + b * b, size[1] + c * c + d * d];
        }
        let length = |turn: [f64; 2]| turn[0] * turn[0] + turn[1] * turn[1];
        let is_mirrored = length(mirrored) > length(straight);
        let best = if is_mirrored { mirrored } else { straight };
        // By Cauchy and Schwarz at most 1, so that this is a share.
        if length(best) <= 1e-18 * size[0] * size[1] || !length(best).is_finite() {
            return None;
        }
        let turn = best.map(|part| part / size[0]);
        let mut found = Self { turn, shift: [0.0; 2], mirrored: is_mirrored };
        let moved = found.place(means[0]);
        found.shift = [means[1][0] - moved[0], means[1][1] - moved[1]];
        Some(found)
    }

    /// Every point of `[n, 2]` in its new place.
    pub fn apply(&self, points: &[f32]) -> Vec<f32> {
        let pairs = points.as_chunks::<2>().0;
        pairs.iter().flat_map(|point| self.place(point.map(f64::from))).map(|v| v as f32).collect()
    }

    /// How many times as large things become.
    pub fn scale(&self) -> f64 {
        (self.turn[0] * self.turn[0] + self.turn[1] * self.turn[1]).sqrt()
    }

    pub fn is_mirrored(&self) -> bool {
        self.mirrored
    }

    fn place(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let y = if self.mirrored { -y } else { y };
        let [cos, sin] = self.turn;
        [cos * x - sin * y + self.shift[0], sin * x + cos * y + self.shift[1]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng::Rng;

    fn cloud(count: usize, seed: u64) -> Vec<f32> {
        let mut rng = Rng::new(seed);
        (0..2 * count).map(|_| rng.normal() as f32).collect()
    }

    fn error(found: &[f32], onto: &[f32]) -> f64 {
        found.iter().zip(onto).map(|(a, b)| f64::from(a - b).powi(2)).sum()
    }

    #[test]
    fn what_was_moved_is_moved_back() {
        for mirrored in [false, true] {
            let moved = Similarity { turn: [1.2, -0.9], shift: [4.0, -7.0], mirrored };
            let points = cloud(30, 1);
            let mut onto = moved.apply(&points);
            let found = Similarity::fit(&points, &onto).unwrap();
            assert!(error(&found.apply(&points), &onto) < 1e-8);
            assert!((found.scale() - 1.5).abs() < 1e-6 && found.is_mirrored() == mirrored);
            onto[7] = f32::NAN;
            let found = Similarity::fit(&points, &onto).unwrap();
            assert!((found.scale() - 1.5).abs() < 1e-6);
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_near_it_is_better(seed in 0_u64..1_000, count in 3_usize..20) {
            let (from, onto) = (cloud(count, seed), cloud(count, seed + 5_000));
            let found = Similarity::fit(&from, &onto).unwrap();
            let least = error(&found.apply(&from), &onto);
            let mut rng = Rng::new(seed);
            for _ in 0..40 {
                let mut other = found;
                other.mirrored ^= rng.bits() & 7 == 0;
                let size = if other.mirrored == found.mirrored { 0.05 } else { 2.0 };
                for part in other.turn.iter_mut().chain(&mut other.shift) {
                    *part += size * rng.normal();
                }
                proptest::prop_assert!(error(&other.apply(&from), &onto) >= least - 1e-6);
            }
        }
    }

    #[test]
    fn what_settles_no_turn_is_refused() {
        assert_eq!(Similarity::fit(&[], &[]), None);
        assert_eq!(Similarity::fit(&[1.0, 2.0], &[3.0, 4.0]), None);
        assert_eq!(Similarity::fit(&[1.0; 8], &cloud(4, 1)), None);
        assert_eq!(Similarity::fit(&cloud(4, 1), &[f32::NAN; 8]), None);
        // Two points are turned and scaled, not mirrored.
        let found = Similarity::fit(&[0.0, 0.0, 1.0, 0.0], &[0.0, 1.0, 0.0, 3.0]).unwrap();
        assert!(!found.is_mirrored() && (found.scale() - 2.0).abs() < 1e-12);
    }
}
