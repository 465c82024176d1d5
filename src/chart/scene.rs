//! Shapes in pixels, and their SVG text.

use std::fmt::Write;

use crate::chart::ramp::Palette;

/// Where a text sits relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// A shape; lengths in pixels, colours as CSS.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    Rect {
        x: f64,
        y: f64,
        width: f64,
        height: f64,
        radius: f64,
        fill: String,
    },
    Line {
        from: (f64, f64),
        to: (f64, f64),
        stroke: String,
        width: f64,
    },
    Circle {
        centre: (f64, f64),
        radius: f64,
        fill: String,
        ring: Option<String>,
    },
    Text {
        at: (f64, f64),
        text: String,
        size: f64,
        fill: String,
        anchor: Anchor,
        bold: bool,
    },
    /// Straight lines from point to point.
    Path {
        points: Vec<(f64, f64)>,
        /// The last point is joined to the first.
        closed: bool,
        fill: Option<String>,
        stroke: Option<String>,
        width: f64,
        dashed: bool,
    },
    /// A disc at each of the points, in little room; where they overlap nothing shows of it.
    Dots {
        points: Vec<(f64, f64)>,
        radius: f64,
        fill: String,
    },
    /// A group that is rotated by degrees about a point.
    TurnedText {
        at: (f64, f64),
        text: String,
        size: f64,
        fill: String,
        degrees: f64,
    },
}

/// A drawing.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    pub width: f64,
    pub height: f64,
    /// What is seen and measured, in words: for screen readers.
    pub description: String,
    pub background: Option<String>,
    pub shapes: Vec<Shape>,
}

const FONT: &str =
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'PingFang SC', 'Noto Sans CJK SC', sans-serif";

impl Scene {
    /// The drawing as an SVG document.
    pub fn to_svg(&self) -> String {
        let mut svg = String::with_capacity(256 + self.shapes.len() * 120);
        let (width, height) = (px(self.width), px(self.height));
        // Writing to a String cannot fail, so the results are not looked at.
        let _ = write!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\" font-family=\"{FONT}\">",
            escape(&self.description)
        );
        if let Some(fill) = &self.background {
            let _ = write!(svg, "<rect width=\"{width}\" height=\"{height}\" fill=\"{fill}\"/>");
        }
        for shape in &self.shapes {
            shape.write(&mut svg);
        }
        svg.push_str("</svg>");
        svg
    }
}

/// A drawing for a file of its own: title and caption above it, on paper.
pub fn picture(scene: &Scene, title: &str, caption: &str, palette: &Palette) -> String {
    const MARGIN: f64 = 20.0;
    const HEAD: f64 = 64.0;
    let words = |text: &str, y: f64, size: f64, fill: &str, bold: bool| Shape::Text {
        at: (MARGIN, y),
        text: fit(text, size, scene.width),
        size,
        fill: fill.to_owned(),
        anchor: Anchor::Start,
        bold,
    };
    let frame = Scene {
        width: scene.width + 2.0 * MARGIN,
        height: scene.height + HEAD + MARGIN,
        description: scene.description.clone(),
        background: Some(palette.paper.to_owned()),
        shapes: vec![
            words(title, 30.0, 16.0, palette.ink, true),
            words(caption, 50.0, 12.0, palette.quiet, false),
        ],
    };
    let inner = scene.to_svg().replacen("<svg ", &format!("<svg x=\"{MARGIN}\" y=\"{HEAD}\" "), 1);
    frame.to_svg().replacen("</svg>", &format!("{inner}</svg>"), 1)
}

