//! What there is to learn from: how much, how varied, and what to warn of.

use std::collections::BTreeSet;

use crate::catalogue::scored::SCORED;
use crate::math::evenly::evenly as place_of;
use crate::protocol::recipe::{Augmentation, Recipe};
use crate::protocol::training::Example;
use crate::text::examples::{Material as Text, read_examples};
use crate::text::lists::{Content, ListError};

/// Most examples that are sent to the trainer.
pub const MOST_EXAMPLES: usize = 50_000;
/// Fewest different examples that can be trained on: one has nothing to be told from.
pub const FEWEST_EXAMPLES: usize = 2;
/// Most sentences that are measured while training goes on.
pub const MOST_PROBE: usize = 256;
/// Fewer sentences of one's own say little about the geometry.
const FEWEST_PROBE: usize = 64;
/// Most of the visitor's own scored pairs that are measured.
const MOST_SCORED: usize = 500;

/// What the text was understood as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    #[default]
    Empty,
    Sentences,
    Pairs,
    /// Their sentences are trained on one by one; the scores are for measuring alone.
    ScoredPairs,
    Triplets,
}

/// Which sentences are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ProbeChoice {
    /// The visitor's, or as many of them as [`MOST_PROBE`], evenly chosen.
    Own,
    /// Those of the bundled scored pairs.
    Bundled,
}

/// What there is to learn from.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Material {
    pub kind: Kind,
    pub examples: Vec<Example>,
    /// The visitor's own pairs with scores.
    pub scored: Vec<(String, String, f32)>,
    /// Rows that lack a sentence or a score.
    pub skipped: usize,
    /// Examples that say what an earlier one says.
    pub duplicates: usize,
    pub words: usize,
    pub distinct_words: usize,
    /// Of [`Material::sentences`].
    pub distinct_sentences: usize,
    /// Letters that are not Latin, of all letters.
    pub foreign_share: f32,
    /// Examples beyond [`MOST_EXAMPLES`], which are left out.
    pub beyond: usize,
}

impl Material {
    /// Reads what was pasted, or the file of that name.
    ///
    /// # Errors
    /// Where a table cannot be read.
    pub fn read(text: &str, name: Option<&str>) -> Result<Self, ListError> {
        let found = read_examples(name, text)?;
        let alone = |anchor: String| Example { anchor, ..Example::default() };
        let mut material = Self { skipped: found.skipped, ..Self::default() };
        match found.material {
            Text::List(Content::Empty) => {}
            Text::List(Content::Sentences(sentences)) => {
                material.kind = Kind::Sentences;
                material.examples = sentences.into_iter().map(alone).collect();
            }
            Text::List(Content::Pairs { pairs, gold }) if gold.is_empty() => {
                material.kind = Kind::Pairs;
                material.examples = pairs.into_iter().map(pair).collect();
            }
            Text::List(Content::Pairs { pairs, gold }) => {
                material.kind = Kind::ScoredPairs;
                let sentences = pairs.iter().flat_map(|pair| [&pair.0, &pair.1]);
                material.examples =
                    distinct(sentences.map(String::as_str)).into_iter().map(alone).collect();
                let scored = pairs.into_iter().zip(gold);
                material.scored =
                    scored.map(|((first, second), gold)| (first, second, gold)).collect();
            }
            Text::Triplets(triplets) => {
                material.kind = Kind::Triplets;
                material.examples = triplets.into_iter().map(triplet).collect();
            }
        }
        material.beyond = material.examples.len().saturating_sub(MOST_EXAMPLES);
        material.examples.truncate(MOST_EXAMPLES);
        material.count();
        Ok(material)
    }

    fn count(&mut self) {
        let mut seen = BTreeSet::new();
        let (mut words, mut letters, mut foreign) = (BTreeSet::new(), 0_usize, 0_usize);
        for example in &self.examples {
            let said: Vec<String> = sentences_of(example).map(normal).collect();
            for sentence in &said {
                letters += sentence.chars().filter(|c| c.is_alphabetic()).count();
                foreign += sentence.chars().filter(|c| is_foreign(*c)).count();
                for word in words_of(sentence) {
                    self.words += 1;
                    if !words.contains(word) {
                        words.insert(word.to_owned());
                    }
                }
            }
            if !seen.insert(said) {
                self.duplicates += 1;
            }
        }
        self.distinct_words = words.len();
        self.distinct_sentences = self.sentences().len();
        self.foreign_share = foreign as f32 / letters.max(1) as f32;
    }

    /// Examples that say something new: the trainer learns nothing from less than two.
    pub fn distinct_examples(&self) -> usize {
        self.examples.len().saturating_sub(self.duplicates)
    }

