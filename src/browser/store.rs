//! Files in the browser's own store, the origin private file system: `models/<sha256>.gguf`, and
//! `<sha256>.part` for downloads that did not come to their end; `adapters/<sha256>.gguf`; `corpora/`.
//!
//! Everything here may be refused (private windows, policies, quota, another tab that writes the
//! same file), or hang where a disk does; then the answer is `None` or `false`, and the visit works from
//! memory. Files are
//! written through sync access handles, which only one tab can hold, and read as snapshots
//! (`getFile`), which any tab can.

use std::future::poll_fn;
use std::ops::Range;
use std::pin::pin;
use std::task::Poll;

use js_sys::{AsyncIterator, Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, File, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetDirectoryOptions,
    FileSystemGetFileOptions, FileSystemReadWriteOptions, FileSystemSyncAccessHandle,
};

use crate::browser::worker_scope::{scope, sleep_ms};

/// Files are read and written in such parts.
const PART_BYTES: usize = 4 << 20;

/// A store that has not answered a question after this time counts as refused.
const PATIENCE_MS: i32 = 10_000;

/// The folder of models and of what the site itself hosts.
pub const MODELS: &str = "models";
/// The folder of the visitor's adapters.
pub const ADAPTERS: &str = "adapters";

/// The name of a model's or adapter's file.
pub fn gguf_name(sha256: &str) -> String {
    format!("{sha256}.gguf")
}

/// Bytes that the browser says it has and allows for this site.
pub async fn usage() -> Option<(u64, u64)> {
    let storage = scope().navigator().storage();
    let estimate = in_time(JsFuture::from(storage.estimate().ok()?)).await?.ok()?;
    let number = |name: &str| Reflect::get(&estimate, &name.into()).ok()?.as_f64();
    Some((number("usage")? as u64, number("quota")? as u64))
}

/// A folder.
#[derive(Debug)]
pub struct Store {
    folder: FileSystemDirectoryHandle,
}

impl Store {
    /// A folder; `None` where the browser refuses.
    pub async fn open(name: &str) -> Option<Self> {
        in_time(Self::open_patiently(name)).await?
    }

    async fn open_patiently(name: &str) -> Option<Self> {
        let storage = scope().navigator().storage();
        // Undefined on pages without TLS, whatever the type says.
        if !Reflect::has(&scope().navigator(), &"storage".into()).unwrap_or(false)
            || storage.is_undefined()
        {
            return None;
        }
        let root = JsFuture::from(storage.get_directory()).await.ok()?;
        let root: FileSystemDirectoryHandle = root.unchecked_into();
        let options = FileSystemGetDirectoryOptions::new();
        options.set_create(true);
        let folder = root.get_directory_handle_with_options(name, &options);
        Some(Self { folder: JsFuture::from(folder).await.ok()?.unchecked_into() })
    }

    /// A whole file, if it is there and has at most `most_bytes`. Tells how far reading is.
    pub async fn read(
        &self,
        name: &str,
        most_bytes: u64,
        mut progress: impl FnMut(u64, u64),
    ) -> Option<Vec<u8>> {
        let file = in_time(self.snapshot(name)).await??;
        let size = file.size();
        if size > most_bytes as f64 {
            return None;
        }
        let size = size as usize;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(size).ok()?;
        while bytes.len() < size {
            progress(bytes.len() as u64, size as u64);
            let start = bytes.len();
            let end = size.min(start + PART_BYTES);
            let part = file.slice_with_f64_and_f64(start as f64, end as f64).ok()?;
            in_time(append(&part, &mut bytes, end - start)).await??;
        }
        progress(size as u64, size as u64);
        Some(bytes)
    }

