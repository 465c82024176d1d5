//! Installing Debian packages, where that is possible.

use crate::shell::{self, Outcome};

/// Installs a package with apt-get, as root or through sudo. `remedy` is what to do where neither is
/// there; it begins the error.
pub fn install(package: &str, remedy: &str) -> Outcome<()> {
    if shell::output(shell::program("apt-get").arg("--version")).is_none() {
        return Err(remedy.to_owned());
    }
    let is_root = shell::output(shell::program("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    let has_sudo = !is_root && shell::output(shell::program("sudo").args(["-n", "true"])).is_some();
    if !is_root && !has_sudo {
        return Err(format!("{remedy} (for example `sudo apt-get install {package}`)"));
    }
    println!("  {package}: installing it with apt-get");
    let apt = |arguments: &[&str]| {
        let mut command = shell::program(if is_root { "env" } else { "sudo" });
        if has_sudo {
            command.args(["-n", "env"]);
        }
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet", "--yes"]);
        command.args(arguments);
        shell::run(&mut command)
    };
    apt(&["update"])
        .and_then(|()| apt(&["install", package]))
        .map_err(|why| format!("{remedy} ({why})"))
}
