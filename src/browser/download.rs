//! Fetching a model: byte-accurate progress, stop, resume, retry, hash.
//!
//! Bytes go into one vector of the promised size. Where the connection breaks, the next request
//! asks for the rest (HTTP `Range`); a server that ignores this starts again from the first byte.
//! Where the hash of the whole is wrong, the file is fetched once more past the browser's cache.

use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, RequestCache, RequestInit, Response};
use web_time::{Duration, Instant};

use crate::browser::body::Body;
use crate::browser::digest::sha256;
use crate::browser::worker_scope::{describe, scope, unless_stopped};
use crate::protocol::problem::Problem;

/// Progress is told at most this often, and at the beginning and the end.
const PROGRESS_EVERY: Duration = Duration::from_millis(70);

/// A broken connection is tried again so often without progress in between.
const RETRIES: u32 = 3;

/// Before the first retry; doubled each time.
const FIRST_PAUSE_MS: i32 = 500;

/// Less than this is no progress.
const PROGRESS_BYTES: usize = 64 << 10;

/// What is to be fetched.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    pub url: &'a str,
    /// 0: not known beforehand.
    pub size_bytes: u64,
    /// Lower-case hexadecimal; empty: not checked.
    pub sha256: &'a str,
}

/// Who watches a download.
pub trait Watcher {
    /// So many bytes of so many are here; a total of 0 is not known.
    fn progress(&mut self, done_bytes: u64, total_bytes: u64);
    /// These bytes came after all that came before.
    fn arrived(&mut self, bytes: &[u8]);
    /// What came so far was wrong; it begins anew.
    fn restarted(&mut self);
}

/// A download that came to its end.
#[derive(Debug)]
pub struct Fetched {
    pub bytes: Vec<u8>,
    /// Lower-case hexadecimal, of the bytes.
    pub sha256: String,
}

/// A download that did not.
#[derive(Debug)]
pub struct Halted {
    /// `None`: it was stopped on request.
    pub problem: Option<Problem>,
    /// What had arrived, good to resume from.
    pub partial: Vec<u8>,
    /// Its length.
    pub done_bytes: u64,
}

/// Why one attempt ended before the last byte.
enum Break {
    /// May work the next time.
    Lost(String),
    /// Will not work the next time.
    Refused(String),
    /// More bytes than promised.
    TooLong,
    Memory(u64),
}

/// Fetches a file, going on after the bytes in `partial`.
///
/// # Errors
/// [`Halted`], with what had arrived.
pub async fn fetch(
    wanted: Wanted<'_>,
    partial: Vec<u8>,
    signal: &AbortSignal,
    watcher: &mut impl Watcher,
) -> Result<Fetched, Halted> {
    let mut transfer = Transfer::new(wanted, signal, watcher);
    let result = transfer.run(partial).await;
    let Transfer { bytes, .. } = transfer;
    match result {
        Ok(sha256) => Ok(Fetched { bytes, sha256 }),
        Err(problem) => Err(Halted { problem, done_bytes: bytes.len() as u64, partial: bytes }),
    }
}

struct Transfer<'a, W> {
    wanted: Wanted<'a>,
    signal: &'a AbortSignal,
    watcher: &'a mut W,
    bytes: Vec<u8>,
    total_bytes: u64,
    /// The server's name for this version of the file.
    version: Option<String>,
    /// Fetch past the browser's cache.
    reload: bool,
    finished: bool,
    told: Option<Instant>,
}

impl<'a, W: Watcher> Transfer<'a, W> {
    fn new(wanted: Wanted<'a>, signal: &'a AbortSignal, watcher: &'a mut W) -> Self {
        Self {
            wanted,
            signal,
            watcher,
            bytes: Vec::new(),
            total_bytes: wanted.size_bytes,
            version: None,
            reload: false,
            finished: false,
            told: None,
        }
    }

