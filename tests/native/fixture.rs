//! A tiny BERT of random weights, as a GGUF file.

use serde_json::json;
use simcse_lab::protocol::readout::Pooling;
use simcse_lab::weights::adapter::{Change, Changes};
use simcse_lab::weights::adapter_file::{AdapterMeta, write as write_adapter};
use simcse_lab::weights::bert::BertFile;
use simcse_lab::weights::blocks::BlockType;
use simcse_lab::weights::metadata::Value;
use simcse_lab::weights::writer::{TensorPlan, write};

use crate::word_pieces;

pub const LAYERS: usize = 3;
pub const HIDDEN: usize = 36;
pub const HEADS: usize = 3;
pub const FEED_FORWARD: usize = 50;
pub const MAX_TOKENS: usize = 24;

/// Words of the vocabulary, after the special tokens.
pub const WORDS: [&str; 14] =
    ["a", "cat", "dog", "sat", "on", "the", "mat", "##s", "##ting", ".", ",", "not", "rain", "sun"];

fn tokenizer_json() -> String {
    let truncation = json!({"direction": "Right", "max_length": 4, "strategy": "LongestFirst",
        "stride": 0});
    let padding = json!({"strategy": {"Fixed": 12}, "direction": "Right",
        "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"});
    word_pieces::tokenizer_json(&WORDS, &truncation, &padding)
}

/// Deterministic numbers in -1..1 (Marsaglia's xorshift).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }
}

fn plans() -> Vec<TensorPlan> {
    let vocabulary = 5 + WORDS.len();
    let mut shapes = vec![
        ("token_embd.weight".to_owned(), vec![HIDDEN, vocabulary]),
        ("position_embd.weight".to_owned(), vec![HIDDEN, MAX_TOKENS]),
        ("token_types.weight".to_owned(), vec![HIDDEN, 2]),
        ("token_embd_norm.weight".to_owned(), vec![HIDDEN]),
        ("token_embd_norm.bias".to_owned(), vec![HIDDEN]),
    ];
    let linears = [
        ("attn_q", HIDDEN, HIDDEN),
        ("attn_k", HIDDEN, HIDDEN),
        ("attn_v", HIDDEN, HIDDEN),
        ("attn_output", HIDDEN, HIDDEN),
        ("ffn_up", HIDDEN, FEED_FORWARD),
        ("ffn_down", FEED_FORWARD, HIDDEN),
    ];
    for layer in 0..LAYERS {
        for (name, inputs, outputs) in linears {
            shapes.push((format!("blk.{layer}.{name}.weight"), vec![inputs, outputs]));
            shapes.push((format!("blk.{layer}.{name}.bias"), vec![outputs]));
        }
        for name in ["attn_output_norm", "layer_output_norm"] {
            shapes.push((format!("blk.{layer}.{name}.weight"), vec![HIDDEN]));
            shapes.push((format!("blk.{layer}.{name}.bias"), vec![HIDDEN]));
        }
    }
    shapes
        .into_iter()
        .map(|(name, dimensions)| TensorPlan {
            name,
            dimensions: dimensions.into_iter().map(|length| length as u64).collect(),
            block: BlockType::F32,
        })
        .collect()
}

/// The file. Another seed gives other weights.
pub fn gguf(seed: u64) -> Vec<u8> {
    let keys = [
        ("general.architecture", Value::Text("bert".to_owned())),
        ("general.name", Value::Text(format!("tiny-{seed}"))),
        ("bert.block_count", Value::U32(LAYERS as u32)),
        ("bert.embedding_length", Value::U32(HIDDEN as u32)),
        ("bert.feed_forward_length", Value::U32(FEED_FORWARD as u32)),
        ("bert.attention.head_count", Value::U32(HEADS as u32)),
        ("bert.context_length", Value::U32(MAX_TOKENS as u32)),
        ("bert.attention.layer_norm_epsilon", Value::F32(1e-12)),
        ("bert.pooling_type", Value::U32(1)),
        ("tokenizer.huggingface.json", Value::Text(tokenizer_json())),
    ];
    let keys = keys.map(|(key, value)| (key.to_owned(), value));
    let mut numbers = Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    write(&keys, &plans(), |plan, out| {
        let count = plan.dimensions.iter().product::<u64>();
        let values: Vec<f32> = (0..count).map(|_| numbers.next() * 0.7).collect();
        plan.block.encode(&plan.name, &values, out)
    })
    .expect("the fixture's shapes fit")
}

/// The file, read.
pub fn file(seed: u64) -> BertFile {
    BertFile::read("tiny", gguf(seed), None).expect("the fixture is a good file")
}

/// A sentence of so many words, each time another.
pub fn sentence(words: usize, salt: usize) -> String {
    (0..words).map(|i| WORDS[(i * i + salt * 7 + i * salt) % 7]).collect::<Vec<_>>().join(" ")
}

fn random(count: usize, numbers: &mut Numbers) -> Vec<f32> {
    (0..count).map(|_| numbers.next() * 0.5).collect()
}

/// A low-rank change of a tensor of the fixture.
pub fn low_rank(rank: usize, inputs: usize, outputs: usize, scale: f32, seed: u64) -> Change {
    let mut numbers = Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let a = random(rank * inputs, &mut numbers);
    let b = random(rank * outputs, &mut numbers);
    Change::LowRank { rank, inputs, outputs, a, b, scale }
}

/// A difference of a tensor of the fixture.
pub fn difference(rows: usize, columns: usize, seed: u64) -> Change {
    let mut numbers = Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    Change::Difference { rows, columns, difference: random(rows * columns, &mut numbers) }
}

/// An MLP over the first token.
pub fn mlp(seed: u64) -> Changes {
    let mut numbers = Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut added = |rows: usize| {
        let values = random(rows * HIDDEN, &mut numbers);
        Change::Added { rows, columns: HIDDEN, values }
    };
    Changes::from([("cls.weight".to_owned(), added(HIDDEN)), ("cls.bias".to_owned(), added(1))])
}

/// A low-rank adapter of every kind of linear layer.
pub fn lora(seed: u64) -> Changes {
    let change = |name: &str, rank, inputs, outputs, scale| {
        (format!("{name}.weight"), low_rank(rank, inputs, outputs, scale, seed + rank as u64))
    };
    Changes::from([
        change("blk.0.attn_q", 4, HIDDEN, HIDDEN, 0.5),
        change("blk.1.ffn_up", 5, HIDDEN, FEED_FORWARD, 0.5),
        change("blk.2.ffn_down", 3, FEED_FORWARD, HIDDEN, 2.0),
    ])
}

/// An adapter's file for the model of [`gguf`] of that seed.
pub fn adapter(changes: &Changes, base_seed: u64) -> Vec<u8> {
    let meta = AdapterMeta {
        name: "tuned".to_owned(),
        base_name: format!("tiny-{base_seed}"),
        base_sha256: file(base_seed).sha256,
        recipe: "steps = 3\n".to_owned(),
        seed: 7,
        pooling: Some(Pooling::Cls),
        best_pooling: Some(Pooling::Mean),
        metrics: vec![("uniformity".to_owned(), "-2.5".to_owned())],
        curve: "[]".to_owned(),
        licence: Some("mit".to_owned()),
    };
    write_adapter(changes, &meta).expect("the adapter's numbers fit")
}
