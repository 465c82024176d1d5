//! Whole runs of a session over a toy learner.

use std::collections::HashSet;

use crate::model;
use crate::protocol::recipe::{Augmentation, Recipe, TrainedReadout};
use crate::protocol::training::{Example, Measures, Positives, Rest, StepReport};
use crate::text::tokeniser::Tokens;
use crate::training::error::Error;
use crate::training::examples::Reader;
use crate::training::measure::TokenisedProbe;
use crate::training::session::{Advance, Limits, Session};
use crate::training::toy::{Call, HIDDEN, Toy, VOCABULARY};

const EVERYTHING: Limits = Limits { tape_tokens: usize::MAX, checkpoint_bytes: u64::MAX };

/// A word is a number, and its token.
fn numbers(text: &str) -> Result<Tokens, model::error::Error> {
    let words = text.split(' ').filter_map(|word| word.parse::<u32>().ok());
    let ids = [0].into_iter().chain(words).chain([1]).collect();
    Ok(Tokens { ids, ..Tokens::default() })
}

fn sentence(number: usize) -> String {
    let word = |place: usize| {
        (2 + (number * 7 + place * place * 3 + number * place) % (VOCABULARY - 2)).to_string()
    };
    (0..3 + number % 4).map(word).collect::<Vec<_>>().join(" ")
}

/// Sentences alone, pairs, and triplets, in turn.
fn examples() -> Vec<Example> {
    let example = |number: usize| Example {
        anchor: sentence(number),
        positive: (!number.is_multiple_of(3)).then(|| sentence(number + 100)),
        hard_negative: (number % 3 > 1).then(|| sentence(number + 200)),
    };
    (0..24).map(example).collect()
}

fn probe() -> TokenisedProbe {
    let mut probe = TokenisedProbe::new();
    for number in 0..12 {
        probe.push_sentence(&sentence(number * 2 + 50), &numbers).unwrap();
    }
    probe.push_pinned(&(sentence(1), sentence(2)), &numbers).unwrap();
    probe
}

fn recipe() -> Recipe {
    Recipe {
        batch: 6,
        steps: 12,
        measure_every: 4,
        learning_rate: 0.5,
        temperature: 0.05,
        augmentation: Augmentation::DeleteOneWord,
        ..Recipe::default()
    }
}

fn session(recipe: &Recipe, examples: &[Example], limits: Limits) -> Session<Toy> {
    let mut reader = Reader::new(recipe);
    examples.iter().try_for_each(|example| reader.push(example, &numbers)).unwrap();
    let examples = reader.finish().unwrap();
    Session::new(Toy::new(1), recipe.clone(), examples, probe(), limits).unwrap()
}

fn advance(session: &mut Session<Toy>) -> Advance {
    pollster::block_on(session.advance()).unwrap()
}

/// What happens from now to the end, without what depends on the clock.
#[derive(Debug, PartialEq, Default)]
struct Run {
    steps: Vec<StepReport>,
    measures: Vec<Measures>,
    rest: Option<(u32, Rest)>,
    table: Vec<f32>,
}

fn run(session: &mut Session<Toy>) -> Run {
    let mut run = Run::default();
    while run.rest.is_none() {
        match advance(session) {
            Advance::Working => {}
            Advance::Stepped(report) => run.steps.push(StepReport { step_ms: 0.0, ..report }),
            Advance::Measured(measures) => {
                assert!(measures.measure_ms > 0.0);
                run.measures.push(Measures { measure_ms: 0.0, ..*measures });
            }
            Advance::Rests(step, rest) => run.rest = Some((step, rest)),
        }
    }
    run.table = session.learner.table.clone();
    run
}

fn until_step(session: &mut Session<Toy>, step: u32) {
    while session.step() < step {
        advance(session);
    }
}

