//! Axes: numbers to pixels, and round numbers to write beside them.

use crate::chart::ramp::Palette;
use crate::chart::scene::{Anchor, Shape};

/// Numbers from `low` to `high` over the pixels from `start` to `end`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    pub low: f64,
    pub high: f64,
    pub start: f64,
    pub end: f64,
}

/// Size of the numbers and names of axes.
pub const LABEL_SIZE: f64 = 12.0;

impl Axis {
    /// An axis; a range of no width gets room on both sides.
    pub fn new((low, high): (f64, f64), (start, end): (f64, f64)) -> Self {
        let (low, high) = if low < high { (low, high) } else { (low - 0.5, low + 0.5) };
        Self { low, high, start, end }
    }

    /// Pixels of a number; beyond the range is drawn at its end.
    pub fn at(&self, value: f64) -> f64 {
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        self.start + share * (self.end - self.start)
    }

    /// Round numbers within the range, about `count` of them, each with its text.
    pub fn ticks(&self, count: usize) -> Vec<(f64, String)> {
        let rough = (self.high - self.low) / count.max(1) as f64;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|factor| factor * power)
            .find(|step| *step >= rough * 0.999)
            .unwrap_or(rough);
        let digits = (-step.log10().floor()).clamp(0.0, 6.0) as usize;
        let first = (self.low / step - 1e-6).ceil() as i64;
        let last = (self.high / step + 1e-6).floor() as i64;
        (first..=last)
            .map(|place| place as f64 * step)
            .map(|value| (value, format!("{:.digits$}", if value == 0.0 { 0.0 } else { value })))
            .collect()
    }
}

/// A text of an axis's size.
pub fn label(at: (f64, f64), text: &str, fill: &str, anchor: Anchor) -> Shape {
    Shape::Text {
        at,
        text: text.to_owned(),
        size: LABEL_SIZE,
        fill: fill.to_owned(),
        anchor,
        bold: false,
    }
}

/// A thin line across the drawing.
pub fn rule(from: (f64, f64), to: (f64, f64), palette: &Palette) -> Shape {
    Shape::Line { from, to, stroke: palette.rule.to_owned(), width: 1.0 }
}

/// Horizontal rules with their numbers at the left.
pub fn rules(across: &Axis, up: &Axis, count: usize, palette: &Palette) -> Vec<Shape> {
    let mut shapes = Vec::new();
    for (value, text) in up.ticks(count) {
        let y = up.at(value);
        shapes.push(rule((across.start, y), (across.end, y), palette));
        shapes.push(label((across.start - 8.0, y + 4.0), &text, palette.quiet, Anchor::End));
    }
    shapes
}

/// Numbers below the drawing.
pub fn numbers_below(across: &Axis, y: f64, count: usize, palette: &Palette) -> Vec<Shape> {
    let ticks = across.ticks(count).into_iter();
    ticks
        .map(|(value, text)| label((across.at(value), y), &text, palette.quiet, Anchor::Middle))
        .collect()
}

/// Lowest and highest of the finite numbers.
pub fn range(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values.into_iter().filter(|value| value.is_finite()).fold(None, |range, value| {
        let (low, high) = range.unwrap_or((value, value));
        Some((low.min(value), high.max(value)))
    })
}

#[cfg(test)]
mod tests {
    use super::{Axis, range};

    #[test]
    fn ticks_are_round_and_inside() {
        let texts = |low, high| -> Vec<String> {
            Axis::new((low, high), (0.0, 100.0)).ticks(4).into_iter().map(|t| t.1).collect()
        };
        assert_eq!(texts(-0.2, 1.0), ["0.0", "0.5", "1.0"]);
        assert_eq!(texts(0.0, 25.0), ["0", "10", "20"]);
        assert_eq!(texts(-2.9, -1.4), ["-2.5", "-2.0", "-1.5"]);
    }

    #[test]
    fn a_range_of_no_width_divides_by_nothing() {
        let axis = Axis::new((2.0, 2.0), (0.0, 10.0));
        assert_eq!(axis.at(2.0), 5.0);
        assert_eq!(axis.at(99.0), 10.0);
        assert_eq!(range([f64::NAN, 3.0, 1.0]), Some((1.0, 3.0)));
        assert_eq!(range([f64::NAN]), None);
    }
}
