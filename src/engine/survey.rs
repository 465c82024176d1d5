//! The geometry of some sentences' vectors, as they are or treated.

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
    study: Option<Box<Study>>,
}

impl Survey {
    pub fn new(slot: u8, treatment: Treatment, given: Given) -> Self {
        Self { slot, treatment, given, study: None }
    }

    /// Whether the rows are there.
    pub fn has_rows(&self) -> bool {
        self.study.is_some()
    }

    pub fn take_rows(&mut self, finished: Finished) {
        let study = Study::new(self.treatment, self.given.clone(), finished.rows, finished.hidden);
        self.study = Some(Box::new(study));
    }

    /// Forgets the rows, for a new model.
    pub fn restart(&mut self) {
        self.study = None;
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
