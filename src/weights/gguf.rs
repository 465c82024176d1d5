//! GGUF headers, versions 2 and 3, little-endian.
//!
//! Format: ggml-org/ggml, `docs/gguf.md`. A file is the magic `GGUF`, a version, two counts, typed
//! metadata keys, one entry per tensor, padding, and the tensors' bytes.
//!
//! *Invariant:* nothing is allocated from a count in the header before the bytes that it promises
//! are known to be there.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Range;

use crate::weights::blocks::BlockType;
use crate::weights::blocks::ggml_type_name;
use crate::weights::error::Error;
use crate::weights::metadata::NumberKind;
use crate::weights::metadata::Numbers;
use crate::weights::metadata::Texts;
use crate::weights::metadata::Value;

/// First bytes of every GGUF file.
pub const MAGIC: [u8; 4] = *b"GGUF";
/// Alignment of tensors where the header gives none.
pub const DEFAULT_ALIGNMENT: u64 = 32;
/// The key that changes it.
pub const ALIGNMENT_KEY: &str = "general.alignment";

/// Far above any real model; beyond these a header is damaged or hostile.
const MAX_KEYS: u64 = 1 << 16;
const MAX_TENSORS: u64 = 1 << 16;
const MAX_KEY_BYTES: u64 = 1 << 12;
const MAX_TEXT_BYTES: u64 = 1 << 26;
const MAX_ARRAY_LEN: u64 = 1 << 24;
const MAX_DIMENSIONS: u64 = 4;
const MAX_DIMENSION: u64 = 1 << 32;
const MAX_ALIGNMENT: u64 = 1 << 16;

/// A tensor's entry in the header.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorEntry {
    /// Innermost first, as the file has them: `[columns, rows]`.
    pub dimensions: Vec<u64>,
    /// ggml's number of the format.
    pub type_id: u32,
    /// The format, where it is one that we read.
    pub block: Option<BlockType>,
    /// Where its bytes are in the file; empty where the format is not known.
    pub range: Range<usize>,
}

impl TensorEntry {
    /// Name of the number format.
    pub fn type_name(&self) -> String {
        ggml_type_name(self.type_id)
    }
}

/// A checked header.
#[derive(Debug, Clone, PartialEq)]
pub struct Gguf {
    pub version: u32,
    pub alignment: u64,
    pub keys: BTreeMap<String, Value>,
    pub tensors: BTreeMap<String, TensorEntry>,
}

impl Gguf {
    /// Reads and checks the header of a whole file; `name` is the file's, for messages.
    ///
    /// # Errors
    /// [`Error::NotGguf`], [`Error::Version`], [`Error::Truncated`], [`Error::Absurd`] or
    /// [`Error::Damaged`]: every offset, length and count is checked against `bytes`.
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, Error> {
        let mut cursor = Cursor { bytes, position: 0 };
        if bytes.first_chunk() != Some(&MAGIC) {
            let looks_like = recognise(bytes);
            return Err(Error::NotGguf { name: name.to_owned(), looks_like });
        }
        cursor.take(4)?;
        let version = cursor.u32()?;
        if !(2..=3).contains(&version) {
            return Err(Error::Version { found: version });
        }
        let tensor_count = cursor.count("the number of tensors", MAX_TENSORS, 8 + 4 + 8 + 4 + 8)?;
        let key_count = cursor.count("the number of metadata keys", MAX_KEYS, 8 + 1 + 4 + 1)?;
        let keys = read_keys(&mut cursor, key_count)?;
        let alignment = alignment(&keys)?;
        let entries = read_entries(&mut cursor, tensor_count)?;
        let data_start = (cursor.position as u64).next_multiple_of(alignment);
        let tensors = place_tensors(entries, data_start, alignment, bytes.len() as u64)?;
        Ok(Self { version, alignment, keys, tensors })
    }

