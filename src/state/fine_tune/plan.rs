//! What is asked of the trainer.

use crate::protocol::recipe::Recipe;
use crate::protocol::training::{Plan, Probe};
use crate::state::fine_tune::FineTune;
use crate::state::fine_tune::material::Kind;

/// The pairs that can be followed: those with two sentences.
pub(super) fn whole_pins(pins: &[(String, String)]) -> Vec<(String, String)> {
    let trimmed = pins.iter().map(|(a, b)| (a.trim().to_owned(), b.trim().to_owned()));
    trimmed.filter(|(first, second)| !first.is_empty() && !second.is_empty()).collect()
}

/// The plan with that recipe.
pub(super) fn plan(fine_tune: &FineTune, recipe: Recipe) -> Plan {
    let material = &fine_tune.material;
    let probe = Probe {
        sentences: material.probe(fine_tune.probe()),
        scored: material.held_out(uses_own_scores(fine_tune)),
        pinned: whole_pins(&fine_tune.pins),
    };
    Plan { recipe, examples: material.examples.clone(), probe }
}

/// Whether the held-out pairs are the visitor's.
pub(super) fn uses_own_scores(fine_tune: &FineTune) -> bool {
    fine_tune.own_scores && fine_tune.material.kind == Kind::ScoredPairs
}
