//! The GPU's kernels against their plain references, and the whole model against the CPU, on every
//! adapter that is here: a software one will do.

use std::collections::BTreeSet;

use simcse_lab::backend::cpu::Cpu;
use simcse_lab::backend::gpu::GpuBackend;
use simcse_lab::engine::Engine;
use simcse_lab::gpu::device::Gpu;
use simcse_lab::gpu::error::Error;
use simcse_lab::gpu::recording::Recording;
use simcse_lab::kernels::check::{self, numbers};
use simcse_lab::kernels::matrix::BLOCK;
use simcse_lab::kernels::product::{Arithmetic, Product};
use simcse_lab::kernels::{SHADERS, pool, quantise, unit};
use simcse_lab::model::encoder::Encoder;
use simcse_lab::protocol::event::Event;
use simcse_lab::protocol::gpu::Tuned;
use simcse_lab::protocol::readout::{Pooling, Readout};
use simcse_lab::protocol::request::Request;

use crate::journey::{MEAN, answer};
use crate::{fixture, golden};

/// The GPU here; `None`, and a line that says so, where there is none.
pub fn gpu() -> Option<Gpu> {
    match pollster::block_on(Gpu::open()) {
        Ok(gpu) => Some(gpu),
        Err(Error::NoAdapter { .. }) => {
            println!("skipped: no adapter");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn assert_near(found: &[f32], wanted: &[f32], tolerance: f32, what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    let worst = found.iter().zip(wanted).map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
    let worst = worst.fold(0.0, |worst, it| if it > worst || it.is_nan() { it } else { worst });
    assert!(worst <= tolerance, "{what}: {worst} off");
}

#[test]
fn every_shader_is_valid_wgsl() {
    for shader in SHADERS {
        let module = naga::front::wgsl::parse_str(shader.source)
            .unwrap_or_else(|error| panic!("{}", error.emit_to_string(shader.source)));
        let capabilities = if shader.needs_half() {
            naga::valid::Capabilities::SHADER_FLOAT16
        } else {
            naga::valid::Capabilities::empty()
        };
        let flags = naga::valid::ValidationFlags::all();
        let mut validator = naga::valid::Validator::new(flags, capabilities);
        let outcome = validator.validate(&module);
        assert!(outcome.is_ok(), "{}: {:?}", shader.name, outcome.err());
        let bound = module.global_variables.iter().filter(|(_, it)| it.binding.is_some());
        assert_eq!(bound.count(), 1 + shader.buffers.len(), "{}", shader.name);
    }
}

#[test]
fn every_kernel_equals_its_reference() {
    let Some(gpu) = gpu() else { return };
    let mut seen = BTreeSet::new();
    for case in check::cases(&gpu).unwrap() {
        let what = format!("{} {}", case.kernel, case.what);
        let (allowed, kernel) = (case.allowed, case.kernel);
        let difference = pollster::block_on(case.difference(&gpu)).unwrap();
        assert!(difference <= allowed, "{what}: {difference} off");
        seen.insert(kernel);
    }
    let possible = SHADERS.iter().filter(|shader| gpu.has_half() || !shader.needs_half());
    let all: BTreeSet<_> = possible.map(|shader| shader.name).collect();
    assert_eq!(seen, all, "every kernel has a case");
    for product in Product::all().filter(|it| it.arithmetic != Arithmetic::Half || gpu.has_half()) {
        let checks = pollster::block_on(check::check(&gpu, product)).unwrap();
        assert!(checks.len() >= 8, "{checks:?}");
        assert!(checks.iter().all(|check| check.is_right), "{product}: {checks:?}");
    }
}

/// Divisions may be 2.5 last places off (WGSL, section 15.7.4), so a number half-way between two codes
/// may get either: what holds is that no number is further than half a code from its own.
#[test]
fn states_are_rounded_to_the_nearest_code() {
    let Some(gpu) = gpu() else { return };
    let blocks = 130;
    let mut x = numbers(20, blocks * BLOCK);
    x[..BLOCK].fill(0.0);
    x[BLOCK..2 * BLOCK].fill(1e-38);
    x[2 * BLOCK..3 * BLOCK].iter_mut().for_each(|value| *value *= 1e20);
    let (codes, scales) = quantised(&gpu, &x);
    let (_, wanted) = quantise::reference(&x);
    assert_near(&scales[3..], &wanted[3..], 1e-6, "scales");
    assert_eq!(scales[..2], [0.0; 2]);
    for ((x, codes), scale) in x.chunks(BLOCK).zip(codes.chunks(BLOCK)).zip(&scales) {
        for (x, code) in x.iter().zip(codes) {
            let off = (x - f32::from(*code) * scale).abs();
            assert!(off <= 0.50001 * scale + 1e-30, "{x} is {code} of {scale}");
        }
    }
}

/// Codes and scales as the GPU rounds them.
fn quantised(gpu: &Gpu, x: &[f32]) -> (Vec<i8>, Vec<f32>) {
    let blocks = x.len() / BLOCK;
    let from = gpu.upload_reals("x", x).unwrap();
    let codes = gpu.room("codes", x.len() / 4).unwrap();
    let scales = gpu.room("scales", blocks).unwrap();
    let step = quantise::dispatch(blocks, &from, &codes, &scales);
    let run = |out, count| {
        let steps = vec![step.clone()];
        pollster::block_on(gpu.run(Recording { steps }, &[(out, count)])).unwrap()
    };
    let words = run(&codes, x.len() / 4);
    let codes = words.iter().flat_map(|word| word.to_le_bytes().map(u8::cast_signed));
    (codes.collect(), run(&scales, blocks))
}

#[test]
fn a_row_of_zeros_stays() {
    let Some(gpu) = gpu() else { return };
    let room = gpu.room("zeros", 7).unwrap();
    let starts = gpu.upload("starts", &[0, 1]).unwrap();
    let zeros = gpu.upload_reals("zeros", &[0.0; 7]).unwrap();
    let copy = pool::dispatch((1, 7), true, &starts, &zeros, &room);
    let recording = Recording { steps: vec![copy, unit::dispatch((1, 7), &room)] };
    assert_eq!(pollster::block_on(gpu.run(recording, &[(&room, 7)])).unwrap(), [0.0; 7]);
}

#[test]
fn the_model_gives_the_cpus_rows_whatever_the_readout() {
    let Some(gpu) = gpu() else { return };
    let file = fixture::file(1);
    let on_cpu = Encoder::load(Cpu::default(), &file).unwrap();
    let on_gpu = Encoder::load(GpuBackend::new(gpu), &file).unwrap();
    let sentences: Vec<_> =
        [0, 1, 2, 9, 22].map(|n| on_cpu.tokenise(&fixture::sentence(n, n)).unwrap()).into();
    for layer in [Some(0), Some(1), None] {
        for pooling in [Pooling::Mean, Pooling::Cls, Pooling::FirstLast] {
            let readout = Readout { pooling, layer };
            let wanted = pollster::block_on(on_cpu.embed(&sentences, readout)).unwrap();
            let found = pollster::block_on(on_gpu.embed(&sentences, readout)).unwrap();
            assert_near(&found, &wanted, 2e-5, &format!("{readout:?}"));
        }
    }
}

#[test]
fn tensors_too_large_for_the_device_come_in_parts() {
    /// The largest tensor of the default model takes 45 of these, its positions four.
    const CAP_BYTES: u64 = 256 << 10;
    let gpu = match pollster::block_on(Gpu::open_within(CAP_BYTES)) {
        Ok(gpu) => gpu,
        Err(Error::NoAdapter { .. }) => return println!("skipped: no adapter"),
        Err(error) => panic!("{error}"),
    };
    assert_eq!(gpu.most_bytes(), CAP_BYTES);
    let file = golden::default_weights();
    let on_cpu = Encoder::load(Cpu::default(), &file).unwrap();
    let on_gpu = Encoder::load(GpuBackend::new(gpu.clone()), &file).unwrap();
    let most = on_gpu.backend().most_tokens(file.config.feed_forward);
    assert_eq!(most, (CAP_BYTES / 4) as usize / file.config.feed_forward);
    // Words from all over the vocabulary.
    let text = "The Zürich gnomes ate 7 ##, 東京 and unbelievably !? quizzical æons of @home";
    let tokens = on_cpu.tokenise(text).unwrap();
    assert!((20..=most).contains(&tokens.ids.len()), "{}", tokens.ids.len());
    let readout = Readout::last(Pooling::Mean);
    let one = std::slice::from_ref(&tokens);
    let wanted = pollster::block_on(on_cpu.embed(one, readout)).unwrap();
    let before = gpu.counts();
    let found = pollster::block_on(on_gpu.embed(one, readout)).unwrap();
    let after = gpu.counts();
    assert_eq!(after.submissions - before.submissions, 1);
    assert!(after.dispatches - before.dispatches > 200);
    let cosine: f32 = found.iter().zip(&wanted).map(|(a, b)| a * b).sum();
    assert!(cosine > 0.9995, "{cosine}");
    // The same GPU without the cap: sums are added in the same order.
    let Some(gpu) = self::gpu() else { return };
    let whole = Encoder::load(GpuBackend::new(gpu), &file).unwrap();
    let whole = pollster::block_on(whole.embed(one, readout)).unwrap();
    assert_eq!(found, whole);
}

#[test]
fn states_too_large_for_the_device_are_an_error() {
    let gpu = match pollster::block_on(Gpu::open_within(16 << 10)) {
        Ok(gpu) => gpu,
        Err(Error::NoAdapter { .. }) => return println!("skipped: no adapter"),
        Err(error) => panic!("{error}"),
    };
    let file = fixture::file(4);
    let widest = 3 * fixture::HIDDEN;
    let encoder = Encoder::load(GpuBackend::new(gpu), &file).unwrap();
    let most = encoder.backend().most_tokens(widest);
    assert_eq!(most, (16 << 10) / 4 / widest);
    let embed = |sentences: usize| {
        let tokens: Vec<_> =
            (0..sentences).map(|_| encoder.tokenise(&fixture::sentence(5, 1)).unwrap()).collect();
        let count: usize = tokens.iter().map(|tokens| tokens.ids.len()).sum();
        let rows = pollster::block_on(encoder.embed(&tokens, Readout::last(Pooling::Mean)));
        (count, rows)
    };
    let (count, rows) = embed(5);
    assert!(count <= most && rows.is_ok(), "{count} of {most}: {rows:?}");
    let (count, rows) = embed(6);
    assert!(count > most, "{count} of {most}");
    assert!(rows.unwrap_err().to_string().contains("the GPU allows"));
}

#[test]
fn a_batch_is_one_submission_and_one_read_back() {
    let Some(gpu) = gpu() else { return };
    let encoder = Encoder::load(GpuBackend::new(gpu.clone()), &fixture::file(2)).unwrap();
    let sentences: Vec<_> =
        (0..9).map(|i| encoder.tokenise(&fixture::sentence(i, i)).unwrap()).collect();
    // Embedding; a layer's projection, attention, output, norm, up, down, norm; pooling, unit rows.
    let mean = 1 + 7 * fixture::LAYERS as u32 + 2;
    // In the last layer each sentence's first token of what goes round attention and comes out of it.
    for (pooling, dispatches) in [(Pooling::Mean, mean), (Pooling::Cls, mean + 2)] {
        let before = gpu.counts();
        pollster::block_on(encoder.embed(&sentences, Readout::last(pooling))).unwrap();
        let after = gpu.counts();
        assert_eq!(after.submissions - before.submissions, 1);
        assert_eq!(after.read_backs - before.read_backs, 1);
        assert_eq!(after.dispatches - before.dispatches, dispatches);
    }
}

#[test]
fn a_pair_with_every_token_is_one_submission_and_one_read_back() {
    let Some(gpu) = gpu() else { return };
    let file = fixture::file(2);
    let encoder = Encoder::load(GpuBackend::new(gpu.clone()), &file).unwrap();
    let on_cpu = Encoder::load(Cpu::default(), &file).unwrap();
    let sentence = encoder.tokenise(&fixture::sentence(7, 3)).unwrap();
    let readout = Readout::last(Pooling::Mean);
    let before = gpu.counts();
    let found = pollster::block_on(encoder.token_rows(&sentence, readout)).unwrap();
    let after = gpu.counts();
    assert_eq!(after.submissions - before.submissions, 1);
    assert_eq!(after.read_backs - before.read_backs, 1);
    let wanted = pollster::block_on(on_cpu.token_rows(&sentence, readout)).unwrap();
    assert_near(&found, &wanted, 2e-5, "every token");
}

#[test]
fn without_memory_there_is_an_error_and_no_panic() {
    let gpu = match pollster::block_on(Gpu::open_without_memory()) {
        Ok(gpu) => gpu,
        Err(Error::NoAdapter { .. }) => return println!("skipped: no adapter"),
        // Some drivers (NVIDIA's) then give no device at all.
        Err(error) => return assert!(error.to_string().contains("memory"), "{error}"),
    };
    let run = |numbers: usize| {
        let room = gpu.room("room", numbers)?;
        let recording = Recording { steps: vec![unit::dispatch((1, numbers), &room)] };
        pollster::block_on(gpu.run(recording, &[(&room, numbers)]))
    };
    match run(1 << 20) {
        Err(Error::Memory { needed_bytes }) => assert_eq!(needed_bytes, 4 << 20),
        Ok(_) => return println!("skipped: the adapter does not tell how much memory it has"),
        Err(error) => panic!("{error}"),
    }
    let loaded = Encoder::load(GpuBackend::new(gpu.clone()), &fixture::file(1));
    let error = loaded.map(drop).unwrap_err().to_string();
    assert!(error.contains("memory"), "{error}");
}

#[test]
fn every_way_to_multiply_gives_the_same_rows() {
    let Some(gpu) = gpu() else { return };
    let file = golden::default_weights();
    let encoder = Encoder::load(GpuBackend::new(gpu), &file).unwrap();
    let texts =
        ["a cat sat on a mat", "it rains", "the stars are very bright tonight over the sea"];
    let sentences: Vec<_> = (0..9).map(|i| encoder.tokenise(texts[i % 3]).unwrap()).collect();
    let embed = |product| {
        encoder.backend().choose(product);
        let rows = encoder.embed(&sentences, Readout::last(Pooling::Mean));
        pollster::block_on(rows).unwrap()
    };
    let wanted = embed(Product::SAFE);
    for product in Product::all() {
        // Numbers of a unit row are about 0.05. Tiles change nothing but the order in which a compiler
        // adds; rounding to 11 bits or to a byte does.
        let tolerance = match product.arithmetic {
            Arithmetic::Real => 1e-5,
            Arithmetic::Half => 1e-3,
            Arithmetic::Int8 => 2e-2,
        };
        let found = embed(product);
        assert_near(&found, &wanted, tolerance, &product.to_string());
    }
}

#[test]
fn tuning_chooses_something_near_that_can_be_remembered() {
    let Some(gpu) = gpu() else { return };
    let backend = GpuBackend::new(gpu);
    let product = pollster::block_on(backend.tune()).unwrap();
    assert!(product.arithmetic.is_near());
    assert_eq!(backend.product(), product);
    assert_eq!(product.to_string().parse(), Ok(product));
}

#[test]
fn times_are_those_of_the_dispatches() {
    let Some(gpu) = gpu() else { return };
    let encoder = Encoder::load(GpuBackend::new(gpu.clone()), &fixture::file(2)).unwrap();
    let tokens = [encoder.tokenise("the cat sat on a mat.").unwrap()];
    let readout = Readout::last(Pooling::Mean);
    let wanted = pollster::block_on(encoder.embed(&tokens, readout)).unwrap();
    assert_eq!(encoder.backend().take_times(), []);
    encoder.backend().keep_times(true);
    let before = gpu.counts();
    let found = pollster::block_on(encoder.embed(&tokens, readout)).unwrap();
    let after = gpu.counts();
    assert_eq!(found, wanted);
    assert_eq!(after.submissions - before.submissions, 1);
    assert_eq!(after.read_backs - before.read_backs, 1);
    let times = encoder.backend().take_times();
    if times.is_empty() {
        return println!("skipped: the adapter does not tell the time");
    }
    assert_eq!(times.len() as u32, after.dispatches - before.dispatches);
    assert_eq!(times.first().unwrap().shader, "embed");
    assert_eq!(times.last().unwrap().shader, "unit");
    assert!(times.iter().any(|it| !it.duration.is_zero()));
}

#[test]
fn a_lost_gpu_says_so_and_gives_no_rows() {
    let Some(gpu) = gpu() else { return };
    let encoder = Encoder::load(GpuBackend::new(gpu.clone()), &fixture::file(3)).unwrap();
    let tokens = encoder.tokenise("the cat sat on a mat.").unwrap();
    let readout = Readout::last(Pooling::Mean);
    let one = std::slice::from_ref(&tokens);
    assert!(pollster::block_on(encoder.embed(one, readout)).is_ok());
    gpu.destroy();
    let error = pollster::block_on(encoder.embed(one, readout)).unwrap_err();
    assert!(error.to_string().contains("lost"), "{error}");
}

#[test]
fn an_engine_on_the_gpu_examines_itself_and_answers_as_the_cpu_does() {
    let Some(gpu) = gpu() else { return };
    let mut engine = Engine::on(GpuBackend::new(gpu));
    engine.open(1, "tiny.gguf", fixture::gguf(1), None, &mut Vec::new());
    let mut cpu = Engine::new();
    cpu.open(1, "tiny.gguf", fixture::gguf(1), None, &mut Vec::new());
    let examined = answer(&mut engine, Request::Examine { revision: 2, tuned: None });
    let Event::Examined { report, .. } = examined.head else { panic!("{:?}", examined.head) };
    assert!(report.kernels.len() >= 8, "{report:?}");
    assert!(report.kernels.iter().all(|kernel| kernel.is_right), "{report:?}");
    assert!(report.lowest_cosine > 0.9999 && report.largest_difference < 1e-3, "{report:?}");
    assert!(report.gpu_per_s > 0.0 && report.cpu_latency_ms > 0.0, "{report:?}");
    let ids = vec![vec![2, 7, 3], vec![2, 9, 8, 3]];
    let portion = Request::Portion { revision: 3, ids, lens: MEAN, with_tokens: true };
    let wanted = answer(&mut cpu, portion.clone());
    let found = answer(&mut engine, portion);
    let (found, wanted) = (found.f32().unwrap(), wanted.f32().unwrap());
    assert_eq!(wanted.len(), (2 + 7) * fixture::HIDDEN);
    // Which way is the fastest differs from run to run; f16 keeps eleven binary digits.
    let is_half = report.way.as_deref().is_some_and(|way| way.starts_with("f16"));
    let tolerance = if is_half { 1e-3 } else { 2e-5 };
    assert_near(found, wanted, tolerance, "sentences and tokens");
    // A way that is known of this device is taken as it is.
    let tuned = Tuned { device: report.device.clone(), way: "f32 8x4".to_owned() };
    let examined = answer(&mut engine, Request::Examine { revision: 4, tuned: Some(tuned) });
    let Event::Examined { report, .. } = examined.head else { panic!("{:?}", examined.head) };
    assert_eq!((report.way.as_deref(), report.wrong_way), (Some("f32 8x4"), None));
}
