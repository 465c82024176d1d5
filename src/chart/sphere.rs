//! Sentences' directions on a sphere that can be turned.
//!
//! Near points are large and strong, far ones small and faint; circles of latitude and longitude
//! show how the sphere stands.

use crate::chart::ramp::Palette;
use crate::chart::scene::{Anchor, Scene, Shape, fit, text_width};

/// How the sphere stands, in radians.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stand {
    /// About the upright axis.
    pub turn: f64,
    /// Of the upright axis towards the viewer.
    pub tilt: f64,
}

impl Stand {
    /// The first axis, along which a cone lies, points to the right and somewhat forward.
    pub const FIRST: Self = Self { turn: -0.6, tilt: 0.3 };

    /// Turned further; the tilt stops at the poles.
    pub fn moved(self, turn: f64, tilt: f64) -> Self {
        const POLE: f64 = std::f64::consts::FRAC_PI_2;
        let turn = (self.turn + turn) % std::f64::consts::TAU;
        Self { turn, tilt: (self.tilt + tilt).clamp(-POLE, POLE) }
    }

    /// A point as the viewer sees it: to the right, up, and towards the viewer.
    fn seen(self, [along, up, out]: [f64; 3]) -> [f64; 3] {
        let ((sin_turn, cos_turn), (sin_tilt, cos_tilt)) =
            (self.turn.sin_cos(), self.tilt.sin_cos());
        let (right, depth) = (along * cos_turn + out * sin_turn, out * cos_turn - along * sin_turn);
        [right, up * cos_tilt - depth * sin_tilt, up * sin_tilt + depth * cos_tilt]
    }
}

/// Whose points they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Before,
    After,
    /// Neither: another way of getting there.
    Other,
}

impl Tone {
    /// The colour of its points.
    pub fn colour(self, palette: &Palette) -> &'static str {
        match self {
            Self::Before => palette.before,
            Self::After => palette.after,
            Self::Other => palette.accent,
        }
    }
}

/// A point that is named.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    pub place: usize,
    /// Empty: only ringed.
    pub label: String,
    /// Drawn as an arrow from the centre.
    pub arrow: bool,
}

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Sphere<'a> {
    /// `[n, 3]`, unit vectors; zeros are left out.
    pub points: &'a [f32],
    pub tone: Tone,
    pub stand: Stand,
    /// Every point is the end of a line from the centre.
    pub rays: bool,
    /// Whether points are shapes of the drawing; many are better drawn as [`layers`] of pixels below it.
    pub dots: bool,
    pub marks: &'a [Mark],
    pub description: String,
}

/// Points at about one depth, which look alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    pub radius: f64,
    /// 0 to 1.
    pub opacity: f64,
    pub centres: Vec<(f64, f64)>,
}

/// Depths that are told apart where points are drawn in layers.
const LAYERS: usize = 12;

/// The points of a square of `side` pixels in layers, the farthest first; all looks are those of
/// [`sphere`]'s points, rounded to the layer's.
pub fn layers(points: &[f32], stand: Stand, side: f64) -> Vec<Layer> {
    let of = |layer: usize| {
        let near = (layer as f64 + 0.5) / LAYERS as f64;
        Layer { radius: dot_radius(near), opacity: dot_opacity(near), centres: Vec::new() }
    };
    let mut layers: Vec<Layer> = (0..LAYERS).map(of).collect();
    for spot in spots(points, stand, side) {
        let layer = (nearness(&spot) * LAYERS as f64) as usize;
        layers[layer.min(LAYERS - 1)].centres.push((spot.x, spot.y));
    }
    layers
}

fn dot_radius(near: f64) -> f64 {
    2.4 + 2.6 * near
}

fn dot_opacity(near: f64) -> f64 {
    0.3 + 0.6 * near
}

/// A point of the drawing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot {
    pub place: usize,
    pub x: f64,
    pub y: f64,
    /// -1 (behind) to 1 (before).
    pub depth: f64,
}

const LABEL_SIZE: f64 = 14.0;
const MARGIN: f64 = 12.0;
/// Straight pieces of a circle.
const PIECES: usize = 48;

/// The ball in a square drawing.
#[derive(Debug, Clone, Copy)]
struct Ball {
    centre: f64,
    radius: f64,
    stand: Stand,
}

impl Ball {
    fn new(side: f64, stand: Stand) -> Self {
        Self { centre: side / 2.0, radius: (side / 2.0 - MARGIN).max(1.0), stand }
    }

    fn spot(&self, place: usize, point: [f64; 3]) -> Spot {
        let [right, up, depth] = self.stand.seen(point);
        let (x, y) = (self.centre + self.radius * right, self.centre - self.radius * up);
        Spot { place, x, y, depth }
    }
}

/// Where the points lie in a square of `side` pixels, the farthest first.
pub fn spots(points: &[f32], stand: Stand, side: f64) -> Vec<Spot> {
    let ball = Ball::new(side, stand);
    let mut spots: Vec<Spot> = points
        .chunks_exact(3)
        .enumerate()
        .filter(|(_, point)| point.iter().any(|value| *value != 0.0))
        .map(|(place, point)| ball.spot(place, [0, 1, 2].map(|axis| f64::from(point[axis]))))
        .collect();
    spots.sort_by(|a, b| a.depth.total_cmp(&b.depth));
    spots
}

