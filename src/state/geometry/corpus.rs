//! The sentences that are looked at.

use std::collections::{HashMap, HashSet};
use std::ops::Deref;
use std::sync::Arc;

use crate::catalogue::scored::SCORED;
use crate::catalogue::sentences::EVERYDAY;
use crate::math::evenly::evenly as place_of;
use crate::protocol::lab::Scored;
use crate::text::columns::Roles;
use crate::text::corpus::{Entry, Table, read};
use crate::text::lists::ListError;

/// Sentences that are measured at most; of more, so many are taken evenly.
pub const MOST_SENTENCES: usize = 100_000;
/// Fewer have no distances to speak of.
pub const FEWEST_SENTENCES: usize = 2;

/// A text, where it is from, and how to read it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    pub text: Arc<str>,
    /// The file that it came from: its ending tells how to read it.
    pub name: Option<String>,
    /// What the visitor says the columns are; `None`: as they look.
    pub roles: Option<Roles>,
    /// The bundled corpus that it is.
    pub bundled: Option<Bundled>,
}

/// A corpus that comes with the page, or lies beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bundled {
    /// Pairs with scores, so that there is an alignment.
    Pairs,
    Everyday,
    /// Words of several meanings.
    Senses,
    /// What people ask for.
    Questions,
    /// As in a newspaper.
    Stories,
}

impl Bundled {
    pub const ALL: [Self; 5] =
        [Self::Pairs, Self::Everyday, Self::Senses, Self::Questions, Self::Stories];

    /// Name in the address, and in what is saved.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Pairs => "pairs",
            Self::Everyday => "everyday",
            Self::Senses => "senses",
            Self::Questions => "questions",
            Self::Stories => "stories",
        }
    }

    /// The corpus of that [`Bundled::slug`].
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|bundled| bundled.slug() == slug)
    }

    /// Address beside the page; `None`: the page has it in itself.
    pub fn url(self) -> Option<String> {
        let lies_beside = matches!(self, Self::Senses | Self::Questions | Self::Stories);
        lies_beside.then(|| format!("corpora/{}.tsv", self.slug()))
    }

    /// As the visitor could have pasted it; `None` where it lies beside the page.
    pub fn source(self) -> Option<Source> {
        let text = match self {
            Self::Everyday => EVERYDAY.to_owned(),
            Self::Pairs => {
                let lines = SCORED
                    .iter()
                    .map(|(first, second, score)| format!("{first}\t{second}\t{score}"));
                lines.collect::<Vec<_>>().join("\n")
            }
            Self::Senses | Self::Questions | Self::Stories => return None,
        };
        Some(Source { text: text.into(), bundled: Some(self), ..Source::default() })
    }

    /// What lies beside the page, once its text is here.
    pub fn arrived(self, text: &str) -> Source {
        let name = Some(format!("{}.tsv", self.slug()));
        Source { text: text.into(), name, bundled: Some(self), roles: None }
    }
}

/// What the sentences are about.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Topics {
    /// In the order in which they come in the text.
    pub names: Vec<String>,
    /// Position in `names` for each sentence; empty where no sentence has a topic.
    pub of: Vec<Option<u16>>,
}

/// The sentences that are looked at.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Corpus {
    /// Different ones; at most [`MOST_SENTENCES`].
    pub sentences: Arc<[String]>,
    pub topics: Topics,
    /// Positions of sentences that mean the same.
    pub positives: Vec<(u32, u32)>,
    /// Pairs and how alike people found them.
    pub scored: Vec<Scored>,
    /// The columns, where the text is a table of several.
    pub table: Option<Table>,
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
    /// Reads a text.
    ///
    /// # Errors
    /// Where a table cannot be read.
    pub fn read(source: &Source) -> Result<Self, ListError> {
        Self::read_at_most(source, MOST_SENTENCES)
    }

    fn read_at_most(source: &Source, most: usize) -> Result<Self, ListError> {
        let reading = read(&source.text, source.name.as_deref(), source.roles)?;
        let mut gathered = Gathered::default();
        let is_pairs = reading.table.as_ref().is_some_and(|table| table.roles.partner.is_some());
        if is_pairs {
            gathered.take_pairs(&reading.entries, most);
        } else {
            gathered.take_sentences(&reading.entries, most);
        }
        let counts = Self { skipped: reading.skipped, table: reading.table, ..gathered.corpus };
        Ok(Self { sentences: gathered.sentences.into(), ..counts })
    }

    /// Whether there is enough to measure.
    pub fn is_enough(&self) -> bool {
        self.sentences.len() >= FEWEST_SENTENCES
    }
}

