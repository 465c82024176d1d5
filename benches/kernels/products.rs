//! The int8 product by shape and by kernel: [rows, inputs] times [outputs, inputs].

use std::hint::black_box;

use candle_core::{Device, Tensor};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion};
use simcse_lab::simd::codes::{Codes, Coding};
use simcse_lab::simd::float::{FloatRoom, Matrix, add_product};
use simcse_lab::simd::float_kernel::FloatKernel;
use simcse_lab::simd::kernel::Kernel;
use simcse_lab::simd::layout::{BLOCK, PANEL, TILE};
use simcse_lab::simd::panels::Panels;

use crate::log::{Log, Peak};

/// Outputs and inputs of a small model's four linear layers.
const SHAPES: [(usize, usize); 4] = [(1152, 384), (384, 384), (1536, 384), (384, 1536)];
/// From one short word to a batch.
const ROWS: [usize; 5] = [1, 4, 16, 64, 384];

/// Numbers without a pattern that a product could profit from.
pub fn noise(count: usize) -> Vec<f32> {
    (0..count).map(|i| (i as f32 * 0.734).sin() + (i as f32 * 0.0173).cos()).collect()
}

/// A product that is ready to run.
struct Case {
    kernel: Kernel,
    codes: Codes,
    panels: Panels,
    bias: Vec<f32>,
    out: Vec<f32>,
    operations: u64,
}

impl Case {
    /// `None` where memory is short.
    fn new(kernel: Kernel, rows: usize, outputs: usize, inputs: usize) -> Option<Self> {
        let mut codes = kernel.codes();
        codes.fill(&noise(rows * inputs), inputs, Coding::Centred);
        let mut panels = Panels::new(&kernel, outputs, inputs)?;
        for place in 0..outputs * inputs / BLOCK {
            let code = |i: usize| ((place * 31 + i * 17) % 251) as u8 as i8;
            let (output, block) = (place / (inputs / BLOCK), place % (inputs / BLOCK));
            panels.set(output, block, 0.01, &std::array::from_fn(code));
        }
        let width = panels.panel_count() * PANEL;
        let out = vec![0.0; codes.tile_count() * TILE * width];
        let operations = 2 * (rows * outputs * inputs) as u64;
        Some(Self { kernel, codes, panels, bias: vec![0.5; width], out, operations })
    }

    fn run(&mut self) {
        let (all, width) = (0..self.panels.panel_count(), self.bias.len());
        let (codes, panels) = (black_box(&self.codes), black_box(&self.panels));
        self.kernel.multiply(codes, panels, all, &self.bias, &mut self.out, width);
        black_box(&mut self.out);
    }
}

/// The fastest kernel on every shape, then the others on one of them.
pub fn bench(criterion: &mut Criterion, log: &mut Log) {
    let mut group = criterion.benchmark_group("int8 product");
    let fastest = Kernel::fastest();
    let every_shape = SHAPES.iter().flat_map(|shape| ROWS.map(|rows| (fastest, rows, *shape)));
    let others = Kernel::built_in().into_iter().filter(|kernel| kernel.name != fastest.name);
    let others = others.map(|kernel| (kernel, 64, SHAPES[0]));
    for (kernel, rows, (outputs, inputs)) in every_shape.chain(others) {
        let Some(mut case) = Case::new(kernel, rows, outputs, inputs) else { continue };
        let name = format!("{rows} rows [{outputs}, {inputs}] {}", kernel.name);
        let operations = case.operations;
        log.measure(&mut group, &name, operations, Peak::Int8, || case.run());
    }
    group.finish();
}

/// The product of real numbers as training uses it, beside candle's: `rows` tokens through a layer
/// and back, and the gradient of its weights.
pub fn bench_floats(criterion: &mut Criterion, log: &mut Log) {
    let mut group = criterion.benchmark_group("f32 product");
    let (outputs, inputs, rank) = (1536, 384, 16);
    for rows in [64, 704] {
        let (x, g) = (noise(rows * inputs), noise(rows * outputs));
        let (weights, low) = (noise(outputs * inputs), noise(rank * inputs));
        let (x, g) = (Matrix::new(&x, inputs), Matrix::new(&g, outputs));
        let (weights, low) = (Matrix::new(&weights, inputs), Matrix::new(&low, inputs));
        for (what, a, b) in [
            ("x W^T", x, weights.transposed()),
            ("g W", g, weights),
            ("g^T x", g.transposed(), x),
            ("x A^T, rank 16", x, low.transposed()),
        ] {
            compare(&mut group, log, &format!("{rows} rows, {what}"), a, b);
        }
    }
    group.finish();
}

fn compare(
    group: &mut BenchmarkGroup<'_, WallTime>,
    log: &mut Log,
    name: &str,
    a: Matrix<'_>,
    b: Matrix<'_>,
) {
    let operations = 2 * (a.rows() * a.columns() * b.columns()) as u64;
    let mut room = FloatRoom::default();
    let mut out = vec![0.0; a.rows() * b.columns()];
    for kernel in FloatKernel::built_in() {
        let name = format!("{name}, {}", kernel.name());
        log.measure(group, &name, operations, Peak::F32, || {
            out.fill(0.0);
            add_product(&kernel, &mut room, black_box(a), black_box(b), &mut out);
            black_box(&mut out);
        });
    }
    let (Ok(left), Ok(right)) = (tensor(a), tensor(b)) else { return };
    log.measure(group, &format!("{name}, candle"), operations, Peak::F32, || {
        black_box(black_box(&left).matmul(black_box(&right)).is_ok());
    });
}

/// As training has it: a turned matrix is a view.
fn tensor(matrix: Matrix<'_>) -> candle_core::Result<Tensor> {
    let (rows, columns) = (matrix.rows(), matrix.columns());
    let values = noise(rows * columns);
    if matrix.is_turned() {
        Tensor::from_vec(values, (columns, rows), &Device::Cpu)?.t()
    } else {
        Tensor::from_vec(values, (rows, columns), &Device::Cpu)
    }
}
