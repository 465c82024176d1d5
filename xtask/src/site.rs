//! The static site.

use std::process::Command;
use std::time::Instant;

use crate::setup::Tools;
use crate::shell::{self, Outcome};

/// Builds the release site into `dist/`.
pub fn build(tools: &Tools) -> Outcome<()> {
    println!("Building the site (a first build takes some minutes)");
    let started = Instant::now();
    shell::run(&mut trunk(tools, "build"))?;
    println!("The site is in dist/ after {}", shell::seconds(started.elapsed()));
    Ok(())
}

/// Trunk with a release profile and without the network: set-up has fetched everything.
pub fn trunk(tools: &Tools, sub_command: &str) -> Command {
    let mut trunk = shell::program(&tools.trunk);
    trunk.args([sub_command, "--release", "--offline"]).env("PATH", &tools.path);
    // Trunk reads NO_COLOR as a switch and refuses the value "1" that others use.
    trunk.env_remove("NO_COLOR");
    // Its own backtrace would hide the compiler's message.
    trunk.env("RUST_BACKTRACE", "0");
    trunk
}
