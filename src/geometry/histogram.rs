//! How cosines are spread.

/// A histogram of cosines that grows: equal parts of -1 to 1. A part contains its lower end; the
/// last one both.
///
/// The cosine density of SimCSE (arXiv 2104.08821), Fig. G.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    /// An empty one of that many parts.
    pub fn new(bins: usize) -> Self {
        Self { counts: vec![0; bins], total: 0 }
    }

    /// Counts a cosine. Rounding may have left it slightly outside.
    pub fn add(&mut self, cosine: f32) {
        let bins = self.counts.len();
        if let Some(count) = self.counts.get_mut(bin(cosine, bins)) {
            *count += 1;
        }
        self.total += 1;
    }

    /// Cosines counted.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Share of the cosines in each part: `[bins]`, which add up to 1; zeros where there are none.
    pub fn shares(&self) -> Vec<f32> {
        let total = self.total.max(1) as f64;
        self.counts.iter().map(|count| (*count as f64 / total) as f32).collect()
    }
}

/// The part of -1 to 1 that a cosine is in.
fn bin(cosine: f32, bins: usize) -> usize {
    // The cast cuts: below 0 and what is no number become the first part.
    let place = (f64::from(cosine) + 1.0) / 2.0 * bins as f64;
    (place as usize).min(bins.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_and_roundings_find_their_part() {
        let found = [-1.1, -1.0, -0.51, -0.5, 0.0, 0.499, 1.0, 1.001, f32::NAN];
        assert_eq!(found.map(|cosine| bin(cosine, 4)), [0, 0, 0, 1, 2, 2, 3, 3, 0]);
        assert_eq!(bin(0.5, 0), 0);
    }

    #[test]
    fn shares_of_known_cosines() {
        let mut histogram = Histogram::new(4);
        assert_eq!((histogram.shares(), histogram.total()), (vec![0.0; 4], 0));
        [0.0, -1.0, 0.0].into_iter().for_each(|cosine| histogram.add(cosine));
        assert_eq!(histogram.shares(), [1.0 / 3.0, 0.0, 2.0 / 3.0, 0.0]);
        assert_eq!(histogram.total(), 3);
        let mut none = Histogram::new(0);
        none.add(0.3);
        assert!(none.shares().is_empty());
    }
}
