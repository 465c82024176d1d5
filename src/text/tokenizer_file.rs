//! The `tokenizer.json` of a vocabulary that comes without one: of BERT's `vocab.txt`, of the
//! `vocab.json` and `merges.txt` of RoBERTa, of token lists in GGUF files.
//!
//! Rules: huggingface/transformers, `convert_slow_tokenizer.py` (`BertConverter`, `RobertaConverter`,
//! `XLMRobertaConverter`).

use serde_json::Value;
use serde_json::json;

/// The longest word that WordPiece looks up, in characters; longer ones become `[UNK]`.
/// (google-research/bert `tokenization.py`, 200 there; 100 in the `tokenizers` files of BERT.)
const MAX_WORD_CHARS: usize = 100;

/// A token that stands for no text, or is cut out of texts whole: content and id.
pub type Special = (String, u32);

/// What stands around a sentence, and the tokens that stand for no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub first: Special,
    pub last: Special,
    pub unknown: Special,
    pub padding: Special,
    pub mask: Option<Special>,
}

impl Frame {
    fn all(&self) -> impl Iterator<Item = &Special> {
        let mut all: Vec<_> =
            [&self.padding, &self.unknown, &self.first, &self.last].into_iter().collect();
        all.extend(&self.mask);
        all.sort_by_key(|special| special.1);
        all.dedup_by_key(|special| special.1);
        all.into_iter()
    }

    /// `keeps_blanks`: whether a mask takes the blanks before it along, as in RoBERTa.
    fn added(&self, keeps_blanks: bool) -> Vec<Value> {
        let mask = self.mask.as_ref().map(|mask| mask.1);
        let added = self.all().map(|(content, id)| {
            let lstrip = keeps_blanks && Some(*id) == mask;
            json!({"id": id, "content": content, "special": true, "normalized": false,
                   "single_word": false, "lstrip": lstrip, "rstrip": false})
        });
        added.collect()
    }

    fn pair(special: &Special) -> Value {
        json!([special.0, special.1])
    }
}

/// WordPiece as BERT has it: `tokens` with `##` before continuations, by their ids.
pub fn word_pieces<'a>(
    tokens: impl IntoIterator<Item = (&'a str, u32)>,
    frame: &Frame,
    lowercase: bool,
) -> String {
    let vocabulary: serde_json::Map<_, _> =
        tokens.into_iter().map(|(token, id)| (token.to_owned(), json!(id))).collect();
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": frame.added(false),
        "normalizer": {"type": "BertNormalizer", "clean_text": true,
            "handle_chinese_chars": true, "strip_accents": null, "lowercase": lowercase},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "BertProcessing", "cls": Frame::pair(&frame.first),
            "sep": Frame::pair(&frame.last)},
        "decoder": null,
        "model": {"type": "WordPiece", "unk_token": frame.unknown.0,
            "continuing_subword_prefix": "##", "max_input_chars_per_word": MAX_WORD_CHARS,
            "vocab": vocabulary},
    })
    .to_string()
}

/// Byte-level BPE as RoBERTa has it; a merge is two tokens with a blank between them.
pub fn byte_pairs<'a>(
    tokens: impl IntoIterator<Item = (&'a str, u32)>,
    merges: impl IntoIterator<Item = &'a str>,
    frame: &Frame,
) -> String {
    let vocabulary: serde_json::Map<_, _> =
        tokens.into_iter().map(|(token, id)| (token.to_owned(), json!(id))).collect();
    let merges: Vec<_> = merges.into_iter().collect();
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": frame.added(true),
        "normalizer": null,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
            "use_regex": true},
        "post_processor": {"type": "RobertaProcessing", "cls": Frame::pair(&frame.first),
            "sep": Frame::pair(&frame.last), "trim_offsets": true, "add_prefix_space": false},
        "decoder": null,
        "model": {"type": "BPE", "dropout": null, "unk_token": null,
            "continuing_subword_prefix": "", "end_of_word_suffix": "", "fuse_unk": false,
            "byte_fallback": false, "ignore_merges": false, "vocab": vocabulary, "merges": merges},
    })
    .to_string()
}

/// SentencePiece's unigram model as XLM-R has it. `charsmap`: its compiled rules of normalisation, in
/// base 64, where the file has them.
pub fn unigram<'a>(
    scored: impl IntoIterator<Item = (&'a str, f64)>,
    charsmap: Option<&str>,
    frame: &Frame,
) -> String {
    let vocabulary: Vec<_> =
        scored.into_iter().map(|(token, score)| json!([token, score])).collect();
    let normalizer =
        charsmap.map(|map| json!({"type": "Precompiled", "precompiled_charsmap": map}));
    let (first, last) = (&frame.first, &frame.last);
    let part = |special: &Special| json!({"SpecialToken": {"id": special.0, "type_id": 0}});
    let known =
        |special: &Special| json!({"id": special.0, "ids": [special.1], "tokens": [special.0]});
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": frame.added(true),
        "normalizer": normalizer,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "WhitespaceSplit"},
            {"type": "Metaspace", "replacement": "\u{2581}", "prepend_scheme": "always",
             "split": true}]},
        "post_processor": {"type": "TemplateProcessing",
            "single": [part(first), {"Sequence": {"id": "A", "type_id": 0}}, part(last)],
            "pair": [part(first), {"Sequence": {"id": "A", "type_id": 0}}, part(last),
                     part(last), {"Sequence": {"id": "B", "type_id": 0}}, part(last)],
            "special_tokens": {first.0.clone(): known(first), last.0.clone(): known(last)}},
        "decoder": null,
        "model": {"type": "Unigram", "unk_id": frame.unknown.1, "vocab": vocabulary,
            "byte_fallback": false},
    })
    .to_string()
}
