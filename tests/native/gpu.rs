//! The GPU's kernels against their plain references, and the whole model against the CPU, on every
//! adapter that is here: a software one will do.

use std::collections::BTreeSet;

use simcse_lab::backend::cpu::Cpu;
use simcse_lab::backend::gpu::GpuBackend;
use simcse_lab::engine::Engine;
use simcse_lab::gpu::device::Gpu;
use simcse_lab::gpu::error::Error;
use simcse_lab::gpu::recording::Recording;
use simcse_lab::kernels::{SHADERS, check, pool, unit};
use simcse_lab::model::encoder::Encoder;
use simcse_lab::protocol::event::Event;
use simcse_lab::protocol::readout::{Pooling, Readout};
use simcse_lab::protocol::request::Request;

use crate::fixture;
use crate::journey::{MEAN, answer};

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
    let all: BTreeSet<_> = SHADERS.iter().map(|shader| shader.name).collect();
    assert_eq!(seen, all, "every kernel has a case");
    let checks = pollster::block_on(check::check(&gpu)).unwrap();
    assert!(checks.len() == all.len() && checks.iter().all(|check| check.is_right), "{checks:?}");
}

#[test]
fn a_row_of_zeros_stays() {
    let Some(gpu) = gpu() else { return };
    let room = gpu.room("zeros", 7).unwrap();
    let starts = gpu.upload("starts", &[0, 1]).unwrap();
    let zeros = gpu.upload_reals("zeros", &[0.0; 7]).unwrap();
    let copy = pool::dispatch((1, 7), true, &starts, &zeros, &room);
    let recording = Recording { steps: vec![copy, unit::dispatch((1, 7), &room)] };
    assert_eq!(pollster::block_on(gpu.run(recording, &room, 7)).unwrap(), [0.0; 7]);
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

#[test]
fn an_engine_on_the_gpu_examines_itself_and_answers_as_the_cpu_does() {
    let Some(gpu) = gpu() else { return };
    let mut engine = Engine::on(GpuBackend::new(gpu));
    engine.open(1, "tiny.gguf", fixture::gguf(1), None, &mut Vec::new());
    let mut cpu = Engine::new();
    cpu.open(1, "tiny.gguf", fixture::gguf(1), None, &mut Vec::new());
    let examined = answer(&mut engine, Request::Examine { revision: 2 });
    let Event::Examined { report, .. } = examined.head else { panic!("{:?}", examined.head) };
    assert_eq!(report.kernels.len(), SHADERS.len());
    assert!(report.kernels.iter().all(|kernel| kernel.is_right), "{report:?}");
    assert!(report.lowest_cosine > 0.9999 && report.largest_difference < 1e-3, "{report:?}");
    assert!(report.gpu_per_s > 0.0 && report.cpu_latency_ms > 0.0, "{report:?}");
    let ids = vec![vec![2, 7, 3], vec![2, 9, 8, 3]];
    let portion = Request::Portion { revision: 3, ids, lens: MEAN, with_tokens: true };
    let wanted = answer(&mut cpu, portion.clone());
    let found = answer(&mut engine, portion);
    let (found, wanted) = (found.f32().unwrap(), wanted.f32().unwrap());
    assert_eq!(wanted.len(), (2 + 7) * fixture::HIDDEN);
    assert_near(found, wanted, 2e-5, "sentences and tokens");
}
