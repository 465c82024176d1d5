//! A Vulkan driver for the native GPU tests: a real one, or one that the processor plays.

use std::env;
use std::fs;

use crate::apt;
use crate::shell::Outcome;

/// Where the Vulkan loader looks for drivers.
const FOLDERS: [&str; 3] =
    ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d"];

/// A driver that is there, or one installed now; `Err` says what to do.
pub fn ensure() -> Outcome<()> {
    if is_there() {
        return Ok(());
    }
    apt::install(
        "mesa-vulkan-drivers",
        "no Vulkan driver found: install one, such as Mesa's lavapipe",
    )
}

/// Other systems have Metal or Direct3D 12.
fn is_there() -> bool {
    !cfg!(target_os = "linux")
        || ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"].iter().any(|name| env::var_os(name).is_some())
        || FOLDERS.iter().any(|folder| {
            let mut entries = fs::read_dir(folder).into_iter().flatten().flatten();
            entries.any(|entry| entry.path().extension().is_some_and(|end| end == "json"))
        })
}
