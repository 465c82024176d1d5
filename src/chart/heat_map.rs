//! A rectangle of cosines as coloured, numbered cells.

use crate::chart::ramp::{Palette, css, text_on};
use crate::chart::scene::{Anchor, Scene, Shape, fit, text_width};

/// What is drawn. `values` is row-major `[row_labels, column_labels]`.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatMap<'a> {
    pub row_labels: &'a [String],
    pub column_labels: &'a [String],
    pub values: &'a [f32],
    /// Value of the ramp's first colour: the unrelated baseline. The last colour is 1.
    pub floor: f32,
    /// Cells of the diagonal are drawn pale: a sentence with itself says nothing.
    pub pale_diagonal: bool,
    /// Cell that is outlined: row, column.
    pub marked: Option<(usize, usize)>,
    pub description: String,
}

/// Where the cells lie, in pixels: lets the page find the cell under the pointer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Layout {
    pub left: f64,
    pub top: f64,
    pub cell_width: f64,
    pub cell_height: f64,
    pub rows: usize,
    pub columns: usize,
}

impl Layout {
    /// The cell at a point of the drawing: row, column.
    pub fn cell_at(&self, x: f64, y: f64) -> Option<(usize, usize)> {
        let (row, column) = ((y - self.top) / self.cell_height, (x - self.left) / self.cell_width);
        let inside =
            row >= 0.0 && column >= 0.0 && row < self.rows as f64 && column < self.columns as f64;
        inside.then_some((row as usize, column as usize))
    }
}

const LABEL_SIZE: f64 = 12.0;
const GAP: f64 = 1.0;

/// Where the cells of a map of that size go, over `width` pixels.
pub fn layout(map: &HeatMap<'_>, width: f64) -> Layout {
    let longest = |labels: &[String]| {
        labels.iter().map(|label| text_width(label, LABEL_SIZE)).fold(0.0, f64::max)
    };
    let (rows, columns) = (map.row_labels.len(), map.column_labels.len());
    let left = (longest(map.row_labels) + 12.0).min(width * 0.34).max(28.0);
    let cell_width = ((width - left - 1.0) / columns.max(1) as f64).clamp(2.0, 80.0);
    let cell_height = if cell_width < 12.0 {
        cell_width
    } else {
        (cell_width * 0.62).clamp(22.0, 34.0).min(cell_width.max(22.0))
    };
    let turned = longest(map.column_labels) > cell_width - 4.0;
    let top = if turned { (longest(map.column_labels) + 14.0).min(108.0) } else { 22.0 };
    Layout { left, top, cell_width, cell_height, rows, columns }
}

/// Draws the map over `width` pixels.
pub fn heat_map(map: &HeatMap<'_>, width: f64, palette: &Palette) -> Scene {
    let place = layout(map, width);
    let mut shapes = Vec::with_capacity(map.values.len() * 2);
    draw_labels(map, &place, palette, &mut shapes);
    for row in 0..place.rows {
        for column in 0..place.columns {
            if let Some(&value) = map.values.get(row * place.columns + column) {
                draw_cell(map, &place, (row, column), value, palette, &mut shapes);
            }
        }
    }
    if let Some((row, column)) = map.marked.filter(|&(r, c)| r < place.rows && c < place.columns) {
        outline(&place, row, column, palette, &mut shapes);
    }
    let height = place.top + place.cell_height * place.rows as f64 + 2.0;
    Scene { width, height, description: map.description.clone(), background: None, shapes }
}

fn draw_labels(map: &HeatMap<'_>, place: &Layout, palette: &Palette, shapes: &mut Vec<Shape>) {
    // Labels that would overlap their neighbours are left out; hovering names them.
    let size = LABEL_SIZE.min(place.cell_height * 0.9);
    if place.cell_height >= 9.0 {
        for (row, text) in map.row_labels.iter().enumerate() {
            shapes.push(Shape::Text {
                at: (
                    place.left - 8.0,
                    place.top + (row as f64 + 0.5) * place.cell_height + size * 0.35,
                ),
                text: fit(text, size, place.left - 10.0),
                size,
                fill: palette.ink.to_owned(),
                anchor: Anchor::End,
                bold: false,
            });
        }
    }
    if place.cell_width < 12.0 {
        return;
    }
    let turned = place.top > 22.0;
    for (column, text) in map.column_labels.iter().enumerate() {
        let x = place.left + (column as f64 + 0.5) * place.cell_width;
        shapes.push(if turned {
            Shape::TurnedText {
                at: (x + 4.0, place.top - 6.0),
                text: fit(text, LABEL_SIZE, place.top - 12.0),
                size: LABEL_SIZE,
                fill: palette.ink.to_owned(),
                degrees: -90.0,
            }
        } else {
            Shape::Text {
                at: (x, place.top - 8.0),
                text: text.clone(),
                size: LABEL_SIZE,
                fill: palette.ink.to_owned(),
                anchor: Anchor::Middle,
                bold: false,
            }
        });
    }
}