    /// The text under `key`, if the key is there.
    ///
    /// # Errors
    /// [`Error::KeyType`] where it holds something else.
    pub fn text(&self, key: &str) -> Result<Option<&str>, Error> {
        self.typed(key, "a text", |value| match value {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// The natural number under `key`, if the key is there.
    ///
    /// # Errors
    /// [`Error::KeyType`] where it holds something else.
    pub fn natural(&self, key: &str) -> Result<Option<u64>, Error> {
        self.typed(key, "a natural number", Value::natural)
    }

    /// The real number under `key`, if the key is there.
    ///
    /// # Errors
    /// [`Error::KeyType`] where it holds something else.
    pub fn real(&self, key: &str) -> Result<Option<f64>, Error> {
        self.typed(key, "a real number", |value| match value {
            Value::F32(value) => Some((*value).into()),
            Value::F64(value) => Some(*value),
            _ => None,
        })
    }

    /// The yes or no under `key`, if the key is there.
    ///
    /// # Errors
    /// [`Error::KeyType`] where it holds something else.
    pub fn boolean(&self, key: &str) -> Result<Option<bool>, Error> {
        self.typed(key, "a yes or no", |value| match value {
            Value::Bool(value) => Some(*value),
            _ => None,
        })
    }

    /// The texts under `key`, if the key is there.
    ///
    /// # Errors
    /// [`Error::KeyType`] where it holds something else.
    pub fn texts(&self, key: &str) -> Result<Option<&Texts>, Error> {
        self.typed(key, "an array of texts", |value| match value {
            Value::Texts(texts) => Some(texts),
            _ => None,
        })
    }

    /// The numbers under `key`, if the key is there.
    ///
    /// # Errors
    /// [`Error::KeyType`] where it holds something else.
    pub fn numbers(&self, key: &str) -> Result<Option<&Numbers>, Error> {
        self.typed(key, "an array of numbers", |value| match value {
            Value::Numbers(numbers) => Some(numbers),
            _ => None,
        })
    }

    fn typed<'a, T>(
        &'a self,
        key: &str,
        expected: &'static str,
        pick: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let Some(value) = self.keys.get(key) else { return Ok(None) };
        pick(value).map(Some).ok_or_else(|| Error::KeyType {
            key: key.to_owned(),
            expected,
            found: value.kind(),
        })
    }
}

/// What a file that is not GGUF seems to be.
pub fn recognise(bytes: &[u8]) -> Option<&'static str> {
    const STARTS: [(&[u8], &str); 10] = [
        (b"PK\x03\x04", "a zip archive (a PyTorch .bin or .pt checkpoint is one)"),
        (b"version https://git-lfs", "a Git LFS pointer instead of the file it stands for"),
        (b"\x1f\x8b", "a gzip archive"),
        (b"lmgg", "a llama.cpp file older than GGUF"),
        (b"fmgg", "a llama.cpp file older than GGUF"),
        (b"tjgg", "a llama.cpp file older than GGUF"),
        (b"\x93NUMPY", "a NumPy array"),
        (b"<!", "a web page (an error page of the server, perhaps)"),
        (b"<html", "a web page (an error page of the server, perhaps)"),
        (b"{", "a JSON file"),
    ];
    if bytes.is_empty() {
        return Some("an empty file");
    }
    if bytes.get(8..10) == Some(b"{\"") {
        return Some("a safetensors file");
    }
    STARTS.iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, kind)| *kind)
}

/// A place in the file. Every step is checked against the end.
struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, length: u64) -> Result<&'a [u8], Error> {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let part = usize::try_from(length).ok().and_then(|length| rest.get(..length));
        let part = part.ok_or(Error::Truncated {
            needed_bytes: (self.position as u64).saturating_add(length),
            found_bytes: self.bytes.len() as u64,
        })?;
        self.position += part.len();
        Ok(part)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N as u64)?);
        Ok(array)
    }

    fn u32(&mut self) -> Result<u32, Error> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64, Error> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A count of things that take at least `least_bytes` each.
    fn count(&mut self, what: &str, limit: u64, least_bytes: u64) -> Result<u64, Error> {
        let found = self.u64()?;
        if found > limit {
            return Err(Error::Absurd { what: what.to_owned(), found, limit });
        }
        let needed_bytes = self.position as u64 + found.saturating_mul(least_bytes);
        let found_bytes = self.bytes.len() as u64;
        if needed_bytes > found_bytes {
            return Err(Error::Truncated { needed_bytes, found_bytes });
        }
        Ok(found)
    }

    fn text(&mut self, what: &str, limit: u64) -> Result<&'a str, Error> {
        let length = self.u64()?;
        if length > limit {
            let what = format!("the length of {what}");
            return Err(Error::Absurd { what, found: length, limit });
        }
        std::str::from_utf8(self.take(length)?)
            .map_err(|_| Error::Damaged { what: format!("{what} is not UTF-8") })
    }
}

