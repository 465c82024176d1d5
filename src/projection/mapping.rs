//! A map of rows in two dimensions, from the first look to the judgement.
//!
//! ```
//! use simcse_lab::projection::mapping::{Mapping, Progress};
//! use simcse_lab::protocol::lab::Method;
//!
//! let rows = vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.6, 0.8];
//! let mut mapping = Mapping::new(rows, 3, Method::Pca, 1, None);
//! while let Progress::Working { .. } = mapping.step() {
//!     // Other work may go between; `mapping.positions()` can be drawn.
//! }
//! assert_eq!(mapping.finish().positions.len(), 6);
//! ```

use std::sync::Arc;

use crate::projection::affinity;
use crate::projection::curve::Curve;
use crate::projection::fuzzy;
use crate::projection::graph::{Graph, Union};
use crate::projection::neighbours::{Neighbours, Search};
use crate::projection::pca::Pca;
use crate::projection::start;
use crate::projection::trust::{Judgement, Trust};
use crate::projection::tsne::Tsne;
use crate::projection::umap::{Umap, usual_epochs};
use crate::projection::work::told;
use crate::protocol::lab::{MapQuality, MapStage, Method};

/// Neighbours that a map is judged by; fewer where there are not twice as many rows.
pub const JUDGED_NEIGHBOURS: usize = 15;

/// Exponentials that a step may take.
const EXPONENTIALS: usize = 250_000;

/// Of which a neighbour's weight takes about so many.
const HALVINGS: usize = 20;

/// A map on its way: each [`Self::step`] takes some ten milliseconds natively, up to twice as long
/// in a browser. Equal rows, method, seed and start give equal bytes on every machine.
///
/// Any rows will do: with none, one or two, with equal ones, and with values that are not finite
/// (such rows are nobody's neighbours, and begin at 0).
#[derive(Debug, Clone)]
pub struct Mapping {
    rows: Arc<Vec<f32>>,
    hidden: usize,
    count: usize,
    method: Method,
    seed: u64,
    /// `[n, 2]`: where the points are, while nobody moves them.
    positions: Vec<f32>,
    explained: Option<[f32; 2]>,
    exact: bool,
    work: Work,
}

/// What is being done.
#[derive(Debug, Clone)]
enum Work {
    Components(Pca),
    Search(Search),
    Weighing { neighbours: Neighbours, weights: Vec<f32> },
    Joining { neighbours: Neighbours, union: Union },
    Tsne(Box<Tsne>),
    Umap(Box<Umap>),
    Judging(Trust),
    Done(Judgement),
}

/// Where a map is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    Working {
        stage: MapStage,
        done: u32,
        total: u32,
    },
    /// [`Mapping::finish`] has nothing left to do.
    Finished,
}

/// A finished map.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapped {
    /// `[n, 2]`
    pub positions: Vec<f32>,
    /// 0 to 1; see [`Trust`].
    pub trustworthiness: f64,
    /// Neighbours that it was judged by, and rows that were judged.
    pub neighbours: u16,
    pub judged: u32,
    /// Of a PCA: the shares of the variance on the two axes.
    pub explained: Option<[f32; 2]>,
    /// Whether the method saw every row's true neighbours: with very many rows some are missed.
    pub exact_neighbours: bool,
    /// `[n]`: which share of a row's neighbours on the map are false; NaN where it was not judged.
    pub false_shares: Vec<f32>,
}

impl Mapped {
    /// In the protocol's words.
    pub fn quality(&self, latency_ms: f64) -> MapQuality {
        MapQuality {
            trustworthiness: self.trustworthiness,
            neighbours: self.neighbours,
            judged: self.judged,
            explained: self.explained,
            latency_ms,
        }
    }
}

impl Mapping {
    /// Of unit rows `[n, hidden]`; values beyond the last whole row are left out. `start` are
    /// positions `[n, 2]` of any size, which t-SNE and UMAP begin from instead of the first two
    /// principal components; of another length or with a value that is not finite it is left out,
    /// and a PCA has no use for it.
    pub fn new(
        rows: impl Into<Arc<Vec<f32>>>,
        hidden: usize,
        method: Method,
        seed: u64,
        start: Option<Vec<f32>>,
    ) -> Self {
        let rows = rows.into();
        let count = rows.len().checked_div(hidden).unwrap_or(0);
        let start = start
            .filter(|points| !matches!(method, Method::Pca) && start::is_usable(points, count));
        let mut mapping = Self {
            rows,
            hidden,
            count,
            method,
            seed,
            positions: Vec::new(),
            explained: None,
            exact: true,
            work: Work::Components(Pca::new(count, hidden)),
        };
        if let Some(points) = start {
            mapping.positions = points;
            mapping.work = mapping.search();
        }
        mapping
    }

