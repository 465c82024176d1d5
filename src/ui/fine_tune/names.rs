//! Words for the recipe's fields, its choices and what is wrong.

use crate::catalogue::fine_tune::FineTuneText as Text;
use crate::protocol::recipe::{Recipe, Trained};
use crate::state::app::State;
use crate::state::fine_tune::draft::Preset;
use crate::state::fine_tune::field::Field;
use crate::state::fine_tune::finding::Cause;
use crate::state::fine_tune::material::Warning;
use crate::ui::page::Page;

/// A field's name, and what it does.
pub fn field_words(field: Field) -> (Text, Text) {
    match field {
        Field::Steps => (Text::FieldSteps, Text::HelpSteps),
        Field::Batch => (Text::FieldBatch, Text::HelpBatch),
        Field::MeasureEvery => (Text::FieldMeasureEvery, Text::HelpMeasureEvery),
        Field::LearningRate => (Text::FieldLearningRate, Text::HelpLearningRate),
        Field::Temperature => (Text::FieldTemperature, Text::HelpTemperature),
        Field::Dropout => (Text::FieldDropout, Text::HelpDropout),
        Field::Augmentation => (Text::FieldAugmentation, Text::HelpAugmentation),
        Field::Share => (Text::FieldShare, Text::HelpShare),
        Field::Readout => (Text::FieldReadout, Text::HelpReadout),
        Field::Trained => (Text::FieldTrained, Text::HelpTrained),
        Field::Rank => (Text::FieldRank, Text::HelpRank),
        Field::Alpha => (Text::FieldAlpha, Text::HelpAlpha),
        Field::Linears => (Text::FieldLinears, Text::HelpLinears),
        Field::LoraLayers => (Text::FieldLoraLayers, Text::HelpLoraLayers),
        Field::LayerCount => (Text::FieldLayerCount, Text::HelpLayerCount),
        Field::HardNegativeWeight => (Text::FieldHardNegativeWeight, Text::HelpHardNegativeWeight),
        Field::WarmUp => (Text::FieldWarmUp, Text::HelpWarmUp),
        Field::Decay => (Text::FieldDecay, Text::HelpDecay),
        Field::WeightDecay => (Text::FieldWeightDecay, Text::HelpWeightDecay),
        Field::GradientClip => (Text::FieldGradientClip, Text::HelpGradientClip),
        Field::MicroBatch => (Text::FieldMicroBatch, Text::HelpMicroBatch),
        Field::MaxTokens => (Text::FieldMaxTokens, Text::HelpMaxTokens),
        Field::Seed => (Text::FieldSeed, Text::HelpSeed),
    }
}

/// Words for a value of a field that is chosen; `None` for a number.
pub fn choice_words(field: Field, value: &str) -> Option<Text> {
    Some(match (field, value) {
        (Field::Augmentation, "dropout") => Text::ChoiceDropout,
        (Field::Augmentation, "same-mask") => Text::ChoiceSameMask,
        (Field::Augmentation, "crop") => Text::ChoiceCrop,
        (Field::Augmentation, "delete-words") => Text::ChoiceDeleteWords,
        (Field::Augmentation, "delete-one-word") => Text::ChoiceDeleteOneWord,
        (Field::Readout, "cls") => Text::ChoiceCls,
        (Field::Readout, "cls-mlp-while-training") => Text::ChoiceClsMlpWhileTraining,
        (Field::Readout, "cls-mlp") => Text::ChoiceClsMlp,
        (Field::Readout, "mean") => Text::ChoiceMean,
        (Field::Trained, "lora") => Text::ChoiceLora,
        (Field::Trained, "last-layers") => Text::ChoiceLastLayers,
        (Field::Trained, "everything") => Text::ChoiceEverything,
        (Field::Linears, "all") => Text::ChoiceAllLinears,
        (Field::Linears, "attention") => Text::ChoiceAttention,
        (Field::Linears, "query-value") => Text::ChoiceQueryValue,
        (Field::Linears, "feed-forward") => Text::ChoiceFeedForward,
        (Field::Decay, "linear") => Text::ChoiceLinear,
        (Field::Decay, "cosine") => Text::ChoiceCosine,
        (Field::Decay, "constant") => Text::ChoiceConstant,
        _ => return None,
    })
}

