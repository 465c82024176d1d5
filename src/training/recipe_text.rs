//! A recipe as TOML, for the reader of an adapter and for `simcse train`.

use std::fmt::Write as _;

use serde::Serialize;

use crate::protocol::recipe::{Augmentation, Recipe, Trained};

/// One line a setting, in the order of [`Recipe`]'s fields.
pub fn to_toml(recipe: &Recipe) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name} = {value}");
    };
    line("readout", value(&recipe.readout));
    line("augmentation", augmentation(recipe.augmentation));
    line("trained", trained(recipe.trained));
    line("temperature", value(&recipe.temperature));
    line("hard_negative_weight", value(&recipe.hard_negative_weight));
    line("dropout", value(&recipe.dropout));
    line("learning_rate", value(&recipe.learning_rate));
    line("warm_up", value(&recipe.warm_up));
    line("decay", value(&recipe.decay));
    line("weight_decay", value(&recipe.weight_decay));
    line("gradient_clip", value(&recipe.gradient_clip));
    line("batch", value(&recipe.batch));
    line("micro_batch", value(&recipe.micro_batch));
    line("max_tokens", value(&recipe.max_tokens));
    line("steps", value(&recipe.steps));
    line("measure_every", value(&recipe.measure_every));
    line("seed", value(&recipe.seed));
    text
}

/// Numbers and names are written in JSON as they are in TOML.
fn value(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn augmentation(augmentation: Augmentation) -> String {
    match augmentation {
        Augmentation::Crop { share } => format!("{{ crop = {{ share = {} }} }}", value(&share)),
        Augmentation::DeleteWords { share } => {
            format!("{{ delete-words = {{ share = {} }} }}", value(&share))
        }
        Augmentation::Dropout | Augmentation::SameMask | Augmentation::DeleteOneWord => {
            value(&augmentation)
        }
    }
}

fn trained(trained: Trained) -> String {
    match trained {
        Trained::Lora { rank, alpha, linears, last_layers } => {
            let (alpha, linears) = (value(&alpha), value(&linears));
            let last = last_layers.map_or_else(String::new, |it| format!(", last_layers = {it}"));
            format!("{{ lora = {{ rank = {rank}, alpha = {alpha}, linears = {linears}{last} }} }}")
        }
        Trained::LastLayers { count } => format!("{{ last-layers = {{ count = {count} }} }}"),
        Trained::Everything => value(&trained),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::recipe::{Decay, Linears, TrainedReadout};

    #[test]
    fn a_recipe_can_be_read_back() {
        let lora = |last_layers| Trained::Lora {
            rank: 4,
            alpha: 0.5,
            linears: Linears::FeedForward,
            last_layers,
        };
        let kinds = [
            (Augmentation::Dropout, Trained::Everything),
            (Augmentation::Crop { share: 0.2 }, lora(None)),
            (Augmentation::DeleteWords { share: 0.05 }, lora(Some(2))),
            (Augmentation::SameMask, Trained::LastLayers { count: 3 }),
        ];
        for (augmentation, trained) in kinds {
            let recipe = Recipe {
                augmentation,
                trained,
                readout: TrainedReadout::ClsMlpWhileTraining,
                decay: Decay::Cosine,
                learning_rate: 3e-5,
                weight_decay: 0.01,
                micro_batch: 8,
                ..Recipe::default()
            };
            let text = to_toml(&recipe);
            assert_eq!(toml::from_str::<Recipe>(&text).unwrap(), recipe, "{text}");
        }
    }
}
