//! Every kernel against its plain reference on small cases, wherever the page or a test runs: drivers and
//! browsers compile the same WGSL each in their own way.
//!
//! Tolerances, relative to numbers above 1: kernels add in `f32` in another order than the references,
//! which add in `f64`. Over `n` terms of size 1 that is at most about `n 6e-8` apart (Higham, Accuracy and
//! Stability of Numerical Algorithms, section 4.2), far less in practice; `exp`, `tanh` and square roots
//! may be a few last places off (WGSL, section 15.7.4).

use crate::gpu::buffer::Buffer;
use crate::gpu::device::Gpu;
use crate::gpu::error::Error;
use crate::gpu::recording::{Dispatch, Recording};
use crate::kernels::linear::Activation;
use crate::kernels::matrix::{BLOCK, Matrix, Numbers};
use crate::kernels::{add_norm, attention, average, embed, linear, pool, unit};
use crate::protocol::gpu::KernelCheck;

/// A kernel's run, and what it should give.
#[derive(Debug)]
pub struct Case {
    pub kernel: &'static str,
    pub what: String,
    /// Largest difference, relative where numbers are above 1.
    pub allowed: f32,
    steps: Vec<Dispatch>,
    out: Buffer,
    wanted: Vec<f32>,
}

impl Case {
    /// Its largest difference from the reference.
    ///
    /// # Errors
    /// As [`Gpu::run`].
    pub async fn difference(self, gpu: &Gpu) -> Result<f32, Error> {
        let found = gpu.run(Recording { steps: self.steps }, &self.out, self.wanted.len()).await?;
        let all = found.iter().zip(&self.wanted).map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
        // What is no number is the worst.
        Ok(all.fold(0.0, |worst, it| if it > worst || it.is_nan() { it } else { worst }))
    }
}

/// Runs a few cases, so that not many programs have to be compiled; one result a kernel, its worst.
///
/// # Errors
/// As [`Gpu::run`].
pub async fn check(gpu: &Gpu) -> Result<Vec<KernelCheck>, Error> {
    let mut checks: Vec<KernelCheck> = Vec::new();
    for case in few(gpu)? {
        let (name, allowed) = (case.kernel, case.allowed);
        let difference = case.difference(gpu).await?;
        let is_right = difference <= allowed;
        match checks.iter_mut().find(|check| check.name == name) {
            Some(check) => {
                check.is_right &= is_right;
                check.difference = check.difference.max(difference);
            }
            None => checks.push(KernelCheck { name: name.to_owned(), difference, is_right }),
        }
    }
    Ok(checks)
}

/// A case or two of every kernel, each a little more than a tile.
fn few(gpu: &Gpu) -> Result<Vec<Case>, Error> {
    let (x, bias) = (numbers(3, 33 * 96), numbers(4, 65));
    let weights = blocks(1, 65, 96);
    let mut cases = vec![attention_case(gpu, 64, 2, &[1, 17, 33])?];
    for activation in [Activation::Nothing, Activation::Gelu] {
        cases.push(linear_case(gpu, &x, &weights, &bias, activation, 1e-5)?);
    }
    cases.extend(norm_cases(gpu, 3, 384)?);
    cases.extend(embed_cases(gpu, &blocks(10, 7, 64))?);
    Ok(cases)
}

/// Every kernel's cases: one row, odd sizes, whole tiles and a little more, numbers far out.
///
/// # Errors
/// Where the GPU has no room.
pub fn cases(gpu: &Gpu) -> Result<Vec<Case>, Error> {
    let mut cases = Vec::new();
    for (rows, inputs, outputs) in
        [(1, 32, 1), (3, 64, 7), (16, 96, 64), (33, 32, 65), (70, 160, 130)]
    {
        for weights in [blocks(1, outputs, inputs), real(2, outputs, inputs + 3)] {
            for activation in [Activation::Nothing, Activation::Gelu, Activation::Tanh] {
                let x = numbers(3, rows * weights.columns);
                let bias = numbers(4, outputs);
                cases.push(linear_case(gpu, &x, &weights, &bias, activation, 1e-5)?);
            }
        }
    }
    let one = Matrix { rows: 1, columns: 1, numbers: Numbers::Real(vec![1.0]) };
    let far: Vec<f32> = (-2000..=2000).map(|i| i as f32 * 0.05).chain([1e4, -1e4]).collect();
    for activation in [Activation::Gelu, Activation::Tanh] {
        cases.push(linear_case(gpu, &far, &one, &[0.0], activation, 2e-6)?);
    }
    for (hidden, heads) in [(8, 2), (36, 3), (64, 2), (64, 1)] {
        // Sentences of one token, of none, around the tile's edges, and as long as any.
        let lengths = [1, 0, 5, 16, 17, 31, 32, 33, 512];
        cases.push(attention_case(gpu, hidden, heads, &lengths)?);
    }
    for (rows, hidden) in [(1, 1), (3, 36), (5, 384), (2, 1000)] {
        cases.extend(norm_cases(gpu, rows, hidden)?);
    }
    for table in [blocks(10, 7, 64), real(11, 7, 36)] {
        cases.extend(embed_cases(gpu, &table)?);
    }
    Ok(cases)
}

fn linear_case(
    gpu: &Gpu,
    x: &[f32],
    weights: &Matrix,
    bias: &[f32],
    activation: Activation,
    allowed: f32,
) -> Result<Case, Error> {
    let rows = x.len() / weights.columns;
    let on_gpu = weights.upload(gpu, "weights")?;
    let out = gpu.room("out", rows * weights.rows)?;
    let (from, added) = (gpu.upload_reals("x", x)?, gpu.upload_reals("bias", bias)?);
    Ok(Case {
        kernel: linear::SHADER.name,
        what: format!("[{rows}, {}] x {} {activation:?}", weights.columns, weights.rows),
        allowed,
        steps: vec![linear::dispatch(rows, &from, &on_gpu, &added, activation, &out)],
        wanted: linear::reference(x, weights, bias, activation),
        out,
    })
}

