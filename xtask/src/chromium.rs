//! Finding Chromium, or installing it where that is possible.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

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
    install()?;
    find().ok_or_else(|| "Chromium was installed but does not run".to_owned())
}

fn find() -> Option<Chromium> {
    NAMES.iter().find_map(|name| ask(Path::new(name)))
}

fn ask(binary: &Path) -> Option<Chromium> {
    let version = shell::output(Command::new(binary).arg("--version"))?;
    Some(Chromium { binary: binary.to_path_buf(), version: version.trim().to_owned() })
}

fn install() -> Outcome<()> {
    let remedy = "no Chromium found: install Chromium or Chrome, or set CHROME to its path";
    if shell::output(shell::program("apt-get").arg("--version")).is_none() {
        return Err(remedy.to_owned());
    }
    let is_root = shell::output(shell::program("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    let has_sudo = !is_root && shell::output(shell::program("sudo").args(["-n", "true"])).is_some();
    if !is_root && !has_sudo {
        return Err(format!("{remedy} (for example `sudo apt-get install chromium`)"));
    }
    println!("  Chromium: installing it with apt-get");
    let apt = |arguments: &[&str]| {
        let mut command = shell::program(if is_root { "env" } else { "sudo" });
        if has_sudo {
            command.args(["-n", "env"]);
        }
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet", "--yes"]);
        command.args(arguments);
        shell::run(&mut command)
    };
    apt(&["update"])
        .and_then(|()| apt(&["install", "chromium"]))
        .map_err(|why| format!("{remedy} ({why})"))
}
