//! A model from a file, and sentences through it with a bar.

use std::fs;

use anyhow::Context;

use simcse_lab::backend::cpu::Cpu;
use simcse_lab::model::encoder::Encoder;
use simcse_lab::protocol::readout::Readout;
use simcse_lab::weights::bert::BertFile;
use simcse_lab::weights::convert;

use crate::simcse::arguments::ModelOptions;
use crate::simcse::bars;

/// A model that is ready, and how it is read.
pub struct Model {
    encoder: Encoder<Cpu>,
    readout: Readout,
}

impl Model {
    /// The model that the options name.
    pub fn open(options: &ModelOptions) -> anyhow::Result<Self> {
        let path = &options.model;
        let bytes = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // Nobody is told the hash here, so it is not computed.
        let unhashed = Some(String::new());
        let mut file = BertFile::read(&name, bytes, unhashed.clone())?;
        if let Some(kind) = options.kind {
            file = BertFile::read(&name, convert::requantise(&file, kind.into())?, unhashed)?;
        }
        let pooling = options.pooling.map_or(file.config.pooling, Into::into);
        let readout = Readout { pooling, layer: options.layer };
        Ok(Self { encoder: Encoder::load(Cpu, &file)?, readout })
    }

    /// Length of a vector.
    pub fn hidden(&self) -> usize {
        self.encoder.config().hidden
    }

    /// `[sentences, hidden]` unit rows. Says on stderr how many sentences were cut.
    pub fn embed<'a>(
        &self,
        sentences: impl ExactSizeIterator<Item = &'a str>,
    ) -> anyhow::Result<Vec<f32>> {
        let bar = bars::bar(sentences.len(), "sentences")?;
        let mut cut = 0;
        let mut ids = Vec::with_capacity(sentences.len());
        for sentence in sentences {
            let tokens = self.encoder.tokenise(sentence)?;
            cut += usize::from(tokens.cut_from.is_some());
            ids.push(tokens.ids);
        }
        let mut embedding = self.encoder.begin(ids, self.readout)?;
        while pollster::block_on(self.encoder.step(&mut embedding))? {
            bar.set_position(embedding.done() as u64);
        }
        bar.finish_and_clear();
        if cut > 0 {
            let limit = self.encoder.config().max_tokens;
            eprintln!("sentences cut at the model's limit of {limit} tokens: {cut}");
        }
        Ok(embedding.into_rows().0)
    }
}
