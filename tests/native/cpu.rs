//! The CPU backend as a whole, on the weights we ship: the same bits from every kernel, alone or in
//! company, and no memory taken once a batch of the size went through.

use std::path::Path;

use simcse_lab::backend::cpu::Cpu;
use simcse_lab::model::encoder::Encoder;
use simcse_lab::protocol::readout::{Pooling, Readout};
use simcse_lab::simd::kernel::Kernel;
use simcse_lab::text::tokeniser::Tokens;
use simcse_lab::weights::bert::BertFile;
use simcse_lab::weights::blocks::BlockType;
use simcse_lab::weights::convert::requantise;

use crate::memory::taken_by;

fn default_weights() -> BertFile {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/models/all-MiniLM-L6-v2-q8_0.gguf");
    BertFile::read("default", std::fs::read(path).unwrap(), Some(String::new())).unwrap()
}

/// Of 2 tokens, of some, and of more than a block of attention's keys.
fn sentences(encoder: &Encoder<Cpu>) -> Vec<Tokens> {
    let long = "The lantern on the pier swings in the wind, and nobody comes to put it out. ";
    let texts = ["", "Rain.", "A short walk along the river.", &long.repeat(4), "Snow again!"];
    texts.iter().map(|text| encoder.tokenise(text).unwrap()).collect()
}

fn embed(encoder: &Encoder<Cpu>, sentences: &[Tokens], pooling: Pooling) -> Vec<u32> {
    let rows = pollster::block_on(encoder.embed(sentences, Readout::last(pooling))).unwrap();
    rows.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn every_kernel_gives_the_same_bits() {
    let file = default_weights();
    let run = |kernel| {
        let encoder = Encoder::load(Cpu::with(kernel), &file).unwrap();
        embed(&encoder, &sentences(&encoder), Pooling::Mean)
    };
    let wanted = run(Kernel::PORTABLE);
    for kernel in Kernel::built_in() {
        assert!(run(kernel) == wanted, "{} differs", kernel.name);
    }
}

#[test]
fn company_changes_no_bit() {
    let file = default_weights();
    let real = requantise(&file, BlockType::F32).unwrap();
    let real = BertFile::read("real", real, Some(String::new())).unwrap();
    for file in [file, real] {
        let encoder = Encoder::load(Cpu::default(), &file).unwrap();
        let sentences = sentences(&encoder);
        let together = embed(&encoder, &sentences, Pooling::Cls);
        for (sentence, wanted) in sentences.iter().zip(together.chunks(file.config.hidden)) {
            let alone = embed(&encoder, std::slice::from_ref(sentence), Pooling::Cls);
            assert!(alone == wanted, "{} tokens", sentence.ids.len());
        }
    }
}

#[test]
fn a_warm_batch_takes_no_memory_but_for_its_answer() {
    let encoder = Encoder::load(Cpu::default(), &default_weights()).unwrap();
    let sentences = sentences(&encoder);
    let (_, first) = taken_by(|| embed(&encoder, &sentences, Pooling::Mean));
    let (_, second) = taken_by(|| embed(&encoder, &sentences, Pooling::Mean));
    // Ids, order and rows, in the batch and in the answer: a state of one layer would be 150 KB.
    assert!(first > 500_000 && second < 60_000, "{first} bytes, then {second}");
}
