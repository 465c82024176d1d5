//! What happens to the figure of all layers, what is asked of the worker for it, and its answers.

use crate::math::evenly::evenly as place_of;
use crate::protocol::Revision;
use crate::protocol::event::Event;
use crate::protocol::lab::Scored;
use crate::protocol::problem::Problem;
use crate::protocol::readout::Side;
use crate::protocol::request::Request;
use crate::state::app::State;
use crate::state::effect::Effect;
use crate::state::geometry::corpus::Corpus;
use crate::state::geometry::failure::Failure;
use crate::state::geometry::layers::{LayersAction, LayersJob, MOST_SENTENCES, Of, OneSide};
use crate::state::route::View;

/// Applies what happened.
pub(in crate::state) fn update(state: &mut State, action: LayersAction) -> Vec<Effect> {
    let layered = &mut state.geometry.layered;
    match action {
        LayersAction::Wanted => {
            layered.is_wanted = true;
            layered.sides.iter_mut().for_each(|side| side.failed = None);
            ask(state)
        }
        LayersAction::Stopped => {
            let running = layered.sides.iter_mut().filter_map(|side| {
                let job = side.job.take()?;
                side.failed = Some((Failure::Stopped, job.of));
                Some(Effect::ask(Request::Cancel { revision: job.revision }))
            });
            running.collect()
        }
        LayersAction::Shown(measure) => {
            layered.shown = measure;
            Vec::new()
        }
    }
}

/// Asks for what is wanted and not there.
pub(in crate::state) fn ask(state: &mut State) -> Vec<Effect> {
    if !state.geometry.layered.is_wanted || state.view != View::Geometry || !state.can_compute() {
        return Vec::new();
    }
    [Side::Before, Side::After].into_iter().flat_map(|side| ask_side(state, side)).collect()
}

fn ask_side(state: &mut State, side: Side) -> Vec<Effect> {
    let of = of(state, side);
    let this = state.geometry.layered.side_mut(side);
    let Some(of) = of else {
        let job = this.job.take();
        *this = OneSide::default();
        return job
            .map(|job| Effect::ask(Request::Cancel { revision: job.revision }))
            .into_iter()
            .collect();
    };
    let is_known = this.measured.as_ref().is_some_and(|(_, known)| *known == of);
    let has_failed = this.failed.as_ref().is_some_and(|(_, failed)| *failed == of);
    if this.job.as_ref().is_some_and(|job| job.of == of) {
        return Vec::new();
    }
    let old = this.job.take().map(|job| Effect::ask(Request::Cancel { revision: job.revision }));
    if is_known || has_failed {
        return old.into_iter().collect();
    }
    let revision = state.revision();
    let (sentences, positives, scored) = sample(&state.geometry.corpus);
    let total = u32::try_from(sentences.len()).unwrap_or(u32::MAX);
    let this = state.geometry.layered.side_mut(side);
    this.job = Some(LayersJob { revision, of, done: 0, total });
    this.failed = None;
    let asked = Effect::ask(Request::Layers { revision, sentences, side, positives, scored });
    old.into_iter().chain([asked]).collect()
}

fn of(state: &State, side: Side) -> Option<Of> {
    let corpus = &state.geometry.corpus;
    let model = state.model.as_ref()?.sha256.clone();
    let adapter = match side {
        Side::Before => None,
        Side::After => {
            let adapter = state.adapters.attached.as_ref()?;
            Some((adapter.sha256.clone(), state.adapters.blend))
        }
    };
    corpus.is_enough().then(|| Of { model, adapter, corpus: corpus.clone() })
}

/// Sentences, pairs that mean the same, and scored pairs, as positions among those sentences.
type Sample = (Vec<String>, Vec<(u32, u32)>, Vec<Scored>);

/// All of a small corpus. Of a large one the sentences of its pairs, then others evenly chosen, up to
/// [`MOST_SENTENCES`]; pairs that lost a sentence are left out.
fn sample(corpus: &Corpus) -> Sample {
    let count = corpus.sentences.len();
    let wanted = count.min(MOST_SENTENCES);
    let scored = corpus.scored.iter().flat_map(|pair| [pair.first, pair.second]);
    let positives = corpus.positives.iter().flat_map(|(first, second)| [*first, *second]);
    let evenly = (0..wanted).map(|place| place_of(place, wanted, count) as u32);
    let mut places = vec![None; count];
    let mut chosen = Vec::with_capacity(wanted);
    for at in positives.chain(scored).chain(evenly).chain(0..count as u32) {
        if chosen.len() == wanted {
            break;
        }
        if let Some(place @ None) = places.get_mut(at as usize) {
            *place = u32::try_from(chosen.len()).ok();
            chosen.push(at as usize);
        }
    }
    let place = |at: u32| places.get(at as usize).copied().flatten();
    let pair = |(first, second): &(u32, u32)| Some((place(*first)?, place(*second)?));
    let with_gold = |pair: &Scored| {
        let (first, second) = (place(pair.first)?, place(pair.second)?);
        Some(Scored { first, second, gold: pair.gold })
    };
    (
        chosen.iter().filter_map(|at| corpus.sentences.get(*at).cloned()).collect(),
        corpus.positives.iter().filter_map(pair).collect(),
        corpus.scored.iter().filter_map(with_gold).collect(),
    )
}

/// Takes the layers, if they were asked for.
pub(in crate::state) fn take_event(state: &mut State, event: Event) {
    let Event::Layers { revision, layers, .. } = event else { return };
    for side in &mut state.geometry.layered.sides {
        if let Some(job) = side.job.take_if(|job| job.revision == revision) {
            side.measured = Some((layers, job.of));
            return;
        }
    }
}

/// Takes how far a request is, if it is of this figure.
pub(in crate::state) fn take_progress(
    state: &mut State,
    revision: Revision,
    (done, total): (u32, u32),
) {
    let jobs = state.geometry.layered.sides.iter_mut().filter_map(|side| side.job.as_mut());
    for job in jobs.filter(|job| job.revision == revision) {
        (job.done, job.total) = (done, total);
    }
}

/// Whether a request that failed was of this figure.
pub(in crate::state) fn take_failure(
    state: &mut State,
    revision: Revision,
    problem: &Problem,
) -> bool {
    for side in &mut state.geometry.layered.sides {
        if let Some(job) = side.job.take_if(|job| job.revision == revision) {
            side.failed = Some((Failure::Problem(problem.clone()), job.of));
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{MOST_SENTENCES, sample};
    use crate::protocol::lab::Scored;
    use crate::state::geometry::corpus::Corpus;

    #[test]
    fn a_small_corpus_is_taken_whole_and_a_large_one_with_its_pairs() {
        let corpus = |count: usize| Corpus {
            sentences: (0..count).map(|place| format!("sentence {place}")).collect(),
            positives: vec![(1, 0)],
            scored: vec![Scored { first: 2, second: count as u32 - 1, gold: 3.0 }],
            ..Corpus::default()
        };
        let (sentences, positives, scored) = sample(&corpus(5));
        assert_eq!((sentences.len(), positives), (5, vec![(0, 1)]));
        assert_eq!(sentences[scored[0].second as usize], "sentence 4");
        let (sentences, positives, scored) = sample(&corpus(30_000));
        assert_eq!((sentences.len(), positives), (MOST_SENTENCES, vec![(0, 1)]));
        assert_eq!(sentences[scored[0].second as usize], "sentence 29999");
        assert_eq!(sentences.last().map(String::as_str), Some("sentence 29880"));
        assert_eq!(sample(&Corpus::default()).0.len(), 0);
    }
}
