//! `simcse load`.

use anyhow::Context;

use simcse_lab::model::encoder::Part;

use crate::simcse::arguments::LoadOptions;
use crate::simcse::bars;
use crate::simcse::model::Models;
use crate::simcse::postgres::Postgres;
use crate::simcse::qdrant::Qdrant;
use crate::simcse::sink::{Passage, Sink};
use crate::simcse::stream;
use crate::simcse::stream::Record;

/// Embeds every row into the database.
pub fn run(options: &LoadOptions) -> anyhow::Result<()> {
    let mut models = Models::open(&options.model, options.threads)?;
    let mut records = stream::open(&options.file, &options.stream)?;
    let hidden = models.hidden();
    let mut sink: Box<dyn Sink> = if options.to.starts_with("qdrant+") {
        Box::new(Qdrant::create(&options.to, hidden, options.if_exists)?)
    } else {
        let made = Postgres::connect(&options.to, &options.table)?;
        Box::new(made.create(hidden, options.if_exists, models.identity())?)
    };
    let bar = bars::spinner("rows")?;
    let (mut number, mut left_out) = (0_u64, 0_u64);
    loop {
        let chunk = records.by_ref().take(options.chunk.max(1));
        let chunk = chunk.collect::<anyhow::Result<Vec<Record>>>()?;
        if chunk.is_empty() {
            break;
        }
        let mut rows = Vec::new();
        for Record { id, text, rest } in chunk {
            number += 1;
            match text.filter(|text| !text.trim().is_empty()) {
                Some(text) => {
                    rows.push((number, id.unwrap_or_else(|| number.to_string()), text, rest))
                }
                None => left_out += 1,
            }
        }
        let texts: Vec<String> = rows.iter().map(|(_, _, text, _)| text.clone()).collect();
        let (vectors, _) = models.embed(&texts, Part::Passage)?;
        let passages = rows.into_iter().zip(vectors.chunks_exact(hidden));
        let passages = passages.map(|((number, id, text, metadata), vector)| Passage {
            number,
            id,
            text,
            metadata,
            vector: vector.to_vec(),
        });
        sink.put(&passages.collect::<Vec<_>>()).with_context(|| {
            format!("after {} rows; run it again with --if-exists append", bar.position())
        })?;
        bar.set_position(number);
        bar.set_message(format!("{number} rows"));
    }
    bar.finish_and_clear();
    eprintln!("{} rows loaded", number - left_out);
    if left_out > 0 {
        eprintln!("{left_out} rows without text left out");
    }
    println!("{}", sink.finish()?);
    Ok(())
}
