//! Passages out of a row's text: the whole of it, its sentences, or several sentences together.

use unicode_segmentation::UnicodeSegmentation;

use crate::protocol::search::Cut;

/// Characters of a passage at most; longer ones are cut after a sentence or a word.
pub const MOST_CHARACTERS: usize = 4_000;
/// Bounds of the words of a passage.
const WORDS: (usize, usize) = (5, 400);

/// What is written with a full stop inside a sentence, without its last one, in small letters.
const ABBREVIATIONS: [&str; 36] = [
    "mr", "mrs", "ms", "dr", "prof", "st", "vs", "e.g", "i.e", "cf", "fig", "no", "vol", "pp", "p",
    "ch", "sec", "approx", "jr", "sr", "inc", "ltd", "co", "corp", "dept", "est", "gen", "rev",
    "capt", "lt", "col", "bzw", "ca", "z.b", "d.h", "nr",
];

/// Gives the passages of a text. White space is one space; control characters are none.
pub fn passages(text: &str, cut: Cut, mut push: impl FnMut(&str)) {
    match cut {
        Cut::Rows => pieces(&clean(text), &mut push),
        Cut::Sentences => {
            let text = clean(text);
            sentences(&text).into_iter().for_each(|sentence| pieces(sentence, &mut push));
        }
        Cut::Passages { words } => {
            let most = usize::from(words).clamp(WORDS.0, WORDS.1);
            // An empty line ends a passage.
            for paragraph in text.split("\n\n").map(clean) {
                together(&paragraph, most, &mut push);
            }
        }
    }
}

fn clean(text: &str) -> String {
    let words = text.split(|it: char| it.is_whitespace() || it.is_control());
    let mut out = String::with_capacity(text.len());
    for word in words.filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// Sentences by Unicode's rules (UAX #29), put together again where only an abbreviation parted them.
pub fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut start, mut end) = (0, 0);
    for part in text.split_sentence_bounds() {
        end += part.len();
        let sentence = &text[start..end];
        if !ends_in_abbreviation(sentence.trim_end()) {
            found.push(sentence.trim());
            start = end;
        }
    }
    found.push(text[start..end].trim());
    found.retain(|sentence| !sentence.is_empty());
    found
}

fn ends_in_abbreviation(sentence: &str) -> bool {
    let Some(body) = sentence.strip_suffix('.') else { return false };
    let last = body.rsplit(|it: char| it.is_whitespace() || it == '(').next().unwrap_or(body);
    let mut characters = last.chars();
    let is_initial =
        characters.next().is_some_and(char::is_uppercase) && characters.next().is_none();
    is_initial || ABBREVIATIONS.contains(&last.to_lowercase().as_str())
}

/// Whole sentences together, up to so many words; a longer sentence is cut between words.
fn together(text: &str, most: usize, push: &mut impl FnMut(&str)) {
    let (mut passage, mut count) = (String::new(), 0);
    let mut parts = Vec::new();
    for sentence in sentences(text) {
        in_words(sentence, most, |part, words| parts.push((part, words)));
    }
    for (part, words) in parts {
        if count > 0 && count + words > most {
            pieces(&passage, push);
            passage.clear();
            count = 0;
        }
        if !passage.is_empty() {
            passage.push(' ');
        }
        passage.push_str(part);
        count += words;
    }
    pieces(&passage, push);
}

/// Parts of a sentence of at most so many words each. Characters of a script without spaces count as
/// half a word each.
fn in_words<'a>(sentence: &'a str, most: usize, mut give: impl FnMut(&'a str, usize)) {
    let (mut start, mut halves) = (0, 0);
    let mut in_word = false;
    for (at, character) in sentence.char_indices() {
        let is_wide = is_wide(character);
        let begins = !character.is_whitespace() && (is_wide || !in_word);
        if begins && halves >= 2 * most {
            give(sentence[start..at].trim(), halves.div_ceil(2));
            (start, halves) = (at, 0);
        }
        if begins {
            halves += if is_wide { 1 } else { 2 };
        }
        in_word = !character.is_whitespace() && !is_wide;
    }
    give(sentence[start..].trim(), halves.div_ceil(2));
}

/// Han, kana and Thai: words are not parted by spaces.
fn is_wide(character: char) -> bool {
    matches!(u32::from(character), 0x0e00..=0x0e7f | 0x3040..=0x30ff | 0x3400..=0x9fff | 0x20000..=0x3ffff)
}

/// The text, or several parts of it where it is too long for a passage: cut after a sentence, else
/// after a word, else anywhere.
fn pieces(text: &str, push: &mut impl FnMut(&str)) {
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = rest.char_indices().nth(MOST_CHARACTERS).map_or(rest.len(), |(at, _)| at);
        let (head, _) = rest.split_at(end);
        let at = if end == rest.len() {
            end
        } else {
            let sentence = head.rfind(". ").or_else(|| head.rfind('。')).filter(|at| *at > end / 2);
            let after = |at: usize| at + head[at..].chars().next().map_or(1, char::len_utf8);
            sentence.map(after).or_else(|| head.rfind(' ').filter(|at| *at > 0)).unwrap_or(end)
        };
        push(rest[..at].trim());
        rest = rest[at..].trim_start();
    }
}