#[test]
fn a_run_steps_measures_and_ends() {
    let mut session = session(&recipe(), &examples(), EVERYTHING);
    let outline = session.outline();
    assert_eq!((outline.examples, outline.batch, outline.steps), (24, 6, 12));
    assert_eq!(outline.parameters, (VOCABULARY * HIDDEN) as u64);
    let run = run(&mut session);
    assert!(run.steps.iter().map(|report| report.step).eq(1..=12));
    assert!(run.measures.iter().map(|measures| measures.step).eq([0, 4, 8, 12]));
    assert_eq!(run.rest, Some((12, Rest::Finished)));
    assert_eq!(run.steps[0].learning_rate, 0.5);
    let first = &run.measures[0];
    assert_eq!((first.positives, first.spearman), (Positives::Views, None));
    assert!(first.alignment.unwrap() > 0.0 && first.pinned.len() == 1);
    assert_eq!(advance(&mut session), Advance::Rests(12, Rest::Finished));
}

#[test]
fn the_loss_falls_and_the_cone_opens() {
    let recipe = Recipe { steps: 100, measure_every: 100, ..recipe() };
    let Run { steps, measures, .. } = run(&mut session(&recipe, &examples(), EVERYTHING));
    let (before, after) = (&measures[0].shape, &measures[1].shape);
    assert!(after.uniformity < before.uniformity - 0.1, "{before:?} {after:?}");
    assert!(after.mean_cosine < before.mean_cosine);
    let sum = |part: &[StepReport]| part.iter().map(|report| report.loss).sum::<f32>();
    let (early, late) = (sum(&steps[..10]), sum(&steps[90..]));
    assert!(late < 0.8 * early, "{early} {late}");
}

#[test]
fn equal_seeds_give_equal_runs_and_others_do_not() {
    let once = run(&mut session(&recipe(), &examples(), EVERYTHING));
    assert_eq!(once, run(&mut session(&recipe(), &examples(), EVERYTHING)));
    let other = Recipe { seed: 7, ..recipe() };
    assert_ne!(once.table, run(&mut session(&other, &examples(), EVERYTHING)).table);
}

#[test]
fn cached_gradients_are_the_same_gradients() {
    let kept = run(&mut session(&recipe(), &examples(), EVERYTHING));
    for tape_tokens in [0, 40, 90] {
        let limits = Limits { tape_tokens, ..EVERYTHING };
        let mut session = session(&recipe(), &examples(), limits);
        assert_eq!(run(&mut session), kept, "{tape_tokens}");
        let forward = |keep: bool| {
            let wanted = |call: &&Call| matches!(call, Call::Forward { keep_tape, .. } if *keep_tape == keep);
            session.learner.calls.iter().filter(wanted).count()
        };
        assert!(forward(false) > 0, "{tape_tokens}: some pieces are run twice");
        let backwards = session.learner.calls.iter().filter(|call| **call == Call::Backward);
        assert_eq!(forward(true), backwards.count());
    }
}

#[test]
fn without_dropout_the_size_of_the_pieces_does_not_matter() {
    let recipe = |micro_batch| Recipe { micro_batch, dropout: 0.0, steps: 1, ..recipe() };
    let whole = run(&mut session(&recipe(0), &examples(), EVERYTHING)).table;
    for micro_batch in [1, 4, 5, 100] {
        let mut session = session(&recipe(micro_batch), &examples(), EVERYTHING);
        let parts = run(&mut session).table;
        let differences = whole.iter().zip(&parts).map(|(a, b)| (a - b).abs());
        assert!(differences.fold(0.0, f32::max) < 1e-5, "{micro_batch}");
        let most = session.learner.calls.iter().filter_map(|call| match call {
            Call::Forward { sentences, noise: None, .. } => Some(*sentences as u32),
            _ => None,
        });
        assert!(most.max().unwrap() <= micro_batch);
    }
}

#[test]
fn every_view_of_every_piece_has_masks_of_its_own_and_keeps_them() {
    // Measurements have noise of their own, with p = .1.
    let recipe = Recipe { micro_batch: 2, dropout: 0.25, ..recipe() };
    let mut session = session(&recipe, &examples(), EVERYTHING);
    until_step(&mut session, 3);
    let seeds = |keeps: bool| {
        let of = move |call: &Call| match call {
            Call::Forward { noise: Some(noise), keep_tape, .. } if *keep_tape == keeps => {
                (noise.dropout == 0.25).then_some(noise.seed)
            }
            _ => None,
        };
        session.learner.calls.iter().filter_map(of).collect::<Vec<u64>>()
    };
    let (with_tape, without) = (seeds(true), seeds(false));
    let distinct: HashSet<u64> = with_tape.iter().copied().collect();
    assert_eq!(distinct.len(), with_tape.len());
    // All but the first piece of each step are run twice.
    assert_eq!(without.len(), with_tape.len() - 3);
    assert!(without.iter().all(|seed| distinct.contains(seed)));
}

