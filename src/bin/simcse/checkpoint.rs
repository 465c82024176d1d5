//! A checkpoint's files on disk, or on a hub.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use indicatif::ProgressBar;
use ureq::Agent;
use ureq::http::Response;

use simcse_lab::catalogue::language::Language;
use simcse_lab::catalogue::problems::explain;
use simcse_lab::intake::drive::Source;
use simcse_lab::intake::hub::{fault_of, range_start};
use simcse_lab::intake::order::{Get, too_long};
use simcse_lab::intake::{Bookmark, Intake};
use simcse_lab::protocol::problem::{HubFault, Problem};
use simcse_lab::weights::error::Error;

/// Bytes that are read at once.
const PART_BYTES: usize = 1 << 20;
/// A broken connection is taken up again so often without a byte in between.
const TRIES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// A server that is silent for so long is lost.
const PATIENCE: Duration = Duration::from_secs(30);

/// What went wrong, for a person at a command line.
#[derive(Debug)]
pub struct Failed(pub anyhow::Error);

/// What a hub said, as long as somebody may want to know.
#[derive(Debug, thiserror::Error)]
#[error("{words}")]
struct Refused {
    fault: Option<HubFault>,
    words: String,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self(error.into())
    }
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        let said = explain(&problem, Language::English);
        let words = format!("{} {}", said.happened, said.remedy);
        let fault = match problem {
            Problem::Hub { fault, .. } => Some(fault),
            _ => None,
        };
        Self(Refused { fault, words }.into())
    }
}

impl From<anyhow::Error> for Failed {
    fn from(error: anyhow::Error) -> Self {
        Self(error)
    }
}

/// Weights files on disk.
pub struct Disk {
    pub paths: Vec<PathBuf>,
    pub bar: ProgressBar,
    open: Option<File>,
}

impl Disk {
    pub fn new(paths: Vec<PathBuf>, bar: ProgressBar) -> Self {
        Self { paths, bar, open: None }
    }

    fn at(&self, file: usize, from: u64) -> anyhow::Result<File> {
        let path = self.paths.get(file).map_or(Path::new(""), PathBuf::as_path);
        let unreadable = || format!("{} cannot be read", path.display());
        let mut open = File::open(path).with_context(unreadable)?;
        open.seek(SeekFrom::Start(from)).with_context(unreadable)?;
        Ok(open)
    }
}

impl Source for Disk {
    type Error = Failed;

    async fn read(&mut self, file: usize, range: Range<u64>) -> Result<Vec<u8>, Failed> {
        let mut bytes = Vec::new();
        let mut part = self.at(file, range.start)?.take(range.end - range.start);
        part.read_to_end(&mut bytes).context("the checkpoint cannot be read")?;
        Ok(bytes)
    }

    async fn begin(&mut self, file: usize, from: u64) -> Result<(), Failed> {
        self.open = Some(self.at(file, from)?);
        Ok(())
    }

    async fn next(&mut self) -> Result<Vec<u8>, Failed> {
        let Some(open) = &mut self.open else { return Ok(Vec::new()) };
        let mut bytes = vec![0; PART_BYTES];
        let count = open.read(&mut bytes).context("the checkpoint cannot be read")?;
        bytes.truncate(count);
        Ok(bytes)
    }

    async fn came(&mut self, done: u64, total: u64) -> Result<(), Failed> {
        show(&self.bar, (done, total));
        Ok(())
    }

    async fn taken(&mut self, intake: &mut Intake) -> Result<(), Failed> {
        show(&self.bar, intake.progress());
        Ok(())
    }
}

fn show(bar: &ProgressBar, (done, total): (u64, u64)) {
    bar.set_length(total);
    bar.set_position(done);
}

/// Weights files on a hub. What was made of them so far is kept in a file beside the one that is made.
pub struct Remote {
    agent: Agent,
    token: Option<String>,
    pub urls: Vec<String>,
    /// Of the files.
    pub sizes: Vec<u64>,
    pub bar: ProgressBar,
    pub keeper: Option<Keeper>,
    body: Option<Box<dyn Read>>,
    file: usize,
    at: u64,
}

