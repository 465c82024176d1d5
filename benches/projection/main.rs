//! What maps cost, natively and on one thread: `cargo bench --bench projection`. Throughput is in
//! rows: criterion's `Kelem/s` read as thousand rows a second.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput};
use simcse_lab::math::rng::Rng;
use simcse_lab::math::rows::normalise;
use simcse_lab::projection::affinity;
use simcse_lab::projection::clusters::Clustering;
use simcse_lab::projection::curve::Curve;
use simcse_lab::projection::fuzzy;
use simcse_lab::projection::graph::{Combine, Graph, Union};
use simcse_lab::projection::mapping::JUDGED_NEIGHBOURS;
use simcse_lab::projection::neighbours::{Neighbours, Search};
use simcse_lab::projection::pca::Pca;
use simcse_lab::projection::start;
use simcse_lab::projection::trust::Trust;
use simcse_lab::projection::tsne::Tsne;
use simcse_lab::projection::umap::Umap;

const HIDDEN: usize = 384;
const PERPLEXITY: f32 = 30.0;

/// Steps or epochs that are measured together.
const ROUNDS: u32 = 20;

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(3))
        .sample_size(10)
        .configure_from_args();
    for count in [600, 5_000] {
        bench(&mut criterion, count);
    }
    criterion.final_summary();
}

/// Every part of a map of so many rows.
fn bench(criterion: &mut Criterion, count: usize) {
    let rows = grouped(count);
    let mut group = criterion.benchmark_group(format!("{count} rows of {HIDDEN}"));
    group.throughput(Throughput::Elements(count as u64));
    for each in [14, 90] {
        group.bench_function(format!("{each} neighbours"), |bencher| {
            bencher.iter(|| neighbours(black_box(&rows), each));
        });
    }
    group.bench_function("PCA", |bencher| bencher.iter(|| places(black_box(&rows))));
    let begin = places(&rows);
    group.bench_function("judging a map", |bencher| {
        bencher.iter(|| {
            let mut trust = Trust::new(count, HIDDEN, JUDGED_NEIGHBOURS);
            while !trust.step(black_box(&rows), &begin) {}
            trust.into_judgement()
        });
    });
    group.bench_function("12 groups", |bencher| {
        bencher.iter(|| {
            let mut clustering = Clustering::new(count, HIDDEN, 12, 1);
            while !clustering.step(black_box(&rows)) {}
            clustering.into_groups()
        });
    });
    // Late in a map's life: points far apart cost the most.
    let near = tsne_graph(&rows);
    let mut moved = Tsne::new(near.clone(), start::for_tsne(begin.clone(), 1), 500);
    while !moved.step() {}
    let late = moved.positions().to_vec();
    group.bench_function(format!("{ROUNDS} steps of t-SNE"), |bencher| {
        bencher.iter_batched(
            || Tsne::new(near.clone(), late.clone(), ROUNDS),
            |mut tsne| while !tsne.step() {},
            BatchSize::PerIteration,
        );
    });
    let fuzzy = fuzzy_graph(&rows);
    let begin = start::for_umap(begin, 1);
    group.bench_function(format!("{ROUNDS} epochs of UMAP"), |bencher| {
        bencher.iter_batched(
            || Umap::new(&fuzzy, begin.clone(), Curve::of(0.1), ROUNDS, 1),
            |mut umap| while !umap.step() {},
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

/// Unit rows in groups, as sentences lie.
fn grouped(count: usize) -> Vec<f32> {
    let mut rng = Rng::new(1);
    let middles: Vec<f32> = (0..30 * HIDDEN).map(|_| rng.normal() as f32).collect();
    let mut rows = Vec::with_capacity(count * HIDDEN);
    for i in 0..count {
        let middle = &middles[i % 30 * HIDDEN..][..HIDDEN];
        rows.extend(middle.iter().map(|value| value + rng.normal() as f32));
    }
    rows.chunks_exact_mut(HIDDEN).for_each(normalise);
    rows
}

fn neighbours(rows: &[f32], each: usize) -> Neighbours {
    let mut search = Search::new(rows.len() / HIDDEN, HIDDEN, each, 1);
    while !search.step(rows) {}
    search.into_neighbours()
}

fn places(rows: &[f32]) -> Vec<f32> {
    let mut pca = Pca::new(rows.len() / HIDDEN, HIDDEN);
    while !pca.step(rows) {}
    pca.into_components().positions
}

fn graph(neighbours: &Neighbours, weights: Vec<f32>, combine: Combine) -> Graph {
    let mut union = Union::new(neighbours.rows(), weights, combine);
    while !union.step(neighbours) {}
    union.into_graph()
}

fn tsne_graph(rows: &[f32]) -> Graph {
    let count = rows.len() / HIDDEN;
    let found = neighbours(rows, (affinity::NEIGHBOURS_A_PERPLEXITY * PERPLEXITY) as usize);
    let mut weights = Vec::new();
    affinity::weigh_rows(&found, 0..count, PERPLEXITY, &mut weights);
    let mut graph = graph(&found, weights, |a, b| a + b);
    graph.weights.iter_mut().for_each(|weight| *weight /= 2.0 * count as f32);
    graph
}

fn fuzzy_graph(rows: &[f32]) -> Graph {
    let found = neighbours(rows, 14);
    let mut weights = Vec::new();
    fuzzy::weigh_rows(&found, 0..found.rows(), &mut weights);
    graph(&found, weights, fuzzy::either)
}
