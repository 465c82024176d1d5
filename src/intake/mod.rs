//! Other people's checkpoints to our files: read in order, quantised row by row on the way in.
//!
//! ```text
//! small files ─► description ─┐
//!                             ├─► plan ─► Intake: bytes in, in order ─► a GGUF file
//! index of each weights file ─┘              (any place to break off: Bookmark)
//! ```
//!
//! Nothing here knows a network or a disk: [`drive`] asks a [`drive::Source`] for parts. Memory holds
//! the file that is made, one row, and an index; never a weights file. The same checkpoint gives the
//! same bytes, in a browser and natively.

pub mod address;
pub mod description;
pub mod digest;
pub mod drive;
pub mod family;
pub mod hub;
pub mod index;
pub mod order;
pub mod pickle;
pub mod zip;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::intake::description::Description;
use crate::intake::digest::Digest;
use crate::intake::index::Stored;
use crate::protocol::readout::Pooling;
use crate::weights::blocks::BlockType;
use crate::weights::convert;
use crate::weights::error::Error;
use crate::weights::writer;
use crate::weights::writer::TensorPlan;

/// What was made before is read in such parts.
const RESUMED_BYTES: usize = 4 << 20;

/// A weights file of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightsFile {
    pub name: String,
    pub size_bytes: u64,
    /// Lower-case hexadecimal; what arrives is checked against it, where it is known.
    pub sha256: Option<String>,
    /// What its index says; of a file of several, its part.
    pub tensors: Vec<Stored>,
}

/// A place in a checkpoint's files where reading can be taken up again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bookmark {
    pub file: usize,
    pub position: u64,
    /// Parts of that file that are done.
    part: usize,
    /// Of the file up to `position`.
    digest: Digest,
}

/// A tensor's numbers in a weights file.
#[derive(Debug, Clone, Copy)]
struct Part {
    /// In an archive: where the entry's header begins.
    entry_at: Option<u64>,
    /// From the file's start; in an archive, from the entry's content.
    start: u64,
    size_bytes: u64,
    source: BlockType,
    /// Position of its plan.
    tensor: usize,
}

/// A checkpoint on its way into a GGUF file.
#[derive(Debug)]
pub struct Intake {
    files: Vec<FileParts>,
    plans: Vec<TensorPlan>,
    /// Where each tensor begins in `out`.
    places: Vec<usize>,
    out: Vec<u8>,
    at: Bookmark,
    /// See [`Intake::bookmark`].
    last: Bookmark,
    /// Bytes of an unfinished row, or of an entry's header.
    rest: Vec<u8>,
    /// Where the current entry's content begins, once its header was read.
    content_at: Option<u64>,
    /// Bytes of the current part that were taken, those in `rest` included.
    taken: u64,
    row: Vec<f32>,
    encoded: Vec<u8>,
    /// See [`Intake::take_fresh`].
    fresh: Vec<Range<usize>>,
}

#[derive(Debug)]
struct FileParts {
    name: String,
    size_bytes: u64,
    sha256: Option<String>,
    /// In the order of the file.
    parts: Vec<Part>,
}

