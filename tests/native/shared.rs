//! Where the data for tests that is not part of the repository lies.

use std::path::PathBuf;

/// A path below the shared data, if it is there; says so if it is not.
pub fn data(path: &str) -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let root = std::env::var_os("SIMCSE_SHARED").map_or(beside, PathBuf::from);
    let found = Some(root.join("data").join(path)).filter(|path| path.exists());
    if found.is_none() {
        println!("skipped: no shared data");
    }
    found
}
