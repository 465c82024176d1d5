//! Files of a hub, or on the visitor's disk, as `intake::drive` reads them: in order, in parts, taken up
//! again where a connection breaks.

use std::ops::Range;

use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Blob, Headers, RequestInit, Response};
use web_time::{Duration, Instant};

use crate::browser::body::Body;
use crate::browser::keeper::Keeper;
use crate::browser::worker_scope::{describe, scope, unless_stopped};
use crate::intake::Intake;
use crate::intake::drive::Source;
use crate::intake::hub::{fault_of, range_start};
use crate::intake::order::{Get, too_long};
use crate::protocol::problem::{HubFault, Problem};
use crate::weights::error::Error;

/// A broken connection is taken up again so often without a byte in between.
const RETRIES: u32 = 4;
const FIRST_PAUSE_MS: i32 = 500;
/// A hub that asks to wait longer is not waited for.
const LONGEST_WAIT_S: u32 = 20;
/// Files on disk are read in such parts.
const PART_BYTES: u64 = 1 << 20;
/// Progress is told at most this often.
const TELL_EVERY: Duration = Duration::from_millis(70);

/// Why fetching ended.
#[derive(Debug)]
pub enum Halt {
    /// On request.
    Stopped,
    Problem(Problem),
}

impl From<Problem> for Halt {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Problem(Problem::from(&error))
    }
}

/// Where a file is.
#[derive(Debug, Clone)]
pub enum Place {
    Address(String),
    Disk(Blob),
}

/// The files of a checkpoint.
pub struct Fetching<'a, P> {
    pub places: Vec<Place>,
    /// Of the files.
    pub sizes: Vec<u64>,
    /// Where what was made is kept while it grows.
    pub keeper: Option<Keeper>,
    signal: &'a AbortSignal,
    /// Hears of bytes taken, and all.
    tell: P,
    told: Option<Instant>,
    body: Option<Body>,
    file: usize,
    at: u64,
}

impl<'a, P: Fn(u64, u64)> Fetching<'a, P> {
    /// Nothing is fetched yet.
    pub fn new(signal: &'a AbortSignal, tell: P) -> Self {
        let (places, sizes, keeper, told, body) = Default::default();
        Self { places, sizes, keeper, signal, tell, told, body, file: 0, at: 0 }
    }

    /// An answer that went well; what cannot is said at once, what may is tried again.
    async fn ask(&self, url: &str, name: &str, range: Option<String>) -> Result<Response, Halt> {
        let mut failures = 0;
        loop {
            let answer = self.request(url, range.as_deref()).await;
            if self.signal.aborted() {
                return Err(Halt::Stopped);
            }
            let detail = match answer {
                Ok(response) if response.ok() => return Ok(response),
                Ok(response) => {
                    let wait = response.headers().get("Retry-After").ok().flatten();
                    let wait_s = wait.and_then(|wait| wait.parse().ok());
                    match fault_of(response.status(), wait_s) {
                        Some(HubFault::Busy { wait_s })
                            if wait_s <= LONGEST_WAIT_S && failures < RETRIES =>
                        {
                            failures += 1;
                            self.pause(wait_s.cast_signed() * 1000).await?;
                            continue;
                        }
                        Some(fault) => {
                            let (name, detail) = (name.to_owned(), String::new());
                            return Err(Problem::Hub { name, fault, detail }.into());
                        }
                        None => format!("{name}: HTTP status {}", response.status()),
                    }
                }
                Err(thrown) => format!("{name}: {}", describe(&thrown)),
            };
            failures += 1;
            if failures > RETRIES {
                return Err(self.lost(detail));
            }
            self.pause(FIRST_PAUSE_MS << (failures - 1)).await?;
        }
    }

    async fn request(&self, url: &str, range: Option<&str>) -> Result<Response, JsValue> {
        let init = RequestInit::new();
        init.set_signal(Some(self.signal));
        if let Some(range) = range {
            let headers = Headers::new()?;
            headers.set("Range", range)?;
            init.set_headers(&headers);
        }
        let sent = scope().fetch_with_str_and_init(url, &init);
        Ok(JsFuture::from(sent).await?.unchecked_into())
    }

    fn lost(&self, detail: String) -> Halt {
        let before: u64 = self.sizes.iter().take(self.file).sum();
        let total_bytes = self.sizes.iter().sum();
        Problem::Network { detail, done_bytes: before + self.at, total_bytes }.into()
    }

