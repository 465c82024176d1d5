//! The learner as a whole: its forward pass against the encoder's, its gradients against finite
//! differences, its promises about noise, checkpoints and caches.

use pollster::block_on;

use super::*;
use crate::model::encoder::Encoder;
use crate::protocol::readout::Readout;
use crate::protocol::recipe::{Linears, Trained};
use crate::text::tokeniser::Tokens;
use crate::weights::blocks::BlockType;
use crate::weights::convert::requantise;

const TINY: &[u8] = include_bytes!("../../../tests/fixtures/tiny_bert.gguf");
const NOISE: Option<Noise> = Some(Noise { dropout: 0.2, seed: 3 });

/// In `f32`, or the layers that a recipe freezes would run in int8, which has no exact answer.
fn file() -> BertFile {
    let file = BertFile::read("tiny", TINY.to_vec(), Some(String::new())).unwrap();
    let bytes = requantise(&file, BlockType::F32).unwrap();
    BertFile::read("tiny", bytes, Some(String::new())).unwrap()
}

fn ids() -> Vec<Vec<u32>> {
    let vocabulary = file().config.vocabulary as u32;
    let word = |i: u32| 5 + (i * 7 + 3) % (vocabulary - 5);
    vec![vec![2, word(0), word(1), 3], vec![2, 3], vec![2, word(2), word(3), word(4), word(5), 3]]
}

fn views(ids: &[Vec<u32>]) -> Vec<&[u32]> {
    ids.iter().map(Vec::as_slice).collect()
}

fn lora(last_layers: Option<u16>) -> Trained {
    Trained::Lora { rank: 2, alpha: 3.0, linears: Linears::All, last_layers }
}

fn recipe(trained: Trained, readout: TrainedReadout) -> Recipe {
    Recipe { trained, readout, ..Recipe::default() }
}

fn all_kinds() -> [Recipe; 6] {
    [
        recipe(lora(None), TrainedReadout::Cls),
        recipe(lora(None), TrainedReadout::Mean),
        recipe(lora(Some(1)), TrainedReadout::ClsMlp),
        recipe(Trained::LastLayers { count: 1 }, TrainedReadout::ClsMlpWhileTraining),
        recipe(Trained::LastLayers { count: 1 }, TrainedReadout::Mean),
        recipe(Trained::Everything, TrainedReadout::ClsMlp),
    ]
}

fn learner(recipe: &Recipe, from: Option<&Changes>) -> CpuLearner<Cpu> {
    CpuLearner::new(&file(), recipe, from).unwrap()
}

fn assert_close(found: &[f32], wanted: &[f32], tolerance: f32, what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    for (place, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        assert!((found - wanted).abs() <= tolerance, "{what}, {place}: {found} for {wanted}");
    }
}

/// Weights of the scalar whose gradient is checked: every number of every row counts otherwise.
fn row_gradient(count: usize) -> Vec<f32> {
    (0..count).map(|place| ((place * place + 3) as f32 * 0.37).sin()).collect()
}

/// A training step's scalar, and its gradients in the order of the parameters.
fn step(learner: &mut CpuLearner<Cpu>, ids: &[Vec<u32>]) -> (f64, Vec<Vec<f32>>) {
    let forward = block_on(learner.forward(&views(ids), NOISE, true)).unwrap();
    let weights = row_gradient(forward.rows.len());
    let pairs = forward.rows.iter().zip(&weights);
    let scalar = pairs.map(|(row, weight)| f64::from(*row) * f64::from(*weight)).sum();
    block_on(learner.backward(forward.tape.unwrap(), &weights)).unwrap();
    (scalar, learner.parameters.gradients())
}

