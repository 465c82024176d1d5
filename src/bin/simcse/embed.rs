//! `simcse embed`.

use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::io::Write;

use anyhow::Context;
use serde::Serialize;
use simcse_lab::files::npy;

use crate::simcse::arguments::EmbedOptions;
use crate::simcse::input;
use crate::simcse::model::Model;

/// A line of the JSON output.
#[derive(Serialize)]
struct Line<'a> {
    text: &'a str,
    /// Unit length.
    embedding: &'a [f32],
}

/// Embeds every sentence and writes the rows in their order.
pub fn run(options: &EmbedOptions) -> anyhow::Result<()> {
    let sentences = input::sentences(&options.file, options.jsonl)?;
    let model = Model::open(&options.model)?;
    let rows = model.embed(sentences.iter().map(String::as_str))?;
    let hidden = model.hidden();
    let Some(path) = &options.out else {
        return Ok(write_lines(io::stdout().lock(), &sentences, &rows, hidden)?);
    };
    let context = || format!("{} cannot be written", path.display());
    let mut out = BufWriter::new(File::create(path).with_context(context)?);
    if path.extension().is_some_and(|extension| extension == "npy") {
        npy::write(&mut out, &rows, hidden).and_then(|()| out.flush()).with_context(context)
    } else {
        write_lines(out, &sentences, &rows, hidden).with_context(context)
    }
}

fn write_lines(
    out: impl Write,
    sentences: &[String],
    rows: &[f32],
    hidden: usize,
) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    for (text, embedding) in sentences.iter().zip(rows.chunks_exact(hidden)) {
        serde_json::to_writer(&mut out, &Line { text, embedding })?;
        out.write_all(b"\n")?;
    }
    out.flush()
}
