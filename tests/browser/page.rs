//! One page, as a visitor and as a developer sees it.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::base64;
use crate::cdp::{self, Connection};
use crate::check::{Check, Failure, deadline, ensure, patient};
use crate::journal::{Level, Line, Record, Request, exception_text, text_of};

const CALL_LIMIT_S: u64 = 30;
const LOAD_LIMIT_S: u64 = 30;
/// Tests change what the host answers, which files that the service worker keeps would hide. It runs where the
/// address ends with `?kept`.
const NO_KEPT_FILES: &str = "if (globalThis.ServiceWorkerContainer && location.search !== '?kept') \
    ServiceWorkerContainer.prototype.register = async () => { throw new Error('not in this test'); };";
const POLL: Duration = Duration::from_millis(40);

/// A page. Its input methods are in `input.rs`.
pub struct Page {
    connection: Rc<RefCell<Connection>>,
    session: String,
}

/// A dedicated worker of a page.
pub struct Worker {
    connection: Rc<RefCell<Connection>>,
    session: String,
    pub url: String,
}

impl Page {
    /// Takes the session of a new, empty page.
    pub fn attach(connection: Rc<RefCell<Connection>>, session: &str) -> Check<Self> {
        connection.borrow_mut().journal.begin(session);
        let page = Self { connection, session: session.to_owned() };
        for domain in ["Page", "Runtime", "Network", "Log", "DOM", "Inspector"] {
            page.call(&format!("{domain}.enable"), json!({}))?;
        }
        page.call("Target.setAutoAttach", cdp::auto_attach())?;
        let script = json!({ "source": NO_KEPT_FILES });
        page.call("Page.addScriptToEvaluateOnNewDocument", script)?;
        page.viewport(1280, 900)?;
        Ok(page)
    }

    /// Goes to an address and waits for the load event.
    pub fn go(&self, url: &str) -> Check {
        let loads = self.record().loads;
        let answer = self.call("Page.navigate", json!({ "url": url }))?;
        let error = text_of(&answer, "errorText");
        ensure(error.is_empty(), format!("{url} does not open: {error}"))?;
        note_visit(url)?;
        self.wait_for_load(loads)
    }

    /// Loads the page again, as F5 does.
    pub fn reload(&self) -> Check {
        let loads = self.record().loads;
        self.call("Page.reload", json!({}))?;
        self.wait_for_load(loads)
    }

    fn wait_for_load(&self, before: u32) -> Check {
        let deadline = deadline(LOAD_LIMIT_S);
        while Instant::now() < deadline {
            if self.record().loads > before {
                return Ok(());
            }
            self.pause(POLL)?;
        }
        Err(self.failure(&format!("no load event within {} s", LOAD_LIMIT_S)))
    }

    /// The value of an expression; a promise is awaited.
    pub fn evaluate(&self, expression: &str) -> Check<Value> {
        evaluate(&self.connection, &self.session, expression, CALL_LIMIT_S)
    }

    /// [`Page::evaluate`] for what takes longer than 30 s.
    pub fn evaluate_within(&self, limit_s: u64, expression: &str) -> Check<Value> {
        evaluate(&self.connection, &self.session, expression, limit_s)
    }

    /// Asks again and again until the expression is truthy; gives its value. `what` completes
    /// "waited 60 s for ...". A failure leaves a screenshot and carries the console. The limit is
    /// what a quiet machine surely needs; see [`patient`].
    pub fn wait_for(&self, expression: &str, limit_s: u64, what: &str) -> Check<Value> {
        let asked = format!("(async () => (await ({expression})) || null)()");
        let deadline = deadline(limit_s);
        let mut last_error = None;
        while Instant::now() < deadline {
            match self.evaluate(&asked) {
                Ok(Value::Null) => last_error = None,
                Ok(value) => return Ok(value),
                Err(error) => last_error = Some(error),
            }
            ensure(!self.record().crashed, "the page crashed")?;
            self.pause(POLL)?;
        }
        let why = last_error.map(|error| format!("; the last try threw: {error}"));
        let why = why.unwrap_or_default();
        Err(self.failure(&format!("waited {limit_s} s for {what}\n  {expression}{why}")))
    }

