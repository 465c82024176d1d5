//! Recipe files: which model, which sentences, which stages.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use anyhow::Context;
use serde::Deserialize;
use toml::Table;
use toml::Value;

use simcse_lab::protocol::readout::Pooling;
use simcse_lab::protocol::recipe::Recipe;

/// A recipe file, read.
#[derive(Debug)]
pub struct RecipeFile {
    pub head: Head,
    pub stages: Vec<Stage>,
    /// As it was applied.
    pub text: String,
}

/// All but the stages.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    pub name: String,
    pub licence: Option<String>,
    pub base: Option<PathBuf>,
    pub dev: Option<Dev>,
    #[serde(rename = "source")]
    pub sources: Vec<Source>,
}

/// Scored pairs that choose the checkpoint.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dev {
    pub path: PathBuf,
    /// Whose correlation counts; without it, the trained one's.
    #[serde(default)]
    pub readout: DevReadout,
    /// Checkpoints whose mean readout correlates less (0 to 1) do not count.
    pub keep_mean_above: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DevReadout {
    #[default]
    Trained,
    Cls,
    Mean,
}

/// A file of sentences.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub name: String,
    pub path: PathBuf,
    pub kind: Kind,
    /// Of a table, from 1.
    #[serde(default = "first")]
    pub column: usize,
    /// Pairs with this score or more mean the same.
    #[serde(default = "four")]
    pub above: f32,
    /// Pairs with this score or less do not.
    #[serde(default = "two")]
    pub below: f32,
    #[serde(default)]
    pub min_words: usize,
    #[serde(default = "no_limit")]
    pub max_words: usize,
}

fn first() -> usize {
    1
}

fn two() -> f32 {
    2.0
}

fn four() -> f32 {
    4.0
}

fn no_limit() -> usize {
    usize::MAX
}

/// How examples are made of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// One sentence a line.
    Lines,
    /// A sentence from a column of tab-separated lines.
    Tsv,
    /// Both sentences of scored pairs, each by itself.
    ScoredSentences,
    /// Pairs with high scores.
    ScoredPairs,
    /// Pairs with low scores: each sentence with itself as positive and the other as hard negative.
    ScoredOpposites,
    /// All sentences of premise, entailment, contradiction, each by itself.
    TripletSentences,
    /// Premises.
    TripletAnchors,
    /// Premises with their entailments.
    TripletPairs,
    /// With their contradictions as hard negatives.
    Triplets,
}

/// How much of a source a stage takes; without either number, all.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Portion {
    pub count: Option<usize>,
    /// Of the examples from sources that have a share: as many as there are without repetition.
    pub share: Option<f64>,
}

/// A run of one recipe.
#[derive(Debug)]
pub struct Stage {
    pub settings: StageSettings,
    pub recipe: Recipe,
}

/// What a stage says beside the recipe's own settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageSettings {
    /// By the sources' names; `None`: all sources, whole.
    pub data: Option<BTreeMap<String, Portion>>,
    #[serde(default)]
    pub go_on_from: GoOnFrom,
}

/// The weights that a stage begins with: the best so far, or as the stage before it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GoOnFrom {
    #[default]
    Best,
    Last,
}

impl RecipeFile {
    /// Reads a file and applies changes `PATH=VALUE` to it.
    pub fn open(path: &Path, changes: &[String]) -> anyhow::Result<Self> {
        let shown = path.display();
        let text =
            std::fs::read_to_string(path).with_context(|| format!("{shown} cannot be read"))?;
        Self::read(text, changes).with_context(|| format!("{shown} is no recipe"))
    }

    fn read(text: String, changes: &[String]) -> anyhow::Result<Self> {
        let table: Table = text.parse()?;
        let mut whole = Value::Table(table);
        for change in changes {
            apply(&mut whole, change).with_context(|| format!("--set {change}"))?;
        }
        let text = if changes.is_empty() { text } else { toml::to_string(&whole)? };
        let Value::Table(mut head) = whole else { anyhow::bail!("it is empty") };
        let stages = match head.remove("stage") {
            Some(Value::Array(stages)) if !stages.is_empty() => stages,
            _ => anyhow::bail!("it has no [[stage]]"),
        };
        let numbered = stages.into_iter().enumerate();
        let stages = numbered
            .map(|(number, stage)| read_stage(stage).with_context(|| format!("stage {number}")));
        let stages = stages.collect::<anyhow::Result<_>>()?;
        Ok(Self { head: Head::deserialize(head)?, stages, text })
    }
}

