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
use crate::state::geometry::corpus::{Bundled, Corpus, Source};
use crate::state::geometry::layers;
use crate::state::geometry::{
    Arrival, Elsewhere, Failure, Figure, Geometry, GeometryAction, Job, Look, Measured, Of, Plot,
};
use crate::state::route::View;
use crate::text::lists::ListError;

/// Pause between the last keystroke and asking.
const SETTLE_MS: u32 = 500;
/// Texts that can be gone back to, and their bytes together.
const MOST_UNDO: usize = 20;
const MOST_UNDO_BYTES: usize = 64_000_000;

/// Applies what happened.
pub(in crate::state) fn update(state: &mut State, action: GeometryAction) -> Vec<Effect> {
    let geometry = &mut state.geometry;
    match action {
        GeometryAction::Typed(text) => {
            // What is typed over a file's text is that file no more.
            let roles = geometry.source.roles;
            geometry.source = Source { text: text.into(), roles, ..Source::default() };
            geometry.arrival = None;
            geometry.typed_count += 1;
            let action = Action::Geometry(GeometryAction::Settled(geometry.typed_count));
            return vec![Effect::After { pause_ms: SETTLE_MS, action }];
        }
        GeometryAction::Settled(count) if count != geometry.typed_count => return Vec::new(),
        GeometryAction::Settled(_) => settle_typed(geometry),
        GeometryAction::FileRead { name, text } => take_file(geometry, name, text),
        GeometryAction::BundledChosen(bundled) => {
            let mut effects = choose_bundled(geometry, bundled);
            effects.extend(ask(state));
            return effects;
        }
        GeometryAction::BundledArrived { number, text } => take_arrival(geometry, number, text),
        GeometryAction::TakenFrom(elsewhere) => take_from(state, elsewhere),
        GeometryAction::RolesChosen(roles) => {
            replace(geometry, Source { roles, ..geometry.source.clone() });
        }
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
        let source = Source { text: text.into(), name: Some(name.clone()), ..Source::default() };
        Ok((Corpus::read(&source)?, source))
    });
    match read {
        Ok((corpus, source)) => put(geometry, source, corpus),
        Err(error) => geometry.trouble = Some((name, error)),
    }
}

/// Takes a bundled corpus, or asks for it where it lies beside the page.
fn choose_bundled(geometry: &mut Geometry, bundled: Bundled) -> Vec<Effect> {
    geometry.arrival = None;
    if let Some(source) = bundled.source() {
        replace(geometry, source);
        return Vec::new();
    }
    let Some(url) = bundled.url().filter(|_| geometry.source.bundled != Some(bundled)) else {
        return Vec::new();
    };
    geometry.arrival_count += 1;
    let number = geometry.arrival_count;
    geometry.arrival = Some(Arrival::Coming(bundled, number));
    vec![Effect::FetchCorpus { url, number }]
}

fn take_arrival(geometry: &mut Geometry, number: u32, text: Result<String, String>) {
    let Some(Arrival::Coming(bundled, wanted)) = geometry.arrival else { return };
    if wanted != number {
        return;
    }
    geometry.arrival = None;
    match text {
        Ok(text) => replace(geometry, bundled.arrived(&text)),
        Err(detail) => geometry.arrival = Some(Arrival::Failed { bundled, detail }),
    }
}

/// Takes another view's sentences, if it has any.
fn take_from(state: &mut State, elsewhere: Elsewhere) {
    let (text, name) = state.sentences_of(elsewhere);
    if !text.trim().is_empty() {
        let source = Source { text: text.into(), name: name.cloned(), ..Source::default() };
        replace(&mut state.geometry, source);
    }
}

/// Another text takes the place of the one that is there, which can be gone back to.
fn replace(geometry: &mut Geometry, source: Source) {
    remember(geometry, &source);
    settle(geometry, source);
}

/// As [`replace`], with what was read of it.
fn put(geometry: &mut Geometry, source: Source, corpus: Corpus) {
    remember(geometry, &source);
    geometry.trouble = None;
    geometry.arrival = None;
    geometry.typed_count += 1;
    geometry.corpus = geometry.corpus.followed_by(corpus);
    geometry.source = source;
}

/// Puts the text that is there onto the pile of those that can be gone back to.
fn remember(geometry: &mut Geometry, next: &Source) {
    if *next == geometry.source {
        return;
    }
    geometry.undo.push(geometry.source.clone());
    let bytes = |undo: &[Source]| undo.iter().map(|source| source.text.len()).sum::<usize>();
    // The last one stays, however long it is.
    while geometry.undo.len() > MOST_UNDO
        || geometry.undo.len() > 1 && bytes(&geometry.undo) > MOST_UNDO_BYTES
    {
        geometry.undo.remove(0);
    }
}

/// Reads what was typed. Roles stay as long as the columns are the same.
fn settle_typed(geometry: &mut Geometry) {
    let mut source = geometry.source.clone();
    let names = |corpus: &Corpus| corpus.table.as_ref().map(|table| table.names.clone());
    if source.roles.is_some()
        && Corpus::read(&source).is_ok_and(|corpus| names(&corpus) != names(&geometry.corpus))
    {
        source.roles = None;
    }
    settle(geometry, source);
}

/// Reads the text. One that cannot be read leaves the corpus that was there.
fn settle(geometry: &mut Geometry, source: Source) {
    geometry.trouble = None;
    // What is on its way is not wanted any more.
    geometry.arrival = None;
    // A pause that has not ended is of the text before.
    geometry.typed_count += 1;
    match Corpus::read(&source) {
        Ok(corpus) => geometry.corpus = geometry.corpus.followed_by(corpus),
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
    let corpus = of.corpus.clone();
    let look = of.look;
    let figure = &mut state.geometry.figures[plot.place()];
    let total = u32::try_from(corpus.sentences.len()).unwrap_or(u32::MAX);
    figure.job = Some(Job { revision, of, done: 0, total, elapsed_ms: 0.0 });
    figure.failed = None;
    Some(send(Request::Survey {
        revision,
        slot: plot.slot(),
        sentences: corpus.sentences.to_vec(),
        lens: look.lens(),
        treatment: look.treatment,
        positives: corpus.positives.clone(),
        scored: corpus.scored.clone(),
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
    let of = Of { model, adapter, corpus: geometry.corpus.clone(), look };
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