impl Intake {
    /// Checks that the files hold the whole encoder and lays out the file that is made of them, its
    /// matrices in the format `block`. An MLP over the first token goes in where the readout wants it.
    ///
    /// # Errors
    /// [`Error::MissingTensor`], [`Error::TensorShape`], [`Error::TensorType`] or [`Error::Tokeniser`]
    /// for an incomplete checkpoint, [`Error::Memory`] where there is no room for the file.
    pub fn new(
        description: &Description,
        files: Vec<WeightsFile>,
        block: BlockType,
    ) -> Result<Self, Error> {
        let count = files.iter().map(|file| file.tensors.len()).sum::<usize>();
        if description.config.layers > count {
            // Before anything is sized by what config.json says.
            return Err(Error::MissingTensor { name: format!("blk.{count}.attn_q.weight") });
        }
        let config = &description.config;
        let shapes = config.all_tensors(config.pooling == Pooling::ClsMlp);
        let plans: Vec<_> = shapes
            .iter()
            .map(|(name, rows, columns)| convert::plan(name, *rows, *columns, block))
            .collect();
        let parts = find_parts(description, &files, &plans)?;
        let keys = convert::keys(&description.config, &description.tokenizer_json, block)?;
        let header = writer::header(&keys, &plans)?;
        let mut out = header.bytes;
        let begins = out.len();
        let room = usize::try_from(header.data_bytes).unwrap_or(usize::MAX);
        let no_room = |_| Error::Memory { needed_bytes: header.data_bytes };
        out.try_reserve_exact(room).map_err(no_room)?;
        out.resize(begins + room, 0);
        // The whole header at once.
        #[allow(clippy::single_range_in_vec_init, reason = "one range, not its numbers")]
        let fresh = vec![0..begins];
        let places = header.offsets.iter().map(|offset| begins + *offset as usize).collect();
        let mut sorted: Vec<FileParts> = files
            .into_iter()
            .zip(parts)
            .map(|(WeightsFile { name, size_bytes, sha256, .. }, parts)| FileParts {
                name,
                size_bytes,
                sha256,
                parts,
            })
            .collect();
        for file in &mut sorted {
            file.parts.sort_by_key(|part| (part.entry_at, part.start));
        }
        let (at, rest, content_at, taken) = Default::default();
        let (row, encoded) = Default::default();
        Ok(Self {
            files: sorted,
            plans,
            places,
            out,
            last: Bookmark::default(),
            at,
            rest,
            content_at,
            taken,
            row,
            encoded,
            fresh,
        })
    }

    /// The file that is read now and the place in it; `None` once all were read.
    pub fn position(&self) -> Option<(usize, u64)> {
        (self.at.file < self.files.len()).then_some((self.at.file, self.at.position))
    }

    /// Bytes of all weights files, and how many of them were taken.
    pub fn progress(&self) -> (u64, u64) {
        let total = self.files.iter().map(|file| file.size_bytes).sum();
        let before: u64 = self.files.iter().take(self.at.file).map(|file| file.size_bytes).sum();
        (before + self.at.position, total)
    }

    /// The file so far: complete up to the tensors that were not yet taken, which are zeros.
    pub fn bytes(&self) -> &[u8] {
        &self.out
    }

    /// Where reading can be taken up again: behind the last tensor that is whole.
    pub fn bookmark(&self) -> &Bookmark {
        &self.last
    }

    /// The parts of the file that were made since the last call, for whoever keeps it while it grows: at
    /// first what stands before the tensors.
    pub fn take_fresh(&mut self) -> Vec<Range<usize>> {
        std::mem::take(&mut self.fresh)
    }

    /// Goes on where another intake of the same checkpoint was put down. `read` gives the bytes from a place
    /// of what that one had made, part by part, so that they are in memory once; `None` where it cannot.
    /// `false`, and a start from the beginning, where they do not belong here.
    pub async fn resume<F: Future<Output = Option<Vec<u8>>>>(
        &mut self,
        bookmark: Bookmark,
        mut read: impl FnMut(Range<usize>) -> F,
    ) -> bool {
        let fits = self.files.get(bookmark.file).is_some_and(|file| {
            bookmark.position <= file.size_bytes && bookmark.part <= file.parts.len()
        });
        let data = self.places.first().copied().unwrap_or(0);
        if !fits || read(0..data).await.as_deref() != self.out.get(..data) {
            return false;
        }
        for from in (data..self.out.len()).step_by(RESUMED_BYTES) {
            let range = from..self.out.len().min(from + RESUMED_BYTES);
            let made = read(range.clone()).await;
            let place = self
                .out
                .get_mut(range)
                .filter(|place| made.as_ref().is_some_and(|made| made.len() == place.len()));
            let (Some(place), Some(made)) = (place, made) else {
                // It will be made anew; what was read so far is written over.
                return false;
            };
            place.copy_from_slice(&made);
        }
        self.last = bookmark.clone();
        self.at = bookmark;
        self.fresh.clear();
        true
    }

    /// Takes the next bytes of the current file.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a damaged number, [`Error::Source`] for more bytes than the file has, or
    /// an archive that is not as its directory says.
    pub fn take(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        let Some(file) = self.files.get(self.at.file) else { return Ok(()) };
        if self.at.position + bytes.len() as u64 > file.size_bytes {
            let detail = format!("more than its {} bytes came", file.size_bytes);
            return Err(Error::Source { file: file.name.clone(), detail });
        }
        while !bytes.is_empty() {
            let part = self.at.part;
            let (now, later) = bytes.split_at(self.advance(bytes)?);
            self.at.position += now.len() as u64;
            self.at.digest.update(now);
            bytes = later;
            if self.at.part > part && self.content_at.is_none() {
                self.last = self.at.clone();
            }
        }
        Ok(())
    }

