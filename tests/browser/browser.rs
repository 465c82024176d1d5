//! A Chromium of our own: fresh profile, no window, always ended.

use std::cell::RefCell;
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cdp::Connection;
use crate::check::{Check, Failure, deadline, patient};
use crate::page::Page;

const START_LIMIT_S: u64 = 40;
const CALL_LIMIT_S: u64 = 30;

/// How Chromium is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// WebGPU on SwiftShader; without it there is none.
    pub webgpu: bool,
    /// `navigator.language`
    pub language: &'static str,
    /// As on an older processor, whose relaxed dot product does not take whole bytes: without AVX.
    pub old_processor: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { webgpu: false, language: "en-US", old_processor: false }
    }
}

/// Two cores: a second Chromium would only make both slow.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A running Chromium; dropping it ends the process and deletes its profile. A second one waits
/// until the first is gone, so a test opens several pages, never several browsers.
pub struct Browser {
    process: Child,
    folder: PathBuf,
    connection: Rc<RefCell<Connection>>,
    _turn: MutexGuard<'static, ()>,
}

impl Browser {
    /// Starts the binary and connects.
    pub fn launch(binary: &Path, options: &Options) -> Check<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("simcse-browser-{}-{number}", std::process::id());
        let folder = env::temp_dir().join(name);
        fs::create_dir_all(folder.join("downloads"))?;
        let mut process = start(binary, &folder, options)?;
        let connection = match connect(&mut process, &folder.join("profile")) {
            Ok(connection) => connection,
            Err(failure) => {
                end(&mut process, &folder);
                return Err(failure);
            }
        };
        let connection = Rc::new(RefCell::new(connection));
        let browser = Self { process, folder, connection, _turn: turn };
        browser.call(
            "Browser.setDownloadBehavior",
            json!({
                "behavior": "allow",
                "downloadPath": browser.downloads(),
                "eventsEnabled": true,
            }),
        )?;
        Ok(browser)
    }

    /// Opens a page and waits for its load event.
    pub fn open(&self, url: &str) -> Check<Page> {
        let page = self.blank()?;
        page.go(url)?;
        Ok(page)
    }

    /// An empty page, to be prepared (viewport, colours, offline) before [`Page::go`].
    pub fn blank(&self) -> Check<Page> {
        let target = self.call("Target.createTarget", json!({ "url": "about:blank" }))?;
        let attached = self.call(
            "Target.attachToTarget",
            json!({ "targetId": target["targetId"], "flatten": true }),
        )?;
        let session = attached["sessionId"]
            .as_str()
            .ok_or_else(|| Failure::new("Chromium gave the new page no session"))?;
        Page::attach(Rc::clone(&self.connection), session)
    }

    /// Lets pages of that origin read and write the clipboard without asking.
    pub fn allow_clipboard(&self, origin: &str) -> Check {
        let permissions = ["clipboardReadWrite", "clipboardSanitizedWrite"];
        self.call(
            "Browser.grantPermissions",
            json!({ "origin": origin, "permissions": permissions }),
        )?;
        Ok(())
    }

    /// Waits for the next finished download that `after` begins, and reads the file.
    /// Gives its name and its bytes.
    pub fn download(
        &self,
        limit_s: u64,
        after: impl FnOnce() -> Check,
    ) -> Check<(String, Vec<u8>)> {
        let known = self.connection.borrow().journal.downloads.len();
        after()?;
        let deadline = deadline(limit_s);
        while Instant::now() < deadline {
            let found = self.connection.borrow().journal.downloads.get(known).cloned();
            if let Some(download) = found.filter(|download| download.finished) {
                let bytes = fs::read(self.downloads().join(&download.file_name))?;
                return Ok((download.file_name, bytes));
            }
            self.connection.borrow_mut().listen(Duration::from_millis(50))?;
        }
        Err(Failure::new(format!("no download finished in {limit_s} s")))
    }

    fn downloads(&self) -> PathBuf {
        self.folder.join("downloads")
    }

    fn call(&self, method: &str, parameters: Value) -> Check<Value> {
        self.connection.borrow_mut().call(None, method, parameters, patient(CALL_LIMIT_S))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        end(&mut self.process, &self.folder);
    }
}

/// The browser that the environment names or `PATH` holds.
pub fn find_binary() -> Option<PathBuf> {
    if let Some(named) = env::var_os("SIMCSE_CHROME").or_else(|| env::var_os("CHROME")) {
        return Some(PathBuf::from(named));
    }
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH")?).collect();
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|path| path.is_file())
}

fn start(binary: &Path, folder: &Path, options: &Options) -> Check<Child> {
    let mut command = Command::new(binary);
    command
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg(format!("--lang={}", options.language))
        .arg(format!("--accept-lang={}", options.language))
        .args([
            "--headless=new",
            "--remote-debugging-port=0",
            "--no-sandbox",
            "--no-first-run",
            "--no-default-browser-check",
            "--disable-quic",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--disable-background-timer-throttling",
            "--disable-renderer-backgrounding",
            "--force-device-scale-factor=1",
            "--mute-audio",
            // Whatever asks for another host, a page or Chromium itself, gets no address.
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        ]);
    if options.old_processor {
        command.arg("--js-flags=--no-enable-avx");
    }
    if options.webgpu {
        command.arg("--enable-unsafe-webgpu");
    }
    let log = File::create(folder.join("chromium.log"))?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    // A group of its own, so that its helpers can be ended with it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let said = format!("cannot start {}", binary.display());
    command.arg("about:blank").spawn().map_err(|error| Failure::new(format!("{said}: {error}")))
}

/// Chromium writes its port and path into its profile once it listens.
fn connect(process: &mut Child, profile: &Path) -> Check<Connection> {
    let deadline = deadline(START_LIMIT_S);
    while Instant::now() < deadline {
        let text = fs::read_to_string(profile.join("DevToolsActivePort")).unwrap_or_default();
        if let Some((port, path)) = text.trim_end().split_once('\n') {
            return Connection::open(port.parse()?, path);
        }
        if let Some(status) = process.try_wait()? {
            return Err(Failure::new(format!("Chromium ended at once with {status}")));
        }
        thread::sleep(Duration::from_millis(20));
    }
    Err(Failure::new(format!("Chromium did not listen within {} s", START_LIMIT_S)))
}

/// Ends the process with its helpers. Nothing here may fail a test: it has its verdict by now.
fn end(process: &mut Child, folder: &Path) {
    if cfg!(unix) {
        let group = format!("-{}", process.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
    }
    let _ = process.kill();
    let _ = process.wait();
    let _ = fs::remove_dir_all(folder);
}
