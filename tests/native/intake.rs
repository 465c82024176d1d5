//! Other people's checkpoints: every family against transformers, every format, broken and hostile files.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use simcse_lab::backend::Backend;
use simcse_lab::backend::cpu::Cpu;
use simcse_lab::backend::gpu::GpuBackend;
use simcse_lab::intake::description::{Description, Known, Papers, SMALL_FILES};
use simcse_lab::intake::drive::{self, Source};
use simcse_lab::intake::{Bookmark, Intake, WeightsFile};
use simcse_lab::model::encoder::{Encoder, Part};
use simcse_lab::protocol::readout::{Pooling, Readout};
use simcse_lab::text::tokeniser::Tokens;
use simcse_lab::weights::bert::BertFile;
use simcse_lab::weights::blocks::BlockType;
use simcse_lab::weights::error::Error;
use simcse_lab::weights::gguf::Gguf;
use simcse_lab::weights::writer::{TensorPlan, write};

use crate::checkpoint::Memory;
use crate::gpu::gpu;
use crate::hub::shapes::Shape;

pub const NAMES: [&str; 7] = [
    "sup-simcse-bert",
    "old-bert",
    "bert-in-parts",
    "distilbert",
    "unsup-simcse-roberta",
    "xlm-roberta",
    "mpnet",
];

#[derive(Deserialize)]
struct Case {
    text: String,
    ids: Vec<u32>,
    cls: String,
    mean: String,
    mlp: Option<String>,
}

pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/encoders").join(name)
}

fn floats(text: &str) -> Vec<f32> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let bytes: Vec<u8> = text.as_bytes().chunks_exact(2).map(byte).collect();
    bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

/// A fixture's small files and its weights files with their names.
pub fn read(name: &str) -> (Papers, Vec<(String, Vec<u8>)>) {
    let folder = folder(name);
    let mut papers = Papers::new();
    for small in SMALL_FILES {
        if let Ok(text) = std::fs::read_to_string(folder.join(small)) {
            papers.insert(small.to_owned(), text);
        }
    }
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".safetensors") || name.ends_with(".bin"))
        .collect();
    names.sort();
    let weights = names.into_iter().map(|name| {
        let bytes = std::fs::read(folder.join(&name)).unwrap();
        (name, bytes)
    });
    (papers, weights.collect())
}

fn known(name: &str) -> Known {
    Known { name: name.to_owned(), ..Known::default() }
}

fn source(weights: &[(String, Vec<u8>)], part: usize) -> (Memory, Vec<WeightsFile>) {
    let memory = Memory::new(weights.iter().map(|(_, bytes)| bytes.clone()).collect(), part);
    let names: Vec<&str> = weights.iter().map(|(name, _)| name.as_str()).collect();
    let files = memory.listed(&names);
    (memory, files)
}

/// What becomes of a fixture.
pub fn convert(name: &str, block: BlockType, part: usize) -> Result<Vec<u8>, Error> {
    let (papers, weights) = read(name);
    let description = Description::read(&papers, &known(name))?;
    let (mut memory, files) = source(&weights, part);
    pollster::block_on(drive::convert(&mut memory, &description, files, block))
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum()
    };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// Token ids and vectors of a fixture against transformers.
