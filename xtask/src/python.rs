//! Other engines that read what we write, in a Python of their own below `target/`: Arrow, DuckDB, NumPy,
//! and PostgreSQL with pgvector, which the `pgserver` package carries.

use std::path::PathBuf;

use crate::shell;

const PACKAGES: [&str; 4] = ["duckdb>=1,<2", "numpy>=1.26,<3", "pgserver==0.1.4", "pyarrow>=16"];

/// The Python that has them, or why there is none.
pub fn ensure() -> Result<PathBuf, String> {
    let folder = shell::target_dir().join("python");
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let try_them = "import duckdb, numpy, pgserver, pyarrow";
    if shell::output(shell::program(&python).args(["-c", try_them])).is_some() {
        println!("  other engines: already there");
        return Ok(python);
    }
    println!("  other engines: installing {} with pip", PACKAGES.join(", "));
    shell::run(shell::program("python3").args(["-m", "venv"]).arg(&folder))?;
    let mut pip = shell::program(&python);
    pip.env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
    shell::run(pip.args(["-m", "pip", "install", "--quiet"]).args(PACKAGES))?;
    Ok(python)
}
