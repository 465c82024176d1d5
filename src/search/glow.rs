//! Which words of a passage stand closest to a query: the cosines of their tokens' mean.

use crate::math::rows::{dot, normalise};

/// Cosines of a passage's words with a query `[hidden]`. `token_rows` are `[tokens, hidden]`; `pieces`
/// what the tokens are in words, special tokens included; a word is what its pieces make up when they are
/// followed through the text. Words that cannot be followed have none.
pub fn glow(
    passage: &str,
    pieces: &[String],
    token_rows: &[f32],
    query: &[f32],
) -> Vec<(u32, u32, f32)> {
    let hidden = query.len().max(1);
    let mut words: Vec<(usize, usize, Vec<f32>)> = Vec::new();
    let mut at = 0;
    for (piece, row) in pieces.iter().zip(token_rows.chunks_exact(hidden)) {
        let inner = piece.strip_prefix("##");
        let Some((start, end)) = follow(passage, at, inner.unwrap_or(piece)) else { continue };
        at = end;
        match words.last_mut().filter(|_| inner.is_some()) {
            Some((_, last, sum)) => {
                *last = end;
                sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            }
            None => words.push((start, end, row.to_vec())),
        }
    }
    let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let cosine = |mut sum: Vec<f32>| {
        normalise(&mut sum);
        dot(&sum, query)
    };
    let is_word = |(start, end, _): &(usize, usize, Vec<f32>)| {
        passage[*start..*end].chars().any(char::is_alphanumeric)
    };
    let found = words.into_iter().filter(is_word);
    found.map(|(start, end, sum)| (narrow(start), narrow(end), cosine(sum))).collect()
}

/// Where a piece stands in the text from `at` on: its letters as the tokeniser sees them, in small letters
/// and without marks, one after another. Looks over a few characters that have no piece of their own.
fn follow(text: &str, at: usize, piece: &str) -> Option<(usize, usize)> {
    const LOOK: usize = 24;
    let rest = text.get(at..)?;
    rest.char_indices().take(LOOK).find_map(|(skip, _)| {
        let start = at + skip;
        matched(&text[start..], piece).map(|length| (start, start + length))
    })
}

/// Bytes of the beginning of a text that says the same as a piece.
fn matched(text: &str, piece: &str) -> Option<usize> {
    let mut wanted = piece.chars().flat_map(char::to_lowercase).map(base);
    let mut next = wanted.next()?;
    for (at, character) in text.char_indices() {
        if is_mark(character) && at > 0 {
            continue;
        }
        for small in character.to_lowercase().map(base).filter(|it| !is_mark(*it)) {
            if small != next {
                return None;
            }
            match wanted.next() {
                Some(following) => next = following,
                None => return Some(at + character.len_utf8()),
            }
        }
    }
    None
}

fn is_mark(character: char) -> bool {
    matches!(u32::from(character), 0x300..=0x36f)
}

/// A letter without its mark.
fn base(character: char) -> char {
    crate::search::words::plain(character)
}

#[cfg(test)]
mod tests {
    use super::glow;

    fn of(text: &str, pieces: &[&str], rows: &[f32]) -> Vec<(String, f32)> {
        let pieces: Vec<String> = pieces.iter().map(|it| (*it).to_owned()).collect();
        let found = glow(text, &pieces, rows, &[1.0, 0.0]);
        found.iter().map(|(a, b, it)| (text[*a as usize..*b as usize].to_owned(), *it)).collect()
    }

    #[test]
    fn pieces_are_followed_to_words() {
        let rows = [9.0, 9.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 9.0, 9.0];
        let found = of("Élan, harbours", &["[CLS]", "elan", ",", "harbour", "##s", "[SEP]"], &rows);
        assert_eq!(found[0], ("Élan".to_owned(), 1.0));
        assert_eq!(found[1].0, "harbours");
        assert!((found[1].1 - 0.5_f32.sqrt()).abs() < 1e-6);
        assert_eq!(found.len(), 2);
        // What the tokeniser does not know is passed over.
        let found = of("☃ snow", &["[UNK]", "snow"], &[1.0, 0.0, 0.0, 1.0]);
        assert_eq!(found, [("snow".to_owned(), 0.0)]);
    }
}
