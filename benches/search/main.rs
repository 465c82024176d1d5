//! `cargo bench --bench search`: what a query costs once it is embedded, by the number of passages.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use simcse_lab::math::rows::normalise;
use simcse_lab::search::filter::Mask;
use simcse_lab::search::fuse::{WINDOW, fused};
use simcse_lab::search::keywords::{Bm25, Wanted, ranked};
use simcse_lab::search::scan::Scan;
use simcse_lab::search::vectors::Vectors;

const DIMENSIONS: usize = 384;
const SIZES: [usize; 2] = [10_000, 100_000];

/// Numbers between -1 and 1 (Marsaglia's xorshift).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn row(&mut self) -> Vec<f32> {
        let value = |bits: u64| (bits >> 40) as f32 / (1_u64 << 23) as f32 - 1.0;
        let mut row: Vec<f32> = (0..DIMENSIONS).map(|_| value(self.next())).collect();
        normalise(&mut row);
        row
    }
}

fn vectors(count: usize) -> Vectors {
    let mut numbers = Numbers(7);
    let mut vectors = Vectors::new(DIMENSIONS);
    (0..count).for_each(|_| vectors.push(&numbers.row()));
    vectors
}

/// Passages of 20 words, some of them frequent.
fn keywords(count: usize) -> Bm25 {
    let mut numbers = Numbers(11);
    let mut index = Bm25::default();
    for _ in 0..count {
        let words = (0..20).map(|_| {
            let (a, b) = (numbers.next() % 60_000, numbers.next() % 60_000);
            format!("w{}", a * b / 60_000)
        });
        index.push(&words.collect::<Vec<_>>().join(" "));
    }
    index
}

fn queries(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("search");
    for size in SIZES {
        let (vectors, index) = (vectors(size), keywords(size));
        let query = Numbers(99).row();
        let third = Mask::new(size, |row| row % 3 == 0);
        let wanted = Wanted::new("w12 w345 w6789 ");
        group.bench_function(BenchmarkId::new("the nearest 10", size), |bench| {
            bench.iter(|| Scan::new(&vectors, black_box(&query)).top(10, None));
        });
        group.bench_function(BenchmarkId::new("of a third", size), |bench| {
            bench.iter(|| Scan::new(&vectors, black_box(&query)).top(10, Some(&third)));
        });
        group.bench_function(BenchmarkId::new("by keywords", size), |bench| {
            bench.iter(|| ranked(&index.weigh(black_box(&wanted))));
        });
        group.bench_function(BenchmarkId::new("by both", size), |bench| {
            bench.iter(|| {
                let scan = Scan::new(&vectors, black_box(&query));
                let near: Vec<u32> = scan.top(WINDOW, None).iter().map(|hit| hit.0).collect();
                let words: Vec<u32> =
                    ranked(&index.weigh(&wanted)).iter().map(|hit| hit.0).collect();
                fused(&[&near, &words], 10)
            });
        });
    }
}

criterion_group!(benches, queries);
criterion_main!(benches);
