//! The fine-tune view: sentences, recipe, the trainer's life, what was measured, checkpoints.

use crate::protocol::event::Event;
use crate::protocol::message::Message;
use crate::state::app::State;
use crate::state::effect::Effect;

/// What the fine-tune view shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FineTune {
    /// The sentences as typed, pasted or dropped.
    pub text: String,
}

/// What happens in the fine-tune view.
#[derive(Debug, Clone, PartialEq)]
pub enum FineTuneAction {
    Typed(String),
}

/// Applies what happened.
pub(super) fn update(state: &mut State, action: FineTuneAction, _now_ms: f64) -> Vec<Effect> {
    match action {
        FineTuneAction::Typed(text) => {
            state.fine_tune.text = text;
            Vec::new()
        }
    }
}

/// Takes what the trainer's worker says.
pub(super) fn take_trainer_event(
    _state: &mut State,
    _message: Message<Event>,
    _now_ms: f64,
) -> Vec<Effect> {
    Vec::new()
}

/// The trainer's worker is gone.
pub(super) fn trainer_died(_state: &mut State, _message: String) -> Vec<Effect> {
    Vec::new()
}
