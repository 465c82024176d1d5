//! `cargo xtask serve`: the built app on this machine, rebuilt when a source changes.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::setup;
use crate::shell::{self, Outcome};
use crate::site;

/// What the command line asks for.
pub struct Options {
    port: u16,
    open: bool,
}

impl Options {
    /// Reads `[--port N] [--open]`.
    pub fn parse(words: &[&str]) -> Outcome<Self> {
        let mut options = Self { port: 8080, open: false };
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            match *word {
                "--open" => options.open = true,
                "--port" => {
                    let value = rest.next().ok_or("--port needs a number")?;
                    options.port =
                        value.parse().map_err(|_| format!("`{value}` is no port number"))?;
                }
                other => return Err(format!("serve does not know `{other}`")),
            }
        }
        Ok(options)
    }
}

/// Sets up and serves until interrupted.
pub fn run(options: &Options) -> Outcome<()> {
    let port = options.port;
    if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err() {
        return Err(format!("port {port} is taken; choose another with --port N"));
    }
    let tools = setup::for_site()?;
    println!("Building the page, then serving it (a first build takes some minutes)");
    let mut trunk = site::trunk(&tools, "serve");
    trunk.args(["--port", &port.to_string()]);
    if options.open {
        trunk.arg("--open");
    }
    announce_when_up(port)?;
    become_it(&mut trunk)
}

/// Starts this program once more, as the one that waits for the server (see [`announce`]).
fn announce_when_up(port: u16) -> Outcome<()> {
    let own = std::env::current_exe().map_err(|error| format!("cannot find myself: {error}"))?;
    let mut announcer = shell::program(own);
    announcer.args(["announce", &port.to_string(), &std::process::id().to_string()]);
    announcer.spawn().map(drop).map_err(|error| format!("cannot start myself: {error}"))
}

/// Says where the page is once something listens; gives up when the server's process has ended.
pub fn announce(port: &str, server: &str) -> Outcome<()> {
    let port: u16 = port.parse().map_err(|_| format!("`{port}` is no port number"))?;
    let started = Instant::now();
    while is_child_of(server) {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            let took = shell::seconds(started.elapsed());
            println!(
                "\nSimCSE Lab is at http://127.0.0.1:{port}/ (up after {took}; Ctrl-C ends it)\n"
            );
            break;
        }
        thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

/// Trunk takes this process's place, so that whoever ends it ends the server.
#[cfg(unix)]
fn become_it(trunk: &mut Command) -> Outcome<()> {
    use std::os::unix::process::CommandExt;
    Err(format!("cannot start `trunk serve`: {}", trunk.exec()))
}

#[cfg(not(unix))]
fn become_it(trunk: &mut Command) -> Outcome<()> {
    shell::run(trunk)
}

#[cfg(unix)]
fn is_child_of(process: &str) -> bool {
    std::os::unix::process::parent_id().to_string() == process
}

#[cfg(not(unix))]
fn is_child_of(_process: &str) -> bool {
    true
}