/// The point within reach of a place of the drawing; of several the one in front.
pub fn spot_at(spots: &[Spot], x: f64, y: f64) -> Option<usize> {
    const REACH: f64 = 9.0;
    let near = spots.iter().filter(|spot| (spot.x - x).hypot(spot.y - y) <= REACH);
    near.max_by(|a, b| a.depth.total_cmp(&b.depth)).map(|spot| spot.place)
}

/// Draws the sphere in a square of `side` pixels.
pub fn sphere(data: &Sphere<'_>, side: f64, palette: &Palette) -> Scene {
    let ball = Ball::new(side, data.stand);
    let mut shapes = vec![Shape::Circle {
        centre: (ball.centre, ball.centre),
        radius: ball.radius,
        fill: "none".to_owned(),
        ring: Some(palette.rule.to_owned()),
    }];
    draw_circles(&ball, palette, &mut shapes);
    let colour = data.tone.colour(palette);
    let spots = spots(data.points, data.stand, side);
    for spot in spots.iter().filter(|_| data.dots) {
        draw_spot(spot, &ball, data.rays, colour, &mut shapes);
    }
    // The nearest last: its label lies over the others.
    for spot in &spots {
        for mark in data.marks.iter().filter(|mark| mark.place == spot.place) {
            draw_mark(mark, spot, &ball, side, palette, &mut shapes);
        }
    }
    let (width, height) = (side, side);
    Scene { width, height, description: data.description.clone(), background: None, shapes }
}

/// Equator and two meridians; the far halves are fainter.
fn draw_circles(ball: &Ball, palette: &Palette, shapes: &mut Vec<Shape>) {
    let circles: [fn(f64, f64) -> [f64; 3]; 3] =
        [|sin, cos| [cos, 0.0, sin], |sin, cos| [cos, sin, 0.0], |sin, cos| [0.0, sin, cos]];
    for circle in circles {
        for piece in 0..PIECES {
            let end = |place: usize| {
                let (sin, cos) = (place as f64 / PIECES as f64 * std::f64::consts::TAU).sin_cos();
                ball.spot(0, circle(sin, cos))
            };
            let (from, to) = (end(piece), end(piece + 1));
            // The far side is dashed: every other piece.
            if from.depth + to.depth < 0.0 && piece % 2 == 1 {
                continue;
            }
            shapes.push(Shape::Line {
                from: (from.x, from.y),
                to: (to.x, to.y),
                stroke: palette.rule.to_owned(),
                width: if from.depth + to.depth < 0.0 { 0.75 } else { 1.0 },
            });
        }
    }
}

/// 0 (behind) to 1 (before).
fn nearness(spot: &Spot) -> f64 {
    (spot.depth.clamp(-1.0, 1.0) + 1.0) / 2.0
}

/// A colour at a strength from 0 to 1.
pub fn faded(colour: &str, share: f64) -> String {
    format!("{colour}{:02x}", (share.clamp(0.0, 1.0) * 255.0).round() as u8)
}

fn draw_spot(spot: &Spot, ball: &Ball, rays: bool, colour: &str, shapes: &mut Vec<Shape>) {
    let near = nearness(spot);
    if rays {
        shapes.push(Shape::Line {
            from: (ball.centre, ball.centre),
            to: (spot.x, spot.y),
            stroke: faded(colour, 0.12 + 0.22 * near),
            width: 1.0,
        });
    }
    shapes.push(Shape::Circle {
        centre: (spot.x, spot.y),
        radius: dot_radius(near),
        fill: faded(colour, dot_opacity(near)),
        ring: None,
    });
}

fn draw_mark(
    mark: &Mark,
    spot: &Spot,
    ball: &Ball,
    side: f64,
    palette: &Palette,
    shapes: &mut Vec<Shape>,
) {
    if mark.arrow {
        let (dx, dy) = (spot.x - ball.centre, spot.y - ball.centre);
        let length = dx.hypot(dy).max(1.0);
        // The head's two corners, behind the tip.
        let (back, out) = (11.0 / length, 4.5 / length);
        let corner = |sign: f64| {
            (spot.x - dx * back - sign * dy * out, spot.y - dy * back + sign * dx * out)
        };
        shapes.push(Shape::Line {
            from: (ball.centre, ball.centre),
            to: (spot.x, spot.y),
            stroke: palette.ink.to_owned(),
            width: 2.5,
        });
        shapes.push(Shape::Path {
            points: vec![(spot.x, spot.y), corner(1.0), corner(-1.0)],
            closed: true,
            fill: Some(palette.ink.to_owned()),
            stroke: None,
            width: 0.0,
            dashed: false,
        });
    } else {
        shapes.push(Shape::Circle {
            centre: (spot.x, spot.y),
            radius: 4.0 + 3.0 * nearness(spot),
            fill: "none".to_owned(),
            ring: Some(palette.ink.to_owned()),
        });
    }
    if !mark.label.is_empty() {
        draw_label(&mark.label, spot, side, palette, shapes);
    }
}

