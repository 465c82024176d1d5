//! What happens in the geometry view, applied to the state; what is asked of the worker, and its
//! answers.

use crate::math::turn::{nearest_turn, turned};
use crate::protocol::Revision;
use crate::protocol::event::Event;
use crate::protocol::message::Message;
use crate::protocol::problem::Problem;
use crate::protocol::readout::Side;
use crate::protocol::request::Request;
use crate::state::action::Action;
use crate::state::app::State;
use crate::state::effect::Effect;
use crate::state::geometry::corpus::{Corpus, Source};
use crate::state::geometry::layers;
use crate::state::geometry::{
    Failure, Figure, Geometry, GeometryAction, Job, Look, Measured, Of, Plot,
};
use crate::state::route::View;
use crate::text::lists::ListError;

/// Pause between the last keystroke and asking.
const SETTLE_MS: u32 = 500;
/// Texts that can be gone back to.
const MOST_UNDO: usize = 20;

/// Applies what happened.
pub(in crate::state) fn update(state: &mut State, action: GeometryAction) -> Vec<Effect> {
    let geometry = &mut state.geometry;
    match action {
        GeometryAction::Typed(text) => {
            geometry.source.text = text;
            // What is typed over a file's text is no table any more.
            geometry.source.name = None;
            geometry.typed_count += 1;
            let action = Action::Geometry(GeometryAction::Settled(geometry.typed_count));
            return vec![Effect::After { pause_ms: SETTLE_MS, action }];
        }
        GeometryAction::Settled(count) if count != geometry.typed_count => return Vec::new(),
        GeometryAction::Settled(_) => {
            let source = geometry.source.clone();
            settle(geometry, source);
        }
        GeometryAction::FileRead { name, text } => take_file(geometry, name, text),
        GeometryAction::BundledChosen(bundled) => replace(geometry, bundled.source()),
        GeometryAction::TextUndone => {
            if let Some(source) = geometry.undo.pop() {
                settle(geometry, source);
            }
        }
        GeometryAction::LookChosen(plot, look) => geometry.looks[plot.place()] = look,
        GeometryAction::Swapped => {
            geometry.looks.swap(0, 1);
            let [a, b] = &mut geometry.figures;
            std::mem::swap(&mut a.measured, &mut b.measured);
            std::mem::swap(&mut a.failed, &mut b.failed);
            stand_alike(geometry);
        }
        GeometryAction::Stopped(plot) => return stop(&mut geometry.figures[plot.place()]),
        GeometryAction::Layers(action) => return layers::update(state, action),
        GeometryAction::Resumed(plot) => geometry.figures[plot.place()].failed = None,
    }
    ask(state)
}

fn stop(figure: &mut Figure) -> Vec<Effect> {
    let Some(job) = figure.job.take() else { return Vec::new() };
    figure.failed = Some((Failure::Stopped, job.of));
    vec![send(Request::Cancel { revision: job.revision })]
}

fn take_file(geometry: &mut Geometry, name: String, text: Result<String, ListError>) {
    let read = text.and_then(|text| {
        let corpus = Corpus::read(&text, Some(&name))?;
        Ok((text, corpus))
    });
    match read {
        Ok((text, _)) => replace(geometry, Source { text, name: Some(name) }),
        Err(error) => geometry.trouble = Some((name, error)),
    }
}

/// Another text takes the place of the one that is there, which can be gone back to.
fn replace(geometry: &mut Geometry, source: Source) {
    if source != geometry.source {
        geometry.undo.push(geometry.source.clone());
        let excess = geometry.undo.len().saturating_sub(MOST_UNDO);
        geometry.undo.drain(..excess);
    }
    settle(geometry, source);
}

/// Reads the text. One that cannot be read leaves the corpus that was there.
fn settle(geometry: &mut Geometry, source: Source) {
    geometry.trouble = None;
    // A pause that has not ended is of the text before.
    geometry.typed_count += 1;
    match Corpus::read(&source.text, source.name.as_deref()) {
        Ok(corpus) if corpus == geometry.corpus => {}
        Ok(corpus) => {
            geometry.corpus = corpus;
            geometry.corpus_count += 1;
        }
        Err(error) => geometry.trouble = Some((source.name.clone().unwrap_or_default(), error)),
    }
    geometry.source = source;
}

/// Asks for everything that the view shows and does not have yet.
pub(in crate::state) fn ask(state: &mut State) -> Vec<Effect> {
    if state.view != View::Geometry || !state.can_compute() {
        return Vec::new();
    }
    let mut effects: Vec<Effect> =
        Plot::ALL.into_iter().filter_map(|plot| ask_plot(state, plot)).collect();
    effects.extend(layers::ask(state));
    effects
}