impl Dev {
    /// Whether it is the mean that counts, where that readout is trained.
    pub fn counts_mean(&self, trained: Pooling) -> anyhow::Result<bool> {
        match self.readout {
            DevReadout::Mean => Ok(true),
            DevReadout::Trained => Ok(false),
            DevReadout::Cls => {
                anyhow::ensure!(
                    trained == Pooling::Cls,
                    "dev.readout is cls, but {} is trained; only that and mean are measured",
                    trained.name(),
                );
                Ok(false)
            }
        }
    }
}

fn read_stage(stage: Value) -> anyhow::Result<Stage> {
    let Value::Table(mut all) = stage else { anyhow::bail!("it is no table") };
    let mut own = Table::new();
    for key in ["data", "go_on_from"] {
        own.extend(all.remove_entry(key));
    }
    let settings = StageSettings::deserialize(own)?;
    let recipe = Recipe::deserialize(all)?;
    recipe.check()?;
    Ok(Stage { settings, recipe })
}

/// Sets `a.0.b=VALUE`; what is no TOML value is a text.
fn apply(whole: &mut Value, change: &str) -> anyhow::Result<()> {
    let (path, value) = change.split_once('=').context("it has no =")?;
    let parsed = format!("value = {value}").parse::<Table>().ok();
    let value = parsed.and_then(|mut table| table.remove("value"));
    let value = value.unwrap_or_else(|| {
        let text = change.split_once('=').map_or("", |(_, text)| text);
        Value::String(text.to_owned())
    });
    let mut place = whole;
    for key in path.split('.') {
        place = match place {
            Value::Array(list) => {
                let number: usize = key.parse().with_context(|| format!("{key} is no number"))?;
                let length = list.len();
                list.get_mut(number).with_context(|| format!("there are {length}, from 0"))?
            }
            Value::Table(table) => table.entry(key).or_insert_with(|| Value::Table(Table::new())),
            _ => anyhow::bail!("{key} is inside something that is neither table nor list"),
        };
    }
    *place = value;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
        name = 'x'
        [[source]]
        name = 'a'
        path = 'a.txt'
        kind = 'lines'
        [[stage]]
        steps = 7
        trained = { lora = { rank = 4, alpha = 8.0, linears = 'attention' } }
        data.a.count = 5
        [[stage]]
        augmentation = 'same-mask'
        go_on_from = 'last'
    ";

    fn read(changes: &[&str]) -> anyhow::Result<RecipeFile> {
        let changes: Vec<String> = changes.iter().map(|change| (*change).to_owned()).collect();
        RecipeFile::read(TEXT.to_owned(), &changes)
    }

    #[test]
    fn settings_are_changed_by_their_paths_and_the_text_says_so() {
        let plain = read(&[]).unwrap();
        assert_eq!((plain.stages[0].recipe.steps, plain.text.as_str()), (7, TEXT));
        assert_eq!(plain.stages[1].settings.go_on_from, GoOnFrom::Last);
        let changes = [
            "stage.0.learning_rate=1e-3",
            "stage.1.readout=mean",
            "stage.0.trained={last-layers={count=2}}",
            "stage.0.data.a.share=0.5",
            "dev.path=dev.csv",
        ];
        let changed = read(&changes).unwrap();
        assert_eq!(changed.stages[0].recipe.learning_rate, 1e-3);
        assert_eq!(changed.stages[1].recipe.readout.pooling(), Pooling::Mean);
        let portion = changed.stages[0].settings.data.as_ref().unwrap()["a"];
        assert_eq!(portion, Portion { count: Some(5), share: Some(0.5) });
        assert_eq!(changed.head.dev.unwrap().path, Path::new("dev.csv"));
        let again = RecipeFile::read(changed.text, &[]).unwrap();
        assert_eq!(again.stages[0].recipe, changed.stages[0].recipe);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = [
            ("stage.0.stepps=3", "stepps"),
            ("stage.2.steps=3", "there are 2"),
            ("stage.0.steps", "no ="),
            ("stage.0.temperature=0", "temperature"),
            ("stage.0.steps.x=0", "neither table"),
            ("source.0.kind=novel", "novel"),
            ("stages=1", "stages"),
        ];
        for (change, expected) in wrong {
            let message = format!("{:#}", read(&[change]).unwrap_err());
            assert!(message.contains(expected), "{change}: {message}");
        }
    }
}
