//! What the worker says, applied to the state. Answers to questions that were superseded are
//! dropped by their revision.

use crate::protocol::Revision;
use crate::protocol::event::{Event, LoadingStage, ModelSummary, StoreOutcome};
use crate::protocol::message::{Message, numbers_of};
use crate::protocol::problem::Problem;
use crate::state::adapters;
use crate::state::adapters::attach::attach_wanted;
use crate::state::app::{State, Wanted, Worker};
use crate::state::ask::{ask_all, ask_list, open_wanted};
use crate::state::compare::{
    Baseline, GroupResult, ListResult, ListTrouble, PairResult, PairSlot, PairsResult,
};
use crate::state::effect::Effect;
use crate::state::figures::ask_figures;
use crate::state::fine_tune;
use crate::state::geometry;
use crate::state::gpu::events as gpu;
use crate::state::lesson;
use crate::state::loading::Interrupted;
use crate::state::notice::NoticeContent;
use crate::state::route::View;
use crate::state::search;
use crate::state::shelf;
use crate::state::trainer;
use crate::text::lists::Content;

/// After this many deaths within a minute the page stops restarting by itself.
const MOST_DEATHS: usize = 4;
const DEATHS_WINDOW_MS: f64 = 60_000.0;

/// Takes one event of the worker.
pub(super) fn take_event(state: &mut State, message: Message<Event>, now_ms: f64) -> Vec<Effect> {
    let message = match fine_tune::events::take_answer(state, message) {
        Ok(effects) => return effects,
        Err(message) => message,
    };
    match message.head {
        Event::AdapterFile { revision, .. } if state.geometry.awaits_adapter(revision) => {
            return geometry::session::take_adapter(state, message.bulk);
        }
        Event::Attached { .. }
        | Event::Blended { .. }
        | Event::Detached { .. }
        | Event::AdapterKept { .. }
        | Event::Shelf { .. }
        | Event::AdapterFile { .. } => {
            state.search.outdate_fits();
            let mut effects = adapters::events::take_event(state, message);
            effects.extend(ask_figures(state));
            return effects;
        }
        Event::Layers { .. } => {
            geometry::layers_update::take_event(state, message.head);
            return Vec::new();
        }
        Event::Survey { .. } => {
            let mut effects = geometry::update::take_event(state, message.head.clone());
            effects.extend(lesson::update::take_event(state, message));
            // A map is made of what was measured.
            effects.extend(geometry::update::ask(state));
            return effects;
        }
        Event::Mapping { .. }
        | Event::Mapped { .. }
        | Event::Near { .. }
        | Event::Compared { .. }
        | Event::Clustered { .. } => {
            geometry::map::events::take_event(state, message);
            return geometry::update::ask(state);
        }
        _ => {}
    }
    let numbers = numbers_of(message.bulk).unwrap_or_default();
    match message.head {
        Event::Ready => {
            state.worker = Worker::Ready;
            let mut effects = open_wanted(state);
            effects.extend(geometry::session::import(state));
            effects.extend(search::ask::ask(state));
            if state.view == View::Models {
                effects.extend(shelf::update::list(state));
            }
            if state.view == View::Models || state.adapters.choice.is_own() {
                effects.extend(adapters::update::list_shelf(state));
            }
            return effects;
        }
        Event::Opened { revision, model } => return opened(state, revision, *model),
        Event::Failed { revision, problem } => return failed(state, revision, problem),
        Event::Stored { sha256, outcome } => {
            stored(state, outcome);
            return shelf::update::stored(state, &sha256, outcome);
        }
        Event::Models { revision, models, used_bytes, quota_bytes } => {
            shelf::update::take_list(state, revision, models, (used_bytes, quota_bytes));
        }
        Event::Loading { revision, stage, done_bytes, total_bytes } => {
            if let Some(loading) = state.loading.as_mut().filter(|l| l.revision == revision) {
                loading.advance(stage, done_bytes, total_bytes, now_ms);
                if stage == LoadingStage::ReadingStore && done_bytes > 0 {
                    state.store = Some(StoreOutcome::Kept);
                }
            }
        }
        Event::LoadingStopped { revision, done_bytes, total_bytes } => {
            if state.loading.take_if(|loading| loading.revision == revision).is_some() {
                state.interrupted = Some(Interrupted { done_bytes, total_bytes, problem: None });
            }
        }
        Event::Progress { revision, done, total, elapsed_ms } => {
            if let Some(job) = state.compare.job.as_mut().filter(|job| job.revision == revision) {
                (job.done, job.total, job.elapsed_ms) = (done, total, elapsed_ms);
            }
            geometry::update::take_progress(state, revision, (done, total), elapsed_ms);
        }
        Event::Cancelled { revision } => {
            state.compare.job.take_if(|job| job.revision == revision);
            state.compare.baselines_pending.retain(|asked| asked.0 != revision);
            geometry::map::events::take_cancelled(state, revision);
            search::events::take_cancelled(&mut state.search, revision);
            return search::ask::ask(state);
        }
        Event::Vectors { revision, dimensions } => {
            return geometry::export::take_vectors(state, revision, dimensions, numbers);
        }
        Event::Search { revision, answer } => {
            return search::events::take(state, revision, answer, numbers);
        }
        Event::Gpu { state: news } => return gpu::take(state, news),
        Event::Workers { computing, .. } => state.computing_workers = computing,
        // The panic's words; the worker's death follows as an event of its own.
        Event::Panicked { .. }
        | Event::Embedded { .. }
        // Said by a worker to a worker.
        | Event::Portion { .. }
        | Event::Examined { .. }
        // Said by the program that makes models.
        | Event::Pulled { .. }
        // Taken above.
        | Event::Attached { .. }
        | Event::Blended { .. }
        | Event::Detached { .. }
        | Event::AdapterKept { .. }
        | Event::Shelf { .. }
        | Event::AdapterFile { .. }
        | Event::Survey { .. }
        | Event::Mapping { .. }
        | Event::Mapped { .. }
        | Event::Near { .. }
        | Event::Compared { .. }
        | Event::Clustered { .. }
        | Event::Layers { .. }
        // Said by the trainer's worker alone.
        | Event::Views { .. }
        | Event::TrainingBegan { .. }
        | Event::TrainingStep { .. }
        | Event::TrainingMeasured { .. }
        | Event::TrainingRests { .. } => {}
        answer @ Event::Pair { .. } => pair_answer(state, answer, numbers),
        answer @ Event::Baseline { .. } => {
            pair_answer(state, answer, numbers);
            return gpu::look(state);
        }
        answer @ (Event::Group { .. } | Event::GroupWindow { .. } | Event::Pairs { .. }) => {
            list_answer(state, answer, numbers);
        }
    }
    Vec::new()
}

