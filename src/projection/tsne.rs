//! t-SNE: nearby points of a space, near each other on a map.

use crate::projection::graph::Graph;
use crate::projection::quadtree::Quadtree;

/// How coarse far points are taken: Barnes and Hut's opening angle.
const THETA: f32 = 0.5;

/// Steps in which neighbours attract each other [`EXAGGERATION`] times as much; never more than a
/// third of all.
const EARLY_STEPS: u32 = 250;
const EXAGGERATION: f32 = 12.0;

const EARLY_MOMENTUM: f32 = 0.5;
const MOMENTUM: f32 = 0.8;

/// The learning rate for each point (Belkina et al., Nature Communications 2019), and the least
/// after the early steps, where there are as many points. (Our gradient lacks the factor 4:
/// scikit-learn's n / 48, at least 50, is the same.) With a least rate in the early steps, too, few
/// points would be thrown about until nothing was left of where they began.
const RATE_A_POINT: f32 = 1.0 / 12.0;
const LEAST_RATE: f32 = 200.0;

/// A gain grows by this where the gradient keeps its direction, shrinks by that factor where not.
const GAIN_MORE: f32 = 0.2;
const GAIN_LESS: f32 = 0.8;
const LEAST_GAIN: f32 = 0.01;

/// Products of points that a step may take; some 5 ms natively.
const PRODUCTS: usize = 2_500_000;

/// A pair of neighbours costs as many of them.
const ATTRACTION_COST: usize = 2;

/// A point costs as many, to be sorted and moved.
const POINT_COST: usize = 60;

/// t-SNE (van der Maaten & Hinton, JMLR 2008) with the Barnes-Hut approximation (van der Maaten,
/// JMLR 2014), optimised as scikit-learn does.
#[derive(Debug, Clone)]
pub struct Tsne {
    /// p_ij of each pair once, twice of which and of all others are 1 together.
    graph: Graph,
    tree: Quadtree,
    /// `[n, 2]` each.
    positions: Vec<f32>,
    velocity: Vec<f32>,
    gains: Vec<f32>,
    /// Sum of p q (i - j).
    attraction: Vec<f32>,
    /// Sum of q^2 (i - j).
    repulsion: Vec<f32>,
    /// Sum of q over all ordered pairs.
    z: f64,
    theta: f32,
    done: u32,
    steps: u32,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    Sort,
    /// Going through the leaves, from this one on.
    Repel(usize),
    /// Going through the rows, from this one on.
    Attract(usize),
    Move,
}

impl Tsne {
    /// From positions `[n, 2]`, as many as the graph has rows.
    pub fn new(graph: Graph, start: Vec<f32>, steps: u32) -> Self {
        let zeros = vec![0.0; start.len()];
        Self {
            graph,
            tree: Quadtree::default(),
            velocity: zeros.clone(),
            gains: vec![1.0; start.len()],
            attraction: zeros.clone(),
            repulsion: zeros,
            z: 0.0,
            positions: start,
            theta: THETA,
            done: 0,
            steps,
            phase: Phase::Sort,
        }
    }

    /// Goes on for a while: several steps of few points, a part of one of many. Whether it is done.
    pub fn step(&mut self) -> bool {
        let mut left = PRODUCTS;
        while left > 0 && self.done < self.steps {
            let cost = match self.phase {
                Phase::Sort => self.sort(),
                Phase::Repel(next) => self.repel(next),
                Phase::Attract(next) => self.attract(next, left),
                Phase::Move => self.shift(),
            };
            left = left.saturating_sub(cost.max(1));
        }
        self.done >= self.steps
    }

    /// Steps that are done.
    pub fn done(&self) -> u32 {
        self.done
    }

    /// `[n, 2]`
    pub fn positions(&self) -> &[f32] {
        &self.positions
    }

    fn is_early(&self) -> bool {
        self.done < EARLY_STEPS.min(self.steps / 3)
    }

    fn sort(&mut self) -> usize {
        self.tree.build(&self.positions);
        self.attraction.fill(0.0);
        // Every point met itself, with q = 1.
        self.z = -((self.positions.len() / 2) as f64);
        self.phase = Phase::Repel(0);
        self.positions.len() / 2 * POINT_COST
    }

    fn repel(&mut self, leaf: usize) -> usize {
        if leaf >= self.tree.leaves() {
            self.phase = Phase::Attract(0);
            return 0;
        }
        let (z, repulsion) = (&mut self.z, self.repulsion.as_chunks_mut::<2>().0);
        let cost = self.tree.push(leaf, self.theta, |i, q, force| {
            *z += f64::from(q);
            if let Some(place) = repulsion.get_mut(i) {
                *place = force;
            }
        });
        self.phase = Phase::Repel(leaf + 1);
        cost
    }

    fn attract(&mut self, next: usize, left: usize) -> usize {
        let rows = self.graph.rows();
        let mut cost = 0;
        let mut row = next;
        while row < rows && cost <= left {
            cost += ATTRACTION_COST
                * attract_row(&self.graph, row, &self.positions, &mut self.attraction);
            row += 1;
        }
        self.phase = if row < rows { Phase::Attract(row) } else { Phase::Move };
        cost
    }

