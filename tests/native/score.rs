//! The nearest rows as the GPU finds them, against brute force.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use simcse_lab::gpu::device::Gpu;
use simcse_lab::gpu::error::Error;
use simcse_lab::kernels::check::{blocks, in_parts, numbers};
use simcse_lab::kernels::matrix::{Matrix, Numbers};
use simcse_lab::kernels::score::{self, Hit, MOST};

use crate::gpu::gpu;

/// What the GPU finds, the rows in parts of so many.
fn found(gpu: &Gpu, queries: &[f32], rows: &Matrix, part: usize, k: usize) -> Vec<Vec<Hit>> {
    let there = in_parts(gpu, rows, part).unwrap();
    pollster::block_on(score::nearest(gpu, queries, &there, k)).unwrap()
}

#[derive(Debug, Clone)]
struct Case {
    hidden: usize,
    rows: Vec<f32>,
    queries: Vec<f32>,
    part: usize,
    k: usize,
}

/// Small whole numbers: their sums are exact in any order, and many are equal.
fn cases() -> impl Strategy<Value = Case> {
    let sizes = (1..20_usize, 1..700_usize, 1..7_usize, 1..700_usize, 1..=MOST);
    sizes.prop_flat_map(|(hidden, rows, queries, part, k)| {
        let whole = |count| prop::collection::vec((-2..=2_i8).prop_map(f32::from), count);
        (whole(rows * hidden), whole(queries * hidden)).prop_map(move |(rows, queries)| Case {
            hidden,
            rows,
            queries,
            part,
            k,
        })
    })
}

#[test]
fn the_nearest_rows_are_those_of_brute_force_ties_included() {
    let Some(gpu) = gpu() else { return };
    let config = Config { failure_persistence: None, ..Config::with_cases(48) };
    TestRunner::new(config)
        .run(&cases(), |case| {
            let Case { hidden, rows, queries, part, k } = case;
            let count = rows.len() / hidden;
            let rows = Matrix { rows: count, columns: hidden, numbers: Numbers::Real(rows) };
            let found = found(&gpu, &queries, &rows, part, k);
            prop_assert_eq!(found, score::reference(&queries, &rows, k));
            Ok(())
        })
        .unwrap();
}

/// Of rows without pattern the scores differ by more than `f32` sums of 384 terms are off, some 1e-6,
/// almost everywhere; so scores are compared place by place, and each with its own row.
#[test]
fn cosines_of_unit_rows_equal_the_references() {
    let Some(gpu) = gpu() else { return };
    let (hidden, count) = (384, 1000);
    let unit = |seed, count: usize| -> Vec<f32> {
        let mut rows = numbers(seed, count * hidden);
        for row in rows.chunks_mut(hidden) {
            let norm = row.iter().map(|x| x * x).sum::<f32>().sqrt();
            row.iter_mut().for_each(|x| *x /= norm);
        }
        rows
    };
    let queries = unit(31, 5);
    let real = Matrix { rows: count, columns: hidden, numbers: Numbers::Real(unit(30, count)) };
    for rows in [real, blocks(32, count, hidden)] {
        let all = score::reference(&queries, &rows, count);
        let found = found(&gpu, &queries, &rows, 300, 10);
        for (found, all) in found.iter().zip(&all) {
            assert_eq!(found.len(), 10);
            for (hit, wanted) in found.iter().zip(all) {
                assert!((hit.score - wanted.score).abs() < 2e-6, "{hit:?} {wanted:?}");
                let own = all.iter().find(|it| it.row == hit.row).unwrap();
                assert!((hit.score - own.score).abs() < 2e-6, "{hit:?} {own:?}");
            }
        }
    }
}

#[test]
fn more_than_the_most_is_an_error_and_nothing_finds_nothing() {
    let Some(gpu) = gpu() else { return };
    let row = Matrix { rows: 1, columns: 2, numbers: Numbers::Real(vec![1.0, 0.0]) };
    let there = row.upload(&gpu, "rows").unwrap();
    let outcome = pollster::block_on(score::nearest(&gpu, &[1.0, 0.0], &there, MOST + 1));
    assert!(matches!(outcome, Err(Error::Limit { needed: 65, limit: 64, .. })), "{outcome:?}");
    assert_eq!(found(&gpu, &[], &row, 1, 3), Vec::<Vec<Hit>>::new());
    assert_eq!(found(&gpu, &[0.5, 1.0], &row, 1, 3), [[Hit { row: 0, score: 0.5 }]]);
    let none = Matrix { rows: 0, columns: 2, numbers: Numbers::Real(Vec::new()) };
    assert_eq!(found(&gpu, &[0.5, 1.0], &none, 1, 3), [[]]);
}
