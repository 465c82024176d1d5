//! Where the tensors are in a checkpoint's file: safetensors, or what PyTorch saves (zip archives, and
//! the format before version 1.6). Only the parts that say so are read, as few as there are.
//!
//! Formats: huggingface/safetensors `README.md`; pytorch/pytorch `torch/serialization.py` (`_save`,
//! `_legacy_save`).

use std::collections::BTreeMap;
use std::ops::Range;

use safetensors::Dtype;
use safetensors::tensor::Metadata;

use crate::intake::pickle;
use crate::intake::pickle::Described;
use crate::intake::zip;
use crate::intake::zip::Entry;
use crate::weights::blocks::BlockType;
use crate::weights::error::Error;
use crate::weights::gguf::recognise;

/// Read first: it holds the header of most files.
const FRONT_BYTES: u64 = 256 << 10;
/// Longer headers describe no encoder.
const MOST_HEADER_BYTES: u64 = 16 << 20;
/// How a pickle with the older format's magic number begins.
const OLD_MAGIC: [u8; 4] = [0x80, 0x02, 0x8a, 0x0a];

/// A tensor in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub name: String,
    /// Outermost first.
    pub shape: Vec<u64>,
    /// How its numbers are stored, or why they cannot be used.
    pub block: Result<BlockType, String>,
    /// Where the archive's entry that holds it begins, in an archive.
    pub entry_at: Option<u64>,
    /// Where its numbers begin: in the file, or in the entry's content.
    pub start: u64,
    pub size_bytes: u64,
}

/// Reads one file's index.
#[derive(Debug)]
pub struct Reader {
    file: String,
    size_bytes: u64,
    wants: Option<Range<u64>>,
    stage: Stage,
    tensors: Vec<Stored>,
}

#[derive(Debug)]
enum Stage {
    Front,
    SafetensorsHeader,
    Tail,
    Directory,
    Pickle { entries: Vec<Entry>, at: usize, rest: Option<Range<u64>> },
    ByteOrder,
    OldFront,
}

impl Reader {
    /// For a file of that name and size.
    pub fn new(file: &str, size_bytes: u64) -> Self {
        Self {
            file: file.to_owned(),
            size_bytes,
            wants: Some(0..size_bytes.min(FRONT_BYTES)),
            stage: Stage::Front,
            tensors: Vec::new(),
        }
    }

    /// The part of the file that is to be read next; `None` once the index is complete.
    pub fn wants(&self) -> Option<Range<u64>> {
        self.wants.clone()
    }

    /// The tensors, in no order.
    pub fn into_tensors(self) -> Vec<Stored> {
        self.tensors
    }