    /// Waits until the selector matches something.
    pub fn wait_for_element(&self, selector: &str, limit_s: u64) -> Check {
        let expression = format!("document.querySelector({}) !== null", quote(selector));
        self.wait_for(&expression, limit_s, selector).map(drop)
    }

    /// Waits until the element's text contains `part`; gives the text.
    pub fn wait_for_text(&self, selector: &str, part: &str, limit_s: u64) -> Check<String> {
        let expression = format!(
            "[document.querySelector({})].map((it) => it?.innerText ?? it?.textContent)\
             .find((text) => text?.includes({}))",
            quote(selector),
            quote(part)
        );
        let what = format!("{part:?} in {selector}");
        let text = self.wait_for(&expression, limit_s, &what)?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// The visible text of the first match; of SVG, which knows no visibility, all its text.
    pub fn text(&self, selector: &str) -> Check<String> {
        let it = element(selector);
        let text = self.evaluate(&format!("((it) => it.innerText ?? it.textContent)({it})"))?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// The value of the first matching field.
    pub fn value(&self, selector: &str) -> Check<String> {
        let value = self.of_element(selector, "value")?;
        let text = value.as_str().map(str::to_owned);
        text.ok_or_else(|| Failure::new(format!("{selector} is no field with a value")))
    }

    /// The attribute of the first match, or `None` where it has none.
    pub fn attribute(&self, selector: &str, name: &str) -> Check<Option<String>> {
        let getter = format!("getAttribute({})", quote(name));
        Ok(self.of_element(selector, &getter)?.as_str().map(str::to_owned))
    }

    /// How many elements match.
    pub fn count(&self, selector: &str) -> Check<u64> {
        let list = format!("document.querySelectorAll({}).length", quote(selector));
        Ok(self.evaluate(&list)?.as_u64().unwrap_or_default())
    }

    fn of_element(&self, selector: &str, property: &str) -> Check<Value> {
        self.evaluate(&format!("{}.{property}", element(selector)))
    }

    /// Waits that long while events are read.
    pub fn pause(&self, span: Duration) -> Check {
        self.connection.borrow_mut().listen(span)
    }

    /// The size of the window's content, in CSS pixels. Under 600 wide it is a phone with touch.
    pub fn viewport(&self, width: u32, height: u32) -> Check {
        let mobile = width < 600;
        self.call(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile }),
        )?;
        Ok(())
    }

    /// What the visitor's system asks for.
    pub fn prefer(&self, dark: bool, reduced_motion: bool) -> Check {
        let colours = if dark { "dark" } else { "light" };
        let motion = if reduced_motion { "reduce" } else { "no-preference" };
        let features = json!([
            { "name": "prefers-color-scheme", "value": colours },
            { "name": "prefers-reduced-motion", "value": motion },
        ]);
        self.call("Emulation.setEmulatedMedia", json!({ "features": features }))?;
        Ok(())
    }

    /// Takes the network away from the page and its workers, or gives it back.
    pub fn offline(&self, offline: bool) -> Check {
        let conditions = json!({
            "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1,
        });
        self.call("Network.emulateNetworkConditions", conditions).map(drop)
    }

    /// Lets a site store no more than that many bytes.
    pub fn limit_storage(&self, origin: &str, bytes: u64) -> Check {
        let parameters = json!({ "origin": origin, "quotaSize": bytes });
        self.call("Storage.overrideQuotaForOrigin", parameters).map(drop)
    }

    /// A picture of what is in view, as a PNG.
    pub fn screenshot(&self, path: &Path) -> Check {
        self.capture(path, false)
    }

