//! What happens in the geometry view, applied to the state; what is asked of the worker, and its
//! answers.

use crate::math::turn::{nearest_turn, turned};
use crate::protocol::Revision;
use crate::protocol::event::Event;
use crate::protocol::problem::Problem;
use crate::protocol::readout::Side;
use crate::protocol::request::Request;
use crate::state::app::State;
use crate::state::effect::Effect;
use crate::state::geometry::corpus::Source;
use crate::state::geometry::failure::Failure;
use crate::state::geometry::layers_update;
use crate::state::geometry::map;
use crate::state::geometry::{Figure, Geometry, GeometryAction, Job, Look, Measured, Of, Plot};
use crate::state::geometry::{export, session, sources};
use crate::state::notice::Report;
use crate::state::route::{Route, View};

/// Applies what happened.
pub(in crate::state) fn update(state: &mut State, action: GeometryAction) -> Vec<Effect> {
    let before = link(&state.geometry);
    let mut effects = apply(state, action);
    let now = link(&state.geometry);
    if now != before && state.view == View::Geometry {
        effects.push(Effect::ShowFragment(now));
    }
    effects
}

fn apply(state: &mut State, action: GeometryAction) -> Vec<Effect> {
    let geometry = &mut state.geometry;
    let mut effects = Vec::new();
    match action {
        GeometryAction::Typed(text) => return sources::type_in(geometry, text),
        GeometryAction::Settled(count) if count != geometry.typed_count => return effects,
        GeometryAction::Settled(_) => sources::settle_typed(geometry),
        GeometryAction::FileRead { name, text } => effects = session::take_any(state, name, text),
        GeometryAction::BundledChosen(bundled) => {
            effects.extend(sources::choose_bundled(geometry, bundled));
        }
        GeometryAction::BundledArrived { number, text } => {
            sources::take_arrival(geometry, number, text);
        }
        GeometryAction::TakenFrom(elsewhere) => sources::take_from(state, elsewhere),
        GeometryAction::RolesChosen(roles) => {
            sources::replace(geometry, Source { roles, ..geometry.source.clone() });
        }
        GeometryAction::TextUndone => effects = session::undo(state),
        GeometryAction::LookChosen(plot, look) => {
            geometry.looks[plot.place()] = look;
            geometry.figures[plot.place()].held = None;
        }
        GeometryAction::Held(plot, held) => hold(state, plot, held),
        GeometryAction::Swapped => swap(geometry),
        GeometryAction::LinkCopied => {
            let text = link(geometry);
            return vec![Effect::Copy { text, is_fragment: true, report: Report::Copied }];
        }
        GeometryAction::ExportPlotChosen(plot) => geometry.export.plot = plot,
        GeometryAction::ExportFormatChosen(format) => geometry.export.format = format,
        GeometryAction::ExportAsked => effects = export::begin(state),
        GeometryAction::ExportAdvanced { number, done } => {
            export::advance(geometry, number, Some(done));
            return effects;
        }
        GeometryAction::ExportEnded { number } => {
            export::advance(geometry, number, None);
            return effects;
        }
        GeometryAction::SessionSaved => return session::save(state),
        GeometryAction::SessionAdapterCame { number, bytes } => {
            return session::take_fetched(state, number, bytes);
        }
        GeometryAction::SessionFileRead { name, text } => {
            effects = session::take_file(state, name, text);
        }
        GeometryAction::Stopped(plot) => effects = stop(&mut geometry.figures[plot.place()]),
        GeometryAction::Layers(action) => return layers_update::update(state, action),
        GeometryAction::Resumed(plot) => geometry.figures[plot.place()].failed = None,
        GeometryAction::Map(action) => effects = map::update::update(geometry, action),
    }
    effects.extend(ask(state));
    effects
}

fn swap(geometry: &mut Geometry) {
    geometry.looks.swap(0, 1);
    let [a, b] = &mut geometry.figures;
    std::mem::swap(&mut a.measured, &mut b.measured);
    std::mem::swap(&mut a.failed, &mut b.failed);
    std::mem::swap(&mut a.held, &mut b.held);
    geometry.map.swap();
    stand_alike(geometry);
}

/// Keeps what was measured, under the name of its model, or lets it follow the model again.
fn hold(state: &mut State, plot: Plot, held: bool) {
    let name = state.model.as_ref().map(|model| format!("{} ({})", model.name, model.quantisation));
    let figure = &mut state.geometry.figures[plot.place()];
    figure.held = name.filter(|_| held && figure.measured.is_some());
}

fn stop(figure: &mut Figure) -> Vec<Effect> {
    let Some(job) = figure.job.take() else { return Vec::new() };
    figure.failed = Some((Failure::Stopped, job.of));
    vec![Effect::ask(Request::Cancel { revision: job.revision })]
}

