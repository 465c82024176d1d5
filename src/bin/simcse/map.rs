//! `simcse map`.

use std::fs;
use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;
use web_time::Instant;

use simcse_lab::files::npy::write;
use simcse_lab::math::rows::normalise;
use simcse_lab::projection::mapping::Mapped;
use simcse_lab::projection::mapping::Mapping;
use simcse_lab::projection::mapping::Progress;
use simcse_lab::protocol::lab::Method;

use crate::simcse::arguments::MapOptions;
use crate::simcse::names::MethodName;
use crate::simcse::npy;

/// What is printed.
#[derive(Debug, Serialize)]
struct Figures {
    rows: usize,
    /// 0 to 1.
    trustworthiness: f64,
    /// Neighbours that it looks at, and rows that were judged.
    neighbours: u16,
    judged: u32,
    /// Of a PCA: the axes' shares of the variance.
    explained: Option<[f32; 2]>,
    /// Whether every row's true neighbours were used.
    exact_neighbours: bool,
    seconds: f64,
    longest_step_ms: f64,
}

/// Lays rows out in the plane, writes the positions and prints how far to believe them.
pub fn run(options: &MapOptions) -> anyhow::Result<()> {
    let (mut rows, hidden) = read(&options.rows)?;
    rows.chunks_exact_mut(hidden.max(1)).for_each(normalise);
    let start = options.start.as_deref().map(|path| start(path, &rows, hidden)).transpose()?;
    let began = Instant::now();
    let mut mapping = Mapping::new(rows, hidden, method(options), options.seed, start);
    let mut longest = Duration::ZERO;
    loop {
        let step = Instant::now();
        let progress = mapping.step();
        longest = longest.max(step.elapsed());
        if progress == Progress::Finished {
            break;
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    let mapped = mapping.finish();
    if let Some(path) = &options.out {
        let context = || format!("{} cannot be written", path.display());
        let mut out = BufWriter::new(File::create(path).with_context(context)?);
        write(&mut out, &mapped.positions, 2).and_then(|()| out.flush()).with_context(context)?;
    }
    let figures = figures(&mapped, seconds, longest);
    // println! would panic where nobody reads any more.
    let mut out = io::stdout().lock();
    if options.json {
        writeln!(out, "{}", serde_json::to_string(&figures)?)?;
    } else {
        print_table(&figures, &mut out)?;
    }
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<(Vec<f32>, usize)> {
    let bytes = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    npy::read(&bytes).with_context(|| format!("{} cannot be read", path.display()))
}

fn start(path: &Path, rows: &[f32], hidden: usize) -> anyhow::Result<Vec<f32>> {
    let (positions, columns) = read(path)?;
    let count = rows.len().checked_div(hidden).unwrap_or(0);
    let found = positions.len().checked_div(columns).unwrap_or(0);
    anyhow::ensure!(
        columns == 2 && found == count && positions.iter().all(|value| value.is_finite()),
        "{} holds [{found}, {columns}] numbers; wanted are [{count}, 2] finite ones",
        path.display()
    );
    Ok(positions)
}

fn method(options: &MapOptions) -> Method {
    match options.method {
        MethodName::Pca => Method::Pca,
        MethodName::Tsne => {
            Method::Tsne { perplexity: options.perplexity, steps: options.steps.unwrap_or(1_000) }
        }
        // 0 epochs are the usual number.
        MethodName::Umap => Method::Umap {
            neighbours: options.neighbours,
            least_distance: options.least_distance,
            epochs: options.steps.unwrap_or(0),
        },
    }
}

fn figures(mapped: &Mapped, seconds: f64, longest: Duration) -> Figures {
    Figures {
        rows: mapped.positions.len() / 2,
        trustworthiness: mapped.trustworthiness,
        neighbours: mapped.neighbours,
        judged: mapped.judged,
        explained: mapped.explained,
        exact_neighbours: mapped.exact_neighbours,
        seconds,
        longest_step_ms: longest.as_secs_f64() * 1e3,
    }
}

fn print_table(figures: &Figures, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "rows              {}", figures.rows)?;
    writeln!(out, "trustworthiness   {:.4}", figures.trustworthiness)?;
    writeln!(out, "  neighbours      {}", figures.neighbours)?;
    writeln!(out, "  rows judged     {}", figures.judged)?;
    if let Some([first, second]) = figures.explained {
        writeln!(out, "explained         {:.2} % and {:.2} %", first * 100.0, second * 100.0)?;
    }
    if !figures.exact_neighbours {
        writeln!(out, "neighbours        nearly all found")?;
    }
    writeln!(out, "seconds           {:.2}", figures.seconds)?;
    writeln!(out, "longest step      {:.1} ms", figures.longest_step_ms)
}
