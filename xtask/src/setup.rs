//! Set-up, said step by step: what is there already is left alone.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::shell::{self, Outcome};

const WASM_TARGET: &str = "wasm32-unknown-unknown";
const TRUNK_VERSION: &str = "0.21.14";

/// Where the tools of the site's build are.
pub struct Tools {
    pub trunk: PathBuf,
    /// `PATH` with the private tools first, so that Trunk finds its wasm-bindgen.
    pub path: OsString,
}

/// What serving and building need.
pub fn for_site() -> Outcome<Tools> {
    println!("Set-up (each step is done once; the tools take some minutes the first time)");
    let wasm_bindgen_version = locked_version("wasm-bindgen")?;
    wasm_target("1/4")?;
    let trunk = Tool {
        name: "trunk",
        package: "trunk",
        version: TRUNK_VERSION,
        locked: true,
        opt_level: "1",
    }
    .ensure("2/4")?;
    let wasm_bindgen = Tool {
        name: "wasm-bindgen",
        package: "wasm-bindgen-cli",
        version: &wasm_bindgen_version,
        // Its lock file asks for a crate version that is not to be had everywhere.
        locked: false,
        opt_level: "2",
    }
    .ensure("3/4")?;
    libraries("4/4")?;
    Ok(Tools { path: path_with(&[&wasm_bindgen, &trunk])?, trunk })
}

/// What the checks need beyond [`for_site`].
pub fn formatter_and_linter() -> Outcome<()> {
    for (component, sub_command) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        if shell::output(shell::cargo().args([sub_command, "--version"])).is_none() {
            println!("  {component}: adding it with rustup");
            shell::run(shell::program("rustup").args(["component", "add", component]))?;
        }
    }
    Ok(())
}

fn wasm_target(step: &str) -> Outcome<()> {
    let sysroot = shell::output(shell::program("rustc").args(["--print", "sysroot"]))
        .ok_or("`rustc` does not run; install Rust with rustup")?;
    let installed = Path::new(sysroot.trim()).join("lib/rustlib").join(WASM_TARGET).join("lib");
    if installed.is_dir() {
        println!("  {step} wasm target: already there");
        return Ok(());
    }
    println!("  {step} wasm target: adding {WASM_TARGET} with rustup");
    shell::run(shell::program("rustup").args(["target", "add", WASM_TARGET]))
}

fn libraries(step: &str) -> Outcome<()> {
    let about = shell::output(shell::program("rustc").arg("-vV"));
    let host = about
        .as_deref()
        .and_then(|about| about.lines().find_map(|line| line.strip_prefix("host: ")))
        .ok_or("`rustc -vV` names no host")?;
    let arguments = ["fetch", "--locked", "--target", WASM_TARGET, "--target", host];
    if shell::output(shell::cargo().args(arguments).arg("--offline")).is_some() {
        println!("  {step} libraries: already there");
        return Ok(());
    }
    println!("  {step} libraries: fetching what Cargo.lock names");
    shell::run(shell::cargo().args(arguments))
}

/// A command-line tool of one exact version.
struct Tool<'a> {
    name: &'a str,
    package: &'a str,
    version: &'a str,
    locked: bool,
    opt_level: &'a str,
}

impl Tool<'_> {
    /// Where it is, installed if need be in a folder of ours, so that nobody's own version changes.
    fn ensure(&self, step: &str) -> Outcome<PathBuf> {
        let Self { name, version, .. } = self;
        if self.is_right(Path::new(name)) {
            println!("  {step} {name} {version}: on PATH");
            return Ok(PathBuf::from(name));
        }
        let root = shell::cargo_home()?.join("simcse-lab").join(format!("{name}-{version}"));
        let binary = root.join("bin").join(format!("{name}{}", env::consts::EXE_SUFFIX));
        if self.is_right(&binary) {
            println!("  {step} {name} {version}: already there");
            return Ok(binary);
        }
        println!("  {step} {name} {version}: building it into {}", root.display());
        let started = Instant::now();
        shell::run(&mut self.install(&root))?;
        if !self.is_right(&binary) {
            return Err(format!("{} does not say it is version {version}", binary.display()));
        }
        println!("      {name} built in {}", shell::seconds(started.elapsed()));
        Ok(binary)
    }

    fn install(&self, root: &Path) -> Command {
        let mut cargo = shell::cargo();
        cargo.args(["install", self.package, "--version", self.version, "--root"]).arg(root);
        if self.locked {
            cargo.arg("--locked");
        }
        // They run for seconds a day: compile them fast rather than well.
        cargo
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", self.opt_level);
        cargo
    }

    fn is_right(&self, binary: &Path) -> bool {
        let said = shell::output(Command::new(binary).arg("--version"));
        said.is_some_and(|said| said.split_whitespace().nth(1) == Some(self.version))
    }
}

/// The version of a package that Cargo.lock names.
pub fn locked_version(package: &str) -> Outcome<String> {
    let lock = shell::read_text(&shell::root().join("Cargo.lock"))?;
    version_in(&lock, package).ok_or_else(|| format!("Cargo.lock names no package `{package}`"))
}

fn version_in(lock: &str, package: &str) -> Option<String> {
    let name_line = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name_line);
    let version = lines.nth(1)?.strip_prefix("version = \"")?.strip_suffix('"')?;
    Some(version.to_owned())
}

fn path_with(binaries: &[&Path]) -> Outcome<OsString> {
    let own = binaries.iter().filter_map(|binary| binary.parent()).map(Path::to_path_buf);
    let inherited = env::var_os("PATH").unwrap_or_default();
    let folders =
        own.filter(|folder| !folder.as_os_str().is_empty()).chain(env::split_paths(&inherited));
    env::join_paths(folders).map_err(|error| format!("PATH cannot be extended: {error}"))
}

#[cfg(test)]
mod tests {
    use super::version_in;

    #[test]
    fn version_is_read_from_the_right_entry() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"1.2.3\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(version_in(lock, "wasm-bindgen").as_deref(), Some("0.2.130"));
        assert_eq!(version_in(lock, "wasm"), None);
    }
}
