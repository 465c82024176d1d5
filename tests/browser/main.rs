//! Tests over the built site in headless Chromium, which we steer ourselves through the DevTools
//! protocol. `cargo xtask test --only browser` builds the site and runs them.
//!
//! A test is a journey: it gets a fresh browser and a host of its own.
//!
//! ```ignore
//! #[test]
//! fn default_pair_shows_its_cosine() -> Check {
//!     journey(|browser, site| {
//!         let page = browser.open(&site.url("/"))?;
//!         page.wait_for_text("#cosine", "0.", 60)?;
//!         page.fill("#first", "A man plays the guitar.")?;
//!         page.press("Tab")?;
//!         page.type_text("Someone makes music.")?;
//!         page.wait_for("document.title.includes('ready')", 10, "the title")?;
//!         page.expect_quiet(&site.origin())
//!     })
//! }
//! ```
//!
//! | to | call |
//! |---|---|
//! | set up otherwise | `journey_with(&Setup { mount: "/some/sub/path/", browser: Options { webgpu: true, language: "zh-CN", ..Options::default() }, ..Setup::default() }, ..)` |
//! | open | `browser.open(url)`; prepared: `let page = browser.blank()?; page.viewport(390, 844)?; page.prefer(true, false)?; page.go(url)` |
//! | look | `page.evaluate(js)`, `wait_for(js, s, what)`, `wait_for_element(selector, s)`, `wait_for_text(selector, part, s)`, `text`, `value`, `attribute`, `count`, `screenshot`, `screenshot_full` |
//! | act | `page.click(selector)`, `hover`, `move_to`, `drag`, `fill`, `type_text`, `insert_text`, `press("Shift+Tab")`, `paste`, `clipboard` (after `browser.allow_clipboard(&site.origin())`), `set_files`, `choose_files`, `drop_files`, `reload` |
//! | download | `let (name, bytes) = browser.download(10, \|\| page.click("#csv"))?` |
//! | the worker | `page.worker(s)?.evaluate(js)`, `page.workers()`, `page.helpers()`, `worker.alive()` |
//! | judge | `page.expect_quiet(&site.origin())`, `console()`, `forget_console()`, `requests()`, `page.failure(text)` leaves a screenshot in `target/browser/` |
//! | break the network | `page.offline(true)`, `site.faults(\|it\| it.models_bytes_per_s = Some(1_000_000))` and the other [`server::Faults`], `site.heal()` |
//! | count | `site.tally("models/x.gguf")`, `site.tally_models()`, `site.forget()` |

mod adapters;
mod base64;
mod browser;
mod cdp;
mod check;
mod compare;
mod crew;
mod fine_tune;
mod geometry;
mod geometry_along;
mod golden;
mod gpu;
mod harness;
#[allow(dead_code, reason = "the native tests use more of it")]
#[path = "../hub/mod.rs"]
mod hub;
mod input;
mod journal;
mod journey;
mod lesson;
mod map;
mod models;
mod pace;
mod page;
mod profile;
mod pull;
mod search;
mod server;
mod site;
mod webgpu;
