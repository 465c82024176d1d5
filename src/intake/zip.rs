//! The zip archives that PyTorch saves since version 1.6: only stored entries, nothing compressed.
//!
//! Format: PKWARE's APPNOTE, 4.3. Nothing is inflated here: an entry that is compressed, as in a zip bomb,
//! is refused by its directory entry alone.

use std::ops::Range;

use crate::weights::error::Error;

/// First bytes of every archive with an entry.
pub const MAGIC: [u8; 4] = *b"PK\x03\x04";

const END_MAGIC: [u8; 4] = *b"PK\x05\x06";
const ENTRY_MAGIC: [u8; 4] = *b"PK\x01\x02";

const END_BYTES: usize = 22;
const ENTRY_BYTES: usize = 46;
/// Before an entry's name, extra field and content.
pub const HEADER_BYTES: u64 = 30;
/// An archive may end with a comment of that length.
const MOST_COMMENT: u64 = 65_535;
/// A checkpoint has an entry for every tensor, and a few more.
const MOST_ENTRIES: u64 = 1 << 16;
const MOST_DIRECTORY_BYTES: u64 = 16 << 20;

/// A file in the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    /// Where its header begins; the content follows that.
    pub header_at: u64,
    pub size_bytes: u64,
}

/// Where the directory's own place is written, in an archive of that size.
pub fn tail(size_bytes: u64) -> Range<u64> {
    size_bytes.saturating_sub(END_BYTES as u64 + MOST_COMMENT)..size_bytes
}

/// Where the directory is, from the archive's last bytes ([`tail`]).
///
/// # Errors
/// [`Error::Source`] for an archive that is damaged, cut off or larger than 4 GB.
pub fn directory(file: &str, tail: &[u8], size_bytes: u64) -> Result<Range<u64>, Error> {
    let end = tail.windows(END_BYTES).rposition(|window| window.starts_with(&END_MAGIC));
    let end = end.and_then(|at| tail.get(at..at + END_BYTES));
    let end = end.ok_or_else(|| bad(file, "the archive has no end; it was cut off"))?;
    let (length, start) = (u64::from(u32_at(end, 12)), u64::from(u32_at(end, 16)));
    if start == u64::from(u32::MAX) {
        return Err(bad(file, "the archive is larger than 4 GB (zip64)"));
    }
    if length > MOST_DIRECTORY_BYTES || start + length > size_bytes {
        return Err(bad(file, "the archive's directory lies outside of it"));
    }
    Ok(start..start + length)
}

/// What the directory lists, in the order of the archive's bytes.
///
/// # Errors
/// [`Error::Source`] for a damaged directory, compressed or encrypted entries, and entries that lie over
/// each other.
pub fn entries(file: &str, mut directory: &[u8], end: u64) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    while directory.starts_with(&ENTRY_MAGIC) {
        let cut_off = || bad(file, "the archive's directory is cut off");
        let fixed = directory.get(..ENTRY_BYTES).ok_or_else(cut_off)?;
        let lengths = [28, 30, 32].map(|at| usize::from(u16_at(fixed, at)));
        let [name_length, extra, comment] = lengths;
        let name = directory.get(ENTRY_BYTES..ENTRY_BYTES + name_length).ok_or_else(cut_off)?;
        let name = String::from_utf8_lossy(name).into_owned();
        entries.push(entry(file, fixed, name)?);
        if entries.len() as u64 > MOST_ENTRIES {
            return Err(bad(file, "the archive lists more files than a checkpoint has"));
        }
        let next = ENTRY_BYTES + name_length + extra + comment;
        directory = directory.get(next..).ok_or_else(cut_off)?;
    }
    entries.sort_by_key(|entry| entry.header_at);
    let starts = entries.iter().skip(1).map(|entry| entry.header_at).chain([end]);
    for (entry, next) in entries.iter().zip(starts) {
        let name_bytes = entry.name.len() as u64;
        if entry.header_at + HEADER_BYTES + name_bytes + entry.size_bytes > next {
            return Err(bad(file, &format!("{:?} lies over another entry", entry.name)));
        }
    }
    Ok(entries)
}

fn entry(file: &str, fixed: &[u8], name: String) -> Result<Entry, Error> {
    let (flags, method) = (u16_at(fixed, 8), u16_at(fixed, 10));
    let [packed, size, header_at] = [20, 24, 42].map(|at| u64::from(u32_at(fixed, at)));
    if method != 0 || packed != size {
        return Err(bad(
            file,
            &format!(
                "{name:?} is compressed, to {size} bytes; PyTorch stores its files as they are"
            ),
        ));
    }
    if flags & 1 != 0 {
        return Err(bad(file, &format!("{name:?} is encrypted")));
    }
    if size == u64::from(u32::MAX) || header_at == u64::from(u32::MAX) {
        return Err(bad(file, "the archive is larger than 4 GB (zip64)"));
    }
    Ok(Entry { name, header_at, size_bytes: size })
}

/// Length of a header, name and extra field included, from its first [`HEADER_BYTES`].
///
/// # Errors
/// [`Error::Source`] where there is none.
pub fn header_length(file: &str, header: &[u8]) -> Result<u64, Error> {
    if !header.starts_with(&MAGIC) || (header.len() as u64) < HEADER_BYTES {
        return Err(bad(file, "an entry's header is not where the directory says"));
    }
    Ok(HEADER_BYTES + u64::from(u16_at(header, 26)) + u64::from(u16_at(header, 28)))
}

fn bad(file: &str, detail: &str) -> Error {
    Error::Source { file: file.to_owned(), detail: detail.to_owned() }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    let part = bytes.get(at..).and_then(|rest| rest.first_chunk());
    part.copied().map_or(0, u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let part = bytes.get(at..).and_then(|rest| rest.first_chunk());
    part.copied().map_or(0, u32::from_le_bytes)
}
