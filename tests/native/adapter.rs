//! Adapter files, and models with an adapter in them.

use proptest::prelude::*;
use simcse_lab::backend::cpu::Cpu;
use simcse_lab::model::encoder::Encoder;
use simcse_lab::protocol::problem::Problem;
use simcse_lab::protocol::readout::{Pooling, Readout};
use simcse_lab::weights::adapter::{Change, Changes};
use simcse_lab::weights::adapter_file::{AdapterFile, AdapterMeta, read_summary, write};
use simcse_lab::weights::bert::BertFile;
use simcse_lab::weights::blocks::BlockType;
use simcse_lab::weights::convert::{MergedName, write_merged};
use simcse_lab::weights::error::Error;
use simcse_lab::weights::gguf::Gguf;
use simcse_lab::weights::merged::{Merged, check_base};
use simcse_lab::weights::metadata::Value;
use simcse_lab::weights::writer::{TensorPlan, write as write_gguf};

use crate::fixture::{self, FEED_FORWARD, HIDDEN};
use crate::memory::peak_of;

/// Changes of every kind, of matrices and vectors.
fn mixed() -> Changes {
    let mut changes = fixture::lora(1);
    changes.extend(fixture::mlp(2));
    let name = |name: &str| format!("blk.1.{name}");
    changes.insert(name("attn_v.weight"), fixture::difference(HIDDEN, HIDDEN, 3));
    changes.insert(name("ffn_down.bias"), fixture::difference(1, HIDDEN, 4));
    changes
}

/// What a change adds to its tensor.
fn effect(change: &Change) -> Vec<f64> {
    match change {
        Change::LowRank { rank, inputs, outputs, a, b, scale } => {
            let cell = |o: usize, i: usize| -> f64 {
                let products =
                    (0..*rank).map(|r| f64::from(b[o * rank + r]) * f64::from(a[r * inputs + i]));
                f64::from(*scale) * products.sum::<f64>()
            };
            (0..*outputs)
                .flat_map(|o| (0..*inputs).map(move |i| (o, i)))
                .map(|(o, i)| cell(o, i))
                .collect()
        }
        Change::Difference { difference: values, .. } | Change::Added { values, .. } => {
            values.iter().map(|value| f64::from(*value)).collect()
        }
    }
}