fn pair_answer(state: &mut State, answer: Event, grid: Vec<f32>) {
    let lens = state.lens();
    let compare = &mut state.compare;
    match answer {
        Event::Pair { revision, cosine, first, second, latency_ms } => {
            let Some(slot) = compare.slot_waiting_for(revision) else { return };
            let pair = Some(PairResult { cosine, first, second, grid, latency_ms });
            *slot = PairSlot { pending: None, pair, problem: None, ..*slot };
        }
        Event::Baseline { revision, mean, low, high, pair_count, .. } => {
            let mut asked = compare.baselines_pending.extract_if(.., |asked| asked.0 == revision);
            let Some((_, of)) = asked.next() else { return };
            drop(asked);
            let baseline = Baseline { lens: of, mean, low, high, pair_count };
            compare.baselines.push(baseline);
            if lens == Some(of) {
                compare.baseline = Some(baseline);
            }
        }
        _ => {}
    }
}

fn list_answer(state: &mut State, answer: Event, cosines: Vec<f32>) {
    let shown = state.lens();
    let compare = &mut state.compare;
    match answer {
        Event::GroupWindow { revision, window } => {
            let wanted = compare.window_pending.take_if(|asked| *asked == revision).is_some();
            if let (true, Some(ListResult::Group(group))) = (wanted, &mut compare.result) {
                group.window = window;
                group.cosines = cosines;
            }
        }
        Event::Group {
            revision,
            truncated,
            nearest,
            pair_count,
            mean_cosine,
            window,
            latency_ms,
            ..
        } => {
            let done = compare.job.take_if(|job| job.revision == revision);
            if let (Some(job), Content::Sentences(sentences)) = (done, &compare.reading.content) {
                let sentences = sentences.clone();
                let result = ListResult::Group(GroupResult {
                    revision,
                    sentences,
                    truncated,
                    nearest,
                    pair_count,
                    mean_cosine,
                    window,
                    cosines,
                    latency_ms,
                });
                compare.take_result(job.lens, result, shown);
            }
        }
        Event::Pairs { revision, truncated, agreement, latency_ms } => {
            let done = compare.job.take_if(|job| job.revision == revision);
            if let (Some(job), Content::Pairs { pairs, gold }) = (done, &compare.reading.content) {
                let (pairs, gold) = (pairs.clone(), gold.clone());
                let result = ListResult::Pairs(PairsResult {
                    pairs,
                    gold,
                    cosines,
                    truncated,
                    agreement,
                    latency_ms,
                });
                compare.take_result(job.lens, result, shown);
            }
        }
        _ => {}
    }
}

fn opened(state: &mut State, revision: Revision, model: ModelSummary) -> Vec<Effect> {
    // Where the visitor asked for another model since, this one is in use until that one is here:
    // the worker computes with it whatever the page thinks.
    if state.loading.take_if(|loading| loading.revision == revision).is_some() {
        state.interrupted = None;
    }
    // A layer that the new model lacks would make every request fail.
    state.compare.layer = state.compare.layer.filter(|layer| *layer <= model.layers);
    state.notices.retain(|notice| !matches!(notice.content, NoticeContent::Problem { .. }));
    let mut effects: Vec<Effect> =
        trainer::life::model_opened(state, &model.sha256).into_iter().collect();
    effects.extend(shelf::update::opened(state));
    state.model = Some(model);
    state.compare.forget_sides();
    state.search.outdate_fits();
    effects.extend(attach_wanted(state));
    state.settle_side();
    effects.extend(ask_all(state));
    effects.extend(ask_figures(state));
    effects
}

