//! A map of points as shapes: what lies over the pixels (names, lines to neighbours, a lasso, the mark
//! of a query), and the whole of it for a file.

use crate::chart::axis::LABEL_SIZE;
use crate::chart::labels::{Label, PADDING, place};
use crate::chart::plane_view::{Frame, View};
use crate::chart::points::{Cloud, Colour, DIMMED, HUB, RAISED, SELECTED, WARNED};
use crate::chart::ramp::{Palette, css};
use crate::chart::scene::{Anchor, Scene, Shape, fit, text_width};

/// Widest label, in pixels.
const LABEL_WIDTH: f64 = 200.0;
/// Half of the mark of a query, in pixels.
const MARK: f64 = 7.0;

/// A text at a point.
#[derive(Debug, Clone, PartialEq)]
pub struct Name {
    pub position: u32,
    pub text: String,
    /// A bar of this colour before it.
    pub colour: Option<Colour>,
    /// As much of it as there is room for, not only its beginning.
    pub is_long: bool,
}

/// What lies over the points.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Over {
    /// The point whose neighbours are shown, and they.
    pub pinned: Option<u32>,
    pub neighbours: Vec<u32>,
    /// The more important first; those for which there is no room are left out.
    pub names: Vec<Name>,
    /// Where the query is, and what it says.
    pub query: Option<([f64; 2], String)>,
    /// Corners in pixels.
    pub lasso: Vec<(f64, f64)>,
    /// The point under the pointer, or under the keyboard's hand.
    pub hovered: Option<u32>,
}

/// Where a point is, in pixels.
fn spot(positions: &[f32], place: u32, view: &View, frame: Frame) -> Option<(f64, f64)> {
    let point = positions.as_chunks::<2>().0.get(place as usize)?.map(f64::from);
    let (x, y) = view.at(point, frame);
    (x.is_finite() && y.is_finite()).then_some((x, y))
}

/// Where points are, in pixels; of many every so manieth: enough to say where the map is crowded.
fn some_spots(positions: &[f32], view: &View, frame: Frame) -> Vec<(f64, f64)> {
    const ENOUGH: usize = 2_000;
    let count = positions.len() / 2;
    let every = count.div_ceil(ENOUGH).max(1);
    let places = (0..count).step_by(every).filter_map(|place| u32::try_from(place).ok());
    places.filter_map(|place| spot(positions, place, view, frame)).collect()
}

/// The shapes over the points; `radius` is that of the points.
pub fn over(
    data: &Over,
    positions: &[f32],
    (view, frame): (&View, Frame),
    radius: f64,
    palette: &Palette,
) -> Vec<Shape> {
    let mut shapes = Vec::new();
    let at = |place: u32| spot(positions, place, view, frame);
    if let Some(from) = data.pinned.and_then(at) {
        let line = |to: (f64, f64)| Shape::Line {
            from,
            to,
            stroke: format!("{}b0", palette.ink),
            width: 1.2,
        };
        shapes.extend(data.neighbours.iter().copied().filter_map(at).map(line));
        shapes.push(ring(from, radius + 5.0, palette.ink));
    }
    if let Some(centre) = data.hovered.and_then(at) {
        shapes.push(ring(centre, radius + 3.0, palette.ink));
    }
    draw_names(data, positions, (view, frame), palette, &mut shapes);
    if data.lasso.len() > 1 {
        shapes.push(Shape::Path {
            points: data.lasso.clone(),
            closed: true,
            fill: Some(format!("{}18", palette.accent)),
            stroke: Some(palette.accent.to_owned()),
            width: 1.5,
            dashed: true,
        });
    }
    shapes
}

fn ring(centre: (f64, f64), radius: f64, colour: &str) -> Shape {
    Shape::Circle { centre, radius, fill: "none".to_owned(), ring: Some(colour.to_owned()) }
}

