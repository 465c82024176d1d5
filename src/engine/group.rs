//! A group of sentences: its nearest pairs, and windows of its cosine matrix.

use crate::engine::rows::Finished;
use crate::geometry::cosine::{mean_cosine, window};
use crate::geometry::nearest::NearestPairs;
use crate::geometry::pairs::{pair_count, slice_rows};
use crate::protocol::Revision;
use crate::protocol::event::Event;
use crate::protocol::message::Message;
use crate::protocol::problem::Problem;
use crate::protocol::request::{WINDOW_SIDE, Window};

/// So many of the nearest pairs are told.
const NEAREST: usize = 200;

/// A window has at most so many cells (16 MiB of numbers).
const MAX_CELLS: u64 = 1 << 22;

/// The group embedded last: `[count, hidden]` unit rows.
#[derive(Debug)]
pub struct Group {
    /// Of the request that asked for it.
    revision: Revision,
    hidden: usize,
    rows: Vec<f32>,
}

/// The search for a group's nearest pairs.
#[derive(Debug)]
pub struct Scan {
    finished: Finished,
    count: usize,
    next: usize,
    nearest: NearestPairs,
}

impl Scan {
    pub fn new(finished: Finished) -> Self {
        let count = finished.rows.len() / finished.hidden.max(1);
        Self { finished, count, next: 0, nearest: NearestPairs::new(NEAREST) }
    }

    /// Looks at some more pairs. `false` once all were looked at.
    pub fn step(&mut self) -> bool {
        if self.next >= self.count {
            return false;
        }
        let hidden = self.finished.hidden;
        let rows = slice_rows(self.count, hidden);
        self.nearest.scan_block(&self.finished.rows, hidden, self.next, rows);
        self.next += rows;
        true
    }

    /// The answer, and the group that windows are cut from.
    pub fn finish(self, revision: Revision, latency_ms: f64) -> (Message<Event>, Group) {
        let Finished { hidden, rows, truncated, .. } = self.finished;
        let count = u32::try_from(self.count).unwrap_or(u32::MAX);
        let side = count.min(WINDOW_SIDE);
        let first = Window { row: 0, row_count: side, column: 0, column_count: side };
        let cells = window(&rows, hidden, first).unwrap_or_default();
        let event = Event::Group {
            revision,
            count,
            truncated,
            nearest: self.nearest.into_sorted(),
            pair_count: pair_count(self.count),
            mean_cosine: mean_cosine(&rows, hidden).unwrap_or_default() as f32,
            window: first,
            latency_ms,
        };
        (Message::with_f32(event, cells), Group { revision, hidden, rows })
    }
}

/// A window being computed, some rows at a time.
#[derive(Debug)]
pub struct WindowWork {
    group: Revision,
    window: Window,
    cells: Vec<f32>,
    done_rows: u32,
}

impl WindowWork {
    /// A window of the group that the request `group` embedded.
    pub fn new(group: Revision, window: Window) -> Self {
        Self { group, window, cells: Vec::new(), done_rows: 0 }
    }

    /// Does a little; the answer once it is complete.
    ///
    /// # Errors
    /// [`Problem::NoWindow`] where the group is not `last`, or the window reaches outside it.
    pub fn step(
        &mut self,
        revision: Revision,
        last: Option<&Group>,
    ) -> Result<Option<Message<Event>>, Problem> {
        let group = last.filter(|last| last.revision == self.group).ok_or(Problem::NoWindow)?;
        let Window { row_count, column_count, .. } = self.window;
        if u64::from(row_count) * u64::from(column_count) > MAX_CELLS {
            return Err(Problem::NoWindow);
        }
        let rows = u32::try_from(slice_rows(column_count as usize, group.hidden)).unwrap_or(1);
        let part = Window {
            row: self.window.row.saturating_add(self.done_rows),
            row_count: rows.min(row_count - self.done_rows),
            ..self.window
        };
        let cells = window(&group.rows, group.hidden, part).ok_or(Problem::NoWindow)?;
        self.cells.extend(cells);
        self.done_rows += part.row_count;
        if self.done_rows < row_count {
            return Ok(None);
        }
        let event = Event::GroupWindow { revision, window: self.window };
        Ok(Some(Message::with_f32(event, std::mem::take(&mut self.cells))))
    }
}
