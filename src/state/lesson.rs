//! The guided lesson: where the reader is, the reader's sentences, the figures' data.

use crate::protocol::event::Event;
use crate::protocol::message::Message;
use crate::state::app::State;
use crate::state::effect::Effect;

/// What the lesson shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lesson {
    /// The step the reader is at, from 0.
    pub step: usize,
}

/// What happens in the lesson.
#[derive(Debug, Clone, PartialEq)]
pub enum LessonAction {
    /// The reader scrolled to that step.
    StepReached(usize),
}

/// Applies what happened.
pub(super) fn update(state: &mut State, action: LessonAction) -> Vec<Effect> {
    match action {
        LessonAction::StepReached(step) => {
            state.lesson.step = step;
            Vec::new()
        }
    }
}

/// Takes the worker's answers to the lesson's questions.
pub(super) fn take_event(_state: &mut State, _message: Message<Event>) -> Vec<Effect> {
    Vec::new()
}