    /// As [`unless_stopped`].
    async fn pause(&self, time_ms: i32) -> Result<(), Halt> {
        if unless_stopped(time_ms, self.signal).await { Ok(()) } else { Err(Halt::Stopped) }
    }

    /// A part of a file, as much of it as comes.
    async fn part(&self, url: &str, range: Range<u64>) -> Result<Vec<u8>, Halt> {
        let Range { start, end } = range;
        let asked = format!("bytes={start}-{}", end.saturating_sub(1));
        let response = self.ask(url, &short(url), Some(asked)).await?;
        let mut skip = before(&response, start).map_err(|detail| self.lost(detail))?;
        let mut body = self.body_of(&response)?;
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < end - start {
            // What breaks off is asked for again.
            let Ok(Some(mut came)) = chunk(&mut body).await else { break };
            if self.signal.aborted() {
                return Err(Halt::Stopped);
            }
            let now = skip.min(came.len() as u64);
            came.drain(..now as usize);
            skip -= now;
            bytes.append(&mut came);
        }
        bytes.truncate((end - start) as usize);
        // A server without ranges would send on.
        body.cancel().await;
        Ok(bytes)
    }

    fn body_of(&self, response: &Response) -> Result<Body, Halt> {
        Body::of(response).ok_or_else(|| self.lost("an empty answer".to_owned()))
    }

    fn place(&self, file: usize) -> Result<Place, Halt> {
        let none = || Problem::Internal { detail: format!("there is no file {file}") };
        Ok(self.places.get(file).cloned().ok_or_else(none)?)
    }

    /// The rest of a file from where we are, past what a server without ranges sends before it.
    async fn connect(&mut self, url: &str) -> Result<(), Halt> {
        let response = self.ask(url, &short(url), Some(format!("bytes={}-", self.at))).await?;
        let mut skip = before(&response, self.at).map_err(|detail| self.lost(detail))?;
        let mut body = self.body_of(&response)?;
        while skip > 0 {
            match chunk(&mut body).await {
                Ok(Some(bytes)) if bytes.len() as u64 <= skip => skip -= bytes.len() as u64,
                // A part that goes over the border would have to be kept: ask again from there.
                Ok(Some(_) | None) | Err(_) => {
                    return Err(self.lost("the server gives no parts of files".to_owned()));
                }
            }
        }
        self.body = Some(body);
        Ok(())
    }

    async fn next_of_address(&mut self, url: &str) -> Result<Vec<u8>, Halt> {
        let size = self.sizes.get(self.file).copied().unwrap_or(0);
        let mut failures = 0;
        loop {
            if self.at >= size {
                return Ok(Vec::new());
            }
            if self.body.is_none() {
                self.connect(url).await?;
            }
            let Some(body) = &mut self.body else { return Ok(Vec::new()) };
            let came = chunk(body).await;
            if self.signal.aborted() {
                return Err(Halt::Stopped);
            }
            let detail = match came {
                Ok(Some(bytes)) => {
                    self.at += bytes.len() as u64;
                    return Ok(bytes);
                }
                Ok(None) => "the connection ended before the last byte".to_owned(),
                Err(thrown) => describe(&thrown),
            };
            self.body = None;
            failures += 1;
            if failures > RETRIES {
                return Err(self.lost(detail));
            }
            self.pause(FIRST_PAUSE_MS << (failures - 1)).await?;
        }
    }
}

/// A file's name at the end of its address.
fn short(url: &str) -> String {
    url.split(['?', '#']).next().unwrap_or(url).rsplit('/').next().unwrap_or(url).to_owned()
}

/// How many bytes of an answer come before the one that was asked for.
fn before(response: &Response, from: u64) -> Result<u64, String> {
    if response.status() != 206 {
        return Ok(from);
    }
    let range = response.headers().get("Content-Range").ok().flatten();
    // A hub on another host may keep the header to itself.
    let Some(range) = range else { return Ok(0) };
    if range_start(&range) == Some(from) {
        Ok(0)
    } else {
        Err(format!("the server sent another part ({range})"))
    }
}

/// The next bytes of a body; `None` at its end.
async fn chunk(body: &mut Body) -> Result<Option<Vec<u8>>, JsValue> {
    Ok(body.next().await?.map(|bytes| bytes.to_vec()))
}