/// A field's value as the visitor reads it.
pub fn value_words(page: Page, field: Field, value: &str) -> String {
    choice_words(field, value).map_or_else(|| value.to_owned(), |text| page.words(text).to_owned())
}

/// A preset's name, and what the paper found with it.
pub fn preset_words(preset: Preset) -> (Text, Text) {
    match preset {
        Preset::SimCse => (Text::PresetSimCse, Text::PaperSimCse),
        Preset::NoDropout => (Text::PresetNoDropout, Text::PaperNoDropout),
        Preset::SameMask => (Text::PresetSameMask, Text::PaperSameMask),
        Preset::Collapse => (Text::PresetCollapse, Text::PaperCollapse),
        Preset::Crop => (Text::PresetCrop, Text::PaperCrop),
        Preset::DeleteOneWord => (Text::PresetDeleteWord, Text::PaperDeleteWord),
    }
}

/// The readout that a recipe trains.
pub fn readout_words(page: Page, recipe: &Recipe) -> String {
    value_words(page, Field::Readout, &Field::Readout.text(recipe))
}

/// The recipe in a line.
pub fn summary(page: Page, recipe: &Recipe) -> String {
    let trained = match recipe.trained {
        Trained::Lora { rank, .. } => {
            page.filled(Text::SummaryLora, &[("rank", &rank.to_string())])
        }
        Trained::LastLayers { count } => {
            page.filled(Text::SummaryLayers, &[("n", &count.to_string())])
        }
        Trained::Everything => page.words(Text::SummaryEverything).to_owned(),
    };
    page.filled(
        Text::RecipeSummary,
        &[
            ("steps", &recipe.steps.to_string()),
            ("batch", &recipe.batch.to_string()),
            ("trained", &trained),
            ("readout", &readout_words(page, recipe)),
            ("temperature", &recipe.temperature.to_string()),
            ("dropout", &recipe.dropout.to_string()),
        ],
    )
}

/// What the numbers depend on: the recipe, the sentences measured, the readout.
pub fn caption(page: Page, state: &State) -> String {
    let Some(run) = &state.fine_tune.run else { return String::new() };
    let sentences = run.start().map_or(0, |start| start.shape.sentences).to_string();
    let readout = readout_words(page, &run.recipe);
    let measured = page.filled(Text::MeasuredOn, &[("n", &sentences), ("readout", &readout)]);
    format!("{} · {measured}", summary(page, &run.recipe))
}

/// A warning in words.
pub fn warning_words(page: Page, warning: &Warning) -> String {
    let (text, places) = match *warning {
        Warning::Few { found } => (Text::WarnFew, vec![("n", found.to_string())]),
        Warning::SmallerThanBatch { found, batch } => {
            (Text::WarnBatch, vec![("n", found.to_string()), ("batch", batch.to_string())])
        }
        Warning::Duplicates { count, total } => {
            (Text::WarnDuplicates, vec![("n", count.to_string()), ("total", total.to_string())])
        }
        Warning::LittleVariety { distinct, words } => (
            Text::WarnVariety,
            vec![("distinct", distinct.to_string()), ("words", words.to_string())],
        ),
        Warning::OtherScript => (Text::WarnScript, Vec::new()),
        Warning::SameMask => (Text::WarnSameMask, Vec::new()),
        Warning::NoDropout => (Text::WarnNoDropout, Vec::new()),
        Warning::ManyPasses { passes } => (Text::WarnPasses, vec![("n", format!("{passes:.0}"))]),
        Warning::Beyond { used, found } => {
            (Text::WarnBeyond, vec![("used", used.to_string()), ("found", found.to_string())])
        }
    };
    let places: Vec<(&str, &str)> = places.iter().map(|(name, value)| (*name, &**value)).collect();
    page.filled(text, &places)
}

/// A cause in words.
pub fn cause_words(cause: Cause) -> Text {
    match cause {
        Cause::SameMask => Text::CauseSameMask,
        Cause::NoDropout => Text::CauseNoDropout,
        Cause::FewSentences => Text::CauseFew,
        Cause::Temperature => Text::CauseTemperature,
        Cause::LearningRate => Text::CauseRate,
        Cause::Unknown => Text::CauseUnknown,
    }
}
