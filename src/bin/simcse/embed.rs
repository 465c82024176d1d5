//! `simcse embed`: any number of rows in bounded memory, to be gone on with where it was broken off.

use std::fs;
use std::fs::{File, OpenOptions};
use std::io;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::UNIX_EPOCH;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

use simcse_lab::files::parquet::Groups;
use simcse_lab::files::write::pieces;
use simcse_lab::files::{Format, Table, npy};

use crate::simcse::arguments::EmbedOptions;
use crate::simcse::model::Models;
use crate::simcse::stream;
use crate::simcse::stream::{Record, Records};

/// Embeds every row and writes the vectors in their order.
pub fn run(options: &EmbedOptions) -> anyhow::Result<()> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed))
        .context("Ctrl-C cannot be listened to")?;
    let mut models = Models::open(&options.model, options.threads)?;
    let mut records = stream::open(&options.file, &options.stream)?;
    let mut writer = Writer::open(options, &models)?;
    let skipped = writer.done.rows;
    if skipped > 0 {
        eprintln!("goes on after {skipped} rows");
        for record in records.by_ref().take(skipped) {
            record?;
        }
    }
    let bar = bar(skipped)?;
    let mut counts = Counts::default();
    while let Some(table) =
        chunk(options, &mut models, &mut records, &mut counts, writer.done.rows)?
    {
        writer.push(&table)?;
        bar.set_position(writer.done.rows as u64);
        if interrupted.load(Ordering::Relaxed) {
            bar.finish_and_clear();
            return writer.break_off();
        }
    }
    bar.finish_and_clear();
    counts.tell(&models);
    writer.finish()
}

fn bar(done: usize) -> anyhow::Result<ProgressBar> {
    let style = ProgressStyle::with_template("{spinner} {pos} rows, {per_sec}, {elapsed}")?;
    let bar = ProgressBar::new_spinner().with_style(style);
    bar.set_position(done as u64);
    bar.reset_eta();
    Ok(bar)
}

/// What is told at the end.
#[derive(Debug, Default)]
struct Counts {
    /// Longer than the model reads.
    cut: usize,
    /// Without text, and the first of them.
    empty: usize,
    first_empty: Option<usize>,
}

impl Counts {
    fn tell(&self, models: &Models) {
        if self.cut > 0 {
            let limit = models.max_tokens();
            eprintln!("sentences cut at the model's limit of {limit} tokens: {}", self.cut);
        }
        if let Some(first) = self.first_empty {
            let count = self.empty;
            eprintln!(
                "rows without text, embedded as empty ones: {count}, the first is row {first}"
            );
        }
    }
}

/// The next rows, embedded; `None` at the end.
fn chunk(
    options: &EmbedOptions,
    models: &mut Models,
    records: &mut Records,
    counts: &mut Counts,
    done: usize,
) -> anyhow::Result<Option<Table>> {
    let mut sentences = Vec::new();
    for record in records.take(options.chunk.max(1)) {
        let Record { text, .. } = record?;
        if text.is_none() {
            let row = done + sentences.len() + 1;
            anyhow::ensure!(!options.strict, "row {row} has no text (--strict)");
            counts.empty += 1;
            counts.first_empty.get_or_insert(row);
        }
        sentences.push(text.unwrap_or_default());
    }
    if sentences.is_empty() {
        return Ok(None);
    }
    let (vectors, cut) = models.embed(&sentences, options.part.into())?;
    counts.cut += cut;
    let dimensions = models.hidden();
    Ok(Some(Table { sentences: sentences.into(), topics: Vec::new(), dimensions, vectors }))
}

/// How far a file is: it is written beside it after every chunk.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Done {
    /// Of what input, with what model.
    of: String,
    rows: usize,
    bytes: u64,
    groups: Groups,
}

/// Where vectors go.
struct Writer {
    out: Option<(PathBuf, BufWriter<File>)>,
    format: Format,
    hidden: usize,
    done: Done,
}

