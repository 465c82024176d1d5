//! The vectors of A or B as a file.

use std::sync::Arc;

use crate::files::write::piece_count;
use crate::files::{Format, Table};
use crate::protocol::Revision;
use crate::protocol::lab::{About, Question};
use crate::protocol::problem::Problem;
use crate::protocol::request::Request;
use crate::state::app::State;
use crate::state::effect::Effect;
use crate::state::geometry::corpus::Corpus;
use crate::state::geometry::failure::Failure;
use crate::state::geometry::{Asked, Geometry, Look, Standing};

/// The visitor asks for the file. The vectors are asked for with what else the view lacks: see
/// [`go_on`].
pub(super) fn begin(state: &mut State) -> Vec<Effect> {
    let geometry = &mut state.geometry;
    if geometry.export.is_busy() {
        return Vec::new();
    }
    if geometry.export.format == Format::ProjectorMetadata {
        let table = table(&geometry.corpus, Vec::new(), 0);
        let name = file_name(geometry.look(geometry.export.plot), Format::ProjectorMetadata);
        return vec![write(geometry, name, Format::ProjectorMetadata, table)];
    }
    geometry.export.standing = Standing::Measuring;
    geometry.export.retried = false;
    Vec::new()
}

/// Asks for the vectors as soon as their survey is there, and gives up where it failed or there is
/// nothing to measure. Called once everything that can be measured is asked for.
pub(super) fn go_on(state: &mut State) -> Vec<Effect> {
    let export = &state.geometry.export;
    if export.standing != Standing::Measuring {
        return Vec::new();
    }
    let (format, figure) = (export.format, state.geometry.figure(export.plot));
    let standing = match (&figure.job, &figure.failed, &figure.measured) {
        // Those of the last look, while the next one is measured, are not what is asked for.
        (Some(_), ..) => return Vec::new(),
        (None, Some((failure, _)), _) => Standing::Failed(failure.clone()),
        (None, None, None) => Standing::Failed(Failure::Stopped),
        (None, None, Some(measured)) => {
            let (survey, of) = (measured.revision, measured.of.clone());
            let revision = state.revision();
            let about = About { survey, question: Question::Vectors };
            let effect = Effect::ask(Request::About { revision, about });
            state.geometry.export.standing = Standing::Asked(Asked { revision, of, format });
            return vec![effect];
        }
    };
    state.geometry.export.standing = standing;
    Vec::new()
}

/// Takes the vectors, if they were asked for here.
pub(in crate::state) fn take_vectors(
    state: &mut State,
    revision: Revision,
    dimensions: u32,
    vectors: Vec<f32>,
) -> Vec<Effect> {
    let geometry = &mut state.geometry;
    let Standing::Asked(asked) = &geometry.export.standing else { return Vec::new() };
    if asked.revision != revision {
        return Vec::new();
    }
    let (format, name) = (asked.format, file_name(asked.of.look, asked.format));
    let table = table(&asked.of.corpus, vectors, dimensions as usize);
    vec![write(geometry, name, format, table)]
}

/// Whether a request that failed was for the vectors. Those that the worker has no more are measured
/// again.
pub(super) fn take_failure(geometry: &mut Geometry, revision: Revision, problem: &Problem) -> bool {
    let Standing::Asked(asked) = &geometry.export.standing else { return false };
    if asked.revision != revision {
        return false;
    }
    let plot = geometry.export.plot;
    let figure = &mut geometry.figures[plot.place()];
    let is_gone = *problem == Problem::NoSurvey && !geometry.export.retried;
    if is_gone {
        figure.measured.take_if(|measured| measured.of == asked.of);
        geometry.export.retried = true;
    }
    geometry.export.standing = if is_gone {
        Standing::Measuring
    } else {
        Standing::Failed(Failure::Problem(problem.clone()))
    };
    true
}

fn write(geometry: &mut Geometry, name: String, format: Format, table: Table) -> Effect {
    let export = &mut geometry.export;
    export.count += 1;
    export.standing = Standing::Writing { done: 0, total: piece_count(format, &table) };
    Effect::SaveTable { number: export.count, name, format, table: Arc::new(table) }
}

/// Takes how far the file is; `None`: it is written, or given up.
pub(super) fn advance(geometry: &mut Geometry, number: u32, now: Option<usize>) {
    let export = &mut geometry.export;
    if let Standing::Writing { done, .. } = &mut export.standing
        && export.count == number
    {
        match now {
            Some(now) => *done = now,
            None => export.standing = Standing::Nothing,
        }
    }
}

/// The table of a corpus. Without vectors, `dimensions` is 0.
fn table(corpus: &Corpus, vectors: Vec<f32>, dimensions: usize) -> Table {
    let name = |topic: &Option<u16>| {
        let name = topic.and_then(|topic| corpus.topics.names.get(usize::from(topic)));
        name.cloned().unwrap_or_default()
    };
    let mut topics: Vec<String> = corpus.topics.of.iter().map(name).collect();
    if !topics.is_empty() {
        topics.resize(corpus.sentences.len(), String::new());
    }
    Table { sentences: Arc::clone(&corpus.sentences), topics, dimensions, vectors }
}

/// `simcse-after-cls-4-whitened-32.npy`
fn file_name(look: Look, format: Format) -> String {
    match format {
        // It says nothing of the vectors.
        Format::ProjectorMetadata => format!("simcse{}", format.ending()),
        _ => format!("simcse-{}{}", look.to_slug().replace('.', "-"), format.ending()),
    }
}