fn worst(found: &[f64], wanted: &[f64]) -> f64 {
    assert_eq!(found.len(), wanted.len());
    found.iter().zip(wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn what_is_written_is_read() {
    let changes = mixed();
    let bytes = fixture::adapter(&changes, 1);
    assert_eq!(bytes, fixture::adapter(&changes, 1));
    let file = AdapterFile::read("x.gguf", &bytes).unwrap();
    assert!(file.changes.keys().eq(changes.keys()));
    for (name, change) in &changes {
        let error = worst(&effect(&file.changes[name]), &effect(change));
        assert!(error < 4e-3, "{name}: {error}");
    }
    assert_eq!(file.meta.name, "tuned");
    assert_eq!(
        (file.meta.pooling, file.meta.best_pooling),
        (Some(Pooling::Cls), Some(Pooling::Mean))
    );
    assert_eq!(file.meta.metrics, [("uniformity".to_owned(), "-2.5".to_owned())]);
    assert_eq!((file.meta.seed, file.meta.recipe.as_str()), (7, "steps = 3\n"));
    check_base(&file.meta, &fixture::file(1)).unwrap();

    let summary = file.summary();
    assert_eq!(summary.size_bytes, bytes.len() as u64);
    assert_eq!(summary, read_summary("x.gguf", &bytes, None).unwrap());
    assert_eq!(summary.parameters, changes.values().map(Change::parameters).sum::<u64>());
}

#[test]
fn the_layout_is_llama_cpps() {
    let bytes = fixture::adapter(&fixture::lora(1), 1);
    let header = Gguf::read("x", &bytes).unwrap();
    let text = |key: &str| header.text(key).unwrap().unwrap().to_owned();
    assert_eq!(text("general.type"), "adapter");
    assert_eq!(
        (text("general.architecture"), text("adapter.type")),
        ("bert".into(), "lora".into())
    );
    // Scale .5 of rank 4; the scale of the others is folded into their B.
    assert_eq!(header.real("adapter.lora.alpha").unwrap(), Some(2.0));
    let shape = |name: &str| header.tensors[name].dimensions.clone();
    let (inputs, outputs) = (HIDDEN as u64, FEED_FORWARD as u64);
    assert_eq!(shape("blk.1.ffn_up.weight.lora_a"), [inputs, 5]);
    assert_eq!(shape("blk.1.ffn_up.weight.lora_b"), [5, outputs]);
    assert!(header.tensors.values().all(|entry| entry.block == Some(BlockType::F16)));
    let more = fixture::adapter(&mixed(), 1);
    assert_eq!(Gguf::read("x", &more).unwrap().text("adapter.type").unwrap(), Some("simcse"));
}

#[test]
fn small_differences_keep_their_digits() {
    let wide = 64;
    let Change::Difference { mut difference, .. } = fixture::difference(8, wide, 5) else {
        panic!()
    };
    difference.iter_mut().for_each(|value| *value *= 1e-6);
    let change = Change::Difference { rows: 8, columns: wide, difference };
    let changes = Changes::from([("blk.0.attn_q.weight".to_owned(), change.clone())]);
    let bytes = write(&changes, &AdapterMeta::default()).unwrap();
    let read = AdapterFile::read("x", &bytes).unwrap();
    let error = worst(&effect(&read.changes["blk.0.attn_q.weight"]), &effect(&change));
    assert!(error < 3e-9, "{error}");
    let header = Gguf::read("x", &bytes).unwrap();
    assert_eq!(header.tensors["blk.0.attn_q.weight.difference"].block, Some(BlockType::Q8_0));
}

#[test]
fn a_model_has_as_much_of_its_adapter_as_was_asked_for() {
    let file = fixture::file(1);
    let changes = mixed();
    for blend in [0.0, 0.4, 1.0, 1.5] {
        let merged = Merged::new(&file, &changes, blend).unwrap();
        for (name, change) in &changes {
            let found: Vec<f64> = {
                let tensor = merged.tensor(name).unwrap();
                tensor.view().to_f32().unwrap().into_iter().map(f64::from).collect()
            };
            let wanted: Vec<f64> = if let Change::Added { .. } = change {
                effect(change)
            } else {
                let before = file.tensor(name).unwrap().to_f32().unwrap();
                let sum = |(w, d): (f32, f64)| f64::from(w) + f64::from(blend) * d;
                before.into_iter().zip(effect(change)).map(sum).collect()
            };
            assert!(worst(&found, &wanted) < 1e-5, "{name} at {blend}");
        }
        let untouched = merged.tensor("blk.0.attn_k.weight").unwrap();
        assert_eq!(untouched.view(), file.tensor("blk.0.attn_k.weight").unwrap());
    }
}

fn embed(encoder: &Encoder<Cpu>, pooling: Pooling) -> Vec<f32> {
    let tokens: Vec<_> =
        (0..9).map(|i| encoder.tokenise(&fixture::sentence(1 + i, i)).unwrap()).collect();
    pollster::block_on(encoder.embed(&tokens, Readout::last(pooling))).unwrap()
}

#[test]
fn an_adapted_copy_is_the_merged_model() {
    let file = fixture::file(1);
    let changes = mixed();
    let plain = Encoder::load(Cpu::default(), &file).unwrap();
    let merged = Merged::new(&file, &changes, 1.0).unwrap();
    let mut copy = plain.adapt(&merged).unwrap();
    while plain.adapt_step(&merged, &mut copy).unwrap() {}
    let name = MergedName { name: "both", pooling: Pooling::ClsMlp, adapter_sha256: "abc" };
    let bytes = write_merged(&merged, BlockType::F32, Some(name)).unwrap();
    let written = BertFile::read("x", bytes, None).unwrap();
    assert_eq!((written.config.name.as_str(), written.config.pooling), ("both", Pooling::ClsMlp));
    let written = Encoder::load(Cpu::default(), &written).unwrap();
    for pooling in [Pooling::Mean, Pooling::Cls, Pooling::ClsMlp] {
        assert_eq!(embed(&copy, pooling), embed(&written, pooling));
    }
    assert_ne!(embed(&copy, Pooling::Cls), embed(&plain, Pooling::Cls));
    let none = Merged::new(&file, &changes, 0.0).unwrap();
    let mut copy = plain.adapt(&none).unwrap();
    while plain.adapt_step(&none, &mut copy).unwrap() {}
    assert_eq!(embed(&copy, Pooling::Cls), embed(&plain, Pooling::Cls));
}

#[test]
fn an_adapter_of_another_model_names_both() {
    let adapter = AdapterFile::read("x", &fixture::adapter(&mixed(), 2)).unwrap();
    let file = fixture::file(1);
    let error = check_base(&adapter.meta, &file).unwrap_err();
    let message = error.to_string();
    for part in ["tiny-1", "tiny-2", &file.sha256, &adapter.meta.base_sha256] {
        assert!(message.contains(part), "{message}");
    }
    assert!(matches!(Problem::from(&error), Problem::AdapterBase { .. }));
    let unknown = AdapterMeta { base_sha256: String::new(), ..adapter.meta };
    check_base(&unknown, &file).unwrap();
}

#[test]
fn changes_that_do_not_fit_are_named() {
    let file = fixture::file(1);
    let refused = |name: &str, change: Change| {
        let changes = Changes::from([(name.to_owned(), change)]);
        Merged::new(&file, &changes, 1.0).unwrap_err()
    };
    let error = refused("blk.0.attn_q.weight", fixture::difference(HIDDEN, 4, 1));
    let (name, hidden) = ("blk.0.attn_q.weight".to_owned(), HIDDEN as u64);
    let (expected, found) = (vec![hidden, hidden], vec![hidden, 4]);
    assert_eq!(error, Error::TensorShape { name, expected, found });
    let error = refused("blk.9.attn_q.weight", fixture::difference(HIDDEN, HIDDEN, 1));
    assert_eq!(error, Error::MissingTensor { name: "blk.9.attn_q.weight".to_owned() });
    let half = fixture::mlp(1).remove("cls.weight").unwrap();
    let error = refused("cls.weight", half.clone());
    assert_eq!(error, Error::MissingTensor { name: "cls.bias".to_owned() });
    assert!(matches!(refused("pooler.weight", half), Error::Damaged { .. }));
    let short = Change::LowRank {
        rank: 4,
        inputs: HIDDEN,
        outputs: HIDDEN,
        a: vec![0.0; 5],
        b: vec![0.0; 4 * HIDDEN],
        scale: 1.0,
    };
    assert!(matches!(refused("blk.0.attn_q.weight", short), Error::TensorShape { .. }));
}

/// A file of `f32` tensors, innermost dimension first.
fn file_of(keys: &[(&str, Value)], tensors: &[(&str, &[u64], f32)]) -> Vec<u8> {
    let plans: Vec<_> = tensors
        .iter()
        .map(|(name, dimensions, _)| TensorPlan {
            name: (*name).to_owned(),
            dimensions: dimensions.to_vec(),
            block: BlockType::F32,
        })
        .collect();
    let keys: Vec<_> = keys.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    let mut values = tensors.iter().map(|(_, _, value)| *value);
    write_gguf(&keys, &plans, |plan, out| {
        let value = values.next().unwrap().to_le_bytes();
        out.extend((0..plan.dimensions.iter().product()).flat_map(|_: u64| value));
        Ok(())
    })
    .unwrap()
}

fn keys() -> Vec<(&'static str, Value)> {
    let text = |value: &str| Value::Text(value.to_owned());
    vec![
        ("general.type", text("adapter")),
        ("general.architecture", text("bert")),
        ("adapter.type", text("lora")),
    ]
}

#[test]
fn files_of_other_tools_are_read() {
    let tensors = [
        ("blk.0.attn_q.weight.lora_a", &[6, 2][..], 1.0),
        ("blk.0.attn_q.weight.lora_b", &[2, 4], 2.0),
    ];
    let file = AdapterFile::read("other.gguf", &file_of(&keys(), &tensors)).unwrap();
    assert_eq!((file.meta.name.as_str(), file.meta.base_sha256.as_str()), ("other.gguf", ""));
    assert!(matches!(
        file.changes["blk.0.attn_q.weight"],
        Change::LowRank { rank: 2, inputs: 6, outputs: 4, scale: 1.0, .. }
    ));
}

#[test]
fn damaged_adapters_are_refused_with_what_is_wrong() {
    let read = |keys: &[(&str, Value)], tensors: &[(&str, &[u64], f32)]| {
        AdapterFile::read("bad.gguf", &file_of(keys, tensors)).unwrap_err()
    };
    let a: (&str, &[u64], f32) = ("w.lora_a", &[6, 2], 1.0);
    let b: (&str, &[u64], f32) = ("w.lora_b", &[2, 4], 1.0);
    let missing = |name: &str| Error::MissingTensor { name: name.to_owned() };
    assert_eq!(read(&keys(), &[a]), missing("w.lora_b"));
    assert_eq!(read(&keys(), &[b]), missing("w.lora_a"));
    let wide: (&str, &[u64], f32) = ("w.lora_b", &[3, 4], 1.0);
    assert!(matches!(read(&keys(), &[a, wide]), Error::TensorShape { .. }));
    let infinite = ("w.lora_b", b.1, f32::INFINITY);
    assert_eq!(read(&keys(), &[a, infinite]), Error::NotFinite { name: "w.lora_b".to_owned() });
    assert!(matches!(
        read(&keys(), &[a, b, ("w.difference", &[6, 4], 1.0)]),
        Error::Damaged { .. }
    ));
    assert!(matches!(read(&keys(), &[("w.weight", &[6, 4], 1.0)]), Error::Damaged { .. }));
    assert!(matches!(read(&keys(), &[("w.added", &[6, 4, 2], 1.0)]), Error::Damaged { .. }));
    assert!(matches!(read(&keys(), &[("w.added", &[0, 4], 1.0)]), Error::Damaged { .. }));
    assert!(matches!(read(&keys(), &[]), Error::Damaged { .. }));
    let table = [("token_embd.weight.lora_a", a.1, 1.0), ("token_embd.weight.lora_b", b.1, 1.0)];
    assert!(matches!(read(&keys(), &table), Error::Damaged { .. }));
    let mut wild = keys();
    wild.push(("adapter.lora.alpha", Value::F32(f32::NAN)));
    assert!(matches!(read(&wild, &[a, b]), Error::Damaged { .. }));
    let mut foreign = keys();
    foreign[1].1 = Value::Text("llama".to_owned());
    assert_eq!(read(&foreign, &[a, b]), Error::Architecture { found: "llama".to_owned() });
    foreign[0].1 = Value::Text("model".to_owned());
    assert_eq!(read(&foreign, &[a, b]), Error::NotAdapter { name: "bad.gguf".to_owned() });
    let model = AdapterFile::read("m", &fixture::gguf(1)).unwrap_err();
    assert_eq!(model, Error::NotAdapter { name: "m".to_owned() });
    let adapter = BertFile::read("a", file_of(&keys(), &[a, b]), None).unwrap_err();
    assert_eq!(adapter, Error::IsAdapter { name: "a".to_owned() });
}

#[test]
fn numbers_that_do_not_fit_are_not_written() {
    let with = |values: Vec<f32>| {
        let change = Change::Added { rows: 1, columns: 2, values };
        write(&Changes::from([("cls.bias".to_owned(), change)]), &AdapterMeta::default())
    };
    assert!(with(vec![1.0, 2.0]).is_ok());
    let name = "cls.bias.added".to_owned();
    assert_eq!(with(vec![1.0, f32::NAN]), Err(Error::NotFinite { name }));
    assert!(matches!(with(vec![1.0]), Err(Error::BlockLength { .. })));
    let table =
        Changes::from([("token_embd.weight".to_owned(), fixture::low_rank(1, 4, 4, 1.0, 1))]);
    assert!(matches!(write(&table, &AdapterMeta::default()), Err(Error::Damaged { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_mutation_panics_or_takes_much_memory(
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = fixture::adapter(&mixed(), 1);
        for (place, value) in flips {
            // Most of the file is numbers; what is fragile stands in front.
            let place = place.index(bytes.len().min(4_000));
            bytes[place] ^= value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let length = bytes.len();
        let (read, peak) = peak_of(|| AdapterFile::read("x", &bytes));
        prop_assert!(peak < 16 * length + 200_000, "{peak} for {length}");
        if let Ok(file) = read {
            let base = fixture::file(1);
            if let Ok(merged) = Merged::new(&base, &file.changes, 1.0) {
                for name in file.changes.keys() {
                    drop(merged.tensor(name));
                }
            }
        }
    }
}