/// Scores are up to some 50 apart, so that the running softmax has to shrink its sums.
fn attention_case(
    gpu: &Gpu,
    hidden: usize,
    heads: usize,
    lengths: &[usize],
) -> Result<Case, Error> {
    let mut starts = vec![0];
    let mut tokens = 0;
    for length in lengths {
        tokens += length;
        starts.push(tokens);
    }
    let states: Vec<f32> = numbers(5, tokens * 3 * hidden).into_iter().map(|x| x * 4.0).collect();
    let items = attention::items(&starts);
    let (from, on_gpu) = (gpu.upload_reals("states", &states)?, gpu.upload("items", &items)?);
    let out = gpu.room("out", tokens * hidden)?;
    Ok(Case {
        kernel: attention::SHADER.name,
        what: format!("{hidden} in {heads} heads"),
        allowed: 3e-5,
        steps: vec![attention::dispatch(items.len() / 4, (hidden, heads), &on_gpu, &from, &out)],
        wanted: attention::reference(&states, hidden, heads, &starts),
        out,
    })
}

fn norm_cases(gpu: &Gpu, rows: usize, hidden: usize) -> Result<Vec<Case>, Error> {
    let (a, b) = (numbers(6, rows * hidden), numbers(7, rows * hidden));
    let (gain, offset) = (numbers(8, hidden), numbers(9, hidden));
    let norm = gpu.upload_reals("norm", &[gain.clone(), offset.clone()].concat())?;
    let residual = gpu.upload_reals("residual", &b)?;
    let what = format!("[{rows}, {hidden}]");
    let case = |kernel, allowed, step: &dyn Fn(&Buffer) -> Dispatch, wanted| {
        let (states, copy) = changeable(gpu, &a)?;
        let steps = vec![copy, step(&states)];
        Ok(Case { kernel, what: what.clone(), allowed, steps, out: states, wanted })
    };
    let shape = (rows, hidden);
    Ok(vec![
        case(
            add_norm::SHADER.name,
            2e-5,
            &|states| add_norm::dispatch(shape, 1e-5, states, &residual, &norm),
            add_norm::reference(&a, &b, &gain, &offset, 1e-5),
        )?,
        case(
            unit::SHADER.name,
            1e-6,
            &|states| unit::dispatch(shape, states),
            unit::reference(&a, hidden),
        )?,
        case(
            average::SHADER.name,
            1e-7,
            &|states| average::dispatch(shape, &residual, states),
            average::reference(&b, &a),
        )?,
    ])
}

fn embed_cases(gpu: &Gpu, table: &Matrix) -> Result<Vec<Case>, Error> {
    let hidden = table.columns;
    let tokens = [(0, 0), (6, 1), (3, 2), (6, 0), (1, 3)];
    let words: Vec<u32> = tokens.iter().flat_map(|(id, place)| [*id, *place]).collect();
    let (ids, on_gpu) = (gpu.upload("tokens", &words)?, table.upload(gpu, "words")?);
    let positions = numbers(12, 4 * hidden);
    let (gain, offset) = (numbers(13, hidden), numbers(14, hidden));
    let input = embed::Input {
        tokens: &ids,
        words: &on_gpu,
        positions: &gpu.upload_reals("positions", &positions)?,
        norm: &gpu.upload_reals("norm", &[gain.clone(), offset.clone()].concat())?,
        epsilon: 1e-12,
    };
    let out = gpu.room("out", tokens.len() * hidden)?;
    let rows = embed::reference(&tokens, table, &positions, (&gain, &offset), 1e-12);
    let mut cases = vec![Case {
        kernel: embed::SHADER.name,
        what: format!("{hidden}"),
        allowed: 2e-5,
        steps: vec![embed::dispatch(tokens.len(), input, &out)],
        wanted: rows.clone(),
        out,
    }];
    let starts = [0, 2, 2, 5];
    let on_gpu = gpu.upload("starts", &starts.map(|start| start as u32))?;
    let states = gpu.upload_reals("states", &rows)?;
    for first in [false, true] {
        let out = gpu.room("out", 3 * hidden)?;
        cases.push(Case {
            kernel: pool::SHADER.name,
            what: format!("{hidden}, the first: {first}"),
            allowed: 1e-6,
            steps: vec![pool::dispatch((3, hidden), first, &on_gpu, &states, &out)],
            wanted: pool::reference(&rows, hidden, &starts, first),
            out,
        });
    }
    Ok(cases)
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
    let scales = numbers(seed + 1, count / BLOCK).into_iter().map(|x| x * 0.01).collect();
    Matrix { rows, columns, numbers: Numbers::Blocks { codes, scales } }
}

fn real(seed: u64, rows: usize, columns: usize) -> Matrix {
    Matrix { rows, columns, numbers: Numbers::Real(numbers(seed, rows * columns)) }
}

/// A buffer that a kernel changes: uploads are only read, so it is written by one first.
fn changeable(gpu: &Gpu, values: &[f32]) -> Result<(Buffer, Dispatch), Error> {
    let from = gpu.upload_reals("given", values)?;
    let to = gpu.room("changed", values.len())?;
    // The first of one row is the row.
    let starts = gpu.upload("starts", &[0, 1])?;
    let copy = pool::dispatch((1, values.len()), true, &starts, &from, &to);
    Ok((to, copy))
}
