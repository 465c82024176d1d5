//! Finding Chromium, or installing it where that is possible.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::apt;
use crate::shell::{self, Outcome};

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// A browser, and what it says its version is.
pub struct Chromium {
    pub binary: PathBuf,
    pub version: String,
}

/// The browser that `CHROME` names, one on `PATH`, or one installed now; `Err` says what to do.
pub fn ensure() -> Outcome<Chromium> {
    if let Some(named) = env::var_os("CHROME") {
        return ask(Path::new(&named))
            .ok_or_else(|| format!("CHROME names {}, which does not run", named.display()));
    }
    if let Some(found) = find() {
        return Ok(found);
    }
    apt::install(
        "chromium",
        "no Chromium found: install Chromium or Chrome, or set CHROME to its path",
    )?;
    find().ok_or_else(|| "Chromium was installed but does not run".to_owned())
}

fn find() -> Option<Chromium> {
    NAMES.iter().find_map(|name| ask(Path::new(name)))
}

fn ask(binary: &Path) -> Option<Chromium> {
    let version = shell::output(Command::new(binary).arg("--version"))?;
    Some(Chromium { binary: binary.to_path_buf(), version: version.trim().to_owned() })
}