fn check(name: &str, backend: impl Backend, block: BlockType, least: f64) {
    let file = BertFile::read(name, convert(name, block, 1 << 16).unwrap(), None).unwrap();
    let encoder = Encoder::load(backend, &file).unwrap();
    let cases = std::fs::read(folder(name).join("golden.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_slice(&cases).unwrap();
    assert!(cases.len() >= 6);
    let mut lowest = 1.0_f64;
    for case in &cases {
        let tokens = encoder.tokenise(&case.text).unwrap();
        assert_eq!(tokens.ids, case.ids, "{name}: {:?}", case.text);
        let mlp = case.mlp.as_ref().map(|mlp| (Pooling::ClsMlp, mlp));
        let wanted = [(Pooling::Cls, &case.cls), (Pooling::Mean, &case.mean)];
        for (pooling, wanted) in wanted.into_iter().chain(mlp) {
            let embedding = encoder.embed(std::slice::from_ref(&tokens), Readout::last(pooling));
            let found = cosine(&pollster::block_on(embedding).unwrap(), &floats(wanted));
            lowest = lowest.min(found);
            assert!(found >= least, "{name} {} {:?}: {found}", pooling.name(), case.text);
        }
    }
    println!("{name} as {}: cosine >= {lowest:.7} with transformers", block.name());
}

#[test]
fn every_family_gives_the_vectors_of_transformers() {
    for name in NAMES {
        check(name, Cpu::default(), BlockType::F32, 0.999_99);
        // Models this small and random lose more than trained ones.
        check(name, Cpu::default(), BlockType::Q8_0, 0.997);
    }
}

#[test]
fn every_family_gives_them_on_the_gpu_too() {
    let Some(gpu) = gpu() else { return };
    for name in NAMES {
        check(name, GpuBackend::new(gpu.clone()), BlockType::F32, 0.999_99);
    }
}

#[test]
fn pooling_and_layout_are_what_the_files_say() {
    let expected = [
        ("sup-simcse-bert", Pooling::ClsMlp, "bert"),
        ("unsup-simcse-roberta", Pooling::Cls, "bert"),
        ("distilbert", Pooling::Mean, "bert"),
        ("mpnet", Pooling::Cls, "mpnet"),
    ];
    for (name, pooling, architecture) in expected {
        let file = BertFile::read("x", convert(name, BlockType::F16, 1 << 16).unwrap(), None);
        let config = file.unwrap().config;
        assert_eq!((config.pooling, config.architecture()), (pooling, architecture), "{name}");
    }
}

/// Breaks off after so many bytes, and says where it can be taken up again.
fn broken_off(name: &str, part: usize, after: u64) -> (Bookmark, Vec<u8>) {
    let (papers, weights) = read(name);
    let description = Description::read(&papers, &known(name)).unwrap();
    let (mut memory, mut files) = source(&weights, part);
    pollster::block_on(drive::index(&mut memory, &mut files)).unwrap();
    let mut intake = Intake::new(&description, files, BlockType::Q8_0).unwrap();
    let mut last = (intake.bookmark().clone(), intake.bytes().to_vec());
    pollster::block_on(async {
        'files: while let Some((file, from)) = intake.position() {
            memory.begin(file, from).await.unwrap();
            loop {
                let bytes = memory.next().await.unwrap();
                if bytes.is_empty() {
                    break;
                }
                intake.take(&bytes).unwrap();
                // What was begun behind the bookmark is made again.
                last = (intake.bookmark().clone(), intake.bytes().to_vec());
                if intake.progress().0 > after {
                    break 'files;
                }
            }
            intake.end_file().unwrap();
        }
    });
    last
}

#[test]
fn however_the_bytes_come_and_wherever_they_break_off_the_file_is_the_same() {
    for name in NAMES {
        let whole = convert(name, BlockType::Q8_0, 1 << 20).unwrap();
        for part in [13, 997, 4096] {
            assert!(whole == convert(name, BlockType::Q8_0, part).unwrap(), "{name} by {part}");
        }
        let (papers, weights) = read(name);
        let description = Description::read(&papers, &known(name)).unwrap();
        for after in [0, 9_000, 40_000] {
            let (bookmark, made) = broken_off(name, 64, after);
            let bookmark = serde_json::to_string(&bookmark).unwrap();
            let (mut memory, mut files) = source(&weights, 1000);
            pollster::block_on(drive::index(&mut memory, &mut files)).unwrap();
            for file in &mut files {
                let (_, bytes) = weights.iter().find(|(name, _)| *name == file.name).unwrap();
                // The whole file's, though only its end is read now.
                file.sha256 = Some(simcse_lab::weights::bert::sha256(bytes));
            }
            let mut intake = Intake::new(&description, files, BlockType::Q8_0).unwrap();
            let bookmark = serde_json::from_str(&bookmark).unwrap();
            let read = |range: std::ops::Range<usize>| {
                std::future::ready(made.get(range).map(<[u8]>::to_vec))
            };
            assert!(pollster::block_on(intake.resume(bookmark, read)), "{name}");
            pollster::block_on(drive::run(&mut memory, &mut intake)).unwrap();
            assert!(intake.finish().unwrap() == whole, "{name} after {after}");
        }
    }
}

fn refused(name: &str, change: impl Fn(&mut Papers, &mut Vec<(String, Vec<u8>)>)) -> Error {
    let (mut papers, mut weights) = read(name);
    change(&mut papers, &mut weights);
    let description = match Description::read(&papers, &known(name)) {
        Ok(description) => description,
        Err(error) => return error,
    };
    let (mut memory, files) = source(&weights, 1 << 16);
    let made = drive::convert(&mut memory, &description, files, BlockType::Q8_0);
    pollster::block_on(made).map(|_| ()).expect_err("it was taken")
}

/// The first place of `from` in `bytes` becomes `to`.
fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len());
    let at = bytes.windows(from.len()).position(|window| window == from).expect("it is there");
    bytes[at..at + to.len()].copy_from_slice(to);
}

