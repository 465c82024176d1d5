//! The geometry of some sentences' vectors, as they are or whitened.

use crate::engine::rows::Finished;
use crate::geometry::cosine::grid;
use crate::geometry::shape::shape;
use crate::geometry::whitening::{LEAST_ROWS, whitened};
use crate::math::rows::row;
use crate::protocol::problem::Problem;
use crate::protocol::training::Shape;

/// A survey looks at so many sentences at most; the answer says of how many. All pairs of a
/// thousand rows, and eigenvalues for 384 dimensions, are each a step of some 50 ms.
pub const MOST_SENTENCES: usize = 1_000;

/// What is left to do once the rows are there.
#[derive(Debug)]
pub struct Survey {
    pub slot: u8,
    whitened: bool,
    rows: Option<Rows>,
}

/// `[n, width]`
#[derive(Debug, Default)]
struct Rows {
    values: Vec<f32>,
    width: usize,
    /// Whether they are what is to be measured.
    ready: bool,
}

/// What a survey found.
#[derive(Debug)]
pub struct Measured {
    pub shape: Shape,
    /// `[n]`, cosine of each sentence with the last one.
    pub with_last: Vec<f32>,
}

impl Survey {
    pub fn new(slot: u8, whitened: bool) -> Self {
        Self { slot, whitened, rows: None }
    }

    /// Whether the rows are there.
    pub fn has_rows(&self) -> bool {
        self.rows.is_some()
    }

    pub fn take_rows(&mut self, finished: Finished) {
        let (values, width) = (finished.rows, finished.hidden);
        self.rows = Some(Rows { values, width, ready: !self.whitened });
    }

    /// Forgets the rows, for a new model.
    pub fn restart(&mut self) {
        self.rows = None;
    }

    /// Does a little: whitens first where that was asked for, then measures.
    ///
    /// # Errors
    /// [`Problem::TooFewExamples`] where there is too little to whiten.
    pub fn step(&mut self) -> Result<Option<Measured>, Problem> {
        let Rows { values, width, ready } = self.rows.take().unwrap_or_default();
        if ready {
            let last = (values.len() / width.max(1)).saturating_sub(1);
            let with_last = grid(&values, row(&values, width, last), width);
            return Ok(Some(Measured { shape: shape(&values, width), with_last }));
        }
        let white = whitened(&values, width).ok_or_else(|| too_few(&values, width))?;
        self.rows = Some(Rows { values: white.rows, width: white.directions, ready: true });
        Ok(None)
    }
}

fn too_few(rows: &[f32], hidden: usize) -> Problem {
    let natural = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let found = rows.len().checked_div(hidden).unwrap_or(0);
    Problem::TooFewExamples { found: natural(found), needed: natural(LEAST_ROWS) }
}
