//! Examples as tokens, and the views of a batch.

use std::collections::HashMap;

use crate::math::rng::Rng;
use crate::model;
use crate::protocol::recipe::{Augmentation, Recipe};
use crate::protocol::training::Example;
use crate::text::tokeniser::Tokens;
use crate::training::augment::{kept_words, words};
use crate::training::error::Error;

/// With one example only there is nothing to tell it apart from.
const FEWEST: usize = 2;

/// Random numbers of views are drawn apart from other random numbers.
const VIEWS: u64 = 0x7669_6577;

/// Tokenised examples.
#[derive(Debug)]
pub struct Examples {
    items: Vec<Item>,
    augmentation: Augmentation,
    seed: u64,
    max_tokens: usize,
    /// Of all sentences, after cutting.
    tokens: u64,
    /// Sentences that were cut.
    truncated: usize,
    /// Different anchors.
    distinct: usize,
}

#[derive(Debug)]
struct Item {
    anchor: Vec<u32>,
    partner: Partner,
    negative: Option<Vec<u32>>,
    /// Numbers of the anchor's and the partner's texts: equal texts have equal numbers.
    texts: [u32; 2],
}

#[derive(Debug)]
enum Partner {
    Itself,
    /// Some of the anchor's words; the tokens of each.
    Words(Vec<Vec<u32>>),
    Given(Vec<u32>),
}

/// The sentences of a batch, as token ids.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Views {
    pub anchors: Vec<Vec<u32>>,
    /// One an anchor.
    pub positives: Vec<Vec<u32>>,
    pub negatives: Vec<Vec<u32>>,
    /// Position in `anchors` of each hard negative's example, rising.
    pub owners: Vec<usize>,
}

/// Examples on their way to tokens, one at a time.
#[derive(Debug)]
pub struct Reader {
    examples: Examples,
    numbers: HashMap<Vec<u32>, u32>,
    is_anchor: Vec<bool>,
}

impl Reader {
    pub fn new(recipe: &Recipe) -> Self {
        let examples = Examples {
            items: Vec::new(),
            augmentation: recipe.augmentation,
            seed: recipe.seed,
            max_tokens: usize::from(recipe.max_tokens),
            tokens: 0,
            truncated: 0,
            distinct: 0,
        };
        Self { examples, numbers: HashMap::new(), is_anchor: Vec::new() }
    }

    /// Tokenises an example. One whose anchor has no word is passed over; a partner without a word
    /// is none.
    ///
    /// # Errors
    /// Where the tokeniser fails.
    pub fn push(
        &mut self,
        example: &Example,
        tokenise: &impl Fn(&str) -> Result<Tokens, model::error::Error>,
    ) -> Result<(), Error> {
        let Some(anchor) = self.sentence(&example.anchor, tokenise)? else { return Ok(()) };
        let given = match &example.positive {
            Some(text) => self.sentence(text, tokenise)?,
            None => None,
        };
        let negative = match (&given, &example.hard_negative) {
            (Some(_), Some(text)) => self.sentence(text, tokenise)?,
            _ => None,
        };
        let own = self.number(&anchor);
        let texts = [own, given.as_deref().map_or(own, |given| self.number(given))];
        let partner = match (given, self.examples.augmentation) {
            (Some(given), _) => Partner::Given(given),
            (None, Augmentation::Dropout | Augmentation::SameMask) => Partner::Itself,
            (None, _) => Partner::Words(self.words(&example.anchor, tokenise)?),
        };
        if let Some(is_anchor) = self.is_anchor.get_mut(own as usize)
            && !std::mem::replace(is_anchor, true)
        {
            self.examples.distinct += 1;
        }
        self.examples.items.push(Item { anchor, partner, negative, texts });
        Ok(())
    }

    /// All examples.
    ///
    /// # Errors
    /// [`Error::TooFewExamples`] with fewer than two different ones.
    pub fn finish(self) -> Result<Examples, Error> {
        if self.examples.distinct < FEWEST {
            return Err(Error::TooFewExamples { found: self.examples.distinct, needed: FEWEST });
        }
        Ok(self.examples)
    }

