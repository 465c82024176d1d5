//! A static host for the built site, which a test can make slow, broken or lying while it runs.
//!
//! It answers as plain hosts do: types, `Range`, `ETag`, no compression, no special headers.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::check::Check;

/// Bytes written between two looks at the throttle and the stop flag.
const CHUNK: usize = 16 * 1024;

/// Whether a path is a model's, not that of an adapter beside it.
fn is_model(path: &str) -> bool {
    path.ends_with("-q8_0.gguf")
}

/// What the host does wrong. Paths are within the site: `models/x.gguf`.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// Speed of models, bytes a second.
    pub models_bytes_per_s: Option<u64>,
    /// Every model's answer ends after that many bytes, that many times.
    pub cut_models: Option<Cut>,
    /// The status that a path gets instead of its content.
    pub status: HashMap<String, u16>,
    /// Content that a path gets instead of its file.
    pub content: HashMap<String, Vec<u8>>,
    /// The byte of every model whose lowest bit is turned.
    pub flip_models_at: Option<usize>,
    /// Answers to paths that begin so come so much later.
    pub late: Option<(&'static str, Duration)>,
    /// Connections are closed without an answer.
    pub down: bool,
}

/// A broken line.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    pub after_bytes: usize,
    pub times: u32,
}

/// What a path was asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub requests: u32,
    /// Requests for a part.
    pub ranges: u32,
    /// Bytes of content that were sent.
    pub bytes: u64,
}

/// A running host. Dropping it stops it.
pub struct Site {
    address: SocketAddr,
    mount: String,
    shared: Arc<Shared>,
}

struct Shared {
    dist: PathBuf,
    mount: String,
    faults: Mutex<Faults>,
    tallies: Mutex<HashMap<String, Tally>>,
    stopped: AtomicBool,
}

impl Site {
    /// Serves the folder below `mount` (`/`, or `/some/sub/path/`) on a free port.
    pub fn serve(dist: &Path, mount: &str) -> Check<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            dist: dist.to_path_buf(),
            mount: mount.to_owned(),
            faults: Mutex::default(),
            tallies: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        let served = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &served));
        Ok(Self { address, mount: mount.to_owned(), shared })
    }

    /// `http://127.0.0.1:port`
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address of a path within the site: `/`, `/bench.html`, `/#compare`.
    pub fn url(&self, path: &str) -> String {
        format!("{}{}{}", self.origin(), self.mount, path.trim_start_matches('/'))
    }

    /// The folder that is served.
    pub fn dist(&self) -> &Path {
        &self.shared.dist
    }

    /// Changes what the host does wrong, from the next chunk on.
    pub fn faults(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut lock(&self.shared.faults));
    }

    /// Makes the host good again.
    pub fn heal(&self) {
        self.faults(|faults| *faults = Faults::default());
    }

    /// What that path (`models/x.gguf`, `index.html`) was asked for so far.
    pub fn tally(&self, path: &str) -> Tally {
        lock(&self.shared.tallies).get(path).copied().unwrap_or_default()
    }

    /// All requests for models so far, summed.
    pub fn tally_models(&self) -> Tally {
        let tallies = lock(&self.shared.tallies);
        let models = tallies.iter().filter(|(path, _)| is_model(path));
        models.fold(Tally::default(), |sum, (_, tally)| Tally {
            requests: sum.requests + tally.requests,
            ranges: sum.ranges + tally.ranges,
            bytes: sum.bytes + tally.bytes,
        })
    }

    /// Forgets what was counted.
    pub fn forget(&self) {
        lock(&self.shared.tallies).clear();
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        // Wakes the listener, which then sees the flag.
        let _ = TcpStream::connect(self.address);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stopped.load(Ordering::Relaxed) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let shared = Arc::clone(shared);
        // A visitor may go away in the middle of an answer: that is no fault of the host.
        thread::spawn(move || shared.answer(stream).unwrap_or_default());
    }
}

/// The parts of a request that matter here.
#[derive(Default)]
struct Request {
    head_only: bool,
    path: String,
    range: Option<String>,
    if_range: Option<String>,
    if_none_match: Option<String>,
}

impl Request {
    fn read(stream: &TcpStream) -> std::io::Result<Self> {
        let mut lines = BufReader::new(stream).lines();
        let first = lines.next().transpose()?.unwrap_or_default();
        let mut words = first.split(' ');
        let mut request = Self { head_only: words.next() == Some("HEAD"), ..Self::default() };
        let target = words.next().unwrap_or_default();
        request.path = target.split(['?', '#']).next().unwrap_or_default().to_owned();
        for line in lines {
            let line = line?;
            let Some((name, value)) = line.split_once(':') else { break };
            let value = Some(value.trim().to_owned());
            match name.to_ascii_lowercase().as_str() {
                "range" => request.range = value,
                "if-range" => request.if_range = value,
                "if-none-match" => request.if_none_match = value,
                _ => {}
            }
        }
        Ok(request)
    }
}

/// What goes back.
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn plain(status: u16) -> Self {
        let kind = ("Content-Type", "text/plain; charset=utf-8".to_owned());
        Self { status, headers: vec![kind], body: format!("{status}\n").into_bytes() }
    }
}

impl Shared {
    fn answer(&self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let request = Request::read(&stream)?;
        if lock(&self.faults).down {
            return Ok(());
        }
        let path = self.site_path(&request.path);
        let late = lock(&self.faults).late;
        if let Some((_, pause)) =
            late.filter(|(of, _)| path.as_ref().is_some_and(|it| it.starts_with(of)))
        {
            thread::sleep(pause);
        }
        let answer = match &path {
            Some(path) => self.content(path, &request),
            None => Answer::plain(404),
        };
        let path = path.unwrap_or_default();
        {
            let mut tallies = lock(&self.tallies);
            let tally = tallies.entry(path.clone()).or_default();
            tally.requests += 1;
            tally.ranges += u32::from(answer.status == 206);
        }
        self.send(stream, &path, &request, &answer)
    }

