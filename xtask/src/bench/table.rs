//! The figures as Markdown, and their place in README.md.

use crate::shell::Outcome;

use super::ratios::{self, Ratios};
use super::report::{Contestant, LONG_GIVEN, LONG_ONE, Report, SHORT_GIVEN, SHORT_ONE};
use super::report::{SHORT_SORTED, Visit};

const BEGIN: &str = "<!-- bench: written by `cargo xtask bench` -->";
const END: &str = "<!-- bench: end -->";

const FIGURES: [&str; 14] = [
    "engine",
    "threads",
    "cold ms",
    "one short ms",
    "one long ms",
    "short, given order /s",
    "short, sorted /s",
    "long /s",
    "memory MB",
    "runtime MB (gz)",
    "model MB",
    "cosine to f32, mean",
    "worst",
    "worst golden",
];

const RATIOS: [&str; 9] = [
    "SimCSE Lab over the best peer",
    "short, given order",
    "short, peer at its best setting",
    "long",
    "one short ms",
    "one long ms",
    "cold ms",
    "memory",
    "per core",
];

/// Where and when, the figures, and the ratios.
pub fn markdown(report: &Report, chromium: &str) -> String {
    let figures = report.contestants.iter().map(figures).collect();
    let ours = report.contestants.iter().filter(|it| it.is_ours());
    let ratios = ours.map(|it| ratio_cells(it, &ratios::of(it, report))).collect();
    format!(
        "{date}, {cpu}, {cores} cores, {chromium}, headless; the same weights and sentences, \
         batches of 32, medians of {rounds} interleaved rounds of {seconds:.1} s a workload. Short: 256 \
         sentences of 22 tokens on average; long: 64 passages of about 123.\n\n\
         {figures}\n\
         Ratios are taken within each round and are medians over the rounds: above 1 is better for \
         throughput, below 1 for times and memory.\n\n\
         {ratios}",
        date = report.date,
        cpu = report.cpu.trim(),
        cores = report.cores,
        chromium = chromium.split_whitespace().take(2).collect::<Vec<_>>().join(" "),
        rounds = report.rounds,
        seconds = report.budget_ms / 1000.0,
        figures = table(&FIGURES, figures),
        ratios = table(&RATIOS, ratios),
    )
}

/// README.md with the text between its two markers.
pub fn splice(readme: &str, text: &str) -> Outcome<String> {
    let missing = || format!("README.md lacks `{BEGIN}` and, after it, `{END}`");
    let (before, rest) = readme.split_once(BEGIN).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    Ok(format!("{before}{BEGIN}\n{}\n{END}{after}", text.trim()))
}

fn table(head: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut lines = vec![line(head), line(&vec!["---"; head.len()])];
    lines.extend(rows.iter().map(|row| line(&row.iter().map(String::as_str).collect::<Vec<_>>())));
    lines.join("\n") + "\n"
}

fn line(cells: &[&str]) -> String {
    format!("| {} |", cells.join(" | "))
}

fn figures(it: &Contestant) -> Vec<String> {
    let per_s = |workload: &str| it.median(|visit: &Visit| visit.per_s.get(workload).copied());
    let call_ms = |workload: &str| it.median(|visit: &Visit| visit.call_ms.get(workload).copied());
    vec![
        engine(it),
        it.threads().map_or_else(|| "?".to_owned(), |threads| threads.to_string()),
        fixed(it.median(|visit| visit.cold_ms), 0),
        fixed(call_ms(SHORT_ONE), 1),
        fixed(call_ms(LONG_ONE), 1),
        fixed(per_s(SHORT_GIVEN), 0),
        fixed(per_s(SHORT_SORTED), 0),
        fixed(per_s(LONG_GIVEN), 1),
        fixed(it.median(|visit| visit.memory_mb), 0),
        format!("{} ({})", fixed(it.runtime_mb, 1), fixed(it.runtime_gz_mb, 1)),
        fixed(it.model_mb, 1),
        fixed(it.cosine_mean, 5),
        fixed(it.cosine_min, 4),
        fixed(it.golden_min, 4),
    ]
}

fn ratio_cells(it: &Contestant, ratios: &Ratios) -> Vec<String> {
    let threads = it.threads().unwrap_or(1);
    let row = if threads == 1 { "one thread".to_owned() } else { format!("{threads} threads") };
    let values = [
        ratios.given,
        ratios.best_setting,
        ratios.long,
        ratios.single,
        ratios.single_long,
        ratios.cold,
        ratios.memory,
        ratios.by_core,
    ];
    std::iter::once(row).chain(values.map(|value| fixed(value, 2))).collect()
}

/// The engine's name and version in words.
fn engine(it: &Contestant) -> String {
    let version = &it.version;
    match it.name.split('-').next() {
        _ if it.is_ours() => format!("**SimCSE Lab {version} q8_0**"),
        Some("tjs") => format!("transformers.js {version} q8"),
        Some("ort") => format!("onnxruntime-web {version} q8"),
        // Its adapter says its name itself.
        Some("candle") => format!("{version} f32"),
        _ => format!("{} {version}", it.name),
    }
}

fn fixed(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, END, markdown, splice};
    use crate::bench::report::tests::sample;

    #[test]
    fn every_contestant_has_a_row_and_ours_have_ratios() -> Result<(), String> {
        let text = markdown(&sample(|text| text)?, "Chromium 156.0 built on something");
        assert!(text.starts_with("2026-11-23, AMD EPYC, 2 cores, Chromium 156.0, headless"));
        for row in [
            "| onnxruntime-web 1.2.3 q8 | 1 | 1500 | 12.5 | - | 60 | 75 | 15.0 | 380 | 14.3 (3.7) | 23.4 | 0.99305 | 0.9675 | 0.9712 |",
            "| **SimCSE Lab 1.2.3 q8_0** | 1 | 500 | 4.2 | - | 180 | 225 | 45.0 | 380 | 14.3 (3.7) | 23.4 | 0.99305 | 0.9675 | 0.9712 |",
            "| one thread | 3.00 | 2.00 | 3.00 | 0.33 | - | 0.33 | 1.00 | - |",
        ] {
            assert!(text.contains(row), "{row}\nis missing in\n{text}");
        }
        let tables: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
        assert_eq!(tables.len(), 5 + 3);
        Ok(())
    }

    #[test]
    fn only_what_is_between_the_markers_changes() -> Result<(), String> {
        let readme = format!("above\n{BEGIN}\nold\n{END}\nbelow\n");
        let once = splice(&readme, "new\n")?;
        assert_eq!(once, format!("above\n{BEGIN}\nnew\n{END}\nbelow\n"));
        assert_eq!(splice(&once, "new\n")?, once);
        assert!(splice("no marker", "new").is_err());
        assert!(splice(&format!("{END}\n{BEGIN}"), "new").is_err());
        Ok(())
    }
}