    /// Goes on for a while.
    pub fn step(&mut self) -> Progress {
        let rows = Arc::clone(&self.rows);
        let is_done = match &mut self.work {
            Work::Components(pca) => pca.step(&rows),
            Work::Search(search) => search.step(&rows),
            Work::Weighing { neighbours, weights } => weigh(neighbours, self.method, weights),
            Work::Joining { neighbours, union } => union.step(neighbours),
            Work::Tsne(tsne) => tsne.step(),
            Work::Umap(umap) => umap.step(),
            Work::Judging(trust) => trust.step(&rows, &self.positions),
            Work::Done(_) => false,
        };
        if is_done {
            self.go_on();
        }
        self.progress()
    }

    /// Where it is.
    pub fn progress(&self) -> Progress {
        let all = told(self.count);
        let (stage, done, total) = match &self.work {
            Work::Components(_) if self.method == Method::Pca => (MapStage::Moving, 0, 1),
            Work::Components(_) => (MapStage::Neighbours, 0, all),
            Work::Search(search) => (MapStage::Neighbours, told(search.done()), all),
            Work::Weighing { .. } | Work::Joining { .. } => (MapStage::Neighbours, all, all),
            Work::Tsne(tsne) => (MapStage::Moving, tsne.done(), self.steps()),
            Work::Umap(umap) => (MapStage::Moving, umap.done(), self.steps()),
            Work::Judging(trust) => (MapStage::Judging, told(trust.done()), told(trust.judged())),
            Work::Done(_) => return Progress::Finished,
        };
        Progress::Working { stage, done, total }
    }

    /// Where the points are, `[n, 2]`; empty before there is anything to see. While neighbours are
    /// looked for these are the principal components, or the start.
    pub fn positions(&self) -> &[f32] {
        match &self.work {
            Work::Tsne(tsne) => tsne.positions(),
            Work::Umap(umap) => umap.positions(),
            _ => &self.positions,
        }
    }

    /// The map; does what is left to do.
    pub fn finish(mut self) -> Mapped {
        loop {
            if let Work::Done(judgement) = self.work {
                return Mapped {
                    positions: self.positions,
                    trustworthiness: judgement.trustworthiness,
                    neighbours: u16::try_from(judgement.neighbours).unwrap_or(u16::MAX),
                    judged: told(judgement.judged),
                    explained: self.explained,
                    exact_neighbours: self.exact,
                    false_shares: judgement.false_shares,
                };
            }
            self.step();
        }
    }

    /// From what is done to what comes next.
    fn go_on(&mut self) {
        let nothing = Work::Judging(Trust::new(0, 0, 0));
        self.work = match std::mem::replace(&mut self.work, nothing) {
            Work::Components(pca) => {
                let components = pca.into_components();
                self.positions = components.positions;
                if self.method == Method::Pca {
                    self.explained = Some(components.explained);
                    self.judge()
                } else {
                    self.search()
                }
            }
            Work::Search(search) => {
                let neighbours = search.into_neighbours();
                self.exact = neighbours.exact;
                Work::Weighing { neighbours, weights: Vec::new() }
            }
            Work::Weighing { neighbours, weights } => {
                let combine = match self.method {
                    Method::Umap { .. } => fuzzy::either,
                    Method::Tsne { .. } | Method::Pca => |a, b| a + b,
                };
                Work::Joining { neighbours, union: Union::new(self.count, weights, combine) }
            }
            Work::Joining { union, .. } => self.moving(union.into_graph()),
            Work::Tsne(tsne) => {
                self.positions = tsne.positions().to_vec();
                self.judge()
            }
            Work::Umap(umap) => {
                self.positions = umap.positions().to_vec();
                self.judge()
            }
            Work::Judging(trust) => Work::Done(trust.into_judgement()),
            Work::Done(judgement) => Work::Done(judgement),
        };
    }

    fn search(&self) -> Work {
        let each = match self.method {
            Method::Tsne { perplexity, .. } => {
                let perplexity = affinity::bounded(perplexity, self.count);
                (affinity::NEIGHBOURS_A_PERPLEXITY * perplexity) as usize
            }
            // As umap-learn counts, a row is its own first neighbour.
            Method::Umap { neighbours, .. } => usize::from(neighbours.max(2)) - 1,
            Method::Pca => 0,
        };
        Work::Search(Search::new(self.count, self.hidden, each, self.seed))
    }