    fn sentence(
        &mut self,
        text: &str,
        tokenise: &impl Fn(&str) -> Result<Tokens, model::error::Error>,
    ) -> Result<Option<Vec<u32>>, Error> {
        let tokens = tokenise(text)?;
        let mut ids = tokens.ids;
        if ids.len() <= FRAME {
            return Ok(None);
        }
        let is_cut = cut(&mut ids, self.examples.max_tokens) || tokens.cut_from.is_some();
        self.examples.truncated += usize::from(is_cut);
        self.examples.tokens += ids.len() as u64;
        Ok(Some(ids))
    }

    /// Tokens of each word, as far as the anchor goes.
    fn words(
        &self,
        text: &str,
        tokenise: &impl Fn(&str) -> Result<Tokens, model::error::Error>,
    ) -> Result<Vec<Vec<u32>>, Error> {
        let mut room = self.examples.max_tokens.saturating_sub(FRAME);
        let mut found = Vec::new();
        for word in words(text) {
            let ids = tokenise(word)?.ids;
            let pieces = inside(&ids);
            let pieces = pieces.get(..room.min(pieces.len())).unwrap_or_default();
            room -= pieces.len();
            if !pieces.is_empty() {
                found.push(pieces.to_vec());
            }
            if room == 0 {
                break;
            }
        }
        Ok(found)
    }

    fn number(&mut self, ids: &[u32]) -> u32 {
        if let Some(number) = self.numbers.get(ids) {
            return *number;
        }
        let number = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        self.numbers.insert(ids.to_vec(), number);
        self.is_anchor.push(false);
        number
    }
}

impl Examples {
    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Tokens of all sentences, after cutting.
    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    /// Sentences that were cut.
    pub fn truncated(&self) -> usize {
        self.truncated
    }

    /// Different anchors.
    pub fn distinct(&self) -> usize {
        self.distinct
    }

    /// Numbers of an example's texts: equal texts have equal numbers.
    pub fn texts(&self, example: usize) -> [u32; 2] {
        self.items.get(example).map_or([0, 0], |item| item.texts)
    }

    /// The views of a batch's examples in a step: the same for the same step.
    pub fn views(&self, batch: &[usize], step: u32) -> Views {
        let mut views = Views::default();
        let items = batch.iter().filter_map(|example| Some((*example, self.items.get(*example)?)));
        for (example, item) in items {
            let mut rng = Rng::of(&[VIEWS, self.seed, u64::from(step), example as u64]);
            if let Some(negative) = &item.negative {
                views.negatives.push(negative.clone());
                views.owners.push(views.anchors.len());
            }
            views.anchors.push(item.anchor.clone());
            views.positives.push(self.partner(item, &mut rng));
        }
        views
    }

    fn partner(&self, item: &Item, rng: &mut Rng) -> Vec<u32> {
        let words = match &item.partner {
            Partner::Itself => return item.anchor.clone(),
            Partner::Given(ids) => return ids.clone(),
            Partner::Words(words) => words,
        };
        let kept = kept_words(self.augmentation, words.len(), rng);
        let pieces = kept.iter().filter_map(|word| words.get(*word)).flatten();
        let (first, last) = (item.anchor.first(), item.anchor.last());
        first.into_iter().chain(pieces).chain(last).copied().collect()
    }
}

/// `[CLS]` and `[SEP]`.
const FRAME: usize = 2;

/// A sentence's tokens without `[CLS]` and `[SEP]`.
fn inside(ids: &[u32]) -> &[u32] {
    ids.get(1..ids.len().saturating_sub(1)).unwrap_or_default()
}