    /// The visitor's distinct sentences, hard negatives left out.
    pub fn sentences(&self) -> Vec<String> {
        let all = self.examples.iter().flat_map(|example| {
            std::iter::once(example.anchor.as_str()).chain(example.positive.as_deref())
        });
        distinct(all)
    }

    /// The visitor's own sentences where they are enough.
    pub fn advised_probe(&self) -> ProbeChoice {
        let enough = self.distinct_examples() >= FEWEST_PROBE;
        if enough { ProbeChoice::Own } else { ProbeChoice::Bundled }
    }

    /// The sentences that are measured.
    pub fn probe(&self, choice: ProbeChoice) -> Vec<String> {
        match choice {
            ProbeChoice::Own => evenly(self.sentences(), MOST_PROBE),
            ProbeChoice::Bundled => {
                let both = SCORED.iter().flat_map(|pair| [pair.0, pair.1]);
                both.map(str::to_owned).collect()
            }
        }
    }

    /// The pairs with gold scores that are measured: the visitor's own, or the bundled ones.
    pub fn held_out(&self, own: bool) -> Vec<(String, String, f32)> {
        if own && !self.scored.is_empty() {
            return evenly(self.scored.clone(), MOST_SCORED);
        }
        let bundled = SCORED.iter();
        bundled.map(|(first, second, gold)| ((*first).into(), (*second).into(), *gold)).collect()
    }
}

fn pair((anchor, positive): (String, String)) -> Example {
    Example { anchor, positive: Some(positive), hard_negative: None }
}

fn triplet([anchor, positive, negative]: [String; 3]) -> Example {
    let hard_negative = Some(negative).filter(|negative| !negative.is_empty());
    Example { anchor, positive: Some(positive), hard_negative }
}

fn sentences_of(example: &Example) -> impl Iterator<Item = &str> {
    let others = example.positive.as_deref().into_iter().chain(example.hard_negative.as_deref());
    std::iter::once(example.anchor.as_str()).chain(others)
}

/// Lower case, single spaces: what differs in no more than these says the same.
fn normal(sentence: &str) -> String {
    sentence.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Words between marks and spaces; characters of scripts without spaces count one by one.
fn words_of(sentence: &str) -> impl Iterator<Item = &str> {
    let chunks = sentence.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    chunks.flat_map(|chunk| {
        let is_spaceless = chunk.chars().next().is_some_and(is_ideograph);
        let single = chunk.char_indices().map(move |(at, c)| &chunk[at..at + c.len_utf8()]);
        let parts: Box<dyn Iterator<Item = &str>> =
            if is_spaceless { Box::new(single) } else { Box::new(std::iter::once(chunk)) };
        parts
    })
}

fn is_ideograph(character: char) -> bool {
    matches!(u32::from(character), 0x3040..=0x30ff | 0x3400..=0x9fff | 0xf900..=0xfaff)
}

fn is_foreign(character: char) -> bool {
    character.is_alphabetic() && u32::from(character) > 0x24f
}

fn distinct<'a>(sentences: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    sentences.filter(|sentence| seen.insert(*sentence)).map(str::to_owned).collect()
}

/// So many of them, evenly spaced.
fn evenly<T>(items: Vec<T>, most: usize) -> Vec<T> {
    let count = items.len();
    if count <= most {
        return items;
    }
    // Item i is chosen where i * most / count steps up: `most` of them, the first among them.
    let step = |place: usize| place_of(place, count, most);
    let chosen = |place: usize| place == 0 || step(place) != step(place - 1);
    items
        .into_iter()
        .enumerate()
        .filter(|(place, _)| chosen(*place))
        .map(|(_, item)| item)
        .collect()
}

/// What the visitor should know before training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Warning {
    /// Too few to learn from.
    Few {
        found: usize,
    },
    /// A batch is all there is: everything meets everything in every step.
    SmallerThanBatch {
        found: usize,
        batch: u32,
    },
    Duplicates {
        count: usize,
        total: usize,
    },
    /// The same few words again and again.
    LittleVariety {
        distinct: usize,
        words: usize,
    },
    /// The default model's vocabulary is English.
    OtherScript,
    SameMask,
    NoDropout,
    /// Every example is seen so often.
    ManyPasses {
        passes: f64,
    },
    /// Only the first ones are used.
    Beyond {
        used: usize,
        found: usize,
    },
}

/// Fewer sentences than this are too few to learn from.
const FEW: usize = 16;
/// Passes over all examples beyond which a fine-tune learns them by heart.
const MOST_PASSES: f64 = 10.0;
/// Distinct words divided by the root of all words (Guiraud's index) below which a text is
/// monotonous; everyday prose has 10 and more.
const LEAST_VARIETY: f64 = 4.0;

