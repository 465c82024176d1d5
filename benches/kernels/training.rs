//! One step of a fine-tune: forward and backward through the trained layers, and the update.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::Path;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion};
use simcse_lab::backend::cpu::Cpu;
use simcse_lab::model::encoder::Encoder;
use simcse_lab::protocol::recipe::{Recipe, Trained};
use simcse_lab::training::cpu::CpuLearner;
use simcse_lab::training::learner::{Learner, Noise, Update};
use simcse_lab::weights::bert::BertFile;

use crate::forward::{MODEL, SENTENCES, operations_a_token};
use crate::log::{Log, Peak};

/// Sentences of a step: one of the two passes of a batch, or a part of it.
const BATCH: usize = 32;

/// A step of an adapter of low rank, and of all layers' weights.
pub fn bench(criterion: &mut Criterion, log: &mut Log) {
    let mut group = criterion.benchmark_group("training step");
    let low_rank = Recipe::default();
    let layers = Recipe { trained: Trained::LastLayers { count: 6 }, ..Recipe::default() };
    // Forward, and backward to the states; where weights are trained, their gradient is as much again.
    for (what, recipe, passes) in [("low rank", &low_rank, 2), ("six layers", &layers, 3)] {
        if let Err(why) = step(&mut group, log, what, recipe, passes) {
            println!("no training step, {what}: {why}");
        }
    }
    group.finish();
}

fn step(
    group: &mut BenchmarkGroup<'_, WallTime>,
    log: &mut Log,
    what: &str,
    recipe: &Recipe,
    passes: u64,
) -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = BertFile::read(MODEL, fs::read(root.join(MODEL))?, None)?;
    let encoder = Encoder::load(Cpu::default(), &file)?;
    let text = fs::read_to_string(root.join(SENTENCES))?;
    let lines = text.lines().filter(|line| !line.is_empty()).take(BATCH);
    let sentences: Vec<Vec<u32>> =
        lines.map(|line| Ok(encoder.tokenise(line)?.ids)).collect::<Result<_, Box<dyn Error>>>()?;
    let sentences: Vec<&[u32]> = sentences.iter().map(Vec::as_slice).collect();
    let tokens: usize = sentences.iter().map(|ids| ids.len()).sum();
    let mut learner = CpuLearner::new(&file, recipe, None)?;
    let gradient = vec![1e-3; sentences.len() * learner.hidden()];
    let noise = Noise { dropout: recipe.dropout, seed: 1 };
    let update = Update { learning_rate: 1e-6, weight_decay: 0.0, gradient_clip: 1.0 };
    let operations = passes * tokens as u64 * operations_a_token(encoder.config());
    let name = format!("{what}, {BATCH} sentences, {tokens} tokens");
    log.measure(group, &name, operations, Peak::F32, || {
        let step = async {
            let forward = learner.forward(&sentences, Some(noise), true).await?;
            if let Some(tape) = forward.tape {
                learner.backward(tape, &gradient).await?;
            }
            learner.update(update).await
        };
        black_box(pollster::block_on(step).is_ok());
    });
    Ok(())
}
