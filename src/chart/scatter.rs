//! Gold score against cosine, one dot a pair.

use crate::chart::ramp::Palette;
use crate::chart::scene::{Anchor, Scene, Shape};

/// What is drawn; both slices have one finite number a pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Scatter<'a> {
    /// Gold scores, on the horizontal axis.
    pub gold: &'a [f32],
    /// Cosines, on the vertical axis.
    pub cosines: &'a [f32],
    pub gold_label: String,
    pub cosine_label: String,
    pub description: String,
}

const LEFT: f64 = 40.0;
const BOTTOM: f64 = 36.0;
const TOP: f64 = 22.0;
const RIGHT: f64 = 12.0;

/// Draws the dots over `width` x `height` pixels.
pub fn scatter(data: &Scatter<'_>, (width, height): (f64, f64), palette: &Palette) -> Scene {
    let (gold_low, gold_high) = range(data.gold);
    let (low, high) = range(data.cosines);
    let (low, high) = (low.min(0.0), high.max(1.0));
    let x =
        |value: f64| LEFT + (value - gold_low) / (gold_high - gold_low) * (width - LEFT - RIGHT);
    let y = |value: f64| height - BOTTOM - (value - low) / (high - low) * (height - BOTTOM - TOP);
    let mut shapes = Vec::with_capacity(data.gold.len() + 16);
    for step in [0.0, 0.5, 1.0] {
        shapes.push(Shape::Line {
            from: (LEFT, y(step)),
            to: (width - RIGHT, y(step)),
            stroke: palette.rule.to_owned(),
            width: 1.0,
        });
        shapes.push(text(
            (LEFT - 8.0, y(step) + 4.0),
            format!("{step}"),
            palette.quiet,
            Anchor::End,
        ));
    }
    for gold in [gold_low, f64::midpoint(gold_low, gold_high), gold_high] {
        shapes.push(text(
            (x(gold), height - BOTTOM + 16.0),
            trimmed(gold),
            palette.quiet,
            Anchor::Middle,
        ));
    }
    shapes.push(text((LEFT, 12.0), data.cosine_label.clone(), palette.ink, Anchor::Start));
    shapes.push(text(
        (width - RIGHT, height - 4.0),
        data.gold_label.clone(),
        palette.ink,
        Anchor::End,
    ));
    let fill = translucent(palette.accent, data.gold.len());
    let radius = if data.gold.len() > 500 { 2.0 } else { 3.5 };
    for (&gold, &cosine) in data.gold.iter().zip(data.cosines) {
        shapes.push(Shape::Circle {
            centre: (x(f64::from(gold)), y(f64::from(cosine))),
            radius,
            fill: fill.clone(),
            ring: None,
        });
    }
    Scene { width, height, description: data.description.clone(), background: None, shapes }
}

/// Lowest and highest; a single value gets room on both sides.
fn range(values: &[f32]) -> (f64, f64) {
    let low = values.iter().copied().fold(f32::INFINITY, f32::min);
    let high = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if low < high {
        (f64::from(low), f64::from(high))
    } else {
        let middle = if low.is_finite() { f64::from(low) } else { 0.0 };
        (middle - 0.5, middle + 0.5)
    }
}

/// Many dots are drawn fainter, so that dense places show as dense.
fn translucent(colour: &str, count: usize) -> String {
    let alpha = if count > 500 { "80" } else { "d0" };
    format!("{colour}{alpha}")
}

fn trimmed(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn text(at: (f64, f64), text: String, fill: &str, anchor: Anchor) -> Shape {
    Shape::Text { at, text, size: 12.0, fill: fill.to_owned(), anchor, bold: false }
}

#[cfg(test)]
mod tests {
    use super::{Scatter, range, scatter, trimmed};
    use crate::chart::ramp::LIGHT;

    #[test]
    fn equal_and_missing_scores_do_not_divide_by_zero() {
        assert_eq!(range(&[3.0, 3.0]), (2.5, 3.5));
        assert_eq!(range(&[]), (-0.5, 0.5));
        let data = Scatter {
            gold: &[3.0, 3.0],
            cosines: &[0.2, 0.9],
            gold_label: String::new(),
            cosine_label: String::new(),
            description: String::new(),
        };
        assert!(!scatter(&data, (300.0, 200.0), &LIGHT).to_svg().contains("NaN"));
    }

    #[test]
    fn ticks_are_short() {
        assert_eq!([trimmed(2.5), trimmed(5.0), trimmed(0.25)], ["2.5", "5", "0.25"]);
    }
}
