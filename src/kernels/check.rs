//! Every kernel against its plain reference on small cases, wherever the page or a test runs: drivers and
//! browsers compile the same WGSL each in their own way.
//!
//! Tolerances, relative to numbers above 1: kernels add in `f32` in another order than the references,
//! which add in `f64`. Over `n` terms of size 1 that is at most about `n 6e-8` apart (Higham, Accuracy and
//! Stability of Numerical Algorithms, section 4.2), far less in practice; `exp`, `tanh` and square roots
//! may be a few last places off (WGSL, section 15.7.4).

use half::f16;

use crate::gpu::buffer::Buffer;
use crate::gpu::device::Gpu;
use crate::gpu::error::Error;
use crate::gpu::recording::{Dispatch, Recording};
use crate::kernels::linear::{Activation, Layer};
use crate::kernels::matrix::{BLOCK, Matrix, Numbers, OnGpu, Part};
use crate::kernels::product::{Arithmetic, Product};
use crate::kernels::{
    add_norm, attention, average, embed, linear, linear_int8, pool, quantise, score, unit,
};
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
    /// Every second number is a whole one, its bits as they are.
    has_indices: bool,
}

impl Case {
    /// Its largest difference from the reference.
    ///
    /// # Errors
    /// As [`Gpu::run`].
    pub async fn difference(self, gpu: &Gpu) -> Result<f32, Error> {
        let found =
            gpu.run(Recording { steps: self.steps }, &[(&self.out, self.wanted.len())]).await?;
        let number = |place: usize, it: &f32| {
            if self.has_indices && place % 2 == 1 { it.to_bits() as f32 } else { *it }
        };
        let all = found.iter().zip(&self.wanted).enumerate().map(|(place, (a, b))| {
            let (a, b) = (number(place, a), number(place, b));
            (a - b).abs() / b.abs().max(1.0)
        });
        // What is no number is the worst.
        Ok(all.fold(0.0, |worst, it| if it > worst || it.is_nan() { it } else { worst }))
    }
}

