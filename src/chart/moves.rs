//! Pairs of sentences whose cosines move: a ring where a pair was, a dot where it is, the way between.

use crate::chart::axis::{Axis, label, numbers_below, range};
use crate::chart::ramp::Palette;
use crate::chart::scene::{Anchor, Scene, Shape, fit, text_width};

/// One pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Move {
    pub first: String,
    pub second: String,
    pub before: Option<f64>,
    pub now: Option<f64>,
}

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Moves<'a> {
    pub pairs: &'a [Move],
    pub cosine_label: String,
    pub description: String,
}

const SIDE: f64 = 12.0;
const TOP: f64 = 8.0;
const ROW: f64 = 68.0;
const BOTTOM: f64 = 36.0;

/// Draws a row for each pair over `width` pixels.
pub fn moves(data: &Moves<'_>, width: f64, palette: &Palette) -> Scene {
    let height = TOP + ROW * data.pairs.len() as f64 + BOTTOM;
    let values = data.pairs.iter().flat_map(|pair| [pair.before, pair.now]).flatten();
    let low = range(values).map_or(0.0, |(low, _)| (low - 0.05).min(0.0));
    let across = Axis::new((low, 1.0), (SIDE, width - SIDE));
    let mut shapes = numbers_below(&across, height - BOTTOM + 12.0, 5, palette);
    shapes.push(label((width - SIDE, height - 6.0), &data.cosine_label, palette.ink, Anchor::End));
    for (number, pair) in data.pairs.iter().enumerate() {
        draw_pair(pair, TOP + ROW * number as f64, &across, palette, &mut shapes);
    }
    Scene { width, height, description: data.description.clone(), background: None, shapes }
}

fn draw_pair(pair: &Move, top: f64, across: &Axis, palette: &Palette, shapes: &mut Vec<Shape>) {
    let change = match (pair.before, pair.now) {
        (Some(before), Some(now)) => format!("{before:.2} → {now:.2}"),
        (Some(only), None) | (None, Some(only)) => format!("{only:.2}"),
        (None, None) => String::new(),
    };
    let room = across.end - across.start - text_width(&change, 13.0) - 16.0;
    for (line, text) in [&pair.first, &pair.second].into_iter().enumerate() {
        let y = top + 12.0 + 16.0 * line as f64;
        shapes.push(label((across.start, y), &fit(text, 12.0, room), palette.ink, Anchor::Start));
    }
    shapes.push(Shape::Text {
        at: (across.end, top + 12.0),
        text: change,
        size: 13.0,
        fill: palette.ink.to_owned(),
        anchor: Anchor::End,
        bold: true,
    });
    let y = top + 46.0;
    shapes.push(Shape::Rect {
        x: across.start,
        y: y - 2.0,
        width: across.end - across.start,
        height: 4.0,
        radius: 2.0,
        fill: palette.rule.to_owned(),
    });
    if let (Some(before), Some(now)) = (pair.before, pair.now) {
        shapes.push(Shape::Line {
            from: (across.at(before), y),
            to: (across.at(now), y),
            stroke: palette.after.to_owned(),
            width: 4.0,
        });
    }
    let dot = |value: f64, radius, fill: &str, ring: &str| Shape::Circle {
        centre: (across.at(value), y),
        radius,
        fill: fill.to_owned(),
        ring: Some(ring.to_owned()),
    };
    shapes.extend(pair.before.map(|value| dot(value, 6.0, palette.paper, palette.before)));
    shapes.extend(pair.now.map(|value| dot(value, 7.0, palette.after, palette.paper)));
}
