//! The recipe's fields as the visitor edits them: text in, text out.

use serde::{Deserialize, Serialize};

use crate::protocol::recipe::{Augmentation, Decay, Linears, Recipe, Trained, TrainedReadout};

/// A field of the recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Field {
    Steps,
    Batch,
    MeasureEvery,
    LearningRate,
    Temperature,
    Dropout,
    Augmentation,
    Share,
    Readout,
    Trained,
    Rank,
    Alpha,
    Linears,
    LoraLayers,
    LayerCount,
    HardNegativeWeight,
    WarmUp,
    Decay,
    WeightDecay,
    GradientClip,
    MicroBatch,
    MaxTokens,
    Seed,
}

/// The share that an augmentation begins with (the paper's best of its kind).
const SHARE: f32 = 0.1;

impl Field {
    pub const ALL: [Self; 23] = [
        Self::Steps,
        Self::Batch,
        Self::MeasureEvery,
        Self::LearningRate,
        Self::Temperature,
        Self::Dropout,
        Self::Augmentation,
        Self::Share,
        Self::Readout,
        Self::Trained,
        Self::Rank,
        Self::Alpha,
        Self::Linears,
        Self::LoraLayers,
        Self::LayerCount,
        Self::HardNegativeWeight,
        Self::WarmUp,
        Self::Decay,
        Self::WeightDecay,
        Self::GradientClip,
        Self::MicroBatch,
        Self::MaxTokens,
        Self::Seed,
    ];

    /// Whether the recipe has such a field: a crop has a share, low rank has a rank.
    pub fn applies(self, recipe: &Recipe) -> bool {
        match self {
            Self::Share => matches!(
                recipe.augmentation,
                Augmentation::Crop { .. } | Augmentation::DeleteWords { .. }
            ),
            Self::Rank | Self::Alpha | Self::Linears | Self::LoraLayers => {
                matches!(recipe.trained, Trained::Lora { .. })
            }
            Self::LayerCount => matches!(recipe.trained, Trained::LastLayers { .. }),
            _ => true,
        }
    }

