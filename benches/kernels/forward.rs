//! The whole forward pass of the model that the page comes with.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::Path;

use criterion::Criterion;
use simcse_lab::backend::cpu::Cpu;
use simcse_lab::model::encoder::Encoder;
use simcse_lab::protocol::readout::{Pooling, Readout};
use simcse_lab::text::tokeniser::Tokens;
use simcse_lab::weights::bert::{BertConfig, BertFile};

use crate::log::{Log, Peak};

pub const MODEL: &str = "assets/models/all-MiniLM-L6-v2-q8_0.gguf";
pub const SENTENCES: &str = "assets/sentences.txt";

/// One sentence, a batch, and long passages. The operations counted are those of the linear layers,
/// so the share is the part of the int8 peak that the pass as a whole makes use of.
pub fn bench(criterion: &mut Criterion, log: &mut Log) {
    if let Err(why) = passes(criterion, log) {
        println!("no forward pass: {why}");
    }
}

fn passes(criterion: &mut Criterion, log: &mut Log) -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = BertFile::read(MODEL, fs::read(root.join(MODEL))?, None)?;
    let encoder = Encoder::load(Cpu::default(), &file)?;
    let text = fs::read_to_string(root.join(SENTENCES))?;
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).take(120).collect();
    let short: Vec<Tokens> =
        lines.iter().take(32).map(|line| encoder.tokenise(line)).collect::<Result<_, _>>()?;
    let long: Vec<Tokens> = lines
        .chunks(12)
        .map(|lines| encoder.tokenise(&lines.join(" ")))
        .collect::<Result<_, _>>()?;
    let operations_a_token = operations_a_token(encoder.config());
    let mut group = criterion.benchmark_group("forward pass");
    let lists =
        [("one sentence", &short[..1]), ("32 sentences", &short[..]), ("passages", &long[..])];
    for (what, sentences) in lists {
        let tokens: usize = sentences.iter().map(|sentence| sentence.ids.len()).sum();
        let unread =
            operations_behind_attention(encoder.config()) * (tokens - sentences.len()) as u64;
        let all = tokens as u64 * operations_a_token;
        for (pooling, operations) in [(Pooling::Mean, all), (Pooling::Cls, all - unread)] {
            let name = format!("{what}, {tokens} tokens, {}", pooling.name());
            log.measure(&mut group, &name, operations, Peak::Int8, || {
                let rows = encoder.embed(black_box(sentences), Readout::last(pooling));
                black_box(pollster::block_on(rows).is_ok());
            });
        }
    }
    group.finish();
    Ok(())
}

/// A token's in the last layer, of what is not computed where only the first token is read.
fn operations_behind_attention(config: &BertConfig) -> u64 {
    let (hidden, wide) = (config.hidden as u64, config.feed_forward as u64);
    2 * (hidden * hidden + 2 * hidden * wide)
}

/// Of the linear layers: queries, keys, values, output, and the wide layer up and down.
pub fn operations_a_token(config: &BertConfig) -> u64 {
    let hidden = config.hidden as u64;
    config.layers as u64 * (2 * 3 * hidden * hidden + operations_behind_attention(config))
}
