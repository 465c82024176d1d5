//! A number over the steps of a fine-tune: the loss.

use crate::chart::axis::{Axis, label, numbers_below, range, rules};
use crate::chart::ramp::Palette;
use crate::chart::scene::{Anchor, Scene, Shape, text_width};

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Line<'a> {
    /// Step and value, rising steps.
    pub points: &'a [(f64, f64)],
    /// The step that the axis ends at.
    pub last_step: f64,
    /// What guessing scores, with its name.
    pub chance: Option<(f64, String)>,
    pub step_label: String,
    pub value_label: String,
    pub description: String,
}

const LEFT: f64 = 40.0;
const RIGHT: f64 = 52.0;
const TOP: f64 = 28.0;
const BOTTOM: f64 = 40.0;

/// Draws the line over `width` pixels.
pub fn line(data: &Line<'_>, width: f64, palette: &Palette) -> Scene {
    let height = (width * 0.5).clamp(190.0, 260.0);
    let across = Axis::new((0.0, data.last_step.max(1.0)), (LEFT, width - RIGHT));
    let chance = data.chance.as_ref().map(|(value, _)| *value);
    let values = data.points.iter().map(|point| point.1).chain(chance);
    let top = range(values).map_or(1.0, |(_, high)| high * 1.15).max(1e-6);
    let up = Axis::new((0.0, top), (height - BOTTOM, TOP));
    let mut shapes = rules(&across, &up, 3, palette);
    shapes.extend(numbers_below(&across, height - BOTTOM + 18.0, 5, palette));
    shapes.push(label((LEFT, 14.0), &data.value_label, palette.ink, Anchor::Start));
    shapes.push(label((width - 4.0, height - 6.0), &data.step_label, palette.ink, Anchor::End));
    if let Some((value, name)) = &data.chance {
        let y = up.at(*value);
        shapes.push(Shape::Path {
            points: vec![(across.start, y), (across.end, y)],
            closed: false,
            fill: None,
            stroke: Some(palette.baseline.to_owned()),
            width: 1.5,
            dashed: true,
        });
        shapes.push(label((across.end, y - 6.0), name, palette.quiet, Anchor::End));
    }
    let mut finite = data.points.iter().filter(|point| point.1.is_finite());
    let points: Vec<(f64, f64)> =
        finite.clone().map(|point| (across.at(point.0), up.at(point.1))).collect();
    if let (Some(&end), Some(last)) = (points.last(), finite.next_back()) {
        draw_end(end, last.1, width, palette, &mut shapes);
    }
    if points.len() > 1 {
        shapes.push(Shape::Path {
            points,
            closed: false,
            fill: None,
            stroke: Some(palette.accent.to_owned()),
            width: 2.0,
            dashed: false,
        });
    }
    Scene { width, height, description: data.description.clone(), background: None, shapes }
}

fn draw_end(
    (x, y): (f64, f64),
    value: f64,
    width: f64,
    palette: &Palette,
    shapes: &mut Vec<Shape>,
) {
    shapes.push(Shape::Circle {
        centre: (x, y),
        radius: 4.5,
        fill: palette.accent.to_owned(),
        ring: Some(palette.paper.to_owned()),
    });
    let text = if value < 0.1 { format!("{value:.3}") } else { format!("{value:.2}") };
    let left = (x + 10.0).min(width - text_width(&text, 13.0));
    shapes.push(Shape::Text {
        at: (left, y + 4.0),
        text,
        size: 13.0,
        fill: palette.ink.to_owned(),
        anchor: Anchor::Start,
        bold: true,
    });
}

#[cfg(test)]
mod tests {
    use super::{Line, line};
    use crate::chart::ramp::LIGHT;

    #[test]
    fn a_loss_that_is_no_number_is_left_out() {
        let data = Line {
            points: &[(1.0, 2.0), (2.0, f64::NAN), (3.0, 1.0)],
            last_step: 3.0,
            chance: None,
            step_label: String::new(),
            value_label: String::new(),
            description: String::new(),
        };
        assert!(!line(&data, 300.0, &LIGHT).to_svg().contains("NaN"));
    }
}
