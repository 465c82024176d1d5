//! Labels beside their points, none over another.

use crate::chart::scene::text_width;

/// A text that wants a place beside a point; in pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    pub at: (f64, f64),
    pub text: String,
}

/// Where a text goes: the box around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Room {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

impl Room {
    /// Where the text begins, on its base line.
    pub fn text_at(&self, size: f64) -> (f64, f64) {
        (self.left + PADDING, self.top + (self.height + size * 0.7) / 2.0)
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.left < other.left + other.width
            && other.left < self.left + self.width
            && self.top < other.top + other.height
            && other.top < self.top + self.height
    }

    fn covers(&self, (x, y): (f64, f64)) -> bool {
        let is_across = x >= self.left && x < self.left + self.width;
        is_across && y >= self.top && y < self.top + self.height
    }

    fn is_within(&self, (width, height): (f64, f64)) -> bool {
        self.left >= 0.0
            && self.top >= 0.0
            && self.left + self.width <= width
            && self.top + self.height <= height
    }
}

/// Free pixels to the left and right of a text.
pub const PADDING: f64 = 4.0;
/// Pixels between a point and its label.
const AWAY: f64 = 10.0;

/// A place for each label, the first ones first: above its point, below, to the right, to the left,
/// where it covers the fewest `points` of those for which the picture of so many pixels has room;
/// `None` where there is none without lying over a label that is placed already.
pub fn place(
    labels: &[Label],
    size: f64,
    picture: (f64, f64),
    points: &[(f64, f64)],
) -> Vec<Option<Room>> {
    let mut rooms: Vec<Room> = Vec::new();
    let place_one = |label: &Label| {
        let width = text_width(&label.text, size) + 2.0 * PADDING;
        let height = (size * 1.5).round();
        let (x, y) = label.at;
        let corners = [
            (x - width / 2.0, y - AWAY - height),
            (x - width / 2.0, y + AWAY),
            (x + AWAY, y - height / 2.0),
            (x - AWAY - width, y - height / 2.0),
        ];
        let tries = corners.map(|(left, top)| Room { left, top, width, height });
        let fits = |room: &Room| {
            room.is_within(picture) && !rooms.iter().any(|taken| taken.overlaps(room))
        };
        let covered = |room: &Room| points.iter().filter(|point| room.covers(**point)).count();
        // Of equals the first.
        let found = tries.into_iter().filter(fits).min_by_key(covered);
        rooms.extend(found);
        found
    };
    labels.iter().map(place_one).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn label(x: f64, y: f64, text: &str) -> Label {
        Label { at: (x, y), text: text.to_owned() }
    }

    proptest! {
        #[test]
        fn none_lies_over_another_or_outside(
            points in prop::collection::vec((-20.0_f64..220.0, -20.0_f64..120.0, 0_usize..12), 0..30),
        ) {
            let labels: Vec<Label> =
                points.iter().map(|(x, y, length)| label(*x, *y, &"w".repeat(*length))).collect();
            let placed = place(&labels, 12.0, (200.0, 100.0), &[]);
            prop_assert_eq!(placed.len(), labels.len());
            let rooms: Vec<Room> = placed.iter().flatten().copied().collect();
            for (number, room) in rooms.iter().enumerate() {
                prop_assert!(room.is_within((200.0, 100.0)));
                prop_assert!(rooms[..number].iter().all(|other| !other.overlaps(room)));
            }
            // The first has the choice of all places.
            if let Some((x, y, _)) = points.first() {
                let in_the_middle = (70.0..130.0).contains(x) && (30.0..70.0).contains(y);
                prop_assert!(!in_the_middle || placed[0].is_some());
            }
        }
    }

    #[test]
    fn a_label_gives_way_and_then_up() {
        let same = [label(60.0, 50.0, "one"), label(60.0, 50.0, "two"), label(60.0, 50.0, "three")];
        let placed = place(&same, 12.0, (120.0, 100.0), &[]);
        let tops: Vec<f64> = placed.iter().flatten().map(|room| room.top).collect();
        assert_eq!(tops, [22.0, 60.0, 41.0]);
        let crowd = vec![label(60.0, 50.0, "one"); 9];
        assert_eq!(place(&crowd, 12.0, (120.0, 100.0), &[]).iter().flatten().count(), 4);
        // Points above, below and to the right: the left is free.
        let points = [(60.0, 30.0), (60.0, 70.0), (80.0, 50.0)];
        let placed = place(&same[..1], 12.0, (120.0, 100.0), &points);
        assert!(placed[0].is_some_and(|room| room.left + room.width <= 50.0), "{placed:?}");
    }
}
