//! Passages by keywords: BM25 (Robertson & Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and
//! Beyond"), with k1 = 1.2, b = 0.75 and the weight `ln(1 + (N - n + 0.5) / (n + 0.5))` of a word that
//! `n` of `N` passages have, which is never negative (as in Lucene).

use std::collections::HashMap;

use crate::search::words::{Word, words};

const K1: f32 = 1.2;
const B: f32 = 0.75;
/// Words that the beginning of one may stand for at most.
const MOST_ENDINGS: usize = 64;

/// Which passages have which words.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bm25 {
    numbers: HashMap<String, u32>,
    /// By number of the word: passages, rising, and how often they have it.
    postings: Vec<Vec<(u32, u16)>>,
    /// `[passages]`, in words.
    lengths: Vec<u32>,
    total: u64,
}

/// A query's words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    words: Vec<String>,
    /// The last one may be the beginning of a word: it is still being typed.
    is_open: bool,
}

impl Wanted {
    pub fn new(query: &str) -> Self {
        let mut whole = words_of(query);
        let is_open = query.chars().last().is_some_and(char::is_alphanumeric);
        let last = if is_open { whole.pop() } else { None };
        let mut seen = std::collections::HashSet::new();
        let mut words: Vec<String> =
            whole.into_iter().filter(|word| seen.insert(word.clone())).collect();
        let is_open = last.is_some();
        words.extend(last);
        Self { words, is_open }
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Where a text has one of the words, in bytes.
    pub fn places(&self, text: &str) -> Vec<(u32, u32)> {
        let is_wanted = |word: &Word| {
            let open = self.words.last().filter(|_| self.is_open);
            self.words.contains(&word.text)
                || open.is_some_and(|open| word.text.starts_with(open.as_str()))
        };
        let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let found = words(text).into_iter().filter(is_wanted);
        found.map(|word| (narrow(word.start), narrow(word.end))).collect()
    }
}

fn words_of(text: &str) -> Vec<String> {
    words(text).into_iter().map(|word| word.text).collect()
}

impl Bm25 {
    /// Passages that were taken.
    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// Takes the next passage.
    pub fn push(&mut self, passage: &str) {
        let position = u32::try_from(self.lengths.len()).unwrap_or(u32::MAX);
        let words = words_of(passage);
        self.lengths.push(u32::try_from(words.len()).unwrap_or(u32::MAX));
        self.total += words.len() as u64;
        for word in words {
            let next = u32::try_from(self.postings.len()).unwrap_or(u32::MAX);
            let number = *self.numbers.entry(word).or_insert(next) as usize;
            if number == self.postings.len() {
                self.postings.push(Vec::new());
            }
            let posting = &mut self.postings[number];
            match posting.last_mut() {
                Some((last, count)) if *last == position => *count = count.saturating_add(1),
                _ => posting.push((position, 1)),
            }
        }
    }

    /// Weights of all passages that have any of the words, by position.
    pub fn weigh(&self, wanted: &Wanted) -> HashMap<u32, f32> {
        let mut weights: HashMap<u32, f32> = HashMap::new();
        let last = wanted.words.len().saturating_sub(1);
        for (place, word) in wanted.words.iter().enumerate() {
            let counts = self.counts(word, wanted.is_open && place == last);
            let (n, of) = (counts.len() as f32, self.lengths.len() as f32);
            let idf = (1.0 + (of - n + 0.5) / (n + 0.5)).ln();
            for (position, count) in counts {
                *weights.entry(position).or_default() += idf * self.saturated(position, count);
            }
        }
        weights
    }

    /// Passages with how often they have a word, or one of the words that begin like it.
    fn counts(&self, word: &str, is_open: bool) -> Vec<(u32, u32)> {
        let exact = self.numbers.get(word).copied();
        let mut numbers: Vec<u32> = exact.into_iter().collect();
        if is_open {
            let longer =
                self.numbers.iter().filter(|(it, _)| it.len() > word.len() && it.starts_with(word));
            let mut longer: Vec<(&String, u32)> =
                longer.map(|(it, number)| (it, *number)).collect();
            // The same ones on every machine: the shortest, then by the alphabet.
            longer.sort_unstable_by(|a, b| a.0.len().cmp(&b.0.len()).then(a.0.cmp(b.0)));
            numbers.extend(longer.into_iter().take(MOST_ENDINGS).map(|(_, number)| number));
        }
        let postings = numbers.iter().filter_map(|number| self.postings.get(*number as usize));
        let mut counts: Vec<(u32, u32)> =
            postings.flatten().map(|(position, count)| (*position, u32::from(*count))).collect();
        if numbers.len() > 1 {
            counts.sort_unstable();
            counts.dedup_by(|next, kept| {
                let is_same = next.0 == kept.0;
                kept.1 += if is_same { next.1 } else { 0 };
                is_same
            });
        }
        counts
    }