impl Writer {
    fn open(options: &EmbedOptions, models: &Models) -> anyhow::Result<Self> {
        let of =
            format!("{} {} {:?}", input_identity(&options.file)?, models.identity(), options.part);
        let fresh = Done { of, ..Done::default() };
        let Some(path) = &options.out else {
            anyhow::ensure!(!options.resume, "--resume needs --out");
            let (format, hidden) = (Format::JsonLines, models.hidden());
            return Ok(Self { out: None, format, hidden, done: fresh });
        };
        let format = match path.extension().and_then(|ending| ending.to_str()) {
            Some("npy") => Format::Npy,
            Some("parquet") => Format::Parquet,
            _ => Format::JsonLines,
        };
        let context = || format!("{} cannot be written", path.display());
        let done = if options.resume { resumed(path, &fresh)? } else { None };
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let mut file = file.with_context(context)?;
        let is_new = done.is_none();
        let done = done.unwrap_or(fresh);
        file.set_len(done.bytes).with_context(context)?;
        file.seek(SeekFrom::End(0)).with_context(context)?;
        let out = Some((path.clone(), BufWriter::new(file)));
        let mut writer = Self { out, format, hidden: models.hidden(), done };
        if is_new {
            let head = match format {
                Format::Npy => npy::header(0, writer.hidden),
                Format::Parquet => writer.done.groups.begin().to_vec(),
                _ => Vec::new(),
            };
            writer.write(&head)?;
        }
        Ok(writer)
    }

    fn push(&mut self, table: &Table) -> anyhow::Result<()> {
        match self.format {
            Format::Parquet => {
                let group = self.done.groups.push(table);
                self.write(&group)?;
            }
            Format::Npy => {
                let bytes: Vec<u8> =
                    table.vectors.iter().flat_map(|value| value.to_le_bytes()).collect();
                self.write(&bytes)?;
            }
            format => {
                for piece in pieces(format, table) {
                    self.write(&piece)?;
                }
            }
        }
        self.done.rows += table.sentences.len();
        self.save()
    }

    fn write(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.done.bytes += bytes.len() as u64;
        match &mut self.out {
            Some((path, file)) => file
                .write_all(bytes)
                .with_context(|| format!("{} cannot be written", path.display())),
            None => Ok(io::stdout().lock().write_all(bytes)?),
        }
    }

    /// What was written is safe, and so is what is known of it.
    fn save(&mut self) -> anyhow::Result<()> {
        let Some((path, file)) = &mut self.out else { return Ok(()) };
        file.flush()?;
        file.get_ref().sync_data()?;
        let (note, fresh) = (note_of(path), note_of(path).with_extension("new"));
        fs::write(&fresh, serde_json::to_vec(&self.done)?)?;
        fs::rename(&fresh, &note).with_context(|| format!("{} cannot be written", note.display()))
    }

    fn break_off(self) -> anyhow::Result<()> {
        match self.out {
            Some((path, _)) => anyhow::bail!(
                "interrupted after {} rows; the same command with --resume goes on ({} is not whole)",
                self.done.rows,
                path.display()
            ),
            None => anyhow::bail!("interrupted after {} rows", self.done.rows),
        }
    }

    fn finish(mut self) -> anyhow::Result<()> {
        if self.format == Format::Parquet && self.out.is_some() {
            let footer = self.done.groups.finish();
            self.write(&footer)?;
        }
        let Some((path, mut file)) = self.out else { return Ok(io::stdout().lock().flush()?) };
        if self.format == Format::Npy {
            let (head, room) =
                (npy::header(self.done.rows, self.hidden), npy::header(0, self.hidden).len());
            anyhow::ensure!(
                head.len() == room,
                "the header of {} rows has no room",
                self.done.rows
            );
            file.seek(SeekFrom::Start(0))?;
            file.write_all(&head)?;
        }
        file.flush().with_context(|| format!("{} cannot be written", path.display()))?;
        // It is whole: nothing is to be gone on with.
        match fs::remove_file(note_of(&path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// The note beside a file that is not whole yet.
fn note_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part.json");
    PathBuf::from(name)
}

/// How far an earlier run came with the same input and model.
fn resumed(path: &Path, fresh: &Done) -> anyhow::Result<Option<Done>> {
    let note = note_of(path);
    let bytes = match fs::read(&note) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(error).with_context(|| format!("{} cannot be read", note.display()));
        }
    };
    let done: Done = serde_json::from_slice(&bytes)
        .with_context(|| format!("{} is damaged; delete it to begin anew", note.display()))?;
    anyhow::ensure!(
        done.of == fresh.of,
        "{} was begun with another input, model or readout; leave --resume out to begin anew",
        path.display()
    );
    let found = fs::metadata(path).map_or(0, |found| found.len());
    anyhow::ensure!(found >= done.bytes, "{} is shorter than it was; begin anew", path.display());
    Ok(Some(done))
}

/// Tells one input from another: its length and when it was changed.
fn input_identity(path: &Path) -> anyhow::Result<String> {
    if path == Path::new("-") {
        return Ok("-".to_owned());
    }
    let found = fs::metadata(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let changed = found.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    Ok(format!("{} {}", found.len(), changed.map_or(0, |since| since.as_nanos())))
}
