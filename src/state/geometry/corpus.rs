//! The sentences that are looked at.

use std::collections::HashMap;

use crate::catalogue::scored::SCORED;
use crate::catalogue::sentences::EVERYDAY;
use crate::text::lists::{Content, ListError, Pair, read_file, read_pasted};

/// Sentences that are measured at most; of more, so many are taken evenly.
pub const MOST_SENTENCES: usize = 1_000;
/// Fewer have no distances to speak of.
pub const FEWEST_SENTENCES: usize = 2;

/// A text and the name of the file that it came from.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Source {
    pub text: String,
    pub name: Option<String>,
}

/// A corpus that comes with the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bundled {
    /// Pairs with scores, so that there is an alignment.
    Pairs,
    Everyday,
}

impl Bundled {
    pub const ALL: [Self; 2] = [Self::Pairs, Self::Everyday];

    /// As the visitor could have pasted it.
    pub fn source(self) -> Source {
        let text = match self {
            Self::Everyday => EVERYDAY.to_owned(),
            Self::Pairs => {
                let lines = SCORED
                    .iter()
                    .map(|(first, second, score)| format!("{first}\t{second}\t{score}"));
                lines.collect::<Vec<_>>().join("\n")
            }
        };
        Source { text, name: None }
    }
}

/// The topic of every sentence, where a corpus has a column of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Topics {
    pub names: Vec<String>,
    /// Of each sentence the place of its topic's name; `None`: it has none.
    pub of: Vec<Option<u16>>,
}

/// The sentences that are looked at.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Corpus {
    /// Different ones; at most [`MOST_SENTENCES`].
    pub sentences: Vec<String>,
    pub topics: Topics,
    /// Positions of sentences that mean the same.
    pub positives: Vec<(u32, u32)>,
    /// Sentences, or twice as many as pairs, in the text.
    pub found: usize,
    /// Sentences that say what an earlier one says; only one of them counts.
    pub repeated: usize,
    /// Rows that lack a sentence or a score.
    pub skipped: usize,
    /// Whether more was found than is looked at.
    pub is_sample: bool,
}

impl Corpus {
    /// Reads what was pasted, or the file of that name.
    ///
    /// # Errors
    /// Where a table cannot be read.
    pub fn read(text: &str, name: Option<&str>) -> Result<Self, ListError> {
        let reading = match name {
            Some(name) => read_file(name, text.as_bytes())?,
            None => read_pasted(text),
        };
        let mut gathered = Gathered::default();
        match reading.content {
            Content::Empty => {}
            Content::Sentences(sentences) => gathered.take_sentences(sentences),
            Content::Pairs { pairs, gold } => gathered.take_pairs(pairs, &gold),
        }
        gathered.corpus.skipped = reading.skipped;
        Ok(gathered.corpus)
    }

    /// Whether there is enough to measure.
    pub fn is_enough(&self) -> bool {
        self.sentences.len() >= FEWEST_SENTENCES
    }
}

/// A corpus that grows, every sentence in it once.
#[derive(Debug, Default)]
struct Gathered {
    corpus: Corpus,
    places: HashMap<String, u32>,
}

impl Gathered {
    fn take_sentences(&mut self, sentences: Vec<String>) {
        self.corpus.found = sentences.len();
        let mut distinct = Self::default();
        for sentence in sentences {
            distinct.place(sentence);
        }
        self.corpus.repeated = distinct.corpus.repeated;
        let all = distinct.corpus.sentences;
        self.corpus.is_sample = all.len() > MOST_SENTENCES;
        self.corpus.sentences = evenly(&all, MOST_SENTENCES).cloned().collect();
    }

    fn take_pairs(&mut self, pairs: Vec<Pair>, gold: &[f32]) {
        self.corpus.found = 2 * pairs.len();
        let means_same = means_same(gold);
        let scored: Vec<(Pair, bool)> = pairs
            .into_iter()
            .enumerate()
            .map(|(place, pair)| (pair, gold.get(place).is_none_or(|score| means_same(*score))))
            .collect();
        self.corpus.is_sample = scored.len() > MOST_SENTENCES / 2;
        for ((first, second), is_positive) in evenly(&scored, MOST_SENTENCES / 2) {
            let (first, second) = (self.place(first.clone()), self.place(second.clone()));
            // A sentence with itself would only flatter.
            if *is_positive && first != second {
                self.corpus.positives.push((first, second));
            }
        }
    }

