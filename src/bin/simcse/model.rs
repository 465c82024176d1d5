//! A model from a file, and sentences through it with a bar.

use std::fs;
use std::path::Path;

use anyhow::Context;
use indicatif::ProgressBar;

use simcse_lab::backend::Backend;
use simcse_lab::backend::cpu::Cpu;
use simcse_lab::backend::gpu::GpuBackend;
use simcse_lab::gpu::device::Gpu;
use simcse_lab::model::encoder::{Encoder, Part};
use simcse_lab::protocol::readout::Pooling;
use simcse_lab::protocol::readout::Readout;
use simcse_lab::weights::adapter_file::AdapterFile;
use simcse_lab::weights::bert::{BertFile, sha256};
use simcse_lab::weights::convert;
use simcse_lab::weights::merged::Merged;
use simcse_lab::weights::merged::check_base;

use crate::simcse::arguments::ModelOptions;
use crate::simcse::bars;
use crate::simcse::names::Device;

/// A file's name and bytes.
pub fn read(path: &Path) -> anyhow::Result<(String, Vec<u8>)> {
    let bytes = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    Ok((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), bytes))
}

/// An adapter that belongs to a model, and how much of it is wanted.
pub struct Adapter {
    pub file: AdapterFile,
    blend: f32,
}

impl Adapter {
    /// The adapter in a file, if it belongs to the model.
    pub fn open(path: &Path, blend: f32, base: &BertFile) -> anyhow::Result<Self> {
        let (name, bytes) = read(path)?;
        let file = AdapterFile::read(&name, &bytes)?;
        check_base(&file.meta, base)?;
        Ok(Self { file, blend })
    }

    /// The model with the adapter in it.
    pub fn merged<'a>(&'a self, base: &'a BertFile) -> anyhow::Result<Merged<'a>> {
        Ok(Merged::new(base, &self.file.changes, self.blend)?)
    }

    /// The readout that scores best with it, as far as that is known.
    pub fn pooling(&self, base: &BertFile) -> Pooling {
        let meta = &self.file.meta;
        meta.best_pooling.or(meta.pooling).unwrap_or(base.config.pooling)
    }
}

/// A model that is ready, and how it is read.
pub struct Model {
    encoder: AnyEncoder,
    readout: Readout,
}

/// An encoder on what computes.
enum AnyEncoder {
    Cpu(Encoder<Cpu>),
    Gpu(Encoder<GpuBackend>),
}

impl AnyEncoder {
    fn load(device: Device, model: &Merged<'_>) -> anyhow::Result<Self> {
        Ok(match device {
            Device::Cpu => Self::Cpu(Encoder::load_merged(Cpu::default(), model)?),
            Device::Gpu => {
                let gpu = pollster::block_on(Gpu::open())
                    .context("--backend gpu: there may be no driver; --backend cpu always works")?;
                let encoder = Encoder::load_merged(GpuBackend::new(gpu), model)?;
                eprintln!("on {}", encoder.backend().device());
                Self::Gpu(encoder)
            }
        })
    }
}

impl Model {
    /// The model that the options name.
    pub fn open(options: &ModelOptions) -> anyhow::Result<Self> {
        let (name, bytes) = read(&options.model)?;
        // Only an adapter asks for the hash, so it is not computed without one.
        let unhashed = Some(String::new());
        let sha256 = if options.adapter.is_some() { None } else { unhashed.clone() };
        let file = BertFile::read(&name, bytes, sha256)?;
        let blend = options.blend.unwrap_or(1.0);
        let adapter = options.adapter.as_ref().map(|path| Adapter::open(path, blend, &file));
        let adapter = adapter.transpose()?;
        let best = adapter.as_ref().map_or(file.config.pooling, |it| it.pooling(&file));
        let pooling = options.pooling.map_or(best, Into::into);
        let readout = Readout { pooling, layer: options.layer };
        let merged = match &adapter {
            Some(adapter) => adapter.merged(&file)?,
            None => Merged::plain(&file),
        };
        let encoder = match options.kind {
            Some(kind) => {
                let bytes = convert::write_merged(&merged, kind.into(), None)?;
                let file = BertFile::read(&name, bytes, unhashed)?;
                AnyEncoder::load(options.backend, &Merged::plain(&file))?
            }
            None => AnyEncoder::load(options.backend, &merged)?,
        };
        Ok(Self { encoder, readout })
    }

    /// Length of a vector.
    pub fn hidden(&self) -> usize {
        match &self.encoder {
            AnyEncoder::Cpu(encoder) => encoder.config().hidden,
            AnyEncoder::Gpu(encoder) => encoder.config().hidden,
        }
    }

    /// Tokens of the longest sentence that is read whole.
    pub fn max_tokens(&self) -> usize {
        match &self.encoder {
            AnyEncoder::Cpu(encoder) => encoder.config().max_tokens,
            AnyEncoder::Gpu(encoder) => encoder.config().max_tokens,
        }
    }

    /// As [`Model::embed`], without a word; how many sentences were cut is in the answer.
    fn embed_share(&self, sentences: &[String], part: Part) -> anyhow::Result<(Vec<f32>, usize)> {
        match &self.encoder {
            AnyEncoder::Cpu(encoder) => quiet_rows(encoder, self.readout, sentences, part),
            AnyEncoder::Gpu(encoder) => quiet_rows(encoder, self.readout, sentences, part),
        }
    }

