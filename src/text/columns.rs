//! Which column of a table is what: by the names in its first row, else by what stands in them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::text::lists::number;

/// Columns that are told apart; what stands further right is not looked at.
pub(super) const MOST_COLUMNS: usize = 64;
/// Rows that are looked at.
const SAMPLE: usize = 300;
/// In fewer rows nothing repeats often enough to be taken for a topic.
const LEAST_ROWS: usize = 12;
/// Characters of a topic, in the mean.
const LONGEST_TOPIC: usize = 40;

const FIRST: [&str; 12] = [
    "sentence1",
    "sentence 1",
    "sentence_1",
    "sentence_a",
    "text1",
    "text_a",
    "first",
    "sent0",
    "anchor",
    "premise",
    "question1",
    "句子1",
];
const SECOND: [&str; 12] = [
    "sentence2",
    "sentence 2",
    "sentence_2",
    "sentence_b",
    "text2",
    "text_b",
    "second",
    "sent1",
    "positive",
    "hypothesis",
    "question2",
    "句子2",
];
const SENTENCE: [&str; 17] = [
    "text",
    "sentence",
    "sentences",
    "content",
    "utterance",
    "question",
    "query",
    "message",
    "body",
    "review",
    "comment",
    "document",
    "passage",
    "description",
    "句子",
    "文本",
    "内容",
];
const TOPIC: [&str; 19] = [
    "topic",
    "label",
    "labels",
    "category",
    "class",
    "group",
    "cluster",
    "genre",
    "intent",
    "theme",
    "section",
    "subject",
    "tag",
    "label_text",
    "sense",
    "主题",
    "类别",
    "标签",
    "分类",
];
const SCORE: [&str; 4] = ["score", "gold", "similarity", "rating"];

/// Which column is what, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Roles {
    pub sentence: usize,
    /// A sentence that means the same, or is more or less alike.
    pub partner: Option<usize>,
    /// How alike the two are.
    pub score: Option<usize>,
    pub topic: Option<usize>,
}

impl Roles {
    /// Whether a table of so many columns has them all, and none is two things that exclude each
    /// other.
    pub(super) fn fit(self, width: usize) -> bool {
        let all = [Some(self.sentence), self.partner, self.score, self.topic];
        let others = [self.partner, self.score, self.topic];
        all.iter().flatten().all(|column| *column < width)
            && !others.contains(&Some(self.sentence))
            && (self.partner.is_some() || self.score.is_none())
    }
}

/// Whether a cell is what people call a column of sentences.
pub(super) fn names_sentences(cell: &str) -> bool {
    SENTENCE.contains(&cell.trim().to_lowercase().as_str())
}

/// What stands in a column.
struct Column {
    index: usize,
    /// Cells that hold something, and those of them that are numbers.
    filled: usize,
    numbers: usize,
    /// Of all cells together.
    characters: usize,
    distinct: usize,
}

impl Column {
    fn of(rows: &[Vec<String>], index: usize) -> Self {
        let cells =
            || rows.iter().filter_map(move |row| row.get(index)).filter(|cell| !cell.is_empty());
        Self {
            index,
            filled: cells().count(),
            numbers: cells().filter(|cell| number(cell).is_some()).count(),
            characters: cells().map(|cell| cell.chars().count()).sum(),
            distinct: cells().collect::<BTreeSet<_>>().len(),
        }
    }

    /// Half: a few cells that are no number do not make a column of words.
    fn is_numeric(&self) -> bool {
        self.filled > 0 && self.numbers * 2 >= self.filled
    }

    fn is_text(&self) -> bool {
        self.filled > 0 && !self.is_numeric()
    }

    /// The same few short texts again and again.
    fn repeats(&self) -> bool {
        self.filled >= LEAST_ROWS
            && self.distinct * 3 <= self.filled
            && self.characters <= LONGEST_TOPIC * self.filled
    }

    /// Row numbers: they stand before the sentences, and none comes twice.
    fn counts_rows_before(&self, sentences: &Self) -> bool {
        self.index < sentences.index && self.filled >= LEAST_ROWS && self.distinct == self.filled
    }

    fn mean_characters(&self) -> usize {
        self.characters / self.filled.max(1)
    }
}

/// Which column is what, and whether the first row names them.
pub(super) fn find(rows: &[Vec<String>]) -> (Roles, bool) {
    let names: Vec<String> = rows.first().map_or_else(Vec::new, |row| {
        row.iter().take(MOST_COLUMNS).map(|cell| cell.trim().to_lowercase()).collect()
    });
    let data = rows.get(1..).filter(|data| !data.is_empty()).unwrap_or(rows);
    let sample = data.get(..SAMPLE).unwrap_or(data);
    let width = sample.iter().map(Vec::len).max().unwrap_or(0).min(MOST_COLUMNS);
    let columns: Vec<Column> = (0..width).map(|index| Column::of(sample, index)).collect();
    match by_names(&names, &columns) {
        Some(roles) => (roles, true),
        None => by_content(&names, &columns),
    }
}

