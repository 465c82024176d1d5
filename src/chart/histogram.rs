//! Two histograms of cosines over each other: before as an amber outline, now as a teal area.

use crate::chart::axis::{Axis, label, numbers_below, rule};
use crate::chart::ramp::Palette;
use crate::chart::scene::{Anchor, Scene, Shape, fit, text_width};

/// What is drawn. Both rows have the share of all pairs in each of equal parts of -1 to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram<'a> {
    pub before: &'a [f32],
    /// Empty: only the outline is there.
    pub now: &'a [f32],
    /// Written over each.
    pub before_label: String,
    pub now_label: String,
    pub cosine_label: String,
    pub share_label: String,
    pub description: String,
}

const SIDE: f64 = 12.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 40.0;

/// Draws the histograms over `width` pixels.
pub fn histogram(data: &Histogram<'_>, width: f64, palette: &Palette) -> Scene {
    let height = (width * 0.5).clamp(190.0, 260.0);
    let first = [data.before, data.now].into_iter().filter_map(lowest).fold(-0.2, f64::min);
    let across = Axis::new((first, 1.0), (SIDE, width - SIDE));
    let tallest = data.before.iter().chain(data.now).copied().fold(0.0_f32, f32::max);
    let up = Axis::new((0.0, f64::from(tallest).max(1e-6)), (height - BOTTOM, TOP));
    let base = height - BOTTOM;
    let mut shapes = vec![rule((SIDE, base), (width - SIDE, base), palette)];
    shapes.extend(numbers_below(&across, base + 18.0, 6, palette));
    shapes.push(label((SIDE, 14.0), &data.share_label, palette.ink, Anchor::Start));
    shapes.push(label((width - SIDE, height - 6.0), &data.cosine_label, palette.ink, Anchor::End));
    if data.now.iter().any(|share| *share > 0.0) {
        shapes.push(Shape::Path {
            points: steps(data.now, &across, &up),
            closed: true,
            fill: Some(format!("{}80", palette.after)),
            stroke: None,
            width: 0.0,
            dashed: false,
        });
    }
    if data.before.iter().any(|share| *share > 0.0) {
        shapes.push(Shape::Path {
            points: steps(data.before, &across, &up),
            closed: false,
            fill: None,
            stroke: Some(palette.before.to_owned()),
            width: 2.0,
            dashed: false,
        });
    }
    draw_names(data, &across, &up, width, palette, &mut shapes);
    Scene { width, height, description: data.description.clone(), background: None, shapes }
}

/// Lower edge of the first part that is not empty.
fn lowest(shares: &[f32]) -> Option<f64> {
    let place = shares.iter().position(|share| *share > 0.0)?;
    Some(edge(place, shares.len()))
}

fn edge(place: usize, parts: usize) -> f64 {
    2.0 * place as f64 / parts.max(1) as f64 - 1.0
}

/// Up, along and down for each part.
fn steps(shares: &[f32], across: &Axis, up: &Axis) -> Vec<(f64, f64)> {
    let mut points = vec![(across.start, up.at(0.0))];
    for (place, share) in shares.iter().enumerate() {
        let (left, right) = (edge(place, shares.len()), edge(place + 1, shares.len()));
        if right <= across.low {
            continue;
        }
        let y = up.at(f64::from(*share));
        points.extend([(across.at(left), y), (across.at(right), y)]);
    }
    points.push((across.end, up.at(0.0)));
    points
}

/// Each name over its peak; where both would collide, the lower peak's name moves a line up.
fn draw_names(
    data: &Histogram<'_>,
    across: &Axis,
    up: &Axis,
    width: f64,
    palette: &Palette,
    shapes: &mut Vec<Shape>,
) {
    let name = |shares: &[f32], text: &str| {
        let (place, share) = shares
            .iter()
            .enumerate()
            .max_by(|a, b| a.1.total_cmp(b.1))
            .filter(|(_, share)| **share > 0.0)?;
        let text = fit(text, 12.0, width - 2.0 * SIDE);
        let half = text_width(&text, 12.0) / 2.0;
        let middle = across.at(edge(place, shares.len()) + 1.0 / shares.len() as f64);
        let x = middle.clamp(SIDE + half, (width - SIDE - half).max(SIDE + half));
        Some((x, up.at(f64::from(*share)) - 6.0, half, text))
    };
    let before = name(data.before, &data.before_label);
    let mut now = name(data.now, &data.now_label);
    if let (Some(before), Some(now)) = (&before, &mut now) {
        let collide = (before.0 - now.0).abs() < before.2 + now.2 + 8.0;
        if collide && (before.1 - now.1).abs() < 15.0 {
            now.1 = before.1 - 15.0;
        }
    }
    for (found, colour) in [(before, palette.before), (now, palette.after)] {
        if let Some((x, y, _, text)) = found {
            shapes.push(Shape::Text {
                at: (x, y),
                text,
                size: 12.0,
                fill: colour.to_owned(),
                anchor: Anchor::Middle,
                bold: true,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{edge, lowest};

    #[test]
    fn parts_span_minus_one_to_one() {
        assert_eq!((edge(0, 80), edge(80, 80)), (-1.0, 1.0));
        assert_eq!(lowest(&[0.0, 0.0, 0.5, 0.5]), Some(0.0));
        assert_eq!(lowest(&[0.0; 4]), None);
    }
}
