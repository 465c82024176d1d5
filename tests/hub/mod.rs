//! A stand-in of the Hugging Face Hub's HTTP interface: listings with LFS sizes and hashes, redirects to
//! another address for large files, ranges, ETags, and what goes wrong. It listens on this machine only.

pub mod shapes;

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::json;
use sha2::{Digest, Sha256};

/// Bytes written between two looks at what is wrong.
const CHUNK: usize = 64 * 1024;

/// What the hub does wrong.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// Answers of large files end after that many bytes, that many times.
    pub cut: Option<(usize, u32)>,
    /// The status of every answer, so many times, and what `Retry-After` says.
    pub status: Option<(u16, u32, u32)>,
    /// Speed of large files, bytes a second.
    pub bytes_per_s: Option<u64>,
    /// Large files are sent whole, whatever part is asked for.
    pub no_ranges: bool,
}

#[derive(Debug, Clone)]
struct File {
    bytes: Arc<Vec<u8>>,
    sha256: String,
    is_large: bool,
}

#[derive(Default)]
struct Shared {
    /// By repository, then by path.
    repositories: Mutex<HashMap<String, HashMap<String, File>>>,
    faults: Mutex<Faults>,
    /// Bytes of large files that were sent, and requests for them.
    sent: Mutex<(u64, u32)>,
    stopped: AtomicBool,
}

/// A running hub. Dropping it stops it.
pub struct Hub {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Hub {
    /// Starts one on a free port.
    pub fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::<Shared>::default();
        let served = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if served.stopped.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(stream), served) = (stream, Arc::clone(&served)) else { continue };
                // A client that goes away is no matter.
                thread::spawn(move || drop(answer(stream, &served)));
            }
        });
        Ok(Self { address, shared })
    }

    /// `http://127.0.0.1:port`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Puts a file into a repository; weights are large ones.
    pub fn put(&self, repository: &str, path: &str, bytes: Vec<u8>) {
        let hash = Sha256::digest(&bytes);
        let sha256 = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let is_large = [".safetensors", ".bin", ".gguf"].iter().any(|it| path.ends_with(it));
        let file = File { bytes: Arc::new(bytes), sha256, is_large };
        let mut all = lock(&self.shared.repositories);
        all.entry(repository.to_owned()).or_default().insert(path.to_owned(), file);
    }

    /// Changes what it does wrong.
    pub fn faults(&self, faults: Faults) {
        *lock(&self.shared.faults) = faults;
    }

    /// Bytes of large files that were sent so far, and requests for them.
    pub fn sent(&self) -> (u64, u32) {
        *lock(&self.shared.sent)
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        // Wakes the listener, which then sees the flag.
        drop(TcpStream::connect(self.address));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or("/").to_owned());
    let is_preflight = method == "OPTIONS";
    let mut range = None;
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 || header.trim().is_empty() {
            break;
        }
        if let Some(value) = header.to_ascii_lowercase().strip_prefix("range:") {
            range = Some(value.trim().to_owned());
        }
    }
    if is_preflight {
        return head(&mut stream, 204, &[("Access-Control-Allow-Headers", "*".to_owned())], 0);
    }
    let path = target.split('?').next().unwrap_or("/").trim_start_matches('/').to_owned();
    if let Some((status, wait_s)) = fault(shared) {
        return head(&mut stream, status, &[("Retry-After", wait_s.to_string())], 0);
    }
    if let Some(rest) = path.strip_prefix("api/models/") {
        return listing(&mut stream, shared, rest);
    }
    if let Some(sha256) = path.strip_prefix("cdn/") {
        let file = lock(&shared.repositories)
            .values()
            .flat_map(HashMap::values)
            .find(|file| file.sha256 == sha256)
            .cloned();
        return match file {
            Some(file) => content(&mut stream, shared, &file, range.as_deref()),
            None => head(&mut stream, 404, &[], 0),
        };
    }
    let file = path.split_once("/resolve/").and_then(|(repository, rest)| {
        let (_, path) = rest.split_once('/')?;
        lock(&shared.repositories).get(repository)?.get(path).cloned()
    });
    match file {
        Some(file) if file.is_large => {
            let host = stream.local_addr()?;
            let to = format!("http://{host}/cdn/{}", file.sha256);
            let linked = [
                ("Location", to),
                ("X-Linked-Size", file.bytes.len().to_string()),
                ("X-Linked-ETag", format!("\"{}\"", file.sha256)),
            ];
            head(&mut stream, 302, &linked, 0)
        }
        Some(file) => content(&mut stream, shared, &file, range.as_deref()),
        None => head(&mut stream, 404, &[], 0),
    }
}