impl Shape {
    fn write(&self, svg: &mut String) {
        let _ = match self {
            Self::Rect { x, y, width, height, radius, fill } => write!(
                svg,
                "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\" fill=\"{fill}\"/>",
                px(*x),
                px(*y),
                px(*width),
                px(*height),
                px(*radius)
            ),
            Self::Line { from, to, stroke, width } => write!(
                svg,
                "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"{stroke}\" stroke-width=\"{}\"/>",
                px(from.0),
                px(from.1),
                px(to.0),
                px(to.1),
                px(*width)
            ),
            Self::Circle { centre, radius, fill, ring } => write!(
                svg,
                "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{fill}\"{}/>",
                px(centre.0),
                px(centre.1),
                px(*radius),
                ring.as_ref().map_or_else(String::new, |ring| format!(
                    " stroke=\"{ring}\" stroke-width=\"2\""
                ))
            ),
            Self::Text { at, text, size, fill, anchor, bold } => write!(
                svg,
                "<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{fill}\" text-anchor=\"{}\"{}>{}</text>",
                px(at.0),
                px(at.1),
                px(*size),
                anchor.name(),
                if *bold { " font-weight=\"600\"" } else { "" },
                escape(text)
            ),
            Self::Path { points, closed, fill, stroke, width, dashed } => write!(
                svg,
                "<path d=\"{}\" fill=\"{}\" stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\"{}/>",
                path(points, *closed),
                fill.as_deref().unwrap_or("none"),
                stroke.as_deref().unwrap_or("none"),
                px(*width),
                if *dashed { " stroke-dasharray=\"4 4\"" } else { "" }
            ),
            // A line of no length with round ends is a disc.
            Self::Dots { points, radius, fill } => write!(
                svg,
                "<path d=\"{}\" fill=\"none\" stroke=\"{fill}\" stroke-width=\"{}\" stroke-linecap=\"round\"/>",
                points.iter().fold(String::new(), |mut data, (x, y)| {
                    let _ = write!(data, "M{} {}h0", px(*x), px(*y));
                    data
                }),
                px(2.0 * radius)
            ),
            Self::TurnedText { at, text, size, fill, degrees } => write!(
                svg,
                "<text transform=\"translate({} {}) rotate({})\" font-size=\"{}\" fill=\"{fill}\">{}</text>",
                px(at.0),
                px(at.1),
                px(*degrees),
                px(*size),
                escape(text)
            ),
        };
    }
}

/// `M0 0L1 1Z`
fn path(points: &[(f64, f64)], closed: bool) -> String {
    let mut data = String::with_capacity(points.len() * 12);
    for (place, (x, y)) in points.iter().enumerate() {
        data.push(if place == 0 { 'M' } else { 'L' });
        data.push_str(&format!("{} {}", px(*x), px(*y)));
    }
    data.push_str(if closed { "Z" } else { "" });
    data
}

impl Anchor {
    fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// Two decimals at most: a hundredth of a pixel is not seen, and snapshots stay stable.
fn px(value: f64) -> String {
    let rounded = (value * 100.0).round() / 100.0;
    format!("{}", if rounded == 0.0 { 0.0 } else { rounded })
}

/// Text that is safe between tags and in attributes. Control characters are not allowed in XML.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => escaped.push(' '),
            character if character.is_control() => escaped.push('\u{fffd}'),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            character => escaped.push(character),
        }
    }
    escaped
}

/// Width of a text in pixels, estimated: good enough to keep labels from colliding.
pub fn text_width(text: &str, size: f64) -> f64 {
    text.chars().map(|character| if is_wide(character) { size } else { size * 0.56 }).sum()
}

/// The text, cut with an ellipsis so that it is about `width` pixels wide.
pub fn fit(text: &str, size: f64, width: f64) -> String {
    if text_width(text, size) <= width {
        return text.to_owned();
    }
    let mut room = width - size * 0.6;
    let mut kept = String::new();
    for character in text.chars() {
        room -= if is_wide(character) { size } else { size * 0.56 };
        if room < 0.0 {
            break;
        }
        kept.push(character);
    }
    format!("{}…", kept.trim_end())
}

fn is_wide(character: char) -> bool {
    matches!(u32::from(character), 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe4f | 0xff00..=0xff60 | 0x1f300..=0x1faff)
}

#[cfg(test)]
mod tests {
    use super::{escape, fit, text_width};

    #[test]
    fn text_cannot_break_out_of_the_drawing() {
        assert_eq!(escape("<a href=\"x\">\u{0}\n&"), "&lt;a href=&quot;x&quot;&gt;\u{fffd} &amp;");
    }

    #[test]
    fn long_labels_are_cut_to_the_room_there_is() {
        let cut = fit("a rather long sentence about nothing", 12.0, 80.0);
        assert!(cut.ends_with('…') && text_width(&cut, 12.0) <= 90.0, "{cut}");
        assert_eq!(fit("short", 12.0, 80.0), "short");
    }
}
