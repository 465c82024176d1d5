//! What the trainer says, and the main worker's answers to this view.

use std::sync::Arc;

use crate::protocol::Revision;
use crate::protocol::event::{Event, StoreOutcome};
use crate::protocol::message::{Bulk, Message, bytes_of};
use crate::protocol::problem::Problem;
use crate::protocol::request::Request;
use crate::protocol::training::{Measures, Rest, StepReport};
use crate::state::app::State;
use crate::state::effect::Effect;
use crate::state::fine_tune::run::{Phase, Run};
use crate::state::fine_tune::training::{hand_over, keep_latest, name_of, start};
use crate::state::fine_tune::update::settle_to_start;
use crate::state::fine_tune::{Fetch, FineTune};
use crate::state::notice::NoticeContent;
use crate::state::saved::Saved;
use crate::state::trainer::life;

/// Takes what the trainer says of the fine-tune.
pub(in crate::state) fn take_trainer_event(
    state: &mut State,
    message: Message<Event>,
) -> Vec<Effect> {
    let Some(run) = &mut state.fine_tune.run else { return Vec::new() };
    let is_current = message.head.revision().is_none_or(|revision| revision == run.revision);
    if !run.phase.is_live() || !is_current {
        return Vec::new();
    }
    match message.head {
        Event::TrainingBegan { outline, .. } => {
            run.outline = Some(outline);
            Vec::new()
        }
        Event::TrainingStep { report, .. } => {
            step_done(run, report);
            Vec::new()
        }
        Event::TrainingMeasured { measures, .. } => measured(state, *measures, message.bulk),
        Event::TrainingRests { step, rest, .. } => rests(state, step, rest),
        Event::Failed { problem, .. } => over(state, Phase::Failed(problem)),
        Event::Cancelled { .. } => over(state, Phase::Over(Rest::Stopped)),
        // How its store took the model is told by the main worker, and the rest is not for it.
        _ => Vec::new(),
    }
}

fn step_done(run: &mut Run, report: StepReport) {
    if run.phase == Phase::Preparing {
        run.phase = Phase::Running;
    }
    run.steps.retain(|step| step.step < report.step);
    run.at = report.step;
    run.steps.push(report);
}

fn measured(state: &mut State, measures: Measures, bulk: Vec<Bulk>) -> Vec<Effect> {
    let adapter = bytes_of(bulk).filter(|bytes| !bytes.is_empty()).map(Arc::<[u8]>::from);
    let Some(run) = &mut state.fine_tune.run else { return Vec::new() };
    if run.phase == Phase::Preparing {
        run.phase = Phase::Running;
    }
    let step = measures.step;
    run.measured(measures, adapter.clone());
    let Some(bytes) = adapter else { return Vec::new() };
    let name = name_of(run, step);
    let mut effects = keep_latest(state);
    if state.fine_tune.use_live {
        effects.extend(hand_over(state, step, &bytes, name));
    }
    effects
}

fn rests(state: &mut State, step: u32, rest: Rest) -> Vec<Effect> {
    let Some(run) = &mut state.fine_tune.run else { return Vec::new() };
    let before = std::mem::replace(&mut run.at, step);
    if rest == Rest::Paused {
        run.phase = match &run.phase {
            // A pause that was ordered before a stop, or already taken back, is no news.
            Phase::Stopping => Phase::Stopping,
            Phase::Restoring { step: to } if *to == step => Phase::Moved { back: step < before },
            _ => Phase::Paused,
        };
        return Vec::new();
    }
    over(state, Phase::Over(rest))
}

/// The trainer goes, the checkpoints stay; what was trained lies in the store once more, as finished.
pub(in crate::state) fn over(state: &mut State, phase: Phase) -> Vec<Effect> {
    let Some(run) = &mut state.fine_tune.run else { return Vec::new() };
    run.phase = phase;
    run.plan = None;
    run.begin_with = None;
    let mut effects = vec![life::end(state)];
    effects.extend(keep_latest(state));
    effects
}

/// The main worker is gone, and with it what it was asked; training does not notice.
pub(in crate::state) fn worker_died(fine_tune: &mut FineTune) {
    fine_tune.keeping = None;
    fine_tune.attaching = None;
    fine_tune.fetching = None;
    if let Some(run) = &mut fine_tune.run {
        run.used = None;
    }
}

