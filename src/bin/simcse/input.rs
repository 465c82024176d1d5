//! Sentences and scored pairs from files and standard input.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::io::Read;
use std::path::Path;

use anyhow::Context;
use simcse_lab::geometry::alignment::POSITIVE_ABOVE;
use simcse_lab::geometry::given::Given;
use simcse_lab::protocol::lab::Scored;
use simcse_lab::text::lists;
use simcse_lab::text::lists::Content;
use simcse_lab::text::lists::Pair;

/// All bytes of a file, or of standard input for `-`.
fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).context("standard input cannot be read")?;
        return Ok(bytes);
    }
    fs::read(path).with_context(|| format!("{} cannot be read", path.display()))
}

/// Different sentences, and pairs of them.
#[derive(Debug, Default)]
pub struct Corpus {
    pub sentences: Vec<String>,
    pub given: Given,
    /// Sentences that were there before.
    pub repeated: usize,
}

/// Sentences, one a line, or a table of pairs.
pub fn corpus(path: &Path) -> anyhow::Result<Corpus> {
    let reading = lists::read_file(&path.to_string_lossy(), &read(path)?)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    if reading.skipped > 0 {
        eprintln!("{} rows lack a sentence or a score and were left out", reading.skipped);
    }
    let mut corpus = Corpus::default();
    let mut places = HashMap::new();
    let mut place = |sentence: String| {
        let next = u32::try_from(corpus.sentences.len())?;
        let place = *places.entry(sentence.clone()).or_insert(next);
        if place == next {
            corpus.sentences.push(sentence);
        } else {
            corpus.repeated += 1;
        }
        anyhow::Ok(place)
    };
    match reading.content {
        Content::Empty => {}
        Content::Sentences(sentences) => {
            for sentence in sentences {
                place(sentence)?;
            }
        }
        Content::Pairs { pairs, gold } => {
            let are_shares = gold.iter().all(|score| (0.0..=1.0).contains(score));
            let same_above = if are_shares { POSITIVE_ABOVE / 5.0 } else { POSITIVE_ABOVE };
            for (number, (first, second)) in pairs.into_iter().enumerate() {
                let (first, second) = (place(first)?, place(second)?);
                let gold = gold.get(number).copied();
                // A sentence with itself would only flatter the alignment.
                if first != second && gold.is_none_or(|gold| gold > same_above) {
                    corpus.given.positives.push((first, second));
                }
                corpus.given.scored.extend(gold.map(|gold| Scored { first, second, gold }));
            }
        }
    }
    Ok(corpus)
}

/// Sentence pairs with their scores.
pub fn scored_pairs(path: &Path) -> anyhow::Result<(Vec<Pair>, Vec<f32>)> {
    let from_stdin = path == Path::new("-");
    let name = if from_stdin { "pairs.csv".into() } else { path.to_string_lossy() };
    let reading = lists::read_file(&name, &read(path)?)
        .with_context(|| format!("{} cannot be read as a table", path.display()))?;
    if reading.skipped > 0 {
        eprintln!("{} rows lack a sentence or a score and were left out", reading.skipped);
    }
    match reading.content {
        Content::Pairs { pairs, gold } if !gold.is_empty() => Ok((pairs, gold)),
        _ => anyhow::bail!(
            "{} holds no scored pairs; the columns are sentence 1, sentence 2, score",
            path.display()
        ),
    }
}
