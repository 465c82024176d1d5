//! What the adapter can multiply without memory: sixteen independent sums a thread, on registers alone.

use std::time::{Duration, Instant};

use simcse_lab::gpu::device::Gpu;
use simcse_lab::gpu::error::Error;
use simcse_lab::gpu::recording::{Access, Dispatch, Recording, Shader};

static SHADER: Shader =
    Shader { name: "peak", source: include_str!("peak.wgsl"), buffers: &[Access::Write] };

const ROUNDS: u32 = 4096;
const GROUPS: u32 = 1024;
const THREADS: u32 = 256;
const SUMS: u64 = 16;

/// Operations a second (a multiplication and an addition are two) in `f32`, or in bytes.
pub async fn measure(gpu: &Gpu, int8: bool) -> Result<f64, Error> {
    // Software needs no more to be busy, and would take minutes.
    let groups = if gpu.facts().is_software { GROUPS / 64 } else { GROUPS };
    let out = gpu.room("peak", (groups * THREADS) as usize)?;
    let step = Dispatch {
        shader: &SHADER,
        constants: vec![("INT8", u32::from(int8)), ("ROUNDS", ROUNDS)],
        params: [0.999_f32.to_bits(), 0x0103_fe02, 0, 0, 0, 0, 0, 0],
        buffers: vec![out.clone()],
        groups: [groups, 1, 1],
    };
    let products = if int8 { 4 } else { 1 };
    let operations = 2 * products * SUMS * u64::from(ROUNDS) * u64::from(groups * THREADS);
    let mut best = Duration::MAX;
    // The first round compiles.
    for round in 0..4 {
        let started = Instant::now();
        let (_, times) =
            gpu.run_timed(Recording { steps: vec![step.clone()] }, &[(&out, 1)]).await?;
        let wall = started.elapsed();
        let took = times.map_or(wall, |times| times.iter().map(|it| it.duration).sum());
        if round > 0 {
            best = best.min(took);
        }
    }
    Ok(operations as f64 / best.as_secs_f64())
}