impl Remote {
    /// `HF_TOKEN` is sent where it is set, as the Hub's own tools do.
    pub fn new(bar: ProgressBar) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(PATIENCE))
            .build();
        let token = std::env::var("HF_TOKEN").ok().filter(|token| !token.is_empty());
        let (urls, sizes, keeper, body) = Default::default();
        Self { agent: config.into(), token, urls, sizes, bar, keeper, body, file: 0, at: 0 }
    }

    fn request(&self, url: &str, range: Option<&str>) -> anyhow::Result<Response<ureq::Body>> {
        let mut request = self.agent.get(url).header("Accept-Encoding", "identity");
        if let Some(range) = range {
            request = request.header("Range", range);
        }
        if let Some(token) = &self.token {
            request = request.header("Authorization", &format!("Bearer {token}"));
        }
        Ok(request.call()?)
    }

    /// An answer with a body, tried again where the server is away for a moment.
    fn ask(
        &self,
        url: &str,
        name: &str,
        range: Option<&str>,
    ) -> Result<Response<ureq::Body>, Failed> {
        let mut tries = 0;
        loop {
            tries += 1;
            let failed = match self.request(url, range) {
                Ok(response) if response.status().is_success() => return Ok(response),
                Ok(response) => {
                    let status = response.status().as_u16();
                    let waits = response.headers().get("Retry-After");
                    let wait_s = waits.and_then(|wait| wait.to_str().ok()?.parse().ok());
                    match fault_of(status, wait_s) {
                        Some(HubFault::Busy { wait_s }) if tries < TRIES && wait_s <= 120 => {
                            eprintln!("{name}: the server asks to wait {wait_s} seconds");
                            thread::sleep(Duration::from_secs(u64::from(wait_s)));
                            continue;
                        }
                        Some(fault) => {
                            let (name, detail) = (name.to_owned(), String::new());
                            return Err(Problem::Hub { name, fault, detail }.into());
                        }
                        None => anyhow::anyhow!("{url} answers with HTTP {status}"),
                    }
                }
                Err(error) => error.context(format!("{url} cannot be reached")),
            };
            if tries == TRIES {
                return Err(Failed(failed));
            }
            thread::sleep(FIRST_PAUSE * 2_u32.pow(tries - 1));
        }
    }

    /// A part of a file, as much of it as comes.
    fn part(&self, file: usize, range: Range<u64>) -> Result<Vec<u8>, Failed> {
        let url = self.url(file);
        let Range { start, end } = range;
        let asked = format!("bytes={start}-{}", end.saturating_sub(1));
        let mut response = self.ask(&url, &url, Some(&asked))?;
        let skip = bytes_before(&response, start, &url)?;
        let mut reader = response.body_mut().as_reader().take(skip + end - start);
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).with_context(|| format!("{url} breaks off"))?;
        bytes.drain(..bytes.len().min(skip as usize));
        Ok(bytes)
    }

    fn url(&self, file: usize) -> String {
        self.urls.get(file).cloned().unwrap_or_default()
    }

    /// The connection for the bytes from where we are.
    fn connect(&mut self) -> Result<(), Failed> {
        let url = self.url(self.file);
        let response = self.ask(&url, &url, Some(&format!("bytes={}-", self.at)))?;
        let skip = bytes_before(&response, self.at, &url)?;
        let mut reader: Box<dyn Read> = Box::new(response.into_body().into_reader());
        if skip > 0 {
            let skipped = std::io::copy(&mut reader.by_ref().take(skip), &mut std::io::sink());
            skipped.with_context(|| format!("{url} breaks off"))?;
        }
        self.body = Some(reader);
        Ok(())
    }
}

/// How many bytes of an answer come before the one that was asked for: none where the server honours
/// ranges, else all before it.
fn bytes_before(response: &Response<ureq::Body>, from: u64, url: &str) -> anyhow::Result<u64> {
    if response.status().as_u16() != 206 {
        return Ok(from);
    }
    let range = response.headers().get("Content-Range");
    let range = range.and_then(|range| range.to_str().ok()).unwrap_or_default();
    let fits = range_start(range) == Some(from);
    anyhow::ensure!(fits, "{url} sends another part than was asked for ({range})");
    Ok(0)
}

fn is_broken(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some()
}

impl Source for Remote {
    type Error = Failed;

    async fn read(&mut self, file: usize, range: Range<u64>) -> Result<Vec<u8>, Failed> {
        let mut tries = 1;
        loop {
            match self.part(file, range.clone()) {
                Ok(bytes) if bytes.len() as u64 == range.end - range.start => return Ok(bytes),
                // What the server says in words it says again; a broken line may hold the next time.
                Err(Failed(error)) if tries == TRIES || !is_broken(&error) => {
                    return Err(Failed(error));
                }
                Ok(bytes) if tries == TRIES => return Ok(bytes),
                _ => thread::sleep(FIRST_PAUSE * tries),
            }
            tries += 1;
        }
    }

    async fn begin(&mut self, file: usize, from: u64) -> Result<(), Failed> {
        (self.file, self.at, self.body) = (file, from, None);
        Ok(())
    }

    async fn next(&mut self) -> Result<Vec<u8>, Failed> {
        let mut tries = 0;
        loop {
            // Behind the last byte there is nothing to be had.
            if self.is_at_end() {
                return Ok(Vec::new());
            }
            if self.body.is_none() {
                self.connect()?;
            }
            let Some(body) = &mut self.body else { return Ok(Vec::new()) };
            let mut bytes = vec![0; PART_BYTES];
            match body.read(&mut bytes) {
                Ok(0) | Err(_) if tries < TRIES => {
                    tries += 1;
                    self.body = None;
                    thread::sleep(FIRST_PAUSE * tries);
                }
                Ok(0) => return Ok(Vec::new()),
                Ok(count) => {
                    bytes.truncate(count);
                    self.at += count as u64;
                    return Ok(bytes);
                }
                Err(error) => return Err(Failed(error.into())),
            }
        }
    }