    /// Position of a sentence, which is taken up if it is new.
    fn place(&mut self, sentence: String) -> u32 {
        let next = u32::try_from(self.corpus.sentences.len()).unwrap_or(u32::MAX);
        if let Some(place) = self.places.get(&sentence) {
            self.corpus.repeated += 1;
            return *place;
        }
        self.corpus.sentences.push(sentence.clone());
        self.places.insert(sentence, next);
        next
    }
}

/// SimCSE takes STS-B pairs rated above 4 of 5 as positives; of scores from 0 to 1 that is above .8.
fn means_same(gold: &[f32]) -> impl Fn(f32) -> bool {
    let is_share = gold.iter().all(|score| (0.0..=1.0).contains(score));
    move |score| score > if is_share { 0.8 } else { 4.0 }
}

/// At most so many of the items, evenly chosen, in their order.
fn evenly<T>(items: &[T], most: usize) -> impl Iterator<Item = &T> {
    let count = items.len().min(most);
    (0..count).filter_map(move |place| items.get(place * items.len() / count.max(1)))
}

#[cfg(test)]
mod tests {
    use super::{Bundled, Corpus, MOST_SENTENCES};

    fn read(text: &str) -> Corpus {
        Corpus::read(text, None).expect("a corpus")
    }

    #[test]
    fn every_sentence_counts_once() {
        let corpus = read("one\ntwo\none\nthree");
        assert_eq!(corpus.sentences, ["one", "two", "three"]);
        assert_eq!((corpus.found, corpus.repeated, corpus.is_sample), (4, 1, false));
        assert!(corpus.positives.is_empty());
    }

    #[test]
    fn pairs_above_four_of_five_mean_the_same() {
        let corpus = read("a\tb\t5\nb\tc\t4\nc\td\t4.2\nd\td\t5");
        assert_eq!(corpus.sentences, ["a", "b", "c", "d"]);
        assert_eq!(corpus.positives, [(0, 1), (2, 3)]);
        assert_eq!(corpus.repeated, 4);
    }

    #[test]
    fn scores_up_to_one_are_shares_and_pairs_without_scores_all_mean_the_same() {
        assert_eq!(read("a\tb\t.9\nc\td\t0.7").positives, [(0, 1)]);
        assert_eq!(read("a\tb\nc\td").positives, [(0, 1), (2, 3)]);
    }

    #[test]
    fn of_many_some_are_taken_evenly() {
        let lines: Vec<String> = (0..2_500).map(|line| format!("sentence {line}")).collect();
        let corpus = read(&lines.join("\n"));
        assert_eq!((corpus.sentences.len(), corpus.found), (MOST_SENTENCES, 2_500));
        assert!(corpus.is_sample);
        assert_eq!(corpus.sentences[1], "sentence 2");
        assert_eq!(corpus.sentences[MOST_SENTENCES - 1], "sentence 2497");
        let pairs: Vec<String> =
            (0..2_000).map(|line| format!("left {line}\tright {line}")).collect();
        let corpus = read(&pairs.join("\n"));
        assert_eq!((corpus.sentences.len(), corpus.positives.len()), (1_000, 500));
        assert_eq!(corpus.positives[499], (998, 999));
    }

    #[test]
    fn what_is_bundled_can_be_measured() {
        for bundled in Bundled::ALL {
            let corpus = read(&bundled.source().text);
            assert!(corpus.sentences.len() >= 100 && !corpus.is_sample, "{bundled:?}");
            assert_eq!(corpus.skipped, 0, "{bundled:?}");
        }
        assert!(read(&Bundled::Pairs.source().text).positives.len() >= 10);
    }

    #[test]
    fn nothing_is_not_enough() {
        assert!(!read("").is_enough() && !read("one").is_enough() && read("one\ntwo").is_enough());
    }
}
