//! `simcse sts`.

use std::io;
use std::io::Write;

use serde::Serialize;

use simcse_lab::geometry::alignment::POSITIVE_ABOVE;
use simcse_lab::geometry::alignment::alignment;
use simcse_lab::geometry::cosine::mean_cosine;
use simcse_lab::geometry::uniformity::uniformity;
use simcse_lab::math::ranks::pearson;
use simcse_lab::math::ranks::spearman;
use simcse_lab::math::rows::dot;

use crate::simcse::arguments::StsOptions;
use crate::simcse::input;
use crate::simcse::model::Model;

/// What is printed. Correlations are x 100.
#[derive(Debug, Serialize)]
struct Figures {
    spearman: Option<f64>,
    pearson: Option<f64>,
    alignment: Option<f64>,
    uniformity: Option<f64>,
    mean_cosine: Option<f64>,
    pairs: usize,
}

/// Embeds all pairs and prints the figures.
pub fn run(options: &StsOptions) -> anyhow::Result<()> {
    let (pairs, gold) = input::scored_pairs(&options.pairs)?;
    let model = Model::open(&options.model)?;
    let sentences: Vec<&str> =
        pairs.iter().flat_map(|(first, second)| [first.as_str(), second.as_str()]).collect();
    let rows = model.embed(sentences.into_iter())?;
    let figures = measure(&rows, model.hidden(), &gold);
    // println! would panic where nobody reads any more.
    let mut out = io::stdout().lock();
    if options.json {
        writeln!(out, "{}", serde_json::to_string(&figures)?)?;
    } else {
        print_table(&figures, &mut out)?;
    }
    Ok(())
}

/// `rows` are `[2 pairs, hidden]`: first and second sentence of each pair in turn.
fn measure(rows: &[f32], hidden: usize, gold: &[f32]) -> Figures {
    let both = || rows.chunks_exact(2 * hidden).map(|pair| pair.split_at(hidden));
    let cosines: Vec<f32> = both().map(|(first, second)| dot(first, second)).collect();
    let positive = both().zip(gold).filter(|(_, gold)| **gold > POSITIVE_ABOVE);
    let percent = |value: f64| value * 100.0;
    Figures {
        spearman: spearman(&cosines, gold).map(percent),
        pearson: pearson(&cosines, gold).map(percent),
        alignment: alignment(positive.map(|(pair, _)| pair)),
        uniformity: uniformity(rows, hidden),
        mean_cosine: mean_cosine(rows, hidden),
        pairs: gold.len(),
    }
}

fn print_table(figures: &Figures, out: &mut impl Write) -> io::Result<()> {
    let shown = |value: Option<f64>, digits: usize| {
        value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
    };
    writeln!(out, "spearman     {}", shown(figures.spearman, 2))?;
    writeln!(out, "pearson      {}", shown(figures.pearson, 2))?;
    writeln!(out, "alignment    {}", shown(figures.alignment, 4))?;
    writeln!(out, "uniformity   {}", shown(figures.uniformity, 4))?;
    writeln!(out, "mean_cosine  {}", shown(figures.mean_cosine, 4))?;
    writeln!(out, "pairs        {}", figures.pairs)
}
