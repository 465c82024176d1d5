//! A `tokenizer.json` of an uncased BERT, as Hugging Face writes it, for a vocabulary of our own.

use serde_json::{Map, Value, json};

/// The first tokens of every such vocabulary, in this order.
pub const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/// The file for [`SPECIAL`] followed by `words`; `truncation` and `padding` are the file's own
/// wishes, which a reader may have to ignore.
pub fn tokenizer_json(words: &[&str], truncation: &Value, padding: &Value) -> String {
    let all = SPECIAL.iter().chain(words).enumerate();
    let vocabulary: Map<_, _> = all.map(|(id, word)| ((*word).to_owned(), json!(id))).collect();
    let added: Vec<_> = SPECIAL
        .iter()
        .enumerate()
        .map(|(id, token)| {
            json!({"id": id, "content": token, "special": true, "normalized": false,
                   "single_word": false, "lstrip": false, "rstrip": false})
        })
        .collect();
    json!({
        "version": "1.0", "truncation": truncation, "padding": padding, "added_tokens": added,
        "normalizer": {"type": "BertNormalizer", "clean_text": true,
            "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "BertProcessing", "cls": ["[CLS]", 2], "sep": ["[SEP]", 3]},
        "decoder": null,
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocabulary},
    })
    .to_string()
}
