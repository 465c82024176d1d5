//! `cargo xtask bench --profile`: the site with a worker whose functions keep their names, and the
//! browser test that profiles it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::chromium;
use crate::setup::{self, Tools};
use crate::shell::{self, Outcome};

const TARGET: &str = "wasm32-unknown-unknown";

/// Builds what is missing, profiles some seconds of embedding and of training, and prints it.
pub fn run(site: Option<&Path>) -> Outcome<()> {
    let tools = setup::for_site()?;
    let site = super::site(site)?;
    let named = named_worker(&tools)?;
    let copy = shell::target_dir().join("bench").join("named-site");
    copy_with(&site, &copy, &named)?;
    let chromium = chromium::ensure()?;
    let mut test = shell::cargo();
    test.args(["test", "--locked", "--test", "browser", "--"]);
    test.args(["--ignored", "--nocapture", "--test-threads=1", "profile::"]);
    test.env("SIMCSE_DIST", &copy).env("SIMCSE_CHROME", &chromium.binary);
    shell::run(&mut test)
}

/// The worker's wasm of a release build, linked once more without stripping: only the last step of
/// the build differs, so what is measured is what is shipped.
fn named_worker(tools: &Tools) -> Outcome<PathBuf> {
    println!("Linking the worker with names (some minutes the first time)");
    let mut rustc = shell::cargo();
    rustc.args(["rustc", "--locked", "--release", "--target", TARGET, "--bin", "worker"]);
    rustc.args(["--", "-C", "strip=none"]);
    shell::run(&mut rustc)?;
    let built = shell::target_dir().join(TARGET).join("release").join("worker.wasm");
    let out = shell::target_dir().join("bench").join("named-worker");
    let mut bindgen = shell::program("wasm-bindgen");
    bindgen.env("PATH", &tools.path);
    bindgen.args(["--target", "web", "--no-typescript", "--out-name", "worker", "--out-dir"]);
    shell::run(bindgen.arg(&out).arg(&built))?;
    Ok(out)
}

/// Copies a site, with the worker's two files from elsewhere under their hashed names.
fn copy_with(site: &Path, copy: &Path, named: &Path) -> Outcome<()> {
    let problem = |error| format!("cannot copy the site into {}: {error}", copy.display());
    if copy.exists() {
        fs::remove_dir_all(copy).map_err(problem)?;
    }
    copy_folder(site, copy).map_err(problem)?;
    let mut names = fs::read_dir(site)
        .map_err(problem)?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let program = names
        .find(|name| name.starts_with("worker-") && name.ends_with("_bg.wasm"))
        .ok_or_else(|| format!("{} holds no worker", site.display()))?;
    fs::copy(named.join("worker_bg.wasm"), copy.join(&program)).map_err(problem)?;
    let glue = shell::read_text(&named.join("worker.js"))?.replace("worker_bg.wasm", &program);
    shell::write(&copy.join(program.replace("_bg.wasm", ".js")), glue)
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &to)?;
        } else {
            fs::copy(&path, &to)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::copy_with;
    use crate::shell::{read_text, target_dir, write};

    #[test]
    fn named_worker_takes_the_place_of_the_plain_one() -> Result<(), String> {
        let folder = target_dir().join("tmp-named-site");
        let [site, named, copy] = ["site", "named", "copy"].map(|name| folder.join(name));
        for folder in [&site.join("models"), &named, &copy] {
            std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        }
        for name in [
            "index.html",
            "worker-1a.js",
            "worker-1a_bg.wasm",
            "worker-boot-2b.js",
            "models/a.gguf",
        ] {
            write(&site.join(name), name)?;
        }
        write(&named.join("worker_bg.wasm"), "named")?;
        write(&named.join("worker.js"), "import('worker_bg.wasm')")?;
        copy_with(&site, &copy, &named)?;
        assert_eq!(read_text(&copy.join("worker-1a_bg.wasm"))?, "named");
        assert_eq!(read_text(&copy.join("worker-1a.js"))?, "import('worker-1a_bg.wasm')");
        assert_eq!(read_text(&copy.join("worker-boot-2b.js"))?, "worker-boot-2b.js");
        for name in ["index.html", "models/a.gguf"] {
            assert_eq!(read_text(&copy.join(name))?, name);
        }
        std::fs::remove_dir_all(&folder).map_err(|error| error.to_string())
    }
}
