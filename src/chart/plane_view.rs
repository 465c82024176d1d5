//! Which part of a plane is seen: zooming, panning, what lies under the pointer or in a lasso; and
//! points on their way from one map to another.

/// A picture's size in pixels of the page, and how many pixels of the device one of them is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    pub width: f64,
    pub height: f64,
    pub ratio: f64,
}

/// Sides of a picture beyond which no screen goes, in pixels of the device.
const MOST_SIDE: f64 = 16_384.0;

impl Frame {
    /// Pixels of the device: across and down.
    pub fn pixels(&self) -> (usize, usize) {
        let side = |length: f64| (length * self.ratio).round().clamp(0.0, MOST_SIDE) as usize;
        (side(self.width), side(self.height))
    }
}

/// What stands in the middle of the picture, and how many pixels of the page a unit is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    pub centre: [f64; 2],
    pub scale: f64,
}

/// Lowest and highest along both axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    pub low: [f64; 2],
    pub high: [f64; 2],
}

impl Bounds {
    /// Around the finite points of `[n, 2]`; `None` where there is none.
    pub fn of(positions: &[f32]) -> Option<Self> {
        let points = positions.as_chunks::<2>().0.iter();
        let finite = points.filter(|point| point.iter().all(|value| value.is_finite()));
        finite.map(|point| point.map(f64::from)).fold(None, |bounds: Option<Self>, [x, y]| {
            let Self { low, high } = bounds.unwrap_or(Self { low: [x, y], high: [x, y] });
            let (low, high) = ([low[0].min(x), low[1].min(y)], [high[0].max(x), high[1].max(y)]);
            Some(Self { low, high })
        })
    }

    /// Around both.
    pub fn with(self, other: Option<Self>) -> Self {
        let Some(other) = other else { return self };
        let side = |pick: fn(f64, f64) -> f64, a: [f64; 2], b: [f64; 2]| {
            [pick(a[0], b[0]), pick(a[1], b[1])]
        };
        Self {
            low: side(f64::min, self.low, other.low),
            high: side(f64::max, self.high, other.high),
        }
    }
}

/// How far in and out of the whole one can go.
const ZOOMS: (f64, f64) = (0.25, 400.0);

impl View {
    /// All of the bounds, with a margin of so many pixels. Bounds without extent get a unit.
    pub fn fit(bounds: Bounds, frame: Frame, margin: f64) -> Self {
        let Bounds { low, high } = bounds;
        let room = |side: f64| (side - 2.0 * margin).max(1.0);
        let extent = |axis: usize| high[axis] - low[axis];
        let (across, up) = (room(frame.width) / extent(0), room(frame.height) / extent(1));
        let scale = across.min(up);
        let scale = if scale.is_finite() && scale > 0.0 {
            scale
        } else {
            room(frame.width).min(room(frame.height))
        };
        let middle = |axis: usize| f64::midpoint(low[axis], high[axis]);
        Self { centre: [middle(0), middle(1)], scale }
    }

    /// Where a point of the plane is in the picture, in pixels of the page.
    pub fn at(&self, [x, y]: [f64; 2], frame: Frame) -> (f64, f64) {
        let across = frame.width / 2.0 + (x - self.centre[0]) * self.scale;
        (across, frame.height / 2.0 - (y - self.centre[1]) * self.scale)
    }

    /// Which point of the plane is there.
    pub fn under(&self, (x, y): (f64, f64), frame: Frame) -> [f64; 2] {
        let across = self.centre[0] + (x - frame.width / 2.0) / self.scale;
        [across, self.centre[1] - (y - frame.height / 2.0) / self.scale]
    }

    /// Nearer by that factor; what is under the pixel `about` stays there. `whole` is the view of all,
    /// by which zooming ends.
    pub fn zoomed(&self, factor: f64, about: (f64, f64), frame: Frame, whole: &Self) -> Self {
        let (least, most) = (whole.scale * ZOOMS.0, whole.scale * ZOOMS.1);
        let scale = (self.scale * factor).max(least).min(most);
        if !(scale.is_finite() && scale > 0.0) {
            return *self;
        }
        let held = self.under(about, frame);
        let centre = [
            held[0] - (about.0 - frame.width / 2.0) / scale,
            held[1] + (about.1 - frame.height / 2.0) / scale,
        ];
        Self { centre, scale }
    }

    /// The plane moved by so many pixels to the right and down. Its middle stays where there is
    /// something: within the bounds.
    pub fn panned(&self, (right, down): (f64, f64), bounds: Bounds) -> Self {
        let Bounds { low, high } = bounds;
        let [x, y] = [self.centre[0] - right / self.scale, self.centre[1] + down / self.scale];
        let centre = [x.max(low[0]).min(high[0]), y.max(low[1]).min(high[1])];
        Self { centre, ..*self }
    }
}

