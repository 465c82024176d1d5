//! The guided lesson: where the reader is, the reader's sentence, the figures' data.

pub mod contrast;
pub mod experiment;
pub mod update;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use crate::catalogue::lesson_sentences::{BATCH, SENTENCES};
use crate::protocol::Revision;
use crate::protocol::problem::Problem;
use crate::protocol::training::Shape;
use crate::state::lesson::experiment::{Length, Outcome, Variant};

/// The lesson's steps.
pub const STEPS: usize = 9;
/// Sentences of the small batch that one can look into: the reader's own and the bundled ones.
pub const SIDE: usize = BATCH.len() + 1;
/// The highest dropout that can be chosen.
pub const MOST_DROPOUT: f32 = 0.5;
/// The sentence that is there before the reader types one.
pub const FIRST_SENTENCE: &str = "A cat is sleeping in a cardboard box.";

/// A cloud of the lesson's sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cloud {
    Before,
    After,
    Whitened,
}

impl Cloud {
    pub const ALL: [Self; 3] = [Self::Before, Self::After, Self::Whitened];

    fn slot(self) -> u8 {
        match self {
            Self::Before => 0,
            Self::After => 1,
            Self::Whitened => 2,
        }
    }

    fn of_slot(slot: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|cloud| cloud.slot() == slot)
    }
}

/// What a cloud was measured of: it is measured again when any of this changes.
#[derive(Debug, Clone, PartialEq)]
struct Of {
    model: String,
    /// Hash and blend.
    adapter: Option<(String, f32)>,
    own: String,
}

/// A measured cloud.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Its sphere is turned so that every sentence lies near its place before.
    pub shape: Shape,
    /// Cosine of each sentence with the reader's own, which is the last.
    pub with_own: Vec<f32>,
    of: Of,
    /// The sphere as it came.
    sphere: Vec<f32>,
}

/// What is known of a cloud.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Figure {
    pub measured: Option<Measured>,
    /// Why there is no answer; the same question is not asked again.
    failed: Option<(Problem, Of)>,
    asked: Option<(Revision, Of)>,
}

impl Figure {
    /// Why there is no answer.
    pub fn problem(&self) -> Option<&Problem> {
        self.failed.as_ref().map(|(problem, _)| problem)
    }

    /// Whether an answer is on its way.
    pub fn is_waiting(&self) -> bool {
        self.asked.is_some()
    }
}

/// Two views of the small batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Draw {
    pub dropout: f32,
    pub seed: u64,
    /// `[SIDE, SIDE]`, first views by second views; the reader's sentence is the first.
    pub cosines: Vec<f32>,
}

/// Views that are wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Wish {
    dropout: f32,
    seed: u64,
}

/// What the lesson shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// The step the reader is at, from 0.
    pub step: usize,
    /// The reader's sentence.
    pub own: String,
    pub(super) typed_count: u32,
    figures: [Figure; 3],
    /// p of the views that are shown.
    pub dropout: f32,
    /// tau of the loss that is looked into.
    pub temperature: f32,
    /// Row of the matrix that is looked into.
    pub row: usize,
    /// Subject whose sentences are ringed.
    pub subject: Option<usize>,
    pub draws: Vec<Draw>,
    pub draw_problem: Option<Problem>,
    drawn_of: Option<Of>,
    drawing: Option<(Revision, Wish)>,
    /// Views are wanted of a trainer that is not ready.
    awaits_trainer: bool,
    /// Trainers that died over the views that are wanted next.
    losses: u8,
    wishes: VecDeque<Wish>,
    next_seed: u64,
    /// The lesson's own fine-tune that runs.
    pub running: Option<(Variant, Length)>,
    /// The short ones that are done, one a variant.
    pub outcomes: Vec<Outcome>,
}

impl Default for Lesson {
    fn default() -> Self {
        Self {
            step: 0,
            own: FIRST_SENTENCE.to_owned(),
            typed_count: 0,
            figures: Default::default(),
            dropout: 0.1,
            temperature: 0.05,
            // One of the two that are each other's rival.
            row: 3,
            subject: None,
            draws: Vec::new(),
            draw_problem: None,
            drawn_of: None,
            drawing: None,
            awaits_trainer: false,
            losses: 0,
            wishes: VecDeque::new(),
            next_seed: 1,
            running: None,
            outcomes: Vec::new(),
        }
    }
}

impl Lesson {
    /// What is known of a cloud.
    pub fn figure(&self, cloud: Cloud) -> &Figure {
        &self.figures[usize::from(cloud.slot())]
    }

    /// A cloud, once it is measured.
    pub fn measured(&self, cloud: Cloud) -> Option<&Measured> {
        self.figure(cloud).measured.as_ref()
    }

    /// The latest draw at the chosen dropout.
    pub fn draw(&self) -> Option<&Draw> {
        self.draws.iter().rev().find(|draw| same_rate(draw.dropout, self.dropout))
    }

    /// Whether views are on their way.
    pub fn is_drawing(&self) -> bool {
        self.drawing.is_some() || self.awaits_trainer
    }

    /// The small batch: the reader's sentence, then the bundled ones.
    pub fn batch(&self) -> Vec<String> {
        let bundled = BATCH.iter().filter_map(|place| SENTENCES.get(*place));
        std::iter::once(self.own.clone()).chain(bundled.map(|&text| text.to_owned())).collect()
    }

    /// What was asked is lost with the worker that was asked.
    pub(super) fn forget_questions(&mut self) {
        self.figures.iter_mut().for_each(|figure| figure.asked = None);
    }

    /// The views on their way are lost with the trainer; they are wanted as before.
    pub(super) fn forget_draw(&mut self) {
        if let Some((_, wish)) = self.drawing.take() {
            self.wishes.push_front(wish);
        }
    }

    /// The trainer died over the views, or never came. They are asked for once more, where that is
    /// not final.
    pub(super) fn draw_lost(&mut self, problem: Problem, is_final: bool) {
        self.losses += 1;
        if is_final || self.losses > 1 {
            self.draw_problem = Some(problem);
        }
    }

    /// Forgets what went wrong with views, for it may go well now.
    pub(super) fn try_drawing_again(&mut self) {
        self.draw_problem = None;
        self.losses = 0;
    }

    fn figure_mut(&mut self, cloud: Cloud) -> &mut Figure {
        &mut self.figures[usize::from(cloud.slot())]
    }
}

/// What happens in the lesson.
#[derive(Debug, Clone, PartialEq)]
pub enum LessonAction {
    /// The reader scrolled to that step.
    StepReached(usize),
    OwnTyped(String),
    /// The pause after typing is over; the number tells whether typing went on.
    OwnSettled(u32),
    DropoutChosen(f32),
    /// Other masks at the same rate.
    DrawnAgain,
    TemperatureChosen(f32),
    RowChosen(usize),
    SubjectChosen(Option<usize>),
    /// A fine-tune of the lesson.
    Trained(Variant, Length),
}

/// Rates are chosen in hundredths.
fn same_rate(a: f32, b: f32) -> bool {
    (a - b).abs() < 0.004
}
