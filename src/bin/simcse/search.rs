//! `simcse search`.

use std::fs;
use std::io;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use serde_json::Value;

use simcse_lab::math::rows::normalise;
use simcse_lab::model::encoder::Part;
use simcse_lab::search::scan::Scan;
use simcse_lab::search::vectors::Vectors;

use crate::simcse::arguments::SearchOptions;
use crate::simcse::model::Models;
use crate::simcse::npy;
use crate::simcse::postgres::Postgres;
use crate::simcse::qdrant::Qdrant;
use crate::simcse::sink::Found;
use crate::simcse::stream;
use crate::simcse::stream::Record;

/// Rows that are embedded together.
const CHUNK: usize = 4_096;

/// Prints the nearest passages, the nearest first.
pub fn run(options: &SearchOptions) -> anyhow::Result<()> {
    let mut models = Models::open(&options.model, options.threads)?;
    let (query, _) = models.embed(std::slice::from_ref(&options.query), Part::Query)?;
    let found = match (&options.from, &options.file) {
        (Some(from), _) if from.starts_with("qdrant+") => {
            Qdrant::open(from)?.search(&query, options.k)?
        }
        (Some(from), _) => {
            Postgres::connect(from, &options.table)?.search(&query, options.k, models.identity())?
        }
        (None, Some(file)) => in_file(options, &mut models, file, &query)?,
        (None, None) => anyhow::bail!("--in names the file to search, --from a database"),
    };
    let mut out = io::stdout().lock();
    for hit in found {
        if options.json {
            writeln!(out, "{}", serde_json::to_string(&hit)?)?;
        } else {
            writeln!(out, "{:.4}  {}  {}", hit.cosine, hit.id, hit.text)?;
        }
    }
    Ok(())
}

fn in_file(
    options: &SearchOptions,
    models: &mut Models,
    file: &Path,
    query: &[f32],
) -> anyhow::Result<Vec<Found>> {
    let mut vectors = Vectors::new(models.hidden());
    let mut records = stream::open(file, &options.stream)?;
    let mut all = Vec::new();
    let kept = options.rows.as_deref().map(|rows| read_rows(rows, models.hidden())).transpose()?;
    loop {
        let some = records.by_ref().take(CHUNK).collect::<anyhow::Result<Vec<Record>>>()?;
        if some.is_empty() {
            break;
        }
        if kept.is_none() {
            let texts = some.iter().map(|record| record.text.clone().unwrap_or_default());
            vectors.push(&models.embed(&texts.collect::<Vec<_>>(), Part::Passage)?.0);
        }
        all.extend(some);
    }
    if let Some(kept) = kept {
        vectors.push(&kept);
    }
    anyhow::ensure!(
        vectors.len() == all.len(),
        "there are {} vectors for {} rows; embed the same file",
        vectors.len(),
        all.len()
    );
    let hits = Scan::new(&vectors, query).top(options.k, None);
    let hits = hits.into_iter().filter_map(|(row, cosine)| {
        let Record { id, text, rest } = all.get(row as usize)?.clone();
        let id = id.unwrap_or_else(|| (row + 1).to_string());
        Some(Found { id, cosine, text: text.unwrap_or_default(), metadata: Value::Object(rest) })
    });
    Ok(hits.collect())
}

/// Vectors of an `.npy` file, brought to length 1.
fn read_rows(path: &Path, hidden: usize) -> anyhow::Result<Vec<f32>> {
    let bytes = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let (mut rows, columns) =
        npy::read(&bytes).with_context(|| format!("{} cannot be read", path.display()))?;
    anyhow::ensure!(
        columns == hidden,
        "{} has vectors of {columns} numbers, the model makes {hidden}",
        path.display()
    );
    rows.chunks_exact_mut(hidden).for_each(normalise);
    Ok(rows)
}
