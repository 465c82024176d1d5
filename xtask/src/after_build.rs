//! Trunk's post-build hook. It turns what Trunk leaves into a site that a strict
//! Content-Security-Policy lets run and that a host may cache for ever:
//!
//! - the inline module script moves into `boot-HASH.js`;
//! - the files of the workers' programs get names with a hash of their content, written
//!   into meta tags;
//! - the models of `assets/models/` are copied;
//! - `bench.html` is written beside `index.html`.

use std::collections::hash_map::DefaultHasher;
use std::env;
use std::fs;
use std::hash::Hasher;
use std::path::{Path, PathBuf};

use crate::setup;
use crate::shell::{self, Outcome};

const BENCH_TITLE: &str = "SimCSE Lab: bench";

/// Works in the folder that Trunk names.
pub fn run() -> Outcome<()> {
    let staging = folder("TRUNK_STAGING_DIR")?;
    let source = folder("TRUNK_SOURCE_DIR")?;
    let index = staging.join("index.html");
    let html = shell::read_text(&index)?;

    let boot = name_boot(&staging)?;
    let start = |program: &str| format!("{boot}?module={program}.js&amp;wasm={program}_bg.wasm");
    // The worker starts the GPU's program itself.
    let gpu = name_program(&staging, "gpu")?;
    let worker = format!("{}&amp;gpu={gpu}", start(&name_program(&staging, "worker")?));
    let trainer = start(&name_program(&staging, "trainer")?);
    let puller = start(&name_program(&staging, "puller")?);
    let (html, boot) = take_inline_script(&html)?;
    let boot_name = format!("boot-{}.js", content_hash(&[boot.as_bytes()]));
    shell::write(&staging.join(&boot_name), boot)?;
    let script = format!("<script type=\"module\" src=\"./{boot_name}\"></script>");
    let build = format!("{}+{}", setup::locked_version("simcse-lab")?, site_hash(&staging)?);
    let metas = format!(
        "<meta name=\"simcse-build\" content=\"{build}\">\n    \
         <meta name=\"simcse-worker\" content=\"{worker}\">\n    \
         <meta name=\"simcse-trainer\" content=\"{trainer}\">\n    \
         <meta name=\"simcse-puller\" content=\"{puller}\">\n    "
    );
    // The script that starts the worker reads its address.
    let html = insert_before(&html, "<script", &metas)?;
    let html = insert_before(&html, "</head>", &format!("{script}\n  "))?;

    shell::write(&staging.join("bench.html"), with_title(&html, BENCH_TITLE)?)?;
    shell::write(&index, html)?;
    copy_models(&source.join("assets/models"), &staging.join("models"))
}

fn folder(variable: &str) -> Outcome<PathBuf> {
    env::var_os(variable)
        .map(PathBuf::from)
        .ok_or_else(|| format!("{variable} is not set; Trunk runs this command, see Trunk.toml"))
}

/// Renames the script that starts workers.
fn name_boot(staging: &Path) -> Outcome<String> {
    let boot = staging.join("worker-boot.js");
    let name = format!("worker-boot-{}.js", content_hash(&[&read(&boot)?]));
    rename(&boot, &staging.join(&name))?;
    Ok(name)
}

/// Renames the files of a worker's program and gives their new name, without its ending.
fn name_program(staging: &Path, program: &str) -> Outcome<String> {
    let js = staging.join(format!("{program}.js"));
    let plain_wasm = format!("{program}_bg.wasm");
    let wasm = staging.join(&plain_wasm);
    let script = shell::read_text(&js)?;
    let hash = content_hash(&[script.as_bytes(), &read(&wasm)?]);
    let name = format!("{program}-{hash}");
    let wasm_name = format!("{name}_bg.wasm");

    shell::write(&staging.join(format!("{name}.js")), script.replace(&plain_wasm, &wasm_name))?;
    remove(&js)?;
    rename(&wasm, &staging.join(&wasm_name))?;
    Ok(name)
}

/// The page without its inline module script, and that script.
fn take_inline_script(html: &str) -> Outcome<(String, String)> {
    const OPEN: &str = "<script type=\"module\">";
    const CLOSE: &str = "</script>";
    let (before, rest) = html.split_once(OPEN).ok_or("Trunk left no inline module script")?;
    let (script, after) = rest.split_once(CLOSE).ok_or("the inline script has no end")?;
    if after.contains(OPEN) {
        return Err("Trunk left more than one inline module script".to_owned());
    }
    let lines: Vec<&str> = script.lines().filter(|line| !line.trim().is_empty()).collect();
    Ok((format!("{}{}", before.trim_end(), after), lines.join("\n") + "\n"))
}

