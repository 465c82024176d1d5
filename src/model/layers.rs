//! Many sentences to unit rows of every layer, read by the first token and by the mean, in one
//! forward pass: the picture of Ethayarajh, EMNLP 2019 (arXiv 1909.00512).

use std::ops::Range;

use crate::backend;
use crate::backend::{Backend, Batch, Pool};
use crate::model::bert::{Bert, Pass};
use crate::model::embedding::shortest_first;
use crate::model::error::Error;
use crate::model::pooling::Plan;
use crate::protocol::readout::Pooling;

/// How every layer is read, in this order.
pub const POOLINGS: [Pooling; 2] = [Pooling::Cls, Pooling::Mean];

/// Sentences on their way to the vectors of all layers.
#[derive(Debug)]
pub struct LayerRows<B: Backend> {
    hidden: usize,
    /// Besides the embedding layer.
    layers: usize,
    sentences: Vec<Vec<u32>>,
    /// Positions in `sentences`, shortest first.
    order: Vec<usize>,
    /// Of `order`: begun.
    begun: usize,
    done: usize,
    running: Option<Running<B>>,
    /// Two of each layer, as in [`POOLINGS`]: `[sentences, hidden]`.
    rows: Vec<Vec<f32>>,
}

#[derive(Debug)]
struct Running<B: Backend> {
    pass: Pass<B>,
    range: Range<usize>,
    /// The layer whose output the pass has.
    layer: usize,
}

impl<B: Backend> LayerRows<B> {
    /// Room for all rows is taken now, so that too many sentences are an error, not an abort.
    ///
    /// # Errors
    /// Where memory is short.
    pub(in crate::model) fn new(
        layers: usize,
        hidden: usize,
        sentences: Vec<Vec<u32>>,
    ) -> Result<Self, Error> {
        let order = shortest_first(&sentences);
        let count = sentences.len().saturating_mul(hidden);
        let readouts = (layers + 1) * POOLINGS.len();
        let needed_bytes = [count, readouts, size_of::<f32>()];
        let needed_bytes =
            needed_bytes.map(|it| it as u64).into_iter().fold(1, u64::saturating_mul);
        let mut rows = Vec::with_capacity(readouts);
        for _ in 0..readouts {
            let mut room = Vec::new();
            room.try_reserve_exact(count).map_err(|_| backend::Error::Memory { needed_bytes })?;
            room.resize(count, 0.0);
            rows.push(room);
        }
        let (begun, done, running) = (0, 0, None);
        Ok(Self { hidden, layers, sentences, order, begun, done, running, rows })
    }

    /// Number of sentences.
    pub fn total(&self) -> usize {
        self.sentences.len()
    }

    /// Number of sentences whose rows are there.
    pub fn done(&self) -> usize {
        self.done
    }

    /// `[sentences, hidden]` unit rows in the caller's order, for each layer from the embedding layer
    /// on, and in each of [`POOLINGS`]. Complete once there was nothing left to do.
    pub fn into_rows(self) -> Vec<Vec<f32>> {
        self.rows
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
        let running = match self.running.take() {
            Some(mut running) => {
                if bert.advance(backend, &mut running.pass)? {
                    running.layer += 1;
                    Some(running)
                } else {
                    self.done += running.range.len();
                    None
                }
            }
            None => self.begin(backend, bert)?,
        };
        if let Some(running) = running {
            self.read(backend, &running).await?;
            self.running = Some(running);
        }
        Ok(self.running.is_some() || self.begun < self.total())
    }

    /// The embedding layer of the next batch, if there is one.
    fn begin(&mut self, backend: &B, bert: &Bert<B>) -> Result<Option<Running<B>>, Error> {
        let mut tokens = 0;
        let limit = backend.batch_tokens();
        let lengths = self.order.iter().skip(self.begun);
        let fitting = lengths.take_while(|position| {
            tokens += self.sentences.get(**position).map_or(0, Vec::len);
            tokens <= limit
        });
        let count = fitting.count().max(1).min(self.total() - self.begun);
        if count == 0 {
            return Ok(None);
        }
        let range = self.begun..self.begun + count;
        let sentence = |at: usize| self.sentences.get(at).map_or(&[][..], Vec::as_slice);
        let batch = Batch::pack(self.positions(&range).map(sentence));
        let pass = bert.begin(backend, batch, Plan::whole(self.layers))?;
        self.begun = range.end;
        Ok(Some(Running { pass, range, layer: 0 }))
    }

    fn positions(&self, range: &Range<usize>) -> impl Iterator<Item = usize> {
        self.order.iter().skip(range.start).take(range.len()).copied()
    }

    /// Reads the layer that the pass has come to.
    async fn read(&mut self, backend: &B, running: &Running<B>) -> Result<(), Error> {
        let first = backend.unit_rows(running.pass.pooled(backend, Pool::First)?)?;
        let mean = backend.unit_rows(running.pass.pooled(backend, Pool::Mean)?)?;
        let read = backend.read([first, mean]).await?;
        if !read.iter().flatten().all(|value| value.is_finite()) {
            return Err(Error::NotFinite);
        }
        let positions: Vec<usize> = self.positions(&running.range).collect();
        let places = self.rows.iter_mut().skip(running.layer * POOLINGS.len());
        for (place, rows) in places.zip(&read) {
            for (position, row) in positions.iter().zip(rows.chunks_exact(self.hidden.max(1))) {
                let from = position * self.hidden;
                if let Some(place) = place.get_mut(from..from + self.hidden) {
                    place.copy_from_slice(row);
                }
            }
        }
        Ok(())
    }
}
