//! A model from a file, and sentences through it with a bar.

use std::fs;
use std::path::Path;

use anyhow::Context;

use simcse_lab::backend::Backend;
use simcse_lab::backend::cpu::Cpu;
use simcse_lab::backend::gpu::GpuBackend;
use simcse_lab::gpu::device::Gpu;
use simcse_lab::model::encoder::Encoder;
use simcse_lab::protocol::readout::Pooling;
use simcse_lab::protocol::readout::Readout;
use simcse_lab::weights::adapter_file::AdapterFile;
use simcse_lab::weights::bert::BertFile;
use simcse_lab::weights::convert;
use simcse_lab::weights::merged::Merged;
use simcse_lab::weights::merged::check_base;

use crate::simcse::arguments::{Device, ModelOptions};
use crate::simcse::bars;

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
    let mut cut = 0;
    let mut ids = Vec::with_capacity(sentences.len());
    for sentence in sentences {
        let tokens = encoder.tokenise(sentence)?;
        cut += usize::from(tokens.cut_from.is_some());
        ids.push(tokens.ids);
    }
    let mut embedding = encoder.begin(ids, readout)?;
    while pollster::block_on(encoder.step(&mut embedding))? {
        bar.set_position(embedding.done() as u64);
    }
    bar.finish_and_clear();
    if cut > 0 {
        let limit = encoder.config().max_tokens;
        eprintln!("sentences cut at the model's limit of {limit} tokens: {cut}");
    }
    Ok(embedding.into_rows().0)
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