    /// Momentum and gains (Jacobs 1988), then the middle back to 0.
    fn shift(&mut self) -> usize {
        let early = self.is_early();
        let momentum = if early { EARLY_MOMENTUM } else { MOMENTUM };
        let points = self.positions.len() as f32 / 2.0;
        let least = if early { 0.0 } else { LEAST_RATE.min(points) };
        let rate = (RATE_A_POINT * points).max(least);
        let share = if self.z > 0.0 { (1.0 / self.z) as f32 } else { 0.0 };
        let pull = if early { EXAGGERATION } else { 1.0 };
        let forces = self.attraction.iter().zip(&self.repulsion);
        let states = self.velocity.iter_mut().zip(&mut self.gains);
        for ((position, (velocity, gain)), (attraction, repulsion)) in
            self.positions.iter_mut().zip(states).zip(forces)
        {
            let gradient = pull * attraction - share * repulsion;
            let onwards = (gradient > 0.0) != (*velocity > 0.0);
            *gain = if onwards { *gain + GAIN_MORE } else { *gain * GAIN_LESS };
            *gain = gain.max(LEAST_GAIN);
            *velocity = momentum * *velocity - rate * *gain * gradient;
            *position += *velocity;
        }
        centre(&mut self.positions);
        self.done += 1;
        if early && !self.is_early() {
            self.velocity.fill(0.0);
            self.gains.fill(1.0);
        }
        self.phase = Phase::Sort;
        self.positions.len() / 2 * POINT_COST
    }
}

/// Neighbours of a row that are worked off side by side.
const LANES: usize = 4;

/// Adds p q (i - j) to a row's forces, and takes it from its partners'. How many there were.
fn attract_row(graph: &Graph, row: usize, positions: &[f32], forces: &mut [f32]) -> usize {
    let (partners, weights) = graph.of(row);
    let positions = positions.as_chunks::<2>().0;
    let forces = forces.as_chunks_mut::<2>().0;
    let Some([x, y]) = positions.get(row).copied() else { return 0 };
    let mut sum = [0.0; 2];
    for (partners, weights) in partners.chunks(LANES).zip(weights.chunks(LANES)) {
        let (mut dx, mut dy, mut p) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        for (lane, (partner, weight)) in partners.iter().zip(weights).enumerate() {
            if let Some(other) = positions.get(*partner as usize) {
                (dx[lane], dy[lane], p[lane]) = (x - other[0], y - other[1], *weight);
            }
        }
        for lane in 0..LANES {
            let force = p[lane] / (1.0 + dx[lane] * dx[lane] + dy[lane] * dy[lane]);
            (dx[lane], dy[lane]) = (force * dx[lane], force * dy[lane]);
        }
        for (lane, partner) in partners.iter().enumerate() {
            if let Some(other) = forces.get_mut(*partner as usize) {
                other[0] -= dx[lane];
                other[1] -= dy[lane];
            }
        }
        sum[0] += (dx[0] + dx[1]) + (dx[2] + dx[3]);
        sum[1] += (dy[0] + dy[1]) + (dy[2] + dy[3]);
    }
    if let Some(own) = forces.get_mut(row) {
        own[0] += sum[0];
        own[1] += sum[1];
    }
    partners.len()
}

