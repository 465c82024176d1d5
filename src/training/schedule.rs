//! The learning rate of each step.

use crate::protocol::recipe::{Decay, Recipe};

/// The learning rate of a step, counted from 1.
///
/// It rises in equal parts over the recipe's share of warm-up steps, is at its highest in the step
/// after them, and falls so that it would be 0 one step after the last (as
/// `get_linear_schedule_with_warmup` and `get_cosine_schedule_with_warmup` of
/// huggingface/transformers let it, but for the first step, which they would waste on a rate of 0).
pub fn learning_rate(recipe: &Recipe, step: u32) -> f32 {
    let steps = f64::from(recipe.steps);
    let warm_up = (f64::from(recipe.warm_up) * steps).round();
    let done = f64::from(step.saturating_sub(1));
    let share = if done < warm_up {
        (done + 1.0) / (warm_up + 1.0)
    } else {
        let left = (steps - done) / (steps - warm_up).max(1.0);
        match recipe.decay {
            Decay::Constant => 1.0,
            Decay::Linear => left,
            Decay::Cosine => 0.5 * (1.0 - (std::f64::consts::PI * left).cos()),
        }
    };
    (f64::from(recipe.learning_rate) * share.clamp(0.0, 1.0)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(decay: Decay, warm_up: f32, steps: u32) -> Vec<f32> {
        let recipe = Recipe { decay, warm_up, steps, learning_rate: 8.0, ..Recipe::default() };
        (1..=steps).map(|step| learning_rate(&recipe, step)).collect()
    }

    #[test]
    fn rates_rise_and_fall_as_the_recipe_says() {
        assert_eq!(rates(Decay::Linear, 0.0, 4), [8.0, 6.0, 4.0, 2.0]);
        assert_eq!(rates(Decay::Constant, 0.0, 3), [8.0; 3]);
        assert_eq!(rates(Decay::Linear, 0.375, 8), [2.0, 4.0, 6.0, 8.0, 6.4, 4.8, 3.2, 1.6]);
        assert_eq!(rates(Decay::Constant, 0.25, 4), [4.0, 8.0, 8.0, 8.0]);
        let cosine = rates(Decay::Cosine, 0.0, 4);
        assert_eq!((cosine[0], cosine[2]), (8.0, 4.0));
        assert!(cosine.is_sorted_by(|earlier, later| earlier > later));
    }

    #[test]
    fn warm_up_alone_is_not_cut_and_single_steps_have_a_rate() {
        assert_eq!(rates(Decay::Linear, 1.0, 3), [2.0, 4.0, 6.0]);
        assert_eq!(rates(Decay::Cosine, 0.0, 1), [8.0]);
    }
}