    /// `[sentences, hidden]` unit rows. Says on stderr how many sentences were cut.
    pub fn embed<'a>(
        &self,
        sentences: impl ExactSizeIterator<Item = &'a str>,
    ) -> anyhow::Result<Vec<f32>> {
        match &self.encoder {
            AnyEncoder::Cpu(encoder) => embed(encoder, self.readout, sentences),
            AnyEncoder::Gpu(encoder) => embed(encoder, self.readout, sentences),
        }
    }
}

fn embed<'a, B: Backend>(
    encoder: &Encoder<B>,
    readout: Readout,
    sentences: impl ExactSizeIterator<Item = &'a str>,
) -> anyhow::Result<Vec<f32>> {
    let bar = bars::bar(sentences.len(), "sentences")?;
    let (rows, cut) = rows_of(encoder, readout, sentences, Part::Compared, &bar)?;
    bar.finish_and_clear();
    if cut > 0 {
        let limit = encoder.config().max_tokens;
        eprintln!("sentences cut at the model's limit of {limit} tokens: {cut}");
    }
    Ok(rows)
}

/// `[sentences, hidden]` unit rows, and how many sentences were cut.
fn rows_of<'a, B: Backend>(
    encoder: &Encoder<B>,
    readout: Readout,
    sentences: impl ExactSizeIterator<Item = &'a str>,
    part: Part,
    bar: &ProgressBar,
) -> anyhow::Result<(Vec<f32>, usize)> {
    let mut cut = 0;
    let mut ids = Vec::with_capacity(sentences.len());
    for sentence in sentences {
        let tokens = encoder.tokenise_as(sentence, part)?;
        cut += usize::from(tokens.cut_from.is_some());
        ids.push(tokens.ids);
    }
    let mut embedding = encoder.begin(ids, readout)?;
    while pollster::block_on(encoder.step(&mut embedding))? {
        bar.set_position(embedding.done() as u64);
    }
    Ok((embedding.into_rows().0, cut))
}

/// The same model once a thread, for long lists.
pub struct Models {
    /// What a GPU computes, or the first thread.
    first: Model,
    others: Vec<Encoder<Cpu>>,
    identity: String,
}

impl Models {
    /// The model that the options name, for so many threads; `None`: as many as there are cores. A GPU
    /// needs one.
    pub fn open(options: &ModelOptions, threads: Option<usize>) -> anyhow::Result<Self> {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let count = match options.backend {
            Device::Cpu => threads.unwrap_or_else(cores).max(1),
            Device::Gpu => 1,
        };
        let first = Model::open(options)?;
        let more = (1..count).map(|_| match Model::open(options)?.encoder {
            AnyEncoder::Cpu(encoder) => Ok(encoder),
            AnyEncoder::Gpu(_) => anyhow::bail!("a GPU computes by itself"),
        });
        let others = more.collect::<anyhow::Result<_>>()?;
        let hash = |path: &Path| anyhow::Ok(sha256(&read(path)?.1));
        let adapter = options.adapter.as_deref().map(hash).transpose()?.unwrap_or_default();
        let identity = format!(
            "{} {adapter} {:?} {:?} {:?} {:?}",
            hash(&options.model)?,
            options.blend,
            first.readout,
            options.kind,
            options.backend
        );
        Ok(Self { first, others, identity })
    }

    /// Tells vectors of this model, read like this, from all others.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Length of a vector.
    pub fn hidden(&self) -> usize {
        self.first.hidden()
    }

    /// Tokens of the longest sentence that is read whole.
    pub fn max_tokens(&self) -> usize {
        self.first.max_tokens()
    }

    /// `[sentences, hidden]` unit rows, and how many sentences were cut.
    pub fn embed(&mut self, sentences: &[String], part: Part) -> anyhow::Result<(Vec<f32>, usize)> {
        let share = sentences.len().div_ceil(self.others.len() + 1).max(1);
        let mut shares = sentences.chunks(share);
        let own = shares.next().unwrap_or_default();
        let (first, readout) = (&self.first, self.first.readout);
        let found = std::thread::scope(|scope| {
            let running: Vec<_> = shares
                .zip(&mut self.others)
                .map(|(some, encoder)| {
                    scope.spawn(move || quiet_rows(encoder, readout, some, part))
                })
                .collect();
            let mut found = vec![first.embed_share(own, part)];
            let broken = || Err(anyhow::anyhow!("a thread that embeds stopped"));
            found.extend(running.into_iter().map(|it| it.join().unwrap_or_else(|_| broken())));
            found
        });
        let (mut rows, mut cut) = (Vec::with_capacity(sentences.len() * self.hidden()), 0);
        for share in found {
            let (some, some_cut) = share?;
            rows.extend(some);
            cut += some_cut;
        }
        Ok((rows, cut))
    }
}

/// `[sentences, hidden]` unit rows without a bar, and how many sentences were cut.
fn quiet_rows<B: Backend>(
    encoder: &Encoder<B>,
    readout: Readout,
    sentences: &[String],
    part: Part,
) -> anyhow::Result<(Vec<f32>, usize)> {
    let sentences = sentences.iter().map(String::as_str);
    rows_of(encoder, readout, sentences, part, &ProgressBar::hidden())
}

/// Checks a new model's bytes as a reader would, writes them and says what they are.
pub fn save(name: &str, bytes: Vec<u8>, out: &Path) -> anyhow::Result<()> {
    let file = BertFile::read(name, bytes, None).context("the result cannot be read back")?;
    fs::write(out, file.bytes()).with_context(|| format!("{} cannot be written", out.display()))?;
    println!(
        "{}: {name}, {}, {} pooling, {} bytes, sha256 {}",
        out.display(),
        file.quantisation().name(),
        file.config.pooling.name(),
        file.size_bytes(),
        file.sha256,
    );
    Ok(())
}