/// The point of `[n, 2]` nearest to a pixel, among those within `reach` pixels; of equally near ones the
/// last, which is drawn over the others.
pub fn nearest(
    positions: &[f32],
    view: &View,
    frame: Frame,
    (x, y): (f64, f64),
    reach: f64,
) -> Option<usize> {
    let mut best = (reach * reach, None);
    for (place, point) in positions.as_chunks::<2>().0.iter().enumerate() {
        let at = view.at(point.map(f64::from), frame);
        let away = (at.0 - x).powi(2) + (at.1 - y).powi(2);
        if away <= best.0 {
            best = (away, Some(place));
        }
    }
    best.1
}

/// The points of `[n, 2]` within a polygon of pixels that is closed from its last corner to its first, in
/// their order. A point is inside where a ray from it crosses the border an odd number of times.
pub fn within(positions: &[f32], view: &View, frame: Frame, polygon: &[(f64, f64)]) -> Vec<u32> {
    // In the plane's own units, so that only the corners have to be moved.
    let corners: Vec<[f64; 2]> = polygon.iter().map(|at| view.under(*at, frame)).collect();
    let around = corners.iter().flat_map(|corner| corner.map(|value| value as f32));
    let Some(bounds) = Bounds::of(&around.collect::<Vec<_>>()) else { return Vec::new() };
    let is_inside = |[x, y]: [f64; 2]| {
        let near = |axis: usize, value: f64| {
            let slack = (bounds.high[axis] - bounds.low[axis]) * 1e-6;
            (bounds.low[axis] - slack..=bounds.high[axis] + slack).contains(&value)
        };
        near(0, x) && near(1, y) && crossings([x, y], &corners) % 2 == 1
    };
    let points = positions.as_chunks::<2>().0.iter().enumerate();
    points
        .filter(|(_, point)| is_inside(point.map(f64::from)))
        .map(|(place, _)| place as u32)
        .collect()
}

fn crossings([x, y]: [f64; 2], corners: &[[f64; 2]]) -> usize {
    let before = corners.iter().skip(corners.len().saturating_sub(1)).chain(corners);
    let sides = before.zip(corners);
    let crosses = |(from, to): &(&[f64; 2], &[f64; 2])| {
        (from[1] > y) != (to[1] > y)
            && x < (to[0] - from[0]) * (y - from[1]) / (to[1] - from[1]) + from[0]
    };
    sides.filter(crosses).count()
}

/// How far a movement is that sets off and arrives gently: 0 to 1 for a time from 0 to 1.
pub fn eased(time: f64) -> f64 {
    let time = time.clamp(0.0, 1.0);
    time * time * (3.0 - 2.0 * time)
}