/// Above a spot of the upper half and below one of the lower half, so that the label lies on neither
/// the spot nor its arrow; on a strip of paper.
fn draw_label(label: &str, spot: &Spot, side: f64, palette: &Palette, shapes: &mut Vec<Shape>) {
    const AWAY: f64 = 20.0;
    let text = fit(label, LABEL_SIZE, (side - 16.0).max(60.0));
    let width = text_width(&text, LABEL_SIZE) + 8.0;
    let half = (width / 2.0).min(side / 2.0);
    let x = spot.x.clamp(half, side - half);
    let away = if spot.y < side / 2.0 { -AWAY } else { AWAY };
    let y = (spot.y + away).clamp(12.0, (side - 12.0).max(12.0));
    shapes.push(Shape::Rect {
        x: x - width / 2.0,
        y: y - 11.0,
        width,
        height: 22.0,
        radius: 4.0,
        fill: faded(palette.paper, 0.8),
    });
    shapes.push(Shape::Text {
        at: (x, y + LABEL_SIZE * 0.35),
        text,
        size: LABEL_SIZE,
        fill: palette.ink.to_owned(),
        anchor: Anchor::Middle,
        bold: true,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::ramp::LIGHT;

    const FRONT: Stand = Stand { turn: 0.0, tilt: 0.0 };

    #[test]
    fn a_turn_by_a_quarter_brings_the_first_axis_behind_and_a_full_one_back() {
        let first = |stand| spots(&[1.0, 0.0, 0.0], stand, 224.0)[0];
        let spot = first(FRONT);
        assert!((spot.x - 212.0).abs() < 1e-9 && (spot.y - 112.0).abs() < 1e-9);
        let spot = first(FRONT.moved(std::f64::consts::FRAC_PI_2, 0.0));
        assert!((spot.depth + 1.0).abs() < 1e-9 && (spot.x - 112.0).abs() < 1e-9);
        let spot = first(FRONT.moved(std::f64::consts::TAU, 0.0));
        assert!((spot.x - 212.0).abs() < 1e-9);
    }

    #[test]
    fn the_tilt_stops_at_the_poles() {
        assert_eq!(FRONT.moved(0.0, 9.0).tilt, std::f64::consts::FRAC_PI_2);
        let up = spots(&[0.0, 1.0, 0.0], FRONT.moved(0.0, 9.0), 100.0)[0];
        assert!((up.depth - 1.0).abs() < 1e-9);
    }

    #[test]
    fn points_come_back_to_front_and_zeros_do_not() {
        let points = [0.0, 0.0, 1.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0];
        let found = spots(&points, FRONT, 100.0);
        assert_eq!(found.iter().map(|spot| spot.place).collect::<Vec<_>>(), [1, 0]);
        // Both lie in the middle; the one in front is under the pointer.
        assert_eq!(spot_at(&found, 52.0, 50.0), Some(0));
        assert_eq!(spot_at(&found, 80.0, 50.0), None);
    }

    #[test]
    fn near_points_are_larger_and_marks_are_named() {
        let marks = [Mark { place: 0, label: "yours".to_owned(), arrow: true }];
        let data = Sphere {
            points: &[0.0, 0.0, 1.0, 0.0, 0.0, -1.0],
            tone: Tone::After,
            stand: FRONT,
            rays: false,
            dots: true,
            marks: &marks,
            description: "two".to_owned(),
        };
        let scene = sphere(&data, 200.0, &LIGHT);
        let radii: Vec<f64> = scene
            .shapes
            .iter()
            .filter_map(|shape| match shape {
                Shape::Circle { radius, fill, .. } if fill.starts_with(LIGHT.after) => {
                    Some(*radius)
                }
                _ => None,
            })
            .collect();
        assert_eq!(radii, [2.4, 5.0]);
        let svg = scene.to_svg();
        assert!(svg.contains("yours") && !svg.contains("NaN"));
    }

    #[test]
    fn layers_hold_every_point_the_farthest_first() {
        let points: Vec<f32> = (0..90_u16)
            .flat_map(|place| {
                let angle = f32::from(place) * 0.07;
                [angle.sin(), 0.0, angle.cos()]
            })
            .collect();
        let found = layers(&points, FRONT, 200.0);
        let count: usize = found.iter().map(|layer| layer.centres.len()).sum();
        assert_eq!(count, 90);
        assert!(found.is_sorted_by(|a, b| a.radius < b.radius && a.opacity < b.opacity));
        let alone = layers(&[0.0, 0.0, 1.0], FRONT, 200.0);
        let last = alone.last().unwrap();
        assert_eq!(last.centres, [(100.0, 100.0)]);
        assert!((last.radius - 5.0).abs() < 0.2);
        assert!(layers(&[0.0; 3], FRONT, 9.0).iter().all(|layer| layer.centres.is_empty()));
    }
}
