//! `simcse info`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::io::Write;

use anyhow::Context;

use simcse_lab::weights::bert::BertFile;
use simcse_lab::weights::gguf::Gguf;
use simcse_lab::weights::metadata::Value;
use simcse_lab::weights::tokens::Vocabulary;

use crate::simcse::arguments::InfoOptions;

/// Longest text that is shown whole.
const SHOWN_CHARS: usize = 72;

/// Prints header and verdict; fails where the file cannot be used as an encoder.
pub fn run(options: &InfoOptions) -> anyhow::Result<()> {
    let path = &options.model;
    let bytes = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let header = Gguf::read(&name, &bytes)?;
    // println! would panic where nobody reads any more.
    let out = &mut io::stdout().lock();
    writeln!(out, "GGUF version {}, {} bytes", header.version, bytes.len())?;
    writeln!(out, "\nMetadata")?;
    for (key, value) in &header.keys {
        writeln!(out, "  {} = {}", key.escape_debug(), show(value))?;
    }
    print_tensors(&header, options.tensors, out)?;
    let file = BertFile::read(&name, bytes, None)?;
    print_model(&file, out)?;
    Ok(())
}

fn print_tensors(header: &Gguf, each: bool, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "\nTensors: {}", header.tensors.len())?;
    let mut totals = BTreeMap::new();
    for (name, entry) in &header.tensors {
        let total: &mut (usize, usize) = totals.entry(entry.type_name()).or_default();
        *total = (total.0 + 1, total.1 + entry.range.len());
        if each {
            let (name, kind) = (name.escape_debug(), entry.type_name());
            writeln!(out, "  {name} {:?} {kind}", entry.dimensions)?;
        }
    }
    for (kind, (count, bytes)) in totals {
        writeln!(out, "  {kind}: {count} tensors, {bytes} bytes")?;
    }
    Ok(())
}

fn print_model(file: &BertFile, out: &mut impl Write) -> io::Result<()> {
    let config = &file.config;
    writeln!(out, "\nA BERT encoder that runs here")?;
    writeln!(out, "  name: {}", config.name.escape_debug())?;
    let licence = config.licence.as_deref().unwrap_or("not said");
    writeln!(out, "  licence: {}", licence.escape_debug())?;
    writeln!(out, "  sha256: {}", file.sha256)?;
    writeln!(out, "  matrices: {}", file.quantisation().name())?;
    writeln!(
        out,
        "  layers: {}, hidden {}, heads {}, feed forward {}",
        config.layers, config.hidden, config.heads, config.feed_forward
    )?;
    writeln!(out, "  longest sentence: {} tokens", config.max_tokens)?;
    writeln!(out, "  pooling: {}", config.pooling.name())?;
    let tokeniser = match &file.vocabulary {
        Vocabulary::TokenizerJson(_) => "the whole tokenizer.json",
        Vocabulary::WordPiece { lowercase: true, .. } => "WordPiece, lower case",
        Vocabulary::WordPiece { lowercase: false, .. } => "WordPiece, cased",
    };
    writeln!(out, "  tokeniser: {tokeniser}, {} tokens", config.vocabulary)
}

fn show(value: &Value) -> String {
    match value {
        Value::U8(value) => value.to_string(),
        Value::I8(value) => value.to_string(),
        Value::U16(value) => value.to_string(),
        Value::I16(value) => value.to_string(),
        Value::U32(value) => value.to_string(),
        Value::I32(value) => value.to_string(),
        Value::U64(value) => value.to_string(),
        Value::I64(value) => value.to_string(),
        Value::F32(value) => format!("{value:?}"),
        Value::F64(value) => format!("{value:?}"),
        Value::Bool(value) => value.to_string(),
        Value::Text(text) => show_text(text),
        Value::Texts(texts) => {
            let first: Vec<_> = texts.iter().take(4).map(show_text).collect();
            format!("{} texts: {} ...", texts.len(), first.join(", "))
        }
        Value::Numbers(numbers) => format!("{} numbers", numbers.len()),
    }
}

fn show_text(text: &str) -> String {
    let shown: String = text.chars().take(SHOWN_CHARS).collect();
    if shown.len() == text.len() {
        format!("{text:?}")
    } else {
        format!("{shown:?} ... ({} bytes)", text.len())
    }
}
