//! Many sentences to unit rows, a layer of a batch at a time.
//!
//! Sentences are ordered by length, so that a batch holds like lengths and stays near its token
//! limit; the rows come back in the caller's order.

use std::ops::Range;

use crate::backend;
use crate::backend::{Backend, Batch};
use crate::model::bert::{Bert, Pass};
use crate::model::error::Error;
use crate::model::pooling::Plan;

/// A batch holds at most so many tokens, or one sentence. Larger batches are no faster on one
/// thread, and a layer of this one keeps a browser's worker busy for some 40 ms.
const BATCH_TOKENS: usize = 384;

/// Sentences on their way to vectors.
#[derive(Debug)]
pub struct Embedding<B: Backend> {
    plan: Plan,
    hidden: usize,
    sentences: Vec<Vec<u32>>,
    /// Positions in `sentences`, shortest first.
    order: Vec<usize>,
    /// Of `order`: finished.
    finished: usize,
    running: Option<(Pass<B>, Range<usize>)>,
    /// `[sentences, hidden]`
    rows: Vec<f32>,
    /// One `[tokens, hidden]` a sentence, where they were asked for.
    token_rows: Option<Vec<Vec<f32>>>,
}

impl<B: Backend> Embedding<B> {
    /// Room for the rows is taken now, so that too many sentences are an error, not an abort.
    ///
    /// # Errors
    /// Where memory is short.
    pub(in crate::model) fn new(
        plan: Plan,
        hidden: usize,
        sentences: Vec<Vec<u32>>,
    ) -> Result<Self, Error> {
        let mut order: Vec<usize> = (0..sentences.len()).collect();
        order.sort_by_key(|position| sentences.get(*position).map_or(0, Vec::len));
        let count = sentences.len().saturating_mul(hidden);
        let needed_bytes = (count as u64).saturating_mul(size_of::<f32>() as u64);
        let mut rows = Vec::new();
        rows.try_reserve_exact(count).map_err(|_| backend::Error::Memory { needed_bytes })?;
        rows.resize(count, 0.0);
        let (finished, running, token_rows) = (0, None, None);
        Ok(Self { plan, hidden, sentences, order, finished, running, rows, token_rows })
    }

    /// Also keeps every token's unit state.
    pub fn keep_token_rows(mut self) -> Self {
        self.token_rows = Some(vec![Vec::new(); self.sentences.len()]);
        self
    }

    /// Number of sentences.
    pub fn total(&self) -> usize {
        self.sentences.len()
    }

    /// Number of sentences whose rows are there.
    pub fn done(&self) -> usize {
        self.finished
    }

    /// One layer of one batch. `false` once everything is done.
    ///
    /// # Errors
    /// Where the backend fails or a row is not finite.
    pub(in crate::model) async fn step(
        &mut self,
        backend: &B,
        bert: &Bert<B>,
    ) -> Result<bool, Error> {
        let (mut pass, range) = match self.running.take() {
            Some(running) => running,
            None if self.finished == self.order.len() => return Ok(false),
            None => {
                let range = self.next_range();
                (bert.begin(backend, self.pack(range.clone()), self.plan)?, range)
            }
        };
        if bert.advance(backend, &mut pass)? {
            self.running = Some((pass, range));
            return Ok(true);
        }
        self.finish(backend, bert, pass, range).await?;
        Ok(self.finished < self.order.len())
    }

    /// `[sentences, hidden]` unit rows in the caller's order, and each sentence's
    /// `[tokens, hidden]` where they were kept. Complete once there was nothing left to do.
    pub fn into_rows(self) -> (Vec<f32>, Vec<Vec<f32>>) {
        (self.rows, self.token_rows.unwrap_or_default())
    }

    fn sentence(&self, position: usize) -> &[u32] {
        self.sentences.get(position).map_or(&[], Vec::as_slice)
    }

    fn next_range(&self) -> Range<usize> {
        let mut tokens = 0;
        let rest = self.order.iter().skip(self.finished);
        let fitting = rest.take_while(|position| {
            tokens += self.sentence(**position).len();
            tokens <= BATCH_TOKENS
        });
        self.finished..self.finished + fitting.count().max(1)
    }

    fn pack(&self, range: Range<usize>) -> Batch {
        let positions = self.order.iter().skip(range.start).take(range.len());
        Batch::pack(positions.map(|position| self.sentence(*position)))
    }

    async fn finish(
        &mut self,
        backend: &B,
        bert: &Bert<B>,
        pass: Pass<B>,
        range: Range<usize>,
    ) -> Result<(), Error> {
        let (states, batch) = pass.finish(backend)?;
        let pooled = backend.unit_rows(bert.pool(backend, &states, &batch, self.plan)?)?;
        let rows = backend.read(pooled).await?;
        if !rows.iter().all(|value| value.is_finite()) {
            return Err(Error::NotFinite);
        }
        let positions = || self.order.iter().skip(range.start).take(range.len());
        for (position, row) in positions().zip(rows.chunks_exact(self.hidden)) {
            let from = position * self.hidden;
            if let Some(place) = self.rows.get_mut(from..from + self.hidden) {
                place.copy_from_slice(row);
            }
        }
        if let Some(kept) = &mut self.token_rows {
            let tokens = backend.read(backend.unit_rows(states)?).await?;
            for (position, range) in positions().zip(batch.ranges()) {
                let row = tokens.get(range.start * self.hidden..range.end * self.hidden);
                if let (Some(place), Some(row)) = (kept.get_mut(*position), row) {
                    *place = row.to_vec();
                }
            }
        }
        self.finished = range.end;
        Ok(())
    }
}