/// Moves points `[n, 2]` so that their mean is 0.
pub fn centre(points: &mut [f32]) {
    let points = points.as_chunks_mut::<2>().0;
    let mut sum = [0.0_f64; 2];
    for point in points.iter() {
        sum[0] += f64::from(point[0]);
        sum[1] += f64::from(point[1]);
    }
    let mean = sum.map(|sum| (sum / points.len().max(1) as f64) as f32);
    for point in points {
        point[0] -= mean[0];
        point[1] -= mean[1];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng::Rng;

    /// p_ij of all pairs, `[n, n]`, symmetric, with the sum 1.
    fn dense(graph: &Graph) -> Vec<f64> {
        let count = graph.rows();
        let mut p = vec![0.0; count * count];
        for i in 0..count {
            let (partners, weights) = graph.of(i);
            for (j, weight) in partners.iter().zip(weights) {
                p[i * count + *j as usize] = f64::from(*weight);
                p[*j as usize * count + i] = f64::from(*weight);
            }
        }
        p
    }

    /// KL(P || Q) with q_ij = (1 + |i - j|^2)^-1 / Z.
    fn divergence(p: &[f64], positions: &[f64]) -> f64 {
        let count = positions.len() / 2;
        let q = |i: usize, j: usize| {
            let (dx, dy) =
                (positions[2 * i] - positions[2 * j], positions[2 * i + 1] - positions[2 * j + 1]);
            1.0 / (1.0 + dx * dx + dy * dy)
        };
        let pairs =
            || (0..count).flat_map(|i| (0..count).map(move |j| (i, j))).filter(|(i, j)| i != j);
        let z: f64 = pairs().map(|(i, j)| q(i, j)).sum();
        let terms = pairs().filter(|(i, j)| p[i * count + j] > 0.0);
        terms.map(|(i, j)| p[i * count + j] * (p[i * count + j] * z / q(i, j)).ln()).sum()
    }

    /// A graph of random pairs, of which all ordered ones together weigh 1.
    fn random_graph(count: usize, rng: &mut Rng) -> Graph {
        let mut graph = Graph { starts: vec![0], ..Graph::default() };
        for i in 0..count as u32 {
            for j in i + 1..count as u32 {
                if rng.uniform() < 0.4 {
                    graph.partners.push(j);
                    graph.weights.push(rng.uniform() as f32);
                }
            }
            graph.starts.push(graph.partners.len() as u32);
        }
        let sum: f32 = graph.weights.iter().sum();
        graph.weights.iter_mut().for_each(|weight| *weight /= 2.0 * sum);
        graph
    }

    #[test]
    fn the_gradient_is_that_of_the_divergence() {
        let mut rng = Rng::new(5);
        let count = 24;
        let graph = random_graph(count, &mut rng);
        let p = dense(&graph);
        let start: Vec<f32> = (0..2 * count).map(|_| 2.0 * rng.normal() as f32).collect();
        let mut tsne = Tsne::new(graph, start.clone(), 9);
        tsne.theta = 0.0;
        tsne.sort();
        while tsne.phase != Phase::Move {
            match tsne.phase {
                Phase::Repel(next) => tsne.repel(next),
                Phase::Attract(next) => tsne.attract(next, 3),
                _ => unreachable!("these come before"),
            };
        }
        let places: Vec<f64> = start.iter().map(|value| f64::from(*value)).collect();
        for at in 0..2 * count {
            let moved = |by: f64| {
                let mut places = places.clone();
                places[at] += by;
                divergence(&p, &places)
            };
            let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            let gradient = f64::from(tsne.attraction[at]) - f64::from(tsne.repulsion[at]) / tsne.z;
            let difference = (4.0 * gradient - expected).abs();
            assert!(difference < 2e-3 * expected.abs().max(0.02), "{at}: {difference} {expected}");
        }
    }

    #[test]
    fn the_divergence_falls() {
        // A ring, on which each knows the next three.
        let mut graph = Graph { starts: vec![0], ..Graph::default() };
        for i in 0..60_u32 {
            let near = |j: &u32| (j - i).min(60 + i - j) <= 3;
            graph.partners.extend((i + 1..60).filter(near));
            graph.starts.push(graph.partners.len() as u32);
        }
        graph.weights = vec![1.0 / 360.0; 180];
        assert_eq!(graph.partners.len(), 180);
        let p = dense(&graph);
        let mut rng = Rng::new(6);
        let start: Vec<f32> = (0..120).map(|_| 1e-4 * rng.normal() as f32).collect();
        let at = |steps| {
            let mut tsne = Tsne::new(graph.clone(), start.clone(), steps);
            while !tsne.step() {}
            assert_eq!(tsne.done(), steps);
            let places: Vec<f64> = tsne.positions().iter().map(|v| f64::from(*v)).collect();
            divergence(&p, &places)
        };
        let (before, after) = (at(0), at(900));
        assert!(after < 0.3 * before, "{before} {after}");
    }

    #[test]
    fn two_groups_part() {
        // Pairs within two groups of 20 only.
        let mut graph = Graph { starts: vec![0], ..Graph::default() };
        for i in 0..40_u32 {
            for j in (i + 1..40).filter(|j| i / 20 == j / 20) {
                graph.partners.push(j);
                graph.weights.push(1.0 / 760.0);
            }
            graph.starts.push(graph.partners.len() as u32);
        }
        let mut rng = Rng::new(1);
        let start = (0..80).map(|_| 1e-4 * rng.normal() as f32).collect();
        let mut tsne = Tsne::new(graph, start, 600);
        while !tsne.step() {}
        let middle = |points: &[f32]| {
            let mean = |axis| points.iter().skip(axis).step_by(2).sum::<f32>() / 20.0;
            [mean(0), mean(1)]
        };
        let (left, right) = tsne.positions().split_at(40);
        let (a, b) = (middle(left), middle(right));
        let apart = (a[0] - b[0]).hypot(a[1] - b[1]);
        for (points, own) in [(left, a), (right, b)] {
            for point in points.chunks_exact(2) {
                assert!((point[0] - own[0]).hypot(point[1] - own[1]) < apart / 2.0);
            }
        }
    }

    #[test]
    fn no_point_and_one_point_are_maps() {
        for count in [0, 1] {
            let graph = Graph { starts: vec![0; count + 1], ..Graph::default() };
            let mut tsne = Tsne::new(graph, vec![0.5; 2 * count], 20);
            while !tsne.step() {}
            assert!(tsne.positions().iter().all(|value| *value == 0.0));
        }
    }
}