    /// Takes the part that was wanted.
    ///
    /// # Errors
    /// [`Error::Source`] for a file that is damaged, cut off or of no known format, [`Error::Pickle`] for
    /// a pickle that asks to run something.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let wanted = self.wants.take().unwrap_or_default();
        if bytes.len() as u64 != wanted.end - wanted.start {
            return Err(Error::Truncated {
                needed_bytes: wanted.end,
                found_bytes: wanted.start + bytes.len() as u64,
            });
        }
        match std::mem::replace(&mut self.stage, Stage::Front) {
            Stage::Front => self.front(bytes),
            Stage::SafetensorsHeader => self.safetensors(bytes),
            Stage::Tail => {
                self.stage = Stage::Directory;
                self.wants = Some(zip::directory(&self.file, bytes, self.size_bytes)?);
                Ok(())
            }
            Stage::Directory => self.directory(bytes, wanted.start),
            Stage::Pickle { entries, at, rest } => self.pickle(bytes, &entries, at, rest),
            Stage::ByteOrder => self.byte_order(bytes),
            Stage::OldFront => self.old(bytes),
        }
    }

    fn bad(&self, detail: impl Into<String>) -> Error {
        Error::Source { file: self.file.clone(), detail: detail.into() }
    }

    fn front(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if bytes.starts_with(&zip::MAGIC) {
            self.stage = Stage::Tail;
            self.wants = Some(zip::tail(self.size_bytes));
            return Ok(());
        }
        if bytes.starts_with(&OLD_MAGIC) {
            return self.old(bytes);
        }
        let length = bytes.first_chunk().map(|length| u64::from_le_bytes(*length));
        let Some(length) = length.filter(|_| bytes.get(8) == Some(&b'{')) else {
            let seems = recognise(bytes).map(|kind| format!("; it looks like {kind}"));
            let seems = seems.unwrap_or_default();
            return Err(self.bad(format!("it is neither safetensors nor a PyTorch file{seems}")));
        };
        if length > MOST_HEADER_BYTES {
            return Err(
                self.bad(format!("its header is {length} bytes long, which no model needs"))
            );
        }
        if length + 8 > self.size_bytes {
            let needed_bytes = length + 8;
            return Err(Error::Truncated { needed_bytes, found_bytes: self.size_bytes });
        }
        match bytes.get(8..8 + length as usize) {
            Some(header) => self.safetensors(header),
            None => {
                self.stage = Stage::SafetensorsHeader;
                self.wants = Some(8..8 + length);
                Ok(())
            }
        }
    }

    /// The header, without its length.
    fn safetensors(&mut self, header: &[u8]) -> Result<(), Error> {
        let read: Metadata =
            serde_json::from_slice(header).map_err(|error| self.bad(error.to_string()))?;
        let data = 8 + header.len() as u64;
        let mut end = data;
        for (name, info) in read.tensors() {
            let (from, to) = info.data_offsets;
            end = end.max(data + to as u64);
            self.tensors.push(Stored {
                name,
                shape: info.shape.iter().map(|length| *length as u64).collect(),
                block: match info.dtype {
                    Dtype::F32 => Ok(BlockType::F32),
                    Dtype::F16 => Ok(BlockType::F16),
                    Dtype::BF16 => Ok(BlockType::Bf16),
                    other => Err(format!("{other:?}")),
                },
                entry_at: None,
                start: data + from as u64,
                size_bytes: to.saturating_sub(from) as u64,
            });
        }
        if end > self.size_bytes {
            return Err(Error::Truncated { needed_bytes: end, found_bytes: self.size_bytes });
        }
        Ok(())
    }

    fn directory(&mut self, bytes: &[u8], directory_at: u64) -> Result<(), Error> {
        let entries = zip::entries(&self.file, bytes, directory_at)?;
        let at = entries
            .iter()
            .position(|entry| entry.name == "data.pkl" || entry.name.ends_with("/data.pkl"));
        let at =
            at.ok_or_else(|| self.bad("the archive is no PyTorch file: it has no data.pkl"))?;
        let whole = |at: usize| {
            let end = entries.get(at + 1).map_or(directory_at, |next| next.header_at);
            entries.get(at).map(|entry| entry.header_at..end)
        };
        let order = entries.iter().position(|entry| entry.name.ends_with("/byteorder"));
        self.wants = whole(at).filter(|range| range.end - range.start <= MOST_HEADER_BYTES);
        if self.wants.is_none() {
            return Err(self.bad("its list of tensors is longer than any model needs"));
        }
        let rest = order.and_then(whole).filter(|range| range.end - range.start <= FRONT_BYTES);
        self.stage = Stage::Pickle { entries, at, rest };
        Ok(())
    }

    fn pickle(
        &mut self,
        bytes: &[u8],
        entries: &[Entry],
        at: usize,
        rest: Option<Range<u64>>,
    ) -> Result<(), Error> {
        let Some(entry) = entries.get(at) else { return Ok(()) };
        let content = content(&self.file, bytes, entry.size_bytes)?;
        let folder = entry.name.strip_suffix("data.pkl").unwrap_or_default();
        let by_name: BTreeMap<_, _> =
            entries.iter().map(|entry| (entry.name.as_str(), entry)).collect();
        for found in pickle::state_dict(&self.file, content)? {
            let entry = by_name.get(format!("{folder}data/{}", found.storage).as_str());
            let entry = *entry.ok_or_else(|| {
                self.bad(format!("the numbers of {} are not in the archive", found.name))
            })?;
            let stored = stored(&self.file, found, entry.size_bytes)?;
            self.tensors.push(Stored { entry_at: Some(entry.header_at), ..stored });
        }
        if rest.is_some() {
            self.stage = Stage::ByteOrder;
            self.wants = rest;
        }
        Ok(())
    }

    fn byte_order(&self, bytes: &[u8]) -> Result<(), Error> {
        let header = zip::header_length(&self.file, bytes)? as usize;
        if bytes.get(header..).is_some_and(|content| content.starts_with(b"big")) {
            return Err(self.bad("its numbers are big-endian; save it on a common machine"));
        }
        Ok(())
    }

    /// The format before PyTorch 1.6: pickles of a magic number, a version, the machine, the state dict
    /// and the list of storages; then each storage, its length before it.
    fn old(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let read = old_front(&self.file, bytes);
        let front = bytes.len() as u64;
        let (found, keys, mut at) = match read {
            Err(Error::Source { .. }) if front < self.size_bytes.min(MOST_HEADER_BYTES) => {
                self.stage = Stage::OldFront;
                self.wants = Some(0..(4 * front).min(MOST_HEADER_BYTES).min(self.size_bytes));
                return Ok(());
            }
            read => read?,
        };
        let lengths: BTreeMap<_, _> = found
            .iter()
            .map(|it| (it.storage.clone(), it.storage_numbers.saturating_mul(it.number_bytes)))
            .collect();
        let mut starts = BTreeMap::new();
        for key in keys {
            let length = lengths.get(&key).copied();
            let length =
                length.ok_or_else(|| self.bad("it has numbers that belong to no tensor"))?;
            starts.insert(key, at + 8);
            at = at.saturating_add(8).saturating_add(length);
        }
        if at > self.size_bytes {
            return Err(Error::Truncated { needed_bytes: at, found_bytes: self.size_bytes });
        }
        for found in found {
            let start = starts.get(&found.storage).copied();
            let missing = || self.bad(format!("the numbers of {} are not in the file", found.name));
            let start = start.ok_or_else(missing)?;
            let length = lengths.get(&found.storage).copied().unwrap_or(0);
            let stored = stored(&self.file, found, length)?;
            self.tensors.push(Stored { start: start + stored.start, ..stored });
        }
        Ok(())
    }
}