    async fn came(&mut self, done: u64, total: u64) -> Result<(), Failed> {
        show(&self.bar, (done, total));
        Ok(())
    }

    async fn taken(&mut self, intake: &mut Intake) -> Result<(), Failed> {
        show(&self.bar, intake.progress());
        if let Some(keeper) = &mut self.keeper {
            keeper.keep(intake)?;
        }
        Ok(())
    }
}

impl Remote {
    fn is_at_end(&self) -> bool {
        self.sizes.get(self.file) == Some(&self.at)
    }
}

impl Get for Remote {
    type Error = Failed;

    async fn get(&mut self, url: &str, name: &str, most_bytes: u64) -> Result<Vec<u8>, Failed> {
        let mut response = self.ask(url, name, None)?;
        let mut bytes = Vec::new();
        let mut reader = response.body_mut().as_reader().take(most_bytes + 1);
        reader.read_to_end(&mut bytes).with_context(|| format!("{url} breaks off"))?;
        if bytes.len() as u64 > most_bytes {
            return Err(too_long(name, most_bytes).into());
        }
        Ok(bytes)
    }

    fn is_absence(Failed(error): &Failed) -> bool {
        let refused: Option<&Refused> = error.downcast_ref();
        refused.and_then(|refused| refused.fault).is_some_and(HubFault::is_absence)
    }

    async fn size(&mut self, url: &str, name: &str) -> Result<u64, Failed> {
        let response = self.ask(url, name, None)?;
        let length = response.headers().get("Content-Length");
        Ok(length.and_then(|length| length.to_str().ok()?.parse().ok()).unwrap_or(0))
    }
}

/// Keeps what was made so far: the file with holes in `OUT.part`, and in `OUT.part.json` what of the
/// checkpoint is in it.
pub struct Keeper {
    path: PathBuf,
    note: PathBuf,
    identity: String,
    open: Option<File>,
    /// Bytes that were taken when it was noted last.
    noted: u64,
}

/// It is noted again after so many bytes.
const NOTE_EVERY: u64 = 16 << 20;

impl Keeper {
    /// For the file at `out`.
    pub fn new(out: &Path, identity: &str) -> Self {
        let beside = |ending: &str| {
            let mut path = out.as_os_str().to_owned();
            path.push(ending);
            PathBuf::from(path)
        };
        let (path, note) = (beside(".part"), beside(".part.json"));
        Self { path, note, identity: identity.to_owned(), open: None, noted: 0 }
    }

    /// Takes up what an earlier run kept of this very checkpoint; from where.
    pub async fn resume(&mut self, intake: &mut Intake) -> Option<u64> {
        let noted = std::fs::read(&self.note).ok()?;
        let (identity, bookmark): (String, Bookmark) = serde_json::from_slice(&noted).ok()?;
        if identity != self.identity {
            return None;
        }
        let mut made = File::open(&self.path).ok()?;
        let read = |range: Range<usize>| {
            let mut bytes = vec![0; range.len()];
            let at = made.seek(SeekFrom::Start(range.start as u64));
            let bytes = at.and_then(|_| made.read_exact(&mut bytes)).ok().map(|()| bytes);
            std::future::ready(bytes)
        };
        if !intake.resume(bookmark, read).await {
            return None;
        }
        self.open = File::options().write(true).open(&self.path).ok();
        Some(intake.progress().0)
    }

    fn keep(&mut self, intake: &mut Intake) -> anyhow::Result<()> {
        let unkept = || format!("{} cannot be written", self.path.display());
        let open = match &mut self.open {
            Some(open) => open,
            None => {
                let made = File::create(&self.path).with_context(unkept)?;
                made.set_len(intake.bytes().len() as u64).with_context(unkept)?;
                self.open.insert(made)
            }
        };
        for range in intake.take_fresh() {
            open.seek(SeekFrom::Start(range.start as u64)).with_context(unkept)?;
            let fresh = intake.bytes().get(range).unwrap_or_default();
            open.write_all(fresh).with_context(unkept)?;
        }
        let done = intake.progress().0;
        if done >= self.noted + NOTE_EVERY {
            let bookmark = intake.bookmark();
            open.sync_data().with_context(unkept)?;
            std::fs::write(&self.note, serde_json::to_vec(&(&self.identity, bookmark))?)?;
            self.noted = done;
        }
        Ok(())
    }

    /// Removes what was kept.
    pub fn remove(&self) {
        // They may never have been written.
        drop(std::fs::remove_file(&self.path));
        drop(std::fs::remove_file(&self.note));
    }
}
