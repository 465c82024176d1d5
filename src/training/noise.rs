//! Dropout masks that need no memory: whether a number is dropped is a hash of its place, so that
//! the backward pass draws the very mask of the forward pass again.
//!
//! The hash is a 32-bit mixer of the multiply-xorshift kind (the idea is Ellis's and Wellons's
//! "hash prospector"); with it, neighbouring places are as good as independent.

use crate::training::learner::Noise;

/// Where in the network a mask belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Site {
    /// After the embedding layer's norm.
    Embedding,
    /// On attention's probabilities.
    Probabilities { layer: usize },
    /// After attention's output matrix, before the residual.
    Attention { layer: usize },
    /// After the feed-forward's second matrix, before the residual.
    FeedForward { layer: usize },
}

/// Dropout at one site of one forward pass.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mask {
    key: u32,
    threshold: u32,
    /// `1 / (1 - p)`; 1 where nothing is dropped.
    scale: f32,
}

impl Mask {
    /// Nothing is dropped.
    pub const NONE: Self = Self { key: 0, threshold: 0, scale: 1.0 };

    /// The mask of a site.
    pub fn new(noise: Option<Noise>, site: Site) -> Self {
        let Some(Noise { dropout, seed }) = noise.filter(|noise| noise.dropout > 0.0) else {
            return Self::NONE;
        };
        let site = match site {
            Site::Embedding => 0,
            Site::Probabilities { layer } => 1 + 3 * layer,
            Site::Attention { layer } => 2 + 3 * layer,
            Site::FeedForward { layer } => 3 + 3 * layer,
        };
        let low = mix(seed as u32 ^ 0x9E37_79B9);
        let high = mix((seed >> 32) as u32 ^ low);
        let key = mix(high ^ (site as u32).wrapping_mul(0x85EB_CA6B));
        // A share of 2^32 hashes; p is at most .9, so this fits.
        let threshold = (f64::from(dropout) * 4_294_967_296.0) as u32;
        Self { key, threshold, scale: 1.0 / (1.0 - dropout) }
    }

    /// Whether nothing is dropped.
    pub fn is_none(self) -> bool {
        self.threshold == 0
    }

    /// Factor of the number at that place: 0 or `1 / (1 - p)`.
    #[inline(always)]
    pub fn factor(self, place: u32) -> f32 {
        let kept = mix(place.wrapping_mul(0x9E37_79B1) ^ self.key) >= self.threshold;
        // A select, not a branch: loops over it become SIMD.
        if kept { self.scale } else { 0.0 }
    }
}

/// A number from -1 to 1, the `place`-th of the stream `stream` of `seed`: for weights' first values.
pub fn uniform(seed: u64, stream: u32, place: u32) -> f32 {
    let low = mix(seed as u32 ^ 0x2545_F491);
    let key = mix(mix((seed >> 32) as u32 ^ low) ^ stream.wrapping_mul(0x85EB_CA6B));
    let bits = mix(place.wrapping_mul(0x9E37_79B1) ^ key) >> 8;
    bits as f32 / 8_388_608.0 - 1.0
}

/// A bijection of `u32` in which every input bit moves every output bit.
#[inline(always)]
fn mix(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x7FEB_352D);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846C_A68B);
    x ^ (x >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(dropout: f32, seed: u64, site: Site) -> Mask {
        Mask::new(Some(Noise { dropout, seed }), site)
    }

    #[test]
    fn the_share_that_is_dropped_is_p_and_the_mean_stays() {
        for dropout in [0.01, 0.1, 0.5, 0.9] {
            let mask = mask(dropout, 7, Site::Attention { layer: 3 });
            let count = 400_000_u32;
            let factors: Vec<f32> = (0..count).map(|place| mask.factor(place)).collect();
            let dropped = factors.iter().filter(|factor| **factor == 0.0).count();
            let share = dropped as f64 / f64::from(count);
            let error = (f64::from(dropout) * f64::from(1.0 - dropout) / f64::from(count)).sqrt();
            assert!((share - f64::from(dropout)).abs() < 4.0 * error, "{dropout}: {share}");
            let mean = factors.iter().map(|factor| f64::from(*factor)).sum::<f64>();
            let mean = mean / f64::from(count);
            assert!((mean - 1.0).abs() < 5.0 * error / f64::from(1.0 - dropout), "{mean}");
        }
    }

    #[test]
    fn sites_seeds_and_neighbours_are_independent() {
        let first = mask(0.5, 1, Site::Probabilities { layer: 0 });
        let agreement = |other: &dyn Fn(u32) -> f32| {
            let same = (0..100_000).filter(|place| first.factor(*place) == other(*place)).count();
            same as f64 / 1e5
        };
        let seed = mask(0.5, 2, Site::Probabilities { layer: 0 });
        let far_seed = mask(0.5, 1 | 1 << 40, Site::Probabilities { layer: 0 });
        let site = mask(0.5, 1, Site::Attention { layer: 0 });
        let layer = mask(0.5, 1, Site::Probabilities { layer: 1 });
        for other in [seed, far_seed, site, layer] {
            assert!((agreement(&|place| other.factor(place)) - 0.5).abs() < 0.01);
        }
        for step in [1, 32, 384, 4608] {
            assert!((agreement(&|place| first.factor(place + step)) - 0.5).abs() < 0.01);
        }
    }

    #[test]
    fn first_values_fill_their_range_evenly() {
        let numbers: Vec<f32> = (0..100_000).map(|place| uniform(3, 4, place)).collect();
        let mean = numbers.iter().sum::<f32>() / 1e5;
        let square = numbers.iter().map(|x| x * x).sum::<f32>() / 1e5;
        assert!(mean.abs() < 0.01 && (square - 1.0 / 3.0).abs() < 0.01);
        assert!(numbers.iter().all(|x| (-1.0..1.0).contains(x)));
        assert!((0..100).any(|place| uniform(3, 4, place) != uniform(3, 5, place)));
    }

    #[test]
    fn without_noise_nothing_is_dropped() {
        for mask in [Mask::new(None, Site::Embedding), mask(0.0, 9, Site::Embedding)] {
            assert!(mask.is_none() && (0..1000).all(|place| mask.factor(place) == 1.0));
        }
    }
}