#[test]
fn a_pickle_that_runs_something_is_not_opened() {
    for (from, to, asked) in [
        (&b"collections\nOrderedDict\n"[..], &b"posix\nsystem\nOrderedDict\n"[..], "posix.system"),
        (
            b"torch._utils\n_rebuild_tensor_v2\n",
            b"builtins\nexec\n_rebuild_tensor_v2__\n",
            "builtins.exec",
        ),
    ] {
        for name in ["sup-simcse-bert", "old-bert"] {
            let error = refused(name, |_, weights| {
                let mut to = to.to_vec();
                to.resize(from.len(), b'\n');
                replace(&mut weights[0].1, from, &to);
            });
            let Error::Pickle { asked: found, .. } = &error else { panic!("{name}: {error}") };
            assert_eq!(found, asked);
        }
    }
}

#[test]
fn zip_bombs_and_torn_archives_are_refused_by_their_directory() {
    // The method of the first entry of the directory: deflated.
    let deflated = refused("sup-simcse-bert", |_, weights| {
        let bytes = &mut weights[0].1;
        let at = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
        bytes[at + 10] = 8;
        bytes[at + 24..at + 28].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    });
    assert!(deflated.to_string().contains("is compressed, to 2147483647 bytes"), "{deflated}");
    let over = refused("sup-simcse-bert", |_, weights| {
        let bytes = &mut weights[0].1;
        let at = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
        let size = 1_000_000_u32.to_le_bytes();
        bytes[at + 20..at + 24].copy_from_slice(&size);
        bytes[at + 24..at + 28].copy_from_slice(&size);
    });
    assert!(over.to_string().contains("lies over another entry"), "{over}");
    let torn = refused("sup-simcse-bert", |_, weights| {
        let half = weights[0].1.len() / 2;
        weights[0].1.truncate(half);
    });
    assert!(torn.to_string().contains("cut off"), "{torn}");
}

#[test]
fn shards_tokenisers_and_shapes_that_do_not_fit_are_refused() {
    let truncated = refused("bert-in-parts", |_, weights| {
        let half = weights[1].1.len() / 2;
        weights[1].1.truncate(half);
    });
    assert!(matches!(truncated, Error::Truncated { .. }), "{truncated}");
    let missing = refused("bert-in-parts", |_, weights| drop(weights.pop()));
    assert!(matches!(missing, Error::MissingTensor { .. }), "{missing}");
    let cut_old = refused("old-bert", |_, weights| {
        let length = weights[0].1.len() - 100;
        weights[0].1.truncate(length);
    });
    assert!(matches!(cut_old, Error::Truncated { .. }), "{cut_old}");
    let config = |key: &'static str, value: u64| {
        move |papers: &mut Papers, _: &mut Vec<(String, Vec<u8>)>| {
            let text = papers.get_mut("config.json").unwrap();
            let mut read: serde_json::Value = serde_json::from_str(text).unwrap();
            read[key] = value.into();
            *text = read.to_string();
        }
    };
    for (name, key) in [
        ("mpnet", "hidden_size"),
        ("mpnet", "relative_attention_num_buckets"),
        ("distilbert", "hidden_dim"),
        ("unsup-simcse-roberta", "max_position_embeddings"),
    ] {
        let error = refused(name, config(key, 64));
        assert!(matches!(error, Error::TensorShape { .. }), "{name} {key}: {error}");
    }
    let small = refused("xlm-roberta", |papers, _| {
        let json = papers.get_mut("tokenizer.json").unwrap();
        *json = json.replace("\"id\":4", "\"id\":4000").replace("\"id\": 4", "\"id\": 4000");
    });
    assert!(matches!(small, Error::Tokeniser { .. }), "{small}");
    let none = refused("distilbert", |papers, _| drop(papers.remove("tokenizer.json")));
    assert!(matches!(none, Error::Tokeniser { .. }), "{none}");
    let dense = refused("distilbert", |papers, _| {
        let modules = papers.get_mut("modules.json").unwrap();
        *modules = modules.replace("models.Pooling", "models.Dense");
    });
    assert!(dense.to_string().contains("Dense layer"), "{dense}");
}