    /// The hash of all bytes; `None` as error where it was stopped.
    async fn run(&mut self, partial: Vec<u8>) -> Result<String, Option<Problem>> {
        self.reserve(self.wanted.size_bytes).map_err(|error| Some(self.problem(error)))?;
        if self.wanted.size_bytes == 0 || partial.len() as u64 <= self.wanted.size_bytes {
            self.bytes.extend_from_slice(&partial);
        } else {
            self.watcher.restarted();
        }
        drop(partial);
        loop {
            self.tell(true);
            let too_long = self.complete().await?;
            self.tell(true);
            let found = sha256(&self.bytes).await;
            let good = self.wanted.sha256.is_empty() || found == self.wanted.sha256;
            if good && !too_long {
                return Ok(found);
            }
            let length = self.bytes.len();
            self.restart();
            if self.reload {
                let expected = self.wanted.sha256.to_owned();
                let found = if too_long { format!("more than {length} bytes") } else { found };
                return Err(Some(Problem::Hash { expected, found }));
            }
            self.reload = true;
        }
    }

    /// Attempts until the last byte is here; `true` if more came than was promised.
    async fn complete(&mut self) -> Result<bool, Option<Problem>> {
        let mut failures = 0;
        while !self.is_complete() {
            let before = self.bytes.len();
            let attempt = self.attempt().await;
            if self.signal.aborted() {
                return Err(None);
            }
            let lost = match attempt {
                Ok(()) if self.is_complete() => break,
                Ok(()) => "the connection ended before the last byte".to_owned(),
                Err(Break::Lost(detail)) => detail,
                Err(Break::TooLong) => return Ok(true),
                Err(error) => return Err(Some(self.problem(error))),
            };
            failures = if self.bytes.len() >= before + PROGRESS_BYTES { 1 } else { failures + 1 };
            if failures > RETRIES {
                return Err(Some(self.problem(Break::Lost(lost))));
            }
            self.pause(FIRST_PAUSE_MS << (failures - 1)).await?;
        }
        Ok(false)
    }

    fn is_complete(&self) -> bool {
        let promised = self.wanted.size_bytes;
        if promised > 0 { self.bytes.len() as u64 >= promised } else { self.finished }
    }

    /// One request; `Ok` where the response's body ended.
    async fn attempt(&mut self) -> Result<(), Break> {
        let init = self.request().map_err(|thrown| Break::Lost(describe(&thrown)))?;
        let sent = scope().fetch_with_str_and_init(self.wanted.url, &init);
        let response =
            JsFuture::from(sent).await.map_err(|thrown| Break::Lost(describe(&thrown)))?;
        let response: Response = response.unchecked_into();
        self.check(&response)?;
        let empty = || Break::Lost("an empty answer".to_owned());
        let mut body = Body::of(&response).ok_or_else(empty)?;
        let outcome = self.drain(&mut body).await;
        if outcome.is_err() {
            // Nobody reads the rest.
            body.cancel().await;
        }
        outcome
    }

    fn request(&self) -> Result<RequestInit, JsValue> {
        let init = RequestInit::new();
        init.set_signal(Some(self.signal));
        if self.reload {
            init.set_cache(RequestCache::Reload);
        }
        if !self.bytes.is_empty() {
            let headers = Headers::new()?;
            headers.set("Range", &format!("bytes={}-", self.bytes.len()))?;
            if let Some(version) = &self.version {
                headers.set("If-Range", version)?;
            }
            init.set_headers(&headers);
        }
        Ok(init)
    }

