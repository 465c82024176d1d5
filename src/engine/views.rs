//! Views under dropout on their way: what was asked, and how far it has come.

use crate::protocol::readout::Lens;

/// Views are drawn of so many sentences at most.
const MOST_SENTENCES: usize = 64;

/// Views on their way.
#[derive(Debug)]
pub struct Views {
    pub texts: Vec<String>,
    pub lens: Lens,
    pub dropout: f32,
    pub same_mask: bool,
    pub seed: u64,
    pub work: Work,
}

/// How far they have come.
#[derive(Debug, Default)]
pub struct Work {
    pub ids: Vec<Vec<u32>>,
    /// First and second views' rows, as far as they have come, `[sentences, hidden]`.
    pub rows: [Vec<f32>; 2],
    /// Sentences of the view that is drawn now.
    pub done: usize,
    pub view: usize,
}

impl Views {
    pub fn new(
        mut texts: Vec<String>,
        lens: Lens,
        dropout: f32,
        same_mask: bool,
        seed: u64,
    ) -> Self {
        texts.truncate(MOST_SENTENCES);
        Self { texts, lens, dropout, same_mask, seed, work: Work::default() }
    }

    /// Forgets what was done, for a new model.
    pub fn restart(&mut self) {
        self.work = Work::default();
    }
}
