//! Any bytes as a list of sentences or pairs, and each sentence through the tokeniser; and as a corpus
//! with topics.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use simcse_lab::text::corpus::read;
use simcse_lab::text::lists::Content;
use simcse_lab::text::lists::decode;
use simcse_lab::text::lists::read_file;
use simcse_lab::text::tokeniser::Limits;
use simcse_lab::text::tokeniser::Tokeniser;
use simcse_lab::text::tokeniser::WordPieces;

const MAX_TOKENS: usize = 16;

static TOKENISER: LazyLock<Tokeniser> = LazyLock::new(|| {
    let tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "##a", "river", "##s", ".", "\u{6c34}"];
    let pieces = WordPieces {
        tokens: tokens.map(str::to_owned).to_vec(),
        padding: 0,
        unknown: 1,
        cls: 2,
        sep: 3,
        lowercase: true,
    };
    let limits = Limits { max_tokens: MAX_TOKENS, vocabulary: tokens.len() };
    Tokeniser::from_word_pieces(&pieces, limits).unwrap()
});

/// The same bytes as a corpus for the geometry lab.
fn read_corpus(choice: u8, bytes: &[u8]) {
    let Ok(text) = decode(bytes) else { return };
    let name = ["x.txt", "x.csv", "x.tsv", "x.jsonl"][usize::from(choice % 4)];
    let Ok(reading) = read(&text, Some(name), None) else { return };
    for entry in reading.entries {
        assert!(!entry.sentence.is_empty());
        assert!(entry.score.is_none_or(f32::is_finite));
        assert!(entry.score.is_none() || entry.partner.is_some());
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    read_corpus(*choice, bytes);
    let name = ["x.txt", "x.csv", "x.tsv"][usize::from(choice % 3)];
    let Ok(reading) = read_file(name, bytes) else { return };
    let sentences = match reading.content {
        Content::Empty => return,
        Content::Sentences(sentences) => sentences,
        Content::Pairs { pairs, gold } => {
            assert!(gold.is_empty() || gold.len() == pairs.len());
            assert!(gold.iter().all(|score| score.is_finite()));
            pairs.into_iter().flat_map(|(first, second)| [first, second]).collect()
        }
    };
    for sentence in sentences {
        let tokens = TOKENISER.tokenise(&sentence).unwrap();
        assert!((2..=MAX_TOKENS).contains(&tokens.ids.len()));
        assert_eq!(tokens.ids.len(), tokens.pieces.len());
    }
});
