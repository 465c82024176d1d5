//! The part of the encoder below the first trained layer: run by an inference backend, without
//! dropout, once a sentence where its states fit into memory.

use std::collections::HashMap;

use crate::backend::{Backend, Batch};
use crate::model::bert::Bert;
use crate::model::error::Error;
use crate::model::pooling::Plan;
use crate::weights::bert::BertFile;

/// Numbers that are kept at most: 192 MiB of token states, some 8,000 short sentences of a small
/// model. Beyond that the states are computed each time.
const CACHE_NUMBERS: usize = 48 << 20;
/// Tokens that run together.
const BATCH_TOKENS: usize = 384;

/// The frozen layers of a model.
#[derive(Debug)]
pub struct Frozen<B: Backend> {
    backend: B,
    bert: Bert<B>,
    layers: usize,
    hidden: usize,
    /// Token states `[tokens, hidden]` of sentences, by their ids.
    cache: HashMap<Vec<u32>, Vec<f32>>,
    cached_numbers: usize,
}

impl<B: Backend> Frozen<B> {
    /// The embedding layer and `layers` layers of a file.
    ///
    /// # Errors
    /// As [`Bert::load_first`].
    pub fn load(backend: B, file: &BertFile, layers: usize) -> Result<Self, Error> {
        let bert = Bert::load_first(&backend, file, layers)?;
        let hidden = file.config.hidden;
        Ok(Self { backend, bert, layers, hidden, cache: HashMap::new(), cached_numbers: 0 })
    }

    /// Number of layers, without the embedding layer.
    pub fn layers(&self) -> usize {
        self.layers
    }

    /// Token states of all sentences one after another, `[tokens, hidden]`.
    ///
    /// # Errors
    /// Where the backend fails.
    pub async fn states(&mut self, sentences: &[&[u32]]) -> Result<Vec<f32>, Error> {
        if self.layers == 0 {
            // Looking rows up is cheaper than keeping them.
            return self.run(sentences).await;
        }
        let mut missing: Vec<&[u32]> =
            sentences.iter().copied().filter(|ids| !self.cache.contains_key(*ids)).collect();
        missing.sort_unstable();
        missing.dedup();
        let mut fresh = HashMap::new();
        let mut rest = missing.as_slice();
        while let (batch @ [_, ..], more) = rest.split_at(fitting(rest)) {
            rest = more;
            let states = self.run(batch).await?;
            let mut from = 0;
            for ids in batch {
                let to = from + ids.len() * self.hidden;
                fresh.insert(*ids, states.get(from..to).unwrap_or_default().to_vec());
                from = to;
            }
        }
        let mut all = Vec::new();
        for ids in sentences {
            let states = self.cache.get(*ids).or_else(|| fresh.get(ids));
            all.extend_from_slice(states.map_or(&[], Vec::as_slice));
        }
        self.keep(fresh);
        Ok(all)
    }

    fn keep(&mut self, fresh: HashMap<&[u32], Vec<f32>>) {
        for (ids, states) in fresh {
            if self.cached_numbers + states.len() <= CACHE_NUMBERS {
                self.cached_numbers += states.len();
                self.cache.insert(ids.to_vec(), states);
            }
        }
    }

    async fn run(&self, sentences: &[&[u32]]) -> Result<Vec<f32>, Error> {
        let batch = Batch::pack(sentences.iter().copied());
        let mut pass = self.bert.begin(&self.backend, batch, Plan::whole(self.layers))?;
        while self.bert.advance(&self.backend, &mut pass)? {}
        let (states, _) = pass.finish(&self.backend)?;
        let [rows] = self.backend.read([states]).await?;
        Ok(rows)
    }
}

/// How many sentences from the front run together: at least one, if there are any.
fn fitting(sentences: &[&[u32]]) -> usize {
    let mut tokens = 0;
    let fits = sentences.iter().take_while(|ids| {
        tokens += ids.len();
        tokens <= BATCH_TOKENS
    });
    fits.count().max(1).min(sentences.len())
}
