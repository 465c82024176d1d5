//! The static site.

use std::time::Instant;

use crate::setup::Tools;
use crate::shell::{self, Outcome};

/// Builds the release site into `dist/`.
pub fn build(tools: &Tools) -> Outcome<()> {
    println!("Building the site (a first build takes some minutes)");
    let started = Instant::now();
    let mut trunk = shell::program(&tools.trunk);
    trunk.args(["build", "--release", "--offline"]).env("PATH", &tools.path);
    // Trunk reads NO_COLOR as a switch and refuses the value "1" that others use.
    trunk.env_remove("NO_COLOR");
    shell::run(&mut trunk)?;
    println!("The site is in dist/ after {}", shell::seconds(started.elapsed()));
    Ok(())
}
