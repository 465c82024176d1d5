//! `cargo xtask bench --profile`: the site with workers whose functions keep their names, and the
//! browser tests that profile them.

use std::fs;
use std::io;
use std::path::Path;

use crate::setup::{self, Tools};
use crate::shell::{self, Outcome};

const TARGET: &str = "wasm32-unknown-unknown";
const PROGRAMS: [&str; 2] = ["worker", "trainer"];

/// Builds what is missing, profiles some seconds of embedding and of training, and prints it.
pub fn run(site: Option<&Path>) -> Outcome<()> {
    let tools = setup::for_site()?;
    let site = super::site(site)?;
    let named = shell::target_dir().join("bench").join("named");
    for program in PROGRAMS {
        link_named(&tools, program, &named)?;
    }
    let copy = shell::target_dir().join("bench").join("named-site");
    copy_with(&site, &copy, &named)?;
    super::read_by_people(&copy, "profile::")
}

/// A program's wasm of a release build, linked once more without stripping: only the last step of
/// the build differs, so what is measured is what is shipped.
fn link_named(tools: &Tools, program: &str, out: &Path) -> Outcome<()> {
    println!("Linking the {program} with names (some minutes the first time)");
    let mut rustc = shell::cargo();
    rustc.args(["rustc", "--locked", "--release", "--target", TARGET, "--bin", program]);
    rustc.args(["--", "-C", "strip=none"]);
    shell::run(&mut rustc)?;
    let folder = shell::target_dir().join(TARGET).join("release");
    let built = folder.join(format!("{program}.wasm"));
    let mut bindgen = shell::program("wasm-bindgen");
    bindgen.env("PATH", &tools.path);
    bindgen.args(["--target", "web", "--no-typescript", "--out-name", program, "--out-dir"]);
    shell::run(bindgen.arg(out).arg(&built))
}

/// Copies a site, with the programs' files from elsewhere under their hashed names.
fn copy_with(site: &Path, copy: &Path, named: &Path) -> Outcome<()> {
    let problem = |error| format!("cannot copy the site into {}: {error}", copy.display());
    if copy.exists() {
        fs::remove_dir_all(copy).map_err(problem)?;
    }
    copy_folder(site, copy).map_err(problem)?;
    for program in PROGRAMS {
        let start = format!("{program}-");
        let wasm = fs::read_dir(site)
            .map_err(problem)?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .find(|name| name.starts_with(&start) && name.ends_with("_bg.wasm"))
            .ok_or_else(|| format!("{} holds no {program}", site.display()))?;
        let plain = format!("{program}_bg.wasm");
        fs::copy(named.join(&plain), copy.join(&wasm)).map_err(problem)?;
        let glue = shell::read_text(&named.join(format!("{program}.js")))?.replace(&plain, &wasm);
        shell::write(&copy.join(wasm.replace("_bg.wasm", ".js")), glue)?;
    }
    Ok(())
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
    use super::{PROGRAMS, copy_with};
    use crate::shell::{read_text, target_dir, write};

    #[test]
    fn named_programs_take_the_place_of_the_plain_ones() -> Result<(), String> {
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
            "trainer-3c.js",
            "trainer-3c_bg.wasm",
            "models/a.gguf",
        ] {
            write(&site.join(name), name)?;
        }
        for program in PROGRAMS {
            let glue = format!("import('{program}_bg.wasm')");
            write(&named.join(format!("{program}_bg.wasm")), "named")?;
            write(&named.join(format!("{program}.js")), glue)?;
        }
        copy_with(&site, &copy, &named)?;
        for name in ["worker-1a", "trainer-3c"] {
            assert_eq!(read_text(&copy.join(format!("{name}_bg.wasm")))?, "named");
            let glue = read_text(&copy.join(format!("{name}.js")))?;
            assert_eq!(glue, format!("import('{name}_bg.wasm')"));
        }
        assert_eq!(read_text(&copy.join("worker-boot-2b.js"))?, "worker-boot-2b.js");
        for name in ["index.html", "models/a.gguf"] {
            assert_eq!(read_text(&copy.join(name))?, name);
        }
        std::fs::remove_dir_all(&folder).map_err(|error| error.to_string())
    }
}
