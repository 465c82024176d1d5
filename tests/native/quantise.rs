//! Number formats, files and conversion against gguf-py (see `tests/fixtures/make.py`).

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::json;
use simcse_lab::protocol::readout::Pooling;
use simcse_lab::text::tokeniser::Limits;
use simcse_lab::text::tokeniser::Tokeniser;
use simcse_lab::text::tokeniser::WordPieces;
use simcse_lab::weights::bert::BertFile;
use simcse_lab::weights::bert::sha256;
use simcse_lab::weights::blocks::BlockType;
use simcse_lab::weights::convert::requantise;
use simcse_lab::weights::error::Error;
use simcse_lab::weights::gguf::Gguf;
use simcse_lab::weights::tokens::SpecialIds;
use simcse_lab::weights::tokens::TokenList;
use simcse_lab::weights::tokens::Vocabulary;
use simcse_lab::weights::tokens::rebuild;

use crate::checkpoint;
use crate::checkpoint::{Checkpoint, convert};
use crate::shared;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[derive(Deserialize)]
struct Blocks {
    decode: Vec<Decoded>,
    values: String,
    encode: Vec<Encoded>,
}

#[derive(Deserialize)]
struct Decoded {
    r#type: String,
    bytes: String,
    values: String,
}

#[derive(Deserialize)]
struct Encoded {
    r#type: String,
    bytes: String,
}

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn floats(text: &str) -> Vec<f32> {
    unhex(text).as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(ROOT).join("tests/fixtures").join(name)).unwrap()
}

fn blocks() -> Blocks {
    serde_json::from_slice(&fixture("blocks.json")).unwrap()
}

fn kind(name: &str) -> BlockType {
    BlockType::from_name(name).unwrap()
}

