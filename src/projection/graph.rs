//! A graph without directions, from weights that each row gives its neighbours.

use crate::projection::neighbours::Neighbours;

/// Entries that a step goes through.
const ENTRIES_A_STEP: usize = 400_000;

/// Each pair once: of row `i` the partners `j > i` are those from `starts[i]` to `starts[i + 1]`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Graph {
    /// `[n + 1]`
    pub starts: Vec<u32>,
    pub partners: Vec<u32>,
    pub weights: Vec<f32>,
}

impl Graph {
    pub fn rows(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Partners and weights of a row.
    #[inline]
    pub fn of(&self, row: usize) -> (&[u32], &[f32]) {
        let place = |row: usize| self.starts.get(row).map_or(0, |start| *start as usize);
        let range = place(row)..place(row + 1);
        let partners = self.partners.get(range.clone()).unwrap_or_default();
        (partners, self.weights.get(range).unwrap_or_default())
    }
}

/// The weight of a pair, from what each of the two gave the other; 0 where it gave none.
pub type Combine = fn(f64, f64) -> f64;

/// Makes a [`Graph`] of the weights `[n, each]` of neighbours, a step at a time.
#[derive(Debug, Clone)]
pub struct Union {
    /// What each row gave its neighbours.
    weights: Vec<f32>,
    combine: Combine,
    /// `[n + 1]`: where the bucket of each pair's first row starts.
    buckets: Vec<u32>,
    /// `[n]`: where its next entry goes.
    free: Vec<u32>,
    entries: Vec<Entry>,
    graph: Graph,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    Counting(usize),
    Filling(usize),
    Merging(usize),
    Done,
}

#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    partner: u32,
    weight: f32,
}

impl Union {
    /// `weights` are `[n, each]`, as the neighbours' positions are.
    pub fn new(rows: usize, weights: Vec<f32>, combine: Combine) -> Self {
        let entries = vec![Entry::default(); weights.len()];
        let graph = Graph { starts: vec![0], ..Graph::default() };
        Self {
            weights,
            combine,
            buckets: vec![0; rows + 1],
            free: Vec::new(),
            entries,
            graph,
            phase: Phase::Counting(0),
        }
    }

    /// Goes on for a while. Whether it is done.
    pub fn step(&mut self, neighbours: &Neighbours) -> bool {
        let rows = self.buckets.len() - 1;
        let more = (ENTRIES_A_STEP / neighbours.each.max(1)).max(1);
        let end = |next: usize| (next + more).min(rows);
        self.phase = match self.phase {
            Phase::Counting(next) => self.count(neighbours, next, end(next)),
            Phase::Filling(next) => self.fill(neighbours, next, end(next)),
            Phase::Merging(next) => self.merge(next, end(next)),
            Phase::Done => Phase::Done,
        };
        self.phase == Phase::Done
    }

    /// Not whole before it is done.
    pub fn into_graph(self) -> Graph {
        self.graph
    }

    fn count(&mut self, neighbours: &Neighbours, next: usize, end: usize) -> Phase {
        for row in next..end {
            for partner in neighbours.of(row).0 {
                if let Some(count) = self.buckets.get_mut(row.min(*partner as usize) + 1) {
                    *count += 1;
                }
            }
        }
        if end + 1 < self.buckets.len() {
            return Phase::Counting(end);
        }
        let mut sum = 0;
        for start in &mut self.buckets {
            sum += *start;
            *start = sum;
        }
        self.free = self.buckets.clone();
        Phase::Filling(0)
    }

    fn fill(&mut self, neighbours: &Neighbours, next: usize, end: usize) -> Phase {
        for row in next..end {
            let partners = neighbours.of(row).0;
            let weights = self.weights.get(row * neighbours.each..).unwrap_or_default();
            for (partner, weight) in partners.iter().zip(weights) {
                let (first, second) = (row.min(*partner as usize), row.max(*partner as usize));
                let Some(free) = self.free.get_mut(first) else { continue };
                if let Some(entry) = self.entries.get_mut(*free as usize) {
                    *entry = Entry { partner: second as u32, weight: *weight };
                }
                *free += 1;
            }
        }
        if end + 1 < self.buckets.len() {
            return Phase::Filling(end);
        }
        self.weights = Vec::new();
        Phase::Merging(0)
    }

    fn merge(&mut self, next: usize, end: usize) -> Phase {
        for row in next..end {
            let range = self.buckets[row] as usize..self.buckets[row + 1] as usize;
            let bucket = self.entries.get_mut(range).unwrap_or_default();
            // Stable: of two that are one pair, the first row's entry need not come first, for what
            // is made of them is the same either way.
            bucket.sort_by_key(|entry| entry.partner);
            for pair in bucket.chunk_by(|a, b| a.partner == b.partner) {
                let given = |place: usize| pair.get(place).map_or(0.0, |e| f64::from(e.weight));
                self.graph.partners.push(pair[0].partner);
                self.graph.weights.push((self.combine)(given(0), given(1)) as f32);
            }
            self.graph.starts.push(self.graph.partners.len() as u32);
        }
        if end + 1 < self.buckets.len() {
            return Phase::Merging(end);
        }
        (self.entries, self.free) = (Vec::new(), Vec::new());
        Phase::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    proptest::proptest! {
        #[test]
        fn every_pair_is_there_once_with_its_weight(
            values in proptest::collection::vec((0_u32..20, 0.1_f32..1.0), 0..80),
            each in 1_usize..4,
        ) {
            // No row names a partner twice, or itself.
            let rows = 20;
            let mut given = BTreeMap::new();
            let (mut positions, mut weights) = (Vec::new(), Vec::new());
            for row in 0..rows {
                let mut names: Vec<u32> = (0..rows as u32).filter(|name| *name as usize != row).collect();
                for place in 0..each {
                    let (name, weight) = values.get(row * each + place).copied().unwrap_or((3, 0.5));
                    let name = names.remove(name as usize % names.len());
                    positions.push(name);
                    weights.push(weight);
                    given.insert((row as u32, name), weight);
                }
            }
            let cosines = weights.clone();
            let neighbours = Neighbours { each, positions, cosines, exact: true };
            let mut union = Union::new(rows, weights, |a, b| a + b - a * b);
            while !union.step(&neighbours) {}
            let graph = union.into_graph();
            proptest::prop_assert_eq!(graph.rows(), rows);
            let mut met = 0;
            for row in 0..rows as u32 {
                let (partners, weights) = graph.of(row as usize);
                proptest::prop_assert!(partners.is_sorted_by(|a, b| a < b));
                for (partner, weight) in partners.iter().zip(weights) {
                    proptest::prop_assert!(*partner > row);
                    let one = |pair| f64::from(given.get(&pair).copied().unwrap_or(0.0));
                    let (a, b) = (one((row, *partner)), one((*partner, row)));
                    proptest::prop_assert!((f64::from(*weight) - (a + b - a * b)).abs() < 1e-6);
                    met += usize::from(a > 0.0) + usize::from(b > 0.0);
                }
            }
            proptest::prop_assert_eq!(met, given.len());
        }
    }

    #[test]
    fn nothing_makes_an_empty_graph() {
        let none = Neighbours { each: 0, positions: Vec::new(), cosines: Vec::new(), exact: true };
        for rows in [0, 3] {
            let mut union = Union::new(rows, Vec::new(), |a, b| a + b);
            while !union.step(&none) {}
            let graph = union.into_graph();
            assert_eq!((graph.rows(), graph.partners.len()), (rows, 0));
            assert!(graph.of(5).0.is_empty());
        }
    }
}
