//! Bad weight files: each is refused with the problem that names it, within bounded memory.

use proptest::prelude::*;
use simcse_lab::protocol::problem::Problem;
use simcse_lab::weights::bert::BertFile;
use simcse_lab::weights::blocks::BlockType;
use simcse_lab::weights::gguf::Gguf;
use simcse_lab::weights::metadata::NumberKind;
use simcse_lab::weights::metadata::Numbers;
use simcse_lab::weights::metadata::Value;
use simcse_lab::weights::writer::TensorPlan;
use simcse_lab::weights::writer::write;

use crate::checkpoint;
use crate::memory::peak_of;

/// A good file, taken apart so that one thing in it can be made bad.
struct Parts {
    keys: Vec<(String, Value)>,
    tensors: Vec<(TensorPlan, Vec<u8>)>,
}

impl Parts {
    fn good() -> Self {
        let bytes = checkpoint::convert_with("", BlockType::Q8_0);
        let header = Gguf::read("good", &bytes).unwrap();
        let tensors = header.tensors.into_iter().map(|(name, entry)| {
            let block = entry.block.unwrap();
            let plan = TensorPlan { name, dimensions: entry.dimensions, block };
            (plan, bytes[entry.range].to_vec())
        });
        let whole = Self { tensors: tensors.collect(), keys: header.keys.into_iter().collect() };
        // Our own key would win over llama.cpp's pooling type.
        whole.unset("simcse.pooling")
    }

    fn set(mut self, key: &str, value: Value) -> Self {
        self.keys.retain(|(name, _)| name != key);
        self.keys.push((key.to_owned(), value));
        self
    }

    fn unset(mut self, key: &str) -> Self {
        self.keys.retain(|(name, _)| name != key);
        self
    }

    fn tensor(mut self, name: &str, change: impl FnOnce(&mut (TensorPlan, Vec<u8>))) -> Self {
        change(self.tensors.iter_mut().find(|(plan, _)| plan.name == name).unwrap());
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let plans: Vec<_> = self.tensors.iter().map(|(plan, _)| plan.clone()).collect();
        let mut contents = self.tensors.iter().map(|(_, bytes)| bytes);
        write(&self.keys, &plans, |_, out| {
            out.extend(contents.next().unwrap());
            Ok(())
        })
        .unwrap()
    }

    fn problem(&self) -> Problem {
        problem(self.bytes())
    }
}