    /// A picture of the whole page, as a PNG.
    pub fn screenshot_full(&self, path: &Path) -> Check {
        self.capture(path, true)
    }

    fn capture(&self, path: &Path, whole: bool) -> Check {
        let parameters = json!({ "format": "png", "captureBeyondViewport": whole });
        let answer = self.call("Page.captureScreenshot", parameters)?;
        let bytes = base64::decode(text_of(&answer, "data"))
            .ok_or_else(|| Failure::new("the screenshot is not base64"))?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(fs::write(path, bytes)?)
    }

    /// The worker that runs, once there is one.
    pub fn worker(&self, limit_s: u64) -> Check<Worker> {
        let deadline = deadline(limit_s);
        while Instant::now() < deadline {
            if let Some(worker) = self.workers().pop() {
                return Ok(worker);
            }
            self.pause(POLL)?;
        }
        Err(self.failure(&format!("waited {limit_s} s for a worker")))
    }

    /// The page's own workers that run, oldest first.
    pub fn workers(&self) -> Vec<Worker> {
        self.running(false)
    }

    /// Workers that the page's own workers started to help them, and that run, oldest first.
    pub fn helpers(&self) -> Vec<Worker> {
        self.running(true)
    }

    fn running(&self, helps: bool) -> Vec<Worker> {
        let workers = self.record().workers.into_iter();
        workers
            .filter(|worker| worker.alive && worker.helps == helps)
            .map(|entry| Worker {
                connection: Rc::clone(&self.connection),
                session: entry.session,
                url: entry.url,
            })
            .collect()
    }

    /// Waits until so many workers run: one that was ended is still there for a moment.
    pub fn wait_for_workers(&self, count: usize, limit_s: u64) -> Check {
        let deadline = deadline(limit_s);
        while self.workers().len() != count {
            let what = format!("waited {limit_s} s for {count} workers");
            ensure(Instant::now() < deadline, what)?;
            self.pause(POLL)?;
        }
        Ok(())
    }

    /// Console lines and uncaught exceptions so far, of the page and its workers.
    pub fn console(&self) -> Vec<Line> {
        self.record().console
    }

    /// Forgets the console so far, for tests in which an error is expected.
    pub fn forget_console(&self) {
        self.connection.borrow_mut().journal.page_mut(&self.session).console.clear();
    }

    /// All requests so far, of the page and its workers.
    pub fn requests(&self) -> Vec<Request> {
        self.record().requests
    }

    /// Fails on any console warning or error, uncaught exception, or request to another host.
    pub fn expect_quiet(&self, site: &str) -> Check {
        self.pause(POLL)?;
        // Chromium says that where it offers no GPU, whoever asks.
        let of_gpu = |line: &Line| line.text.contains("No available adapters");
        let loud = self.console().into_iter().filter(|line| line.level >= Level::Warning);
        let loud = loud.filter(|line| !of_gpu(line));
        let strangers = self.requests().into_iter().filter(|request| {
            let own = [site, "data:", "blob:", "about:"];
            !own.iter().any(|start| request.url.starts_with(start))
        });
        let complaints: Vec<String> = loud
            .map(|line| show(&line))
            .chain(strangers.map(|request| format!("a request to {}", request.url)))
            .collect();
        if complaints.is_empty() {
            return Ok(());
        }
        Err(self.failure(&format!("the page is not quiet:\n  {}", complaints.join("\n  "))))
    }

