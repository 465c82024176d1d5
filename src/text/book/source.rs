//! A file as it was picked, dropped or pasted: its text, whatever it was encoded in.

use std::io::{Read, Result as IoResult};
use std::sync::Arc;

/// Files beyond this are for the command line.
pub const MOST_BYTES: usize = 512 << 20;

/// Why a file is not read as a corpus.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("it holds {what}, not text; save it as text, CSV or JSON lines first")]
    Binary { what: &'static str },
    #[error(
        "it has {found_bytes} bytes, the limit is {limit_bytes}; cut it in parts, or use `simcse embed` on the command line"
    )]
    TooLong { found_bytes: usize, limit_bytes: usize },
    #[error("line {line}: {detail}")]
    Line { line: u64, detail: String },
    #[error("there is no column {column}; there are {columns}")]
    Column { column: u16, columns: usize },
    #[error("more than {limit} passages; cut it in parts, or choose longer passages")]
    TooMany { limit: usize },
}

/// A text that is shared, read like a file from `at` on.
#[derive(Debug, Clone)]
pub(super) struct Tape {
    pub(super) text: Arc<String>,
    pub(super) at: usize,
}

impl Read for Tape {
    fn read(&mut self, into: &mut [u8]) -> IoResult<usize> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

/// What was picked or pasted, decoded.
#[derive(Debug, Clone)]
pub struct Source {
    pub(super) text: Arc<String>,
    /// "UTF-8", "UTF-16", "Windows-1252 (guessed)", with what had to be replaced.
    pub encoding: String,
}

impl Source {
    /// Decodes bytes: UTF-8, UTF-16 with or without its mark, else Windows-1252, which reads anything.
    ///
    /// # Errors
    /// [`ReadError::TooLong`], and [`ReadError::Binary`] where it is no text.
    pub fn new(bytes: Vec<u8>) -> Result<Self, ReadError> {
        if bytes.len() > MOST_BYTES {
            return Err(ReadError::TooLong { found_bytes: bytes.len(), limit_bytes: MOST_BYTES });
        }
        if let Some(what) = known_binary(&bytes) {
            return Err(ReadError::Binary { what });
        }
        let (text, encoding) = decode(bytes)?;
        Ok(Self { text: Arc::new(text), encoding })
    }

    /// Bytes of the text.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

/// What people drop by mistake, by how it begins.
fn known_binary(bytes: &[u8]) -> Option<&'static str> {
    const KNOWN: [(&[u8], &str); 12] = [
        (b"PK\x03\x04", "a zip archive (perhaps a .docx or .xlsx)"),
        (b"%PDF-", "a PDF"),
        (b"\x89PNG", "a picture"),
        (b"\xff\xd8\xff", "a picture"),
        (b"GIF8", "a picture"),
        (b"\x1f\x8b", "gzip"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"PAR1", "Parquet"),
        (b"GGUF", "weights of a model"),
        (b"\xd0\xcf\x11\xe0", "an old Office file"),
        (b"SQLite format 3", "a database"),
        (b"\x93NUMPY", "an array of numbers"),
    ];
    KNOWN.iter().find(|(begin, _)| bytes.starts_with(begin)).map(|(_, what)| *what)
}

fn decode(bytes: Vec<u8>) -> Result<(String, String), ReadError> {
    let utf16 = |little: bool, skip: usize| {
        let read = if little { u16::from_le_bytes } else { u16::from_be_bytes };
        decode_utf16(&bytes[skip..], read)
    };
    match bytes.as_slice() {
        [0xff, 0xfe, ..] => return utf16(true, 2),
        [0xfe, 0xff, ..] => return utf16(false, 2),
        _ => {}
    }
    if let Some(little) = looks_like_utf16(&bytes) {
        return utf16(little, 0);
    }
    if bytes.contains(&0) {
        return Err(ReadError::Binary { what: "binary data" });
    }
    match String::from_utf8(bytes) {
        Ok(text) => {
            let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
            Ok((text, "UTF-8".to_owned()))
        }
        Err(error) => Ok(decode_broken(error.as_bytes())),
    }
}

/// Every other byte of plain Latin text in UTF-16 is zero: which one says in which order they are.
fn looks_like_utf16(bytes: &[u8]) -> Option<bool> {
    let pairs = bytes.get(..bytes.len().min(512)).unwrap_or_default().as_chunks::<2>().0;
    let zeros = |place: usize| pairs.iter().filter(|pair| pair[place] == 0).count() * 10;
    let (most, few) = (pairs.len() * 7, pairs.len());
    match (zeros(0), zeros(1)) {
        (first, second) if second > most && first < few => Some(true),
        (first, second) if first > most && second < few => Some(false),
        _ => None,
    }
}

fn decode_utf16(bytes: &[u8], read: fn([u8; 2]) -> u16) -> Result<(String, String), ReadError> {
    let units = bytes.as_chunks::<2>().0.iter().map(|unit| read(*unit));
    let mut replaced = 0_usize;
    let text: String = char::decode_utf16(units)
        .map(|it| {
            it.unwrap_or_else(|_| {
                replaced += 1;
                char::REPLACEMENT_CHARACTER
            })
        })
        .collect();
    if text.contains('\0') {
        return Err(ReadError::Binary { what: "binary data" });
    }
    Ok((text, with_replaced("UTF-16", replaced)))
}

fn with_replaced(encoding: &str, replaced: usize) -> String {
    match replaced {
        0 => encoding.to_owned(),
        1 => format!("{encoding}, 1 unreadable character replaced"),
        _ => format!("{encoding}, {replaced} unreadable characters replaced"),
    }
}

/// UTF-8 with a few broken places stays UTF-8; what has hardly any valid sequence beyond ASCII is
/// taken for Windows-1252.
fn decode_broken(bytes: &[u8]) -> (String, String) {
    let (mut broken, mut beyond) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        broken += usize::from(!chunk.invalid().is_empty());
        beyond += chunk.valid().chars().filter(|it| !it.is_ascii()).count();
    }
    if beyond >= broken {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        return (text, with_replaced("UTF-8", broken));
    }
    let text = bytes.iter().map(|byte| windows_1252(*byte)).collect();
    (text, "Windows-1252 (guessed)".to_owned())
}

/// As the WHATWG's table of windows-1252 has it.
fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}
