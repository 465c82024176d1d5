//! The cosines of scored pairs, a band of gold scores each.

use crate::geometry::histogram::Histogram;
use crate::protocol::lab::Band;
use crate::protocol::training::Shape;

/// Bands of a gold scale.
const BANDS: u8 = 5;

/// The ends of a gold scale: 0 and 1 where no score lies above 1, else 0 and 5, as STS has it. Scores
/// beyond an end move it.
fn scale(gold: &[f32]) -> (f32, f32) {
    let top = if gold.iter().all(|score| *score <= 1.0) { 1.0 } else { 5.0 };
    let low = gold.iter().fold(0.0_f32, |low, score| low.min(*score));
    (low, gold.iter().fold(top, |high, score| high.max(*score)))
}

/// Cosines and gold scores, of one pair each, as five bands of equal width over the gold scale, from
/// low to high: the cosine density of SimCSE (arXiv 2104.08821), Fig. G.1. Without pairs none.
pub fn bands(cosines: &[f32], gold: &[f32]) -> Vec<Band> {
    if cosines.is_empty() || gold.is_empty() {
        return Vec::new();
    }
    let (low, high) = scale(gold);
    let border = |number: u8| match number {
        BANDS => high,
        number => low + (high - low) * f32::from(number) / f32::from(BANDS),
    };
    let within = |number: u8| {
        let (from, to) = (border(number), border(number + 1));
        let is_last = number + 1 == BANDS;
        let inside = move |score: f32| score >= from && (score < to || is_last);
        let mut histogram = Histogram::new(Shape::BINS);
        let mut sum = 0.0;
        for (cosine, _) in cosines.iter().zip(gold).filter(|(_, score)| inside(**score)) {
            histogram.add(*cosine);
            sum += f64::from(*cosine);
        }
        let pairs = histogram.total();
        Band {
            from,
            to,
            pairs: u32::try_from(pairs).unwrap_or(u32::MAX),
            mean_cosine: if pairs > 0 { sum / pairs as f64 } else { 0.0 },
            histogram: histogram.shares(),
        }
    };
    (0..BANDS).map(within).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(bands: &[Band]) -> Vec<(f32, f32, u32)> {
        bands.iter().map(|band| (band.from, band.to, band.pairs)).collect()
    }

    fn pairs(bands: &[Band]) -> Vec<u32> {
        bands.iter().map(|band| band.pairs).collect()
    }

    #[test]
    fn borders_belong_to_the_upper_band_and_the_last_one_holds_both() {
        let gold = [0.0, 0.99, 1.0, 1.5, 4.0, 5.0, 3.0];
        let cosines = [0.0, 0.2, 0.4, 0.6, 0.71, 0.91, 0.5];
        let found = bands(&cosines, &gold);
        let expected = [(0.0, 1.0, 2), (1.0, 2.0, 2), (2.0, 3.0, 0), (3.0, 4.0, 1), (4.0, 5.0, 2)];
        assert_eq!(ends(&found), expected);
        let means = found.iter().map(|band| (band.mean_cosine * 1e6).round() / 1e6);
        assert_eq!(means.collect::<Vec<_>>(), [0.1, 0.5, 0.0, 0.5, 0.81]);
        for band in &found {
            assert_eq!(band.histogram.len(), Shape::BINS);
            let whole: f32 = band.histogram.iter().sum();
            assert!((whole - if band.pairs > 0 { 1.0 } else { 0.0 }).abs() < 1e-6);
        }
        // 0.71 and 0.91 are in the parts that begin at 0.7 and at 0.9.
        assert_eq!([found[4].histogram[68], found[4].histogram[76]], [0.5, 0.5]);
    }

    #[test]
    fn shares_have_a_scale_of_their_own_and_others_one_that_holds_them() {
        let found = bands(&[0.5; 4], &[0.2, 0.19, 0.6, 1.0]);
        assert_eq!(pairs(&found), [1, 1, 0, 1, 1]);
        assert_eq!((found[1].from, found[3].from, found[4].to), (0.2, 0.6, 1.0));
        let found = bands(&[0.5; 3], &[-5.0, 20.0, 19.0]);
        assert_eq!((found[0].from, found[1].from, found[4].to), (-5.0, 0.0, 20.0));
        assert_eq!(pairs(&found), [1, 0, 0, 0, 2]);
        assert!(bands(&[], &[]).is_empty());
    }

    proptest::proptest! {
        #[test]
        fn every_pair_is_in_one_band(
            pairs in proptest::collection::vec((-1.0_f32..1.0, -9.0_f32..9.0), 1..60),
        ) {
            let (cosines, gold): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            let found = bands(&cosines, &gold);
            let counted: u32 = found.iter().map(|band| band.pairs).sum();
            proptest::prop_assert_eq!(counted as usize, gold.len());
            proptest::prop_assert!(found.windows(2).all(|pair| pair[0].to == pair[1].from));
        }
    }
}
