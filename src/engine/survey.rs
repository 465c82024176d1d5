//! The geometry of some sentences' vectors, as they are or whitened.

use crate::engine::rows::Finished;
use crate::geometry::alignment::alignment;
use crate::geometry::cosine::grid;
use crate::geometry::shape::shape;
use crate::geometry::whitening::{LEAST_ROWS, whitened};
use crate::math::rows::row;
use crate::protocol::lab::{Findings, Treatment};
use crate::protocol::problem::Problem;

/// A survey looks at so many sentences at most; the answer says of how many. All pairs of a
/// thousand rows, and eigenvalues for 384 dimensions, are each a step of some 50 ms.
pub const MOST_SENTENCES: usize = 1_000;

/// What is left to do once the rows are there.
#[derive(Debug)]
pub struct Survey {
    pub slot: u8,
    treatment: Treatment,
    /// Positions of rows that mean the same.
    positives: Vec<(u32, u32)>,
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
    pub findings: Findings,
    /// `[n]`, cosine of each sentence with the last one.
    pub with_last: Vec<f32>,
}

impl Survey {
    pub fn new(slot: u8, treatment: Treatment, positives: Vec<(u32, u32)>) -> Self {
        Self { slot, treatment, positives, rows: None }
    }

    /// Whether the rows are there.
    pub fn has_rows(&self) -> bool {
        self.rows.is_some()
    }

    pub fn take_rows(&mut self, finished: Finished) {
        let (values, width) = (finished.rows, finished.hidden);
        self.rows = Some(Rows { values, width, ready: self.treatment == Treatment::AsTheyAre });
    }

    /// Forgets the rows, for a new model.
    pub fn restart(&mut self) {
        self.rows = None;
    }

    /// Does a little: whitens first where that was asked for, then measures.
    ///
    /// # Errors
    /// [`Problem::TooFewExamples`] where there is too little to whiten, [`Problem::Internal`] where
    /// a pair names a sentence that is not there.
    pub fn step(&mut self) -> Result<Option<Measured>, Problem> {
        let Rows { values, width, ready } = self.rows.take().unwrap_or_default();
        if ready {
            let last = (values.len() / width.max(1)).saturating_sub(1);
            let with_last = grid(&values, row(&values, width, last), width);
            let alignment = self.alignment(&values, width)?;
            let findings =
                Findings { shape: shape(&values, width), alignment, ..Findings::default() };
            return Ok(Some(Measured { findings, with_last }));
        }
        let white = whitened(&values, width).ok_or_else(|| too_few(&values, width))?;
        self.rows = Some(Rows { values: white.rows, width: white.directions, ready: true });
        Ok(None)
    }

    fn alignment(&self, values: &[f32], width: usize) -> Result<Option<f64>, Problem> {
        let mut pairs = Vec::with_capacity(self.positives.len());
        for (first, second) in &self.positives {
            pairs.push((checked(values, width, *first)?, checked(values, width, *second)?));
        }
        Ok(alignment(pairs))
    }
}

/// The row at a position.
fn checked(values: &[f32], width: usize, position: u32) -> Result<&[f32], Problem> {
    let start = (position as usize).saturating_mul(width);
    values.get(start..start.saturating_add(width)).ok_or_else(|| {
        let count = values.len() / width.max(1);
        let detail = format!("a pair names sentence {position} of {count}");
        Problem::Internal { detail }
    })
}

fn too_few(rows: &[f32], hidden: usize) -> Problem {
    let natural = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let found = rows.len().checked_div(hidden).unwrap_or(0);
    Problem::TooFewExamples { found: natural(found), needed: natural(LEAST_ROWS) }
}
