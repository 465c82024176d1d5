//! `cargo xtask`: everything a developer runs, with its set-up, on a machine that has only rustup,
//! a C compiler and git.

mod after_build;
mod apt;
mod bench;
mod chromium;
mod python;
mod reference;
mod serve;
mod setup;
mod shell;
mod site;
mod size;
mod test;
mod vulkan;

use std::process::ExitCode;

use crate::shell::Outcome;

const HELP: &str = "\
cargo xtask serve [--port N] [--open]   set up, build, and serve the page on this machine
cargo xtask test [--only lint|native|browser]
                                        set up and run every check (or one group of them)
cargo xtask build                       set up and leave the static site in dist/
cargo xtask setup                       set up only
cargo xtask bench [--site DIR] [--rounds N] [--quick]
                                        build the site (or take DIR) and measure it beside other
                                        engines in Chromium; the table goes into README.md
cargo xtask bench --profile [--site DIR]
                                        where the worker's time goes, by function
cargo xtask bench --maps [--site DIR]   how fast maps are made and drawn

`after-build` is Trunk's hook (see Trunk.toml), `announce` a part of `serve`; nobody else needs them.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Outcome<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["serve", rest @ ..] => serve::run(&serve::Options::parse(rest)?),
        ["test", rest @ ..] => test::run(test::Selection::parse(rest)?),
        ["build"] => {
            let tools = setup::for_site()?;
            site::build(&tools)?;
            size::check(&shell::root().join("dist"))
        }
        ["bench", rest @ ..] => bench::run(&bench::Options::parse(rest)?),
        ["setup"] => setup::for_site().map(drop),
        ["announce", port, server] => serve::announce(port, server),
        ["after-build"] => after_build::run(),
        [] | ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        _ => Err(format!("unknown command `{}`\n\n{HELP}", arguments.join(" "))),
    }
}
