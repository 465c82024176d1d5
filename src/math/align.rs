//! Laying one map of points over another.

/// What becomes of a map's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Kept: both maps are in the same units.
    Kept,
    /// Made equal: the root mean square distance from the middle becomes that of the other map.
    /// (The scale of least squares would shrink a map towards its middle, the less the two have in
    /// common.)
    Matched,
}

/// Moving, turning, perhaps mirroring, and scaling of a plane: with points as complex numbers,
/// `onto + turn (z - from)`, or with the conjugate of `z - from` where it mirrors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    mirrored: bool,
    turn: [f64; 2],
    from: [f64; 2],
    onto: [f64; 2],
}

/// The similarity that brings the points `from` `[n, 2]` nearest to the points `onto` `[n, 2]`, row
/// by row: the least sum of squared distances among all turns and mirrorings at that size, the
/// middles laid over each other (orthogonal Procrustes, Schonemann 1966; in the plane it is in closed
/// form: the best turn is the direction of the sum of conj(z) w). Rows with a number that is not finite
/// do not count. `None` where no turn is better than another, as where all points are one.
pub fn nearest_similarity(from: &[f32], onto: &[f32], size: Size) -> Option<Similarity> {
    let (from_middle, onto_middle) = middles(from, onto)?;
    let (mut plain, mut mirrored) = ([0.0; 2], [0.0; 2]);
    let (mut from_square, mut onto_square) = (0.0, 0.0);
    for (z, w) in rows(from, onto) {
        let (z, w) = (minus(z, from_middle), minus(w, onto_middle));
        // conj(z) w, and z w for the mirror.
        plain[0] += z[0] * w[0] + z[1] * w[1];
        plain[1] += z[0] * w[1] - z[1] * w[0];
        mirrored[0] += z[0] * w[0] - z[1] * w[1];
        mirrored[1] += z[0] * w[1] + z[1] * w[0];
        from_square += z[0] * z[0] + z[1] * z[1];
        onto_square += w[0] * w[0] + w[1] * w[1];
    }
    let is_mirrored = length(mirrored) > length(plain);
    let turn = if is_mirrored { mirrored } else { plain };
    let length = length(turn);
    // Of two maps that have nothing in common no turn is the best one.
    if !(length.is_finite() && length > 1e-12 * (from_square * onto_square).sqrt()) {
        return None;
    }
    let scale = match size {
        Size::Kept => 1.0,
        Size::Matched => (onto_square / from_square).sqrt(),
    };
    let turn = turn.map(|part| part * scale / length);
    Some(Similarity { mirrored: is_mirrored, turn, from: from_middle, onto: onto_middle })
}

impl Similarity {
    /// Every point laid over: `[n, 2]`.
    pub fn apply(&self, points: &[f32]) -> Vec<f32> {
        points.as_chunks::<2>().0.iter().flat_map(|point| self.moved(*point)).collect()
    }

    fn moved(&self, point: [f32; 2]) -> [f32; 2] {
        let [x, mut y] = minus(point.map(f64::from), self.from);
        if self.mirrored {
            y = -y;
        }
        let [re, im] = self.turn;
        [(self.onto[0] + re * x - im * y) as f32, (self.onto[1] + re * y + im * x) as f32]
    }
}

/// Points of both, where both are finite.
fn rows<'a>(from: &'a [f32], onto: &'a [f32]) -> impl Iterator<Item = ([f64; 2], [f64; 2])> + 'a {
    let pairs = from.as_chunks::<2>().0.iter().zip(onto.as_chunks::<2>().0);
    pairs
        .filter(|(z, w)| z.iter().chain(*w).all(|value| value.is_finite()))
        .map(|(z, w)| (z.map(f64::from), w.map(f64::from)))
}

fn middles(from: &[f32], onto: &[f32]) -> Option<([f64; 2], [f64; 2])> {
    let mut sums = [0.0; 4];
    let mut count = 0.0;
    for (z, w) in rows(from, onto) {
        for (sum, value) in sums.iter_mut().zip(z.into_iter().chain(w)) {
            *sum += value;
        }
        count += 1.0;
    }
    let [a, b, c, d] = sums.map(|sum| sum / count);
    (count > 0.0).then_some(([a, b], [c, d]))
}

