//! What is given with sentences: which mean the same, and how alike people found them.

use crate::geometry::alignment::alignment;
use crate::math::ranks::spearman;
use crate::math::rows::{dot, row};
use crate::protocol::lab::Scored;
use crate::protocol::problem::Problem;

/// Pairs of sentences, by their positions.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Given {
    /// They mean the same.
    pub positives: Vec<(u32, u32)>,
    pub scored: Vec<Scored>,
}

impl Given {
    /// Whether all is about the `count` sentences that there are.
    ///
    /// # Errors
    /// [`Problem::Internal`] where a pair names a sentence that is not there, or a score is not
    /// finite.
    pub fn check(&self, count: usize) -> Result<(), Problem> {
        let scored = self.scored.iter().map(|pair| (pair.first, pair.second));
        let pairs = self.positives.iter().copied().chain(scored);
        let named = pairs.map(|(first, second)| first.max(second)).max();
        let detail = if let Some(position) = named.filter(|named| *named as usize >= count) {
            format!("a pair names sentence {position} of {count}")
        } else if !self.scored.iter().all(|pair| pair.gold.is_finite()) {
            "a gold score is not a finite number".to_owned()
        } else {
            return Ok(());
        };
        Err(Problem::Internal { detail })
    }

    /// Alignment of the unit rows `[n, width]`.
    pub fn alignment(&self, rows: &[f32], width: usize) -> Option<f64> {
        let at = |position: u32| row(rows, width, position as usize);
        alignment(self.positives.iter().map(|(first, second)| (at(*first), at(*second))))
    }

    /// Cosine of each scored pair of the unit rows `[n, width]`.
    pub fn cosines(&self, rows: &[f32], width: usize) -> Vec<f32> {
        let at = |position: u32| row(rows, width, position as usize);
        self.scored.iter().map(|pair| dot(at(pair.first), at(pair.second))).collect()
    }

    /// The gold score of each scored pair.
    pub fn gold(&self) -> Vec<f32> {
        self.scored.iter().map(|pair| pair.gold).collect()
    }

    /// Rank correlation of the scored pairs' cosines with their gold scores. `None` where one of
    /// them is the same for all, or there are fewer than two pairs.
    pub fn spearman(&self, rows: &[f32], width: usize) -> Option<f64> {
        spearman(&self.cosines(rows, width), &self.gold())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given() -> Given {
        let scored = |first, second, gold| Scored { first, second, gold };
        let scored = vec![scored(0, 1, 1.0), scored(0, 2, 4.0), scored(2, 2, 5.0)];
        Given { positives: vec![(0, 2), (1, 1)], scored }
    }

    #[test]
    fn pairs_are_measured_by_their_positions() {
        let rows = [1.0, 0.0, 0.0, 1.0, 0.6, 0.8];
        let given = given();
        assert!((given.alignment(&rows, 2).unwrap() - 0.4).abs() < 1e-6);
        assert_eq!((given.cosines(&rows, 2), given.gold()), (vec![0., 0.6, 1.], vec![1., 4., 5.]));
        assert_eq!(given.spearman(&rows, 2), Some(1.0));
        assert_eq!(Given::default().spearman(&rows, 2), None);
        assert_eq!(Given::default().alignment(&rows, 2), None);
    }

    #[test]
    fn what_is_not_there_is_named() {
        assert_eq!(given().check(3), Ok(()));
        let detail = |given: &Given, count| match given.check(count) {
            Err(Problem::Internal { detail }) => detail,
            other => panic!("{other:?}"),
        };
        assert_eq!(detail(&given(), 2), "a pair names sentence 2 of 2");
        let mut odd = given();
        odd.scored[1].gold = f32::NAN;
        assert_eq!(detail(&odd, 3), "a gold score is not a finite number");
    }
}
