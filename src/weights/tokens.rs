//! Token lists: llama.cpp's spelling and WordPiece's, and what a `tokenizer.json` says of them.
//!
//! llama.cpp (`conversion/bert.py`, `phantom`) writes a piece that begins a word as `U+2581 piece`,
//! a continuation `##piece` as `piece`, and leaves control tokens such as `[CLS]` as they are.

use std::collections::BTreeMap;
use std::collections::HashSet;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;

use crate::weights::error::Error;
use crate::weights::metadata::Texts;

/// Marks a word's start in llama.cpp's token lists.
const WORD_START: char = '\u{2581}';
/// Marks a continuation in WordPiece vocabularies.
const CONTINUATION: &str = "##";

/// `llama_token_type` of llama.cpp's `include/llama.h`.
pub const TYPE_NORMAL: i32 = 1;
/// A token that stands for no text: `[CLS]`.
pub const TYPE_CONTROL: i32 = 3;
/// A token that a user added.
pub const TYPE_USER_DEFINED: i32 = 4;
/// A row without a token.
pub const TYPE_UNUSED: i32 = 5;

/// What turns text into token ids.
#[derive(Debug, Clone, PartialEq)]
pub enum Vocabulary {
    /// The whole `tokenizer.json` that travelled in the file.
    TokenizerJson(String),
    /// A WordPiece vocabulary in BERT's own spelling (`##` before continuations), rebuilt from
    /// llama.cpp's.
    WordPiece {
        tokens: Vec<String>,
        cls: u32,
        sep: u32,
        unknown: u32,
        padding: u32,
        /// Whether text is lower-cased and stripped of accents first.
        lowercase: bool,
    },
    /// Byte-level BPE, as RoBERTa has it.
    BytePairs {
        tokens: Vec<String>,
        /// Two tokens with a blank between them.
        merges: Vec<String>,
        specials: Specials,
    },
    /// SentencePiece's unigram model, as XLM-R has it.
    Unigram {
        tokens: Vec<String>,
        /// One a token.
        scores: Vec<f32>,
        /// Compiled rules of normalisation; empty where the file has none.
        charsmap: Vec<u8>,
        specials: Specials,
    },
}

/// Ids of special tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Specials {
    pub first: u32,
    pub last: u32,
    pub unknown: u32,
    pub padding: u32,
    pub mask: Option<u32>,
}

fn tokeniser(detail: impl Into<String>) -> Error {
    Error::Tokeniser { detail: detail.into() }
}

/// A bracketed name such as `[CLS]` or `[unused7]`.
fn is_bracketed(token: &str) -> bool {
    token.len() > 2 && token.starts_with('[') && token.ends_with(']')
}

/// Tokens in WordPiece's spelling from llama.cpp's. `types` may be shorter than `marked`.
pub fn unmark(marked: &Texts, types: &[i32]) -> Vec<String> {
    // Files made before llama.cpp marked word starts have BERT's own spelling already.
    let plain = !marked.iter().any(|token| token.starts_with(WORD_START))
        && marked.iter().any(|token| token.starts_with(CONTINUATION));
    let types = types.iter().copied().chain(std::iter::repeat(TYPE_NORMAL));
    let spelled = marked.iter().zip(types).map(|(token, kind)| {
        if let Some(word) = token.strip_prefix(WORD_START) {
            word.to_owned()
        } else if plain || kind != TYPE_NORMAL || is_bracketed(token) {
            token.to_owned()
        } else {
            format!("{CONTINUATION}{token}")
        }
    });
    spelled.collect()
}

/// A token in llama.cpp's spelling from WordPiece's.
pub fn mark(token: &str, kind: i32) -> String {
    match token.strip_prefix(CONTINUATION) {
        _ if kind == TYPE_CONTROL || kind == TYPE_UNUSED => token.to_owned(),
        Some(rest) => rest.to_owned(),
        None => format!("{WORD_START}{token}"),
    }
}

/// Ids of special tokens that a file's metadata gives, where it does.
#[derive(Debug, Clone, Copy, Default)]
pub struct SpecialIds {
    pub cls: Option<u64>,
    pub sep: Option<u64>,
    pub unknown: Option<u64>,
    pub padding: Option<u64>,
}

