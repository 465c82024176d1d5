//! Cosine of a sentence's two dropout views over the dropout rate.

use crate::chart::axis::{Axis, label, numbers_below, rules};
use crate::chart::ramp::Palette;
use crate::chart::scene::{Anchor, Scene, Shape};

/// What one draw of masks came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// p
    pub dropout: f64,
    /// Cosine of the two views of the sentence.
    pub own: f64,
    /// Mean cosine of different sentences' views in that draw.
    pub other: f64,
}

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Views<'a> {
    pub pairs: &'a [Pair],
    /// The rate that is chosen.
    pub chosen: f64,
    /// The highest rate.
    pub most: f64,
    pub own_label: String,
    pub other_label: String,
    pub dropout_label: String,
    pub cosine_label: String,
    pub description: String,
}

const LEFT: f64 = 44.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 28.0;
const BOTTOM: f64 = 44.0;

/// Draws the pairs over `width` pixels.
pub fn views(data: &Views<'_>, width: f64, palette: &Palette) -> Scene {
    let height = (width * 0.72).clamp(220.0, 400.0);
    let lowest = data.pairs.iter().flat_map(|pair| [pair.own, pair.other]).fold(0.4, f64::min);
    let across = Axis::new((0.0, data.most), (LEFT, width - RIGHT));
    let up = Axis::new((((lowest - 0.05) * 10.0).floor() / 10.0, 1.0), (height - BOTTOM, TOP));
    let mut shapes = rules(&across, &up, 5, palette);
    shapes.extend(numbers_below(&across, height - BOTTOM + 18.0, 5, palette));
    shapes.push(label((LEFT, 14.0), &data.cosine_label, palette.ink, Anchor::Start));
    shapes.push(label(
        (width - RIGHT, height - 6.0),
        &data.dropout_label,
        palette.ink,
        Anchor::End,
    ));
    let chosen = across.at(data.chosen);
    shapes.push(Shape::Path {
        points: vec![(chosen, TOP), (chosen, height - BOTTOM)],
        closed: false,
        fill: None,
        stroke: Some(palette.quiet.to_owned()),
        width: 1.0,
        dashed: true,
    });
    type Part = fn(&Pair) -> f64;
    // The names lie on the outer sides of the curves, which may cross at the right.
    let rows: [(Part, &str, &String, f64, f64); 2] = [
        (|pair| pair.other, palette.baseline, &data.other_label, 3.0, 24.0),
        (|pair| pair.own, palette.accent, &data.own_label, 4.5, -14.0),
    ];
    for (part, colour, name, radius, away) in rows {
        let means = means(data.pairs, part);
        let points: Vec<_> = means.iter().map(|(p, mean)| (across.at(*p), up.at(*mean))).collect();
        if let Some((x, y)) = points.get(points.len() / 3) {
            shapes.push(label((x + 10.0, y + away), name, palette.ink, Anchor::Start));
        }
        shapes.push(Shape::Path {
            points,
            closed: false,
            fill: None,
            stroke: Some(colour.to_owned()),
            width: 1.5,
            dashed: false,
        });
        for pair in data.pairs {
            shapes.push(Shape::Circle {
                centre: (across.at(pair.dropout), up.at(part(pair))),
                radius,
                fill: format!("{colour}d0"),
                ring: None,
            });
        }
    }
    Scene { width, height, description: data.description.clone(), background: None, shapes }
}

/// Mean of all draws at each rate, by rising rate.
fn means(pairs: &[Pair], part: fn(&Pair) -> f64) -> Vec<(f64, f64)> {
    let mut sorted: Vec<(f64, f64)> = pairs.iter().map(|pair| (pair.dropout, part(pair))).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    sorted
        .chunk_by(|a, b| (a.0 - b.0).abs() < 1e-6)
        .filter_map(|same| {
            let sum: f64 = same.iter().map(|(_, value)| value).sum();
            Some((same.first()?.0, sum / same.len() as f64))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Pair, means};

    #[test]
    fn draws_at_one_rate_are_averaged_and_rates_rise() {
        let pair = |dropout, own| Pair { dropout, own, other: 0.0 };
        let pairs = [pair(0.3, 0.8), pair(0.1, 0.9), pair(0.3, 0.6)];
        let found = means(&pairs, |pair| pair.own);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0], (0.1, 0.9));
        assert!((found[1].1 - 0.7).abs() < 1e-12);
        assert!(means(&[], |pair| pair.own).is_empty());
    }
}
