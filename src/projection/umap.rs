//! UMAP: likely neighbours, drawn together on a map.

use crate::math::elementary::power_f32;
use crate::math::rng::Rng;
use crate::projection::curve::Curve;
use crate::projection::graph::Graph;

/// Random points that each sampled pair pushes away from either of its ends.
const NEGATIVE_SAMPLES: usize = 5;

/// A pair and the random points, worked off side by side; the lanes that are left push nobody.
const LANES: usize = 8;

/// No sample moves a coordinate farther.
const FARTHEST: f32 = 4.0;

/// Keeps the push of near points finite.
const SOFTENING: f32 = 1e-3;

/// Sampled pairs that a step may take, and pairs looked at for each; some 10 ms natively.
const SAMPLES: usize = 50_000;
const LOOKED_AT: usize = 40;

/// So many points get 500 epochs, more get 200, as in umap-learn.
const FEW: usize = 10_000;

/// UMAP's optimisation (McInnes et al., arXiv 1802.03426, 4.2, as umap-learn has it): stochastic
/// gradient descent over the pairs of the graph, each as often as it weighs, with random points
/// pushed away. One pair after the other, so that equal seeds give equal maps.
#[derive(Debug, Clone)]
pub struct Umap {
    /// Each pair once; both its ends push others away.
    pairs: Vec<Pair>,
    positions: Vec<f32>,
    a: f32,
    b: f32,
    rng: Rng,
    epoch: u32,
    epochs: u32,
    /// Pairs of this epoch that are done.
    next: usize,
}

#[derive(Debug, Clone, Copy)]
struct Pair {
    first: u32,
    second: u32,
    /// Epochs between two samples, and the epoch of the next.
    every: f32,
    due: f32,
}

/// Epochs where nobody asked for a number.
pub fn usual_epochs(points: usize) -> u32 {
    if points <= FEW { 500 } else { 200 }
}

impl Umap {
    /// From positions `[n, 2]`, as many as the graph has rows.
    pub fn new(graph: &Graph, start: Vec<f32>, curve: Curve, epochs: u32, seed: u64) -> Self {
        let heaviest = graph.weights.iter().copied().fold(0.0, f32::max);
        let mut pairs = Vec::with_capacity(graph.weights.len());
        for first in 0..graph.rows() {
            let (partners, weights) = graph.of(first);
            for (second, weight) in partners.iter().zip(weights) {
                let every = heaviest / weight;
                // What would not be sampled once is left out.
                if *weight > 0.0 && every <= epochs as f32 {
                    pairs.push(Pair { first: first as u32, second: *second, every, due: every });
                }
            }
        }
        let (a, b) = (curve.a as f32, curve.b as f32);
        let rng = Rng::of(&[seed, graph.rows() as u64]);
        Self { pairs, positions: start, a, b, rng, epoch: 0, epochs, next: 0 }
    }

    /// Goes on for a while: several epochs of few points, a part of one of many. Whether it is done.
    pub fn step(&mut self) -> bool {
        let mut left = SAMPLES * LOOKED_AT;
        while left > 0 && self.epoch < self.epochs {
            let rate = 1.0 - self.epoch as f32 / self.epochs as f32;
            let Some(pair) = self.pairs.get_mut(self.next) else {
                (self.epoch, self.next) = (self.epoch + 1, 0);
                left -= 1;
                continue;
            };
            self.next += 1;
            left -= 1;
            if pair.due <= self.epoch as f32 {
                pair.due += pair.every;
                let (first, second) = (pair.first as usize, pair.second as usize);
                self.sample(first, second, rate);
                self.sample(second, first, rate);
                left = left.saturating_sub(LOOKED_AT);
            }
        }
        self.epoch >= self.epochs
    }

    /// Epochs that are done.
    pub fn done(&self) -> u32 {
        self.epoch
    }

    /// `[n, 2]`
    pub fn positions(&self) -> &[f32] {
        &self.positions
    }