    /// The path within the site; `None` outside of it.
    fn site_path(&self, path: &str) -> Option<String> {
        let inner = path.strip_prefix(self.mount.as_str())?;
        let safe = !inner.split('/').any(|part| part == "..") && !inner.contains('\\');
        let name = if inner.is_empty() { "index.html" } else { inner };
        safe.then(|| name.to_owned())
    }

    fn content(&self, path: &str, request: &Request) -> Answer {
        let faults = lock(&self.faults).clone();
        if let Some(&status) = faults.status.get(path) {
            return Answer::plain(status);
        }
        let file = self.dist.join(path);
        let content = match faults.content.get(path) {
            Some(content) => Ok(content.clone()),
            None => fs::read(&file),
        };
        let Ok(mut content) = content else { return Answer::plain(404) };
        // Before the flip: a bit that turns on the way does not change what the host promises.
        let etag = format!("\"{:016x}\"", fingerprint(&content));
        if let Some(at) = faults.flip_models_at.filter(|_| is_model(path))
            && let Some(byte) = content.get_mut(at)
        {
            *byte ^= 1;
        }
        let headers = vec![
            ("Content-Type", kind_of(path).to_owned()),
            ("ETag", etag.clone()),
            ("Cache-Control", "no-cache".to_owned()),
            ("Accept-Ranges", "bytes".to_owned()),
        ];
        let whole = Answer { status: 200, headers, body: content };
        if request.if_none_match.as_ref() == Some(&etag) {
            return Answer { status: 304, body: Vec::new(), ..whole };
        }
        match &request.range {
            Some(range) if request.if_range.as_ref().is_none_or(|tag| *tag == etag) => {
                part(whole, range)
            }
            _ => whole,
        }
    }

    fn send(
        &self,
        mut stream: TcpStream,
        path: &str,
        request: &Request,
        answer: &Answer,
    ) -> std::io::Result<()> {
        let mut head = format!("HTTP/1.1 {} -\r\nConnection: close\r\n", answer.status);
        for (name, value) in &answer.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", answer.body.len()));
        stream.write_all(head.as_bytes())?;
        if request.head_only {
            return Ok(());
        }
        let of_model = is_model(path) && matches!(answer.status, 200 | 206);
        let end = if of_model { self.cut_at(answer.body.len()) } else { answer.body.len() };
        let body = answer.body.get(..end).unwrap_or_default();
        for chunk in body.chunks(CHUNK) {
            let faults = lock(&self.faults).clone();
            if faults.down || self.stopped.load(Ordering::Relaxed) {
                return Ok(());
            }
            stream.write_all(chunk)?;
            lock(&self.tallies).entry(path.to_owned()).or_default().bytes += chunk.len() as u64;
            if let Some(speed) = faults.models_bytes_per_s.filter(|_| of_model) {
                let chunk_s = chunk.len() as f64 / speed.max(1) as f64;
                thread::sleep(Duration::from_secs_f64(chunk_s));
            }
        }
        stream.flush()
    }

    /// Where the line breaks, counting down the times it shall.
    fn cut_at(&self, len: usize) -> usize {
        let mut faults = lock(&self.faults);
        match &mut faults.cut_models {
            Some(cut) if cut.times > 0 && cut.after_bytes < len => {
                cut.times -= 1;
                cut.after_bytes
            }
            _ => len,
        }
    }
}

/// The range of an answer, or 416.
fn part(whole: Answer, range: &str) -> Answer {
    let len = whole.body.len();
    let Some((start, end)) = parse_range(range, len) else {
        let mut answer = Answer::plain(416);
        answer.headers.push(("Content-Range", format!("bytes */{len}")));
        return answer;
    };
    let Answer { mut headers, body, .. } = whole;
    headers.push(("Content-Range", format!("bytes {start}-{}/{len}", end - 1)));
    Answer { status: 206, headers, body: body.get(start..end).unwrap_or_default().to_vec() }
}

/// `bytes=a-`, `bytes=a-b` and `bytes=-n`, as a half-open span.
fn parse_range(range: &str, len: usize) -> Option<(usize, usize)> {
    let (start, end) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (start, end) = match (start.trim(), end.trim()) {
        ("", last) => (len.saturating_sub(last.parse().ok()?), len),
        (start, "") => (start.parse().ok()?, len),
        (start, end) => (start.parse().ok()?, end.parse::<usize>().ok()?.saturating_add(1)),
    };
    (start < end.min(len)).then_some((start, end.min(len)))
}

/// FNV-1a over a sample of at most 64 Ki bytes, and the length.
fn fingerprint(content: &[u8]) -> u64 {
    let step = content.len() / 65_536 + 1;
    let sample = content.iter().step_by(step).map(|&byte| u64::from(byte));
    sample
        .chain([content.len() as u64])
        .fold(0xcbf2_9ce4_8422_2325, |hash, value| (hash ^ value).wrapping_mul(0x0100_0000_01b3))
}

fn kind_of(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "md" => "text/markdown; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "wasm" => "application/wasm",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[test]
fn ranges_are_read_as_the_standard_says() {
    assert_eq!(parse_range("bytes=0-3", 10), Some((0, 4)));
    assert_eq!(parse_range("bytes=4-", 10), Some((4, 10)));
    assert_eq!(parse_range("bytes=-3", 10), Some((7, 10)));
    assert_eq!(parse_range("bytes=8-99", 10), Some((8, 10)));
    assert_eq!(parse_range("bytes=10-", 10), None);
    assert_eq!(parse_range("items=0-3", 10), None);
}