/// A corpus that several places hold. It is told from another one by its number, for there is much in
/// it.
#[derive(Debug, Clone, Default)]
pub struct Held {
    number: u32,
    corpus: Arc<Corpus>,
}

impl Held {
    /// The corpus that takes this one's place; this one where they are the same.
    pub fn followed_by(&self, corpus: Corpus) -> Self {
        if *self.corpus == corpus {
            return self.clone();
        }
        Self { number: self.number + 1, corpus: Arc::new(corpus) }
    }

    /// Tells it from the corpora before it.
    pub fn number(&self) -> u32 {
        self.number
    }
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Deref for Held {
    type Target = Corpus;

    fn deref(&self) -> &Corpus {
        &self.corpus
    }
}

/// A corpus that grows, every sentence in it once.
#[derive(Debug, Default)]
struct Gathered<'a> {
    corpus: Corpus,
    sentences: Vec<String>,
    places: HashMap<&'a str, u32>,
    topic_places: HashMap<&'a str, u16>,
}

impl<'a> Gathered<'a> {
    fn take_sentences(&mut self, entries: &'a [Entry], most: usize) {
        self.corpus.found = entries.len();
        let mut seen = HashSet::with_capacity(entries.len());
        let distinct = entries.iter().filter(|entry| seen.insert(entry.sentence.as_str()));
        let distinct: Vec<&Entry> = distinct.collect();
        self.corpus.repeated = entries.len() - distinct.len();
        self.corpus.is_sample = distinct.len() > most;
        for entry in evenly(&distinct, most) {
            self.place(&entry.sentence, entry.topic.as_deref());
        }
    }

    fn take_pairs(&mut self, entries: &'a [Entry], most: usize) {
        self.corpus.found = 2 * entries.len();
        let is_share = entries.iter().filter_map(|entry| entry.score).all(is_share);
        self.corpus.is_sample = entries.len() > most / 2;
        for entry in evenly(entries, most / 2) {
            let topic = entry.topic.as_deref();
            let first = self.place(&entry.sentence, topic);
            let Some(partner) = &entry.partner else { continue };
            let second = self.place(partner, topic);
            let means_same = entry.score.is_none_or(|score| means_same(score, is_share));
            // A sentence with itself would only flatter.
            if means_same && first != second {
                self.corpus.positives.push((first, second));
            }
            self.corpus.scored.extend(entry.score.map(|gold| Scored { first, second, gold }));
        }
    }

    /// Position of a sentence, which is taken up if it is new.
    fn place(&mut self, sentence: &'a str, topic: Option<&'a str>) -> u32 {
        if let Some(place) = self.places.get(sentence) {
            self.corpus.repeated += 1;
            return *place;
        }
        let place = u32::try_from(self.sentences.len()).unwrap_or(u32::MAX);
        self.sentences.push(sentence.to_owned());
        self.places.insert(sentence, place);
        let topic = topic.and_then(|topic| self.topic(topic));
        let of = &mut self.corpus.topics.of;
        if topic.is_some() || !of.is_empty() {
            // Those before the first topic have none.
            of.resize(place as usize, None);
            of.push(topic);
        }
        place
    }

