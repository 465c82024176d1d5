//! The trainer's life: started, given the page's model, ended.

use crate::protocol::message::Message;
use crate::protocol::request::{ModelSource, Request};
use crate::state::action::Action;
use crate::state::app::{State, Wanted};
use crate::state::effect::Effect;
use crate::state::loading::Loading;
use crate::state::trainer::Stage;

/// It is kept for so long without work: a slider that is moved again finds it there.
const KEEP_MS: u32 = 120_000;

/// Starts a new trainer; what the one before was asked is lost.
pub(in crate::state) fn start(state: &mut State) -> Effect {
    change(state, Stage::Starting);
    Effect::StartTrainer
}

/// Ends the trainer and gives its memory back.
pub(in crate::state) fn end(state: &mut State) -> Effect {
    change(state, Stage::Absent);
    Effect::EndTrainer
}

fn change(state: &mut State, stage: Stage) {
    state.trainer.stage = stage;
    state.trainer.is_resting = false;
    state.lesson.forget_draw();
}

/// Asks it for the model that the page uses.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    let revision = state.revision();
    let (name, size_bytes, effect) = match state.wanted.clone() {
        Wanted::Picked { name, size_bytes } => {
            (name.clone(), size_bytes, Effect::SendTrainerPickedModel { revision, name })
        }
        Wanted::Kept { name, sha256, size_bytes } => {
            let source = ModelSource::Kept { name: name.clone(), sha256, size_bytes };
            let request = Request::Open { revision, source };
            (name, size_bytes, Effect::SendTrainer(Message::plain(request)))
        }
        // On their way, or the browser keeps nothing: then only the page's worker has them.
        Wanted::Pulled { .. } | Wanted::Files { .. } => return Vec::new(),
        Wanted::Default => {
            let Some(model) = state.hosted.first() else { return Vec::new() };
            let request = Request::Open { revision, source: model.source() };
            let effect = Effect::SendTrainer(Message::plain(request));
            (model.name.clone(), model.size_bytes, effect)
        }
    };
    state.trainer.stage = Stage::Opening(Loading::new(revision, name, size_bytes));
    vec![effect]
}

/// A request to the trainer that has the model.
pub(in crate::state) fn ask(state: &mut State, message: Message<Request>) -> Effect {
    state.trainer.is_resting = false;
    Effect::SendTrainer(message)
}

/// Sees to it that a trainer without work ends after a while.
pub(super) fn rest(state: &mut State) -> Option<Effect> {
    let is_open = matches!(state.trainer.stage, Stage::Open { .. });
    if !is_open || state.trainer.is_resting || is_needed(state) {
        return None;
    }
    state.trainer.is_resting = true;
    state.trainer.rests += 1;
    let action = Action::TrainerRested(state.trainer.rests);
    Some(Effect::After { pause_ms: KEEP_MS, action })
}

/// The pause of that number is over.
pub(in crate::state) fn rested(state: &mut State, count: u32) -> Vec<Effect> {
    let is_due = state.trainer.is_resting && state.trainer.rests == count;
    if is_due { vec![end(state)] } else { Vec::new() }
}

/// The page has that model now: a trainer with another one is of no use, but to its fine-tune.
pub(in crate::state) fn model_opened(state: &mut State, sha256: &str) -> Option<Effect> {
    let is_idle = state.trainer.stage == Stage::Absent || state.trainer.has(sha256);
    (!is_idle && state.fine_tune.live_run().is_none()).then(|| end(state))
}

fn is_needed(state: &State) -> bool {
    state.fine_tune.live_run().is_some() || state.lesson.is_drawing()
}