    /// Ends the current file.
    ///
    /// # Errors
    /// [`Error::Truncated`] where bytes are missing, [`Error::SourceHash`] where it is not the promised
    /// one.
    pub fn end_file(&mut self) -> Result<(), Error> {
        let Some(file) = self.files.get(self.at.file) else { return Ok(()) };
        let (needed_bytes, found_bytes) = (file.size_bytes, self.at.position);
        if found_bytes < needed_bytes || self.at.part < file.parts.len() {
            return Err(Error::Truncated { needed_bytes, found_bytes });
        }
        let found = std::mem::take(&mut self.at.digest).finish();
        if let Some(expected) = file.sha256.clone().filter(|expected| *expected != found) {
            return Err(Error::SourceHash { file: file.name.clone(), expected, found });
        }
        self.at = Bookmark { file: self.at.file + 1, ..Bookmark::default() };
        self.last = self.at.clone();
        self.rest.clear();
        (self.content_at, self.taken) = (None, 0);
        Ok(())
    }

    /// The finished file.
    ///
    /// # Errors
    /// [`Error::Truncated`] where files are missing.
    pub fn finish(self) -> Result<Vec<u8>, Error> {
        let (found_bytes, needed_bytes) = self.progress();
        if self.position().is_some() {
            return Err(Error::Truncated { needed_bytes, found_bytes });
        }
        Ok(self.out)
    }

    /// Deals with some of the bytes at the current place; how many.
    fn advance(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        let file = self.files.get(self.at.file);
        let Some(part) = file.and_then(|file| file.parts.get(self.at.part)).copied() else {
            return Ok(bytes.len());
        };
        let position = self.at.position;
        let start = match (part.entry_at, self.content_at) {
            (None, _) => part.start,
            (Some(_), Some(content_at)) => content_at + part.start,
            (Some(entry_at), None) if position < entry_at => {
                return Ok(most(entry_at - position, bytes));
            }
            (Some(_), None) => return self.entry_header(bytes),
        };
        if position < start {
            return Ok(most(start - position, bytes));
        }
        if position - start != self.taken {
            let file = file.map(|file| file.name.clone()).unwrap_or_default();
            let detail = "two tensors share their numbers in part".to_owned();
            return Err(Error::Source { file, detail });
        }
        let used = most(part.size_bytes - self.taken, bytes);
        self.numbers(&part, bytes.get(..used).unwrap_or_default())?;
        self.taken += used as u64;
        if self.taken == part.size_bytes {
            self.end_part(&part);
        }
        Ok(used)
    }

    /// Gathers an entry's header, which says where its content begins.
    fn entry_header(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        let missing = zip::HEADER_BYTES - self.rest.len() as u64;
        let used = most(missing, bytes);
        self.rest.extend_from_slice(bytes.get(..used).unwrap_or_default());
        if self.rest.len() as u64 == zip::HEADER_BYTES {
            let name = self.files.get(self.at.file).map_or("", |file| file.name.as_str());
            let length = zip::header_length(name, &self.rest)?;
            let begun = self.at.position + used as u64 - zip::HEADER_BYTES;
            self.content_at = Some(begun + length);
            self.rest.clear();
        }
        Ok(used)
    }

    fn end_part(&mut self, part: &Part) {
        let size = self.plans.get(part.tensor).and_then(|plan| plan.size_bytes().ok());
        if let (Some(place), Some(size)) = (self.places.get(part.tensor), size) {
            self.fresh.push(*place..place + size as usize);
        }
        self.taken = 0;
        self.at.part += 1;
        let file = self.files.get(self.at.file);
        let next = file.and_then(|file| file.parts.get(self.at.part));
        if next.is_none_or(|next| next.entry_at != part.entry_at) {
            self.content_at = None;
        }
    }

