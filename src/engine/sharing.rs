//! Portions of long jobs, computed by others.
//!
//! Somebody who has the same weights may ask for sentences and bring their rows. The
//! engine goes on with what is not handed out, and rests when only handed-out rows are missing.
//! What comes for a job that was cancelled, or began anew with other weights, is ignored.

use crate::backend::Backend;
use crate::engine::Engine;
use crate::engine::entrusted::Entrusted;
use crate::engine::job::{Job, Run};
use crate::engine::rows::Rows;
use crate::engine::sides::Material;
use crate::model::embedding;
use crate::protocol::readout::Lens;
use crate::protocol::request::{AdapterSource, ModelSource};
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
    /// Every token's row is wanted, too.
    pub with_tokens: bool,
}

impl Portion {
    fn of(run: Run, lens: Lens, portion: embedding::Portion) -> Self {
        let embedding::Portion { ticket, ids, with_tokens } = portion;
        Self { ticket: Ticket { run, portion: ticket }, lens, ids, with_tokens }
    }
}

impl<B: Backend + Clone> Engine<B> {
    /// The current model's file.
    pub fn file(&self) -> Option<&BertFile> {
        self.sides.file()
    }

    /// What the side after is made of: hash, blend, where it comes from, and the file.
    pub fn material(&self) -> Option<(&str, f32, AdapterSource, &[u8])> {
        let (material, blend) = self.sides.material()?;
        Some(match material {
            Material::Adapter(adapter) => {
                let source = AdapterSource::Given { name: "adapter".to_owned() };
                (&adapter.parsed.sha256, blend, source, &adapter.bytes)
            }
            Material::Model(file) => {
                let (name, sha256) = (file.config.name.clone(), file.sha256.clone());
                let source = AdapterSource::Model(ModelSource::Copied { name, sha256 });
                (&file.sha256, blend, source, file.bytes())
            }
        })
    }

    /// Bytes of the files that a helper needs.
    pub fn size_bytes(&self) -> u64 {
        self.sides.size_bytes()
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
        Some(Portion::of(run, Lens { side, readout }, portion))
    }

    /// Says what is computed elsewhere from now on: it rests here. What was handed over already stays
    /// there until it is taken back.
    pub fn entrust(&mut self, entrusted: Entrusted) {
        self.entrusted = entrusted;
    }

    /// Sentences of the most urgent job that is computed elsewhere: no more than so many tokens, or
    /// one sentence.
    pub fn hand_over(&mut self, most_tokens: usize) -> Option<Portion> {
        let jobs = self.jobs.iter().enumerate();
        let theirs = jobs.filter(|(_, job)| self.is_elsewhere(job) && self.can_run(job));
        let waiting = theirs.filter(|(_, job)| !job.is_waiting());
        let (position, _) = waiting.min_by_key(|(_, job)| job.kind().rank())?;
        let job = self.jobs.get_mut(position)?;
        let (run, side) = (job.run(), job.side());
        let rows = job.shared_mut()?;
        let readout = rows.readout();
        let portion = rows.embedding_mut()?.hand_over(most_tokens)?;
        Some(Portion::of(run, Lens { side, readout }, portion))
    }

    /// Whether somebody else computes it: it rests here once it is tokenised, but for a batch that had
    /// begun.
    pub(super) fn is_elsewhere(&self, job: &Job<B>) -> bool {
        let embedding = job.shared().and_then(Rows::embedding);
        let rests = embedding.is_some_and(|it| !it.is_complete() && !it.is_running());
        rests && self.entrusted.covers(job.kind())
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
            if self.entrusted.covers(job.kind()) {
                return None;
            }
            let tokens = job.shared()?.embedding()?.shareable_tokens(workers);
            (tokens > 0).then_some((job.kind().rank(), position, tokens))
        });
        tokens
            .min_by_key(|(rank, position, _)| (*rank, *position))
            .map(|(_, at, tokens)| (at, tokens))
    }
}
