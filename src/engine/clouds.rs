//! Vectors that surveys left behind, for questions about them.

use std::sync::Arc;

use crate::geometry::treatment::Transform;
use crate::protocol::Revision;
use crate::protocol::readout::{Lens, Side};

/// The vectors of a survey, as it looked at them.
#[derive(Debug, Clone)]
pub struct Cloud {
    pub slot: u8,
    /// Of the request that asked for the survey.
    pub survey: Revision,
    pub lens: Lens,
    /// `[n, width]`, unit length.
    pub rows: Arc<Vec<f32>>,
    pub width: usize,
    /// What was done to the model's vectors; `None`: nothing.
    pub transform: Option<Transform>,
    /// What the vectors are of.
    pub sentences: Arc<Vec<String>>,
    pub raw: Raw,
}

/// Vectors as the model gave them.
#[derive(Debug, Clone)]
pub struct Raw {
    /// `[n, hidden]`, unit length.
    pub rows: Arc<Vec<f32>>,
    pub hidden: usize,
}

/// The latest of each slot.
#[derive(Debug, Default)]
pub struct Clouds {
    kept: Vec<Cloud>,
}

impl Clouds {
    /// Keeps a survey's vectors in the place of those of its slot.
    pub fn keep(&mut self, cloud: Cloud) {
        self.kept.retain(|kept| kept.slot != cloud.slot);
        self.kept.push(cloud);
    }

    /// The vectors of that survey, if they are still kept.
    pub fn of(&self, survey: Revision) -> Option<&Cloud> {
        self.kept.iter().find(|cloud| cloud.survey == survey)
    }

    /// The model's vectors of these very sentences, if a survey left them: another treatment needs no
    /// second embedding.
    pub fn raw(&self, lens: Lens, sentences: &[String]) -> Option<Raw> {
        let same = |cloud: &&Cloud| cloud.lens == lens && cloud.sentences.as_slice() == sentences;
        self.kept.iter().find(same).map(|cloud| cloud.raw.clone())
    }

    /// Forgets what a side computed: it has other weights now, and would read a visitor's text in
    /// another way than the sentences beside it.
    pub fn forget(&mut self, side: Side) {
        self.kept.retain(|cloud| cloud.lens.side != side);
    }
}
