//! `simcse info`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::io::Write;

use anyhow::Context;

use simcse_lab::protocol::readout::Pooling;
use simcse_lab::weights::adapter_file::AdapterFile;
use simcse_lab::weights::adapter_file::GENERAL_TYPE;
use simcse_lab::weights::bert::BertFile;
use simcse_lab::weights::gguf::Gguf;
use simcse_lab::weights::metadata::Value;
use simcse_lab::weights::tokens::Vocabulary;

use crate::simcse::arguments::InfoOptions;

/// Longest text that is shown whole.
const SHOWN_CHARS: usize = 72;

/// Prints header and verdict; fails where the file can be used neither as an encoder nor as an
/// adapter.
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
    if header.text("general.type")? == Some(GENERAL_TYPE) {
        let file = AdapterFile::read(&name, &bytes)?;
        return Ok(print_adapter(&file, out)?);
    }
    let file = BertFile::read(&name, bytes, None)?;
    print_model(&file, out)?;
    Ok(())
}

fn print_adapter(file: &AdapterFile, out: &mut impl Write) -> io::Result<()> {
    let (meta, summary) = (&file.meta, file.summary());
    let or_unsaid = |text: &str| {
        if text.is_empty() { "not said".to_owned() } else { text.escape_debug().to_string() }
    };
    let pooling = |pooling: Option<Pooling>| pooling.map_or("not said", Pooling::name);
    writeln!(out, "\nAn adapter that runs here")?;
    writeln!(out, "  name: {}", meta.name.escape_debug())?;
    writeln!(out, "  licence: {}", or_unsaid(meta.licence.as_deref().unwrap_or_default()))?;
    writeln!(out, "  sha256: {}", file.sha256)?;
    writeln!(out, "  base: {}", or_unsaid(&meta.base_name))?;
    writeln!(out, "  base sha256: {}", or_unsaid(&meta.base_sha256))?;
    writeln!(out, "  tensors changed: {}, numbers {}", file.changes.len(), summary.parameters)?;
    writeln!(out, "  trained readout: {}", pooling(meta.pooling))?;
    writeln!(out, "  best readout: {}", pooling(meta.best_pooling))?;
    writeln!(out, "  seed: {}", meta.seed)?;
    if !meta.metrics.is_empty() {
        writeln!(out, "\nMeasured")?;
    }
    for (name, value) in &meta.metrics {
        writeln!(out, "  {}: {}", name.escape_debug(), value.escape_debug())?;
    }
    if !meta.recipe.trim().is_empty() {
        writeln!(out, "\nRecipe")?;
    }
    for line in meta.recipe.lines() {
        writeln!(out, "  {}", line.escape_debug())?;
    }
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
        Vocabulary::BytePairs { .. } => "byte-level BPE",
        Vocabulary::Unigram { .. } => "SentencePiece unigram",
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