/// The next answer's status, where it is not to go well.
fn fault(shared: &Shared) -> Option<(u16, u32)> {
    let mut faults = lock(&shared.faults);
    let (status, times, wait_s) = faults.status?;
    faults.status = (times > 1).then(|| (status, times - 1, wait_s));
    Some((status, wait_s))
}

fn listing(stream: &mut TcpStream, shared: &Shared, rest: &str) -> std::io::Result<()> {
    let repository = rest.split("/revision/").next().unwrap_or(rest);
    let files = lock(&shared.repositories).get(repository).cloned();
    let Some(files) = files else { return head(stream, 404, &[], 0) };
    let siblings: Vec<_> = files
        .iter()
        .map(|(path, file)| {
            let size = file.bytes.len();
            let mut entry = json!({"rfilename": path, "size": size});
            if file.is_large {
                entry["lfs"] = json!({"sha256": file.sha256, "size": size, "pointerSize": 134});
            }
            entry
        })
        .collect();
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let body = json!({"id": repository, "sha": commit, "siblings": siblings,
        "cardData": {"license": "cc0-1.0"}});
    let body = body.to_string();
    head(stream, 200, &[("Content-Type", "application/json".to_owned())], body.len())?;
    stream.write_all(body.as_bytes())
}

fn content(
    stream: &mut TcpStream,
    shared: &Shared,
    file: &File,
    range: Option<&str>,
) -> std::io::Result<()> {
    let faults = lock(&shared.faults).clone();
    let length = file.bytes.len();
    let part = range.filter(|_| !faults.no_ranges).and_then(|range| {
        let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
        let from: usize = from.parse().ok()?;
        let to = to.parse().map_or(length, |to: usize| to + 1).min(length);
        (from < length && from < to).then_some(from..to)
    });
    let tag = ("ETag", format!("\"{}\"", file.sha256));
    let bytes = match part {
        Some(part) => {
            let told = format!("bytes {}-{}/{length}", part.start, part.end - 1);
            head(stream, 206, &[tag, ("Content-Range", told)], part.len())?;
            &file.bytes[part]
        }
        None => {
            head(stream, 200, &[tag, ("Accept-Ranges", "bytes".to_owned())], length)?;
            &file.bytes[..]
        }
    };
    if !file.is_large {
        return stream.write_all(bytes);
    }
    lock(&shared.sent).1 += 1;
    let cut = {
        let mut faults = lock(&shared.faults);
        let cut = faults.cut.filter(|(after, times)| *times > 0 && bytes.len() > *after);
        faults.cut = cut.map(|(after, times)| (after, times - 1)).or(faults.cut);
        cut.map(|(after, _)| after)
    };
    for chunk in bytes[..cut.unwrap_or(bytes.len())].chunks(CHUNK) {
        stream.write_all(chunk)?;
        lock(&shared.sent).0 += chunk.len() as u64;
        let speed = lock(&shared.faults).bytes_per_s;
        if let Some(speed) = speed {
            thread::sleep(Duration::from_secs_f64(chunk.len() as f64 / speed.max(1) as f64));
        }
    }
    // What is cut ends with the connection, before its length.
    Ok(())
}

fn head(
    stream: &mut TcpStream,
    status: u16,
    headers: &[(&str, String)],
    length: usize,
) -> std::io::Result<()> {
    let mut text = format!("HTTP/1.1 {status} -\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    let exposed = "Content-Range, Retry-After, ETag, X-Linked-Size, X-Linked-ETag";
    text.push_str(&format!(
        "Access-Control-Allow-Origin: *\r\nAccess-Control-Expose-Headers: {exposed}\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n"
    ));
    stream.write_all(text.as_bytes())
}
