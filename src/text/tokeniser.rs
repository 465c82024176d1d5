//! Text to token ids: WordPiece as BERT does it, through the `tokenizers` crate.
//!
//! Truncation is ours: a sentence longer than the model's limit keeps `[CLS]`, its first
//! `max_tokens - 2` pieces and `[SEP]`, and [`Tokens::cut_from`] says so.
//!
//! *Why long texts are cut into pieces first:* the library keeps some hundred bytes per byte of
//! text while it works. BERT's tokenisation is word-local (what stands on one side of a blank, of
//! a Western punctuation mark or of a Chinese character never changes the tokens on the other
//! side), so a long text is tokenised in pieces of a few kilobytes, with the same result.

use tokenizers::Tokenizer;
use tokenizers::models::ModelWrapper;
use tokenizers::normalizers::NormalizerWrapper;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;

use crate::text::tokenizer_file::Frame;
use crate::text::tokenizer_file::Special;
use crate::text::tokenizer_file::word_pieces;

/// A text is tokenised in pieces of about so many bytes.
const PIECE_BYTES: usize = 4 << 10;

/// Once the model's limit is reached, tokens are counted within so many bytes from the start.
const COUNTED_BYTES: usize = 64 << 10;

/// Embedding tables are padded to a multiple of at most this many rows.
const TABLE_PADDING: usize = 256;

/// What the model demands of its tokeniser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest sequence, `[CLS]` and `[SEP]` included.
    pub max_tokens: usize,
    /// Rows of the model's token table.
    pub vocabulary: usize,
}

/// A vocabulary without a `tokenizer.json`, word pieces inside a word marked by `##`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordPieces {
    /// Position is the id.
    pub tokens: Vec<String>,
    pub cls: u32,
    pub sep: u32,
    pub unknown: u32,
    pub padding: u32,
    /// Lower-case, and strip accents.
    pub lowercase: bool,
}

/// A tokenised sentence.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tokens {
    /// `[CLS]`, at most `max_tokens - 2` pieces, `[SEP]`.
    pub ids: Vec<u32>,
    /// The ids in words.
    pub pieces: Vec<String>,
    /// Number of tokens before truncation, where the sentence was cut: exact for texts up to
    /// 64 KiB, beyond that the count of the tokens in (about) the first 64 KiB.
    pub cut_from: Option<u32>,
}

/// A tokeniser that cannot be used with the model.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the tokeniser in the file cannot be read: {detail}")]
    Unreadable { detail: String },
    #[error("the tokeniser lacks the special token {name}")]
    MissingSpecial { name: String },
    #[error(
        "the tokeniser knows {tokeniser} tokens, the model {model}: they do not belong together"
    )]
    Vocabulary { tokeniser: usize, model: usize },
    #[error("a limit of {max_tokens} tokens leaves no room for a sentence")]
    Limit { max_tokens: usize },
    #[error("a text could not be tokenised: {detail}")]
    Failed { detail: String },
}

/// Text to token ids.
#[derive(Debug)]
pub struct Tokeniser {
    inner: Tokenizer,
    /// `[CLS]`
    first: u32,
    /// `[SEP]`
    last: u32,
    max_tokens: usize,
    /// Whether a long text may be cut into pieces without changing its tokens.
    word_local: bool,
    /// Punctuation after which a cut is safe.
    cut_after: String,
}

impl Tokeniser {
    /// From the text of a `tokenizer.json`. Its own truncation and padding are dropped.
    ///
    /// # Errors
    /// Where the text is not such a file, names no `[CLS]` and `[SEP]`, or does not fit the model.
    pub fn from_json(json: &str, limits: Limits) -> Result<Self, Error> {
        let inner = Tokenizer::from_bytes(json.as_bytes()).map_err(unreadable)?;
        Self::new(inner, limits)
    }

    /// From a list of word pieces, with BERT's usual rules around it.
    ///
    /// # Errors
    /// Where a special token lies outside the list, or the list does not fit the model.
    pub fn from_word_pieces(pieces: &WordPieces, limits: Limits) -> Result<Self, Error> {
        Self::new(rebuild(pieces)?, limits)
    }

    fn new(mut inner: Tokenizer, limits: Limits) -> Result<Self, Error> {
        if limits.max_tokens < 3 {
            return Err(Error::Limit { max_tokens: limits.max_tokens });
        }
        inner.with_truncation(None).map_err(unreadable)?;
        inner.with_padding(None);
        check_vocabulary(&inner, limits.vocabulary)?;
        let (first, last) = specials(&inner)?;
        let word_local = is_word_local(&inner);
        let cut_after = safe_punctuation(&inner);
        Ok(Self { inner, first, last, max_tokens: limits.max_tokens, word_local, cut_after })
    }

