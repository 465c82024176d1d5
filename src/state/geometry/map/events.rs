//! What the worker answers about the map.

use crate::protocol::Revision;
use crate::protocol::event::Event;
use crate::protocol::lab::MapQuality;
use crate::protocol::message::{Bulk, Message};
use crate::protocol::problem::Problem;
use crate::state::app::State;
use crate::state::geometry::held::Held;
use crate::state::geometry::map::{Answers, Clusters, Compared, MOST_FALSE, Points, Trouble};
use crate::state::geometry::{Geometry, Plot};

/// Takes an answer, if it is waited for.
pub(in crate::state) fn take_event(state: &mut State, message: Message<Event>) {
    let geometry = &mut state.geometry;
    let mut arrays = message.bulk.into_iter().filter_map(|bulk| match bulk {
        Bulk::F32(values) => Some(values),
        Bulk::Bytes(_) => None,
    });
    let first = arrays.next();
    match message.head {
        Event::Mapping { revision, stage, done, total, elapsed_ms } => {
            let Some(plot) = mapped_by(geometry, revision) else { return };
            let drawing = &mut geometry.map.drawings[plot.place()];
            if let Some(job) = &mut drawing.job {
                job.advance(stage, (done, total), elapsed_ms);
            }
            if let Some(at) = first {
                take_points(geometry, plot, (at, Vec::new()), None);
            }
        }
        Event::Mapped { revision, quality } => {
            let Some(plot) = mapped_by(geometry, revision) else { return };
            let arrays = (first.unwrap_or_default(), arrays.next().unwrap_or_default());
            take_points(geometry, plot, arrays, Some(quality));
        }
        answer => take_answer(geometry, answer, first.unwrap_or_default()),
    }
}

/// Whose map is being made under that number.
fn mapped_by(geometry: &Geometry, revision: Revision) -> Option<Plot> {
    Plot::ALL.into_iter().find(|plot| {
        let job = geometry.map.drawings[plot.place()].job.as_ref();
        job.is_some_and(|job| job.revision == revision)
    })
}

/// Takes positions, and with a quality the end of a map.
fn take_points(
    geometry: &mut Geometry,
    plot: Plot,
    (at, false_shares): (Vec<f32>, Vec<f32>),
    quality: Option<MapQuality>,
) {
    let sentences = geometry.corpus.sentences.len();
    let drawing = &mut geometry.map.drawings[plot.place()];
    let Some(of) = drawing.job.as_ref().map(|job| job.of) else { return };
    if quality.is_some() {
        drawing.job = None;
    }
    // Points without sentences would lead to nothing but wrong names.
    if at.len() != 2 * sentences {
        if quality.is_some() {
            let detail = format!("a map of {} numbers for {sentences} sentences", at.len());
            drawing.failed = Some((Trouble::Problem(Problem::Internal { detail }), of));
        }
        return;
    }
    let count = |of: fn(f32) -> bool| {
        let count = false_shares.iter().filter(|share| of(**share)).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    };
    let (warned, judged) = (count(|share| share > MOST_FALSE), count(|share| !share.is_nan()));
    let (at, false_shares) = (Held::from(at), Held::from(false_shares));
    drawing.points = Some(Points { at, of, quality, false_shares, warned, judged });
    geometry.map.lay();
    geometry.found(of.survey);
}

fn take_answer(geometry: &mut Geometry, answer: Event, numbers: Vec<f32>) {
    let sentences = geometry.corpus.sentences.len();
    let all = &mut geometry.map.answers;
    let inside = |position: u32| (position as usize) < sentences;
    let inside_of = |neighbours: Vec<(u32, f32)>| -> Vec<(u32, f32)> {
        neighbours.into_iter().filter(|near| inside(near.0)).collect()
    };
    let survey = match answer {
        Event::Near { revision, neighbours } => {
            let neighbours = inside_of(neighbours);
            all.iter_mut().find_map(|it| Some(it.near.answer(revision, neighbours.clone())?.survey))
        }
        Event::Compared { revision, neighbours } => {
            let answer =
                Compared { cosines: Held::from(numbers), neighbours: inside_of(neighbours) };
            all.iter_mut().find_map(|it| Some(it.text.answer(revision, answer.clone())?.survey))
        }
        Event::Clustered { revision, labels, typical } => {
            let typical = typical.into_iter().filter(|position| inside(*position)).collect();
            let answer = Clusters { labels: Held::from(labels), typical };
            all.iter_mut().find_map(|it| Some(it.clusters.answer(revision, answer.clone())?.survey))
        }
        _ => None,
    };
    if let Some(survey) = survey {
        geometry.found(survey);
    }
}

/// Whether a request that failed was of the map. Vectors that the worker does not have any more are
/// to be computed again; the map asks again then by itself.
pub(in crate::state) fn take_failure(
    state: &mut State,
    revision: Revision,
    problem: &Problem,
) -> bool {
    let geometry = &mut state.geometry;
    if let Some(plot) = mapped_by(geometry, revision) {
        let drawing = &mut geometry.map.drawings[plot.place()];
        let Some(job) = drawing.job.take() else { return true };
        if !is_remedied(geometry, job.of.survey, problem) {
            let trouble = Trouble::Problem(problem.clone());
            geometry.map.drawings[plot.place()].failed = Some((trouble, job.of));
        }
        return true;
    }
    for place in 0..Plot::ALL.len() {
        let Answers { near, text, clusters } = &mut geometry.map.answers[place];
        if let Some(of) = near.drop_job(revision) {
            if !is_remedied(geometry, of.survey, problem) {
                geometry.map.answers[place].near.fail(of, problem.clone());
            }
        } else if let Some(of) = text.drop_job(revision) {
            if !is_remedied(geometry, of.survey, problem) {
                geometry.map.answers[place].text.fail(of, problem.clone());
            }
        } else if let Some(of) = clusters.drop_job(revision) {
            if !is_remedied(geometry, of.survey, problem) {
                geometry.map.answers[place].clusters.fail(of, problem.clone());
            }
        } else {
            continue;
        }
        return true;
    }
    false
}

/// Whether the problem goes away when the survey is made anew.
fn is_remedied(geometry: &mut Geometry, survey: Revision, problem: &Problem) -> bool {
    *problem == Problem::NoSurvey && geometry.lose(survey)
}

/// The worker gave a request up, unasked: another one took its place.
pub(in crate::state) fn take_cancelled(state: &mut State, revision: Revision) {
    let geometry = &mut state.geometry;
    if let Some(plot) = mapped_by(geometry, revision) {
        let drawing = &mut geometry.map.drawings[plot.place()];
        if let Some(job) = drawing.job.take() {
            drawing.failed = Some((Trouble::Stopped, job.of));
        }
    }
    for Answers { near, text, clusters } in &mut geometry.map.answers {
        near.drop_job(revision);
        text.drop_job(revision);
        clusters.drop_job(revision);
    }
}
