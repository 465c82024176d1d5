//! A linear layer's dispatches, multiplied out in whichever way was chosen, and how long each way
//! takes here.

use web_time::{Duration, Instant};

use crate::gpu::device::Gpu;
use crate::gpu::error::Error;
use crate::gpu::recording::{Dispatch, Recording};
use crate::kernels::linear::{Activation, Layer};
use crate::kernels::matrix::{BLOCK, Matrix, Numbers};
use crate::kernels::product::{Arithmetic, Product};
use crate::kernels::{linear, linear_int8, quantise};

/// What is measured: the wide layer of a small BERT over some thirty sentences.
const ROWS: usize = 512;
const INPUTS: usize = 384;
const OUTPUTS: usize = 1536;
/// Multiplications and additions of the layer that is measured.
pub const OPERATIONS: u64 = 2 * (ROWS * INPUTS * OUTPUTS) as u64;
/// One after another in a recording, so that handing it in hardly counts.
const REPEATS: u32 = 4;
/// The fastest counts: others were disturbed.
const ROUNDS: usize = 2;

/// The dispatches of a layer. Weights that are real numbers are not multiplied as whole ones, whatever
/// was chosen.
///
/// # Errors
/// [`Error::Limit`] where a buffer for rounded states cannot be long enough.
pub fn steps(gpu: &Gpu, layer: Layer<'_>, product: Product) -> Result<Vec<Dispatch>, Error> {
    let Product { arithmetic, tile } = product;
    if arithmetic == Arithmetic::Int8 && !layer.weights.is_real {
        let blocks = layer.rows * layer.weights.columns / BLOCK;
        let codes = gpu.room("codes of states", blocks * BLOCK / 4)?;
        let scales = gpu.room("scales of states", blocks)?;
        let mut steps = vec![quantise::dispatch(blocks, layer.x, &codes, &scales)];
        steps.extend(linear_int8::dispatches(Layer { x: &codes, ..layer }, &scales, tile));
        return Ok(steps);
    }
    let half = arithmetic == Arithmetic::Half && gpu.has_half();
    Ok(linear::dispatches(layer, tile, half))
}

/// How long one layer of [`OPERATIONS`] takes, rounding of states included.
///
/// # Errors
/// As [`Gpu::run`].
pub async fn measure(gpu: &Gpu, product: Product) -> Result<Duration, Error> {
    let codes = (0..OUTPUTS * INPUTS).map(|i| (i * 37 % 255) as u8 as i8).collect();
    let scales = vec![0.01; OUTPUTS * INPUTS / BLOCK];
    let numbers = Numbers::Blocks { codes, scales };
    let weights = Matrix { rows: OUTPUTS, columns: INPUTS, numbers }.upload(gpu, "measured")?;
    let x: Vec<f32> = (0..ROWS * INPUTS).map(|i| (i % 61) as f32 * 0.03 - 0.9).collect();
    let x = gpu.upload_reals("measured", &x)?;
    let bias = gpu.upload_reals("measured", &[0.0; OUTPUTS])?;
    let out = gpu.room("measured", ROWS * OUTPUTS)?;
    let activation = Activation::Gelu;
    let layer = Layer { rows: ROWS, x: &x, weights: &weights, bias: &bias, activation, out: &out };
    let steps = steps(gpu, layer, product)?;
    let mut best = Duration::MAX;
    // The first round compiles.
    for round in 0..=ROUNDS {
        let repeats = if round == 0 { 1 } else { REPEATS };
        let repeated = (0..repeats).flat_map(|_| steps.clone()).collect();
        let started = Instant::now();
        let (_, times) = gpu.run_timed(Recording { steps: repeated }, &[(&out, 1)]).await?;
        let wall = started.elapsed();
        let took = times.map_or(wall, |times| times.iter().map(|it| it.duration).sum());
        if round > 0 {
            best = best.min(took / REPEATS);
        }
    }
    Ok(best)
}

/// The fastest way among those that stay near enough to `f32`.
///
/// # Errors
/// As [`measure`].
pub async fn fastest(gpu: &Gpu) -> Result<Product, Error> {
    let mut best = (Product::SAFE, Duration::MAX);
    let possible = |product: &Product| {
        product.arithmetic.is_near() && (product.arithmetic != Arithmetic::Half || gpu.has_half())
    };
    for product in Product::all().filter(possible) {
        let took = measure(gpu, product).await?;
        if took < best.1 {
            best = (product, took);
        }
    }
    Ok(best.0)
}
