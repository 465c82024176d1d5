//! What the GPU reaches: `cargo bench --bench gpu`. First the adapter's peaks, and every way to multiply
//! as a share of them; then the whole model by batch, and where its time goes. Throughput is in sentences.
//! On a software adapter the figures are those of the processor.

mod peak;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use pollster::block_on;
use simcse_lab::backend::Backend;
use simcse_lab::backend::gpu::GpuBackend;
use simcse_lab::gpu::device::Gpu;
use simcse_lab::gpu::error::Error as GpuError;
use simcse_lab::kernels::multiply;
use simcse_lab::kernels::product::{Arithmetic, Product};
use simcse_lab::model::encoder::Encoder;
use simcse_lab::protocol::readout::{Pooling, Readout};
use simcse_lab::text::tokeniser::Tokens;
use simcse_lab::weights::bert::{BertConfig, BertFile};

const MODEL: &str = "assets/models/all-MiniLM-L6-v2-q8_0.gguf";
const SENTENCES: &str = "assets/sentences.txt";

fn main() -> Result<(), Box<dyn Error>> {
    let gpu = match block_on(Gpu::open()) {
        Err(GpuError::NoAdapter { .. }) => {
            println!("skipped: no adapter");
            return Ok(());
        }
        opened => opened?,
    };
    let facts = gpu.facts();
    let kind = if facts.is_software { ", software: no figures of hardware" } else { "" };
    println!("{} ({}{kind})", facts.name, facts.api);
    let peak = products(&gpu)?;
    let (encoder, sentences) = model(gpu)?;
    println!("tuned: {}", block_on(encoder.backend().tune())?);
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .sample_size(10)
        .configure_from_args();
    let mut group = criterion.benchmark_group("whole model on the GPU");
    for count in [1, 32, 256] {
        let batch = &sentences[..count.min(sentences.len())];
        group.throughput(Throughput::Elements(batch.len() as u64));
        group.bench_function(format!("{count} sentences"), |bencher| {
            bencher.iter(|| black_box(block_on(encoder.embed(batch, readout()))).is_ok());
        });
    }
    group.finish();
    criterion.final_summary();
    for count in [1, 32, 256] {
        stages(&encoder, &sentences[..count.min(sentences.len())], peak)?;
    }
    Ok(())
}

fn readout() -> Readout {
    Readout::last(Pooling::Mean)
}

fn model(gpu: Gpu) -> Result<(Encoder<GpuBackend>, Vec<Tokens>), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = BertFile::read(MODEL, fs::read(root.join(MODEL))?, None)?;
    let encoder = Encoder::load(GpuBackend::new(gpu), &file)?;
    let text = fs::read_to_string(root.join(SENTENCES))?;
    let lines = text.lines().filter(|line| !line.is_empty());
    let sentences = lines.map(|line| encoder.tokenise(line)).collect::<Result<_, _>>()?;
    Ok((encoder, sentences))
}

/// Prints the peaks and every way to multiply; the `f32` peak.
fn products(gpu: &Gpu) -> Result<f64, GpuError> {
    let (reals, bytes) =
        (block_on(peak::measure(gpu, false))?, block_on(peak::measure(gpu, true))?);
    println!("peak {:.1} Gop/s in f32, {:.1} in int8", reals / 1e9, bytes / 1e9);
    let possible = |product: &Product| gpu.has_half() || product.arithmetic != Arithmetic::Half;
    for product in Product::all().filter(possible) {
        let took = block_on(multiply::measure(gpu, product))?;
        let speed = multiply::OPERATIONS as f64 / took.as_secs_f64();
        let peak = if product.arithmetic == Arithmetic::Int8 { bytes } else { reals };
        let (share, speed) = (100.0 * speed / peak, speed / 1e9);
        println!("{product:>10} {took:>10.2?} {speed:>8.1} Gop/s {share:>5.1} % of its peak");
    }
    Ok(reals)
}

/// Prints what share of the peak a batch reaches, and where its time goes if the device can tell.
fn stages(
    encoder: &Encoder<GpuBackend>,
    batch: &[Tokens],
    peak: f64,
) -> Result<(), Box<dyn Error>> {
    let backend = encoder.backend();
    let tokens: usize = batch.iter().map(|sentence| sentence.ids.len()).sum();
    // Criterion may have been told to leave this batch out: then the first run compiles.
    block_on(encoder.embed(batch, readout()))?;
    let started = Instant::now();
    block_on(encoder.embed(batch, readout()))?;
    let took = started.elapsed();
    let operations = tokens as u64 * operations_a_token(encoder.config());
    let share = 100.0 * operations as f64 / took.as_secs_f64() / peak;
    let count = batch.len();
    let a_second = count as f64 / took.as_secs_f64();
    println!(
        "\n{}: {count} sentences, {tokens} tokens: {took:.2?}, {a_second:.0} sentences/s, {share:.1} % of \
         the f32 peak",
        backend.device()
    );
    backend.keep_times(true);
    block_on(encoder.embed(batch, readout()))?;
    let times = backend.take_times();
    backend.keep_times(false);
    let whole: Duration = times.iter().map(|it| it.duration).sum();
    let mut stages: BTreeMap<&str, (usize, Duration)> = BTreeMap::new();
    for time in times {
        let stage = stages.entry(time.shader).or_default();
        *stage = (stage.0 + 1, stage.1 + time.duration);
    }
    if stages.is_empty() {
        println!("the adapter does not tell the time");
    }
    for (name, (runs, took)) in stages {
        let share = 100.0 * took.as_secs_f64() / whole.as_secs_f64();
        println!("{took:>10.2?} {share:>5.1} %  {name}, {runs} times");
    }
    Ok(())
}

/// Of the linear layers: queries, keys, values, output, and the wide layer up and down.
fn operations_a_token(config: &BertConfig) -> u64 {
    let (hidden, wide) = (config.hidden as u64, config.feed_forward as u64);
    2 * config.layers as u64 * (4 * hidden * hidden + 2 * hidden * wide)
}
