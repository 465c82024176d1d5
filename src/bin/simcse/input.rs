//! Sentences and scored pairs from files and standard input.

use std::fs;
use std::io;
use std::io::Read;
use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

use simcse_lab::text::lists;
use simcse_lab::text::lists::Content;
use simcse_lab::text::lists::Pair;

/// A line of a `.jsonl` file; other fields are passed over.
#[derive(Deserialize)]
struct Line {
    text: String,
}

/// All bytes of a file, or of standard input for `-`.
fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).context("standard input cannot be read")?;
        return Ok(bytes);
    }
    fs::read(path).with_context(|| format!("{} cannot be read", path.display()))
}

/// Sentences, one a line; or the `text` fields of JSON lines.
pub fn sentences(path: &Path, jsonl: bool) -> anyhow::Result<Vec<String>> {
    let text = lists::decode(&read(path)?).with_context(|| {
        format!("{} is not text; save it as UTF-8, one sentence a line", path.display())
    })?;
    let is_jsonl = path.extension().is_some_and(|extension| extension == "jsonl");
    if !jsonl && !is_jsonl {
        return Ok(text.lines().map(str::to_owned).collect());
    }
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let parsed = lines.map(|(number, line)| {
        let line: Line = serde_json::from_str(line).with_context(|| {
            let line = number + 1;
            format!("line {line} cannot be read; a line is {{\"text\": \"A sentence.\"}}")
        })?;
        Ok(line.text)
    });
    parsed.collect()
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
