//! The plane of alignment and uniformity (Wang & Isola 2020; SimCSE, figures 2 and 3) with the trail
//! of a fine-tune. On both axes less is better, so good encoders lie at the lower left.

use crate::chart::axis::{Axis, label, numbers_below, range, rules};
use crate::chart::ramp::Palette;
use crate::chart::scene::{Anchor, Scene, Shape, fit, text_width};

/// One measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct Spot {
    pub uniformity: f64,
    pub alignment: f64,
    /// Written beside the spot where it is the first, the present or the marked one.
    pub label: String,
}

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane<'a> {
    /// In the order of training; the first is the start.
    pub trail: &'a [Spot],
    /// The present one; those behind it were left by an undo.
    pub now: usize,
    pub marked: Option<usize>,
    pub uniformity_label: String,
    pub alignment_label: String,
    /// How to read the corners: lower left, lower right, upper left, upper right.
    pub corners: [String; 4],
    pub description: String,
}

const LEFT: f64 = 44.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 28.0;
const BOTTOM: f64 = 44.0;

/// Room around the trail, in units of uniformity.
const MARGIN: f64 = 0.3;

/// Where the spots lie, in pixels: lets the page find the spot under the pointer.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    across: Axis,
    up: Axis,
    pub height: f64,
    pub spots: Vec<(f64, f64)>,
}

impl Layout {
    /// The spot within reach of a point of the drawing; of several the nearest.
    pub fn spot_at(&self, x: f64, y: f64) -> Option<usize> {
        const REACH: f64 = 18.0;
        let distance = |spot: &(f64, f64)| (spot.0 - x).hypot(spot.1 - y);
        let near = self.spots.iter().enumerate().map(|(place, spot)| (place, distance(spot)));
        let near = near.filter(|(_, distance)| *distance <= REACH);
        near.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(place, _)| place)
    }
}

/// Where the spots go over `width` pixels.
pub fn layout(trail: &[Spot], width: f64) -> Layout {
    let height = (width * 0.66).clamp(240.0, 380.0);
    let uniformity = range(trail.iter().map(|spot| spot.uniformity)).unwrap_or((-2.5, -1.5));
    let alignment = range(trail.iter().map(|spot| spot.alignment)).unwrap_or((0.0, 0.3));
    let low = ((uniformity.0 - MARGIN) * 2.0).floor() / 2.0;
    let high = (((uniformity.1 + MARGIN) * 2.0).ceil() / 2.0).min(0.0);
    let across = Axis::new((low, high), (LEFT, width - RIGHT));
    // Alignment has a true zero, and a little change of it must not look like a great one.
    let top = (alignment.1 * 1.4).max(0.25);
    let up = Axis::new((0.0, top), (height - BOTTOM, TOP));
    let spots =
        trail.iter().map(|spot| (across.at(spot.uniformity), up.at(spot.alignment))).collect();
    Layout { across, up, height, spots }
}

/// Draws the plane over `width` pixels.
pub fn plane(data: &Plane<'_>, width: f64, palette: &Palette) -> Scene {
    let place = layout(data.trail, width);
    let bottom = place.height - BOTTOM;
    let mut shapes = rules(&place.across, &place.up, 4, palette);
    shapes.extend(numbers_below(&place.across, bottom + 18.0, 5, palette));
    shapes.push(label((LEFT, 14.0), &data.alignment_label, palette.ink, Anchor::Start));
    let across = label(
        (width - RIGHT, place.height - 6.0),
        &data.uniformity_label,
        palette.ink,
        Anchor::End,
    );
    shapes.push(across);
    draw_corners(data, &place, width, palette, &mut shapes);
    draw_trail(data, &place, palette, &mut shapes);
    draw_names(data, &place, width, palette, &mut shapes);
    let height = place.height;
    Scene { width, height, description: data.description.clone(), background: None, shapes }
}