/// Special tokens of a list that has no brackets: by their usual names, else by the file's ids.
///
/// # Errors
/// [`Error::Tokeniser`] where one is missing.
pub fn specials(tokens: &[String], ids: SpecialIds) -> Result<Specials, Error> {
    let named = |name: &str| {
        let at = tokens.iter().position(|token| token == name)?;
        u32::try_from(at).ok()
    };
    let find = |name: &str, id: Option<u64>| {
        let by_id = id.filter(|id| *id < tokens.len() as u64).and_then(|id| id.try_into().ok());
        let found = named(name).or(by_id);
        found.ok_or_else(|| tokeniser(format!("the vocabulary has no {name} token")))
    };
    Ok(Specials {
        first: find("<s>", ids.cls)?,
        last: find("</s>", ids.sep)?,
        unknown: find("<unk>", ids.unknown)?,
        padding: find("<pad>", ids.padding)?,
        mask: named("<mask>"),
    })
}

/// A vocabulary from llama.cpp's token list.
///
/// Special tokens are found by their names first, for old converters wrote wrong ids. Text is
/// lower-cased unless some ordinary token has a Latin capital: the layout has no key for it.
///
/// # Errors
/// [`Error::Tokeniser`] where a special token is missing or a token is there twice.
pub fn rebuild(marked: &Texts, types: &[i32], ids: SpecialIds) -> Result<Vocabulary, Error> {
    let tokens = unmark(marked, types);
    let mut seen = HashSet::with_capacity(tokens.len());
    if let Some(double) = tokens.iter().find(|token| !seen.insert(token.as_str())) {
        return Err(tokeniser(format!("the token {double:?} is in the vocabulary twice")));
    }
    let find = |name: &str, id: Option<u64>| {
        let named = tokens.iter().position(|token| token == name).map(|position| position as u64);
        let id = named.or(id).filter(|id| *id < tokens.len() as u64);
        id.and_then(|id| u32::try_from(id).ok())
            .ok_or_else(|| tokeniser(format!("the vocabulary has no {name} token")))
    };
    let (cls, sep) = (find("[CLS]", ids.cls)?, find("[SEP]", ids.sep)?);
    let (unknown, padding) = (find("[UNK]", ids.unknown)?, find("[PAD]", ids.padding)?);
    // ASCII only: the uncased vocabulary has modifier letters such as U+1D2C, which Unicode counts
    // as capitals.
    let is_cased = |token: &String| {
        !is_bracketed(token) && token.bytes().any(|byte| byte.is_ascii_uppercase())
    };
    let lowercase = !tokens.iter().any(is_cased);
    Ok(Vocabulary::WordPiece { tokens, cls, sep, unknown, padding, lowercase })
}

/// The part of a `tokenizer.json` that bounds its ids.
#[derive(Deserialize)]
struct BoundedJson {
    model: BoundedModel,
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
}

#[derive(Deserialize)]
struct BoundedModel {
    vocab: Bound,
}

/// A token that was added beside the model's vocabulary.
#[derive(Debug, Clone, Deserialize)]
pub struct AddedToken {
    pub id: u64,
    pub content: String,
    #[serde(default)]
    pub special: bool,
}

/// One more than the highest id of a vocabulary, whether it is a map or a list.
struct Bound(u64);

impl<'de> Deserialize<'de> for Bound {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BoundVisitor;
        impl<'de> Visitor<'de> for BoundVisitor {
            type Value = Bound;

            fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str("a vocabulary")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Bound, A::Error> {
                let mut bound = 0;
                while let Some((_, id)) = map.next_entry::<IgnoredAny, u64>()? {
                    bound = bound.max(id.saturating_add(1));
                }
                Ok(Bound(bound))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Bound, A::Error> {
                let mut bound = 0;
                while list.next_element::<IgnoredAny>()?.is_some() {
                    bound += 1;
                }
                Ok(Bound(bound))
            }
        }
        deserializer.deserialize_any(BoundVisitor)
    }
}

