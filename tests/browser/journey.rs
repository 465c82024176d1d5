//! The frame of a browser test: it finds the site and Chromium, or skips.

use std::env;
use std::path::PathBuf;

use crate::browser::{self, Browser, Options};
use crate::check::{Check, Failure};
use crate::page::Page;
use crate::server::Site;

/// How a journey is set up.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Where the site lies on its host.
    pub mount: &'static str,
    pub browser: Options,
}

impl Default for Setup {
    fn default() -> Self {
        Self { mount: "/", browser: Options::default() }
    }
}

/// Runs a test with a fresh browser and the site at the root of a host.
pub fn journey(body: impl FnOnce(&Browser, &Site) -> Check) -> Check {
    journey_with(&Setup::default(), body)
}

/// [`journey`] with another set-up.
pub fn journey_with(setup: &Setup, body: impl FnOnce(&Browser, &Site) -> Check) -> Check {
    let (Some(dist), Some(binary)) = (dist()?, chromium()?) else { return Ok(()) };
    let site = Site::serve(&dist, setup.mount)?;
    let browser = Browser::launch(&binary, &setup.browser)?;
    body(&browser, &site)
}

/// From the next load on, a program of the page's workers begins with this script: the worker's own
/// (`module`) or the GPU's (`gpu`), as the worker's address names them.
pub fn begin_program(page: &Page, site: &Site, program: &str, script: &str) -> Check {
    let address = "document.querySelector('meta[name=simcse-worker]').content";
    let name = page.evaluate(&format!("({address}).match(/{program}=([^&.]+)/)[1]"))?;
    let glue = format!("{}.js", name.as_str().unwrap_or_default());
    let plain = page.evaluate(&format!("fetch('./{glue}').then((it) => it.text())"))?;
    let content = format!("{script}\n{}", plain.as_str().unwrap_or_default());
    site.faults(|faults| {
        faults.content.insert(glue, content.into_bytes());
    });
    Ok(())
}

/// The built site, or nothing where the test skips.
pub fn dist() -> Check<Option<PathBuf>> {
    let dist = env::var_os("SIMCSE_DIST").map(PathBuf::from);
    match dist.filter(|dist| dist.join("index.html").is_file()) {
        Some(dist) => Ok(Some(dist)),
        None => skip("no built site (SIMCSE_DIST; `cargo xtask test --only browser` builds it)"),
    }
}

/// Chromium's binary, or nothing where the test skips.
pub fn chromium() -> Check<Option<PathBuf>> {
    match browser::find_binary() {
        Some(binary) => Ok(Some(binary)),
        None => skip("no Chromium"),
    }
}

fn skip(why: &str) -> Check<Option<PathBuf>> {
    if env::var("CI").is_ok_and(|value| value == "true" || value == "1") {
        return Err(Failure::new(format!("{why}, and in CI nothing may be skipped")));
    }
    println!("skipped: {why}");
    Ok(None)
}