/// The tensors, the storages' names in order, and where the first storage begins.
fn old_front(file: &str, bytes: &[u8]) -> Result<(Vec<Described>, Vec<String>, u64), Error> {
    let mut at = 0;
    for _ in 0..3 {
        at += pickle::texts(file, bytes.get(at..).unwrap_or_default())?.1;
    }
    let (found, length) = pickle::state_dict_at_front(file, bytes.get(at..).unwrap_or_default())?;
    at += length;
    let (keys, length) = pickle::texts(file, bytes.get(at..).unwrap_or_default())?;
    Ok((found, keys, (at + length) as u64))
}

/// What an entry holds, from its header on.
fn content<'a>(file: &str, entry: &'a [u8], size_bytes: u64) -> Result<&'a [u8], Error> {
    let header = zip::header_length(file, entry)?;
    let range = header as usize..(header + size_bytes) as usize;
    entry.get(range).ok_or_else(|| Error::Source {
        file: file.to_owned(),
        detail: "an entry's header is longer than the directory says".to_owned(),
    })
}

/// A described tensor in its storage of `storage_bytes` bytes.
fn stored(file: &str, found: Described, storage_bytes: u64) -> Result<Stored, Error> {
    let numbers = found.shape.iter().try_fold(1_u64, |all, length| all.checked_mul(*length));
    let size_bytes = numbers.and_then(|numbers| numbers.checked_mul(found.number_bytes));
    let start = found.offset.checked_mul(found.number_bytes);
    let end = size_bytes.zip(start).and_then(|(size, start)| size.checked_add(start));
    let (Some(size_bytes), Some(start), Some(_)) =
        (size_bytes, start, end.filter(|end| *end <= storage_bytes))
    else {
        let detail = format!("{} is larger than the numbers stored for it", found.name);
        return Err(Error::Source { file: file.to_owned(), detail });
    };
    let block = match found.kind {
        _ if !is_plain(&found) => Err("transposed numbers".to_owned()),
        "FloatStorage" => Ok(BlockType::F32),
        "HalfStorage" => Ok(BlockType::F16),
        "BFloat16Storage" => Ok(BlockType::Bf16),
        other => Err(other.to_owned()),
    };
    let (name, shape) = (found.name, found.shape);
    Ok(Stored { name, shape, block, entry_at: None, start, size_bytes })
}

/// Row by row, without gaps.
fn is_plain(found: &Described) -> bool {
    let mut expected = 1;
    let dimensions = found.shape.iter().zip(&found.strides).rev();
    found.shape.len() == found.strides.len()
        && dimensions.into_iter().all(|(length, stride)| {
            let fits = *stride == expected || *length == 1;
            expected = expected.saturating_mul(*length);
            fits
        })
}
