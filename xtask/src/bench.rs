//! `cargo xtask bench`: our engine beside others in the same browser, by the shared harness
//! (`run.mjs`); the table goes into README.md.

mod harness;
mod profile;
mod ratios;
mod report;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::chromium;
use crate::setup;
use crate::shell::{self, Outcome};
use crate::site;

use harness::{Harness, Peers, Run};
use report::Report;

/// What the command line asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// A built site; without one it is built.
    site: Option<PathBuf>,
    /// Rounds over all contestants; 3 unless told.
    rounds: Option<u32>,
    /// One short round that shows whether everything works; its figures stay out of README.md.
    quick: bool,
    /// Where our own time goes instead of the comparison.
    profile: bool,
    /// How fast maps are made and drawn instead of the comparison.
    maps: bool,
}

impl Options {
    /// Reads `[--site DIR] [--rounds N] [--quick] [--profile] [--maps]`.
    pub fn parse(words: &[&str]) -> Outcome<Self> {
        let mut options = Self::default();
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            match *word {
                "--quick" => options.quick = true,
                "--profile" => options.profile = true,
                "--maps" => options.maps = true,
                "--site" => {
                    let folder = rest.next().ok_or("--site needs the folder of a built site")?;
                    options.site = Some(PathBuf::from(folder));
                }
                "--rounds" => {
                    let value = rest.next().ok_or("--rounds needs a number")?;
                    let rounds = value.parse().ok().filter(|rounds| *rounds > 0);
                    options.rounds =
                        Some(rounds.ok_or_else(|| format!("`{value}` is no number of rounds"))?);
                }
                other => return Err(format!("bench does not know `{other}`")),
            }
        }
        Ok(options)
    }
}

/// Measures, prints the table, and puts it into README.md if it can be believed.
pub fn run(options: &Options) -> Outcome<()> {
    if options.profile {
        return profile::run(options.site.as_deref());
    }
    if options.maps {
        let site = site(options.site.as_deref())?;
        return read_by_people(&site, "pace::");
    }
    let harness = Harness::find()?;
    let peers = Peers::find(&harness)?;
    let chromium = chromium::ensure()?;
    let site = site(options.site.as_deref())?;
    let out = output_file()?;
    harness.run(&Run {
        peers: &peers,
        chromium: &harness::absolute(&chromium.binary)?,
        site: &site,
        threads: &thread_counts(thread::available_parallelism().map_or(1, usize::from)),
        rounds: options.rounds,
        quick: options.quick,
        out: &out,
    })?;
    let report = Report::read(&shell::read_text(&out)?)?;
    let text = table::markdown(&report, &chromium.version);
    println!("{text}\nAll figures: {}", out.display());
    publish(&report, &text, options.quick)
}

/// Runs the browser tests that print figures for people.
fn read_by_people(site: &Path, filter: &str) -> Outcome<()> {
    let chromium = chromium::ensure()?;
    let mut test = shell::cargo();
    test.args(["test", "--locked", "--test", "browser", "--"]);
    test.args(["--ignored", "--nocapture", "--test-threads=1", filter]);
    test.env("SIMCSE_DIST", site).env("SIMCSE_CHROME", &chromium.binary);
    shell::run(&mut test)
}

fn publish(report: &Report, text: &str, quick: bool) -> Outcome<()> {
    if quick {
        println!("A quick run shows that it works, not how fast: README.md stays as it is.");
        return Ok(());
    }
    let doubts = report.doubts();
    if !doubts.is_empty() {
        return Err(format!("README.md stays as it is:\n  {}", doubts.join("\n  ")));
    }
    let readme = shell::root().join("README.md");
    shell::write(&readme, table::splice(&shell::read_text(&readme)?, text)?)?;
    println!("The table is in README.md.");
    Ok(())
}

/// The folder with the built site: the one that was named, or one built now.
fn site(named: Option<&Path>) -> Outcome<PathBuf> {
    let folder = match named {
        Some(folder) => folder.to_path_buf(),
        None => {
            site::build(&setup::for_site()?)?;
            shell::root().join("dist")
        }
    };
    let page = folder.join("bench.html");
    if !page.is_file() {
        return Err(format!("{} is missing: that is no built site", page.display()));
    }
    folder
        .canonicalize()
        .map_err(|error| format!("{} cannot be entered: {error}", folder.display()))
}

/// One thread, two as the peers of the harness use, and all cores.
fn thread_counts(cores: usize) -> Vec<usize> {
    let mut counts = vec![1];
    counts.extend([2, cores].into_iter().filter(|count| (2..=cores).contains(count)));
    counts.dedup();
    counts
}

/// A new file for the harness's figures.
fn output_file() -> Outcome<PathBuf> {
    let folder = shell::target_dir().join("bench");
    fs::create_dir_all(&folder)
        .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |span| span.as_secs());
    Ok(folder.join(format!("run-{since}.json")))
}

#[cfg(test)]
mod tests {
    use super::{Options, thread_counts};

    #[test]
    fn options_are_read_and_nonsense_is_refused() -> Result<(), String> {
        let options = Options::parse(&["--site", "dist", "--rounds", "5", "--quick"])?;
        assert_eq!(options.site.as_deref(), Some(std::path::Path::new("dist")));
        assert_eq!((options.rounds, options.quick, options.profile), (Some(5), true, false));
        for words in [&["--rounds", "0"][..], &["--rounds"], &["--site"], &["--fast"]] {
            assert!(Options::parse(words).is_err(), "{words:?}");
        }
        Ok(())
    }

    #[test]
    fn thread_counts_are_one_two_and_all() {
        assert_eq!(thread_counts(1), [1]);
        assert_eq!(thread_counts(2), [1, 2]);
        assert_eq!(thread_counts(8), [1, 2, 8]);
    }
}