fn draw_corners(
    data: &Plane<'_>,
    place: &Layout,
    width: f64,
    palette: &Palette,
    shapes: &mut Vec<Shape>,
) {
    let (left, right) = (LEFT + 6.0, width - RIGHT - 6.0);
    let (low, high) = (place.height - BOTTOM - 8.0, TOP + 16.0);
    let room = (right - left) / 2.0 - 8.0;
    let [lower_left, lower_right, upper_left, upper_right] = &data.corners;
    let corners = [
        ((left, low), lower_left, Anchor::Start),
        ((right, low), lower_right, Anchor::End),
        ((left, high), upper_left, Anchor::Start),
        ((right, high), upper_right, Anchor::End),
    ];
    for (at, text, anchor) in corners {
        shapes.push(label(at, &fit(text, 12.0, room), palette.quiet, anchor));
    }
}

fn draw_trail(data: &Plane<'_>, place: &Layout, palette: &Palette, shapes: &mut Vec<Shape>) {
    let walked = place.spots.iter().take(data.now + 1).copied().collect::<Vec<_>>();
    if walked.len() > 1 {
        shapes.push(Shape::Path {
            points: walked,
            closed: false,
            fill: None,
            stroke: Some(palette.after.to_owned()),
            width: 1.5,
            dashed: false,
        });
    }
    for (number, &centre) in place.spots.iter().enumerate() {
        let is_end = number == 0 || number == data.now;
        let colour = match number {
            _ if number > data.now => palette.baseline,
            0 => palette.before,
            _ => palette.after,
        };
        shapes.push(Shape::Circle {
            centre,
            radius: if is_end { 7.0 } else { 4.5 },
            fill: colour.to_owned(),
            ring: Some(palette.paper.to_owned()),
        });
        if data.marked == Some(number) {
            shapes.push(Shape::Circle {
                centre,
                radius: 10.0,
                fill: "none".to_owned(),
                ring: Some(palette.ink.to_owned()),
            });
        }
    }
}

/// Marked, present and first spot have their names beside them, on the side that the trail did not
/// come from; where two would collide, the earlier of these is written.
fn draw_names(
    data: &Plane<'_>,
    place: &Layout,
    width: f64,
    palette: &Palette,
    shapes: &mut Vec<Shape>,
) {
    let mut taken: Vec<(f64, f64, f64)> = Vec::new();
    let marked = data.marked.unwrap_or(data.now);
    for number in [marked, data.now, 0] {
        let (Some(spot), Some(&(x, y))) = (data.trail.get(number), place.spots.get(number)) else {
            continue;
        };
        let long = text_width(&spot.label, 12.0);
        let came_from = number.checked_sub(1).and_then(|before| place.spots.get(before));
        let is_moving_left = came_from.is_some_and(|before| before.0 > x);
        let room_left = x - 14.0 - long > LEFT;
        let room_right = x + 14.0 + long < width - RIGHT;
        let on_left = room_left && (is_moving_left || !room_right);
        let start = if on_left { x - 14.0 - long } else { x + 14.0 };
        let collides = taken.iter().any(|(left, right, line)| {
            (line - y).abs() < 15.0 && start < *right && *left < start + long
        });
        if collides {
            continue;
        }
        taken.push((start, start + long, y));
        shapes.push(Shape::Text {
            at: (start, y + 4.0),
            text: spot.label.clone(),
            size: 12.0,
            fill: palette.ink.to_owned(),
            anchor: Anchor::Start,
            bold: number == data.now,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{Spot, layout};

    #[test]
    fn the_nearest_spot_within_reach_is_found() {
        let spot = |uniformity, alignment| Spot { uniformity, alignment, label: String::new() };
        let place = layout(&[spot(-1.8, 0.1), spot(-2.5, 0.16)], 400.0);
        let (x, y) = place.spots[1];
        assert_eq!(place.spot_at(x + 6.0, y - 6.0), Some(1));
        assert_eq!(place.spot_at(x + 40.0, y), None);
        assert!(place.spots[0].0 > x, "less uniform lies to the right");
    }
}