/// A part of a file on disk.
///
/// # Errors
/// [`Halt`] where it cannot be read.
pub async fn slice(blob: &Blob, range: Range<u64>) -> Result<Vec<u8>, Halt> {
    let unreadable = |thrown: JsValue| {
        let detail = describe(&thrown);
        Halt::from(Problem::Unreadable { name: None, detail })
    };
    let part = blob.slice_with_f64_and_f64(range.start as f64, range.end as f64);
    let buffer = JsFuture::from(part.map_err(unreadable)?.array_buffer()).await;
    Ok(Uint8Array::new(&buffer.map_err(unreadable)?).to_vec())
}

/// The file that an object URL stands for.
///
/// # Errors
/// [`Halt`] where it is gone.
pub async fn disk_file(url: &str, path: &str) -> Result<Blob, Halt> {
    let gone = |thrown: JsValue| {
        let (name, detail) = (Some(path.to_owned()), describe(&thrown));
        Halt::from(Problem::Unreadable { name, detail })
    };
    let response = JsFuture::from(scope().fetch_with_str(url)).await.map_err(gone)?;
    let response: Response = response.unchecked_into();
    let blob = JsFuture::from(response.blob().map_err(gone)?).await.map_err(gone)?;
    Ok(blob.unchecked_into())
}

impl<P: Fn(u64, u64)> Source for Fetching<'_, P> {
    type Error = Halt;

    async fn read(&mut self, file: usize, range: Range<u64>) -> Result<Vec<u8>, Halt> {
        let url = match self.place(file)? {
            Place::Disk(blob) => return slice(&blob, range).await,
            Place::Address(url) => url,
        };
        let mut failures = 0;
        loop {
            let bytes = self.part(&url, range.clone()).await?;
            failures += 1;
            if bytes.len() as u64 == range.end - range.start || failures > RETRIES {
                return Ok(bytes);
            }
            self.pause(FIRST_PAUSE_MS << (failures - 1)).await?;
        }
    }

    async fn begin(&mut self, file: usize, from: u64) -> Result<(), Halt> {
        (self.file, self.at, self.body) = (file, from, None);
        Ok(())
    }

    async fn next(&mut self) -> Result<Vec<u8>, Halt> {
        match self.place(self.file)? {
            Place::Address(url) => self.next_of_address(&url).await,
            Place::Disk(blob) => {
                let end = self.sizes.get(self.file).copied().unwrap_or(0);
                let range = self.at..end.min(self.at + PART_BYTES);
                let bytes = slice(&blob, range).await?;
                self.at += bytes.len() as u64;
                Ok(bytes)
            }
        }
    }

    async fn came(&mut self, done: u64, total: u64) -> Result<(), Halt> {
        if self.signal.aborted() {
            return Err(Halt::Stopped);
        }
        let is_due = self.told.is_none_or(|told| told.elapsed() >= TELL_EVERY);
        if is_due || done == total {
            self.told = Some(Instant::now());
            (self.tell)(done, total);
        }
        Ok(())
    }

    async fn taken(&mut self, intake: &mut Intake) -> Result<(), Halt> {
        let (done, total) = intake.progress();
        self.came(done, total).await?;
        if let Some(keeper) = &mut self.keeper
            && !keeper.keep(intake).await
        {
            // The store is full: what is made stays in memory.
            self.keeper = None;
        }
        Ok(())
    }
}

impl<P: Fn(u64, u64)> Get for Fetching<'_, P> {
    type Error = Halt;

    async fn get(&mut self, url: &str, name: &str, most_bytes: u64) -> Result<Vec<u8>, Halt> {
        let response = self.ask(url, name, None).await?;
        let mut body = self.body_of(&response)?;
        let mut bytes = Vec::new();
        loop {
            let came = chunk(&mut body).await.map_err(|thrown| self.lost(describe(&thrown)))?;
            let Some(came) = came else { return Ok(bytes) };
            bytes.extend(came);
            if bytes.len() as u64 > most_bytes {
                return Err(too_long(name, most_bytes).into());
            }
        }
    }

    fn is_absence(error: &Halt) -> bool {
        matches!(error, Halt::Problem(Problem::Hub { fault, .. }) if fault.is_absence())
    }

    async fn size(&mut self, url: &str, name: &str) -> Result<u64, Halt> {
        // No HEAD: addresses that are signed for one method are wrong for another.
        let response = self.ask(url, name, None).await?;
        let length = response.headers().get("Content-Length").ok().flatten();
        if let Some(body) = Body::of(&response) {
            body.cancel().await;
        }
        Ok(length.and_then(|length| length.parse().ok()).unwrap_or(0))
    }
}