/// Runs a few cases of the kernels that are used where linear layers are multiplied out that way, so
/// that not many programs have to be compiled; one result a kernel, its worst.
///
/// # Errors
/// As [`Gpu::run`].
pub async fn check(gpu: &Gpu, product: Product) -> Result<Vec<KernelCheck>, Error> {
    let mut checks: Vec<KernelCheck> = Vec::new();
    for case in few(gpu, product)? {
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
fn few(gpu: &Gpu, product: Product) -> Result<Vec<Case>, Error> {
    let (weights, bias) = (blocks(1, 65, 96), numbers(4, 65));
    let mut cases = vec![attention_case(gpu, (64, 2), false, &[1, 17, 33])?, score_case(gpu)?];
    cases.push(attention_case(gpu, (64, 2), true, &[33, 5])?);
    // Few rows have a small tile, whatever was chosen.
    for rows in [3, 70] {
        for activation in [Activation::Nothing, Activation::Gelu] {
            let given = Given { x: &states(rows, 96), weights: &weights, bias: &bias, activation };
            cases.push(linear_case(gpu, given, product)?);
        }
    }
    if product.arithmetic == Arithmetic::Int8 {
        cases.push(quantise_case(gpu)?);
    }
    cases.extend(norm_cases(gpu, 3, 384)?);
    cases.extend(embed_cases(gpu, &blocks(10, 7, 64))?);
    Ok(cases)
}

/// Every kernel's cases: one row, odd sizes, whole tiles and a little more, numbers far out, matrices in
/// parts. Those in `f16` where the device has it.
///
/// # Errors
/// Where the GPU has no room.
pub fn cases(gpu: &Gpu) -> Result<Vec<Case>, Error> {
    let mut cases = vec![quantise_case(gpu)?, score_case(gpu)?];
    for shape in
        [(1, 32, 1), (3, 64, 7), (16, 96, 64), (33, 32, 65), (70, 160, 130), (129, 64, 129)]
    {
        cases.extend(linear_cases(gpu, shape)?);
    }
    let one = Matrix { rows: 1, columns: 1, numbers: Numbers::Real(vec![1.0]) };
    let far: Vec<f32> = (-2000..=2000).map(|i| i as f32 * 0.05).chain([1e4, -1e4]).collect();
    for activation in [Activation::Gelu, Activation::Tanh] {
        let given = Given { x: &far, weights: &one, bias: &[0.0], activation };
        cases.push(Case { allowed: 2e-6, ..linear_case(gpu, given, Product::SAFE)? });
    }
    for (hidden, heads) in [(8, 2), (36, 3), (64, 2), (64, 1), (68, 1), (256, 2)] {
        // Sentences of one token, of none, around the tile's edges, and as long as any.
        let lengths = [1, 0, 5, 16, 17, 31, 32, 33, 512];
        for is_biased in [false, true] {
            cases.push(attention_case(gpu, (hidden, heads), is_biased, &lengths)?);
        }
    }
    for (rows, hidden) in [(1, 1), (3, 36), (5, 384), (2, 1000)] {
        cases.extend(norm_cases(gpu, rows, hidden)?);
    }
    for table in [blocks(10, 7, 64), real(11, 7, 36)] {
        cases.extend(embed_cases(gpu, &table)?);
    }
    Ok(cases)
}

/// A layer in every way there is to multiply it out.
fn linear_cases(
    gpu: &Gpu,
    (rows, inputs, outputs): (usize, usize, usize),
) -> Result<Vec<Case>, Error> {
    let mut cases = Vec::new();
    let bias = numbers(4, outputs);
    for weights in [blocks(1, outputs, inputs), real(2, outputs, inputs + 3)] {
        let x = states(rows, weights.columns);
        let is_real = matches!(weights.numbers, Numbers::Real(_));
        for activation in [Activation::Nothing, Activation::Gelu, Activation::Tanh] {
            for product in Product::all() {
                let possible = match product.arithmetic {
                    Arithmetic::Real => true,
                    Arithmetic::Half => gpu.has_half(),
                    Arithmetic::Int8 => !is_real,
                };
                if possible {
                    let given = Given { x: &x, weights: &weights, bias: &bias, activation };
                    cases.push(linear_case(gpu, given, product)?);
                }
            }
        }
    }
    Ok(cases)
}

/// What a layer is given.
#[derive(Debug, Clone, Copy)]
struct Given<'a> {
    x: &'a [f32],
    weights: &'a Matrix,
    bias: &'a [f32],
    activation: Activation,
}

fn linear_case(gpu: &Gpu, given: Given<'_>, product: Product) -> Result<Case, Error> {
    let Given { x, weights, bias, activation } = given;
    let rows = x.len() / weights.columns;
    let on_gpu = in_parts(gpu, weights, PART_ROWS)?;
    let out = gpu.room("out", rows * weights.rows)?;
    let (from, added) = (gpu.upload_reals("x", x)?, gpu.upload_reals("bias", bias)?);
    let layer = Layer { rows, x: &from, weights: &on_gpu, bias: &added, activation, out: &out };
    let (steps, wanted) = match product.arithmetic {
        Arithmetic::Real => (
            linear::dispatches(layer, product.tile, false),
            linear::reference(x, weights, bias, activation),
        ),
        // What is rounded already is multiplied as exactly as other numbers.
        Arithmetic::Half => {
            let rounded = Matrix { numbers: Numbers::Real(halves(&weights.decoded())), ..*weights };
            (
                linear::dispatches(layer, product.tile, true),
                linear::reference(&halves(x), &rounded, bias, activation),
            )
        }
        Arithmetic::Int8 => {
            let blocks = x.len() / BLOCK;
            let codes = gpu.room("codes", x.len() / 4)?;
            let scales = gpu.room("scales", blocks)?;
            let mut steps = vec![quantise::dispatch(blocks, &from, &codes, &scales)];
            let layer = Layer { x: &codes, ..layer };
            steps.extend(linear_int8::dispatches(layer, &scales, product.tile));
            let wanted = linear_int8::reference(x, weights, bias, activation);
            (steps, wanted.unwrap_or_default())
        }
    };
    let kernel = steps.last().map(|step| step.shader.name).unwrap_or_default();
    let what = format!("{product} [{rows}, {}] x {} {activation:?}", weights.columns, weights.rows);
    Ok(Case { kernel, what, allowed: 1e-5, steps, wanted, out, has_indices: false })
}

/// Parts of a matrix have so many rows here, so that they are seen.
const PART_ROWS: usize = 70;

/// Rounded to `f16`, and back.
fn halves(values: &[f32]) -> Vec<f32> {
    values.iter().map(|value| f16::from_f32(*value).to_f32()).collect()
}

/// Blocks of multiples of 1/127 whose largest is 1: a device that is a last place off rounds none of
/// them to another code.
fn states(rows: usize, columns: usize) -> Vec<f32> {
    let mut values = numbers(3, rows * columns);
    for block in values.chunks_mut(BLOCK) {
        block.iter_mut().for_each(|value| *value = (*value * 127.0).round() / 127.0);
        if let Some(first) = block.first_mut() {
            *first = 1.0;
        }
    }
    values
}

/// The scales: the codes are seen in what is multiplied by them.
fn quantise_case(gpu: &Gpu) -> Result<Case, Error> {
    let blocks = 130;
    let mut x: Vec<f32> = numbers(20, blocks * BLOCK).iter().map(|value| value * 127.0).collect();
    x.iter_mut().take(BLOCK).for_each(|value| *value = 0.0);
    let from = gpu.upload_reals("x", &x)?;
    let (codes, scales) = (gpu.room("codes", x.len() / 4)?, gpu.room("scales", blocks)?);
    Ok(Case {
        kernel: quantise::SHADER.name,
        what: format!("{blocks} blocks"),
        allowed: 1e-6,
        steps: vec![quantise::dispatch(blocks, &from, &codes, &scales)],
        wanted: quantise::reference(&x).1,
        out: scales,
        has_indices: false,
    })
}

/// Small whole numbers, whose sums are exact: many are equal. Two parts, one of them with two chunks.
fn score_case(gpu: &Gpu) -> Result<Case, Error> {
    let (hidden, k, count) = (33, 5, 3);
    let whole = |seed, count: usize| -> Vec<f32> {
        numbers(seed, count).iter().map(|value| (value * 2.5).round()).collect()
    };
    let numbers = Numbers::Real(whole(40, 400 * hidden));
    let rows = Matrix { rows: 400, columns: hidden, numbers };
    let queries = whole(41, count * hidden);
    let (on_gpu, from) = (in_parts(gpu, &rows, 300)?, gpu.upload_reals("queries", &queries)?);
    let search = score::Search { count, queries: &from, rows: &on_gpu, k };
    let out = gpu.room("nearest", search.numbers())?;
    // What every chunk gives: the best rows of its own.
    let mut wanted = Vec::new();
    for query in queries.chunks(hidden) {
        let all = score::reference(query, &rows, rows.rows);
        for chunk in [0..256, 256..300, 300..400] {
            let own = all.iter().flatten().filter(|hit| chunk.contains(&hit.row));
            wanted.extend(own.take(k).flat_map(|hit| [hit.score, f32::from_bits(hit.row)]));
        }
    }
    Ok(Case {
        kernel: score::SHADER.name,
        what: format!("{k} of 400"),
        allowed: 0.0,
        steps: score::dispatches(search, &out),
        wanted,
        out,
        has_indices: true,
    })
}

/// Scores are up to some 50 apart, so that the running softmax has to shrink its sums.
fn attention_case(
    gpu: &Gpu,
    (hidden, heads): (usize, usize),
    is_biased: bool,
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
    let bias = if is_biased { numbers(13, heads * attention::SPAN) } else { Vec::new() };
    let bias_on_gpu = is_biased.then(|| gpu.upload_reals("bias", &bias)).transpose()?;
    let inputs = (&from, bias_on_gpu.as_ref());
    Ok(Case {
        kernel: attention::SHADER.name,
        what: format!("{hidden} in {heads} heads, biased: {is_biased}"),
        allowed: 3e-5,
        steps: vec![attention::dispatch(items.len() / 4, (hidden, heads), &on_gpu, inputs, &out)],
        wanted: attention::reference(&states, &bias, (hidden, heads), &starts),
        out,
        has_indices: false,
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
        let what = what.clone();
        Ok(Case { kernel, what, allowed, steps, out: states, wanted, has_indices: false })
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
    let (ids, on_gpu) = (gpu.upload("tokens", &words)?, in_parts(gpu, table, 2)?);
    let positions = numbers(12, 4 * hidden);
    let numbers_of_places = Numbers::Real(positions.clone());
    let of_places = Matrix { rows: 4, columns: hidden, numbers: numbers_of_places };
    let (gain, offset) = (numbers(13, hidden), numbers(14, hidden));
    let input = embed::Input {
        tokens: &ids,
        words: &on_gpu,
        positions: &in_parts(gpu, &of_places, 3)?,
        norm: &gpu.upload_reals("norm", &[gain.clone(), offset.clone()].concat())?,
        epsilon: 1e-12,
    };
    let out = gpu.room("out", tokens.len() * hidden)?;
    let rows = embed::reference(&tokens, table, &positions, (&gain, &offset), 1e-12);
    let mut cases = vec![Case {
        kernel: embed::SHADER.name,
        what: format!("{hidden}"),
        allowed: 2e-5,
        steps: embed::dispatches(tokens.len(), input, &out),
        wanted: rows.clone(),
        out,
        has_indices: false,
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
            has_indices: false,
        });
    }
    Ok(cases)
}

/// A matrix moved in parts of so many rows, as where a device cannot hold more in one.
///
/// # Errors
/// As [`Matrix::upload`].
pub fn in_parts(gpu: &Gpu, matrix: &Matrix, rows: usize) -> Result<OnGpu, Error> {
    let Matrix { columns, .. } = *matrix;
    let is_real = matches!(matrix.numbers, Numbers::Real(_));
    let mut whole = OnGpu { rows: matrix.rows, columns, parts: Vec::new(), is_real };
    for first_row in (0..matrix.rows).step_by(rows) {
        let rows = rows.min(matrix.rows - first_row);
        let (start, end) = (first_row * columns, (first_row + rows) * columns);
        let numbers = match &matrix.numbers {
            Numbers::Real(values) => Numbers::Real(values[start..end].to_vec()),
            Numbers::Blocks { codes, scales } => Numbers::Blocks {
                codes: codes[start..end].to_vec(),
                scales: scales[start / BLOCK..end / BLOCK].to_vec(),
            },
        };
        let part = Matrix { rows, columns, numbers }.upload(gpu, "part")?;
        whole.parts.extend(part.parts.into_iter().map(|it| Part { first_row, ..it }));
    }
    Ok(whole)
}

/// Deterministic numbers in -1..1 (Marsaglia's xorshift).
pub fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Codes and scales without pattern, `[rows, columns]`; columns are a multiple of 32.
pub fn blocks(seed: u64, rows: usize, columns: usize) -> Matrix {
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