    /// Draws two points together and pushes others away from the first, all from where they are.
    fn sample(&mut self, first: usize, second: usize, rate: f32) {
        let points = self.positions.as_chunks_mut::<2>().0;
        let (Some(here), Some(there)) = (points.get(first).copied(), points.get(second).copied())
        else {
            return;
        };
        let (mut dx, mut dy) = ([0.0; LANES], [0.0; LANES]);
        (dx[0], dy[0]) = (here[0] - there[0], here[1] - there[1]);
        let mut bits = 0;
        for lane in 1..=NEGATIVE_SAMPLES {
            // Two numbers of a draw. Of its 2^32 values some points get one more than others.
            bits = if lane % 2 == 1 { self.rng.bits() } else { bits << 32 };
            let other = ((bits >> 32) * points.len() as u64) >> 32;
            if let Some(other) = points.get(other as usize) {
                // The point itself stands where it is, and is not moved by that.
                (dx[lane], dy[lane]) = (here[0] - other[0], here[1] - other[1]);
            }
        }
        pushes(&mut dx, &mut dy, self.a, self.b);
        let pull = [dx[0] * rate, dy[0] * rate];
        points[second] = [there[0] - pull[0], there[1] - pull[1]];
        let sum = |parts: [f32; LANES]| {
            (parts[0] + parts[1]) + (parts[2] + parts[3]) + (parts[4] + parts[5])
        };
        points[first] = [here[0] + rate * sum(dx), here[1] + rate * sum(dy)];
    }
}

/// The pull of the point in the first lane and the pushes of the others, from their differences.
#[inline]
fn pushes(dx: &mut [f32; LANES], dy: &mut [f32; LANES], a: f32, b: f32) {
    let mut squares = [0.0; LANES];
    let mut raised = [0.0; LANES];
    for lane in 0..LANES {
        squares[lane] = (dx[lane] * dx[lane] + dy[lane] * dy[lane]).max(f32::MIN_POSITIVE);
        raised[lane] = a * power_f32(squares[lane], b);
    }
    let mut factors = [2.0 * b; LANES];
    factors[0] *= -raised[0];
    let mut soft = [SOFTENING; LANES];
    soft[0] = 0.0;
    for lane in 0..LANES {
        let factor = factors[lane] / ((soft[lane] + squares[lane]) * (raised[lane] + 1.0));
        dx[lane] = cut(factor * dx[lane]);
        dy[lane] = cut(factor * dy[lane]);
    }
}

fn cut(value: f32) -> f32 {
    value.clamp(-FARTHEST, FARTHEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pairs within groups of ten.
    fn groups(count: usize) -> Graph {
        let mut graph = Graph { starts: vec![0], ..Graph::default() };
        for i in 0..count {
            for j in (i + 1..count).filter(|j| i / 10 == j / 10) {
                graph.partners.push(j as u32);
                graph.weights.push(if j == i + 1 { 1.0 } else { 0.3 });
            }
            graph.starts.push(graph.partners.len() as u32);
        }
        graph
    }

    fn map(graph: &Graph, epochs: u32, seed: u64) -> Vec<f32> {
        let mut rng = Rng::new(3);
        let start = (0..2 * graph.rows()).map(|_| 5.0 * rng.normal() as f32).collect();
        let mut umap = Umap::new(graph, start, Curve::of(0.1), epochs, seed);
        while !umap.step() {}
        assert_eq!(umap.done(), epochs);
        umap.positions
    }

    #[test]
    fn partners_come_near_and_others_stay_away() {
        let positions = map(&groups(60), 300, 1);
        let distance = |i: usize, j: usize| {
            (positions[2 * i] - positions[2 * j]).hypot(positions[2 * i + 1] - positions[2 * j + 1])
        };
        let (mut within, mut between) = (Vec::new(), Vec::new());
        for i in 0..60 {
            for j in i + 1..60 {
                if i / 10 == j / 10 { &mut within } else { &mut between }.push(distance(i, j));
            }
        }
        let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len() as f32;
        assert!(mean(&within) * 3.0 < mean(&between), "{} {}", mean(&within), mean(&between));
    }

    #[test]
    fn equal_seeds_give_equal_bytes() {
        let graph = groups(40);
        let bits = |seed| map(&graph, 30, seed).into_iter().map(f32::to_bits).collect::<Vec<_>>();
        assert!(bits(1) == bits(1) && bits(1) != bits(2));
    }

    #[test]
    fn pairs_are_sampled_as_often_as_they_weigh() {
        let mut graph = groups(10);
        graph.weights.iter_mut().for_each(|weight| *weight = 0.001);
        graph.weights[0] = 1.0;
        let umap = Umap::new(&graph, vec![0.0; 20], Curve::of(0.1), 100, 1);
        assert_eq!(umap.pairs.len(), 1);
        assert_eq!([usual_epochs(10_000), usual_epochs(10_001)], [500, 200]);
    }

    #[test]
    fn points_in_one_place_and_no_points_end() {
        let mut umap = Umap::new(&groups(20), vec![1.0; 40], Curve::of(0.1), 50, 1);
        while !umap.step() {}
        assert!(umap.positions().iter().all(|value| *value == 1.0));
        let mut umap = Umap::new(&Graph::default(), Vec::new(), Curve::of(0.1), 50, 1);
        while !umap.step() {}
        assert!(umap.positions().is_empty());
    }
}
