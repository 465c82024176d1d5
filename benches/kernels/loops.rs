//! What stands between the products: quantising, GELU, layer norm, attention.

use std::error::Error;
use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion};
use simcse_lab::backend::cpu::Cpu;
use simcse_lab::backend::{Backend, Batch, Embedding};
use simcse_lab::math::lanes;
use simcse_lab::simd::codes::Coding;
use simcse_lab::simd::kernel::Kernel;
use simcse_lab::simd::layout::BLOCK;
use simcse_lab::weights::bert::TensorView;
use simcse_lab::weights::blocks::BlockType;

use crate::log::{Log, Peak};
use crate::products::noise;

const ROWS: usize = 64;
const HIDDEN: usize = 384;
const WIDE: usize = 4 * HIDDEN;
const HEADS: usize = 12;

/// All of them; the throughput is in numbers, not in operations, but for attention.
pub fn bench(criterion: &mut Criterion, log: &mut Log) {
    let mut group = criterion.benchmark_group("loops");
    quantise(&mut group, log);
    gelu(&mut group, log);
    layer_norm(&mut group, log);
    group.finish();
    let mut group = criterion.benchmark_group("attention");
    for (sentences, tokens) in [(1, 22), (16, 22), (3, 123), (1, 512)] {
        if let Err(why) = attention(&mut group, log, sentences, tokens) {
            println!("attention over {sentences} x {tokens} tokens: {why}");
        }
    }
    group.finish();
}

fn quantise(group: &mut BenchmarkGroup<'_, WallTime>, log: &mut Log) {
    let values = noise(ROWS * HIDDEN);
    let mut codes = Kernel::fastest().codes();
    let name = format!("quantise [{ROWS}, {HIDDEN}]");
    log.measure(group, &name, values.len() as u64, Peak::Nothing, || {
        codes.fill(black_box(&values), HIDDEN, Coding::Spread);
        black_box(&mut codes);
    });
}

fn gelu(group: &mut BenchmarkGroup<'_, WallTime>, log: &mut Log) {
    let values = noise(ROWS * WIDE);
    let mut codes = Kernel::fastest().codes();
    codes.reset(ROWS, WIDE, Coding::Above(lanes::GELU_FLOOR));
    let name = format!("GELU and quantise [{ROWS}, {WIDE}]");
    log.measure(group, &name, values.len() as u64, Peak::Nothing, || {
        for (place, values) in black_box(&values).as_chunks::<BLOCK>().0.iter().enumerate() {
            let mut values = *values;
            lanes::gelu_to_code_each(&mut values);
            codes.set_numbers(place / (WIDE / BLOCK), place % (WIDE / BLOCK), &values);
        }
        black_box(&mut codes);
    });
}

fn layer_norm(group: &mut BenchmarkGroup<'_, WallTime>, log: &mut Log) {
    let mut values = noise(ROWS * HIDDEN);
    let (gain, offset) = (vec![1.0; HIDDEN], vec![0.1; HIDDEN]);
    let name = format!("layer norm [{ROWS}, {HIDDEN}]");
    log.measure(group, &name, values.len() as u64, Peak::Nothing, || {
        for row in values.chunks_exact_mut(HIDDEN) {
            lanes::layer_norm(row, &gain, &offset, 1e-12);
        }
        black_box(&mut values);
    });
}

/// Equally long sentences, by the backend's verb. The states come from its embedding layer.
fn attention(
    group: &mut BenchmarkGroup<'_, WallTime>,
    log: &mut Log,
    sentences: usize,
    tokens: usize,
) -> Result<(), Box<dyn Error>> {
    let cpu = Cpu::default();
    let columns = 3 * HIDDEN;
    let rows = noise(tokens * columns);
    let (row, one) = (noise(columns), vec![1.0; columns]);
    let embedding = Embedding {
        words: cpu.table(&view(&bytes(&row), 1, columns))?,
        positions: cpu.table(&view(&bytes(&rows), tokens, columns))?,
        types: cpu.table(&view(&bytes(&row), 1, columns))?,
        norm: cpu.norm_weights(
            &view(&bytes(&one), 1, columns),
            &view(&bytes(&row), 1, columns),
            1e-12,
        )?,
    };
    let ids = vec![0; tokens];
    let batch = Batch::pack(std::iter::repeat_n(ids.as_slice(), sentences));
    let states = cpu.embed(&embedding, &batch)?;
    let name = format!("{sentences} x {tokens} tokens, {HEADS} heads of {}", HIDDEN / HEADS);
    let operations = 4 * (sentences * tokens * tokens * HIDDEN) as u64;
    log.measure(group, &name, operations, Peak::F32, || {
        black_box(cpu.attention(black_box(&states), HEADS, None, &batch).is_ok());
    });
    Ok(())
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn view(bytes: &[u8], rows: usize, columns: usize) -> TensorView<'_> {
    TensorView { name: "bench", rows, columns, block: BlockType::F32, bytes, owner: None }
}