fn stored(state: &mut State, outcome: StoreOutcome) {
    state.store = Some(outcome);
}

fn failed(state: &mut State, revision: Option<Revision>, problem: Problem) -> Vec<Effect> {
    if state.loading.as_ref().is_some_and(|loading| Some(loading.revision) == revision) {
        let was_kept = matches!(state.wanted, Wanted::Kept { .. });
        loading_failed(state, problem);
        if was_kept && state.model.is_none() {
            // What the browser lost is said; the page's own model can be had all the same.
            return open_wanted(state);
        }
        return ask_figures(state);
    }
    let Some(revision) = revision else {
        state.notify(NoticeContent::Problem { problem, name: None });
        return Vec::new();
    };
    if lesson::update::take_failure(state, revision, &problem) {
        return Vec::new();
    }
    if geometry::update::take_failure(state, revision, &problem)
        || geometry::map::events::take_failure(state, revision, &problem)
    {
        return geometry::update::ask(state);
    }
    if let Some(effects) = search::events::take_failure(state, revision, &problem) {
        return effects;
    }
    if let Some(effects) = adapters::events::take_failure(state, revision, &problem) {
        return effects;
    }
    let compare = &mut state.compare;
    if let Some(slot) = compare.slot_waiting_for(revision) {
        *slot = PairSlot { pending: None, pair: None, problem: Some(problem), ..*slot };
    } else if compare.job.take_if(|job| job.revision == revision).is_some() {
        compare.drop_result();
        compare.trouble = Some(ListTrouble::Worker(problem));
    } else if compare.window_pending.take_if(|asked| *asked == revision).is_some() {
        // The worker holds the group of the other side, or of another worker's life.
        if problem == Problem::NoWindow {
            return ask_list(state);
        }
    } else {
        compare.baselines_pending.retain(|asked| asked.0 != revision);
    }
    Vec::new()
}

/// The last good model stays; without one the page keeps the remedy in view.
pub(in crate::state) fn loading_failed(state: &mut State, problem: Problem) {
    let Some(loading) = state.loading.take() else { return };
    let was_picked = std::mem::take(&mut state.wanted) != Wanted::Default;
    if let Some(model) = state.model.as_ref().filter(|_| was_picked) {
        // The one in use stays wanted, where it is another than the page's own.
        let is_hosted = state.hosted.iter().any(|hosted| hosted.sha256 == model.sha256);
        let kept = state.shelf.kept.iter().any(|kept| kept.sha256 == model.sha256);
        if kept && !is_hosted {
            state.wanted = Wanted::kept(model);
        }
    }
    if was_picked || state.model.is_some() {
        state.notify(NoticeContent::Problem { problem: problem.clone(), name: Some(loading.name) });
    }
    if state.model.is_some() {
        return;
    }
    let (done_bytes, total_bytes) = match &problem {
        Problem::Network { done_bytes, total_bytes, .. } => (*done_bytes, *total_bytes),
        _ => (0, loading.total_bytes),
    };
    state.interrupted = Some(Interrupted { done_bytes, total_bytes, problem: Some(problem) });
}

/// The worker is gone: everything typed stays, what was asked is asked again of a new one.
pub(super) fn worker_died(state: &mut State, message: String, now_ms: f64) -> Vec<Effect> {
    if state.worker == Worker::Stopped {
        return Vec::new();
    }
    state.model = None;
    state.lesson.forget_questions();
    state.geometry.forget_questions();
    state.search.forget_questions();
    if state.is_pulling {
        // What makes the model lives on its own: it is asked again, and goes on where it was.
        state.loading = None;
    } else if state.loading.take().is_some() {
        // The picked file may be what killed the worker; trying it again would kill the next one.
        state.wanted = Wanted::Default;
    }
    adapters::events::worker_died(state);
    fine_tune::events::worker_died(&mut state.fine_tune);
    state.computing_workers = 1;
    gpu::forget(state);
    let compare = &mut state.compare;
    compare.shown.pending = None;
    compare.window_pending = None;
    if compare.job.take().is_some() {
        compare.crashes += 1;
        // A list that kills the worker twice would kill it for ever.
        if compare.crashes >= 2 {
            compare.trouble = Some(ListTrouble::Crashed);
        }
    }
    state.deaths_ms.retain(|at| now_ms - at < DEATHS_WINDOW_MS);
    state.deaths_ms.push(now_ms);
    if state.deaths_ms.len() >= MOST_DEATHS {
        state.worker = Worker::Stopped;
        let problem = Problem::Internal { detail: message };
        state.interrupted =
            Some(Interrupted { done_bytes: 0, total_bytes: 0, problem: Some(problem) });
        return Vec::new();
    }
    state.worker = Worker::Starting;
    state.notify(NoticeContent::WorkerRestarted { message });
    vec![Effect::RestartWorker]
}