#[test]
fn every_format_decodes_to_the_bits_of_gguf_py() {
    let cases = blocks().decode;
    assert_eq!(cases.len(), 12);
    for case in cases {
        let expected = floats(&case.values);
        let mut found = vec![0.0; expected.len()];
        kind(&case.r#type).decode(&unhex(&case.bytes), &mut found).unwrap();
        for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let same = found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan();
            assert!(same, "{} value {i}: {found} for {expected}", case.r#type);
        }
    }
}

#[test]
fn every_written_format_has_the_bytes_of_gguf_py() {
    let Blocks { values, encode, .. } = blocks();
    let values = floats(&values);
    assert_eq!(encode.len(), 4);
    for case in encode {
        let mut found = Vec::new();
        kind(&case.r#type).encode("sample", &values, &mut found).unwrap();
        assert!(found == unhex(&case.bytes), "{}: other bytes", case.r#type);
    }
}

#[test]
fn what_a_format_cannot_hold_is_refused() {
    let refused = |kind: BlockType, value: f32| {
        kind.encode("w", &[value; 32], &mut Vec::new())
            == Err(Error::NotFinite { name: "w".into() })
    };
    for kind in BlockType::WRITABLE {
        assert!(refused(kind, f32::NAN), "{}", kind.name());
        assert!(refused(kind, f32::INFINITY), "{}", kind.name());
    }
    assert!(refused(BlockType::F16, 70_000.0));
    assert!(refused(BlockType::Q4_0, 1e6));
    assert!(refused(BlockType::Q8_0, 1e8));
    let only_read = BlockType::Q6K.encode("w", &[0.0; 256], &mut Vec::new());
    assert!(matches!(only_read, Err(Error::TensorType { .. })));
    let part = BlockType::Q8_0.encode("w", &[0.0; 33], &mut Vec::new());
    assert!(matches!(part, Err(Error::BlockLength { .. })));
}

#[derive(Deserialize)]
struct Tiny {
    tokens: Vec<String>,
    /// Number of rows, and the last of them.
    rows: BTreeMap<String, (usize, String)>,
}

#[test]
fn a_file_in_the_layout_of_llama_cpp_is_read() {
    let expected: Tiny = serde_json::from_slice(&fixture("tiny_bert.json")).unwrap();
    let file = BertFile::read("tiny_bert.gguf", fixture("tiny_bert.gguf"), None).unwrap();
    let config = &file.config;
    assert_eq!((config.layers, config.hidden, config.heads), (2, 32, 4));
    assert_eq!((config.feed_forward, config.max_tokens, config.token_types), (64, 24, 2));
    assert_eq!((config.name.as_str(), config.pooling), ("tiny random bert", Pooling::Cls));
    assert_eq!(file.quantisation(), BlockType::Q8_0);
    let Vocabulary::WordPiece { tokens, cls, sep, unknown, padding, lowercase } = &file.vocabulary
    else {
        panic!("the file has no tokenizer.json");
    };
    assert_eq!(tokens, &expected.tokens);
    assert_eq!((*padding, *unknown, *cls, *sep, *lowercase), (0, 1, 2, 3, true));
    for (name, (rows, last)) in expected.rows {
        let tensor = file.tensor(&name).unwrap();
        let last = floats(&last);
        assert_eq!((tensor.rows, tensor.columns), (rows, last.len()), "{name}");
        let mut row = vec![0.0; tensor.columns];
        tensor.row_into(rows - 1, &mut row).unwrap();
        assert_eq!(row, last, "{name}");
        assert_eq!(tensor.to_f32().unwrap()[(rows - 1) * tensor.columns..], last, "{name}");
        let beyond = tensor.row_into(rows, &mut row);
        assert_eq!(beyond, Err(Error::Row { name, row: rows, rows }));
    }
}

#[test]
fn a_checkpoint_converts_to_a_file_with_its_values() {
    let values = checkpoint::values();
    for prefix in ["", "bert."] {
        let bytes = checkpoint::convert_with(prefix, BlockType::F32);
        let file = BertFile::read("tiny", bytes, None).unwrap();
        assert_eq!(file.config.licence.as_deref(), Some("cc0-1.0"));
        assert_eq!(file.config.pooling, Pooling::FirstLast);
        assert!(matches!(&file.vocabulary, Vocabulary::TokenizerJson(json)
            if *json == checkpoint::tokenizer_json()));
        for (ours, theirs) in [
            ("token_embd.weight", "embeddings.word_embeddings.weight"),
            ("blk.1.ffn_down.weight", "encoder.layer.1.output.dense.weight"),
            ("blk.0.attn_output_norm.bias", "encoder.layer.0.attention.output.LayerNorm.bias"),
        ] {
            assert_eq!(file.tensor(ours).unwrap().to_f32().unwrap(), values[theirs].1, "{ours}");
        }
    }
}

#[test]
fn quantised_matrices_stay_near_and_everything_else_stays_exact() {
    let exact = BertFile::read("tiny", checkpoint::convert_with("", BlockType::F32), None).unwrap();
    for (kind, relative) in
        [(BlockType::F16, 0.001), (BlockType::Q8_0, 0.008), (BlockType::Q4_0, 0.14)]
    {
        let bytes = checkpoint::convert_with("", kind);
        assert_eq!(bytes, checkpoint::convert_with("", kind), "not deterministic");
        let file = BertFile::read("tiny", bytes, None).unwrap();
        assert_eq!(file.quantisation(), kind);
        for (name, _, _) in exact.config.tensors() {
            let (found, expected) = (file.tensor(&name).unwrap(), exact.tensor(&name).unwrap());
            let (values, wanted) = (found.to_f32().unwrap(), expected.to_f32().unwrap());
            if found.block == BlockType::F32 {
                assert_eq!(values, wanted, "{name}");
                continue;
            }
            let largest = wanted.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
            for (value, wanted) in values.iter().zip(&wanted) {
                assert!((value - wanted).abs() <= relative * largest, "{name} {}", kind.name());
            }
        }
        let again = requantise(&exact, kind).unwrap();
        let again = BertFile::read("tiny", again, None).unwrap();
        let name = "blk.0.ffn_up.weight";
        assert_eq!(again.tensor(name).unwrap().bytes, file.tensor(name).unwrap().bytes);
        assert_eq!(again.vocabulary, file.vocabulary);
    }
}

#[test]
fn a_converted_vocabulary_serves_without_its_tokenizer_json() {
    let bytes = checkpoint::convert_with("", BlockType::Q8_0);
    let whole = Gguf::read("tiny", &bytes).unwrap();
    let marked = whole.texts("tokenizer.ggml.tokens").unwrap().unwrap();
    let types: Vec<i32> = whole
        .numbers("tokenizer.ggml.token_type")
        .unwrap()
        .and_then(|numbers| Some(numbers.as_i32()?.collect()))
        .unwrap();
    let tokens = simcse_lab::weights::tokens::unmark(marked, &types);
    assert_eq!(tokens, checkpoint::TOKENS);
    let marks: Vec<_> = marked.iter().collect();
    assert_eq!(marks[2], "[CLS]");
    assert!(marks.contains(&"\u{2581}river") && marks.contains(&"ing"));
}

#[derive(Deserialize)]
struct Golden {
    cases: Vec<GoldenCase>,
}

#[derive(Deserialize)]
struct GoldenCase {
    name: String,
    text: String,
    ids: Vec<u32>,
}

/// The real vocabulary, as those read it whose files carry no tokenizer.json.
#[test]
fn the_default_weights_tokenise_alike_without_their_tokenizer_json() {
    let path = Path::new(ROOT).join("assets/models/all-MiniLM-L6-v2-q8_0.gguf");
    let header = Gguf::read("default", &std::fs::read(path).unwrap()).unwrap();
    let marked = header.texts("tokenizer.ggml.tokens").unwrap().unwrap();
    let numbers = header.numbers("tokenizer.ggml.token_type").unwrap().unwrap();
    let types: Vec<i32> = numbers.as_i32().unwrap().collect();
    let json = header.text("tokenizer.huggingface.json").unwrap().unwrap();
    let Vocabulary::WordPiece { tokens, cls, sep, unknown, padding, lowercase } =
        rebuild(marked, &types, SpecialIds::default()).unwrap()
    else {
        panic!("a word piece vocabulary is asked for");
    };
    assert_eq!(tokens, TokenList::from_json(json, tokens.len()).unwrap().tokens);
    assert_eq!((padding, unknown, cls, sep, lowercase), (0, 100, 101, 102, true));
    let Some(path) = shared::data("golden/minilm_golden.json") else { return };
    let golden: Golden = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let limits = Limits { max_tokens: 512, vocabulary: tokens.len() };
    let pieces = WordPieces { tokens, cls, sep, unknown, padding, lowercase };
    let tokeniser = Tokeniser::from_word_pieces(&pieces, limits).unwrap();
    for case in golden.cases {
        let found = tokeniser.tokenise(&case.text).unwrap();
        assert!(found.ids == case.ids, "{}: other token ids", case.name);
    }
}

#[test]
fn checkpoints_that_are_no_such_bert_are_refused() {
    let (config, tokenizer) = (checkpoint::config_json(), checkpoint::tokenizer_json());
    let weights = checkpoint::safetensors("");
    let attempt = |safetensors: &[u8], config_json: &str, tokenizer_json: &str| {
        let pooling = Pooling::Mean;
        let name = "tiny";
        let checkpoint =
            Checkpoint { safetensors, config_json, tokenizer_json, name, licence: None, pooling };
        convert(&checkpoint, BlockType::F32).unwrap_err()
    };
    let changed = |key: &str, value: serde_json::Value| {
        let mut config: serde_json::Value = serde_json::from_str(&config).unwrap();
        config[key] = value;
        config.to_string()
    };
    for (key, value) in [
        ("model_type", json!("gpt2")),
        ("hidden_act", json!("silu")),
        ("position_embedding_type", json!("relative_key")),
        ("hidden_size", json!(0)),
        ("num_hidden_layers", json!(u64::MAX)),
        ("vocab_size", json!("many")),
    ] {
        let error = attempt(&weights, &changed(key, value), &tokenizer);
        assert!(matches!(error, Error::Config { .. }), "{key}: {error}");
    }
    let error = attempt(&weights, &changed("num_hidden_layers", json!(3)), &tokenizer);
    assert!(matches!(error, Error::MissingTensor { .. }), "{error}");
    let error = attempt(&weights, &changed("num_hidden_layers", json!(2_000_000_000)), &tokenizer);
    assert!(matches!(error, Error::MissingTensor { .. }), "{error}");
    for (key, value) in [
        ("intermediate_size", 96),
        ("intermediate_size", 2_000_000_000),
        ("hidden_size", 2_000_000_000),
        ("vocab_size", 2_000_000_000),
    ] {
        let error = attempt(&weights, &changed(key, json!(value)), &tokenizer);
        assert!(matches!(error, Error::TensorShape { .. }), "{key}: {error}");
    }
    let error = attempt(&weights[..weights.len() / 2], &config, &tokenizer);
    assert!(matches!(error, Error::Truncated { .. }), "{error}");
    for wrong in ["{}", "not json", r#"{"model":{"type":"BPE","vocab":{"a":0}}}"#] {
        let error = attempt(&weights, &config, wrong);
        assert!(matches!(error, Error::Tokeniser { .. }), "{wrong}: {error}");
    }
}

#[derive(Deserialize)]
struct IndexEntry {
    name: String,
    file: String,
    size_bytes: u64,
    sha256: String,
    quantisation: String,
}

#[test]
fn the_default_weights_are_what_the_index_says() {
    let folder = Path::new(ROOT).join("assets/models");
    let index = std::fs::read(folder.join("index.json")).unwrap();
    let index: Vec<IndexEntry> = serde_json::from_slice(&index).unwrap();
    assert!(!index.is_empty());
    for entry in index {
        let bytes = std::fs::read(folder.join(&entry.file)).unwrap();
        assert_eq!(sha256(&bytes), entry.sha256, "{}", entry.file);
        assert!(bytes.len() <= 26_000_000, "{}", entry.file);
        assert_eq!(bytes.len() as u64, entry.size_bytes, "{}", entry.file);
        let file = BertFile::read("default", bytes, Some(entry.sha256)).unwrap();
        assert_eq!(file.config.name, entry.name);
        assert_eq!(file.quantisation().name(), entry.quantisation);
        for (name, _, _) in file.config.tensors() {
            file.tensor(&name).unwrap().to_f32().unwrap();
        }
    }
}

#[test]
fn the_default_weights_can_be_made_again() {
    let Some(made) = shared::reference_weights(BlockType::Q8_0) else { return };
    let asset = Path::new(ROOT).join("assets/models/all-MiniLM-L6-v2-q8_0.gguf");
    assert!(made == std::fs::read(asset).unwrap(), "other bytes than the asset");
}