/// The query first, then names as far as there is room.
fn draw_names(
    data: &Over,
    positions: &[f32],
    (view, frame): (&View, Frame),
    palette: &Palette,
    shapes: &mut Vec<Shape>,
) {
    let query = data.query.as_ref().map(|(place, text)| (view.at(*place, frame), text));
    let mut labels = Vec::new();
    let mut colours = Vec::new();
    if let Some((centre, text)) = query {
        shapes.push(diamond(centre, MARK + 2.0, palette.paper));
        shapes.push(diamond(centre, MARK, palette.accent));
        labels.push(Label { at: centre, text: fit(text, LABEL_SIZE, LABEL_WIDTH) });
        colours.push(None);
    }
    for name in &data.names {
        if let Some(at) = spot(positions, name.position, view, frame) {
            let most = if name.is_long { frame.width * 0.6 } else { LABEL_WIDTH };
            labels.push(Label { at, text: fit(&name.text, LABEL_SIZE, most) });
            colours.push(name.colour);
        }
    }
    let points = some_spots(positions, view, frame);
    let rooms = place(&labels, LABEL_SIZE, (frame.width, frame.height), &points);
    for (place, ((label, colour), room)) in labels.into_iter().zip(colours).zip(rooms).enumerate() {
        let Some(room) = room else { continue };
        let is_query = place == 0 && query.is_some();
        shapes.push(Shape::Rect {
            x: room.left,
            y: room.top,
            width: room.width,
            height: room.height,
            radius: 4.0,
            fill: format!("{}d8", palette.paper),
        });
        if let Some(colour) = colour {
            shapes.push(Shape::Rect {
                x: room.left,
                y: room.top + PADDING,
                width: 2.0,
                height: room.height - 2.0 * PADDING,
                radius: 0.0,
                fill: css(colour),
            });
        }
        shapes.push(Shape::Text {
            at: room.text_at(LABEL_SIZE),
            text: label.text,
            size: LABEL_SIZE,
            fill: if is_query { palette.accent } else { palette.ink }.to_owned(),
            anchor: Anchor::Start,
            bold: is_query,
        });
    }
}

fn diamond((x, y): (f64, f64), half: f64, fill: &str) -> Shape {
    Shape::Path {
        points: vec![(x, y - half), (x + half, y), (x, y + half), (x - half, y)],
        closed: true,
        fill: Some(fill.to_owned()),
        stroke: None,
        width: 0.0,
        dashed: false,
    }
}

/// What a colour stands for, for the legend of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    pub colour: Colour,
    pub text: String,
}

/// The whole map for a file: every point as a disc of a path, one path for each colour, then what lies
/// over them, and below a legend. Dots of one path do not show where they overlap.
pub fn scene(
    cloud: &Cloud<'_>,
    data: &Over,
    (view, frame): (&View, Frame),
    keys: &[Key],
    description: String,
    palette: &Palette,
) -> Scene {
    let mut shapes = Vec::new();
    let classes = [DIMMED, 0, RAISED, SELECTED];
    for class in classes {
        draw_class(cloud, class, (view, frame), &mut shapes);
    }
    draw_rings(cloud, (view, frame), &mut shapes);
    shapes.extend(over(data, cloud.positions, (view, frame), cloud.radius, palette));
    let bottom = draw_keys(keys, frame, palette, &mut shapes);
    Scene { width: frame.width, height: bottom, description, background: None, shapes }
}

/// The strongest thing that a point is.
fn class_of(flags: u8) -> u8 {
    [SELECTED, RAISED, DIMMED].into_iter().find(|bit| flags & bit != 0).unwrap_or_default()
}

fn flags_of(cloud: &Cloud<'_>, place: usize) -> u8 {
    cloud.flags.get(place).copied().unwrap_or_default()
}

fn draw_class(
    cloud: &Cloud<'_>,
    class: u8,
    (view, frame): (&View, Frame),
    shapes: &mut Vec<Shape>,
) {
    let count = cloud.palette.len();
    let mut of_colour: Vec<Vec<(f64, f64)>> = vec![Vec::new(); count];
    for place in 0..cloud.positions.len() / 2 {
        if class_of(flags_of(cloud, place)) != class {
            continue;
        }
        let colour = cloud.colours.get(place).copied().unwrap_or_default();
        let spot = spot(cloud.positions, place as u32, view, frame);
        if let (Some(at), Some(dots)) = (spot, of_colour.get_mut(usize::from(colour))) {
            let is_seen =
                (0.0..=frame.width).contains(&at.0) && (0.0..=frame.height).contains(&at.1);
            dots.extend(is_seen.then_some(at));
        }
    }
    let (radius, alpha) = match class {
        DIMMED => (cloud.radius, 0.2),
        0 => (cloud.radius, cloud.opacity),
        _ => (cloud.radius * 1.3 + 0.5, 1.0),
    };
    let alpha = (alpha * 255.0).round() as u8;
    for (points, colour) in of_colour.into_iter().zip(cloud.palette) {
        if points.is_empty() {
            continue;
        }
        if alpha == 255 {
            let fill = css(cloud.paper);
            shapes.push(Shape::Dots { points: points.clone(), radius: radius + 1.0, fill });
        }
        shapes.push(Shape::Dots { points, radius, fill: format!("{}{alpha:02x}", css(*colour)) });
    }
}