    fn moving(&mut self, mut graph: Graph) -> Work {
        let points = std::mem::take(&mut self.positions);
        match self.method {
            Method::Tsne { steps, .. } => {
                // p_ij = (p(j|i) + p(i|j)) / 2n
                let share = 0.5 / self.count.max(1) as f32;
                graph.weights.iter_mut().for_each(|weight| *weight *= share);
                Work::Tsne(Box::new(Tsne::new(graph, start::for_tsne(points, self.seed), steps)))
            }
            Method::Umap { least_distance, .. } => {
                let points = start::for_umap(points, self.seed);
                let curve = Curve::of(least_distance);
                let umap = Umap::new(&graph, points, curve, self.steps(), self.seed);
                Work::Umap(Box::new(umap))
            }
            Method::Pca => {
                self.positions = points;
                self.judge()
            }
        }
    }

    /// Steps or epochs; UMAP's usual number where none was asked for.
    fn steps(&self) -> u32 {
        match self.method {
            Method::Pca => 1,
            Method::Tsne { steps, .. } => steps,
            Method::Umap { epochs: 0, .. } => usual_epochs(self.count),
            Method::Umap { epochs, .. } => epochs,
        }
    }

    fn judge(&self) -> Work {
        Work::Judging(Trust::new(self.count, self.hidden, JUDGED_NEIGHBOURS))
    }
}

