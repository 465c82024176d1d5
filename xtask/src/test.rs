//! `cargo xtask test`: every check, timed, in the order in which they fail fastest.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::chromium::{self, Chromium};
use crate::python;
use crate::reference;
use crate::setup::{self, Tools};
use crate::shell::{self, Outcome};
use crate::site;
use crate::size;
use crate::vulkan;

/// Which group of checks runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    All,
    Lint,
    Native,
    Browser,
}

impl Selection {
    /// Reads `[--only lint|native|browser]`.
    pub fn parse(words: &[&str]) -> Outcome<Self> {
        match words {
            [] => Ok(Self::All),
            ["--only", "lint"] => Ok(Self::Lint),
            ["--only", "native"] => Ok(Self::Native),
            ["--only", "browser"] => Ok(Self::Browser),
            other => Err(format!(
                "test does not know `{}`; it takes --only lint, native or browser",
                other.join(" ")
            )),
        }
    }

    fn holds(self, group: Self) -> bool {
        self == Self::All || self == group
    }
}

/// Sets up and runs the checks; the first failure ends it.
pub fn run(selection: Selection) -> Outcome<()> {
    let mut report = Report { rows: Vec::new() };
    let outcome = checks(selection, &mut report);
    report.print();
    outcome.map(|()| println!("All of it passed."))
}

fn checks(selection: Selection, report: &mut Report) -> Outcome<()> {
    let tools = report.step("set-up", || {
        let tools = setup::for_site()?;
        setup::formatter_and_linter()?;
        Ok(tools)
    })?;
    if selection.holds(Selection::Lint) {
        lint(report)?;
    }
    if selection.holds(Selection::Native) {
        native(report)?;
    }
    if selection.holds(Selection::Browser) {
        browser(report, &tools)?;
    }
    Ok(())
}

fn lint(report: &mut Report) -> Outcome<()> {
    let xtask = ["--manifest-path", "xtask/Cargo.toml"];
    let deny = ["--", "-D", "warnings"];
    report.step("format", || {
        shell::run(shell::cargo().args(["fmt", "--check"]))?;
        shell::run(shell::cargo().args(["fmt", "--check"]).args(xtask))
    })?;
    report.step("clippy, xtask", || {
        shell::run(cargo_locked("clippy").args(xtask).arg("--all-targets").args(deny))
    })?;
    report.step("clippy, native", || {
        shell::run(cargo_locked("clippy").arg("--all-targets").args(deny))?;
        // Left out of the plain `cargo test`, so `--all-targets` leaves it out too.
        shell::run(cargo_locked("clippy").args(["--test", "browser"]).args(deny))
    })?;
    report.step("clippy, wasm", || {
        let target = ["--target", "wasm32-unknown-unknown"];
        let doors = ["page", "worker", "trainer", "gpu", "puller"];
        let doors = doors.into_iter().flat_map(|door| ["--bin", door]);
        shell::run(cargo_locked("clippy").arg("--lib").args(target).args(doors).args(deny))
    })
}

fn native(report: &mut Report) -> Outcome<()> {
    report.step("tests, xtask", || {
        shell::run(cargo_locked("test").args(["--quiet", "--manifest-path", "xtask/Cargo.toml"]))
    })?;
    let reference = report.step("reference weights", || Ok(reference::ensure()))?;
    let mut test = cargo_locked("test");
    match reference {
        Ok(folder) => {
            test.env("SIMCSE_REFERENCE_MODEL", folder);
        }
        Err(why) => {
            println!("skipped: reference weights could not be fetched ({why})");
            report.note("reference weights could not be fetched: the tests that need them skip");
        }
    }
    match report.step("other engines", || Ok(python::ensure()))? {
        Ok(python) => {
            test.env("SIMCSE_PYTHON", python);
        }
        Err(why) if shell::is_ci() => return Err(why),
        Err(why) => {
            println!("skipped: other engines could not be installed ({why})");
            report.note("other engines could not be installed: the tests that need them skip");
        }
    }
    if let Err(why) = report.step("Vulkan driver", || Ok(vulkan::ensure()))? {
        if shell::is_ci() {
            return Err(why);
        }
        println!("skipped: no adapter ({why})");
        report.note("native GPU tests skipped: no adapter");
    }
    report.step("tests, native", || shell::run(&mut test))
}

fn browser(report: &mut Report, tools: &Tools) -> Outcome<()> {
    report.step("site", || site::build(tools))?;
    let dist = shell::root().join("dist");
    report.step("size", || size::check(&dist))?;
    let chromium = match report.step("Chromium", || Ok(chromium::ensure()))? {
        Ok(chromium) => chromium,
        Err(why) if shell::is_ci() => return Err(why),
        Err(why) => {
            println!("skipped: no Chromium ({why})");
            report.note("browser tests skipped: no Chromium");
            return Ok(());
        }
    };
    println!("  Chromium: {}", chromium.version);
    let visits = report.step("tests, browser", || browser_tests(&dist, &chromium))?;
    report.note(&format!("browser tests opened {visits} pages in {}", chromium.version));
    Ok(())
}

/// Runs them and counts the pages that Chromium really opened.
fn browser_tests(dist: &Path, chromium: &Chromium) -> Outcome<usize> {
    let log = shell::target_dir().join("browser").join("visits.log");
    if let Some(folder) = log.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    }
    shell::write(&log, "")?;
    let mut test = cargo_locked("test");
    test.args(["--test", "browser", "--", "--test-threads=1", "--nocapture"]);
    test.env("SIMCSE_DIST", dist)
        .env("SIMCSE_CHROME", &chromium.binary)
        .env("SIMCSE_VISITS_LOG", &log);
    shell::run(&mut test)?;
    match shell::read_text(&log)?.lines().count() {
        0 => Err("the browser tests passed without opening a page in Chromium".to_owned()),
        visits => Ok(visits),
    }
}

fn cargo_locked(sub_command: &str) -> Command {
    let mut cargo = shell::cargo();
    cargo.args([sub_command, "--locked"]);
    cargo
}

/// What ran, how long it took, how it ended.
struct Report {
    rows: Vec<Row>,
}

enum Row {
    Step { name: &'static str, took: Duration, passed: bool },
    Note(String),
}

impl Report {
    fn step<T>(&mut self, name: &'static str, body: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        println!("\n== {name}");
        let started = Instant::now();
        let outcome = body();
        self.rows.push(Row::Step { name, took: started.elapsed(), passed: outcome.is_ok() });
        outcome.map_err(|why| format!("the step \"{name}\" failed: {why}"))
    }

    fn note(&mut self, text: &str) {
        self.rows.push(Row::Note(text.to_owned()));
    }

    fn print(&self) {
        println!("\n== report");
        let mut total = Duration::ZERO;
        for row in &self.rows {
            match row {
                Row::Step { name, took, passed } => {
                    total += *took;
                    let verdict = if *passed { "ok" } else { "FAILED" };
                    println!("{:>14}  {verdict:6}  {name}", shell::seconds(*took));
                }
                Row::Note(text) => println!("{:>14}  note    {text}", ""),
            }
        }
        println!("{:>14}          altogether", shell::seconds(total));
    }
}
