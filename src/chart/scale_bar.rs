//! Where one cosine lies between "unrelated" and "identical".

use crate::chart::ramp::Palette;
use crate::chart::scene::{Anchor, Scene, Shape, text_width};

/// Whose value it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hue {
    /// Nobody's in particular.
    #[default]
    Accent,
    Before,
    After,
}

impl Hue {
    pub(super) fn of(self, palette: &Palette) -> &'static str {
        match self {
            Self::Accent => palette.accent,
            Self::Before => palette.before,
            Self::After => palette.after,
        }
    }
}

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct ScaleBar {
    /// The cosine, if there is one yet.
    pub cosine: Option<f32>,
    pub hue: Hue,
    /// The cosine of the other side of a fine-tune, drawn quietly.
    pub other: Option<(f32, Hue)>,
    /// 5th percentile, mean and 95th percentile of unrelated pairs, if measured.
    pub unrelated: Option<[f32; 3]>,
    pub unrelated_label: String,
    pub identical_label: String,
    pub description: String,
}

const HEIGHT: f64 = 64.0;
const MARGIN: f64 = 10.0;
const LINE_Y: f64 = 30.0;

/// Draws the bar over `width` pixels. The axis runs from -0.2 (or lower where a value lies lower)
/// to 1, cosine units.
pub fn scale_bar(bar: &ScaleBar, width: f64, palette: &Palette) -> Scene {
    let other = bar.other.map(|(cosine, _)| cosine).filter(|cosine| cosine.is_finite());
    let lowest = [bar.cosine, other, bar.unrelated.map(|[low, ..]| low)].into_iter().flatten();
    let start = lowest.map(f64::from).fold(-0.2, f64::min);
    let x = |value: f64| MARGIN + (value - start) / (1.0 - start) * (width - 2.0 * MARGIN);
    let mut shapes = vec![Shape::Rect {
        x: x(start),
        y: LINE_Y - 3.0,
        width: x(1.0) - x(start),
        height: 6.0,
        radius: 3.0,
        fill: palette.rule.to_owned(),
    }];
    if let Some(unrelated) = bar.unrelated {
        draw_unrelated(bar, unrelated, &x, palette, &mut shapes);
    }
    shapes.push(tick(x(1.0), palette));
    shapes.push(label((width, LINE_Y + 28.0), &bar.identical_label, palette.quiet, Anchor::End));
    let shown = bar.cosine.filter(|cosine| cosine.is_finite());
    if let (Some(cosine), Some([_, mean, _])) = (shown, bar.unrelated) {
        shapes.push(Shape::Line {
            from: (x(f64::from(mean)), LINE_Y),
            to: (x(f64::from(cosine)), LINE_Y),
            stroke: bar.hue.of(palette).to_owned(),
            width: 6.0,
        });
    }
    if let (Some(cosine), Some((_, hue))) = (other, bar.other) {
        shapes.push(Shape::Circle {
            centre: (x(f64::from(cosine)), LINE_Y),
            radius: 5.0,
            fill: hue.of(palette).to_owned(),
            ring: Some(palette.paper.to_owned()),
        });
    }
    if let Some(cosine) = shown {
        draw_value(f64::from(cosine), bar.hue, &x, palette, &mut shapes);
    }
    Scene { width, height: HEIGHT, description: bar.description.clone(), background: None, shapes }
}

fn draw_unrelated(
    bar: &ScaleBar,
    [low, mean, high]: [f32; 3],
    x: &impl Fn(f64) -> f64,
    palette: &Palette,
    shapes: &mut Vec<Shape>,
) {
    let (left, right, middle) = (x(f64::from(low)), x(f64::from(high)), x(f64::from(mean)));
    shapes.push(Shape::Rect {
        x: left,
        y: LINE_Y - 7.0,
        width: (right - left).max(2.0),
        height: 14.0,
        radius: 7.0,
        fill: palette.baseline.to_owned(),
    });
    shapes.push(tick(middle, palette));
    let half = text_width(&bar.unrelated_label, 12.0) / 2.0;
    let at = middle.max(half);
    shapes.push(label((at, LINE_Y + 28.0), &bar.unrelated_label, palette.quiet, Anchor::Middle));
}

fn draw_value(
    cosine: f64,
    hue: Hue,
    x: &impl Fn(f64) -> f64,
    palette: &Palette,
    shapes: &mut Vec<Shape>,
) {
    shapes.push(Shape::Circle {
        centre: (x(cosine), LINE_Y),
        radius: 8.0,
        fill: hue.of(palette).to_owned(),
        ring: Some(palette.paper.to_owned()),
    });
    let at = x(cosine).clamp(22.0, (x(1.0) - 10.0).max(22.0));
    shapes.push(Shape::Text {
        at: (at, LINE_Y - 15.0),
        text: format!("{cosine:.2}"),
        size: 13.0,
        fill: palette.ink.to_owned(),
        anchor: Anchor::Middle,
        bold: true,
    });
}

fn tick(x: f64, palette: &Palette) -> Shape {
    Shape::Line {
        from: (x, LINE_Y - 8.0),
        to: (x, LINE_Y + 12.0),
        stroke: palette.quiet.to_owned(),
        width: 1.0,
    }
}

fn label(at: (f64, f64), text: &str, fill: &str, anchor: Anchor) -> Shape {
    Shape::Text {
        at,
        text: text.to_owned(),
        size: 12.0,
        fill: fill.to_owned(),
        anchor,
        bold: false,
    }
}