fn read_keys(cursor: &mut Cursor<'_>, count: u64) -> Result<BTreeMap<String, Value>, Error> {
    let mut keys = BTreeMap::new();
    for _ in 0..count {
        let key = cursor.text("a metadata key", MAX_KEY_BYTES)?;
        let kind = cursor.u32()?;
        let value = read_value(cursor, key, kind)?;
        match keys.entry(key.to_owned()) {
            Entry::Vacant(place) => place.insert(value),
            Entry::Occupied(_) => {
                let what = format!("the metadata key {key} is there twice");
                return Err(Error::Damaged { what });
            }
        };
    }
    Ok(keys)
}

fn read_value(cursor: &mut Cursor<'_>, key: &str, kind: u32) -> Result<Value, Error> {
    Ok(match kind {
        0 => Value::U8(u8::from_le_bytes(cursor.array()?)),
        1 => Value::I8(i8::from_le_bytes(cursor.array()?)),
        2 => Value::U16(u16::from_le_bytes(cursor.array()?)),
        3 => Value::I16(i16::from_le_bytes(cursor.array()?)),
        4 => Value::U32(cursor.u32()?),
        5 => Value::I32(i32::from_le_bytes(cursor.array()?)),
        6 => Value::F32(f32::from_le_bytes(cursor.array()?)),
        7 => match cursor.array()? {
            [0] => Value::Bool(false),
            [1] => Value::Bool(true),
            [other] => {
                let what = format!("the yes or no under {key} is {other}");
                return Err(Error::Damaged { what });
            }
        },
        8 => Value::Text(cursor.text(key, MAX_TEXT_BYTES)?.to_owned()),
        9 => read_array(cursor, key)?,
        10 => Value::U64(cursor.u64()?),
        11 => Value::I64(i64::from_le_bytes(cursor.array()?)),
        12 => Value::F64(f64::from_le_bytes(cursor.array()?)),
        other => {
            let what = format!("the metadata key {key} has the unknown type {other}");
            return Err(Error::Damaged { what });
        }
    })
}

fn read_array(cursor: &mut Cursor<'_>, key: &str) -> Result<Value, Error> {
    let kind = cursor.u32()?;
    let what = format!("the length of the array {key}");
    if kind == 8 {
        let count = cursor.count(&what, MAX_ARRAY_LEN, 8)?;
        let mut texts = Texts::default();
        for _ in 0..count {
            texts.push(cursor.text(key, MAX_TEXT_BYTES)?);
        }
        return Ok(Value::Texts(texts));
    }
    let kind = NumberKind::from_id(kind).ok_or_else(|| Error::Damaged {
        what: format!("the array {key} has elements of type {kind}"),
    })?;
    let count = cursor.count(&what, MAX_ARRAY_LEN, kind.bytes() as u64)?;
    let bytes = cursor.take(count * kind.bytes() as u64)?.to_vec();
    Ok(Value::Numbers(Numbers { kind, bytes }))
}

fn alignment(keys: &BTreeMap<String, Value>) -> Result<u64, Error> {
    let Some(value) = keys.get(ALIGNMENT_KEY) else { return Ok(DEFAULT_ALIGNMENT) };
    let found = value.natural().ok_or_else(|| Error::KeyType {
        key: ALIGNMENT_KEY.to_owned(),
        expected: "a natural number",
        found: value.kind(),
    })?;
    if found > MAX_ALIGNMENT {
        return Err(Error::Absurd { what: ALIGNMENT_KEY.to_owned(), found, limit: MAX_ALIGNMENT });
    }
    if !found.is_power_of_two() {
        let what = format!("{ALIGNMENT_KEY} is {found}, not a power of two");
        return Err(Error::Damaged { what });
    }
    Ok(found)
}

