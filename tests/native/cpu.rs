//! The CPU backend as a whole, on the weights we ship: the same bits from every kernel, alone or in
//! company, and no memory taken once a batch of the size went through.

use std::path::Path;

use simcse_lab::backend::cpu::Cpu;
use simcse_lab::backend::{Backend, Batch};
use simcse_lab::model::bert::Bert;
use simcse_lab::model::encoder::Encoder;
use simcse_lab::model::pooling::Plan;
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
        for pooling in [Pooling::Cls, Pooling::Mean] {
            let together = embed(&encoder, &sentences, pooling);
            for (sentence, wanted) in sentences.iter().zip(together.chunks(file.config.hidden)) {
                let alone = embed(&encoder, std::slice::from_ref(sentence), pooling);
                assert!(alone == wanted, "{} tokens", sentence.ids.len());
            }
        }
    }
}

#[test]
fn first_tokens_get_the_same_bits_where_the_last_layer_computes_no_others() {
    let file = default_weights();
    let layers = file.config.layers;
    let backend = Cpu::default();
    let bert = Bert::load_first(&backend, &file, layers).unwrap();
    let encoder = Encoder::load(Cpu::default(), &file).unwrap();
    let sentences = sentences(&encoder);
    let batch = Batch::pack(sentences.iter().map(|it| it.ids.as_slice()));
    for layer in [1, 3, layers] {
        let readout = Readout { pooling: Pooling::Cls, layer: Some(layer as u16) };
        let plan = Plan::new(readout, layers).unwrap();
        let run = |plan| {
            let mut pass = bert.begin(&backend, batch.clone(), plan).unwrap();
            while bert.advance(&backend, &mut pass).unwrap() {}
            let (states, batch) = pass.finish(&backend).unwrap();
            let rows = bert.pool(&backend, &states, &batch, plan).unwrap();
            let [rows] = pollster::block_on(backend.read([rows])).unwrap();
            let bits: Vec<u32> = rows.iter().map(|value| value.to_bits()).collect();
            (bits, batch)
        };
        let (wanted, whole) = run(Plan { every_token: true, ..plan });
        let (found, narrow) = run(plan);
        assert_eq!((&whole, narrow.tokens()), (&batch, sentences.len()), "layer {layer}");
        assert!(found == wanted, "layer {layer}");
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