    /// Names of all files; none where they cannot be listed.
    pub async fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        let keys = Reflect::get(&self.folder, &"keys".into())
            .and_then(|keys| keys.unchecked_into::<Function>().call0(&self.folder));
        let Ok(keys) = keys else { return names };
        let keys: AsyncIterator = keys.unchecked_into();
        while let Some(name) = in_time(next(&keys)).await.flatten() {
            names.extend(name.as_string());
        }
        names
    }

    /// Whether a file is there, with its length.
    pub async fn length(&self, name: &str) -> Option<u64> {
        Some(in_time(self.snapshot(name)).await??.size() as u64)
    }

    /// A file as it is now.
    async fn snapshot(&self, name: &str) -> Option<File> {
        let handle = JsFuture::from(self.folder.get_file_handle(name)).await.ok()?;
        let handle: FileSystemFileHandle = handle.unchecked_into();
        Some(JsFuture::from(handle.get_file()).await.ok()?.unchecked_into())
    }

    /// Writes a whole file; `false` (and no file) where it was refused.
    pub async fn write(&self, name: &str, bytes: &[u8]) -> bool {
        let Some(mut writer) = self.writer(name, 0).await else { return false };
        let written = bytes.chunks(PART_BYTES).all(|part| writer.append(part)) && writer.flush();
        drop(writer);
        if !written {
            self.remove(name).await;
        }
        written
    }

    /// A file to be appended to after its first `keep_bytes` bytes; `None` also where it is shorter.
    pub async fn writer(&self, name: &str, keep_bytes: u64) -> Option<Writer> {
        let mut writer = self.writer_as_it_is(name).await?;
        writer.at = keep_bytes as f64;
        // Truncating beyond the end would fill up with zeros.
        let long_enough = writer.length()? >= keep_bytes;
        (long_enough && writer.access.truncate_with_f64(writer.at).is_ok()).then_some(writer)
    }

    /// A file to be read and written over, empty where there was none.
    pub async fn writer_as_it_is(&self, name: &str) -> Option<Writer> {
        Some(Writer { access: in_time(self.access(name)).await??, at: 0.0 })
    }

    /// A file's lock, the file being made where there is none.
    async fn access(&self, name: &str) -> Option<FileSystemSyncAccessHandle> {
        let options = FileSystemGetFileOptions::new();
        options.set_create(true);
        let handle = self.folder.get_file_handle_with_options(name, &options);
        let handle: FileSystemFileHandle = JsFuture::from(handle).await.ok()?.unchecked_into();
        Some(JsFuture::from(handle.create_sync_access_handle()).await.ok()?.unchecked_into())
    }

    /// Gives a file another name, in the place of one that has it; `false` where it was refused.
    pub async fn rename(&self, from: &str, to: &str) -> bool {
        let moved = async {
            let handle = JsFuture::from(self.folder.get_file_handle(from)).await.ok()?;
            // Not in web-sys: files of this store can be moved in every browser that has them.
            let rename: Function = Reflect::get(&handle, &"move".into()).ok()?.dyn_into().ok()?;
            let moved = rename.call1(&handle, &to.into()).ok()?;
            JsFuture::from(moved.unchecked_into::<Promise>()).await.ok()
        };
        in_time(moved).await.flatten().is_some()
    }

    /// Removes a file; `false` where there was none or it was refused.
    pub async fn remove(&self, name: &str) -> bool {
        let removed = in_time(JsFuture::from(self.folder.remove_entry(name))).await;
        removed.is_some_and(|removed| removed.is_ok())
    }
}

/// What comes of it, if it comes within [`PATIENCE_MS`].
pub(super) async fn in_time<T>(work: impl Future<Output = T>) -> Option<T> {
    let (mut work, mut limit) = (pin!(work), pin!(sleep_ms(PATIENCE_MS)));
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => limit.as_mut().poll(context).map(|()| None),
    })
    .await
}

/// The next value; `None` at the end and where the browser breaks off.
async fn next(values: &AsyncIterator) -> Option<JsValue> {
    let step = JsFuture::from(values.next().ok()?).await.ok()?;
    let done = Reflect::get(&step, &"done".into()).ok()?;
    if done.is_truthy() { None } else { Reflect::get(&step, &"value".into()).ok() }
}

async fn append(part: &Blob, bytes: &mut Vec<u8>, length: usize) -> Option<()> {
    let buffer: JsValue = JsFuture::from(part.array_buffer()).await.ok()?;
    let part = Uint8Array::new(&buffer);
    let start = bytes.len();
    if part.length() as usize != length {
        return None;
    }
    bytes.resize(start + length, 0);
    part.copy_to(bytes.get_mut(start..)?);
    Some(())
}

/// A file open for appending. Closed when dropped.
#[derive(Debug)]
pub struct Writer {
    access: FileSystemSyncAccessHandle,
    at: f64,
}

impl Writer {
    /// `false` where the store is full.
    pub fn append(&mut self, bytes: &[u8]) -> bool {
        let options = FileSystemReadWriteOptions::new();
        options.set_at(self.at);
        let written = self.access.write_with_u8_array_and_options(bytes, &options);
        self.at += bytes.len() as f64;
        written.is_ok_and(|written| written == bytes.len() as f64)
    }

    /// Fills the file up with zeros to a length; `false` where the store is full.
    pub fn extend_to(&mut self, length: u64) -> bool {
        self.access.truncate_with_f64(length as f64).is_ok()
    }

    /// Writes over what is at a place; `false` where the store is full.
    pub fn write_at(&mut self, at: u64, bytes: &[u8]) -> bool {
        let options = FileSystemReadWriteOptions::new();
        options.set_at(at as f64);
        let written = self.access.write_with_u8_array_and_options(bytes, &options);
        written.is_ok_and(|written| written == bytes.len() as f64)
    }

    /// The file's length.
    pub fn length(&self) -> Option<u64> {
        Some(self.access.get_size().ok()? as u64)
    }

    /// A part of the file, straight into our memory; `None` where there is less.
    pub fn read_at(&self, range: Range<usize>) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(range.len()).ok()?;
        bytes.resize(range.len(), 0);
        let options = FileSystemReadWriteOptions::new();
        options.set_at(range.start as f64);
        let read = self.access.read_with_u8_array_and_options(&mut bytes, &options).ok()?;
        (read == range.len() as f64).then_some(bytes)
    }

    /// Empties the file.
    pub fn restart(&mut self) -> bool {
        self.at = 0.0;
        self.access.truncate_with_f64(0.0).is_ok()
    }

    /// What was appended is safe afterwards.
    pub fn flush(&self) -> bool {
        self.access.flush().is_ok()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.access.close();
    }
}