fn draw_cell(
    map: &HeatMap<'_>,
    place: &Layout,
    (row, column): (usize, usize),
    value: f32,
    palette: &Palette,
    shapes: &mut Vec<Shape>,
) {
    let pale = map.pale_diagonal && row == column;
    let span = f64::from(1.0 - map.floor).max(1e-6);
    let colour = palette.sequential(if pale { 0.0 } else { f64::from(value - map.floor) / span });
    let (x, y) =
        (place.left + column as f64 * place.cell_width, place.top + row as f64 * place.cell_height);
    let gap = if place.cell_width < 8.0 { 0.0 } else { GAP };
    shapes.push(Shape::Rect {
        x,
        y,
        width: place.cell_width - gap,
        height: place.cell_height - gap,
        radius: if gap > 0.0 { 2.0 } else { 0.0 },
        fill: css(colour),
    });
    if place.cell_width >= 24.0 && place.cell_height >= 14.0 {
        let size = if place.cell_width < 32.0 { 10.0 } else { 11.5 };
        let fill = if pale { palette.quiet } else { text_on(colour) };
        shapes.push(Shape::Text {
            at: (x + place.cell_width / 2.0, y + place.cell_height / 2.0 + size * 0.35),
            text: short(value),
            size,
            fill: fill.to_owned(),
            anchor: Anchor::Middle,
            bold: false,
        });
    }
}

fn outline(place: &Layout, row: usize, column: usize, palette: &Palette, shapes: &mut Vec<Shape>) {
    let (left, top) =
        (place.left + column as f64 * place.cell_width, place.top + row as f64 * place.cell_height);
    let (right, bottom) = (left + place.cell_width - GAP, top + place.cell_height - GAP);
    let corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
    for side in corners.windows(2) {
        shapes.push(Shape::Line {
            from: side[0],
            to: side[1],
            stroke: palette.ink.to_owned(),
            width: 2.0,
        });
    }
}

/// `.83`, `-.04`, `1`: two decimals without the zero that every cell would repeat.
fn short(value: f32) -> String {
    let text = format!("{value:.2}");
    match text.as_str() {
        "1.00" => "1".to_owned(),
        "0.00" | "-0.00" => "0".to_owned(),
        _ => text.replacen("0.", ".", 1),
    }
}

#[cfg(test)]
mod tests {
    use super::{HeatMap, heat_map, layout, short};
    use crate::chart::ramp::LIGHT;
    use crate::chart::scene::Shape;

    fn labels(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn values_are_written_short() {
        assert_eq!(
            [short(0.834), short(-0.041), short(1.0), short(-0.001)],
            [".83", "-.04", "1", "0"]
        );
    }

    #[test]
    fn the_cell_under_the_pointer_is_found() {
        let (rows, columns) = (labels(&["a", "b"]), labels(&["c", "d", "e"]));
        let map = HeatMap {
            row_labels: &rows,
            column_labels: &columns,
            values: &[0.0; 6],
            floor: 0.0,
            pale_diagonal: false,
            marked: None,
            description: String::new(),
        };
        let place = layout(&map, 400.0);
        let middle = |row: f64, column: f64| {
            (
                place.left + (column + 0.5) * place.cell_width,
                place.top + (row + 0.5) * place.cell_height,
            )
        };
        let (x, y) = middle(1.0, 2.0);
        assert_eq!(place.cell_at(x, y), Some((1, 2)));
        assert_eq!(place.cell_at(1.0, y), None);
        let (x, y) = middle(2.0, 0.0);
        assert_eq!(place.cell_at(x, y), None);
    }

    #[test]
    fn every_value_gets_one_cell_and_missing_values_none() {
        let names = labels(&["a", "b"]);
        let map = HeatMap {
            row_labels: &names,
            column_labels: &names,
            values: &[1.0, 0.5, 0.5],
            floor: 0.1,
            pale_diagonal: true,
            marked: None,
            description: String::new(),
        };
        let scene = heat_map(&map, 300.0, &LIGHT);
        let cells = scene.shapes.iter().filter(|shape| matches!(shape, Shape::Rect { .. })).count();
        assert_eq!(cells, 3);
    }
}
