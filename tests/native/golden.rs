//! The encoder against the Python reference: same token ids, same vectors.

use std::path::Path;

use simcse_lab::backend::Backend;
use simcse_lab::backend::cpu::Cpu;
use simcse_lab::backend::gpu::GpuBackend;
use simcse_lab::kernels::product::{Arithmetic, Product, Tile};
use simcse_lab::model::encoder::Encoder;
use simcse_lab::protocol::readout::{Pooling, Readout};
use simcse_lab::weights::bert::BertFile;
use simcse_lab::weights::blocks::BlockType;

use crate::gpu::gpu;
use crate::shared;

#[derive(serde::Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Case {
    name: String,
    text: String,
    ids: Vec<u32>,
    /// Unit length.
    mean: Vec<f32>,
    /// As the model gives it.
    cls: Vec<f32>,
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum()
    };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

fn check(file: &BertFile, least: f64) {
    check_on(Cpu::default(), file, least);
}

fn check_on(backend: impl Backend, file: &BertFile, least: f64) {
    let Some(path) = shared::data("golden/minilm_golden.json") else { return };
    let golden: Golden = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let encoder = Encoder::load(backend, file).unwrap();
    assert!(!golden.cases.is_empty());
    let mut lowest = 1.0_f64;
    for case in &golden.cases {
        let tokens = encoder.tokenise(&case.text).unwrap();
        assert!(tokens.ids == case.ids, "{}: other token ids", case.name);
        for (pooling, wanted) in [(Pooling::Mean, &case.mean), (Pooling::Cls, &case.cls)] {
            let readout = Readout::last(pooling);
            let row =
                pollster::block_on(encoder.embed(std::slice::from_ref(&tokens), readout)).unwrap();
            let found = cosine(&row, wanted);
            assert!(found >= least, "{} {}: cosine {found}", case.name, pooling.name());
            lowest = lowest.min(found);
        }
    }
    println!("{} cases, lowest cosine {lowest:.6}", golden.cases.len());
}

fn converted(block: BlockType) -> Option<BertFile> {
    Some(BertFile::read("reference", shared::reference_weights(block)?, None).unwrap())
}

#[test]
fn f32_equals_the_reference() {
    let Some(file) = converted(BlockType::F32) else { return };
    check(&file, 0.9999);
}

#[test]
fn q8_0_made_here_stays_near_the_reference() {
    let Some(file) = converted(BlockType::Q8_0) else { return };
    check(&file, 0.998);
}

#[test]
fn the_default_weights_stay_near_the_reference() {
    check(&default_weights(), 0.998);
}

pub fn default_weights() -> BertFile {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/models/all-MiniLM-L6-v2-q8_0.gguf");
    BertFile::read("default", std::fs::read(path).unwrap(), None).unwrap()
}

#[test]
fn f32_on_the_gpu_equals_the_reference() {
    let (Some(gpu), Some(file)) = (gpu(), converted(BlockType::F32)) else { return };
    check_on(GpuBackend::new(gpu), &file, 0.9999);
}

#[test]
fn the_default_weights_on_the_gpu_stay_near_the_reference() {
    let Some(gpu) = gpu() else { return };
    check_on(GpuBackend::new(gpu), &default_weights(), 0.9995);
}

#[test]
fn the_default_weights_in_whole_numbers_on_the_gpu_stay_near_the_reference() {
    let Some(gpu) = gpu() else { return };
    let backend = GpuBackend::new(gpu);
    backend.choose(Product { arithmetic: Arithmetic::Int8, tile: Tile::By8x4 });
    // What the CPU reaches, which rounds states too: less than is asked of a GPU by itself.
    check_on(backend, &default_weights(), 0.998);
}

#[test]
fn half_precision_on_the_gpu_stays_near_the_reference() {
    let Some(gpu) = gpu() else { return };
    if !gpu.has_half() {
        return println!("skipped: no shader-f16");
    }
    let half = Product { arithmetic: Arithmetic::Half, tile: Tile::By8x4 };
    let backend = GpuBackend::new(gpu.clone());
    backend.choose(half);
    check_on(backend, &default_weights(), 0.9995);
    let Some(file) = converted(BlockType::F32) else { return };
    let backend = GpuBackend::new(gpu);
    backend.choose(half);
    check_on(backend, &file, 0.9999);
}