/// A tensor's entry with its offset still relative to the data.
struct RawEntry {
    name: String,
    dimensions: Vec<u64>,
    type_id: u32,
    offset: u64,
}

fn read_entries(cursor: &mut Cursor<'_>, count: u64) -> Result<Vec<RawEntry>, Error> {
    (0..count)
        .map(|_| {
            let name = cursor.text("a tensor's name", MAX_KEY_BYTES)?.to_owned();
            let rank = u64::from(cursor.u32()?);
            if rank > MAX_DIMENSIONS {
                let what = format!("the number of dimensions of {name}");
                return Err(Error::Absurd { what, found: rank, limit: MAX_DIMENSIONS });
            }
            let mut dimensions = Vec::new();
            for _ in 0..rank {
                let found = cursor.u64()?;
                if found > MAX_DIMENSION {
                    let what = format!("a dimension of {name}");
                    return Err(Error::Absurd { what, found, limit: MAX_DIMENSION });
                }
                dimensions.push(found);
            }
            Ok(RawEntry { name, dimensions, type_id: cursor.u32()?, offset: cursor.u64()? })
        })
        .collect()
}

fn place_tensors(
    entries: Vec<RawEntry>,
    data_start: u64,
    alignment: u64,
    found_bytes: u64,
) -> Result<BTreeMap<String, TensorEntry>, Error> {
    let mut tensors = BTreeMap::new();
    let mut taken = Vec::new();
    let mut needed_bytes = 0;
    for RawEntry { name, dimensions, type_id, offset } in entries {
        if offset % alignment != 0 {
            let what =
                format!("the tensor {name} begins at {offset}, not a multiple of {alignment}");
            return Err(Error::Damaged { what });
        }
        let block = BlockType::from_id(type_id);
        let size = block.map_or(Ok(0), |block| size_of(&name, &dimensions, block))?;
        let end = data_start.checked_add(offset).and_then(|start| start.checked_add(size));
        let end = end.ok_or_else(|| Error::Damaged {
            what: format!("the tensor {name} begins at the impossible place {offset}"),
        })?;
        needed_bytes = needed_bytes.max(end);
        taken.push((end - size, end));
        // The range is exact where the file is long enough, which is checked below.
        let range = (end - size) as usize..end as usize;
        let entry = TensorEntry { dimensions, type_id, block, range };
        if tensors.insert(name.clone(), entry).is_some() {
            return Err(Error::Damaged { what: format!("the tensor {name} is there twice") });
        }
    }
    if needed_bytes > found_bytes {
        return Err(Error::Truncated { needed_bytes, found_bytes });
    }
    taken.sort_unstable();
    if let Some(pair) = taken.windows(2).find(|pair| pair[0].1 > pair[1].0) {
        let what = format!("two tensors overlap at byte {}", pair[1].0);
        return Err(Error::Damaged { what });
    }
    Ok(tensors)
}

/// Bytes of a tensor, from its dimensions.
fn size_of(name: &str, dimensions: &[u64], block: BlockType) -> Result<u64, Error> {
    let columns = dimensions.first().copied().unwrap_or(1);
    let whole_rows = columns % block.block_values() as u64 == 0;
    if !whole_rows {
        let what = format!(
            "rows of {columns} values in the tensor {name} are no whole blocks of {}",
            block.name()
        );
        return Err(Error::Damaged { what });
    }
    let values = dimensions.iter().try_fold(1_u64, |product, length| product.checked_mul(*length));
    values.and_then(|values| block.bytes_for(values)).ok_or_else(|| Error::Absurd {
        what: format!("the size of the tensor {name}"),
        found: u64::MAX,
        limit: MAX_DIMENSION,
    })
}