fn draw_rings(cloud: &Cloud<'_>, (view, frame): (&View, Frame), shapes: &mut Vec<Shape>) {
    for place in 0..cloud.positions.len() / 2 {
        let flags = flags_of(cloud, place);
        let warned = flags & WARNED != 0 && flags & DIMMED == 0;
        if !warned && flags & HUB == 0 {
            continue;
        }
        let Some(centre) = spot(cloud.positions, place as u32, view, frame) else { continue };
        let colour = if flags & HUB != 0 { cloud.hub } else { cloud.warning };
        shapes.push(ring(centre, cloud.radius + 2.0, &css(colour)));
    }
}

/// The legend under the map, in as many lines as it takes; gives the height of everything.
fn draw_keys(keys: &[Key], frame: Frame, palette: &Palette, shapes: &mut Vec<Shape>) -> f64 {
    const LINE: f64 = 20.0;
    const GAP: f64 = 16.0;
    if keys.is_empty() {
        return frame.height;
    }
    let (mut x, mut y) = (0.0, frame.height + LINE);
    for key in keys {
        let text = fit(&key.text, LABEL_SIZE, LABEL_WIDTH);
        let width = GAP + text_width(&text, LABEL_SIZE);
        if x > 0.0 && x + width > frame.width {
            (x, y) = (0.0, y + LINE);
        }
        shapes.push(Shape::Circle {
            centre: (x + 5.0, y - 4.0),
            radius: 4.0,
            fill: css(key.colour),
            ring: None,
        });
        shapes.push(Shape::Text {
            at: (x + GAP - 2.0, y),
            text,
            size: LABEL_SIZE,
            fill: palette.quiet.to_owned(),
            anchor: Anchor::Start,
            bold: false,
        });
        x += width + GAP;
    }
    y + 8.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::ramp::LIGHT;

    const FRAME: Frame = Frame { width: 300.0, height: 200.0, ratio: 1.0 };
    const VIEW: View = View { centre: [0.0, 0.0], scale: 10.0 };

    fn svg(cloud: &Cloud<'_>, data: &Over) -> String {
        scene(cloud, data, (&VIEW, FRAME), &[], "a map".to_owned(), &LIGHT).to_svg()
    }

    fn cloud<'a>(positions: &'a [f32], flags: &'a [u8]) -> Cloud<'a> {
        Cloud {
            positions,
            colours: &[0, 1, 1],
            flags,
            palette: &[[1, 2, 3], [200, 100, 0]],
            ranked: false,
            radius: 3.0,
            opacity: 0.9,
            paper: [255; 3],
            warning: [255, 0, 0],
            hub: [0, 0, 0],
        }
    }

    #[test]
    fn dots_of_a_colour_are_one_path_and_what_is_outside_is_left_out() {
        let positions = [0.0, 0.0, 1.0, 1.0, -1.0, 2.0, 99.0, 0.0, f32::NAN, 0.0];
        let drawn = svg(&cloud(&positions, &[]), &Over::default());
        assert!(drawn.contains("d=\"M150 100h0\""), "{drawn}");
        assert!(drawn.contains("d=\"M160 90h0M140 80h0\""), "{drawn}");
        assert_eq!(drawn.matches("<path").count(), 2);
        assert!(!drawn.contains("NaN"));
    }

    #[test]
    fn a_pinned_point_has_lines_and_a_warned_one_a_ring() {
        let positions = [0.0, 0.0, 1.0, 1.0, -1.0, 2.0];
        let over = Over { pinned: Some(0), neighbours: vec![1, 2, 77], ..Over::default() };
        let drawn = svg(&cloud(&positions, &[RAISED, WARNED, DIMMED | WARNED]), &over);
        assert_eq!(drawn.matches("<line").count(), 2);
        assert_eq!(drawn.matches("stroke=\"#ff0000\"").count(), 1);
    }

    #[test]
    fn names_give_way_to_the_query() {
        let positions = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let name = |position| Name {
            position,
            text: format!("name {position}"),
            colour: Some([9, 9, 9]),
            is_long: false,
        };
        let names = (0..5).map(name).collect();
        let query = Some(([0.0, 0.0], "what I look for".to_owned()));
        let drawn = svg(&cloud(&positions, &[]), &Over { names, query, ..Over::default() });
        assert!(drawn.contains(">what I look for</text>"));
        let shown = (0..5).filter(|name| drawn.contains(&format!(">name {name}</text>"))).count();
        assert_eq!(shown, 3, "above, below, right and left: the query has one of them");
    }
}
