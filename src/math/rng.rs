//! A small seeded generator: equal seeds give equal numbers, bit by bit, on every machine.
//!
//! SplitMix64 (Steele, Lea & Flood, OOPSLA 2014; constants of Vigna's `splitmix64.c`): a counter
//! through a mixing function. Good enough for shuffling and initial weights, and nothing for
//! secrets. Only the four basic operations and the square root are used, which IEEE 754 fixes to
//! the last bit; the platform's `ln` and `cos` it does not.

use crate::math::elementary::ln;

/// Added at each draw: 2^64 divided by the golden ratio, odd.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A seeded generator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rng {
    state: u64,
}

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A generator of its own for each list of numbers: of seed, step and position, say.
    pub fn of(numbers: &[u64]) -> Self {
        Self::new(seed_of(numbers))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(STEP);
        mix(self.state)
    }

    /// From 0 to below 1, in steps of 2^-53.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// From 0 to below `end`, every number as likely as any other (Lemire, arXiv 1805.10941);
    /// 0 where `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        let end = end as u64;
        loop {
            let product = u128::from(self.bits()) * u128::from(end);
            let low = product as u64;
            // Of the 2^64 bits' values, (2^64 mod end) would favour some numbers.
            if low >= end || low >= end.wrapping_neg() % end.max(1) {
                return (product >> 64) as usize;
            }
        }
    }

    /// From the normal distribution of mean 0 and variance 1 (Marsaglia's polar method).
    pub fn normal(&mut self) -> f64 {
        loop {
            let x = 2.0 * self.uniform() - 1.0;
            let y = 2.0 * self.uniform() - 1.0;
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                return x * (-2.0 * ln(square) / square).sqrt();
            }
        }
    }

    /// Every order is equally likely (Fisher and Yates, as Durstenfeld wrote it).
    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        for last in (1..values.len()).rev() {
            values.swap(last, self.below(last + 1));
        }
    }

    /// One of the values; `None` of nothing.
    pub fn choice<'a, T>(&mut self, values: &'a [T]) -> Option<&'a T> {
        values.get(self.below(values.len()))
    }
}

/// One seed of several numbers; their order counts.
pub fn seed_of(numbers: &[u64]) -> u64 {
    numbers.iter().fold(STEP, |seed, number| mix(seed.wrapping_add(STEP) ^ mix(*number)))
}

fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers of Vigna's `splitmix64.c` for the seed 1234567.
    #[test]
    fn the_bits_are_those_of_the_reference() {
        let mut rng = Rng::new(1_234_567);
        let found = [rng.bits(), rng.bits(), rng.bits()];
        let expected =
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(found, expected);
    }

    #[test]
    fn seeds_of_lists_depend_on_every_number_and_their_order() {
        let lists: [&[u64]; 6] = [&[], &[0], &[0, 0], &[1, 2], &[2, 1], &[1, 3]];
        let mut seeds: Vec<u64> = lists.iter().map(|list| seed_of(list)).collect();
        assert_eq!(Rng::of(&[1, 2]).bits(), Rng::new(seeds[3]).bits());
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), lists.len());
    }

    #[test]
    fn uniform_numbers_and_choices_are_even() {
        let mut rng = Rng::new(7);
        let mut counts = [0_u32; 6];
        let mut sum = 0.0;
        for _ in 0..60_000 {
            let value = rng.uniform();
            assert!((0.0..1.0).contains(&value));
            sum += value;
            counts[*rng.choice(&[0, 1, 2, 3, 4, 5]).unwrap()] += 1;
        }
        assert!((sum / 60_000.0 - 0.5).abs() < 0.005);
        assert!(counts.iter().all(|count| count.abs_diff(10_000) < 400), "{counts:?}");
        assert_eq!(rng.below(0), 0);
        assert_eq!(rng.below(1), 0);
        assert_eq!(rng.choice::<u8>(&[]), None);
    }

    #[test]
    fn normal_numbers_have_their_moments() {
        let mut rng = Rng::new(8);
        let values: Vec<f64> = (0..40_000).map(|_| rng.normal()).collect();
        let moment =
            |power: i32| values.iter().map(|value| value.powi(power)).sum::<f64>() / 40_000.0;
        assert!(moment(1).abs() < 0.02 && (moment(2) - 1.0).abs() < 0.03);
        assert!(moment(3).abs() < 0.06 && (moment(4) - 3.0).abs() < 0.2);
    }

    #[test]
    fn a_shuffle_keeps_every_value_and_reaches_every_order() {
        let mut rng = Rng::new(9);
        let mut orders = std::collections::BTreeMap::new();
        for _ in 0..6_000 {
            let mut values = [1, 2, 3];
            rng.shuffle(&mut values);
            *orders.entry(values).or_insert(0_u32) += 1;
        }
        assert_eq!(orders.len(), 6);
        assert!(orders.values().all(|count| count.abs_diff(1_000) < 150), "{orders:?}");
    }
}