/// What the visitor should know before training with this.
pub fn warnings(material: &Material, recipe: &Recipe) -> Vec<Warning> {
    let (found, batch) = (material.examples.len(), recipe.batch);
    let passes = f64::from(recipe.steps) * f64::from(batch) / found.max(1) as f64;
    let variety = material.distinct_words as f64 / (material.words.max(1) as f64).sqrt();
    let makes_views = matches!(material.kind, Kind::Sentences | Kind::ScoredPairs);
    let same_mask = recipe.augmentation == Augmentation::SameMask;
    let no_noise = recipe.augmentation == Augmentation::Dropout && recipe.dropout == 0.0;
    let (distinct, words) = (material.distinct_words, material.words);
    let (count, total) = (material.duplicates, found);
    let conditions = [
        (found < FEW, Warning::Few { found }),
        (found >= FEW && found < batch as usize, Warning::SmallerThanBatch { found, batch }),
        (count * 10 > total, Warning::Duplicates { count, total }),
        (words > 60 && variety < LEAST_VARIETY, Warning::LittleVariety { distinct, words }),
        (material.foreign_share > 0.3, Warning::OtherScript),
        (makes_views && same_mask, Warning::SameMask),
        (makes_views && no_noise, Warning::NoDropout),
        (found >= FEW && passes > MOST_PASSES, Warning::ManyPasses { passes }),
        (material.beyond > 0, Warning::Beyond { used: found, found: found + material.beyond }),
    ];
    let holding = conditions.into_iter().filter(|(holds, _)| *holds && found > 0);
    holding.map(|(_, warning)| warning).collect()
}

#[cfg(test)]
mod tests {
    use super::{Kind, MOST_PROBE, Material, ProbeChoice, Warning, evenly, warnings, words_of};
    use crate::catalogue::sentences::EVERYDAY;
    use crate::protocol::recipe::{Augmentation, Recipe};

    #[test]
    fn the_bundled_collection_is_varied_and_earns_no_warning() {
        let material = Material::read(EVERYDAY, None).unwrap();
        assert_eq!((material.kind, material.duplicates), (Kind::Sentences, 0));
        assert_eq!(warnings(&material, &Recipe::default()), []);
        assert_eq!(material.probe(ProbeChoice::Own).len(), MOST_PROBE);
    }

    #[test]
    fn sampling_is_even_and_keeps_both_ends_near() {
        let all: Vec<usize> = (0..1000).collect();
        let some = evenly(all, 256);
        assert_eq!((some.len(), some[0]), (256, 0));
        assert!(some.windows(2).all(|two| (3..=4).contains(&(two[1] - two[0]))));
        assert_eq!(evenly(vec![1, 2, 3], 256), [1, 2, 3]);
    }

    #[test]
    fn repeated_and_monotonous_texts_are_warned_of() {
        let text = "The cat sat.\nthe  cat sat.\nThe dog sat.\n".repeat(10);
        let material = Material::read(&text, None).unwrap();
        assert_eq!(material.duplicates, 28);
        let found = warnings(&material, &Recipe { batch: 8, steps: 5, ..Recipe::default() });
        assert!(found.contains(&Warning::Duplicates { count: 28, total: 30 }), "{found:?}");
        assert!(found.iter().any(|warning| matches!(warning, Warning::LittleVariety { .. })));
    }

    #[test]
    fn recipes_that_make_both_views_equal_are_warned_of() {
        let material = Material::read(EVERYDAY, None).unwrap();
        let no_noise = Recipe { dropout: 0.0, ..Recipe::default() };
        assert_eq!(warnings(&material, &no_noise), [Warning::NoDropout]);
        let same = Recipe { augmentation: Augmentation::SameMask, ..Recipe::default() };
        assert_eq!(warnings(&material, &same), [Warning::SameMask]);
        let pairs = Material::read("a\tb\nc\td\n".repeat(40).as_str(), None).unwrap();
        assert!(!warnings(&pairs, &same).contains(&Warning::SameMask), "pairs bring their views");
    }

    #[test]
    fn scored_pairs_are_trained_on_by_their_sentences_and_measured_by_their_scores() {
        let material = Material::read("a b\tc d\t4\na b\te f\t1\n", None).unwrap();
        assert_eq!((material.kind, material.examples.len()), (Kind::ScoredPairs, 3));
        assert_eq!(material.held_out(true).len(), 2);
        assert!(material.held_out(false).len() >= 60);
    }

    #[test]
    fn ideographs_are_words_of_their_own() {
        assert_eq!(words_of("今天 it rains").collect::<Vec<_>>(), ["今", "天", "it", "rains"]);
        let material = Material::read("今天下雨了。\n明天会晴。\n", None).unwrap();
        assert!(material.foreign_share > 0.9);
    }
}
