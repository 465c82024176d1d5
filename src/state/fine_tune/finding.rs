//! What the measurements say of a fine-tune that goes wrong.

use crate::protocol::recipe::{Augmentation, Recipe};
use crate::protocol::training::{Measures, Shape};

/// What went wrong with the geometry.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Finding {
    /// All vectors point the same way.
    Cone { mean_cosine: f64, uniformity: f64 },
    /// The vectors lie in so few directions.
    FewDirections { rank: f64 },
    /// Sentences that mean the same are about as far apart as any two: squared distances.
    Torn { alignment: f64, random: f64 },
    /// The held-out pairs are ranked worse than before: Spearman's correlations.
    Worse { spearman: f64, start: f64 },
}

/// What most likely caused it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    SameMask,
    NoDropout,
    FewSentences,
    Temperature,
    LearningRate,
    Unknown,
}

/// Mean cosine beyond which a cone has closed.
const CLOSED_COSINE: f64 = 0.95;
/// Uniformity above which it has; all vectors equal is 0.
const CLOSED_UNIFORMITY: f64 = -0.1;
/// Directions below which the space is given up.
const FEWEST_DIRECTIONS: f64 = 2.0;
/// Share of random pairs' squared distance beyond which pairs that mean the same have come apart. It
/// is about a fifth before and after a good fine-tune: alignment alone grows with every spread.
const TORN_SHARE: f64 = 0.5;
/// A fall of Spearman's correlation that is no accident of a few dozen pairs.
const WORSE_BY: f64 = 0.03;

/// Directions that the vectors use: the exponential of the entropy of the squared singular values'
/// shares (Roy & Vetterli 2007). `None` without any.
pub fn effective_rank(shape: &Shape) -> Option<f64> {
    let squares = shape.spectrum.iter().map(|value| f64::from(*value).powi(2));
    let sum: f64 = squares.clone().sum();
    let entropy: f64 =
        squares.map(|square| square / sum).filter(|p| *p > 0.0).map(|p| -p * p.ln()).sum();
    (sum > 0.0).then(|| entropy.exp())
}

/// What is wrong now, if anything is.
pub fn finding(start: &Measures, now: &Measures) -> Option<Finding> {
    let Shape { mean_cosine, uniformity, .. } = now.shape;
    if mean_cosine > CLOSED_COSINE || uniformity > CLOSED_UNIFORMITY {
        return Some(Finding::Cone { mean_cosine, uniformity });
    }
    if let Some(rank) = effective_rank(&now.shape).filter(|rank| *rank < FEWEST_DIRECTIONS) {
        return Some(Finding::FewDirections { rank });
    }
    // Unit vectors: the mean squared distance of random pairs follows from their mean cosine.
    let random = 2.0 - 2.0 * mean_cosine;
    if let Some(alignment) = now.alignment.filter(|alignment| *alignment > TORN_SHARE * random) {
        return Some(Finding::Torn { alignment, random });
    }
    let (start, spearman) = (start.spearman?, now.spearman?);
    (spearman < start - WORSE_BY).then_some(Finding::Worse { spearman, start })
}

/// What most likely caused it.
pub fn cause(recipe: &Recipe, examples: usize) -> Cause {
    let no_noise = recipe.dropout == 0.0 && recipe.augmentation == Augmentation::Dropout;
    let causes = [
        (recipe.augmentation == Augmentation::SameMask, Cause::SameMask),
        (no_noise, Cause::NoDropout),
        (recipe.learning_rate > 2e-3, Cause::LearningRate),
        (!(0.01..=0.5).contains(&recipe.temperature), Cause::Temperature),
        (examples < 64, Cause::FewSentences),
    ];
    causes.into_iter().find(|(holds, _)| *holds).map_or(Cause::Unknown, |(_, cause)| cause)
}

#[cfg(test)]
mod tests {
    use super::{Cause, Finding, cause, effective_rank, finding};
    use crate::protocol::recipe::Recipe;
    use crate::protocol::training::{Measures, Shape};

    fn measures(mean_cosine: f64, uniformity: f64, alignment: f64, spectrum: Vec<f32>) -> Measures {
        let shape = Shape { mean_cosine, uniformity, spectrum, ..Shape::default() };
        Measures { shape, alignment: Some(alignment), ..Measures::default() }
    }

    #[test]
    fn each_way_of_collapsing_is_told_from_a_good_run() {
        let start = measures(0.55, -1.75, 0.1, vec![1.0, 0.3, 0.3, 0.3]);
        let good = measures(0.36, -2.5, 0.16, vec![1.0, 0.8, 0.8, 0.7]);
        assert_eq!(finding(&start, &good), None);
        let cone = measures(0.99, -0.02, 0.0, vec![1.0, 0.0]);
        assert!(matches!(finding(&start, &cone), Some(Finding::Cone { .. })));
        let line = measures(0.0, -0.9, 0.1, vec![1.0, 0.1]);
        assert!(matches!(finding(&start, &line), Some(Finding::FewDirections { .. })));
        let torn = measures(0.05, -3.4, 1.2, vec![1.0, 0.9, 0.9]);
        assert!(matches!(finding(&start, &torn), Some(Finding::Torn { .. })));
        let scored = |measures: &Measures, spearman| Measures {
            spearman: Some(spearman),
            ..measures.clone()
        };
        let worse = finding(&scored(&start, 0.83), &scored(&good, 0.66));
        assert_eq!(worse, Some(Finding::Worse { spearman: 0.66, start: 0.83 }));
        assert_eq!(finding(&scored(&start, 0.83), &scored(&good, 0.82)), None);
    }

    #[test]
    fn equal_singular_values_are_as_many_directions() {
        let shape = Shape { spectrum: vec![1.0; 8], ..Shape::default() };
        assert!((effective_rank(&shape).unwrap() - 8.0).abs() < 1e-9);
        assert_eq!(effective_rank(&Shape::default()), None);
    }

    #[test]
    fn the_likely_cause_is_named() {
        assert_eq!(cause(&Recipe::default(), 400), Cause::Unknown);
        assert_eq!(cause(&Recipe::default(), 20), Cause::FewSentences);
        assert_eq!(cause(&Recipe { dropout: 0.0, ..Recipe::default() }, 400), Cause::NoDropout);
        assert_eq!(
            cause(&Recipe { temperature: 5.0, ..Recipe::default() }, 400),
            Cause::Temperature
        );
    }
}