    /// Names of the values to choose from; a field without any takes a number.
    pub fn choices(self) -> &'static [&'static str] {
        match self {
            Self::Augmentation => {
                &["dropout", "same-mask", "crop", "delete-words", "delete-one-word"]
            }
            Self::Readout => &["cls", "cls-mlp-while-training", "cls-mlp", "mean"],
            Self::Trained => &["lora", "last-layers", "everything"],
            Self::Linears => &["all", "attention", "query-value", "feed-forward"],
            Self::Decay => &["linear", "cosine", "constant"],
            _ => &[],
        }
    }

    /// What the paper's unsupervised training took, as [`Field::text`] writes it (SimCSE, appendix A
    /// and `run_unsup_example.sh`); `None` where it has no such field.
    pub fn papers(self) -> Option<&'static str> {
        Some(match self {
            Self::Steps => "15625",
            Self::Batch => "64",
            Self::MeasureEvery => "125",
            Self::LearningRate => "0.00003",
            Self::Temperature => "0.05",
            Self::Dropout => "0.1",
            Self::Augmentation => "dropout",
            Self::Readout => "cls-mlp-while-training",
            Self::Trained => "everything",
            Self::HardNegativeWeight => "1",
            Self::WarmUp | Self::WeightDecay => "0",
            Self::Decay => "linear",
            Self::GradientClip => "1",
            Self::MaxTokens => "32",
            Self::Share
            | Self::Rank
            | Self::Alpha
            | Self::Linears
            | Self::LoraLayers
            | Self::LayerCount
            | Self::MicroBatch
            | Self::Seed => return None,
        })
    }

    /// The name that a recipe's check gives it.
    pub fn check_name(self) -> Option<&'static str> {
        Some(match self {
            Self::Share => "augmentation share",
            Self::Rank => "LoRA rank",
            Self::Alpha => "LoRA alpha",
            Self::Temperature => "temperature",
            Self::HardNegativeWeight => "hard negative weight",
            Self::Dropout => "dropout",
            Self::LearningRate => "learning rate",
            Self::WarmUp => "warm-up",
            Self::WeightDecay => "weight decay",
            Self::GradientClip => "gradient clip",
            Self::Batch => "batch",
            Self::MaxTokens => "max tokens",
            Self::Steps => "steps",
            Self::MeasureEvery => "measure every",
            Self::Augmentation
            | Self::Readout
            | Self::Trained
            | Self::Linears
            | Self::LoraLayers
            | Self::LayerCount
            | Self::Decay
            | Self::MicroBatch
            | Self::Seed => return None,
        })
    }

    /// The field's value; empty where the recipe has none.
    pub fn text(self, recipe: &Recipe) -> String {
        match self {
            Self::Steps => recipe.steps.to_string(),
            Self::Batch => recipe.batch.to_string(),
            Self::MeasureEvery => recipe.measure_every.to_string(),
            Self::LearningRate => recipe.learning_rate.to_string(),
            Self::Temperature => recipe.temperature.to_string(),
            Self::Dropout => recipe.dropout.to_string(),
            Self::HardNegativeWeight => recipe.hard_negative_weight.to_string(),
            Self::WarmUp => recipe.warm_up.to_string(),
            Self::WeightDecay => recipe.weight_decay.to_string(),
            Self::GradientClip => recipe.gradient_clip.to_string(),
            Self::MicroBatch => recipe.micro_batch.to_string(),
            Self::MaxTokens => recipe.max_tokens.to_string(),
            Self::Seed => recipe.seed.to_string(),
            Self::Augmentation => augmentation_name(recipe.augmentation).to_owned(),
            Self::Readout => readout_name(recipe.readout).to_owned(),
            Self::Decay => decay_name(recipe.decay).to_owned(),
            Self::Share => match recipe.augmentation {
                Augmentation::Crop { share } | Augmentation::DeleteWords { share } => {
                    share.to_string()
                }
                _ => String::new(),
            },
            Self::Trained
            | Self::Rank
            | Self::Alpha
            | Self::Linears
            | Self::LoraLayers
            | Self::LayerCount => self.trained_text(recipe.trained),
        }
    }

    fn trained_text(self, trained: Trained) -> String {
        match (self, trained) {
            (Self::Trained, Trained::Lora { .. }) => "lora".to_owned(),
            (Self::Trained, Trained::LastLayers { .. }) => "last-layers".to_owned(),
            (Self::Trained, Trained::Everything) => "everything".to_owned(),
            (Self::Rank, Trained::Lora { rank, .. }) => rank.to_string(),
            (Self::Alpha, Trained::Lora { alpha, .. }) => alpha.to_string(),
            (Self::Linears, Trained::Lora { linears, .. }) => linears_name(linears).to_owned(),
            (Self::LoraLayers, Trained::Lora { last_layers: Some(count), .. })
            | (Self::LayerCount, Trained::LastLayers { count }) => count.to_string(),
            _ => String::new(),
        }
    }

    /// Writes the field; `None` where the text is no such value.
    pub fn set(self, recipe: &mut Recipe, text: &str) -> Option<()> {
        let text = text.trim();
        match self {
            Self::Steps => recipe.steps = text.parse().ok()?,
            Self::Batch => recipe.batch = text.parse().ok()?,
            Self::MeasureEvery => recipe.measure_every = text.parse().ok()?,
            Self::LearningRate => recipe.learning_rate = decimal(text)?,
            Self::Temperature => recipe.temperature = decimal(text)?,
            Self::Dropout => recipe.dropout = decimal(text)?,
            Self::HardNegativeWeight => recipe.hard_negative_weight = decimal(text)?,
            Self::WarmUp => recipe.warm_up = decimal(text)?,
            Self::WeightDecay => recipe.weight_decay = decimal(text)?,
            Self::GradientClip => recipe.gradient_clip = decimal(text)?,
            Self::MicroBatch => recipe.micro_batch = text.parse().ok()?,
            Self::MaxTokens => recipe.max_tokens = text.parse().ok()?,
            Self::Seed => recipe.seed = text.parse().ok()?,
            Self::Augmentation => recipe.augmentation = augmentation(text)?,
            Self::Share => {
                let found = decimal(text)?;
                if let Augmentation::Crop { share } | Augmentation::DeleteWords { share } =
                    &mut recipe.augmentation
                {
                    *share = found;
                }
            }
            Self::Readout => recipe.readout = readout(text)?,
            Self::Decay => recipe.decay = decay(text)?,
            Self::Trained
            | Self::Rank
            | Self::Alpha
            | Self::Linears
            | Self::LoraLayers
            | Self::LayerCount => self.set_trained(&mut recipe.trained, text)?,
        }
        Some(())
    }

    fn set_trained(self, trained: &mut Trained, text: &str) -> Option<()> {
        match (self, trained) {
            (Self::Trained, trained) => {
                *trained = match text {
                    "lora" => Trained::default(),
                    "last-layers" => Trained::LastLayers { count: 2 },
                    "everything" => Trained::Everything,
                    _ => return None,
                }
            }
            (Self::Rank, Trained::Lora { rank, .. }) => *rank = text.parse().ok()?,
            (Self::Alpha, Trained::Lora { alpha, .. }) => *alpha = decimal(text)?,
            (Self::Linears, Trained::Lora { linears, .. }) => *linears = linears_named(text)?,
            (Self::LoraLayers, Trained::Lora { last_layers, .. }) => {
                *last_layers = if text.is_empty() { None } else { Some(at_least_one(text)?) };
            }
            (Self::LayerCount, Trained::LastLayers { count }) => *count = at_least_one(text)?,
            _ => {}
        }
        Some(())
    }
}

