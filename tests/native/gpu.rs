//! The GPU's kernels against their plain references, and the whole model against the CPU, on every
//! adapter that is here: a software one will do.
//!
//! Tolerances: kernels add in `f32` in another order than the references, which add in `f64`. Over
//! `n` terms of size 1 that is at most about `n 6e-8` apart (Higham, Accuracy and Stability of
//! Numerical Algorithms, section 4.2), far less in practice; `exp`, `tanh` and square roots may be a
//! few last places off (WGSL, section 15.7.4).

use simcse_lab::backend::cpu::Cpu;
use simcse_lab::backend::gpu::GpuBackend;
use simcse_lab::gpu::buffer::Buffer;
use simcse_lab::gpu::device::Gpu;
use simcse_lab::gpu::error::Error;
use simcse_lab::gpu::recording::{Dispatch, Recording};
use simcse_lab::kernels::linear::Activation;
use simcse_lab::kernels::matrix::{Matrix, Numbers};
use simcse_lab::kernels::{SHADERS, add_norm, attention, average, embed, linear, pool, unit};
use simcse_lab::model::encoder::Encoder;
use simcse_lab::protocol::readout::{Pooling, Readout};

use crate::fixture;

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

/// Deterministic numbers in -1..1 (Marsaglia's xorshift).
fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn blocks(seed: u64, rows: usize, columns: usize) -> Matrix {
    let count = rows * columns;
    let codes = numbers(seed, count).into_iter().map(|x| (x * 127.9) as i8).collect();
    let scales = numbers(seed + 1, count / 32).into_iter().map(|x| x * 0.01).collect();
    Matrix { rows, columns, numbers: Numbers::Blocks { codes, scales } }
}

fn real(seed: u64, rows: usize, columns: usize) -> Matrix {
    Matrix { rows, columns, numbers: Numbers::Real(numbers(seed, rows * columns)) }
}

fn run(gpu: &Gpu, step: Dispatch, out: &Buffer, count: usize) -> Vec<f32> {
    let recording = Recording { steps: vec![step] };
    pollster::block_on(gpu.run(recording, out, count)).unwrap()
}

/// A buffer that a kernel changes: uploads are only read, so it is written by one first.
fn changeable(gpu: &Gpu, values: &[f32]) -> (Buffer, Dispatch) {
    let from = gpu.upload_reals("test", values).unwrap();
    let to = gpu.room("test", values.len()).unwrap();
    // The mean of one row is the row.
    let starts = gpu.upload("test", &[0, 1]).unwrap();
    let copy = pool::dispatch((1, values.len()), true, &starts, &from, &to);
    (to, copy)
}

fn run_in_place(
    gpu: &Gpu,
    copies: Vec<Dispatch>,
    step: Dispatch,
    out: &Buffer,
    n: usize,
) -> Vec<f32> {
    let mut steps = copies;
    steps.push(step);
    pollster::block_on(gpu.run(Recording { steps }, out, n)).unwrap()
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
        let mut validator = naga::valid::Validator::new(
            naga::valid::ValidationFlags::all(),
            naga::valid::Capabilities::empty(),
        );
        let outcome = validator.validate(&module);
        assert!(outcome.is_ok(), "{}: {:?}", shader.name, outcome.err());
        let bound = module.global_variables.iter().filter(|(_, it)| it.binding.is_some());
        assert_eq!(bound.count(), 1 + shader.buffers.len(), "{}", shader.name);
    }
}