fn ask_plot(state: &mut State, plot: Plot) -> Option<Effect> {
    let of = of(state, plot);
    let figure = &mut state.geometry.figures[plot.place()];
    let Some(of) = of else {
        let job = figure.job.take();
        *figure = Figure::default();
        return job.map(|job| send(Request::Cancel { revision: job.revision }));
    };
    let asked = figure.job.as_ref().is_some_and(|job| job.of == of);
    let known = figure.measured.as_ref().is_some_and(|measured| measured.of == of);
    let failed = figure.failed.as_ref().is_some_and(|(_, failed)| *failed == of);
    if asked {
        return None;
    }
    if known || failed {
        // What is on its way is of something else, and nobody waits for it.
        let job = figure.job.take()?;
        return Some(send(Request::Cancel { revision: job.revision }));
    }
    let revision = state.revision();
    let corpus = state.geometry.corpus.clone();
    let look = of.look;
    let figure = &mut state.geometry.figures[plot.place()];
    let total = u32::try_from(corpus.sentences.len()).unwrap_or(u32::MAX);
    figure.job = Some(Job { revision, of, done: 0, total, elapsed_ms: 0.0 });
    figure.failed = None;
    Some(send(Request::Survey {
        revision,
        slot: plot.slot(),
        sentences: corpus.sentences,
        lens: look.lens(),
        treatment: look.treatment,
        positives: corpus.positives,
        scored: Vec::new(),
        keep: true,
    }))
}

/// What one of the two is to be measured of now; `None` where there is no such thing.
fn of(state: &State, plot: Plot) -> Option<Of> {
    let geometry = &state.geometry;
    let model = state.model.as_ref()?;
    let mut look: Look = geometry.look(plot);
    // A layer that this model lacks.
    look.layer = look.layer.filter(|layer| *layer <= model.layers);
    let adapter = match look.side {
        Side::Before => None,
        Side::After => {
            let adapter = state.adapters.attached.as_ref()?;
            Some((adapter.sha256.clone(), state.adapters.blend))
        }
    };
    let model = model.sha256.clone();
    let of = Of { model, adapter, corpus: geometry.corpus_count, look };
    geometry.corpus.is_enough().then_some(of)
}

/// Takes a survey, if it is of this view.
pub(in crate::state) fn take_event(state: &mut State, event: Event) {
    let Event::Survey { revision, slot, findings, latency_ms } = event else { return };
    let Some(plot) = Plot::of_slot(slot) else { return };
    let figure = &mut state.geometry.figures[plot.place()];
    let Some(job) = figure.job.take_if(|job| job.revision == revision) else { return };
    let (findings, of) = (*findings, job.of);
    let sphere = findings.shape.sphere.clone();
    figure.measured = Some(Measured { findings, latency_ms, of, sphere });
    stand_alike(&mut state.geometry);
}

/// Takes how far a request is, if it is of this view.
pub(in crate::state) fn take_progress(
    state: &mut State,
    revision: Revision,
    (done, total): (u32, u32),
    elapsed_ms: f64,
) {
    layers::take_progress(state, revision, (done, total));
    let jobs = state.geometry.figures.iter_mut().filter_map(|figure| figure.job.as_mut());
    for job in jobs.filter(|job| job.revision == revision) {
        (job.done, job.total, job.elapsed_ms) = (done, total, elapsed_ms);
    }
}

/// Whether a request that failed was of this view.
pub(in crate::state) fn take_failure(
    state: &mut State,
    revision: Revision,
    problem: &Problem,
) -> bool {
    for figure in &mut state.geometry.figures {
        if let Some(job) = figure.job.take_if(|job| job.revision == revision) {
            figure.measured = None;
            figure.failed = Some((Failure::Problem(problem.clone()), job.of));
            return true;
        }
    }
    layers::take_failure(state, revision, problem)
}

/// Turns the sphere of `B` so that its sentences lie as near as may be to their places in `A`: the
/// axes of two clouds are their own.
fn stand_alike(geometry: &mut Geometry) {
    let [a, b] = &mut geometry.figures;
    let (Some(a), Some(b)) = (&mut a.measured, &mut b.measured) else { return };
    a.findings.shape.sphere.clone_from(&a.sphere);
    let same_sentences = a.of.corpus == b.of.corpus;
    let turn = same_sentences.then(|| nearest_turn(&b.sphere, &a.sphere)).flatten();
    b.findings.shape.sphere = match turn {
        Some(turn) => turned(&b.sphere, &turn),
        None => b.sphere.clone(),
    };
}

fn send(request: Request) -> Effect {
    Effect::Send(Message::plain(request))
}