fn insert_before(html: &str, mark: &str, text: &str) -> Outcome<String> {
    let (before, after) = html.split_once(mark).ok_or_else(|| format!("the page has no {mark}"))?;
    Ok(format!("{}\n    {text}{mark}{after}", before.trim_end()))
}

fn with_title(html: &str, title: &str) -> Outcome<String> {
    let (before, rest) = html.split_once("<title>").ok_or("the page has no <title>")?;
    let (_, after) = rest.split_once("</title>").ok_or("the page's <title> has no end")?;
    Ok(format!("{before}<title>{title}</title>{after}"))
}

/// Copies what a visitor may fetch; notes and sources of the models stay behind.
fn copy_models(from: &Path, to: &Path) -> Outcome<()> {
    if !from.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(to).map_err(|error| format!("cannot make {}: {error}", to.display()))?;
    for path in files(from)? {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if name.starts_with("LICENSE")
            || name == "index.json"
            || has_extension(&path, &["gguf", "md"])
        {
            fs::copy(&path, to.join(name))
                .map_err(|error| format!("cannot copy {}: {error}", path.display()))?;
        }
    }
    Ok(())
}

/// A short hash over all code of the site.
fn site_hash(staging: &Path) -> Outcome<String> {
    let mut code: Vec<PathBuf> =
        files(staging)?.into_iter().filter(|path| has_extension(path, &["wasm", "js"])).collect();
    code.sort();
    let contents = code.iter().map(|path| read(path)).collect::<Outcome<Vec<_>>>()?;
    let slices: Vec<&[u8]> = contents.iter().map(Vec::as_slice).collect();
    Ok(content_hash(&slices).chars().take(8).collect())
}

/// 16 hexadecimal digits; it tells contents apart, it does not protect them.
fn content_hash(parts: &[&[u8]]) -> String {
    let mut hasher = DefaultHasher::new();
    for part in parts {
        hasher.write_usize(part.len());
        hasher.write(part);
    }
    format!("{:016x}", hasher.finish())
}

fn has_extension(path: &Path, wanted: &[&str]) -> bool {
    path.extension().and_then(|extension| extension.to_str()).is_some_and(|it| wanted.contains(&it))
}

fn files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let problem = |error| format!("cannot list {}: {error}", folder.display());
    let entries = fs::read_dir(folder).map_err(problem)?;
    let paths = entries.map(|entry| Ok(entry.map_err(problem)?.path()));
    paths.filter(|path| !path.as_ref().is_ok_and(|path| path.is_dir())).collect()
}

fn read(path: &Path) -> Outcome<Vec<u8>> {
    fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn remove(path: &Path) -> Outcome<()> {
    fs::remove_file(path).map_err(|error| format!("cannot remove {}: {error}", path.display()))
}

fn rename(from: &Path, to: &Path) -> Outcome<()> {
    fs::rename(from, to).map_err(|error| format!("cannot rename {}: {error}", from.display()))
}

#[cfg(test)]
mod tests {
    use super::{content_hash, insert_before, take_inline_script, with_title};

    const PAGE: &str = "<head><title>a</title></head><body>\n<script type=\"module\">\n\
                        import init from './page.js';\n\n\nawait init();\n</script></body>";

    #[test]
    fn inline_script_moves_out_whole() -> Result<(), String> {
        let (html, script) = take_inline_script(PAGE)?;
        assert_eq!(html, "<head><title>a</title></head><body></body>");
        assert_eq!(script, "import init from './page.js';\nawait init();\n");
        assert!(take_inline_script(&html).is_err());
        Ok(())
    }

    #[test]
    fn head_and_title_are_edited_in_place() -> Result<(), String> {
        let html = with_title(&insert_before(PAGE, "</head>", "<meta>")?, "b")?;
        assert!(html.starts_with("<head><title>b</title>\n    <meta></head><body>"));
        Ok(())
    }

    #[test]
    fn hash_sees_where_one_part_ends() {
        assert_ne!(content_hash(&[b"ab", b"c"]), content_hash(&[b"a", b"bc"]));
        assert_eq!(content_hash(&[b"ab"]).len(), 16);
    }
}
