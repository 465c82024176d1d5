//! A measure through the layers of a model (Ethayarajh, EMNLP 2019): how the cone narrows and opens.

use crate::chart::axis::{Axis, label, numbers_below, range, rules};
use crate::chart::ramp::Palette;
use crate::chart::scene::{Anchor, Scene, Shape, text_width};

/// A measure of one readout, layer by layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Written at its end.
    pub name: String,
    /// One a layer, the embedding layer first; what is not finite is left out.
    pub values: Vec<f64>,
    /// Of the weights after, else before.
    pub is_after: bool,
    pub is_dashed: bool,
}

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Layers {
    pub series: Vec<Series>,
    pub layer_label: String,
    pub value_label: String,
    pub description: String,
}

const LEFT: f64 = 40.0;
const TOP: f64 = 28.0;
const BOTTOM: f64 = 40.0;
/// Between two names at the end.
const LINE: f64 = 15.0;

/// Draws the lines over `width` pixels.
pub fn layers(data: &Layers, width: f64, palette: &Palette) -> Scene {
    let height = (width * 0.5).clamp(200.0, 280.0);
    let names = data.series.iter().map(|series| text_width(&series.name, 12.0));
    let right = names.fold(0.0, f64::max) + 16.0;
    let last = data.series.iter().map(|series| series.values.len()).max().unwrap_or(0);
    let across = Axis::new((0.0, last.saturating_sub(1).max(1) as f64), (LEFT, width - right));
    let values = data.series.iter().flat_map(|series| &series.values).copied();
    let (low, high) = range(values.filter(|value| value.is_finite())).unwrap_or((0.0, 1.0));
    let room = ((high - low) * 0.08).max(1e-6);
    let up = Axis::new((low.min(0.0) - room, high.max(0.0) + room), (height - BOTTOM, TOP));
    let mut shapes = rules(&across, &up, 4, palette);
    let count = last.saturating_sub(1).clamp(1, 12);
    shapes.extend(numbers_below(&across, height - BOTTOM + 18.0, count, palette));
    shapes.push(label((4.0, 14.0), &data.value_label, palette.ink, Anchor::Start));
    shapes.push(label((across.end, height - 6.0), &data.layer_label, palette.ink, Anchor::End));
    for series in &data.series {
        draw(series, &across, &up, palette, &mut shapes);
    }
    draw_names(&data.series, &across, &up, palette, &mut shapes);
    Scene { width, height, description: data.description.clone(), background: None, shapes }
}

fn colour<'a>(series: &Series, palette: &'a Palette) -> &'a str {
    if series.is_after { palette.after } else { palette.before }
}

fn draw(series: &Series, across: &Axis, up: &Axis, palette: &Palette, shapes: &mut Vec<Shape>) {
    let finite = series.values.iter().enumerate().filter(|(_, value)| value.is_finite());
    let points: Vec<(f64, f64)> =
        finite.map(|(layer, value)| (across.at(layer as f64), up.at(*value))).collect();
    let colour = colour(series, palette).to_owned();
    let dots = points.iter().map(|&centre| Shape::Circle {
        centre,
        radius: 3.0,
        fill: colour.clone(),
        ring: None,
    });
    let dots: Vec<Shape> = dots.collect();
    shapes.push(Shape::Path {
        points,
        closed: false,
        fill: None,
        stroke: Some(colour),
        width: 2.0,
        dashed: series.is_dashed,
    });
    shapes.extend(dots);
}

/// Each name beside its line's end, moved down where another stands.
fn draw_names(
    all: &[Series],
    across: &Axis,
    up: &Axis,
    palette: &Palette,
    shapes: &mut Vec<Shape>,
) {
    let end = |series: &Series| series.values.last().copied().filter(|value| value.is_finite());
    let mut ends: Vec<(f64, &Series)> =
        all.iter().filter_map(|series| Some((up.at(end(series)?), series))).collect();
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    // The lowest one must keep its place above the axis, so that all shift up from there.
    let mut lowest = up.start + LINE;
    for (y, _) in ends.iter_mut().rev() {
        *y = y.min(lowest - LINE);
        lowest = *y;
    }
    for (y, series) in ends {
        shapes.push(Shape::Text {
            at: (across.end + 8.0, y + 4.0),
            text: series.name.clone(),
            size: 12.0,
            fill: colour(series, palette).to_owned(),
            anchor: Anchor::Start,
            bold: true,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{Layers, Series, layers};
    use crate::chart::ramp::LIGHT;

    #[test]
    fn what_is_no_number_is_left_out() {
        let values = vec![0.1, f64::NAN, 0.3];
        let name = "mean".to_owned();
        let series = vec![Series { name, values, is_after: false, is_dashed: true }];
        let (layer_label, value_label, description) = Default::default();
        let data = Layers { series, layer_label, value_label, description };
        assert!(!layers(&data, 300.0, &LIGHT).to_svg().contains("NaN"));
    }
}