    /// The tokens of a text. Never refuses a text for its length.
    ///
    /// # Errors
    /// Where the file's own rules contradict themselves (such as a missing `[UNK]`).
    pub fn tokenise(&self, text: &str) -> Result<Tokens, Error> {
        let room = self.max_tokens.saturating_sub(2);
        let mut ids = vec![self.first];
        let mut count = 0;
        let mut rest = text;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(self.piece_end(rest));
            let encoding = self.inner.encode_fast(piece, false).map_err(failed)?;
            let free = room.saturating_sub(count);
            ids.extend(encoding.get_ids().iter().take(free));
            count += encoding.len();
            rest = after;
            if count > room && text.len() - rest.len() >= COUNTED_BYTES {
                break;
            }
        }
        ids.push(self.last);
        let pieces = ids.iter().map(|id| self.inner.id_to_token(*id).unwrap_or_default()).collect();
        let total = u32::try_from(count + 2).unwrap_or(u32::MAX);
        Ok(Tokens { ids, pieces, cut_from: (count > room).then_some(total) })
    }

    /// Where the next piece of a text ends, in bytes: at the last safe cut within the piece size,
    /// else at the first one beyond it, else at the end.
    fn piece_end(&self, text: &str) -> usize {
        if !self.word_local || text.len() <= PIECE_BYTES {
            return text.len();
        }
        let mut within = None;
        for (start, character) in text.char_indices() {
            if !self.is_cut_after(character) {
                continue;
            }
            let end = start + character.len_utf8();
            if end > PIECE_BYTES {
                return within.unwrap_or(end);
            }
            within = Some(end);
        }
        // The tail holds no cut beyond the piece size.
        within.unwrap_or(text.len())
    }

    fn is_cut_after(&self, character: char) -> bool {
        // Not every white space: `clean_text` deletes U+0085 and joins its neighbours.
        matches!(character, ' ' | '\n' | '\r' | '\t' | '\u{4e00}'..='\u{9fff}')
            || self.cut_after.contains(character)
    }
}

fn unreadable(error: tokenizers::Error) -> Error {
    Error::Unreadable { detail: error.to_string() }
}

fn failed(error: tokenizers::Error) -> Error {
    Error::Failed { detail: error.to_string() }
}

/// The `tokenizer.json` that BERT's rules make of a word list.
fn rebuild(pieces: &WordPieces) -> Result<Tokenizer, Error> {
    let mask = pieces.tokens.iter().position(|token| token == "[MASK]");
    let mask = mask.and_then(|id| u32::try_from(id).ok()).map(|id| ("[MASK]".to_owned(), id));
    let frame = Frame {
        first: named(pieces, "[CLS]", pieces.cls)?,
        last: named(pieces, "[SEP]", pieces.sep)?,
        unknown: named(pieces, "[UNK]", pieces.unknown)?,
        padding: named(pieces, "[PAD]", pieces.padding)?,
        mask,
    };
    let tokens = pieces.tokens.iter().map(String::as_str).zip(0..);
    let file = word_pieces(tokens, &frame, pieces.lowercase);
    Tokenizer::from_bytes(file).map_err(unreadable)
}

fn named(pieces: &WordPieces, name: &str, id: u32) -> Result<Special, Error> {
    usize::try_from(id)
        .ok()
        .and_then(|position| pieces.tokens.get(position))
        .map(|token| (token.clone(), id))
        .ok_or_else(|| Error::MissingSpecial { name: format!("{name} (id {id})") })
}

/// The tokeniser may know fewer tokens than the table has rows (padding), never more.
fn check_vocabulary(inner: &Tokenizer, model: usize) -> Result<(), Error> {
    let highest = inner.get_vocab(true).into_values().max();
    let tokeniser = highest.map_or(0, |id| id as usize + 1);
    if tokeniser > model || tokeniser + TABLE_PADDING <= model {
        return Err(Error::Vocabulary { tokeniser, model });
    }
    Ok(())
}

/// The tokens that the post-processor puts round an empty text.
fn specials(inner: &Tokenizer) -> Result<(u32, u32), Error> {
    let empty = inner.encode_fast("", true).map_err(unreadable)?;
    match empty.get_ids() {
        [first, last] => Ok((*first, *last)),
        _ => Err(Error::MissingSpecial { name: "[CLS] or [SEP]".to_owned() }),
    }
}

fn is_word_local(inner: &Tokenizer) -> bool {
    let blank_in_token = inner
        .get_added_tokens_decoder()
        .values()
        .any(|token| token.content.contains(char::is_whitespace));
    let normaliser = match inner.get_normalizer() {
        Some(NormalizerWrapper::BertNormalizer(rules)) => rules.handle_chinese_chars,
        _ => false,
    };
    normaliser
        && !blank_in_token
        && matches!(inner.get_model(), ModelWrapper::WordPiece(_))
        && matches!(inner.get_pre_tokenizer(), Some(PreTokenizerWrapper::BertPreTokenizer(_)))
}