/// Checks that every id which the `tokenizer.json` can give has a row in the embedding table.
///
/// # Errors
/// [`Error::Tokeniser`] where it cannot be read or some id is `rows` or more.
pub fn check_ids(json: &str, rows: u64) -> Result<(), Error> {
    let parsed: BoundedJson = serde_json::from_str(json)
        .map_err(|error| tokeniser(format!("tokenizer.json cannot be read: {error}")))?;
    let added = parsed.added_tokens.iter().map(|token| token.id.saturating_add(1)).max();
    let bound = parsed.model.vocab.0.max(added.unwrap_or(0));
    if bound == 0 {
        return Err(tokeniser("tokenizer.json has an empty vocabulary"));
    }
    if bound > rows {
        let detail = format!("tokenizer.json has {bound} ids, the embedding table {rows} rows");
        return Err(tokeniser(detail));
    }
    Ok(())
}

/// The part of a `tokenizer.json` that llama.cpp's layout repeats.
#[derive(Deserialize)]
struct ListedJson {
    model: ListedModel,
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
}

#[derive(Deserialize)]
struct ListedModel {
    #[serde(rename = "type")]
    kind: Option<String>,
    vocab: Listed,
    #[serde(default)]
    merges: Vec<Merge>,
}

/// Tokens with their ids, or in the order of their ids with scores.
#[derive(Deserialize)]
#[serde(untagged)]
enum Listed {
    Map(BTreeMap<String, u64>),
    Scored(Vec<(String, f64)>),
}

/// Two tokens, as newer files have them, or with a blank between them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Merge {
    Pair(String, String),
    Joined(String),
}

/// How text becomes tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListKind {
    WordPiece,
    /// Byte-level BPE.
    BytePairs,
    /// SentencePiece's unigram model.
    Unigram,
}

/// A vocabulary in the order of its ids.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenList {
    pub kind: ListKind,
    /// The tokeniser's own spelling; rows without a token are `[PAD<row>]`, as llama.cpp fills them.
    pub tokens: Vec<String>,
    /// `TYPE_*` of each.
    pub types: Vec<i32>,
    /// Of byte pairs: two tokens with a blank between them.
    pub merges: Vec<String>,
    /// Of a unigram model: one a token.
    pub scores: Vec<f32>,
}

impl TokenList {
    /// The list for an embedding table of `rows` rows.
    ///
    /// # Errors
    /// [`Error::Tokeniser`] where the file is of no known kind or has ids beyond `rows`.
    pub fn from_json(json: &str, rows: usize) -> Result<Self, Error> {
        check_ids(json, rows as u64)?;
        let parsed: ListedJson = serde_json::from_str(json)
            .map_err(|error| tokeniser(format!("tokenizer.json cannot be read: {error}")))?;
        let kind = list_kind(&parsed.model)?;
        let scores = if kind == ListKind::Unigram { vec![0.0; rows] } else { Vec::new() };
        let tokens = (0..rows).map(|row| format!("[PAD{row}]")).collect();
        let merges = parsed.model.merges.into_iter().map(|merge| match merge {
            Merge::Pair(first, second) => format!("{first} {second}"),
            Merge::Joined(merge) => merge,
        });
        let types = vec![TYPE_UNUSED; rows];
        let mut list = Self { kind, tokens, types, merges: merges.collect(), scores };
        match parsed.model.vocab {
            Listed::Map(map) => {
                map.into_iter().for_each(|(token, id)| list.place(id, token, TYPE_NORMAL));
            }
            Listed::Scored(scored) => {
                for (id, (token, score)) in scored.into_iter().enumerate() {
                    list.place(id as u64, token, TYPE_NORMAL);
                    if let Some(place) = list.scores.get_mut(id) {
                        *place = score as f32;
                    }
                }
            }
        }
        for AddedToken { id, content, special } in parsed.added_tokens {
            list.place(id, content, if special { TYPE_CONTROL } else { TYPE_USER_DEFINED });
        }
        Ok(list)
    }

    fn place(&mut self, id: u64, token: String, kind: i32) {
        let id = usize::try_from(id).unwrap_or(usize::MAX);
        if let (Some(slot), Some(slot_kind)) = (self.tokens.get_mut(id), self.types.get_mut(id)) {
            *slot = token;
            *slot_kind = kind;
        }
    }

    /// The id of a token.
    pub fn id(&self, token: &str) -> Option<u32> {
        let position = self.tokens.iter().position(|candidate| candidate == token)?;
        u32::try_from(position).ok()
    }
}