/// The address of what is set, with the corpus where others have it too.
fn link(geometry: &Geometry) -> String {
    let looks = Plot::ALL.map(|plot| Some(geometry.look(plot)));
    let corpus = geometry.source.bundled;
    Route { view: View::Geometry, looks, corpus, ..Route::default() }.to_fragment()
}

/// Sets what an address says; one that says nothing gets to say what is set, unless that is what a
/// first visit finds.
pub(in crate::state) fn follow(state: &mut State, route: &Route) -> Vec<Effect> {
    let geometry = &mut state.geometry;
    let said = route.corpus.is_some() || route.looks.iter().any(Option::is_some);
    for (look, linked) in geometry.looks.iter_mut().zip(route.looks) {
        *look = linked.unwrap_or(*look);
    }
    let mut effects = Vec::new();
    if let Some(bundled) = route.corpus.filter(|_| route.corpus != geometry.source.bundled) {
        effects.extend(sources::choose_bundled(geometry, bundled));
    }
    if !said && link(geometry) != link(&Geometry::default()) {
        effects.push(Effect::ShowFragment(link(geometry)));
    }
    effects
}

/// Asks for everything that the view shows and does not have yet.
pub(in crate::state) fn ask(state: &mut State) -> Vec<Effect> {
    map::ask::follow_corpus(&mut state.geometry);
    if state.view != View::Geometry || !state.can_compute() {
        return Vec::new();
    }
    let mut effects: Vec<Effect> =
        Plot::ALL.into_iter().filter_map(|plot| ask_plot(state, plot)).collect();
    effects.extend(layers_update::ask(state));
    effects.extend(export::go_on(state));
    effects.extend(map::ask::ask(state));
    effects
}

fn ask_plot(state: &mut State, plot: Plot) -> Option<Effect> {
    let of = of(state, plot);
    let Geometry { figures, corpus, .. } = &mut state.geometry;
    let figure = &mut figures[plot.place()];
    if figure.is_held(corpus) {
        return None;
    }
    figure.held = None;
    let Some(of) = of else {
        let job = figure.job.take();
        *figure = Figure::default();
        return job.map(|job| Effect::ask(Request::Cancel { revision: job.revision }));
    };
    let asked = figure.job.as_ref().is_some_and(|job| job.of == of);
    let measured = figure.measured.as_ref().filter(|measured| measured.of == of);
    let is_anew = measured.is_some_and(|measured| measured.is_lost);
    let known = measured.is_some() && !is_anew;
    let failed = figure.failed.as_ref().is_some_and(|(_, failed)| *failed == of);
    if asked {
        return None;
    }
    if known || failed {
        // What is on its way is of something else, and nobody waits for it.
        let job = figure.job.take()?;
        return Some(Effect::ask(Request::Cancel { revision: job.revision }));
    }
    let revision = state.revision();
    let corpus = of.corpus.clone();
    let look = of.look;
    let figure = &mut state.geometry.figures[plot.place()];
    let total = u32::try_from(corpus.sentences.len()).unwrap_or(u32::MAX);
    figure.job = Some(Job { revision, of, is_anew, done: 0, total, elapsed_ms: 0.0 });
    figure.failed = None;
    Some(Effect::ask(Request::Survey {
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
    look.layer = look.layer.filter(|layer| *layer <= state.layers_of(look.side));
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
pub(in crate::state) fn take_event(state: &mut State, event: Event) -> Vec<Effect> {
    let Event::Survey { revision, slot, findings, latency_ms } = event else { return Vec::new() };
    let Some(plot) = Plot::of_slot(slot) else { return Vec::new() };
    let figure = &mut state.geometry.figures[plot.place()];
    let Some(job) = figure.job.take_if(|job| job.revision == revision) else { return Vec::new() };
    let (findings, of, is_anew) = (*findings, job.of, job.is_anew);
    let sphere = findings.shape.sphere.clone();
    let before = figure.measured.take().filter(|before| before.of == of);
    let is_lost = false;
    figure.measured =
        Some(Measured { findings, latency_ms, revision, of, is_lost, is_anew, sphere });
    if let Some(before) = before {
        // The same vectors again: their maps are known.
        state.geometry.map.rename_survey(before.revision, revision);
    }
    stand_alike(&mut state.geometry);
    export::go_on(state)
}

/// Takes how far a request is, if it is of this view.
pub(in crate::state) fn take_progress(
    state: &mut State,
    revision: Revision,
    (done, total): (u32, u32),
    elapsed_ms: f64,
) {
    layers_update::take_progress(state, revision, (done, total));
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
    if export::take_failure(&mut state.geometry, revision, problem)
        || session::take_failure(&mut state.geometry, revision, problem)
    {
        return true;
    }
    for figure in &mut state.geometry.figures {
        if let Some(job) = figure.job.take_if(|job| job.revision == revision) {
            figure.measured = None;
            figure.failed = Some((Failure::Problem(problem.clone()), job.of));
            return true;
        }
    }
    layers_update::take_failure(state, revision, problem)
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