/// Punctuation that is a word of its own and part of no special token.
fn safe_punctuation(inner: &Tokenizer) -> String {
    let added = inner.get_added_tokens_decoder();
    ",.;:!?-/、。，！？；："
        .chars()
        .filter(|mark| !added.values().any(|token| token.content.contains(*mark)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { max_tokens: 16, vocabulary: 16 };

    fn pieces() -> WordPieces {
        let words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##b", "word", ",", "你"];
        let mut tokens: Vec<String> = words.map(str::to_owned).to_vec();
        tokens.resize_with(LIMITS.vocabulary, String::new);
        for (position, token) in tokens.iter_mut().enumerate().skip(words.len()) {
            *token = format!("[unused{position}]");
        }
        WordPieces { tokens, cls: 2, sep: 3, unknown: 1, padding: 0, lowercase: true }
    }

    fn tokeniser() -> Tokeniser {
        Tokeniser::from_word_pieces(&pieces(), LIMITS).unwrap()
    }

    #[test]
    fn words_pieces_and_unknowns() {
        let tokens = tokeniser().tokenise("Ab, WORD xyz 你你 [MASK]").unwrap();
        assert_eq!(tokens.ids, [2, 5, 6, 8, 7, 1, 9, 9, 4, 3]);
        assert_eq!(tokens.pieces[1..3], ["a", "##b"]);
        assert_eq!(tokens.cut_from, None);
    }

    #[test]
    fn an_empty_text_is_cls_and_sep() {
        assert_eq!(tokeniser().tokenise("").unwrap().ids, [2, 3]);
    }

    #[test]
    fn the_limit_cuts_and_says_so() {
        let tokeniser = tokeniser();
        let fits = tokeniser.tokenise(&"word ".repeat(14)).unwrap();
        assert_eq!((fits.ids.len(), fits.cut_from), (16, None));
        let cut = tokeniser.tokenise(&"word ".repeat(15)).unwrap();
        assert_eq!((cut.ids.len(), cut.cut_from), (16, Some(17)));
        assert_eq!(cut.ids.last(), Some(&3));
        assert_eq!(cut.pieces.len(), 16);
    }

    #[test]
    fn pieces_of_a_long_text_tokenise_as_the_whole() {
        let limits = Limits { max_tokens: 100_000, ..LIMITS };
        let tokeniser = Tokeniser::from_word_pieces(&pieces(), limits).unwrap();
        let parts =
            ["ab word", ",", "你", " ", "xyz,,", "a\u{85}b ", "[MASK]", "\u{301}", "wo\trd"];
        let text: String = (0..6_000).map(|i| parts[(i * i + i / 11) % parts.len()]).collect();
        assert!(text.len() > 4 * PIECE_BYTES && text.len() < COUNTED_BYTES);
        let whole = tokeniser.inner.encode(text.as_str(), true).unwrap();
        let tokens = tokeniser.tokenise(&text).unwrap();
        assert!(tokens.ids == whole.get_ids());
        assert!(tokens.pieces == whole.get_tokens());
    }

    #[test]
    fn a_megabyte_without_blanks_is_one_unknown_word() {
        let tokens = tokeniser().tokenise(&"x".repeat(1 << 20)).unwrap();
        assert_eq!((tokens.ids, tokens.cut_from), (vec![2, 1, 3], None));
    }

    #[test]
    fn counting_stops_after_the_first_part_of_a_huge_text() {
        let tokens = tokeniser().tokenise(&"word,".repeat(200_000)).unwrap();
        let counted = tokens.cut_from.unwrap() as usize;
        assert!((COUNTED_BYTES / 5 * 2..2 * COUNTED_BYTES).contains(&counted), "{counted}");
    }

    #[test]
    fn a_foreign_vocabulary_is_refused() {
        let limits = Limits { vocabulary: 15, ..LIMITS };
        let error = Tokeniser::from_word_pieces(&pieces(), limits).unwrap_err();
        assert!(matches!(error, Error::Vocabulary { tokeniser: 16, model: 15 }));
        let limits = Limits { vocabulary: 30_522, ..LIMITS };
        let error = Tokeniser::from_word_pieces(&pieces(), limits).unwrap_err();
        assert!(matches!(error, Error::Vocabulary { tokeniser: 16, model: 30_522 }));
    }

    #[test]
    fn missing_specials_are_named() {
        let outside = WordPieces { cls: 99, ..pieces() };
        let error = Tokeniser::from_word_pieces(&outside, LIMITS).unwrap_err();
        assert!(error.to_string().contains("[CLS] (id 99)"), "{error}");
        let json = r###"{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],
            "normalizer":null,"pre_tokenizer":null,"post_processor":null,"decoder":null,
            "model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##",
            "max_input_chars_per_word":100,"vocab":{"[UNK]":0}}}"###;
        let limits = Limits { vocabulary: 1, ..LIMITS };
        let error = Tokeniser::from_json(json, limits).unwrap_err();
        assert!(matches!(error, Error::MissingSpecial { .. }));
        let error = Tokeniser::from_json("{]", limits).unwrap_err();
        assert!(matches!(error, Error::Unreadable { .. }));
    }
}
