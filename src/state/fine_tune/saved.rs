//! What of the fine-tune view survives a reload.

use serde::{Deserialize, Serialize};

use crate::protocol::recipe::Recipe;
use crate::state::fine_tune::draft::Draft;
use crate::state::fine_tune::field::Field;
use crate::state::fine_tune::material::{Material, ProbeChoice};
use crate::state::fine_tune::run::Keep;
use crate::state::fine_tune::{FineTune, Source};

/// The browser keeps about five million characters for a site; a longer text is not kept, so that
/// everything else still is.
pub const MOST_SAVED_BYTES: usize = 2_000_000;

/// What is kept. It is a text of its own inside what the page saves, so that a recipe of another
/// version costs no more than itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
struct SavedFineTune {
    /// `None`: the bundled collection.
    text: Option<String>,
    name: Option<String>,
    recipe: Option<Recipe>,
    fixed: Vec<Field>,
    pins: Option<Vec<(String, String)>>,
    probe: Option<ProbeChoice>,
    own_scores: bool,
    use_live: bool,
    kept: Option<Keep>,
}

/// Whether the text is short enough to be kept.
pub fn is_saved(fine_tune: &FineTune) -> bool {
    fine_tune.source.text.len() <= MOST_SAVED_BYTES
}

/// As text.
pub fn to_json(fine_tune: &FineTune) -> String {
    let own = !fine_tune.is_bundled() && is_saved(fine_tune);
    let saved = SavedFineTune {
        text: own.then(|| fine_tune.source.text.clone()),
        name: fine_tune.source.name.clone().filter(|_| own),
        recipe: Some(fine_tune.draft.recipe.clone()),
        fixed: fine_tune.draft.fixed.iter().copied().collect(),
        pins: Some(fine_tune.pins.clone()),
        probe: fine_tune.probe,
        own_scores: fine_tune.own_scores,
        use_live: fine_tune.use_live,
        kept: fine_tune.kept.clone(),
    };
    // Serialising strings and numbers cannot fail; if it did, nothing would be kept.
    serde_json::to_string(&saved).unwrap_or_default()
}

/// The view as it was left; as at a first visit where the text is not ours.
pub fn from_json(text: &str) -> FineTune {
    let mut fine_tune = FineTune::default();
    let Ok(saved) = serde_json::from_str::<SavedFineTune>(text) else { return fine_tune };
    if let Some(text) = saved.text {
        fine_tune.source = Source { text, name: saved.name };
        let name = fine_tune.source.name.as_deref();
        // A table that could not be read was never taken.
        fine_tune.material = Material::read(&fine_tune.source.text, name).unwrap_or_default();
    }
    let examples = fine_tune.material.examples.len();
    fine_tune.draft = match saved.recipe {
        Some(recipe) => Draft::restored(recipe, saved.fixed.into_iter().collect(), examples),
        None => Draft::for_amount(examples),
    };
    fine_tune.pins = saved.pins.unwrap_or(fine_tune.pins);
    fine_tune.probe = saved.probe;
    fine_tune.own_scores = saved.own_scores;
    fine_tune.use_live = saved.use_live;
    fine_tune.kept = saved.kept.filter(|kept| !kept.sha256.is_empty());
    fine_tune
}