#[test]
fn linear_equals_its_reference() {
    let Some(gpu) = gpu() else { return };
    // One row, odd sizes, whole tiles and a little more.
    for (rows, inputs, outputs) in
        [(1, 32, 1), (3, 64, 7), (16, 96, 64), (33, 32, 65), (70, 160, 130)]
    {
        for weights in [blocks(1, outputs, inputs), real(2, outputs, inputs + 3)] {
            let x = numbers(3, rows * weights.columns);
            let bias = numbers(4, outputs);
            let buffers =
                (gpu.upload_reals("x", &x).unwrap(), gpu.upload_reals("b", &bias).unwrap());
            let on_gpu = weights.upload(&gpu, "weights").unwrap();
            for activation in [Activation::Nothing, Activation::Gelu, Activation::Tanh] {
                let out = gpu.room("out", rows * outputs).unwrap();
                let step =
                    linear::dispatch(rows, &buffers.0, &on_gpu, &buffers.1, activation, &out);
                let found = run(&gpu, step, &out, rows * outputs);
                let wanted = linear::reference(&x, &weights, &bias, activation);
                let what = format!("{rows} {inputs} {outputs} {activation:?}");
                assert_near(&found, &wanted, 1e-5, &what);
            }
        }
    }
}

#[test]
fn gelu_and_tanh_hold_far_out() {
    let Some(gpu) = gpu() else { return };
    let weights = Matrix { rows: 1, columns: 1, numbers: Numbers::Real(vec![1.0]) };
    let on_gpu = weights.upload(&gpu, "weights").unwrap();
    let x: Vec<f32> = (-2000..=2000).map(|i| i as f32 * 0.05).chain([1e4, -1e4]).collect();
    let (from, bias) =
        (gpu.upload_reals("x", &x).unwrap(), gpu.upload_reals("bias", &[0.0]).unwrap());
    for activation in [Activation::Gelu, Activation::Tanh] {
        let out = gpu.room("out", x.len()).unwrap();
        let step = linear::dispatch(x.len(), &from, &on_gpu, &bias, activation, &out);
        let found = run(&gpu, step, &out, x.len());
        let wanted = linear::reference(&x, &weights, &[0.0], activation);
        assert_near(&found, &wanted, 2e-6, &format!("{activation:?}"));
    }
}

#[test]
fn attention_equals_its_reference() {
    let Some(gpu) = gpu() else { return };
    // Sentences of one token, of none, around the tile's edges, and as long as any.
    let lengths = [1, 0, 5, 16, 17, 31, 32, 33, 512];
    let starts: Vec<usize> = std::iter::once(0)
        .chain(lengths.iter().scan(0, |sum, length| {
            *sum += length;
            Some(*sum)
        }))
        .collect();
    let tokens = *starts.last().unwrap();
    for (hidden, heads) in [(8, 2), (36, 3), (64, 2), (64, 1)] {
        // Scores of up to some 50 apart, so that the running softmax has to shrink its sums.
        let states: Vec<f32> =
            numbers(5, tokens * 3 * hidden).into_iter().map(|x| x * 4.0).collect();
        let from = gpu.upload_reals("states", &states).unwrap();
        let items = attention::items(&starts);
        let on_gpu = gpu.upload("items", &items).unwrap();
        let out = gpu.room("out", tokens * hidden).unwrap();
        let step = attention::dispatch(items.len() / 4, (hidden, heads), &on_gpu, &from, &out);
        let found = run(&gpu, step, &out, tokens * hidden);
        let wanted = attention::reference(&states, hidden, heads, &starts);
        assert_near(&found, &wanted, 3e-5, &format!("{hidden} {heads}"));
    }
}

