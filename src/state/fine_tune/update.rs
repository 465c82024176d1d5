//! What the visitor does in the fine-tune view, applied to the state.

use crate::protocol::request::Request;
use crate::protocol::training::Order;
use crate::state::action::Action;
use crate::state::adapters;
use crate::state::adapters::{AdapterAction, Choice};
use crate::state::app::State;
use crate::state::effect::Effect;
use crate::state::fine_tune::material::Material;
use crate::state::fine_tune::training::{start, steer, stop, use_chosen};
use crate::state::fine_tune::{Fetch, FineTune, FineTuneAction, Half, Source};
use crate::text::lists::ListError;

/// Pause between the last keystroke and reading the text.
const SETTLE_MS: u32 = 350;
/// Most pairs to follow.
const MOST_PINS: usize = 8;

/// Applies what the visitor did.
pub(in crate::state) fn update(state: &mut State, action: FineTuneAction) -> Vec<Effect> {
    let fine_tune = &mut state.fine_tune;
    match action {
        FineTuneAction::Typed(text) => return typed(fine_tune, text),
        FineTuneAction::Settled(count) => {
            if count == fine_tune.typed_count {
                settle(fine_tune);
            }
        }
        FineTuneAction::FileRead { name, text } => take_file(fine_tune, name, text),
        FineTuneAction::BundledChosen => replace(fine_tune, Source::default()),
        FineTuneAction::TextUndone => undo(fine_tune),
        FineTuneAction::FieldTyped(field, text) => fine_tune.draft.write(field, &text),
        FineTuneAction::FieldReset(field) => fine_tune.draft.reset(field),
        FineTuneAction::PresetChosen(preset) => fine_tune.draft.choose(preset),
        FineTuneAction::PinTyped { place, half, text } => {
            if let Some((first, second)) = fine_tune.pins.get_mut(place) {
                *(if half == Half::First { first } else { second }) = text;
            }
        }
        FineTuneAction::PinAdded => {
            if fine_tune.pins.len() < MOST_PINS {
                fine_tune.pins.push(Default::default());
            }
        }
        FineTuneAction::PinRemoved(place) => {
            if place < fine_tune.pins.len() {
                fine_tune.pins.remove(place);
            }
        }
        FineTuneAction::ProbeChosen(choice) => fine_tune.probe = Some(choice),
        FineTuneAction::OwnScoresChosen(own) => fine_tune.own_scores = own,
        FineTuneAction::UseLiveChosen(live) => fine_tune.use_live = live,
        FineTuneAction::KeptFetched(what) => return fetch(state, what),
        FineTuneAction::KeptUsed => return use_kept(state),
        FineTuneAction::KeptForgotten => return forget(state),
        FineTuneAction::RunsSwapped => {
            if fine_tune.live_run().is_none()
                && let Some(previous) = fine_tune.previous.take()
            {
                fine_tune.previous = fine_tune.run.replace(*previous).map(Box::new);
            }
        }
        order => return steered(state, order),
    }
    Vec::new()
}

/// What concerns a fine-tune that runs, or has run.
fn steered(state: &mut State, action: FineTuneAction) -> Vec<Effect> {
    if matches!(action, FineTuneAction::Started | FineTuneAction::TrainedFurther) {
        settle_to_start(&mut state.fine_tune);
    }
    match action {
        FineTuneAction::Started if state.fine_tune.can_start() => {
            let recipe = state.fine_tune.draft.recipe.clone();
            start(state, recipe, None)
        }
        FineTuneAction::TrainedFurther if state.fine_tune.can_start() => {
            let chosen = state.fine_tune.run.as_ref().and_then(|run| run.chosen_adapter());
            let recipe = state.fine_tune.draft.recipe.clone();
            chosen.map_or_else(Vec::new, |(_, bytes)| start(state, recipe, Some(bytes)))
        }
        FineTuneAction::Paused => steer(state, Order::Pause),
        FineTuneAction::Resumed => steer(state, Order::Resume),
        FineTuneAction::Stopped => stop(state),
        FineTuneAction::CheckpointChosen(step) => choose(state, step),
        FineTuneAction::Used => use_chosen(state),
        FineTuneAction::Exported => export(state),
        _ => Vec::new(),
    }
}