/// Weighs some rows' neighbours. Whether all are weighed.
fn weigh(neighbours: &Neighbours, method: Method, weights: &mut Vec<f32>) -> bool {
    let rows = neighbours.rows();
    let next = weights.len().checked_div(neighbours.each).unwrap_or(rows);
    let more = EXPONENTIALS / HALVINGS / neighbours.each.max(1);
    let end = next.saturating_add(more.max(1)).min(rows);
    match method {
        Method::Tsne { perplexity, .. } => {
            let perplexity = affinity::bounded(perplexity, rows);
            affinity::weigh_rows(neighbours, next..end, perplexity, weights);
        }
        Method::Umap { .. } | Method::Pca => fuzzy::weigh_rows(neighbours, next..end, weights),
    }
    end >= rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng::{Rng, seed_of};
    use crate::math::rows::normalise;

    const TSNE: Method = Method::Tsne { perplexity: 10.0, steps: 300 };
    const UMAP: Method = Method::Umap { neighbours: 10, least_distance: 0.1, epochs: 100 };
    const METHODS: [Method; 3] = [Method::Pca, TSNE, UMAP];

    /// Rows in groups of twenty.
    fn grouped(count: usize, hidden: usize) -> Vec<f32> {
        let mut rng = Rng::new(17);
        let middles: Vec<f32> =
            (0..count.div_ceil(20) * hidden).map(|_| rng.normal() as f32).collect();
        let mut rows: Vec<f32> = (0..count * hidden)
            .map(|i| middles[i / hidden / 20 * hidden + i % hidden] + 0.4 * rng.normal() as f32)
            .collect();
        rows.chunks_exact_mut(hidden).for_each(normalise);
        rows
    }

    fn mapped(rows: &[f32], hidden: usize, method: Method, seed: u64) -> Mapped {
        Mapping::new(rows.to_vec(), hidden, method, seed, None).finish()
    }

    fn bits(mapped: &Mapped) -> Vec<u32> {
        mapped.positions.iter().map(|value| value.to_bits()).collect()
    }

    #[test]
    fn groups_of_the_space_are_groups_of_the_map() {
        let rows = grouped(160, 24);
        for method in [TSNE, UMAP] {
            let found = mapped(&rows, 24, method, 1);
            assert!(found.trustworthiness > 0.95, "{method:?}: {}", found.trustworthiness);
            let points = found.positions.as_chunks::<2>().0;
            for (i, point) in points.iter().enumerate() {
                let distance =
                    |j: &usize| (point[0] - points[*j][0]).hypot(point[1] - points[*j][1]);
                let others = (0..160).filter(|j| *j != i);
                let nearest = others.min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap();
                assert_eq!(nearest / 20, i / 20, "{method:?}");
            }
        }
        let pca = mapped(&rows, 24, Method::Pca, 1);
        let [first, second] = pca.explained.unwrap();
        assert!(first > second && second > 0.1 && first + second < 0.9);
    }

    #[test]
    fn equal_seeds_give_equal_bytes_and_others_do_not() {
        let rows = grouped(90, 12);
        for method in METHODS {
            let once = bits(&mapped(&rows, 12, method, 5));
            assert_eq!(once, bits(&mapped(&rows, 12, method, 5)));
            let is_equal = once == bits(&mapped(&rows, 12, method, 6));
            assert_eq!(is_equal, method == Method::Pca);
        }
    }

    /// A browser and every machine must come to these, too: nothing here may depend on the
    /// platform's mathematics.
    #[test]
    fn the_bytes_are_those_of_every_machine() {
        let rows = grouped(150, 10);
        let found = METHODS.map(|method| {
            let all: Vec<u64> =
                bits(&mapped(&rows, 10, method, 1)).into_iter().map(u64::from).collect();
            seed_of(&all)
        });
        let expected =
            [7_204_568_481_160_031_389, 9_169_658_424_461_076_228, 1_566_274_955_357_527_222];
        assert_eq!(found, expected);
    }

    #[test]
    fn stages_come_in_order_and_positions_travel_along() {
        let rows = grouped(400, 50);
        for method in METHODS {
            let mut mapping = Mapping::new(rows.clone(), 50, method, 1, None);
            let mut seen: Vec<(u8, u32)> = Vec::new();
            while let Progress::Working { stage, done, total } = mapping.step() {
                assert!(done <= total);
                let stage = match stage {
                    MapStage::Neighbours => 0,
                    MapStage::Moving => 1,
                    MapStage::Judging => 2,
                };
                seen.push((stage, done));
                assert!(stage == 0 || method == Method::Pca || mapping.positions().len() == 800);
            }
            assert!(seen.is_sorted(), "{method:?} {seen:?}");
            assert_eq!(mapping.step(), Progress::Finished);
            let positions = mapping.positions().to_vec();
            let mapped = mapping.finish();
            assert_eq!(mapped.positions, positions);
            assert_eq!(mapped.false_shares.len(), 400);
            assert_eq!(mapped.quality(7.0).judged, 400);
        }
    }

    #[test]
    fn a_start_is_where_it_begins() {
        let rows = grouped(80, 12);
        // The groups at the corners of a square: they stay in their order.
        let corner = |i: usize| [[90.0, 0.0], [0.0, 90.0], [-90.0, 0.0], [0.0, -90.0]][i / 20];
        let start: Vec<f32> = (0..80).flat_map(corner).collect();
        for method in [TSNE, UMAP] {
            let mut mapping = Mapping::new(rows.clone(), 12, method, 1, Some(start.clone()));
            assert_eq!(mapping.positions(), start);
            while mapping.step() != Progress::Finished {}
            for (i, point) in mapping.positions().as_chunks::<2>().0.iter().enumerate() {
                let [x, y] = corner(i);
                assert!(point[0] * x + point[1] * y > 0.0, "{method:?} {i} {point:?}");
            }
            let plain = bits(&mapped(&rows, 12, method, 1));
            for bad in [vec![1.0; 4], vec![f32::NAN; 160]] {
                let mapping = Mapping::new(rows.clone(), 12, method, 1, Some(bad));
                assert_eq!(bits(&mapping.finish()), plain);
            }
        }
    }

    #[test]
    fn few_equal_and_broken_rows_have_maps() {
        for method in METHODS {
            for count in [0, 1, 2, 3, 4, 7] {
                let found = mapped(&grouped(count, 5), 5, method, 1);
                assert_eq!(found.positions.len(), 2 * count);
                assert!(
                    found.positions.iter().all(|value| value.is_finite()),
                    "{method:?} {count}"
                );
            }
            for rows in [vec![0.5; 200], vec![0.0; 200], vec![f32::NAN; 200]] {
                let found = mapped(&rows, 5, method, 1);
                assert!(found.positions.iter().all(|value| value.is_finite()), "{method:?}");
            }
            let mut rows = grouped(60, 5);
            rows[7] = f32::NAN;
            rows[100..105].fill(f32::INFINITY);
            let found = mapped(&rows, 5, method, 1);
            assert!(found.positions.iter().all(|value| value.is_finite()), "{method:?}");
            assert!(mapped(&[], 0, method, 1).positions.is_empty());
        }
    }

    #[test]
    fn settings_out_of_range_are_borne() {
        let rows = grouped(50, 6);
        let methods = [
            Method::Tsne { perplexity: f32::NAN, steps: 20 },
            Method::Tsne { perplexity: 1e30, steps: 20 },
            Method::Tsne { perplexity: -3.0, steps: 0 },
            Method::Umap { neighbours: 0, least_distance: f32::NAN, epochs: 20 },
            Method::Umap { neighbours: u16::MAX, least_distance: -1.0, epochs: 1 },
        ];
        for method in methods {
            let found = mapped(&rows, 6, method, 1);
            assert!(found.positions.iter().all(|value| value.is_finite()), "{method:?}");
        }
        // No number of epochs: the usual one.
        let usual = |epochs| Method::Umap { neighbours: 10, least_distance: 0.1, epochs };
        assert_eq!(bits(&mapped(&rows, 6, usual(0), 1)), bits(&mapped(&rows, 6, usual(500), 1)));
    }
}