/// Takes the main worker's answer to a request of this view.
///
/// # Errors
/// The message itself, where it is not for this view.
pub(in crate::state) fn take_answer(
    state: &mut State,
    message: Message<Event>,
) -> Result<Vec<Effect>, Message<Event>> {
    let handed_over = note_attached(&mut state.fine_tune, &message.head);
    if let (true, Event::Failed { problem, .. }) = (handed_over, &message.head) {
        state.notify(NoticeContent::Problem { problem: problem.clone(), name: None });
        return Ok(Vec::new());
    }
    if !state.fine_tune.awaits(message.head.revision()) {
        return Err(message);
    }
    Ok(match message.head {
        Event::AdapterKept { adapter, outcome, .. } => kept(state, adapter.sha256, outcome),
        Event::AdapterFile { revision, .. } => fetched(state, revision, message.bulk),
        Event::Failed { revision, problem } => not_kept(state, revision, problem),
        _ => Vec::new(),
    })
}

/// Notes which checkpoint the rest of the page works with; whether the event answers a handing over.
fn note_attached(fine_tune: &mut FineTune, event: &Event) -> bool {
    let answered = fine_tune.attaching.take_if(|(revision, _)| event.revision() == Some(*revision));
    let used = match event {
        Event::Attached { .. } => answered.map(|(_, step)| step),
        Event::Detached { .. } => None,
        _ => return answered.is_some(),
    };
    if let Some(run) = &mut fine_tune.run {
        run.used = used;
    }
    answered.is_some()
}

/// The rolling slot holds the new one; this run's before it goes. What other runs left stays on the
/// shelf.
fn kept(state: &mut State, sha256: String, outcome: StoreOutcome) -> Vec<Effect> {
    let Some((_, mut keep)) = state.fine_tune.keeping.take() else { return Vec::new() };
    state.fine_tune.keep_refused = outcome != StoreOutcome::Kept;
    if state.fine_tune.keep_refused {
        return Vec::new();
    }
    keep.sha256 = sha256;
    state.fine_tune.kept = Some(keep.clone());
    let run = state.fine_tune.run.as_mut();
    let older = run.and_then(|run| run.slot.replace(keep.sha256.clone()));
    let mut effects = Vec::new();
    let attached = state.adapters.attached.as_ref().map(|adapter| &adapter.sha256);
    let stale = older.filter(|older| *older != keep.sha256 && Some(older) != attached);
    if let Some(sha256) = stale {
        let revision = state.revision();
        let request = Request::ForgetAdapter { revision, sha256 };
        effects.push(Effect::ask(request));
    }
    effects.push(Effect::Save(Saved::of(state).to_json()));
    effects
}

fn fetched(state: &mut State, revision: Revision, bulk: Vec<Bulk>) -> Vec<Effect> {
    let Some((_, what)) = state.fine_tune.fetching.take_if(|asked| asked.0 == revision) else {
        return Vec::new();
    };
    let bytes = bytes_of(bulk).map(Arc::<[u8]>::from);
    let (Some(bytes), Some(keep)) = (bytes, state.fine_tune.kept.clone()) else {
        return Vec::new();
    };
    match what {
        Fetch::GoOn => {
            settle_to_start(&mut state.fine_tune);
            start(state, keep.rest(), Some(bytes))
        }
        Fetch::Export => {
            let name = format!("simcse-adapter-step{}.gguf", keep.step);
            vec![Effect::DownloadBytes { name, bytes }]
        }
    }
}

/// The store's copy could not be written or read: the visitor is told, training goes on.
fn not_kept(state: &mut State, revision: Option<Revision>, problem: Problem) -> Vec<Effect> {
    if state.fine_tune.keeping.take_if(|asked| Some(asked.0) == revision).is_some() {
        state.fine_tune.keep_refused = true;
        return Vec::new();
    }
    state.fine_tune.fetching = None;
    state.fine_tune.kept = None;
    state.notify(NoticeContent::Problem { problem, name: None });
    vec![Effect::Save(Saved::of(state).to_json())]
}