#[test]
fn a_file_that_is_not_the_promised_one_is_refused() {
    let (papers, weights) = read("mpnet");
    let description = Description::read(&papers, &known("mpnet")).unwrap();
    let (mut memory, mut files) = source(&weights, 1 << 16);
    files[0].sha256 = Some("0".repeat(64));
    let made = drive::convert(&mut memory, &description, files, BlockType::Q8_0);
    let error = pollster::block_on(made).map(|_| ()).unwrap_err();
    assert!(matches!(error, Error::SourceHash { .. }), "{error}");
}

#[test]
fn no_damage_of_an_index_makes_reading_panic() {
    // Every byte of the pickle and of the directory, one after the other, becomes another.
    for name in ["sup-simcse-bert", "old-bert", "mpnet"] {
        let (papers, weights) = read(name);
        let description = Description::read(&papers, &known(name)).unwrap();
        let length = weights[0].1.len();
        let head = (0..4_000.min(length)).chain(length.saturating_sub(2_000)..length);
        for (at, salt) in head.step_by(7).zip((0..=255_u8).cycle()) {
            let mut damaged = weights.clone();
            damaged[0].1[at] = damaged[0].1[at].wrapping_add(salt | 1);
            let (mut memory, files) = source(&damaged, 1 << 16);
            // It may be taken: numbers may be any.
            let made = drive::convert(&mut memory, &description, files, BlockType::Q8_0);
            drop(pollster::block_on(made));
        }
    }
}

#[derive(Deserialize)]
struct ShapeCase {
    ids: Vec<u32>,
    cls: String,
    mean: String,
}

#[test]
fn models_of_real_shapes_give_the_vectors_of_transformers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/shapes.json");
    let golden = std::fs::read(path).unwrap();
    let golden: std::collections::BTreeMap<String, Vec<ShapeCase>> =
        serde_json::from_slice(&golden).unwrap();
    for shape in Shape::ALL {
        let papers = Papers::from([
            ("config.json".to_owned(), shape.config_json()),
            ("vocab.txt".to_owned(), shape.vocabulary_txt()),
        ]);
        let description = Description::read(&papers, &known(shape.name())).unwrap();
        // One of the two formats each.
        let (name, bytes) = match shape {
            Shape::BertBase | Shape::DistilBert => ("model.safetensors", shape.safetensors()),
            Shape::RobertaBase | Shape::MpnetBase => ("pytorch_model.bin", shape.pytorch()),
        };
        let (mut memory, files) = source(&[(name.to_owned(), bytes)], 1 << 20);
        let made = drive::convert(&mut memory, &description, files, BlockType::F32);
        let made = pollster::block_on(made).unwrap();
        drop(memory);
        let file = BertFile::read("x", made, Some(String::new())).unwrap();
        let encoder = Encoder::load(Cpu::default(), &file).unwrap();
        let mut lowest = 1.0_f64;
        for case in &golden[shape.name()] {
            let tokens = Tokens { ids: case.ids.clone(), ..Tokens::default() };
            for (pooling, wanted) in [(Pooling::Cls, &case.cls), (Pooling::Mean, &case.mean)] {
                let embedding =
                    encoder.embed(std::slice::from_ref(&tokens), Readout::last(pooling));
                let found = cosine(&pollster::block_on(embedding).unwrap(), &floats(wanted));
                assert!(found >= 0.9999, "{} {}: {found}", shape.name(), pooling.name());
                lowest = lowest.min(found);
            }
        }
        println!("{}: cosine >= {lowest:.7} with transformers", shape.name());
    }
}