#[test]
fn norms_equal_their_references() {
    let Some(gpu) = gpu() else { return };
    for (rows, hidden) in [(1, 1), (3, 36), (5, 384), (2, 1000)] {
        let (a, b) = (numbers(6, rows * hidden), numbers(7, rows * hidden));
        let (gain, offset) = (numbers(8, hidden), numbers(9, hidden));
        let norm = [gain.clone(), offset.clone()].concat();
        let (norm, residual) =
            (gpu.upload_reals("norm", &norm).unwrap(), gpu.upload_reals("b", &b).unwrap());
        let (states, copy) = changeable(&gpu, &a);
        let step = add_norm::dispatch((rows, hidden), 1e-5, &states, &residual, &norm);
        let found = run_in_place(&gpu, vec![copy], step, &states, rows * hidden);
        let wanted = add_norm::reference(&a, &b, &gain, &offset, 1e-5);
        assert_near(&found, &wanted, 2e-5, &format!("add norm {rows} {hidden}"));

        let (states, copy) = changeable(&gpu, &a);
        let step = unit::dispatch((rows, hidden), &states);
        let found = run_in_place(&gpu, vec![copy], step, &states, rows * hidden);
        assert_near(&found, &unit::reference(&a, hidden), 1e-6, &format!("unit {rows} {hidden}"));

        let (states, copy) = changeable(&gpu, &a);
        let step = average::dispatch((rows, hidden), &residual, &states);
        let found = run_in_place(&gpu, vec![copy], step, &states, rows * hidden);
        assert_near(&found, &average::reference(&b, &a), 1e-7, &format!("average {rows} {hidden}"));
    }
    let (states, copy) = changeable(&gpu, &[0.0; 7]);
    let found = run_in_place(&gpu, vec![copy], unit::dispatch((1, 7), &states), &states, 7);
    assert_eq!(found, [0.0; 7], "a row of zeros stays");
}

#[test]
fn embedding_and_pooling_equal_their_references() {
    let Some(gpu) = gpu() else { return };
    let tokens = [(0, 0), (6, 1), (3, 2), (6, 0), (1, 3)];
    let words: Vec<u32> = tokens.iter().flat_map(|(id, place)| [*id, *place]).collect();
    let ids = gpu.upload("tokens", &words).unwrap();
    for table in [blocks(10, 7, 64), real(11, 7, 36)] {
        let hidden = table.columns;
        let positions = numbers(12, 4 * hidden);
        let (gain, offset) = (numbers(13, hidden), numbers(14, hidden));
        let on_gpu = table.upload(&gpu, "words").unwrap();
        let input = embed::Input {
            tokens: &ids,
            words: &on_gpu,
            positions: &gpu.upload_reals("positions", &positions).unwrap(),
            norm: &gpu.upload_reals("norm", &[gain.clone(), offset.clone()].concat()).unwrap(),
            epsilon: 1e-12,
        };
        let out = gpu.room("out", tokens.len() * hidden).unwrap();
        let found =
            run(&gpu, embed::dispatch(tokens.len(), input, &out), &out, tokens.len() * hidden);
        let wanted = embed::reference(&tokens, &table, &positions, (&gain, &offset), 1e-12);
        assert_near(&found, &wanted, 2e-5, &format!("embed {hidden}"));

        let starts = [0, 2, 2, 5];
        let on_gpu = gpu.upload("starts", &starts.map(|start| start as u32)).unwrap();
        let states = gpu.upload_reals("states", &wanted).unwrap();
        for first in [false, true] {
            let out = gpu.room("out", 3 * hidden).unwrap();
            let step = pool::dispatch((3, hidden), first, &on_gpu, &states, &out);
            let found = run(&gpu, step, &out, 3 * hidden);
            let wanted = pool::reference(&wanted, hidden, &starts, first);
            assert_near(&found, &wanted, 1e-6, &format!("pool {hidden} {first}"));
        }
    }
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
fn a_batch_is_one_submission_and_one_read_back() {
    let Some(gpu) = gpu() else { return };
    let encoder = Encoder::load(GpuBackend::new(gpu.clone()), &fixture::file(2)).unwrap();
    let sentences: Vec<_> =
        (0..9).map(|i| encoder.tokenise(&fixture::sentence(i, i)).unwrap()).collect();
    let before = gpu.counts();
    pollster::block_on(encoder.embed(&sentences, Readout::last(Pooling::Mean))).unwrap();
    let after = gpu.counts();
    assert_eq!(after.submissions - before.submissions, 1);
    assert_eq!(after.read_backs - before.read_backs, 1);
    // Embedding; a layer's projection, attention, output, norm, up, down, norm; pooling, unit rows.
    assert_eq!(after.dispatches - before.dispatches, 1 + 7 * fixture::LAYERS as u32 + 2);
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