fn typed(fine_tune: &mut FineTune, text: String) -> Vec<Effect> {
    fine_tune.source.text = text;
    fine_tune.typed_count += 1;
    fine_tune.is_edited = true;
    let action = Action::FineTune(FineTuneAction::Settled(fine_tune.typed_count));
    vec![Effect::After { pause_ms: SETTLE_MS, action }]
}

/// Reads what was typed and not read yet: who presses "Train" means the text that is there to see,
/// and the recipe that goes with it.
fn settle(fine_tune: &mut FineTune) {
    if fine_tune.read_count != fine_tune.typed_count {
        read(fine_tune);
    }
}

/// As [`settle`]; the fine-tune that begins now learns from what is shown.
pub(super) fn settle_to_start(fine_tune: &mut FineTune) {
    settle(fine_tune);
    fine_tune.is_edited &= fine_tune.live_run().is_some();
}

fn read(fine_tune: &mut FineTune) {
    fine_tune.read_count = fine_tune.typed_count;
    if fine_tune.source.text.trim().is_empty() {
        fine_tune.source.name = None;
    }
    let name = fine_tune.source.name.as_deref();
    match Material::read(&fine_tune.source.text, name) {
        Ok(material) => {
            fine_tune.trouble = None;
            fine_tune.draft.adapt(material.examples.len());
            fine_tune.material = material;
        }
        Err(error) => {
            // An older reading would be taken for this text's.
            fine_tune.material = Material::default();
            fine_tune.trouble = Some((fine_tune.source.name.clone().unwrap_or_default(), error));
        }
    }
}

fn replace(fine_tune: &mut FineTune, source: Source) {
    if source == fine_tune.source {
        return;
    }
    fine_tune.remember();
    fine_tune.source = source;
    fine_tune.typed_count += 1;
    fine_tune.is_edited = true;
    read(fine_tune);
}

/// What was there stays where the file is bad.
fn take_file(fine_tune: &mut FineTune, name: String, text: Result<String, ListError>) {
    let readable = text.and_then(|text| Material::read(&text, Some(&name)).map(|_| text));
    match readable {
        Ok(text) => replace(fine_tune, Source { text, name: Some(name) }),
        Err(error) => fine_tune.trouble = Some((name, error)),
    }
}

fn undo(fine_tune: &mut FineTune) {
    if let Some(source) = fine_tune.undo.pop() {
        fine_tune.source = source;
        fine_tune.typed_count += 1;
        fine_tune.is_edited = true;
        read(fine_tune);
    }
}

/// While it trains the model goes back to that checkpoint; afterwards it is what "use" means.
fn choose(state: &mut State, step: u32) -> Vec<Effect> {
    let Some(run) = &mut state.fine_tune.run else { return Vec::new() };
    if run.checkpoint(step).is_none() {
        return Vec::new();
    }
    if run.phase.is_live() {
        return steer(state, Order::Restore { step });
    }
    run.chosen = Some(step);
    Vec::new()
}

fn export(state: &State) -> Vec<Effect> {
    let chosen = state.fine_tune.run.as_ref().and_then(|run| run.chosen_adapter());
    chosen
        .map(|(step, bytes)| Effect::DownloadBytes {
            name: format!("simcse-adapter-step{step}.gguf"),
            bytes,
        })
        .into_iter()
        .collect()
}

/// Asks the store for what an earlier visit trained.
fn fetch(state: &mut State, what: Fetch) -> Vec<Effect> {
    let Some(kept) = state.fine_tune.kept.clone().filter(|_| state.can_compute()) else {
        return Vec::new();
    };
    settle(&mut state.fine_tune);
    if what == Fetch::GoOn && !state.fine_tune.can_go_on() {
        return Vec::new();
    }
    let revision = state.revision();
    state.fine_tune.fetching = Some((revision, what));
    vec![Effect::ask(Request::ReadAdapter { revision, sha256: kept.sha256 })]
}

/// It becomes one of the visitor's adapters, and the one in use.
fn use_kept(state: &mut State) -> Vec<Effect> {
    let Some(kept) = state.fine_tune.kept.take() else { return Vec::new() };
    let choice = Choice::Kept { sha256: kept.sha256 };
    adapters::update::update(state, AdapterAction::Chosen(choice))
}

fn forget(state: &mut State) -> Vec<Effect> {
    let Some(kept) = state.fine_tune.kept.take() else { return Vec::new() };
    let revision = state.revision();
    let request = Request::ForgetAdapter { revision, sha256: kept.sha256 };
    vec![Effect::ask(request)]
}