#[test]
fn without_noise_it_is_the_encoders_forward_pass() {
    let encoder = Encoder::load(Cpu::default(), &file()).unwrap();
    let ids = ids();
    let tokens: Vec<Tokens> =
        ids.iter().map(|ids| Tokens { ids: ids.clone(), ..Tokens::default() }).collect();
    for recipe in all_kinds() {
        let mut learner = learner(&recipe, None);
        let poolings = [Pooling::Mean, Pooling::Cls];
        let found = block_on(learner.embed(&views(&ids), &poolings)).unwrap();
        for (pooling, found) in poolings.into_iter().zip(found) {
            let wanted = block_on(encoder.embed(&tokens, Readout::last(pooling))).unwrap();
            assert_close(&found, &wanted, 1e-5, &format!("{pooling:?}, {:?}", recipe.trained));
        }
    }
}

#[test]
fn gradients_equal_finite_differences_in_every_tensor() {
    const STEP: f32 = 5e-3;
    let ids = ids();
    for recipe in all_kinds() {
        let mut learner = learner(&recipe, None);
        // A step away from zero, or the gradient of A would be zero with B.
        for position in 0..learner.parameters.iter().count() {
            learner
                .parameters
                .nudge(position, |place| 0.05 * ((place * 7 + position) as f32).sin());
        }
        let (_, gradients) = step(&mut learner, &ids);
        for (position, gradient) in gradients.iter().enumerate() {
            let largest = gradient.iter().fold(0.0_f32, |top, g| top.max(g.abs()));
            for place in [0, gradient.len() / 3, gradient.len() - 1] {
                let mut at = |step_size: f32| {
                    let only = |p: usize| if p == place { step_size } else { 0.0 };
                    learner.parameters.nudge(position, only);
                    let scalar = step(&mut learner, &ids).0;
                    learner.parameters.nudge(position, |p| -only(p));
                    scalar
                };
                let slope = ((at(STEP) - at(-STEP)) / (2.0 * f64::from(STEP))) as f32;
                let allowed = 2e-2 * largest.max(0.1);
                assert!(
                    (slope - gradient[place]).abs() <= allowed,
                    "{:?}, tensor {position}, {place}: {} for {slope}",
                    recipe.trained,
                    gradient[place]
                );
            }
        }
    }
}

#[test]
fn gradients_of_parts_add_up_to_the_gradient_of_the_whole() {
    let ids = ids();
    // Without noise, for masks depend on a sentence's place in its batch.
    for recipe in all_kinds() {
        let mut whole = learner(&recipe, None);
        let mut parts = learner(&recipe, None);
        let forward = block_on(whole.forward(&views(&ids), None, true)).unwrap();
        let weights = row_gradient(forward.rows.len());
        block_on(whole.backward(forward.tape.unwrap(), &weights)).unwrap();
        let hidden = whole.hidden();
        for (sentence, weights) in ids.chunks(1).zip(weights.chunks_exact(hidden)) {
            let forward = block_on(parts.forward(&views(sentence), None, true)).unwrap();
            block_on(parts.backward(forward.tape.unwrap(), weights)).unwrap();
        }
        let both = whole.parameters.gradients().into_iter().zip(parts.parameters.gradients());
        for (whole, parts) in both {
            let largest = whole.iter().fold(1.0_f32, |top, g| top.max(g.abs()));
            assert_close(&parts, &whole, 1e-4 * largest, "parts");
        }
    }
}

#[test]
fn noise_is_the_same_for_the_same_seed_and_another_for_another() {
    for recipe in all_kinds() {
        let mut learner = learner(&recipe, None);
        let ids = ids();
        let mut rows = |noise| block_on(learner.forward(&views(&ids), noise, false)).unwrap().rows;
        assert_eq!(rows(NOISE), rows(NOISE));
        assert_ne!(rows(NOISE), rows(Some(Noise { dropout: 0.2, seed: 4 })));
        assert_ne!(rows(NOISE), rows(None));
        assert_eq!(rows(None), rows(Some(Noise { dropout: 0.0, seed: 4 })));
    }
}