    /// Position of a topic; `None` for those beyond what can be counted.
    fn topic(&mut self, name: &'a str) -> Option<u16> {
        if let Some(place) = self.topic_places.get(name) {
            return Some(*place);
        }
        let place = u16::try_from(self.corpus.topics.names.len()).ok()?;
        self.corpus.topics.names.push(name.to_owned());
        self.topic_places.insert(name, place);
        Some(place)
    }
}

/// Whether a score can be one from 0 to 1.
fn is_share(score: f32) -> bool {
    (0.0..=1.0).contains(&score)
}

/// SimCSE takes STS-B pairs rated above 4 of 5 as positives; of scores from 0 to 1 that is above .8.
fn means_same(score: f32, is_share: bool) -> bool {
    score > if is_share { 0.8 } else { 4.0 }
}

/// At most so many of the items, evenly chosen, in their order.
fn evenly<T>(items: &[T], most: usize) -> impl Iterator<Item = &T> {
    let count = items.len().min(most);
    (0..count).filter_map(move |place| items.get(place_of(place, count, items.len())))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Bundled, Corpus, EVERYDAY, Roles, SCORED, Source};
    use crate::protocol::lab::Scored;

    fn of(text: &str) -> Source {
        Source { text: text.into(), ..Source::default() }
    }

    fn read(text: &str) -> Corpus {
        Corpus::read(&of(text)).expect("a corpus")
    }

    #[test]
    fn every_sentence_counts_once() {
        let corpus = read("one\ntwo\none\nthree");
        assert_eq!(*corpus.sentences, ["one", "two", "three"]);
        assert_eq!((corpus.found, corpus.repeated, corpus.is_sample), (4, 1, false));
        assert!(corpus.positives.is_empty() && corpus.topics.of.is_empty());
    }

    #[test]
    fn pairs_above_four_of_five_mean_the_same() {
        let corpus = read("a\tb\t5\nb\tc\t4\nc\td\t4.2\nd\td\t5");
        assert_eq!(*corpus.sentences, ["a", "b", "c", "d"]);
        assert_eq!(corpus.positives, [(0, 1), (2, 3)]);
        assert_eq!(corpus.repeated, 4);
        let scored = [(0, 1, 5.0), (1, 2, 4.0), (2, 3, 4.2), (3, 3, 5.0)];
        let scored = scored.map(|(first, second, gold)| Scored { first, second, gold });
        assert_eq!(corpus.scored, scored);
    }

    #[test]
    fn scores_up_to_one_are_shares_and_pairs_without_scores_all_mean_the_same() {
        assert_eq!(read("a\tb\t.9\nc\td\t0.7").positives, [(0, 1)]);
        let corpus = read("a\tb\nc\td");
        assert_eq!((corpus.positives, corpus.scored), (vec![(0, 1), (2, 3)], vec![]));
    }

    #[test]
    fn of_many_some_are_taken_evenly() {
        let read = |text: &str| Corpus::read_at_most(&of(text), 1_000).expect("a corpus");
        let lines: Vec<String> = (0..2_500).map(|line| format!("sentence {line}")).collect();
        let corpus = read(&lines.join("\n"));
        assert_eq!((corpus.sentences.len(), corpus.found), (1_000, 2_500));
        assert!(corpus.is_sample);
        assert_eq!(corpus.sentences[1], "sentence 2");
        assert_eq!(corpus.sentences[999], "sentence 2497");
        let pairs: Vec<String> =
            (0..2_000).map(|line| format!("left {line}\tright {line}")).collect();
        let corpus = read(&pairs.join("\n"));
        assert_eq!((corpus.sentences.len(), corpus.positives.len()), (1_000, 500));
        assert_eq!(corpus.positives[499], (998, 999));
    }

    #[test]
    fn a_topic_belongs_to_its_sentence_also_when_some_have_none() {
        let text = "text\ttopic\nplain\t\nred\tcolour\nbig\tsize\nred\tsize\nblue\tcolour";
        let corpus = read(text);
        assert_eq!(*corpus.sentences, ["plain", "red", "big", "blue"]);
        assert_eq!(corpus.topics.names, ["colour", "size"]);
        assert_eq!(corpus.topics.of, [None, Some(0), Some(1), Some(0)]);
        assert_eq!((corpus.found, corpus.repeated), (5, 1));
    }

    #[test]
    fn the_visitor_says_what_the_columns_are() {
        let mut source = of("a b\tc d\ne f\tg h");
        assert_eq!(Corpus::read(&source).unwrap().positives.len(), 2);
        source.roles = Some(Roles { sentence: 1, topic: Some(0), ..Roles::default() });
        let corpus = Corpus::read(&source).unwrap();
        assert_eq!(*corpus.sentences, ["c d", "g h"]);
        assert_eq!(corpus.topics.names, ["a b", "e f"]);
        // A choice for another table does not count.
        source.roles = Some(Roles { sentence: 7, ..Roles::default() });
        assert_eq!(Corpus::read(&source).unwrap().positives.len(), 2);
    }

    #[test]
    fn what_is_bundled_can_be_measured() {
        for bundled in Bundled::ALL {
            assert_eq!(Bundled::from_slug(bundled.slug()), Some(bundled));
            assert_eq!(bundled.source().is_none(), bundled.url().is_some());
            let Some(source) = bundled.source() else { continue };
            let corpus = Corpus::read(&source).unwrap();
            assert!(corpus.sentences.len() >= 100 && !corpus.is_sample, "{bundled:?}");
            assert_eq!(corpus.skipped, 0, "{bundled:?}");
        }
        let pairs = Corpus::read(&Bundled::Pairs.source().unwrap()).unwrap();
        assert!(pairs.positives.len() >= 10 && pairs.scored.len() > pairs.positives.len());
    }

    const BESIDE: [(Bundled, &str); 3] = [
        (Bundled::Senses, include_str!("../../../assets/corpora/senses.tsv")),
        (Bundled::Questions, include_str!("../../../assets/corpora/questions.tsv")),
        (Bundled::Stories, include_str!("../../../assets/corpora/stories.tsv")),
    ];

    #[test]
    fn what_lies_beside_the_page_is_large_distinct_and_has_topics() {
        for (bundled, text) in BESIDE {
            let corpus = Corpus::read(&bundled.arrived(text)).unwrap();
            let count = corpus.sentences.len();
            assert!((240..=360).contains(&count), "{bundled:?}: {count}");
            assert_eq!((corpus.found, corpus.repeated, corpus.skipped), (count, 0, 0));
            assert!((10..=48).contains(&corpus.topics.names.len()), "{bundled:?}");
            for (topic, name) in corpus.topics.names.iter().enumerate() {
                let of = |of: &&Option<u16>| of.is_some_and(|of| usize::from(of) == topic);
                assert!(corpus.topics.of.iter().filter(of).count() >= 6, "{name}");
            }
            assert!(corpus.topics.of.iter().all(Option::is_some) && corpus.positives.is_empty());
        }
    }

    #[test]
    fn what_lies_beside_the_page_is_plain_english_and_none_of_it_is_trained_or_tested_on() {
        let known: HashSet<&str> = EVERYDAY.lines().collect();
        let tested =
            |sentence: &str| SCORED.iter().any(|pair| [pair.0, pair.1].contains(&sentence));
        for line in BESIDE.iter().flat_map(|(_, text)| text.lines().skip(1)) {
            let (sentence, topic) = line.split_once('\t').unwrap();
            let is_plain = |c: char| c.is_ascii_alphanumeric() || " ,.;:?!'-".contains(c);
            assert!(line.replace('\t', "").chars().all(is_plain), "{line}");
            let words = sentence.split_whitespace().count();
            assert!((4..=25).contains(&words) && !topic.is_empty(), "{line}");
            assert!(!known.contains(sentence) && !tested(sentence), "{line}");
        }
    }

    #[test]
    fn nothing_is_not_enough() {
        assert!(!read("").is_enough() && !read("one").is_enough() && read("one\ntwo").is_enough());
    }
}