/// Cuts a sentence to so many tokens; `[SEP]` stays. Whether it was longer.
fn cut(ids: &mut Vec<u32>, max_tokens: usize) -> bool {
    let longer = ids.len() > max_tokens.max(FRAME);
    if longer && let Some(last) = ids.pop() {
        ids.truncate(max_tokens.max(FRAME) - 1);
        ids.push(last);
    }
    longer
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLS: u32 = 101;
    const SEP: u32 = 102;

    /// Every letter is a token, a word of letters so many word pieces; blanks are none.
    fn letters(text: &str) -> Result<Tokens, model::error::Error> {
        let letters = text.chars().filter(|letter| *letter != ' ').map(u32::from);
        let ids = [CLS].into_iter().chain(letters).chain([SEP]).collect();
        Ok(Tokens { ids, ..Tokens::default() })
    }

    fn read(recipe: &Recipe, examples: &[Example]) -> Result<Examples, Error> {
        let mut reader = Reader::new(recipe);
        examples.iter().try_for_each(|example| reader.push(example, &letters))?;
        reader.finish()
    }

    fn example(anchor: &str, positive: Option<&str>, hard_negative: Option<&str>) -> Example {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let (positive, hard_negative) = (owned(positive), owned(hard_negative));
        Example { anchor: anchor.to_owned(), positive, hard_negative }
    }

    fn ids(text: &str) -> Vec<u32> {
        letters(text).unwrap().ids
    }

    #[test]
    fn views_of_a_mixed_batch() {
        let all = [
            example("ab c", None, Some("never read")),
            example("d", Some("e f"), Some("g")),
            example("  ", Some("dropped"), None),
            example("h", Some(" "), Some("without a positive")),
            example("i", Some("j"), None),
        ];
        let examples = read(&Recipe::default(), &all).unwrap();
        assert_eq!((examples.len(), examples.distinct(), examples.truncated()), (4, 4, 0));
        let views = examples.views(&[3, 0, 1, 2], 7);
        assert_eq!(views.anchors, ["i", "abc", "d", "h"].map(ids));
        assert_eq!(views.positives, ["j", "abc", "ef", "h"].map(ids));
        assert_eq!((views.negatives, views.owners), (vec![ids("g")], vec![2]));
        assert_eq!(examples.tokens(), (3 + 1 + 2 + 1 + 1 + 1 + 1) + 7 * 2);
    }

    #[test]
    fn long_sentences_keep_their_frame() {
        let recipe = Recipe { max_tokens: 4, ..Recipe::default() };
        let all = [example("abc", Some("de"), None), example("fghij", None, None)];
        let examples = read(&recipe, &all).unwrap();
        assert_eq!((examples.truncated(), examples.tokens()), (2, 12));
        let views = examples.views(&[0, 1], 1);
        assert_eq!(views.anchors, [ids("ab"), ids("fg")]);
        assert_eq!(views.positives, [ids("de"), ids("fg")]);
    }

    #[test]
    fn words_left_out_differ_from_step_to_step_and_never_between_equal_runs() {
        let augmentation = Augmentation::DeleteOneWord;
        let recipe = Recipe { augmentation, max_tokens: 8, ..Recipe::default() };
        let all = [example("ab  cd ef gh ij", None, None), example("k l", Some("m n"), None)];
        let examples = read(&recipe, &all).unwrap();
        let views = |step| examples.views(&[0, 1], step);
        let mut seen: Vec<Vec<u32>> = (1..40).map(|step| views(step).positives.remove(0)).collect();
        seen.sort();
        seen.dedup();
        let mut expected = ["cdef", "abef", "abcd"].map(ids);
        expected.sort();
        assert_eq!(seen, expected, "only words within the limit are left out or kept");
        assert_eq!(views(5), views(5));
        assert_eq!(views(5).positives[1], ids("mn"), "a given partner stays as it is");
        assert_eq!(views(5).anchors[0], ids("abcdef"));
    }

    #[test]
    fn equal_texts_have_equal_numbers() {
        let all =
            [example("a b", None, None), example("c", Some("ab"), None), example("ab", None, None)];
        let examples = read(&Recipe::default(), &all).unwrap();
        assert_eq!([0, 1, 2].map(|i| examples.texts(i)), [[0, 0], [1, 0], [0, 0]]);
        assert_eq!(examples.distinct(), 2);
    }

    #[test]
    fn one_sentence_said_often_is_too_few() {
        let all = [example("a b", None, None), example("ab", None, None), example("", None, None)];
        let error = read(&Recipe::default(), &all).unwrap_err();
        assert!(matches!(error, Error::TooFewExamples { found: 1, needed: 2 }));
    }
}