/// Points on their way: `share` 0 are those of `from`, 1 those of `onto`, both `[n, 2]`. `into` is
/// written anew, as long as the shorter of both.
pub fn between(from: &[f32], onto: &[f32], share: f64, into: &mut Vec<f32>) {
    let share = share.clamp(0.0, 1.0) as f32;
    into.clear();
    into.extend(from.iter().zip(onto).map(|(from, onto)| from * (1.0 - share) + onto * share));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FRAME: Frame = Frame { width: 300.0, height: 200.0, ratio: 2.0 };

    fn view() -> impl Strategy<Value = View> {
        ([-50.0_f64..50.0, -50.0..50.0], 0.01_f64..100.0)
            .prop_map(|(centre, scale)| View { centre, scale })
    }

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-6 * (1.0 + a.abs() + b.abs())
    }

    proptest! {
        #[test]
        fn pixels_and_points_belong_together(view in view(), x in 0.0_f64..300.0, y in 0.0_f64..200.0) {
            let at = view.at(view.under((x, y), FRAME), FRAME);
            prop_assert!(near(at.0, x) && near(at.1, y));
        }

        #[test]
        fn what_is_zoomed_at_stays(
            view in view(), x in 0.0_f64..300.0, y in 0.0_f64..200.0, factor in 0.01_f64..100.0,
        ) {
            let held = view.under((x, y), FRAME);
            let zoomed = view.zoomed(factor, (x, y), FRAME, &view);
            let at = zoomed.at(held, FRAME);
            prop_assert!(near(at.0, x) && near(at.1, y));
            prop_assert!(zoomed.scale >= view.scale * 0.249 && zoomed.scale <= view.scale * 401.0);
        }

        #[test]
        fn all_that_is_fitted_is_seen(positions in prop::collection::vec(-1e3_f32..1e3, 4..40)) {
            let bounds = Bounds::of(&positions).unwrap();
            let view = View::fit(bounds, FRAME, 20.0);
            for point in positions.as_chunks::<2>().0 {
                let (x, y) = view.at(point.map(f64::from), FRAME);
                prop_assert!((19.9..=280.1).contains(&x) && (19.9..=180.1).contains(&y));
            }
        }

        #[test]
        fn the_nearest_is_the_nearest(
            positions in prop::collection::vec(-9.0_f32..9.0, 0..40), x in 0.0_f64..300.0,
            y in 0.0_f64..200.0,
        ) {
            let view = View { centre: [0.0; 2], scale: 12.0 };
            let away = |place: usize| {
                let (a, b) = view.at([positions[2 * place], positions[2 * place + 1]].map(f64::from), FRAME);
                (a - x).hypot(b - y)
            };
            let all = (0..positions.len() / 2).map(away);
            let least = all.fold(f64::INFINITY, f64::min);
            match nearest(&positions, &view, FRAME, (x, y), 15.0) {
                Some(place) => prop_assert!(near(away(place), least) && least <= 15.0 + 1e-9),
                None => prop_assert!(least > 15.0 - 1e-9),
            }
        }

        /// A convex polygon holds what lies on one side of all its sides.
        #[test]
        fn a_triangle_holds_what_lies_within_its_sides(
            corners in prop::collection::vec((0.0_f64..300.0, 0.0_f64..200.0), 3),
            positions in prop::collection::vec(-12.0_f32..12.0, 0..60),
        ) {
            let view = View { centre: [0.0; 2], scale: 12.0 };
            let found = within(&positions, &view, FRAME, &corners);
            for (place, point) in positions.as_chunks::<2>().0.iter().enumerate() {
                let p = view.at(point.map(f64::from), FRAME);
                let side = |a: (f64, f64), b: (f64, f64)| {
                    (b.0 - a.0) * (p.1 - a.1) - (b.1 - a.1) * (p.0 - a.0)
                };
                let sides = [(0, 1), (1, 2), (2, 0)].map(|(a, b)| side(corners[a], corners[b]));
                // On a side rounding decides.
                if sides.iter().all(|side| side.abs() > 1e-2) {
                    let inside = sides.iter().all(|s| *s > 0.0) || sides.iter().all(|s| *s < 0.0);
                    prop_assert_eq!(found.contains(&(place as u32)), inside);
                }
            }
        }
    }

    #[test]
    fn a_lasso_with_a_dent_leaves_out_what_lies_in_the_dent() {
        let view = View { centre: [0.0; 2], scale: 1.0 };
        let frame = Frame { width: 20.0, height: 20.0, ratio: 1.0 };
        // A U, open at the top.
        let lasso = [
            (2.0, 2.0),
            (6.0, 2.0),
            (6.0, 12.0),
            (14.0, 12.0),
            (14.0, 2.0),
            (18.0, 2.0),
            (18.0, 18.0),
            (2.0, 18.0),
        ];
        let at = |x: f32, y: f32| [x - 10.0, 10.0 - y];
        let points = [
            at(4.0, 4.0),
            at(10.0, 5.0),
            at(10.0, 15.0),
            at(16.0, 4.0),
            at(19.0, 19.0),
            [f32::NAN; 2],
        ];
        assert_eq!(within(points.as_flattened(), &view, frame, &lasso), [0, 2, 3]);
        assert_eq!(within(points.as_flattened(), &view, frame, &lasso[..2]), [0_u32; 0]);
        assert_eq!(within(points.as_flattened(), &view, frame, &[]), [0_u32; 0]);
    }

    #[test]
    fn one_point_and_none_can_be_fitted() {
        assert_eq!(Bounds::of(&[f32::NAN, 1.0]), None);
        let bounds = Bounds::of(&[3.0, 4.0, f32::INFINITY, 1.0]).unwrap();
        let view = View::fit(bounds, FRAME, 10.0);
        assert_eq!(view, View { centre: [3.0, 4.0], scale: 180.0 });
        assert_eq!(
            View::fit(bounds, Frame { width: 0.0, height: 0.0, ratio: 1.0 }, 10.0).scale,
            1.0
        );
    }

    #[test]
    fn a_pan_keeps_something_in_the_middle() {
        let bounds = Bounds { low: [-1.0, -1.0], high: [1.0, 1.0] };
        let view = View { centre: [0.0, 0.0], scale: 100.0 };
        assert_eq!(view.panned((50.0, 20.0), bounds).centre, [-0.5, 0.2]);
        assert_eq!(view.panned((-900.0, -900.0), bounds).centre, [1.0, -1.0]);
        let both = bounds.with(Bounds::of(&[2.0, 0.0]));
        assert_eq!((both.low, both.high), ([-1.0, -1.0], [2.0, 1.0]));
    }

    #[test]
    fn a_movement_begins_and_ends_where_it_should() {
        assert_eq!([eased(-1.0), eased(0.5), eased(2.0)], [0.0, 0.5, 1.0]);
        let mut on_the_way = vec![9.0; 9];
        between(&[0.0, 2.0, 4.0], &[1.0, 4.0], 0.25, &mut on_the_way);
        assert_eq!(on_the_way, [0.25, 2.5]);
        between(&[0.1, 2.0], &[0.7, 4.0], 1.0, &mut on_the_way);
        assert_eq!(on_the_way, [0.7, 4.0]);
    }
}
