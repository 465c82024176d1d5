//! The geometry of some sentences' vectors, as they are or treated.

use std::sync::Arc;

use crate::engine::clouds::Raw;
use crate::engine::rows::Finished;
use crate::geometry::given::Given;
use crate::geometry::study::{Studied, Study};
use crate::protocol::lab::Treatment;
use crate::protocol::problem::Problem;

/// What is left to do once the rows are there.
#[derive(Debug)]
pub struct Survey {
    pub slot: u8,
    treatment: Treatment,
    given: Given,
    /// Whether the vectors are kept afterwards.
    pub keep: bool,
    /// The vectors before they are treated, where they are kept.
    raw: Option<Raw>,
    study: Option<Box<Study>>,
}

impl Survey {
    pub fn new(slot: u8, treatment: Treatment, given: Given, keep: bool) -> Self {
        Self { slot, treatment, given, keep, raw: None, study: None }
    }

    /// Whether the rows are there.
    pub fn has_rows(&self) -> bool {
        self.study.is_some()
    }

    pub fn take_rows(&mut self, finished: Finished) {
        let Finished { rows, hidden, .. } = finished;
        // Vectors that are not treated stay as they are: no second copy.
        let apart = self.keep && self.treatment != Treatment::AsTheyAre;
        self.raw = apart.then(|| Raw { rows: Arc::new(rows.clone()), hidden });
        self.study(rows, hidden);
    }

    /// Takes vectors that an earlier survey of the same sentences left.
    pub fn take_known(&mut self, raw: Raw) {
        self.study(raw.rows.as_ref().clone(), raw.hidden);
        self.raw = Some(raw);
    }

    /// The vectors before they were treated; `None`: they were not treated.
    pub fn take_raw(&mut self) -> Option<Raw> {
        self.raw.take()
    }

    fn study(&mut self, rows: Vec<f32>, hidden: usize) {
        let study = Study::new(self.treatment, self.given.clone(), rows, hidden);
        self.study = Some(Box::new(study));
    }

    /// Forgets the rows, for a new model.
    pub fn restart(&mut self) {
        self.study = None;
        self.raw = None;
    }

    /// Does a little; what was found, once all is, with the rows it was found of.
    ///
    /// # Errors
    /// As [`Study::step`].
    pub fn step(&mut self) -> Result<Option<Studied>, Problem> {
        let Some(mut study) = self.study.take() else { return Ok(None) };
        if study.step()? {
            self.study = Some(study);
            return Ok(None);
        }
        Ok(Some(study.finish()))
    }
}