fn minus(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [a[0] - b[0], a[1] - b[1]]
}

fn length([x, y]: [f64; 2]) -> f64 {
    (x * x + y * y).sqrt()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn distance(a: &[f32], b: &[f32]) -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum()
    }

    /// Every turn by a degree, with and without a mirror, at the size wanted.
    fn best_by_trying(from: &[f32], onto: &[f32], size: Size) -> f64 {
        let found = nearest_similarity(from, onto, size).unwrap();
        let scale = length(found.turn);
        let tries = (0..720).map(|place| {
            let (sin, cos) = f64::from(place % 360).to_radians().sin_cos();
            let turn = [scale * cos, scale * sin];
            let tried = Similarity { mirrored: place >= 360, turn, ..found };
            distance(&tried.apply(from), onto)
        });
        tries.fold(f64::INFINITY, f64::min)
    }

    fn points(count: usize) -> impl Strategy<Value = Vec<f32>> {
        prop::collection::vec(-10.0_f32..10.0, 2 * count)
    }

    proptest! {
        #[test]
        fn a_map_that_was_moved_is_moved_back(
            from in points(12),
            degrees in 0.0_f64..360.0,
            scale in 0.1_f64..9.0,
            mirrored: bool,
            shift in [-5.0_f64..5.0, -5.0..5.0],
        ) {
            let (sin, cos) = degrees.to_radians().sin_cos();
            let turn = [scale * cos, scale * sin];
            let moved = Similarity { mirrored, turn, from: [0.0; 2], onto: shift }.apply(&from);
            let found = nearest_similarity(&from, &moved, Size::Matched).unwrap();
            for (found, wanted) in found.apply(&from).iter().zip(&moved) {
                prop_assert!((found - wanted).abs() < 2e-4, "{found} {wanted}");
            }
        }

        #[test]
        fn no_other_turn_is_nearer(from in points(7), onto in points(7)) {
            for size in [Size::Kept, Size::Matched] {
                let found = nearest_similarity(&from, &onto, size).unwrap();
                let best = best_by_trying(&from, &onto, size);
                prop_assert!(distance(&found.apply(&from), &onto) <= best * (1.0 + 1e-5));
            }
        }

        #[test]
        fn sizes_are_kept_or_matched(from in points(9), onto in points(9)) {
            let spread = |points: &[f32]| {
                let middle = middles(points, points).unwrap().0;
                let squares = points.chunks_exact(2).map(|point| {
                    length(minus([point[0].into(), point[1].into()], middle)).powi(2)
                });
                squares.sum::<f64>().sqrt()
            };
            let kept = nearest_similarity(&from, &onto, Size::Kept).unwrap().apply(&from);
            prop_assert!((spread(&kept) / spread(&from) - 1.0).abs() < 1e-4);
            let matched = nearest_similarity(&from, &onto, Size::Matched).unwrap().apply(&from);
            prop_assert!((spread(&matched) / spread(&onto) - 1.0).abs() < 1e-4);
        }
    }

    #[test]
    fn where_nothing_settles_a_turn_there_is_none() {
        assert_eq!(nearest_similarity(&[], &[], Size::Matched), None);
        assert_eq!(
            nearest_similarity(&[1.0; 6], &[0.0, 0.0, 1.0, 0.0, 2.0, 5.0], Size::Kept),
            None
        );
        assert_eq!(nearest_similarity(&[f32::NAN; 4], &[1.0; 4], Size::Matched), None);
    }

    #[test]
    fn what_is_not_finite_does_not_count() {
        let from = [0.0, 0.0, 1.0, 0.0, 0.0, 2.0, f32::NAN, 7.0];
        let onto = [5.0, 5.0, 5.0, 6.0, 3.0, 5.0, 9.0, 9.0];
        let found = nearest_similarity(&from, &onto, Size::Kept).unwrap();
        for (found, wanted) in found.apply(&from[..6]).iter().zip(&onto) {
            assert!((found - wanted).abs() < 1e-6);
        }
    }
}
