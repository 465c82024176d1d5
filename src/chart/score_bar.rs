//! A cosine beside what unrelated sentences score, small enough for a row of a list.

use crate::chart::ramp::Palette;
use crate::chart::scale_bar::Hue;
use crate::chart::scene::{Scene, Shape};

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreBar {
    pub cosine: f32,
    pub hue: Hue,
    /// 5th percentile, mean and 95th percentile of unrelated pairs, if measured.
    pub unrelated: Option<[f32; 3]>,
    /// The least cosine that is asked for.
    pub least: Option<f32>,
    pub description: String,
}

const WIDTH: f64 = 96.0;
const HEIGHT: f64 = 14.0;

/// Draws the bar. The axis runs from where unrelated sentences begin, or 0, to 1.
pub fn score_bar(bar: &ScoreBar, palette: &Palette) -> Scene {
    let low = bar.unrelated.map_or(0.0, |[low, ..]| f64::from(low)).clamp(-0.5, 0.6);
    let x = |value: f32| ((f64::from(value) - low) / (1.0 - low) * WIDTH).clamp(0.0, WIDTH);
    let block = |y: f64, width: f64, height: f64, fill: &str| Shape::Rect {
        x: 0.0,
        y,
        width,
        height,
        radius: height / 2.0,
        fill: fill.to_owned(),
    };
    let mut shapes = vec![block(4.0, WIDTH, 6.0, palette.rule)];
    if let Some([.., high]) = bar.unrelated {
        // What unrelated sentences reach is no sign of anything.
        shapes.push(block(4.0, x(high), 6.0, palette.quiet));
    }
    shapes.push(block(4.0, x(bar.cosine), 6.0, bar.hue.of(palette)));
    let marks = [(bar.unrelated.map(|[.., high]| high), 3.0), (bar.least, 0.0)];
    for (value, top) in marks {
        let Some(value) = value else { continue };
        let at = x(value);
        shapes.push(Shape::Line {
            from: (at, top),
            to: (at, HEIGHT - top),
            stroke: palette.ink.to_owned(),
            width: 1.0,
        });
    }
    let description = bar.description.clone();
    Scene { width: WIDTH, height: HEIGHT, description, background: None, shapes }
}
