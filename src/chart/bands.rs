//! Cosines of scored pairs, a row a band of gold scores (SimCSE, figure G.1): the more alike people
//! found two sentences, the farther right their row should lie, and the less rows overlap.

use crate::chart::axis::{Axis, label, numbers_below, rule};
use crate::chart::ramp::Palette;
use crate::chart::scene::{Anchor, Scene, Shape, fit};

/// One band of gold scores.
#[derive(Debug, Clone, PartialEq)]
pub struct BandRow<'a> {
    /// "4 to 5 (31 pairs)"
    pub label: String,
    /// Shares in equal parts of -1 to 1; empty: not measured.
    pub before: &'a [f32],
    pub now: &'a [f32],
    /// Means, each marked by a tick.
    pub before_mean: Option<f64>,
    pub now_mean: Option<f64>,
}

/// What is drawn; the first row is on top.
#[derive(Debug, Clone, PartialEq)]
pub struct Bands<'a> {
    pub rows: Vec<BandRow<'a>>,
    pub cosine_label: String,
    pub description: String,
}

const SIDE: f64 = 12.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 40.0;
const ROW: f64 = 52.0;
/// Of a row, over its curve, for its name.
const NAME: f64 = 16.0;
/// Parts on each side that a curve is smoothed over; few pairs leave gaps that mean nothing.
const SMOOTH: usize = 2;

/// Draws the rows over `width` pixels.
pub fn bands(data: &Bands<'_>, width: f64, palette: &Palette) -> Scene {
    let height = TOP + ROW * data.rows.len() as f64 + BOTTOM;
    let lows = data.rows.iter().flat_map(|row| [row.before, row.now]).filter_map(lowest);
    let across = Axis::new((lows.fold(-0.2, f64::min), 1.0), (SIDE, width - SIDE));
    let mut shapes = Vec::new();
    for (place, row) in data.rows.iter().enumerate() {
        draw_row(row, TOP + ROW * place as f64, &across, palette, &mut shapes);
    }
    let base = height - BOTTOM;
    shapes.extend(numbers_below(&across, base + 18.0, 6, palette));
    shapes.push(label((width - SIDE, height - 6.0), &data.cosine_label, palette.ink, Anchor::End));
    Scene { width, height, description: data.description.clone(), background: None, shapes }
}

fn draw_row(row: &BandRow<'_>, top: f64, across: &Axis, palette: &Palette, out: &mut Vec<Shape>) {
    let base = top + ROW;
    let (before, now) = (smoothed(row.before), smoothed(row.now));
    let tallest = before.iter().chain(&now).copied().fold(0.0_f64, f64::max).max(1e-9);
    let up = Axis::new((0.0, tallest), (base, top + NAME));
    out.push(rule((across.start, base), (across.end, base), palette));
    if !now.is_empty() {
        out.push(Shape::Path {
            points: curve(&now, across, &up),
            closed: true,
            fill: Some(format!("{}80", palette.after)),
            stroke: None,
            width: 0.0,
            dashed: false,
        });
    }
    if !before.is_empty() {
        out.push(Shape::Path {
            points: curve(&before, across, &up),
            closed: false,
            fill: None,
            stroke: Some(palette.before.to_owned()),
            width: 2.0,
            dashed: false,
        });
    }
    for (mean, colour) in [(row.before_mean, palette.before), (row.now_mean, palette.after)] {
        let Some(mean) = mean.filter(|mean| mean.is_finite()) else { continue };
        let x = across.at(mean);
        let (from, to) = ((x, base), (x, base - 10.0));
        out.push(Shape::Line { from, to, stroke: colour.to_owned(), width: 3.0 });
    }
    let name = fit(&row.label, 12.0, across.end - across.start);
    out.push(label((across.start, top + 12.0), &name, palette.ink, Anchor::Start));
}

/// Lower edge of the first part that is not empty.
fn lowest(shares: &[f32]) -> Option<f64> {
    let place = shares.iter().position(|share| *share > 0.0)?.saturating_sub(SMOOTH);
    Some(2.0 * place as f64 / shares.len() as f64 - 1.0)
}

/// Mean over neighbouring parts.
fn smoothed(shares: &[f32]) -> Vec<f64> {
    let mean = |place: usize| {
        let (first, end) = (place.saturating_sub(SMOOTH), (place + SMOOTH + 1).min(shares.len()));
        let near = shares.get(first..end).unwrap_or_default();
        near.iter().map(|share| f64::from(*share)).sum::<f64>() / near.len().max(1) as f64
    };
    (0..shares.len()).map(mean).collect()
}

/// From the base through the middle of each part and back to the base.
fn curve(shares: &[f64], across: &Axis, up: &Axis) -> Vec<(f64, f64)> {
    let middle = |place: usize| 2.0 * (place as f64 + 0.5) / shares.len() as f64 - 1.0;
    let seen = (0..shares.len()).filter(|place| middle(*place) >= across.low);
    let mut points = vec![(across.start, up.start)];
    points.extend(seen.map(|place| {
        (across.at(middle(place)), up.at(shares.get(place).copied().unwrap_or_default()))
    }));
    points.push((across.end, up.start));
    points
}

#[cfg(test)]
mod tests {
    use super::{lowest, smoothed};

    #[test]
    fn smoothing_keeps_flat_what_is_flat() {
        let flat = smoothed(&[0.25; 4]);
        assert!(flat.iter().all(|share| (share - 0.25).abs() < 1e-9));
        assert!(smoothed(&[]).is_empty());
        assert_eq!(lowest(&[0.0; 8]), None);
        assert_eq!(lowest(&[0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]), Some(-0.5));
    }
}