/// A number, with a decimal comma allowed.
fn decimal(text: &str) -> Option<f32> {
    text.replace(',', ".").parse().ok()
}

fn at_least_one(text: &str) -> Option<u16> {
    text.parse().ok().filter(|count| *count >= 1)
}

fn augmentation_name(augmentation: Augmentation) -> &'static str {
    match augmentation {
        Augmentation::Dropout => "dropout",
        Augmentation::SameMask => "same-mask",
        Augmentation::Crop { .. } => "crop",
        Augmentation::DeleteWords { .. } => "delete-words",
        Augmentation::DeleteOneWord => "delete-one-word",
    }
}

fn augmentation(name: &str) -> Option<Augmentation> {
    Some(match name {
        "dropout" => Augmentation::Dropout,
        "same-mask" => Augmentation::SameMask,
        "crop" => Augmentation::Crop { share: SHARE },
        "delete-words" => Augmentation::DeleteWords { share: SHARE },
        "delete-one-word" => Augmentation::DeleteOneWord,
        _ => return None,
    })
}

fn readout_name(readout: TrainedReadout) -> &'static str {
    match readout {
        TrainedReadout::Cls => "cls",
        TrainedReadout::ClsMlpWhileTraining => "cls-mlp-while-training",
        TrainedReadout::ClsMlp => "cls-mlp",
        TrainedReadout::Mean => "mean",
    }
}

fn readout(name: &str) -> Option<TrainedReadout> {
    Some(match name {
        "cls" => TrainedReadout::Cls,
        "cls-mlp-while-training" => TrainedReadout::ClsMlpWhileTraining,
        "cls-mlp" => TrainedReadout::ClsMlp,
        "mean" => TrainedReadout::Mean,
        _ => return None,
    })
}

fn linears_name(linears: Linears) -> &'static str {
    match linears {
        Linears::All => "all",
        Linears::Attention => "attention",
        Linears::QueryValue => "query-value",
        Linears::FeedForward => "feed-forward",
    }
}

fn linears_named(name: &str) -> Option<Linears> {
    Some(match name {
        "all" => Linears::All,
        "attention" => Linears::Attention,
        "query-value" => Linears::QueryValue,
        "feed-forward" => Linears::FeedForward,
        _ => return None,
    })
}

fn decay_name(decay: Decay) -> &'static str {
    match decay {
        Decay::Linear => "linear",
        Decay::Cosine => "cosine",
        Decay::Constant => "constant",
    }
}

fn decay(name: &str) -> Option<Decay> {
    Some(match name {
        "linear" => Decay::Linear,
        "cosine" => Decay::Cosine,
        "constant" => Decay::Constant,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Augmentation, Field, Recipe, Trained};

    #[test]
    fn every_field_reads_what_it_writes() {
        let recipes = [
            Recipe::default(),
            Recipe {
                augmentation: Augmentation::Crop { share: 0.25 },
                trained: Trained::LastLayers { count: 3 },
                learning_rate: 3e-5,
                ..Recipe::default()
            },
        ];
        for recipe in recipes {
            for field in Field::ALL.into_iter().filter(|field| field.applies(&recipe)) {
                let mut copy = recipe.clone();
                assert_eq!(field.set(&mut copy, &field.text(&recipe)), Some(()), "{field:?}");
                if field != Field::Augmentation && field != Field::Trained {
                    assert_eq!(copy, recipe, "{field:?}");
                }
            }
        }
    }

    #[test]
    fn every_choice_is_taken_and_shown_again() {
        for field in Field::ALL {
            for choice in field.choices() {
                let mut recipe = Recipe::default();
                assert_eq!(field.set(&mut recipe, choice), Some(()), "{choice}");
                assert_eq!(field.text(&recipe), *choice);
            }
            if let Some(paper) = field.papers() {
                let mut recipe = Recipe::default();
                assert_eq!(field.set(&mut recipe, paper), Some(()), "{field:?}");
                assert_eq!(field.text(&recipe), paper);
            }
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let mut recipe = Recipe::default();
        assert_eq!(Field::Batch.set(&mut recipe, "many"), None);
        assert_eq!(Field::Steps.set(&mut recipe, "-1"), None);
        assert_eq!(Field::LayerCount.set(&mut recipe, "2"), Some(()));
        assert_eq!(Field::LoraLayers.set(&mut recipe, "0"), None);
        assert_eq!(Field::LearningRate.set(&mut recipe, "1,5e-4"), Some(()));
        assert_eq!(recipe.learning_rate, 1.5e-4);
    }
}
