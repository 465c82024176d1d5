//! Shares of a whole as bars side by side; one of them is the right one.

use crate::chart::axis::label;
use crate::chart::ramp::Palette;
use crate::chart::scene::{Anchor, Scene, Shape};

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Shares<'a> {
    /// 0 to 1, together 1.
    pub values: &'a [f64],
    /// Written under each bar.
    pub names: &'a [String],
    /// The bar that ought to have everything.
    pub own: usize,
    /// Where the bars stand over a matrix's columns: the first column's left edge and a column's
    /// width, in pixels.
    pub columns: (f64, f64),
    pub description: String,
}

const TOP: f64 = 20.0;
const BOTTOM: f64 = 20.0;
const HEIGHT: f64 = 132.0;

/// Draws the bars over `width` pixels.
pub fn shares(data: &Shares<'_>, width: f64, palette: &Palette) -> Scene {
    let (left, column) = data.columns;
    let base = HEIGHT - BOTTOM;
    let mut shapes = vec![Shape::Line {
        from: (left, base),
        to: (left + column * data.values.len() as f64, base),
        stroke: palette.rule.to_owned(),
        width: 1.0,
    }];
    for (place, value) in data.values.iter().enumerate() {
        let value = if value.is_finite() { value.clamp(0.0, 1.0) } else { 0.0 };
        let x = left + column * place as f64;
        let height = (value * (base - TOP)).max(1.0);
        let fill = if place == data.own { palette.accent } else { palette.baseline };
        shapes.push(Shape::Rect {
            x: x + 3.0,
            y: base - height,
            width: (column - 6.0).max(1.0),
            height,
            radius: 2.0,
            fill: fill.to_owned(),
        });
        let middle = x + column / 2.0;
        if column >= 26.0 {
            let percent = format!("{:.0}%", value * 100.0);
            shapes.push(label(
                (middle, base - height - 5.0),
                &percent,
                palette.ink,
                Anchor::Middle,
            ));
        }
        let name = data.names.get(place).map_or("", String::as_str);
        shapes.push(label((middle, HEIGHT - 5.0), name, palette.quiet, Anchor::Middle));
    }
    let description = data.description.clone();
    Scene { width, height: HEIGHT, description, background: None, shapes }
}

#[cfg(test)]
mod tests {
    use super::{Shares, shares};
    use crate::chart::ramp::LIGHT;
    use crate::chart::scene::Shape;

    #[test]
    fn a_bar_is_as_high_as_its_share_and_the_right_one_stands_out() {
        let names = ["1".to_owned(), "2".to_owned()];
        let data = Shares {
            values: &[0.75, f64::NAN],
            names: &names,
            own: 0,
            columns: (20.0, 40.0),
            description: String::new(),
        };
        let scene = shares(&data, 120.0, &LIGHT);
        let bars: Vec<_> = scene
            .shapes
            .iter()
            .filter_map(|shape| match shape {
                Shape::Rect { height, fill, .. } => Some((*height, fill.as_str())),
                _ => None,
            })
            .collect();
        assert_eq!(bars, [(69.0, LIGHT.accent), (1.0, LIGHT.baseline)]);
        assert!(!scene.to_svg().contains("NaN"));
    }
}
