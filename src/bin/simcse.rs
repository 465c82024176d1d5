//! `simcse`: convert, inspect and use sentence encoders from the command line.
//!
//! Exit codes: 0 done, 1 failed, 2 not understood.

#[cfg(not(target_arch = "wasm32"))]
mod simcse {
    pub mod arguments;
    pub mod bars;
    pub mod checkpoint;
    pub mod convert;
    pub mod corpus;
    pub mod embed;
    pub mod geometry;
    pub mod info;
    pub mod input;
    pub mod load;
    pub mod map;
    pub mod merge;
    pub mod model;
    pub mod names;
    pub mod npy;
    pub mod postgres;
    pub mod qdrant;
    pub mod quantize;
    pub mod recipe_file;
    pub mod run;
    pub mod search;
    pub mod sink;
    pub mod stream;
    pub mod sts;
    pub mod train;
}

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    use clap::Parser;

    use simcse::arguments::Arguments;
    use simcse::arguments::Command;

    let done = match Arguments::parse().command {
        Command::Convert(options) => simcse::convert::run(&options),
        Command::Pull(options) => simcse::convert::pull(&options),
        Command::Quantize(options) => simcse::quantize::run(&options),
        Command::Info(options) => simcse::info::run(&options),
        Command::Embed(options) => simcse::embed::run(&options),
        Command::Load(options) => simcse::load::run(&options),
        Command::Search(options) => simcse::search::run(&options),
        Command::Sts(options) => simcse::sts::run(&options),
        Command::Geometry(options) => simcse::geometry::run(&options),
        Command::Map(options) => simcse::map::run(&options),
        Command::Merge(options) => simcse::merge::run(&options),
        Command::Train(options) => simcse::train::run(&options),
    };
    match done {
        Ok(()) => std::process::ExitCode::SUCCESS,
        // Whoever reads may have seen enough: `simcse info m.gguf | head -1`.
        Err(error) if is_broken_pipe(&error) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            // One line with its causes; a backtrace would help nobody at a command line.
            eprintln!("simcse: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let cause = error.root_cause().downcast_ref::<std::io::Error>();
    cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

/// The command line does not exist in a browser.
#[cfg(target_arch = "wasm32")]
fn main() {}