/// The kind that a file names; older files leave that to be seen.
fn list_kind(model: &ListedModel) -> Result<ListKind, Error> {
    match (model.kind.as_deref(), &model.vocab) {
        (Some("WordPiece"), Listed::Map(_)) => Ok(ListKind::WordPiece),
        (Some("BPE"), Listed::Map(_)) => Ok(ListKind::BytePairs),
        (Some("Unigram") | None, Listed::Scored(_)) => Ok(ListKind::Unigram),
        (None, Listed::Map(_)) if model.merges.is_empty() => Ok(ListKind::WordPiece),
        (None, Listed::Map(_)) => Ok(ListKind::BytePairs),
        (Some(other), _) => Err(tokeniser(format!(
            "tokenizer.json holds {other}; WordPiece, BPE and Unigram can be read"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_come_off_as_they_went_on() {
        let tokens = ["[PAD]", "[CLS]", "cat", "##s", "[unused3]", "[", "##]", "#", "##[x]"];
        let types = [3, 3, 1, 1, 1, 1, 1, 1, 4];
        let marked: Texts =
            tokens.iter().zip(types).map(|(token, kind)| mark(token, kind)).collect();
        let shown: Vec<_> = marked.iter().collect();
        let expected = ["[PAD]", "[CLS]", "▁cat", "s", "▁[unused3]", "▁[", "]", "▁#", "[x]"];
        assert_eq!(shown, expected);
        let back = unmark(&marked, &types);
        assert_eq!(back[..8], tokens[..8]);
    }

    #[test]
    fn files_of_old_converters_are_understood() {
        // Bracketed names were left alone whatever their type, and types may be missing.
        let old: Texts = ["[PAD]", "[unused0]", "▁cat", "s"].iter().collect();
        assert_eq!(unmark(&old, &[]), ["[PAD]", "[unused0]", "cat", "##s"]);
        let plain: Texts = ["[PAD]", "cat", "##s"].iter().collect();
        assert_eq!(unmark(&plain, &[]), ["[PAD]", "cat", "##s"]);
    }

    fn rebuilt(extra: &[&str], ids: SpecialIds) -> Result<Vocabulary, Error> {
        let all: Texts = ["[PAD]", "[UNK]", "[SEP]"].iter().chain(extra).collect();
        rebuild(&all, &[3, 3, 3], ids)
    }

    #[test]
    fn special_tokens_are_found_by_name_before_number() {
        let wrong = SpecialIds { cls: Some(0), padding: Some(2), ..Default::default() };
        let found = rebuilt(&["[CLS]", "▁cat", "▁\u{1d2c}"], wrong).unwrap();
        let Vocabulary::WordPiece { cls, sep, padding, lowercase, .. } = found else {
            panic!("a word piece vocabulary");
        };
        assert_eq!((cls, sep, padding, lowercase), (3, 2, 0, true));
        let named_otherwise = SpecialIds { cls: Some(4), ..Default::default() };
        let found = rebuilt(&["▁Cat", "<s>"], named_otherwise).unwrap();
        assert!(matches!(found, Vocabulary::WordPiece { cls: 4, lowercase: false, .. }));
        let beyond = SpecialIds { cls: Some(9), ..Default::default() };
        assert!(matches!(rebuilt(&["▁cat"], beyond), Err(Error::Tokeniser { .. })));
    }

    #[test]
    fn ids_without_a_row_are_refused() {
        let json =
            r###"{"model":{"vocab":{"a":0,"b":4}},"added_tokens":[{"id":6,"content":"x"}]}"###;
        assert_eq!(check_ids(json, 7), Ok(()));
        assert!(check_ids(json, 6).is_err());
        let unigram = r#"{"model":{"vocab":[["a",-1.0],["b",-2.0]]}}"#;
        assert_eq!(check_ids(unigram, 2), Ok(()));
        assert!(check_ids(unigram, 1).is_err());
    }

    #[test]
    fn rows_without_a_token_are_filled() {
        let json = r###"{"model":{"type":"WordPiece","vocab":{"a":0,"##b":2}},
            "added_tokens":[{"id":3,"content":"[X]","special":true},{"id":4,"content":"y"}]}"###;
        let list = TokenList::from_json(json, 6).unwrap();
        assert_eq!(list.tokens, ["a", "[PAD1]", "##b", "[X]", "y", "[PAD5]"]);
        assert_eq!(list.types, [1, 5, 1, 3, 4, 5]);
        assert_eq!(list.id("##b"), Some(2));
        assert_eq!(list.id("b"), None);
    }
}
