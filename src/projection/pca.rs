//! The first two principal components.

use crate::geometry::pairs::{BLOCK_ROWS, scan_block};
use crate::math::rng::Rng;
use crate::math::rows::{dot_tile, row};
use crate::projection::subspace::{Plane, Subspace};
use crate::projection::work::{PRODUCTS, rows_a_step};

/// Rows whose products are summed in `f32` before they go into an `f64`.
const PANEL: usize = 256;

/// Rows on their first two principal components.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Components {
    /// `[n, 2]`: the centred rows' coordinates. The sum of each axis's cubes is not negative, which
    /// settles its sign. Rows with a value that is not finite stand at 0.
    pub positions: Vec<f32>,
    /// The axes' shares of the variance, 0 to 1; zeros where there is none.
    pub explained: [f32; 2],
}

/// Principal components of rows `[n, hidden]`, a step at a time.
///
/// From the covariance's eigenvectors: its products are summed a panel of rows at a time, its first
/// eigenvectors found by subspace iteration ([`Subspace`]). 5,000 rows of 384 take some 0.1 s, ten
/// times as many ten times as long.
#[derive(Debug, Clone)]
pub struct Pca {
    hidden: usize,
    count: usize,
    /// Rows without a value that is not finite.
    usable: Vec<bool>,
    /// `[hidden]`: sums of the usable rows, then their mean.
    mean: Vec<f64>,
    /// `[hidden, PANEL]`: centred rows, turned so that a column's values lie side by side.
    panel: Vec<f32>,
    /// `[hidden, hidden]`: sums of products of the centred columns; above the diagonal until whole.
    covariance: Vec<f64>,
    components: Components,
    phase: Phase,
}

#[derive(Debug, Clone)]
enum Phase {
    /// Adding rows up, from this one on.
    Mean(usize),
    /// Adding products up, from this row on.
    Covariance(usize),
    Axes(Subspace),
    /// Placing rows, from this one on.
    Places(Plane, usize),
    Done,
}

impl Pca {
    /// Of `count` rows.
    pub fn new(count: usize, hidden: usize) -> Self {
        Self {
            hidden,
            count,
            usable: Vec::with_capacity(count),
            mean: vec![0.0; hidden],
            panel: Vec::new(),
            covariance: Vec::new(),
            components: Components { positions: vec![0.0; 2 * count], explained: [0.0; 2] },
            phase: Phase::Mean(0),
        }
    }

    /// Goes on for a while; the rows must be the same every time. Whether it is done.
    pub fn step(&mut self, rows: &[f32]) -> bool {
        self.phase = match std::mem::replace(&mut self.phase, Phase::Done) {
            Phase::Mean(next) => self.add(rows, next),
            Phase::Covariance(next) => self.multiply(rows, next),
            Phase::Axes(mut subspace) => match subspace.step(&self.covariance) {
                None => Phase::Axes(subspace),
                Some(plane) => {
                    let whole: f64 = self.covariance.iter().step_by(self.hidden + 1).sum();
                    let share = |value: f64| if whole > 0.0 { value / whole } else { 0.0 };
                    self.components.explained = plane.values.map(|value| share(value) as f32);
                    Phase::Places(plane, 0)
                }
            },
            Phase::Places(plane, next) => self.place(rows, plane, next),
            Phase::Done => Phase::Done,
        };
        matches!(self.phase, Phase::Done)
    }

    /// What was found; zeros before it is done.
    pub fn into_components(self) -> Components {
        self.components
    }

    fn add(&mut self, rows: &[f32], next: usize) -> Phase {
        let end = next.saturating_add(rows_a_step(self.hidden, 4)).min(self.count);
        for i in next..end {
            let row = row(rows, self.hidden, i);
            let usable = row.iter().all(|value| value.is_finite());
            self.usable.push(usable);
            if usable {
                for (sum, value) in self.mean.iter_mut().zip(row) {
                    *sum += f64::from(*value);
                }
            }
        }
        if end < self.count {
            return Phase::Mean(end);
        }
        let usable = self.usable.iter().filter(|usable| **usable).count();
        self.mean.iter_mut().for_each(|sum| *sum /= usable.max(1) as f64);
        self.panel = vec![0.0; self.hidden * PANEL];
        self.covariance = vec![0.0; self.hidden * self.hidden];
        Phase::Covariance(0)
    }

    /// A few panels of rows.
    fn multiply(&mut self, rows: &[f32], mut next: usize) -> Phase {
        let panels = PRODUCTS / (self.hidden * self.hidden * PANEL / 2).max(1);
        for _ in 0..panels.max(1) {
            if next >= self.count {
                break;
            }
            self.fill(rows, next);
            let (hidden, covariance) = (self.hidden, &mut self.covariance);
            for start in (0..hidden).step_by(BLOCK_ROWS) {
                scan_block(&self.panel, PANEL, start, BLOCK_ROWS, |i, j, dot| {
                    covariance[i * hidden + j] += f64::from(dot);
                });
            }
            for (i, column) in self.panel.chunks_exact(PANEL).enumerate() {
                let [[square]] = dot_tile([column], [column]);
                covariance[i * hidden + i] += f64::from(square);
            }
            next += PANEL;
        }
        if next < self.count {
            return Phase::Covariance(next);
        }
        for i in 0..self.hidden {
            for j in 0..i {
                self.covariance[i * self.hidden + j] = self.covariance[j * self.hidden + i];
            }
        }
        self.panel = Vec::new();
        Phase::Axes(Subspace::new(self.hidden, &mut Rng::of(&[self.hidden as u64])))
    }