/// A converted fixture without its `tokenizer.json`: what llama.cpp's converter leaves.
fn without_json(bytes: &[u8]) -> Vec<u8> {
    let header = Gguf::read("x", bytes).unwrap();
    let mut keys = header.keys.clone();
    assert!(keys.remove("tokenizer.huggingface.json").is_some());
    let keys: Vec<_> = keys.into_iter().collect();
    let plans = header.tensors.iter().map(|(name, entry)| TensorPlan {
        name: name.clone(),
        dimensions: entry.dimensions.clone(),
        block: entry.block.unwrap(),
    });
    let plans: Vec<_> = plans.collect();
    write(&keys, &plans, |plan, out| {
        out.extend(&bytes[header.tensors[&plan.name].range.clone()]);
        Ok(())
    })
    .unwrap()
}

#[test]
fn lists_of_tokens_as_llama_cpp_leaves_them_tokenise_alike() {
    for name in ["sup-simcse-bert", "unsup-simcse-roberta", "distilbert"] {
        let bytes = without_json(&convert(name, BlockType::F16, 1 << 16).unwrap());
        let file = BertFile::read(name, bytes, None).unwrap();
        let encoder = Encoder::load(Cpu::default(), &file).unwrap();
        let cases = std::fs::read(folder(name).join("golden.json")).unwrap();
        let cases: Vec<Case> = serde_json::from_slice(&cases).unwrap();
        for case in &cases {
            assert_eq!(
                encoder.tokenise(&case.text).unwrap().ids,
                case.ids,
                "{name}: {}",
                case.text
            );
        }
    }
    // Of XLM-R the rules of normalisation are the file's own; without them plain text stays the same.
    let bytes = without_json(&convert("xlm-roberta", BlockType::F16, 1 << 16).unwrap());
    let file = BertFile::read("x", bytes, None).unwrap();
    let encoder = Encoder::load(Cpu::default(), &file).unwrap();
    let cases = std::fs::read(folder("xlm-roberta").join("golden.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_slice(&cases).unwrap();
    let tokens = encoder.tokenise(&cases[0].text).unwrap();
    assert_eq!(tokens.ids, cases[0].ids, "{:?}", tokens.pieces);
}

#[test]
fn what_a_model_wants_before_texts_is_put_there() {
    let (mut papers, weights) = read("bert-in-parts");
    let made = |papers: &Papers, name: &str| {
        let description = Description::read(papers, &known(name)).unwrap();
        let (mut memory, files) = source(&weights, 1 << 16);
        let made = drive::convert(&mut memory, &description, files, BlockType::F16);
        let file = BertFile::read("x", pollster::block_on(made).unwrap(), None).unwrap();
        Encoder::load(Cpu::default(), &file).unwrap()
    };
    let plain = made(&papers, "some-bert");
    let ids = |text: &str| plain.tokenise(text).unwrap().ids;
    let text = "a small lantern";
    // E5's model card says it, its files do not.
    let e5 = made(&papers, "e5-small-v2");
    assert_eq!(e5.tokenise(text).unwrap().ids, ids("query: a small lantern"));
    assert_eq!(e5.tokenise_as(text, Part::Passage).unwrap().ids, ids("passage: a small lantern"));
    papers.insert(
        "config_sentence_transformers.json".to_owned(),
        r#"{"prompts": {"query": "find: ", "document": ""}, "default_prompt_name": null}"#
            .to_owned(),
    );
    let said = made(&papers, "some-bert");
    assert_eq!(said.tokenise(text).unwrap().ids, ids(text));
    assert_eq!(said.tokenise_as(text, Part::Query).unwrap().ids, ids("find: a small lantern"));
    assert_eq!(said.tokenise_as(text, Part::Passage).unwrap().ids, ids(text));
}