#[test]
fn the_same_mask_makes_equal_views_and_another_does_not() {
    let alone: Vec<Example> =
        (0..20).map(|number| Example { anchor: sentence(number), ..Example::default() }).collect();
    let first_step = |augmentation, dropout| {
        let recipe = Recipe { augmentation, dropout, micro_batch: 4, ..recipe() };
        run(&mut session(&recipe, &alone, EVERYTHING)).steps[0].positive_cosine
    };
    assert!((first_step(Augmentation::SameMask, 0.3) - 1.0).abs() < 1e-6);
    assert!((first_step(Augmentation::Dropout, 0.0) - 1.0).abs() < 1e-6);
    assert!(first_step(Augmentation::Dropout, 0.3) < 0.99);
    assert!(first_step(Augmentation::Crop { share: 0.3 }, 0.0) < 0.9999);
}

#[test]
fn a_run_goes_on_from_any_checkpoint_as_if_it_had_never_gone_further() {
    let whole = run(&mut session(&recipe(), &examples(), EVERYTHING));
    let mut session = session(&recipe(), &examples(), EVERYTHING);
    run(&mut session);
    for (asked, kept) in [(8, 8), (0, 0), (7, 4), (12, 12), (99, 12)] {
        assert_eq!(session.restore(asked).unwrap(), kept);
        let rest = run(&mut session);
        assert_eq!(rest.table, whole.table, "from {kept}");
        assert_eq!(rest.steps[..], whole.steps[kept as usize..]);
        assert_eq!(rest.measures[..], whole.measures[kept as usize / 4 + 1..]);
    }
    // In the middle of a step, with a gradient half gathered.
    session.restore(4).unwrap();
    until_step(&mut session, 6);
    while session.learner.calls.last() != Some(&Call::Backward) {
        advance(&mut session);
    }
    session.restore(4).unwrap();
    assert_eq!(run(&mut session).table, whole.table);
}

#[test]
fn a_stopped_run_is_measured_where_it_stands() {
    let whole = run(&mut session(&recipe(), &examples(), EVERYTHING));
    let mut session = session(&recipe(), &examples(), EVERYTHING);
    until_step(&mut session, 6);
    advance(&mut session);
    advance(&mut session);
    session.stop();
    let rest = run(&mut session);
    assert_eq!((rest.steps.len(), rest.rest), (0, Some((6, Rest::Stopped))));
    assert!(rest.measures.iter().map(|measures| measures.step).eq([6]));
    // Order is taken back: the run goes on where it was.
    session.restore(6).unwrap();
    assert_eq!(run(&mut session).table, whole.table);
    session.stop();
    assert!(run(&mut session).measures.is_empty(), "the last step was measured already");
}

#[test]
fn numbers_that_are_none_lead_back_to_the_last_checkpoint() {
    let mut session = session(&recipe(), &examples(), EVERYTHING);
    session.learner.poison = Some(6);
    let found = run(&mut session);
    assert_eq!(found.rest, Some((4, Rest::Diverged)));
    assert!(found.table.iter().all(|value| value.is_finite()));
    assert_eq!((found.steps.len(), session.step()), (6, 4));
    // It can be gone on from there, once the reason is gone.
    session.learner.poison = None;
    session.restore(4).unwrap();
    let whole = run(&mut self::session(&recipe(), &examples(), EVERYTHING));
    assert_eq!(run(&mut session).table, whole.table);
}

#[test]
fn poison_right_before_a_measurement_is_found_by_it() {
    let mut session = session(&recipe(), &examples(), EVERYTHING);
    session.learner.poison = Some(8);
    let found = run(&mut session);
    assert_eq!(found.rest, Some((4, Rest::Diverged)));
    assert!(found.measures.iter().map(|measures| measures.step).eq([0, 4]));
}