/// The problem with a file. Its message must name a remedy.
fn problem(bytes: Vec<u8>) -> Problem {
    let error = BertFile::read("some.gguf", bytes, Some(String::new())).unwrap_err();
    let message = error.to_string();
    let remedies = ["again", "convert", "only BERT", "take"];
    assert!(remedies.iter().any(|remedy| message.contains(remedy)), "no remedy: {message}");
    Problem::from(&error)
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

/// Replaces the first `from` in `bytes` by `to`, of the same length.
fn patch(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    bytes[at..at + to.len()].copy_from_slice(to);
    bytes
}

/// Overwrites what stands `skip` bytes behind the first `anchor`.
fn overwrite(mut bytes: Vec<u8>, anchor: &str, skip: usize, with: &[u8]) -> Vec<u8> {
    let window = bytes.windows(anchor.len()).position(|window| window == anchor.as_bytes());
    let at = window.unwrap() + anchor.len() + skip;
    bytes[at..at + with.len()].copy_from_slice(with);
    bytes
}

#[test]
fn the_good_file_is_good_in_both_versions() {
    for version in [2_u32, 3] {
        let mut bytes = Parts::good().bytes();
        bytes[4..8].copy_from_slice(&version.to_le_bytes());
        assert_eq!(BertFile::read("good", bytes, None).unwrap().config.layers, 2);
    }
}

#[test]
fn other_files_are_recognised() {
    for (bytes, looks_like) in [
        (&b""[..], Some("empty")),
        (b"PK\x03\x04....", Some("zip")),
        (b"<!doctype html><p>404", Some("web page")),
        (b"version https://git-lfs.github.com/spec/v1", Some("Git LFS")),
        (b"{\"model_type\": \"bert\"}", Some("JSON")),
        (b"\x10\0\0\0\0\0\0\0{\"__metadata__\"", Some("safetensors")),
        (b"GGU", None),
        (b"anything else", None),
    ] {
        let Problem::NotGguf { name, looks_like: found } = problem(bytes.to_vec()) else {
            panic!("{bytes:?}");
        };
        assert_eq!(name, "some.gguf");
        assert_eq!(found.is_some(), looks_like.is_some(), "{found:?}");
        assert!(found.unwrap_or_default().contains(looks_like.unwrap_or_default()));
    }
}

#[test]
fn other_versions_are_refused() {
    for version in [0_u32, 1, 4, 3_u32.swap_bytes()] {
        let mut bytes = Parts::good().bytes();
        bytes[4..8].copy_from_slice(&version.to_le_bytes());
        assert_eq!(problem(bytes), Problem::GgufVersion { found: version });
    }
}

#[test]
fn a_file_cut_anywhere_is_truncated() {
    let whole = Parts::good().bytes();
    // The last tensor's padding may be missing: nothing of the model is.
    let end = whole.len() - 32;
    for length in (8..4096.min(end)).chain((4096..end).step_by(97)) {
        let found = problem(whole[..length].to_vec());
        let Problem::Truncated { needed_bytes, found_bytes } = found else {
            panic!("{length}: {found:?}");
        };
        assert_eq!(found_bytes, length as u64);
        assert!(needed_bytes > found_bytes && needed_bytes <= whole.len() as u64, "{length}");
    }
}

#[test]
fn other_architectures_are_refused() {
    let found = Parts::good().set("general.architecture", text("llama")).problem();
    assert_eq!(found, Problem::Architecture { found: "llama".into() });
    let found = Parts::good().set("bert.attention.causal", Value::Bool(true)).problem();
    assert!(matches!(found, Problem::Architecture { .. }), "{found:?}");
}

#[test]
fn a_missing_tensor_is_named() {
    let mut parts = Parts::good();
    parts.tensors.retain(|(plan, _)| plan.name != "blk.1.ffn_up.bias");
    assert_eq!(parts.problem(), Problem::MissingTensor { name: "blk.1.ffn_up.bias".into() });
    let found = Parts::good().set("bert.block_count", Value::U32(3)).problem();
    assert!(matches!(found, Problem::MissingTensor { name } if name.starts_with("blk.2.")));
}

#[test]
fn a_wrong_shape_is_shown_beside_the_right_one() {
    let parts = Parts::good().tensor("blk.0.ffn_up.weight", |(plan, _)| {
        plan.dimensions = vec![64, 32];
    });
    let name = "blk.0.ffn_up.weight".to_owned();
    let (expected, found) = (vec![64, 32], vec![32, 64]);
    assert_eq!(parts.problem(), Problem::TensorShape { name, expected, found });
    let found = Parts::good().set("bert.context_length", Value::U32(17)).problem();
    assert!(matches!(found, Problem::TensorShape { name, .. } if name == "position_embd.weight"));
}

#[test]
fn an_unknown_number_format_is_named() {
    // The type follows the number of dimensions and both lengths.
    let iq2_xxs = 16_u32.to_le_bytes();
    let bytes = overwrite(Parts::good().bytes(), "blk.0.attn_q.weight", 4 + 16, &iq2_xxs);
    let name = "blk.0.attn_q.weight".to_owned();
    assert_eq!(problem(bytes), Problem::TensorType { name, found: "iq2_xxs".into() });
}

#[test]
fn numbers_beyond_any_model_are_absurd() {
    let good = Parts::good().bytes();
    let huge = u64::MAX.to_le_bytes();
    let absurd = |bytes: Vec<u8>| {
        let found = problem(bytes);
        assert!(matches!(found, Problem::Absurd { .. }), "{found:?}");
    };
    let mut bytes = good.clone();
    bytes[8..16].copy_from_slice(&huge);
    absurd(bytes);
    let mut bytes = good.clone();
    bytes[16..24].copy_from_slice(&huge);
    absurd(bytes);
    // The first key's length.
    let mut bytes = good.clone();
    bytes[24..32].copy_from_slice(&huge);
    absurd(bytes);
    absurd(overwrite(good.clone(), "general.name", 4, &huge));
    absurd(overwrite(good.clone(), "tokenizer.ggml.tokens", 8, &huge));
    absurd(overwrite(good.clone(), "tokenizer.ggml.token_type", 8, &huge));
    absurd(overwrite(good.clone(), "blk.0.attn_q.weight", 0, &9_u32.to_le_bytes()));
    absurd(overwrite(good.clone(), "blk.0.attn_q.weight", 4, &huge));
    for (key, value) in [
        ("bert.block_count", 1_000_000),
        ("bert.embedding_length", u32::MAX),
        ("bert.feed_forward_length", u32::MAX),
        ("bert.context_length", u32::MAX),
        ("bert.attention.head_count", u32::MAX),
        ("tokenizer.ggml.token_type_count", u32::MAX),
        ("general.alignment", 1 << 20),
    ] {
        absurd(Parts::good().set(key, Value::U32(value)).bytes());
    }
}

#[test]
fn a_product_of_plausible_dimensions_may_still_be_too_much() {
    let half = (1_u64 << 32).to_le_bytes();
    let lengths = [half, half].concat();
    let bytes = overwrite(Parts::good().bytes(), "blk.0.attn_q.weight", 4, &lengths);
    let found = problem(bytes);
    assert!(matches!(found, Problem::Absurd { .. } | Problem::Damaged { .. }), "{found:?}");
}

#[test]
fn contradictions_in_the_header_are_damage() {
    let good = Parts::good().bytes();
    let damaged = |bytes: Vec<u8>| {
        let found = problem(bytes);
        assert!(matches!(found, Problem::Damaged { .. }), "{found:?}");
    };
    let offset_of = "blk.0.attn_q.weight";
    let skip = 4 + 16 + 4;
    damaged(overwrite(good.clone(), offset_of, skip, &1_u64.to_le_bytes()));
    damaged(overwrite(good.clone(), offset_of, skip, &(u64::MAX - 31).to_le_bytes()));
    // On top of the first tensor.
    damaged(overwrite(good.clone(), offset_of, skip, &0_u64.to_le_bytes()));
    damaged(patch(good.clone(), b"blk.0.attn_q.weight", b"blk.1.attn_q.weight"));
    damaged(patch(good.clone(), b"general.name", b"general.type"));
    damaged(patch(good.clone(), b"general.name", b"general\xff\xff\xff\xff\xff"));
    damaged(overwrite(good.clone(), "general.name", 0, &77_u32.to_le_bytes()));
    damaged(overwrite(good.clone(), "bert.attention.causal", 4, &[2]));
    damaged(overwrite(good.clone(), "tokenizer.ggml.tokens", 4, &9_u32.to_le_bytes()));
    for (key, value) in [
        ("general.alignment", Value::U32(48)),
        ("general.alignment", Value::U32(0)),
        ("bert.attention.head_count", Value::U32(5)),
        ("bert.attention.head_count", Value::U32(0)),
        ("bert.embedding_length", text("many")),
        ("bert.attention.layer_norm_epsilon", Value::F32(f32::NAN)),
        ("bert.attention.layer_norm_epsilon", Value::F32(-1.0)),
        ("bert.pooling_type", Value::U32(4)),
    ] {
        damaged(Parts::good().set(key, value).bytes());
    }
    for key in ["general.architecture", "bert.block_count", "bert.embedding_length"] {
        damaged(Parts::good().unset(key).bytes());
    }
}

#[test]
fn optional_keys_may_be_missing() {
    let bytes = Parts::good()
        .unset("bert.attention.causal")
        .unset("bert.attention.layer_norm_epsilon")
        .unset("bert.pooling_type")
        .unset("general.name")
        .unset("tokenizer.ggml.token_type_count")
        .unset("tokenizer.ggml.tokens")
        .bytes();
    let file = BertFile::read("some.gguf", bytes, None).unwrap();
    assert_eq!(file.config.name, "some.gguf");
    assert_eq!(file.config.norm_epsilon, 1e-12);
    assert_eq!((file.config.token_types, file.config.vocabulary), (2, checkpoint::TOKENS.len()));
}

#[test]
fn wrong_tokenisers_are_refused() {
    const JSON: &str = "tokenizer.huggingface.json";
    let tokens = |list: &[&str]| Value::Texts(list.iter().collect());
    let without_marks: Vec<&str> = checkpoint::TOKENS.into_iter().rev().collect();
    let doubled: Vec<&str> = checkpoint::TOKENS.iter().map(|_| "\u{2581}same").collect();
    for (what, parts) in [
        ("not JSON", Parts::good().set(JSON, text("{"))),
        ("no vocabulary", Parts::good().set(JSON, text("{\"model\":{}}"))),
        ("empty", Parts::good().set(JSON, text("{\"model\":{\"vocab\":{}}}"))),
        ("id beyond", Parts::good().set(JSON, text("{\"model\":{\"vocab\":{\"a\":14}}}"))),
        (
            "id far beyond",
            Parts::good().set(JSON, text("{\"model\":{\"vocab\":{\"a\":18446744073709551615}}}")),
        ),
        ("unigram", Parts::good().unset(JSON).set("tokenizer.ggml.model", text("t5"))),
        ("none", Parts::good().unset(JSON).unset("tokenizer.ggml.model")),
        ("no tokens", Parts::good().unset(JSON).unset("tokenizer.ggml.tokens")),
        ("twice", Parts::good().unset(JSON).set("tokenizer.ggml.tokens", tokens(&doubled))),
    ] {
        let found = parts.problem();
        assert!(matches!(found, Problem::Tokeniser { .. }), "{what}: {found:?}");
    }
    let kinds = Value::Numbers(Numbers { kind: NumberKind::U8, bytes: vec![1; 3] });
    let parts = Parts::good()
        .unset(JSON)
        .set("tokenizer.ggml.tokens", tokens(&without_marks))
        .set("tokenizer.ggml.token_type", kinds);
    BertFile::read("odd but usable", parts.bytes(), None).unwrap();
}

#[test]
fn a_weight_that_is_no_number_is_found_when_it_is_read() {
    let parts = Parts::good().tensor("blk.1.layer_output_norm.weight", |(_, bytes)| {
        bytes[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    });
    let parts = parts.tensor("token_embd.weight", |(_, bytes)| {
        // The scale of the last block of the third row.
        bytes[2 * 34..][..2].copy_from_slice(&[0x00, 0x7c]);
    });
    let file = BertFile::read("some.gguf", parts.bytes(), None).unwrap();
    for name in ["blk.1.layer_output_norm.weight", "token_embd.weight"] {
        let error = file.tensor(name).unwrap().to_f32().unwrap_err();
        assert_eq!(Problem::from(&error), Problem::NotFinite { name: name.into() });
    }
    let table = file.tensor("token_embd.weight").unwrap();
    let mut row = [0.0; checkpoint::HIDDEN];
    assert!(table.row_into(1, &mut row).is_ok());
    assert!(table.row_into(2, &mut row).is_err());
}

/// Reads a file and all its values. Whatever the bytes, this must neither panic nor take more than
/// a multiple of their length: a key of 14 bytes is the smallest thing that costs an allocation,
/// and its entry some 200 bytes.
fn read_within_bounds(bytes: Vec<u8>) {
    let limit = 64 * 1024 + 24 * bytes.len();
    let (_, peak) = peak_of(|| {
        if let Ok(file) = BertFile::read("any", bytes, Some(String::new())) {
            for (name, _, _) in file.config.tensors() {
                let _ = file.tensor(&name).and_then(|tensor| tensor.to_f32());
            }
        }
    });
    assert!(peak <= limit, "{peak} bytes were held, {limit} are allowed");
}

fn samples() -> [Vec<u8>; 2] {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    [Parts::good().bytes(), std::fs::read(path.join("tiny_bert.gguf")).unwrap()]
}

proptest! {
    #[test]
    fn any_bytes_are_read_within_bounds(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let header = [b"GGUF\x03\0\0\0".as_slice(), &bytes].concat();
        read_within_bounds(bytes);
        read_within_bounds(header);
    }

    #[test]
    fn many_small_things_are_read_within_bounds(
        tensors in 0_u64..3, keys in 0_u64..70_000, filler in any::<[u8; 14]>(), times in 0_usize..2_000,
    ) {
        let counts = [tensors.to_le_bytes(), keys.to_le_bytes()].concat();
        read_within_bounds([b"GGUF\x03\0\0\0".as_slice(), &counts, &filler.repeat(times)].concat());
    }

    #[test]
    fn mutated_files_are_read_within_bounds(
        which in 0_usize..2,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        near_start in any::<bool>(),
        cut in any::<Option<prop::sample::Index>>(),
    ) {
        let mut bytes = samples()[which].clone();
        // Headers are small beside tensors, so half of the cases change only what is in front.
        let reach = if near_start { bytes.len() / 4 } else { bytes.len() };
        for (place, value) in changes {
            bytes[place.index(reach)] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        read_within_bounds(bytes);
    }
}

#[test]
fn ten_thousand_smallest_keys_stay_within_bounds() {
    let count = 10_000_u64;
    let mut bytes = b"GGUF\x03\0\0\0".to_vec();
    bytes.extend(0_u64.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    for number in 0..count as u32 {
        bytes.extend(3_u64.to_le_bytes());
        bytes.extend(&number.to_le_bytes()[..3]);
        bytes.extend([0, 0, 0, 0, 1]);
    }
    read_within_bounds(bytes);
}