    /// The panel of the rows from `start`; what is not there or not usable is 0.
    fn fill(&mut self, rows: &[f32], start: usize) {
        self.panel.fill(0.0);
        for offset in 0..PANEL {
            if self.usable.get(start + offset).is_none_or(|usable| !usable) {
                continue;
            }
            let values = row(rows, self.hidden, start + offset).iter().zip(&self.mean);
            let places = self.panel.iter_mut().skip(offset).step_by(PANEL);
            for (place, (value, mean)) in places.zip(values) {
                *place = (f64::from(*value) - mean) as f32;
            }
        }
    }

    fn place(&mut self, rows: &[f32], plane: Plane, next: usize) -> Phase {
        let end = next.saturating_add(rows_a_step(self.hidden, 4)).min(self.count);
        for i in next..end {
            if !self.usable[i] {
                continue;
            }
            let mut place = [0.0; 2];
            for ((value, mean), axes) in
                row(rows, self.hidden, i).iter().zip(&self.mean).zip(&plane.vectors)
            {
                let value = f64::from(*value) - mean;
                place[0] += value * axes[0];
                place[1] += value * axes[1];
            }
            self.components.positions[2 * i] = place[0] as f32;
            self.components.positions[2 * i + 1] = place[1] as f32;
        }
        if end < self.count {
            return Phase::Places(plane, end);
        }
        for axis in 0..2 {
            let values = self.components.positions.iter().skip(axis).step_by(2);
            if values.map(|value| f64::from(*value).powi(3)).sum::<f64>() < 0.0 {
                let values = self.components.positions.iter_mut().skip(axis).step_by(2);
                values.for_each(|value| *value = -*value);
            }
        }
        Phase::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::moments::Moments;
    use crate::geometry::spectrum::axes;

    fn components(rows: &[f32], hidden: usize) -> Components {
        let mut pca = Pca::new(rows.len() / hidden.max(1), hidden);
        while !pca.step(rows) {}
        pca.into_components()
    }

    fn waves(count: usize, hidden: usize) -> Vec<f32> {
        let values = (0..count * hidden).map(|i| ((i * i % 1009) as f32 * 0.21).sin());
        values.enumerate().map(|(i, v)| v / (1 + i % hidden) as f32 + 0.7).collect()
    }

    /// Against the eigenvalues of nalgebra, of rows centred beforehand.
    #[test]
    fn positions_and_shares_equal_those_of_a_full_decomposition() {
        for (count, hidden) in [(40, 9), (9, 40), (700, 20), (5, 2), (3, 1), (300, 384)] {
            let rows = waves(count, hidden);
            let mut centred: Vec<f64> = rows.iter().map(|value| f64::from(*value)).collect();
            for column in 0..hidden {
                let values = centred.iter().skip(column).step_by(hidden);
                let mean = values.sum::<f64>() / count as f64;
                centred.iter_mut().skip(column).step_by(hidden).for_each(|value| *value -= mean);
            }
            let centred: Vec<f32> = centred.iter().map(|value| *value as f32).collect();
            let expected = axes(&centred, &Moments::of(&centred, hidden), 2).unwrap();
            let found = components(&rows, hidden);
            let whole: f64 = expected.singular_values.iter().map(|value| value * value).sum();
            for axis in 0..expected.kept {
                let share = expected.singular_values[axis].powi(2) / whole;
                let explained = f64::from(found.explained[axis]);
                assert!((explained - share).abs() < 1e-5, "{count} {hidden}: {explained} {share}");
                for i in 0..count {
                    let expected = expected.coordinates[i * expected.kept + axis];
                    let found = f64::from(found.positions[2 * i + axis]);
                    let difference = (found - expected).abs();
                    assert!(difference < 1e-4, "{count} {hidden} {i}: {found} {expected}");
                }
            }
        }
    }

    #[test]
    fn rows_that_are_no_numbers_do_not_disturb_the_others() {
        let (count, hidden) = (30, 6);
        let mut rows = waves(count, hidden);
        let expected = components(&rows, hidden);
        rows.extend([f32::NAN, 1.0, 2.0, 3.0, 4.0, 5.0]);
        rows.extend([f32::INFINITY; 6]);
        let found = components(&rows, hidden);
        assert_eq!(found.positions[..2 * count], expected.positions);
        assert_eq!(found.positions[2 * count..], [0.0; 4]);
        assert_eq!(found.explained, expected.explained);
    }

    #[test]
    fn little_has_components_too() {
        assert_eq!(components(&[], 0).positions, Vec::<f32>::new());
        assert_eq!(
            components(&[0.6, 0.8], 2),
            Components { positions: vec![0.0; 2], explained: [0.0; 2] }
        );
        assert_eq!(components(&[1.0; 12], 3).explained, [0.0; 2]);
        let line = components(&[0.0, 0.0, 3.0, 4.0], 2);
        assert!((line.explained[0] - 1.0).abs() < 1e-6 && line.explained[1].abs() < 1e-6);
        assert!((line.positions[0].abs() - 2.5).abs() < 1e-5 && line.positions[1].abs() < 1e-5);
    }
}
