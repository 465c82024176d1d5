//! What the trainer says: about its model, to the fine-tune, to the lesson.

use crate::protocol::event::Event;
use crate::protocol::message::Message;
use crate::protocol::problem::Problem;
use crate::protocol::training::Rest;
use crate::state::app::State;
use crate::state::effect::Effect;
use crate::state::fine_tune;
use crate::state::fine_tune::run::Phase;
use crate::state::lesson;
use crate::state::trainer::{Stage, life};

/// Takes what the trainer says.
pub(in crate::state) fn take_event(
    state: &mut State,
    message: Message<Event>,
    now_ms: f64,
) -> Vec<Effect> {
    let is_about_model = match &state.trainer.stage {
        Stage::Opening(loading) => message.head.revision() == Some(loading.revision),
        Stage::Absent | Stage::Starting | Stage::Open { .. } => false,
    };
    let mut effects = match message.head {
        Event::Ready if state.trainer.stage == Stage::Starting => ready(state),
        head if is_about_model => take_model_event(state, head, now_ms),
        Event::Views { .. } => lesson::update::take_event(state, message),
        Event::Failed { revision: Some(revision), ref problem }
            if lesson::update::take_failure(state, revision, problem) =>
        {
            Vec::new()
        }
        _ => fine_tune::events::take_trainer_event(state, message),
    };
    effects.extend(go_on(state));
    effects
}

/// The trainer is gone: its program could not be fetched, it ran out of memory, or a bug.
pub(in crate::state) fn died(state: &mut State, message: String) -> Vec<Effect> {
    let was_starting = state.trainer.stage == Stage::Starting;
    let (phase, problem) = if was_starting {
        let problem = Problem::Program { detail: message };
        (Phase::Failed(problem.clone()), problem)
    } else {
        (Phase::Died { message: message.clone() }, Problem::Internal { detail: message })
    };
    let mut effects = lost(state, phase, problem, was_starting);
    effects.extend(go_on(state));
    effects
}

fn take_model_event(state: &mut State, event: Event, now_ms: f64) -> Vec<Effect> {
    match event {
        Event::Loading { stage, done_bytes, total_bytes, .. } => {
            if let Stage::Opening(loading) = &mut state.trainer.stage {
                loading.advance(stage, done_bytes, total_bytes, now_ms);
            }
            Vec::new()
        }
        Event::Opened { model, .. } => {
            state.trainer.stage = Stage::Open { sha256: model.sha256 };
            fine_tune::training::train(state)
        }
        Event::Failed { problem, .. } => lost(state, Phase::Failed(problem.clone()), problem, true),
        Event::LoadingStopped { .. } | Event::Cancelled { .. } => {
            fine_tune::events::over(state, Phase::Over(Rest::Stopped))
        }
        _ => Vec::new(),
    }
}

fn ready(state: &mut State) -> Vec<Effect> {
    if let Some(run) = state.fine_tune.run.as_mut().filter(|run| run.phase == Phase::Starting) {
        run.phase = Phase::Loading;
    }
    life::open(state)
}

/// It has ended or is of no use: its fine-tune is over, and views are not asked for again where that
/// `is_final`.
fn lost(state: &mut State, phase: Phase, problem: Problem, is_final: bool) -> Vec<Effect> {
    let was_drawing = state.lesson.is_drawing();
    let effects = match state.fine_tune.live_run() {
        Some(_) => fine_tune::events::over(state, phase),
        None => vec![life::end(state)],
    };
    if was_drawing {
        state.lesson.draw_lost(problem, is_final);
    }
    effects
}

/// What follows from it: the lesson's fine-tune may be over, views may be missing, or nothing is
/// left to do.
fn go_on(state: &mut State) -> Vec<Effect> {
    let mut effects = lesson::update::note_run(state);
    effects.extend(lesson::update::ask(state));
    effects.extend(life::rest(state));
    effects
}
