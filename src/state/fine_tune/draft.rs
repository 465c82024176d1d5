//! The recipe as it is being written: what the visitor fixed, what follows the amount of sentences,
//! what cannot be read yet.

use std::collections::{BTreeMap, BTreeSet};

use crate::protocol::recipe::{Augmentation, OutOfRange, Recipe};
use crate::state::fine_tune::field::Field;

/// The recipe as it is being written.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Every field that could be read.
    pub recipe: Recipe,
    /// Fields that the visitor set; the others follow the amount.
    pub(super) fixed: BTreeSet<Field>,
    /// What was typed into fields that it is no value of.
    pub(super) unreadable: BTreeMap<Field, String>,
    advised: Recipe,
}

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FieldTrouble {
    NotAValue,
    /// A fraction where only whole numbers count.
    NotWhole {
        low: f64,
        high: f64,
    },
    OutOfRange(OutOfRange),
}

/// Recipes to try: SimCSE and the paper's ablations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    SimCse,
    NoDropout,
    SameMask,
    Crop,
    DeleteOneWord,
    /// A rate at which all vectors fall onto one point.
    Collapse,
}

impl Preset {
    pub const ALL: [Self; 6] = [
        Self::SimCse,
        Self::NoDropout,
        Self::SameMask,
        Self::Crop,
        Self::DeleteOneWord,
        Self::Collapse,
    ];
}

/// The recipe for so many examples: enough steps to see the cone open, not so many that a few
/// sentences are learnt by heart, batches that the examples can fill.
pub fn advised(examples: usize) -> Recipe {
    let (steps, batch, measure_every) = match examples {
        0..16 => (8, examples.max(2) as u32, 2),
        16..64 => (12, 16, 3),
        64..256 => (20, 32, 4),
        256..4000 => (25, 64, 5),
        _ => (60, 64, 10),
    };
    Recipe { steps, batch, measure_every, ..Recipe::default() }
}

impl Draft {
    /// The advised recipe for so many examples.
    pub fn for_amount(examples: usize) -> Self {
        let advised = advised(examples);
        Self {
            recipe: advised.clone(),
            fixed: BTreeSet::new(),
            unreadable: BTreeMap::new(),
            advised,
        }
    }

    /// A recipe of an earlier visit.
    pub(super) fn restored(recipe: Recipe, fixed: BTreeSet<Field>, examples: usize) -> Self {
        let mut draft = Self { recipe, fixed, ..Self::for_amount(examples) };
        draft.adapt(examples);
        draft
    }

    /// The amount changed: what the visitor did not set follows.
    pub(super) fn adapt(&mut self, examples: usize) {
        self.advised = advised(examples);
        for field in Field::ALL {
            if !self.fixed.contains(&field) && field.applies(&self.advised) {
                self.take_advised(field);
            }
        }
    }

    fn take_advised(&mut self, field: Field) {
        let value = field.text(&self.advised);
        // The advised recipe's texts are values: a test reads every field's own text again.
        let _ = field.set(&mut self.recipe, &value);
    }

    /// The visitor wrote into a field.
    pub(super) fn write(&mut self, field: Field, text: &str) {
        let mut recipe = self.recipe.clone();
        self.fixed.insert(field);
        if field.set(&mut recipe, text).is_none() {
            self.unreadable.insert(field, text.to_owned());
            return;
        }
        self.unreadable.remove(&field);
        self.recipe = recipe;
        let applies = |field: &Field| field.applies(&self.recipe);
        self.fixed.retain(applies);
        self.unreadable.retain(|field, _| applies(field));
    }

    /// Back to what is advised.
    pub(super) fn reset(&mut self, field: Field) {
        self.unreadable.remove(&field);
        self.fixed.remove(&field);
        self.take_advised(field);
    }

    /// A whole recipe.
    pub(super) fn choose(&mut self, preset: Preset) {
        self.fixed.clear();
        self.unreadable.clear();
        self.recipe = self.advised.clone();
        match preset {
            Preset::SimCse => {}
            Preset::NoDropout => self.write(Field::Dropout, "0"),
            Preset::SameMask => self.write(Field::Augmentation, "same-mask"),
            Preset::Collapse => self.write(Field::LearningRate, "0.1"),
            Preset::Crop => self.write(Field::Augmentation, "crop"),
            Preset::DeleteOneWord => self.write(Field::Augmentation, "delete-one-word"),
        }
    }

    /// Whether that is the recipe in use, but for what follows the amount.
    pub fn is(&self, preset: Preset) -> bool {
        let mut other = self.clone();
        other.choose(preset);
        other.recipe == self.recipe
    }

    /// What stands in a field.
    pub fn text(&self, field: Field) -> String {
        self.unreadable.get(&field).cloned().unwrap_or_else(|| field.text(&self.recipe))
    }

    /// Whether a field differs from what is advised.
    pub fn differs(&self, field: Field) -> bool {
        self.text(field) != field.text(&self.advised)
    }

    /// What is advised for a field; empty where the advised recipe has no such field.
    pub fn default_text(&self, field: Field) -> String {
        field.text(&self.advised)
    }