/// Which column is what, as far as the names of columns say.
fn by_names(names: &[String], columns: &[Column]) -> Option<Roles> {
    let named = |known: &[&str]| names.iter().position(|name| known.contains(&name.as_str()));
    let numeric = |index: &usize| columns.get(*index).is_some_and(Column::is_numeric);
    let scored = names.iter().position(|name| SCORE.iter().any(|part| name.contains(part)));
    let topic = named(&TOPIC);
    if let (Some(sentence), Some(partner)) = (named(&FIRST), named(&SECOND)) {
        // "label" is a score where it is a number.
        let score = scored.or(topic).filter(numeric);
        let topic = topic.filter(|topic| Some(*topic) != score);
        return Some(Roles { sentence, partner: Some(partner), score, topic });
    }
    let alone = |sentence| Roles { sentence, topic, ..Roles::default() };
    if let Some(sentence) = named(&SENTENCE) {
        return Some(alone(sentence));
    }
    let others = columns.iter().filter(|column| Some(column.index) != topic && column.is_text());
    let longest = others.max_by_key(|column| column.characters)?;
    // Two sentences and a number under "label" are pairs and their scores.
    topic.filter(|topic| !numeric(topic))?;
    Some(alone(longest.index))
}

/// Which column is what, by what stands in them; and whether the first row must be names, for it has
/// a word over the scores, or single words over sentences.
fn by_content(names: &[String], columns: &[Column]) -> (Roles, bool) {
    let texts: Vec<&Column> = columns.iter().filter(|column| column.is_text()).collect();
    let last_number = columns.iter().rev().find(|column| column.is_numeric());
    let has_name = |column: &Column| {
        names.get(column.index).is_some_and(|name| !name.is_empty() && number(name).is_none())
    };
    let named = last_number.is_some_and(has_name);
    let (first, second) = match sentences(&texts)[..] {
        [] => return (Roles::default(), false),
        [only] => (only, None),
        [first, second, ..] => (first, Some(second)),
    };
    let score = last_number.filter(|score| second.is_some() && !score.counts_rows_before(first));
    let used = [Some(first), second, score].map(|column| column.map(|column| column.index));
    let may_be_topic = |column: &&Column| {
        let is_word = second.is_none() || column.is_text();
        column.repeats() && is_word && !used.contains(&Some(column.index))
    };
    // Words say more than numbers.
    let topic = columns.iter().filter(may_be_topic).max_by_key(|column| column.characters);
    let [_, partner, score] = used;
    let topic = topic.map(|column| column.index);
    let longest = [Some(first), second].into_iter().flatten();
    let longest = longest.max_by_key(|column| column.characters).unwrap_or(first);
    let headed = named || (columns.len() > 1 && are_words_over(longest, names));
    (Roles { sentence: first.index, partner, score, topic }, headed)
}

/// Whether the first row has a single word in every cell, other words everywhere, and stands over
/// sentences many times as long.
fn are_words_over(sentences: &Column, names: &[String]) -> bool {
    const LEAST_SENTENCE: usize = 12;
    let is_word = |name: &String| {
        let ends = ['.', '!', '?', '。', '！', '？'];
        !name.is_empty()
            && number(name).is_none()
            && !name.chars().any(char::is_whitespace)
            && !name.ends_with(ends)
    };
    let distinct = names.iter().collect::<BTreeSet<_>>().len() == names.len();
    let mean = sentences.mean_characters();
    let is_far_longer = |name: &String| name.chars().count() * 3 <= mean;
    distinct
        && names.iter().all(is_word)
        && mean >= LEAST_SENTENCE
        && names.get(sentences.index).is_some_and(is_far_longer)
}

/// The one or two columns that hold sentences.
fn sentences<'a>(texts: &[&'a Column]) -> Vec<&'a Column> {
    let varied: Vec<&Column> = texts.iter().copied().filter(|column| !column.repeats()).collect();
    // Where everything repeats, nothing is a topic.
    let varied = if varied.is_empty() { texts.to_vec() } else { varied };
    let longest = varied.iter().map(|column| column.mean_characters()).max().unwrap_or(0);
    let is_long = |column: &&Column| varied.len() <= 2 || column.mean_characters() * 2 >= longest;
    let long: Vec<&Column> = varied.iter().copied().filter(is_long).collect();
    long.into_iter().take(2).collect()
}