    fn saturated(&self, position: u32, count: u32) -> f32 {
        let length = self.lengths.get(position as usize).copied().unwrap_or(0) as f32;
        let mean = (self.total as f32 / self.lengths.len().max(1) as f32).max(1e-9);
        let count = count as f32;
        count * (K1 + 1.0) / (count + K1 * (1.0 - B + B * length / mean))
    }
}

/// Weighed passages, the heaviest first, of equals the earlier.
pub fn ranked(weights: &HashMap<u32, f32>) -> Vec<(u32, f32)> {
    let mut all: Vec<(u32, f32)> = weights.iter().map(|(at, weight)| (*at, *weight)).collect();
    all.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    all
}

#[cfg(test)]
mod tests {
    use super::{B, Bm25, K1, Wanted, ranked, words_of};

    fn indexed(passages: &[&str]) -> Bm25 {
        let mut index = Bm25::default();
        passages.iter().for_each(|passage| index.push(passage));
        index
    }

    /// The formula, word by word.
    fn naive(passages: &[String], query: &[String], position: usize) -> f64 {
        let all: Vec<Vec<String>> = passages.iter().map(|passage| words_of(passage)).collect();
        let mean = all.iter().map(Vec::len).sum::<usize>() as f64 / all.len() as f64;
        let (k1, b) = (f64::from(K1), f64::from(B));
        query
            .iter()
            .map(|word| {
                let n = all.iter().filter(|words| words.contains(word)).count() as f64;
                let idf = (1.0 + (all.len() as f64 - n + 0.5) / (n + 0.5)).ln();
                let count = all[position].iter().filter(|it| *it == word).count() as f64;
                let length = all[position].len() as f64;
                if count == 0.0 {
                    return 0.0;
                }
                idf * count * (k1 + 1.0) / (count + k1 * (1.0 - b + b * length / mean))
            })
            .sum()
    }

    proptest::proptest! {
        #[test]
        fn weights_are_those_of_the_formula(
            passages in proptest::collection::vec("[a-c]{1,2}( [a-c]{1,2}){0,6}", 1..12),
            query in proptest::collection::vec("[a-c]{1,2}", 1..4),
        ) {
            let index = indexed(&passages.iter().map(String::as_str).collect::<Vec<_>>());
            // A full stop ends the last word.
            let weights = index.weigh(&Wanted::new(&format!("{}.", query.join(" "))));
            let mut distinct = query.clone();
            distinct.sort();
            distinct.dedup();
            for position in 0..passages.len() {
                let wanted = naive(&passages, &distinct, position);
                let found = weights.get(&(position as u32)).copied().unwrap_or(0.0);
                proptest::prop_assert!((f64::from(found) - wanted).abs() < 1e-4, "{found} {wanted}");
            }
        }
    }

    #[test]
    fn the_last_word_may_be_a_beginning() {
        let index = indexed(&["the harbour froze", "the harsh wind", "the ship"]);
        let of = |query: &str| {
            let mut found: Vec<u32> = index.weigh(&Wanted::new(query)).into_keys().collect();
            found.sort_unstable();
            found
        };
        assert_eq!(of("har"), [0, 1]);
        assert_eq!(of("har "), [0_u32; 0]);
        assert_eq!(of("ship har"), [0, 1, 2]);
        assert_eq!(Wanted::new("HARB the").places("the harbour"), [(0, 3)]);
        assert_eq!(Wanted::new("the HARB").places("The Harbour froze"), [(0, 3), (4, 11)]);
        let first = ranked(&index.weigh(&Wanted::new("the harbour.")));
        assert_eq!((first[0].0, first.len()), (0, 3));
        assert!(Wanted::new(" ?").is_empty());
    }
}