    /// What is wrong with a field.
    pub fn trouble(&self, field: Field) -> Option<FieldTrouble> {
        if let Some(text) = self.unreadable.get(&field) {
            return Some(unreadable(field, text));
        }
        let wrong = self.out_of_range().into_iter();
        wrong
            .filter(|wrong| Some(wrong.field) == field.check_name())
            .map(FieldTrouble::OutOfRange)
            .next()
    }

    /// Every number out of its range: a check names only the first, so that one is mended and the
    /// rest checked again.
    fn out_of_range(&self) -> Vec<OutOfRange> {
        let mut recipe = self.recipe.clone();
        let mut found = Vec::new();
        while let Err(wrong) = recipe.check() {
            found.push(wrong);
            let field = Field::ALL.into_iter().find(|f| f.check_name() == Some(wrong.field));
            let Some(field) = field.filter(|_| found.len() <= Field::ALL.len()) else { break };
            let value = if field.applies(&self.advised) {
                field.text(&self.advised)
            } else {
                "0.1".to_owned()
            };
            if field.set(&mut recipe, &value).is_none() {
                break;
            }
        }
        found
    }

    /// The first field that holds training back.
    pub fn first_trouble(&self) -> Option<(Field, FieldTrouble)> {
        Field::ALL.into_iter().find_map(|field| Some((field, self.trouble(field)?)))
    }

    /// Whether training can begin with it.
    pub fn is_ready(&self) -> bool {
        self.unreadable.is_empty() && self.recipe.check().is_ok()
    }

    /// The augmentation's words need no noise of their own.
    pub fn is_same_mask(&self) -> bool {
        self.recipe.augmentation == Augmentation::SameMask
    }
}

/// What is wrong with a text that the field does not take: a number beyond its range, a fraction, or
/// no number at all.
fn unreadable(field: Field, text: &str) -> FieldTrouble {
    let number = text.trim().replace(',', ".").parse().ok().filter(|it: &f64| it.is_finite());
    let name = field.check_name();
    let known = number.zip(name.zip(name.and_then(Recipe::range)));
    match known {
        None => FieldTrouble::NotAValue,
        Some((found, (_, (low, high)))) if (low..=high).contains(&found) => {
            FieldTrouble::NotWhole { low, high }
        }
        Some((found, (field, (low, high)))) => {
            FieldTrouble::OutOfRange(OutOfRange { field, found, low, high })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Draft, Field, FieldTrouble, Preset, advised};

    #[test]
    fn every_amount_has_a_recipe_that_training_takes() {
        for examples in [0, 1, 2, 15, 16, 63, 64, 255, 256, 3999, 4000, 100_000] {
            let recipe = advised(examples);
            assert_eq!(recipe.check(), Ok(()), "{examples}");
            assert!(examples < 2 || recipe.batch as usize <= examples, "{examples}");
        }
    }

    #[test]
    fn what_the_visitor_set_stays_when_the_amount_changes() {
        let mut draft = Draft::for_amount(400);
        draft.write(Field::Batch, "48");
        draft.adapt(30);
        assert_eq!((draft.recipe.batch, draft.recipe.steps), (48, 12));
        draft.reset(Field::Batch);
        assert_eq!(draft.recipe.batch, 16);
        assert!(!draft.differs(Field::Batch));
    }

    #[test]
    fn every_bad_field_is_named_at_once() {
        let mut draft = Draft::for_amount(400);
        draft.write(Field::Temperature, "0");
        draft.write(Field::Batch, "1");
        draft.write(Field::Steps, "soon");
        assert!(!draft.is_ready());
        assert!(matches!(draft.trouble(Field::Temperature), Some(FieldTrouble::OutOfRange(_))));
        assert!(matches!(draft.trouble(Field::Batch), Some(FieldTrouble::OutOfRange(_))));
        assert_eq!(draft.trouble(Field::Steps), Some(FieldTrouble::NotAValue));
        assert_eq!(draft.text(Field::Steps), "soon");
        assert_eq!(draft.trouble(Field::Dropout), None);
        for text in ["-1", "99999999999"] {
            draft.write(Field::Steps, text);
            let Some(FieldTrouble::OutOfRange(wrong)) = draft.trouble(Field::Steps) else {
                panic!("{text}")
            };
            assert_eq!((wrong.low, wrong.high), (1.0, 1e6), "the range is named");
        }
        draft.write(Field::Steps, "2.5");
        let trouble = FieldTrouble::NotWhole { low: 1.0, high: 1e6 };
        assert_eq!(draft.first_trouble(), Some((Field::Steps, trouble)));
    }

    #[test]
    fn a_preset_is_one_change_to_the_advised_recipe() {
        let mut draft = Draft::for_amount(400);
        draft.write(Field::LearningRate, "0.1");
        draft.choose(Preset::SameMask);
        assert!(draft.is(Preset::SameMask) && !draft.is(Preset::SimCse));
        assert!(draft.is_same_mask() && !draft.differs(Field::LearningRate));
        draft.choose(Preset::Crop);
        draft.write(Field::Share, "0.95");
        assert!(matches!(draft.trouble(Field::Share), Some(FieldTrouble::OutOfRange(_))));
        draft.write(Field::Augmentation, "dropout");
        assert!(draft.is_ready(), "a share that no longer applies hinders nothing");
    }
}