    /// Encodes the rows that are whole now; the rest waits.
    fn numbers(&mut self, part: &Part, mut bytes: &[u8]) -> Result<(), Error> {
        let columns = self.plans.get(part.tensor).and_then(|plan| plan.dimensions.first());
        let columns = columns.map_or(1, |columns| *columns as usize);
        let row_bytes = columns * part.source.block_bytes();
        let mut done = self.taken - self.rest.len() as u64;
        while !bytes.is_empty() {
            if self.rest.is_empty() && bytes.len() >= row_bytes {
                let (row, later) = bytes.split_at(row_bytes);
                self.put_row(part, row, done)?;
                bytes = later;
                done += row_bytes as u64;
                continue;
            }
            let now = bytes.len().min(row_bytes - self.rest.len());
            let (now, later) = bytes.split_at(now);
            self.rest.extend_from_slice(now);
            bytes = later;
            if self.rest.len() == row_bytes {
                let row = std::mem::take(&mut self.rest);
                self.put_row(part, &row, done)?;
                done += row_bytes as u64;
                self.rest = row;
                self.rest.clear();
            }
        }
        Ok(())
    }

    /// Encodes one row, which begins `done` bytes behind the part's start.
    fn put_row(&mut self, part: &Part, bytes: &[u8], done: u64) -> Result<(), Error> {
        let (Some(plan), Some(place)) = (self.plans.get(part.tensor), self.places.get(part.tensor))
        else {
            return Ok(());
        };
        self.row.resize(bytes.len() / part.source.block_bytes(), 0.0);
        part.source.decode(bytes, &mut self.row)?;
        self.encoded.clear();
        plan.block.encode(&plan.name, &self.row, &mut self.encoded)?;
        let row = (done / bytes.len().max(1) as u64) as usize;
        let at = place + row * self.encoded.len();
        if let Some(place) = self.out.get_mut(at..at + self.encoded.len()) {
            place.copy_from_slice(&self.encoded);
        }
        Ok(())
    }
}

/// So many of the bytes.
fn most(count: u64, bytes: &[u8]) -> usize {
    usize::try_from(count).map_or(bytes.len(), |count| count.min(bytes.len()))
}

/// For every file, the parts of it that go into the made one.
fn find_parts(
    description: &Description,
    files: &[WeightsFile],
    plans: &[TensorPlan],
) -> Result<Vec<Vec<Part>>, Error> {
    let mut parts = vec![Vec::new(); files.len()];
    let mut by_name = std::collections::BTreeMap::new();
    for (file, tensors) in files.iter().map(|file| &file.tensors).enumerate() {
        for stored in tensors {
            by_name.insert(stored.name.as_str(), (file, stored));
        }
    }
    for (tensor, plan) in plans.iter().enumerate() {
        let names = description.family.names_of(&plan.name);
        let found = names.iter().find_map(|name| by_name.get(name.as_str()).copied());
        let likeliest = || names.first().unwrap_or(&plan.name).clone();
        let (file, stored) = found.ok_or_else(|| Error::MissingTensor { name: likeliest() })?;
        let skipped =
            if plan.name == "position_embd.weight" { description.first_position } else { 0 };
        let part = part(stored, plan, tensor, skipped as u64)?;
        if let Some(parts) = parts.get_mut(file) {
            parts.push(part);
        }
    }
    Ok(parts)
}

/// The part of a stored tensor that goes into a planned one: all but the first `skipped` rows.
fn part(stored: &Stored, plan: &TensorPlan, tensor: usize, skipped: u64) -> Result<Part, Error> {
    let mut expected: Vec<_> = plan.dimensions.iter().rev().copied().collect();
    if let Some(rows) = expected.first_mut() {
        *rows += skipped;
    }
    if stored.shape != expected {
        let (name, found) = (stored.name.clone(), stored.shape.clone());
        return Err(Error::TensorShape { name, expected, found });
    }
    let source = stored
        .block
        .clone()
        .map_err(|found| Error::TensorType { name: stored.name.clone(), found })?;
    let values = expected.iter().try_fold(1_u64, |all, length| all.checked_mul(*length));
    let size_bytes = values.and_then(|values| source.bytes_for(values));
    if size_bytes != Some(stored.size_bytes) {
        let bytes = stored.size_bytes as usize;
        let given = values.unwrap_or(u64::MAX) as usize;
        return Err(Error::BlockLength { block: source.name(), given, bytes });
    }
    let columns = plan.dimensions.first().copied().unwrap_or(1);
    let before = skipped * columns * source.block_bytes() as u64;
    Ok(Part {
        entry_at: stored.entry_at,
        start: stored.start + before,
        size_bytes: stored.size_bytes - before,
        source,
        tensor,
    })
}