    /// A failure that leaves a screenshot and carries the end of the console.
    pub fn failure(&self, text: &str) -> Failure {
        let name: String =
            text.chars().take(60).map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
        let path = output_folder().join(format!("{name}.png"));
        let picture = match self.screenshot(&path) {
            Ok(()) => format!("\n  screenshot: {}", path.display()),
            Err(error) => format!("\n  (no screenshot: {error})"),
        };
        let console = self.console();
        let tail = console.iter().rev().take(12).rev().map(show);
        let lines: String = tail.map(|line| format!("\n  | {line}")).collect();
        let failed = self.requests().into_iter().filter(|request| {
            request.error.is_some() || request.status.is_some_and(|status| status >= 400)
        });
        let failed: String = failed
            .map(|it| format!("\n  request {} {:?} {:?}", it.url, it.status, it.error))
            .collect();
        let words = "document.body.innerText.replace(/\\s+/g, ' ').slice(0, 900)";
        let shown = self.evaluate(words).ok();
        let shown = shown.as_ref().and_then(Value::as_str).unwrap_or("nothing that can be read");
        let loads = self.record().loads;
        Failure::new(format!(
            "{text}{picture}\n  shown after {loads} loads: {shown}{failed}{lines}"
        ))
    }

    pub(crate) fn call(&self, method: &str, parameters: Value) -> Check<Value> {
        self.connection.borrow_mut().call(
            Some(&self.session),
            method,
            parameters,
            patient(CALL_LIMIT_S),
        )
    }

    pub(crate) fn record(&self) -> Record {
        self.connection.borrow().journal.page(&self.session)
    }

    pub(crate) fn forget_chooser(&self) {
        self.connection.borrow_mut().journal.page_mut(&self.session).chooser = None;
    }
}

impl Worker {
    /// The value of an expression in the worker; a promise is awaited.
    pub fn evaluate(&self, expression: &str) -> Check<Value> {
        evaluate(&self.connection, &self.session, expression, CALL_LIMIT_S)
    }

    pub(crate) fn call(&self, method: &str, parameters: Value) -> Check<Value> {
        self.connection.borrow_mut().call(
            Some(&self.session),
            method,
            parameters,
            patient(CALL_LIMIT_S),
        )
    }

    /// Whether it still runs.
    pub fn alive(&self) -> bool {
        self.connection.borrow().journal.worker_alive(&self.session)
    }
}

/// The folder of screenshots and logs.
pub fn output_folder() -> PathBuf {
    let own = Path::new(env!("CARGO_TARGET_TMPDIR"));
    own.parent().unwrap_or(own).join("browser")
}

/// Writes a file for a page to pick, and gives its path.
pub fn output_file(name: &str, bytes: &[u8]) -> Check<PathBuf> {
    let folder = output_folder().join("picked");
    let path = folder.join(name);
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&path, bytes))
        .map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
    Ok(path)
}

/// JavaScript text of a string.
pub fn quote(text: &str) -> String {
    Value::from(text).to_string()
}

/// A JavaScript expression for the first match, which throws where there is none.
pub fn element(selector: &str) -> String {
    format!(
        "((s) => document.querySelector(s) ?? \
         (() => {{ throw new Error(`nothing matches ${{s}}`) }})())({})",
        quote(selector)
    )
}

fn evaluate(
    connection: &RefCell<Connection>,
    session: &str,
    expression: &str,
    limit_s: u64,
) -> Check<Value> {
    let parameters = json!({
        "expression": expression,
        "awaitPromise": true,
        "returnByValue": true,
        "userGesture": true,
    });
    let answer = connection.borrow_mut().call(
        Some(session),
        "Runtime.evaluate",
        parameters,
        patient(limit_s),
    )?;
    if answer.get("exceptionDetails").is_some() {
        return Err(Failure::new(exception_text(&answer)));
    }
    Ok(answer.pointer("/result/value").cloned().unwrap_or_default())
}

/// `cargo xtask test` counts these lines, so that tests that skip cannot pass for tests that ran.
fn note_visit(url: &str) -> Check {
    use std::io::Write;
    let Some(log) = std::env::var_os("SIMCSE_VISITS_LOG") else { return Ok(()) };
    let mut file = fs::OpenOptions::new().create(true).append(true).open(log)?;
    Ok(writeln!(file, "{url}")?)
}

fn show(line: &Line) -> String {
    let place = if line.from_worker { "worker" } else { "page" };
    format!("{place} {:?}: {}", line.level, line.text)
}
