//! `simcse geometry`.

use std::io;
use std::io::Write;

use anyhow::anyhow;
use serde::Serialize;

use simcse_lab::geometry::study::Study;
use simcse_lab::protocol::lab::Band;
use simcse_lab::protocol::lab::Findings;
use simcse_lab::protocol::lab::Hubness;
use simcse_lab::protocol::problem::Problem;

use crate::simcse::arguments::GeometryOptions;
use crate::simcse::bars;
use crate::simcse::input;
use crate::simcse::model::Model;

/// What is printed. The correlation is x 100.
#[derive(Debug, Serialize)]
struct Figures<'a> {
    sentences: u32,
    repeated: usize,
    dimensions: u32,
    pairs: u64,
    alignment: Option<f64>,
    uniformity: f64,
    uniformity_error: Option<f64>,
    mean_cosine: f64,
    mean_cosine_error: Option<f64>,
    effective_rank: f64,
    top_share: f64,
    iso_score: Option<f64>,
    hubness: Option<Hubness>,
    hub: Option<&'a str>,
    spearman: Option<f64>,
    histogram: &'a [f32],
    spectrum: &'a [f32],
    bands: &'a [Band],
}

/// Embeds all sentences and prints what was found of their vectors.
pub fn run(options: &GeometryOptions) -> anyhow::Result<()> {
    let input::Corpus { sentences, given, repeated } = input::corpus(&options.file)?;
    anyhow::ensure!(sentences.len() >= 2, "there are fewer than two different sentences");
    let model = Model::open(&options.model)?;
    let rows = model.embed(sentences.iter().map(String::as_str))?;
    let mut study = Study::new(options.treatment, given, rows, model.hidden());
    let bar = bars::spinner("measuring")?;
    while study.step().map_err(|problem| words(&problem))? {
        bar.tick();
    }
    bar.finish_and_clear();
    let findings = study.finish().findings;
    let figures = figures(&findings, repeated, &sentences);
    // println! would panic where nobody reads any more.
    let mut out = io::stdout().lock();
    if options.json {
        writeln!(out, "{}", serde_json::to_string(&figures)?)?;
    } else {
        print_table(&figures, &mut out)?;
    }
    Ok(())
}

fn words(problem: &Problem) -> anyhow::Error {
    match problem {
        Problem::TooFewExamples { found, needed } => {
            anyhow!("{found} sentences: this treatment needs {needed} that differ")
        }
        other => anyhow!("{other:?}"),
    }
}

fn figures<'a>(findings: &'a Findings, repeated: usize, sentences: &'a [String]) -> Figures<'a> {
    let shape = &findings.shape;
    let hub = findings.hubness.and_then(|found| sentences.get(found.hub as usize));
    Figures {
        sentences: shape.sentences,
        repeated,
        dimensions: shape.dimensions,
        pairs: findings.pairs,
        alignment: findings.alignment,
        uniformity: shape.uniformity,
        uniformity_error: findings.uniformity_error,
        mean_cosine: shape.mean_cosine,
        mean_cosine_error: findings.mean_cosine_error,
        effective_rank: shape.effective_rank,
        top_share: findings.top_share,
        iso_score: findings.iso_score,
        hubness: findings.hubness,
        hub: hub.map(String::as_str),
        spearman: findings.spearman.map(|value| value * 100.0),
        histogram: &shape.histogram,
        spectrum: &shape.spectrum,
        bands: &findings.bands,
    }
}

fn print_table(figures: &Figures<'_>, out: &mut impl Write) -> io::Result<()> {
    let shown = |value: Option<f64>, digits: usize| {
        value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
    };
    let within =
        |error: Option<f64>| error.map_or_else(String::new, |error| format!(" +- {error:.4}"));
    let Figures { sentences, repeated, .. } = figures;
    writeln!(out, "sentences       {sentences}, and {repeated} repeated")?;
    writeln!(out, "dimensions      {}", figures.dimensions)?;
    writeln!(out, "pairs           {}", figures.pairs)?;
    writeln!(out, "alignment       {}", shown(figures.alignment, 4))?;
    let error = within(figures.uniformity_error);
    writeln!(out, "uniformity      {:.4}{error}", figures.uniformity)?;
    let error = within(figures.mean_cosine_error);
    writeln!(out, "mean_cosine     {:.4}{error}", figures.mean_cosine)?;
    writeln!(out, "effective_rank  {:.1}", figures.effective_rank)?;
    writeln!(out, "top_share       {:.4}", figures.top_share)?;
    writeln!(out, "iso_score       {}", shown(figures.iso_score, 4))?;
    writeln!(out, "hubness         {}", shown(figures.hubness.map(|it| it.skewness), 4))?;
    if let (Some(found), Some(hub)) = (figures.hubness, figures.hub) {
        let Hubness { named, asked, neighbours, .. } = found;
        writeln!(out, "hub             {hub}")?;
        writeln!(out, "                among the {neighbours} nearest of {named} of {asked}")?;
    }
    writeln!(out, "spearman        {}", shown(figures.spearman, 2))?;
    for Band { from, to, pairs, mean_cosine, .. } in figures.bands {
        let name = format!("{from} to {to}");
        writeln!(out, "band {name:<10} {pairs} pairs, mean cosine {mean_cosine:.4}")?;
    }
    Ok(())
}