#[test]
fn short_memory_keeps_the_first_the_best_and_the_latest() {
    let recipe = Recipe { steps: 20, measure_every: 2, ..recipe() };
    let mut reader = Reader::new(&recipe);
    examples().iter().try_for_each(|example| reader.push(example, &numbers)).unwrap();
    let checkpoint_bytes = 2_560 + 24 * size_of::<usize>() as u64;
    let limits = |count: u64| Limits { checkpoint_bytes: checkpoint_bytes * count, ..EVERYTHING };
    let steps = |count: u64| {
        let mut session = session(&recipe, &examples(), limits(count));
        let measures = run(&mut session).measures;
        let best = measures.iter().min_by(|a, b| a.shape.uniformity.total_cmp(&b.shape.uniformity));
        (session.checkpoints().collect::<Vec<_>>(), best.map(|measures| measures.step))
    };
    let (kept, best) = steps(5);
    assert_eq!(kept.len(), 5);
    assert!(kept.starts_with(&[0]) && kept.ends_with(&[18, 20]), "{kept:?}");
    assert!(kept.contains(&best.unwrap()), "{kept:?} {best:?}");
    assert_eq!(steps(0).0, [0, 20]);
    assert_eq!(steps(100).0.len(), 11);
}

#[test]
fn gold_scores_are_measured_for_both_readouts() {
    let recipe = Recipe { steps: 1, ..recipe() };
    let mut probe = TokenisedProbe::new();
    for number in 0..9_usize {
        let gold = if number == 8 { f32::NAN } else { 5.0 - number as f32 * 0.6 };
        let pair = (sentence(number), sentence(number * number + 3), gold);
        probe.push_scored(&pair, &numbers).unwrap();
    }
    let mut reader = Reader::new(&recipe);
    examples().iter().try_for_each(|example| reader.push(example, &numbers)).unwrap();
    let examples = reader.finish().unwrap();
    let mut session = Session::new(Toy::new(1), recipe, examples, probe, EVERYTHING).unwrap();
    let measures = run(&mut session).measures.remove(0);
    assert_eq!(measures.positives, Positives::Scored);
    let unit = |text: &str, skipped: usize| {
        let ids = numbers(text).unwrap().ids;
        let table = Toy::new(1).table;
        let mut sum = [0.0_f64; HIDDEN];
        for id in &ids[skipped..] {
            (0..HIDDEN).for_each(|i| sum[i] += f64::from(table[*id as usize * HIDDEN + i]));
        }
        let length = sum.iter().map(|value| value * value).sum::<f64>().sqrt();
        sum.map(|value| value / length)
    };
    let pairs = |skipped: usize| {
        (0..8_usize).map(move |number| {
            let (x, y) =
                (unit(&sentence(number), skipped), unit(&sentence(number * number + 3), skipped));
            x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>()
        })
    };
    let gold: Vec<f32> = (0..8).map(|number| 5.0 - number as f32 * 0.6).collect();
    let expected = |skipped| {
        let cosines: Vec<f32> = pairs(skipped).map(|cosine| cosine as f32).collect();
        crate::math::ranks::spearman(&cosines, &gold)
    };
    assert_eq!((measures.spearman, measures.spearman_mean), (expected(0), expected(1)));
    let near: Vec<f64> = pairs(0).take(2).map(|cosine| 2.0 - 2.0 * cosine).collect();
    assert!((measures.alignment.unwrap() - (near[0] + near[1]) / 2.0).abs() < 1e-5);
    assert_eq!(measures.shape.sentences, 0);
}

#[test]
fn a_recipe_out_of_range_is_refused() {
    let recipe = Recipe { temperature: 0.0, readout: TrainedReadout::Mean, ..recipe() };
    let mut reader = Reader::new(&recipe);
    examples().iter().try_for_each(|example| reader.push(example, &numbers)).unwrap();
    let examples = reader.finish().unwrap();
    let refused = Session::new(Toy::new(1), recipe, examples, probe(), EVERYTHING);
    assert!(matches!(refused, Err(Error::Recipe(_))));
}
