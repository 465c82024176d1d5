//! Portions of long jobs, computed by others.
//!
//! Somebody who has the same weights may ask for sentences and bring their rows. The
//! engine goes on with what is not handed out, and rests when only handed-out rows are missing.
//! What comes for a job that was cancelled, or began anew with other weights, is ignored.

use crate::backend::Backend;
use crate::engine::Engine;
use crate::engine::job::{Job, Run};
use crate::engine::rows::Rows;
use crate::protocol::readout::Lens;
use crate::weights::bert::BertFile;

/// Under which a portion's rows are given, or given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    run: Run,
    portion: u32,
}

/// Sentences for somebody else to compute.
#[derive(Debug, Clone, PartialEq)]
pub struct Portion {
    pub ticket: Ticket,
    pub lens: Lens,
    /// Token ids, one list a sentence.
    pub ids: Vec<Vec<u32>>,
}

impl<B: Backend + Clone> Engine<B> {
    /// The current model's file.
    pub fn file(&self) -> Option<&BertFile> {
        self.sides.file()
    }

    /// The attached adapter: hash, blend and file.
    pub fn adapter(&self) -> Option<(&str, f32, &[u8])> {
        let (adapter, blend) = self.sides.adapter()?;
        Some((&adapter.sha256, blend, self.sides.adapter_bytes()))
    }

    /// Tokens of the job that goes next, as far as others could compute them.
    pub fn shareable_tokens(&self) -> usize {
        self.shareable(2).map_or(0, |(_, tokens)| tokens)
    }

    /// Sentences of the most urgent job that has any to give, for one of `workers` (this engine
    /// included).
    pub fn share(&mut self, workers: usize) -> Option<Portion> {
        let (position, _) = self.shareable(workers)?;
        let job = self.jobs.get_mut(position)?;
        let (run, side) = (job.run(), job.side());
        let rows = job.shared_mut()?;
        let readout = rows.readout();
        let portion = rows.embedding_mut()?.hand_out(workers)?;
        let ticket = Ticket { run, portion: portion.ticket };
        Some(Portion { ticket, lens: Lens { side, readout }, ids: portion.ids })
    }

    /// Whether rows are still wanted under that ticket.
    pub fn expects(&self, ticket: Ticket) -> bool {
        let job = self.jobs.iter().find(|job| job.run() == ticket.run);
        let embedding = job.and_then(Job::shared).and_then(Rows::embedding);
        embedding.is_some_and(|embedding| embedding.expects(ticket.portion))
    }

    /// Takes the `[sentences, hidden]` unit rows of a portion.
    pub fn take_rows(&mut self, ticket: Ticket, rows: &[f32]) {
        let job = self.jobs.iter_mut().find(|job| job.run() == ticket.run);
        if let Some(embedding) = job.and_then(Job::shared_mut).and_then(Rows::embedding_mut) {
            embedding.take_rows(ticket.portion, rows);
        }
    }

    /// A portion will not come: it is computed here.
    pub fn take_back(&mut self, ticket: Ticket) {
        let job = self.jobs.iter_mut().find(|job| job.run() == ticket.run);
        if let Some(embedding) = job.and_then(Job::shared_mut).and_then(Rows::embedding_mut) {
            embedding.take_back(ticket.portion);
        }
    }

    /// Position and tokens of the most urgent job that has portions to give.
    fn shareable(&self, workers: usize) -> Option<(usize, usize)> {
        let jobs = self.jobs.iter().enumerate().filter(|(_, job)| self.can_run(job));
        let tokens = jobs.filter_map(|(position, job)| {
            let tokens = job.shared()?.embedding()?.shareable_tokens(workers);
            (tokens > 0).then_some((job.kind().rank(), position, tokens))
        });
        tokens
            .min_by_key(|(rank, position, _)| (*rank, *position))
            .map(|(_, at, tokens)| (at, tokens))
    }
}
