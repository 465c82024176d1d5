//! A tiny BERT checkpoint as Hugging Face lays it out.

use std::collections::BTreeMap;

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::json;
use simcse_lab::intake::Intake;
use simcse_lab::intake::WeightsFile;
use simcse_lab::intake::description::{Description, Known, Papers};
use simcse_lab::intake::drive::{self, Source};
use simcse_lab::protocol::readout::Pooling;
use simcse_lab::weights::blocks::BlockType;
use simcse_lab::weights::error::Error;

use crate::word_pieces::{self, SPECIAL};

pub const HIDDEN: usize = 32;
pub const FEED_FORWARD: usize = 64;
pub const LAYERS: usize = 2;

pub const TOKENS: [&str; 14] = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "river", "boat", "cross", "##ing", "##es",
    "the", ".", "night",
];

/// Shape and values of every tensor, under its Hugging Face name.
pub fn values() -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    let mut all = BTreeMap::new();
    let mut add = |name: String, shape: &[usize]| {
        let salt = all.len() as f32;
        let count = shape.iter().product::<usize>();
        let values = (0..count).map(|i| (i as f32 * 0.7 + salt).sin() * 0.3).collect();
        all.insert(name, (shape.to_vec(), values));
    };
    add("embeddings.word_embeddings.weight".into(), &[TOKENS.len(), HIDDEN]);
    add("embeddings.position_embeddings.weight".into(), &[16, HIDDEN]);
    add("embeddings.token_type_embeddings.weight".into(), &[2, HIDDEN]);
    add("embeddings.LayerNorm.weight".into(), &[HIDDEN]);
    add("embeddings.LayerNorm.bias".into(), &[HIDDEN]);
    for layer in 0..LAYERS {
        for (part, shape) in [
            ("attention.self.query", vec![HIDDEN, HIDDEN]),
            ("attention.self.key", vec![HIDDEN, HIDDEN]),
            ("attention.self.value", vec![HIDDEN, HIDDEN]),
            ("attention.output.dense", vec![HIDDEN, HIDDEN]),
            ("attention.output.LayerNorm", vec![HIDDEN]),
            ("intermediate.dense", vec![FEED_FORWARD, HIDDEN]),
            ("output.dense", vec![HIDDEN, FEED_FORWARD]),
            ("output.LayerNorm", vec![HIDDEN]),
        ] {
            add(format!("encoder.layer.{layer}.{part}.weight"), &shape);
            add(format!("encoder.layer.{layer}.{part}.bias"), &shape[..1]);
        }
    }
    all
}

/// The weights file, every name with `prefix` before it.
pub fn safetensors(prefix: &str) -> Vec<u8> {
    let bytes: Vec<_> = values()
        .into_iter()
        .map(|(name, (shape, values))| {
            let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            (format!("{prefix}{name}"), shape, bytes)
        })
        .collect();
    let views = bytes.iter().map(|(name, shape, bytes)| {
        (name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap())
    });
    safetensors::serialize(views, None).unwrap()
}

pub fn config_json() -> String {
    json!({
        "model_type": "bert", "hidden_act": "gelu", "hidden_size": HIDDEN,
        "intermediate_size": FEED_FORWARD, "num_hidden_layers": LAYERS, "num_attention_heads": 4,
        "max_position_embeddings": 16, "type_vocab_size": 2, "vocab_size": TOKENS.len(),
        "layer_norm_eps": 1e-12,
    })
    .to_string()
}

pub fn tokenizer_json() -> String {
    word_pieces::tokenizer_json(&TOKENS[SPECIAL.len()..], &json!(null), &json!(null))
}

/// A checkpoint of one weights file, in memory.
pub struct Checkpoint<'a> {
    pub safetensors: &'a [u8],
    pub config_json: &'a str,
    pub tokenizer_json: &'a str,
    pub name: &'a str,
    pub licence: Option<&'a str>,
    pub pooling: Pooling,
}

/// Files in memory, given out in parts of `part` bytes.
pub struct Memory {
    pub files: Vec<Vec<u8>>,
    pub part: usize,
    at: (usize, usize),
}

impl Memory {
    pub fn new(files: Vec<Vec<u8>>, part: usize) -> Self {
        Self { files, part, at: (0, 0) }
    }

    /// The files under those names.
    pub fn listed(&self, names: &[&str]) -> Vec<WeightsFile> {
        let files = self.files.iter().zip(names);
        let listed = files.map(|(bytes, name)| WeightsFile {
            name: (*name).to_owned(),
            size_bytes: bytes.len() as u64,
            sha256: None,
            tensors: Vec::new(),
        });
        listed.collect()
    }
}

impl Source for Memory {
    type Error = Error;

    async fn read(&mut self, file: usize, range: std::ops::Range<u64>) -> Result<Vec<u8>, Error> {
        Ok(self.files[file][range.start as usize..range.end as usize].to_vec())
    }

    async fn begin(&mut self, file: usize, from: u64) -> Result<(), Error> {
        self.at = (file, from as usize);
        Ok(())
    }

    async fn next(&mut self) -> Result<Vec<u8>, Error> {
        let (file, from) = self.at;
        let bytes = &self.files[file][from..];
        let bytes = &bytes[..bytes.len().min(self.part)];
        self.at.1 += bytes.len();
        Ok(bytes.to_vec())
    }

    async fn came(&mut self, _: u64, _: u64) -> Result<(), Error> {
        Ok(())
    }

    async fn taken(&mut self, _: &mut Intake) -> Result<(), Error> {
        Ok(())
    }
}

/// The checkpoint as GGUF.
pub fn convert(checkpoint: &Checkpoint<'_>, block: BlockType) -> Result<Vec<u8>, Error> {
    let papers = Papers::from([
        ("config.json".to_owned(), checkpoint.config_json.to_owned()),
        ("tokenizer.json".to_owned(), checkpoint.tokenizer_json.to_owned()),
    ]);
    let known = Known {
        name: checkpoint.name.to_owned(),
        licence: checkpoint.licence.map(str::to_owned),
        source: None,
        pooling: Some(checkpoint.pooling),
    };
    let description = Description::read(&papers, &known)?;
    let mut memory = Memory::new(vec![checkpoint.safetensors.to_vec()], 1 << 20);
    let files = memory.listed(&["model.safetensors"]);
    pollster::block_on(drive::convert(&mut memory, &description, files, block))
}

/// The checkpoint as GGUF.
pub fn convert_with(prefix: &str, block: BlockType) -> Vec<u8> {
    let checkpoint = Checkpoint {
        safetensors: &safetensors(prefix),
        config_json: &config_json(),
        tokenizer_json: &tokenizer_json(),
        name: "tiny",
        licence: Some("cc0-1.0"),
        pooling: Pooling::FirstLast,
    };
    convert(&checkpoint, block).unwrap()
}