const UPDATE: Update = Update { learning_rate: 1e-2, weight_decay: 0.1, gradient_clip: 1.0 };

fn train(learner: &mut CpuLearner<Cpu>, steps: usize) -> Vec<f32> {
    let ids = ids();
    (0..steps)
        .map(|_| {
            step(learner, &ids);
            block_on(learner.update(UPDATE)).unwrap()
        })
        .collect()
}

#[test]
fn a_checkpoint_goes_on_as_if_nothing_had_been_between() {
    for recipe in all_kinds() {
        let mut learner = learner(&recipe, None);
        train(&mut learner, 2);
        let checkpoint = learner.checkpoint().unwrap();
        let first = (train(&mut learner, 2), learner.changes().unwrap());
        learner.restore(&checkpoint).unwrap();
        let second = (train(&mut learner, 2), learner.changes().unwrap());
        assert_eq!(first, second, "{:?}", recipe.trained);
    }
}

#[test]
fn an_adapter_resumes_where_it_was_written() {
    for recipe in all_kinds() {
        // The forgotten MLP of that readout begins anew, so its rows are not the same.
        let forgets = recipe.readout == TrainedReadout::ClsMlpWhileTraining;
        let mut first = learner(&recipe, None);
        train(&mut first, 2);
        let changes = first.changes().unwrap();
        assert!(changes.values().all(is_finite), "{:?}", recipe.trained);
        let mut second = learner(&recipe, Some(&changes));
        let ids = ids();
        let poolings = [Pooling::Mean, Pooling::Cls, Pooling::ClsMlp];
        let poolings = if forgets { &poolings[..2] } else { &poolings[..] };
        let wanted = block_on(first.embed(&views(&ids), poolings)).unwrap();
        let found = block_on(second.embed(&views(&ids), poolings)).unwrap();
        for (found, wanted) in found.iter().zip(&wanted) {
            assert_close(found, wanted, 1e-5, &format!("{:?}", recipe.trained));
        }
    }
}

fn is_finite(change: &Change) -> bool {
    let all = |values: &[f32]| !values.is_empty() && values.iter().all(|value| value.is_finite());
    match change {
        Change::LowRank { a, b, .. } => all(a) && all(b),
        Change::Difference { difference, .. } => all(difference),
        Change::Added { values, .. } => all(values),
    }
}

#[test]
fn an_adapter_that_does_not_fit_the_recipe_is_refused() {
    let mut first = learner(&all_kinds()[0], None);
    train(&mut first, 1);
    let changes = first.changes().unwrap();
    let error = |trained| {
        let recipe = recipe(trained, TrainedReadout::Cls);
        CpuLearner::new(&file(), &recipe, Some(&changes)).unwrap_err().to_string()
    };
    let linears = Linears::All;
    let rank = Trained::Lora { rank: 3, alpha: 3.0, linears, last_layers: None };
    assert!(error(rank).contains("rank 2"), "{}", error(rank));
    assert!(error(lora(Some(1))).contains("does not train it"));
    assert!(error(Trained::Everything).contains("low-rank"));
    let error = CpuLearner::new(&file(), &recipe(lora(Some(9)), TrainedReadout::Cls), None);
    assert!(matches!(error.unwrap_err(), Error::Recipe(range) if range.field == "trained layers"));
}

#[test]
fn a_gradient_that_is_no_number_changes_nothing() {
    let mut learner = learner(&all_kinds()[0], None);
    train(&mut learner, 1);
    let before = learner.changes().unwrap();
    let ids = ids();
    let forward = block_on(learner.forward(&views(&ids), NOISE, true)).unwrap();
    let weights = vec![f32::NAN; forward.rows.len()];
    block_on(learner.backward(forward.tape.unwrap(), &weights)).unwrap();
    assert!(!block_on(learner.update(UPDATE)).unwrap().is_finite());
    assert_eq!(learner.changes().unwrap(), before);
}
