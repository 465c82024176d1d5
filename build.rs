//! For the browser: compiles the relaxed-SIMD module, which the worker carries as bytes, and lets
//! the worker's function table grow, so that the module's functions find a place in it.

use std::env;
use std::error::Error;
use std::path::PathBuf;
use std::process::Command;

const MODULE: &str = "src/simd/relaxed_module.rs";
const LAYOUT: &str = "src/simd/layout.rs";
const SCALE: &str = "src/simd/scale_wasm.rs";

fn main() -> Result<(), Box<dyn Error>> {
    for path in [MODULE, LAYOUT, SCALE, "build.rs"] {
        println!("cargo:rerun-if-changed={path}");
    }
    if env::var("CARGO_CFG_TARGET_ARCH")? != "wasm32" {
        return Ok(());
    }
    println!("cargo:rustc-link-arg-bins=--growable-table");
    let out = PathBuf::from(env::var("OUT_DIR")?).join("relaxed.wasm");
    // A stack of 16 bytes from address 0 on: whatever used it would trap at once instead of
    // writing into the worker's memory.
    let status = Command::new(env::var("RUSTC")?)
        .args(["--edition=2024", "--crate-type=cdylib", "--target=wasm32-unknown-unknown"])
        .args(["-Copt-level=3", "-Cpanic=abort", "-Cstrip=debuginfo"])
        .args(["-Ctarget-feature=+simd128,+relaxed-simd"])
        .args(["-Clink-arg=--import-memory", "-Clink-arg=-zstack-size=16"])
        .args(["-Clink-arg=--stack-first", "-o"])
        .args([out.as_os_str(), MODULE.as_ref()])
        .status()?;
    if status.success() { Ok(()) } else { Err(format!("rustc could not compile {MODULE}").into()) }
}