    /// Looks at status and headers; begins anew where the answer does.
    fn check(&mut self, response: &Response) -> Result<(), Break> {
        let header = |name: &str| response.headers().get(name).ok().flatten();
        match response.status() {
            200 => {
                if !self.bytes.is_empty() {
                    self.restart();
                }
                // A weak tag ("W/...") is no good for If-Range.
                self.version = header("ETag").filter(|tag| tag.starts_with('"'));
                let plain = header("Content-Encoding").is_none_or(|coding| coding == "identity");
                let length = header("Content-Length").and_then(|length| length.parse().ok());
                if self.wanted.size_bytes == 0 && plain {
                    self.total_bytes = length.unwrap_or(0);
                    self.reserve(self.total_bytes)?;
                }
                Ok(())
            }
            206 => {
                let range = header("Content-Range").unwrap_or_default();
                if follows(&range, self.bytes.len() as u64, self.wanted.size_bytes) {
                    return Ok(());
                }
                self.restart();
                Err(Break::Lost(format!("the server sent another part ({range})")))
            }
            416 => {
                self.restart();
                Err(Break::Lost("the server has no such part (416)".to_owned()))
            }
            status @ (408 | 429 | 500..) => Err(Break::Lost(format!("HTTP status {status}"))),
            status => Err(Break::Refused(format!("HTTP status {status}"))),
        }
    }

    async fn drain(&mut self, body: &mut Body) -> Result<(), Break> {
        let lost = |thrown: JsValue| Break::Lost(describe(&thrown));
        loop {
            let Some(chunk) = body.next().await.map_err(lost)? else {
                self.finished = true;
                return Ok(());
            };
            self.take(&chunk)?;
            self.tell(false);
        }
    }

    fn take(&mut self, chunk: &Uint8Array) -> Result<(), Break> {
        let (start, length) = (self.bytes.len(), chunk.length() as usize);
        let promised = self.wanted.size_bytes;
        if promised > 0 && (start + length) as u64 > promised {
            return Err(Break::TooLong);
        }
        let needed_bytes = (start + length) as u64;
        self.bytes.try_reserve(length).map_err(|_| Break::Memory(needed_bytes))?;
        self.bytes.resize(start + length, 0);
        let Some(place) = self.bytes.get_mut(start..) else { return Ok(()) };
        chunk.copy_to(place);
        self.watcher.arrived(place);
        Ok(())
    }

    fn reserve(&mut self, size_bytes: u64) -> Result<(), Break> {
        let memory = Break::Memory(size_bytes);
        let Ok(size) = usize::try_from(size_bytes) else { return Err(memory) };
        self.bytes.try_reserve_exact(size.saturating_sub(self.bytes.len())).map_err(|_| memory)
    }

    fn restart(&mut self) {
        self.bytes.clear();
        self.version = None;
        self.finished = false;
        self.watcher.restarted();
    }

    fn tell(&mut self, always: bool) {
        if always || self.told.is_none_or(|told| told.elapsed() >= PROGRESS_EVERY) {
            self.told = Some(Instant::now());
            let done = self.bytes.len() as u64;
            self.watcher.progress(done, self.total_bytes.max(done));
        }
    }

    /// As [`unless_stopped`].
    async fn pause(&self, time_ms: i32) -> Result<(), Option<Problem>> {
        if unless_stopped(time_ms, self.signal).await { Ok(()) } else { Err(None) }
    }

    fn problem(&self, error: Break) -> Problem {
        let (done_bytes, total_bytes) = (self.bytes.len() as u64, self.total_bytes);
        match error {
            Break::Lost(detail) | Break::Refused(detail) => {
                Problem::Network { detail, done_bytes, total_bytes }
            }
            Break::TooLong => {
                let detail = "more bytes than promised".to_owned();
                Problem::Network { detail, done_bytes, total_bytes }
            }
            Break::Memory(needed_bytes) => Problem::Memory { needed_bytes },
        }
    }
}

/// Whether `Content-Range: bytes start-end/size` goes on where we are, in a file of our size.
fn follows(range: &str, start: u64, promised: u64) -> bool {
    let Some(rest) = range.strip_prefix("bytes ") else { return false };
    let Some((part, size)) = rest.split_once('/') else { return false };
    let from = part.split_once('-').and_then(|(from, _)| from.trim().parse::<u64>().ok());
    let size_fits = match size.trim().parse::<u64>() {
        Ok(size) => promised == 0 || size == promised,
        Err(_) => true,
    };
    from == Some(start) && size_fits
}
