//! Singular values of the matrix of vectors, divided by the largest (SimCSE, figure F.1): a cone
//! falls at once, a sphere falls slowly.

use crate::chart::axis::{Axis, label, numbers_below, rules};
use crate::chart::ramp::Palette;
use crate::chart::scene::{Anchor, Scene, Shape};

/// What is drawn; both rows fall from 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Spectrum<'a> {
    pub before: &'a [f32],
    /// Empty: only before is there.
    pub now: &'a [f32],
    pub before_label: String,
    pub now_label: String,
    pub rank_label: String,
    pub value_label: String,
    pub description: String,
}

const LEFT: f64 = 40.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 28.0;
const BOTTOM: f64 = 40.0;

/// Draws the spectra over `width` pixels.
pub fn spectrum(data: &Spectrum<'_>, width: f64, palette: &Palette) -> Scene {
    let height = (width * 0.5).clamp(190.0, 260.0);
    let longest = data.before.len().max(data.now.len()).max(2);
    let across = Axis::new((1.0, longest as f64), (LEFT, width - RIGHT));
    let up = Axis::new((0.0, 1.0), (height - BOTTOM, TOP));
    let mut shapes = rules(&across, &up, 2, palette);
    shapes.extend(numbers_below(&across, height - BOTTOM + 18.0, 6, palette));
    shapes.push(label((LEFT, 14.0), &data.value_label, palette.ink, Anchor::Start));
    shapes.push(label((width - RIGHT, height - 6.0), &data.rank_label, palette.ink, Anchor::End));
    let rows = [
        (data.before, &data.before_label, palette.before),
        (data.now, &data.now_label, palette.after),
    ];
    for (values, _, colour) in rows {
        let points = values.iter().enumerate();
        shapes.push(Shape::Path {
            points: points
                .map(|(place, value)| (across.at(place as f64 + 1.0), up.at(f64::from(*value))))
                .collect(),
            closed: false,
            fill: None,
            stroke: Some(colour.to_owned()),
            width: 2.0,
            dashed: false,
        });
    }
    draw_names(rows, &across, &up, &mut shapes);
    Scene { width, height, description: data.description.clone(), background: None, shapes }
}

/// At a third of the way, the higher curve's name above it, the lower one's below it; without room
/// there both stand above: each above its own where the curves are apart, else the higher curve's
/// name on top.
fn draw_names(
    rows: [(&[f32], &String, &str); 2],
    across: &Axis,
    up: &Axis,
    shapes: &mut Vec<Shape>,
) {
    let place = |values: &[f32]| values.len() / 3;
    let height = |values: &[f32]| values.get(place(values)).map(|value| up.at(f64::from(*value)));
    let others = [height(rows[1].0), height(rows[0].0)];
    for (number, ((values, name, colour), other)) in rows.into_iter().zip(others).enumerate() {
        let Some(this) = height(values) else { continue };
        let other_y = other.unwrap_or(this);
        // Pixels grow downwards.
        let is_higher = this < other_y || other.is_none() || (this == other_y && number == 1);
        let is_crowded = other.is_some() && this.max(other_y) + 18.0 > up.start - 4.0;
        let is_apart = (this - other_y).abs() > 40.0;
        let y = match (is_higher, is_crowded && !is_apart) {
            (true, false) => this - 10.0,
            (true, true) => this - 26.0,
            (false, true) => other_y - 10.0,
            (false, false) if is_crowded => this - 10.0,
            (false, false) => this + 18.0,
        };
        shapes.push(Shape::Text {
            at: (across.at(place(values) as f64 + 1.0), y),
            text: name.clone(),
            size: 12.0,
            fill: colour.to_owned(),
            anchor: Anchor::Start,
            bold: true,
        });
    }
}
