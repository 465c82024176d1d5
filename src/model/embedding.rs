//! Many sentences to unit rows, a layer of a batch at a time.
//!
//! Sentences are ordered by length, so that a batch holds like lengths and stays near its token
//! limit; the rows come back in the caller's order. Others may compute portions of them: who asks
//! gets some from the long end, while the batches made here come from the short end, and both
//! shrink towards the end, so that all are done at about the same time.

use std::ops::Range;

use crate::backend;
use crate::backend::{Backend, Batch};
use crate::model::bert::{Bert, Pass};
use crate::model::error::Error;
use crate::model::pooling::Plan;

/// Less is not worth a message to another worker, and small batches are slower for each token.
const LEAST_SHARED_TOKENS: usize = 48;

/// So much must be left after a portion was handed out.
const LEAST_LEFT_TOKENS: usize = 24;

/// With less for each worker, a list is cut into equal parts at once.
const LITTLE_TOKENS: usize = 192;

/// More would keep a worker busy for long after its request was cancelled.
const MOST_SHARED_TOKENS: usize = 1536;

/// Sentences for somebody else to compute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Portion {
    /// Under which the rows are given, or given up.
    pub ticket: u32,
    /// Token ids, one list a sentence.
    pub ids: Vec<Vec<u32>>,
    /// Every token's row is wanted, too.
    pub with_tokens: bool,
}

/// Sentences on their way to vectors.
#[derive(Debug)]
pub struct Embedding<B: Backend> {
    plan: Plan,
    hidden: usize,
    sentences: Vec<Vec<u32>>,
    /// Positions in `sentences`, shortest first.
    order: Vec<usize>,
    /// Of `order`: neither begun nor handed out.
    waiting: Range<usize>,
    waiting_tokens: usize,
    /// Of all sentences.
    tokens: usize,
    /// Of `order`: handed out and given up.
    returned: Vec<Range<usize>>,
    /// Of `order`: handed out, by ticket.
    handed_out: Vec<(u32, Range<usize>)>,
    next_ticket: u32,
    /// Who takes part, this side included.
    workers: usize,
    /// Sentences whose rows are there.
    done: usize,
    running: Option<(Pass<B>, Range<usize>)>,
    /// `[sentences, hidden]`
    rows: Vec<f32>,
    /// One `[tokens, hidden]` a sentence, where they were asked for.
    token_rows: Option<Vec<Vec<f32>>>,
}

/// Positions of the sentences, those with the fewest tokens first: a batch then holds like lengths.
pub(in crate::model) fn shortest_first(sentences: &[Vec<u32>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..sentences.len()).collect();
    order.sort_by_key(|position| sentences.get(*position).map_or(0, Vec::len));
    order
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
        let order = shortest_first(&sentences);
        let count = sentences.len().saturating_mul(hidden);
        let needed_bytes = (count as u64).saturating_mul(size_of::<f32>() as u64);
        let mut rows = Vec::new();
        rows.try_reserve_exact(count).map_err(|_| backend::Error::Memory { needed_bytes })?;
        rows.resize(count, 0.0);
        let tokens = sentences.iter().map(Vec::len).sum();
        Ok(Self {
            plan,
            hidden,
            waiting: 0..order.len(),
            waiting_tokens: tokens,
            tokens,
            sentences,
            order,
            returned: Vec::new(),
            handed_out: Vec::new(),
            next_ticket: 0,
            workers: 1,
            done: 0,
            running: None,
            rows,
            token_rows: None,
        })
    }

    /// Also keeps every token's unit state; nothing is handed out then.
    pub fn keep_token_rows(mut self) -> Self {
        self.plan.every_token = true;
        self.token_rows = Some(vec![Vec::new(); self.sentences.len()]);
        self
    }

    /// Number of sentences.
    pub fn total(&self) -> usize {
        self.sentences.len()
    }

    /// Number of sentences whose rows are there.
    pub fn done(&self) -> usize {
        self.done
    }

    /// Tokens that could be handed out among so many workers.
    pub fn shareable_tokens(&self, workers: usize) -> usize {
        let alone = self.token_rows.is_some() || self.waiting.len() < 2;
        let least = self.share_tokens(workers) + LEAST_LEFT_TOKENS;
        if alone || self.waiting_tokens < least { 0 } else { self.waiting_tokens }
    }

    /// Whether all rows are there.
    pub fn is_complete(&self) -> bool {
        self.done == self.total()
    }

    /// Whether a batch is being computed here.
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Whether there is nothing to do here until what was handed out comes back.
    pub fn is_waiting(&self) -> bool {
        let idle = self.running.is_none() && self.waiting.is_empty() && self.returned.is_empty();
        idle && !self.handed_out.is_empty()
    }

    /// Sentences for one of `workers` (this side included) to compute; `None` where what is left is
    /// not worth it.
    pub fn hand_out(&mut self, workers: usize) -> Option<Portion> {
        self.workers = workers.max(1);
        if self.shareable_tokens(workers) == 0 {
            return None;
        }
        let limit = self.share_tokens(workers);
        let backwards = self.waiting.clone().rev();
        let range = self.waiting.end - self.fitting(backwards, limit)..self.waiting.end;
        self.waiting.end = range.start;
        self.waiting_tokens -= self.tokens(&range);
        Some(self.entrust(range))
    }

    /// Sentences for somebody who computes them instead of this side: no more than so many tokens,
    /// or one sentence; what came back first, then the longest.
    pub fn hand_over(&mut self, most_tokens: usize) -> Option<Portion> {
        let range = if let Some(back) = self.returned.pop() {
            let end = back.start + self.fitting(back.clone(), most_tokens);
            if end < back.end {
                self.returned.push(end..back.end);
            }
            back.start..end
        } else if self.waiting.is_empty() {
            return None;
        } else {
            let backwards = self.waiting.clone().rev();
            let range = self.waiting.end - self.fitting(backwards, most_tokens)..self.waiting.end;
            self.waiting.end = range.start;
            self.waiting_tokens -= self.tokens(&range);
            range
        };
        Some(self.entrust(range))
    }

    fn entrust(&mut self, range: Range<usize>) -> Portion {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let ids = self.positions(&range).map(|at| self.sentence(at).to_vec()).collect();
        self.handed_out.push((ticket, range));
        Portion { ticket, ids, with_tokens: self.token_rows.is_some() }
    }

    /// Whether rows are still wanted under that ticket.
    pub fn expects(&self, ticket: u32) -> bool {
        self.handed_out.iter().any(|(known, _)| *known == ticket)
    }

    /// Takes the `[sentences, hidden]` unit rows of a portion, followed by `[tokens, hidden]` where
    /// they are wanted. What cannot be its rows is computed here again.
    pub fn take_rows(&mut self, ticket: u32, rows: &[f32]) {
        let Some(range) = self.claim(ticket) else { return };
        let token_count = if self.token_rows.is_some() { self.tokens(&range) } else { 0 };
        let whole = rows.len() == (range.len() + token_count) * self.hidden;
        if !whole || !rows.iter().all(|value| value.is_finite()) {
            return self.returned.push(range);
        }
        let (rows, tokens) = rows.split_at(range.len() * self.hidden);
        if token_count > 0 {
            self.place_tokens(&range, &self.pack(&range), tokens);
        }
        self.place(&range, rows);
    }

    /// A portion will not come: it is computed here.
    pub fn take_back(&mut self, ticket: u32) {
        let range = self.claim(ticket);
        self.returned.extend(range);
    }

    fn claim(&mut self, ticket: u32) -> Option<Range<usize>> {
        let found = self.handed_out.iter().position(|(known, _)| *known == ticket)?;
        Some(self.handed_out.swap_remove(found).1)
    }

    /// One layer of one batch. `false` once everything is done; nothing happens while it is waiting
    /// ([`Embedding::is_waiting`]).
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
            None => {
                let Some(range) = self.next_range(backend.batch_tokens()) else {
                    return Ok(self.done < self.total());
                };
                (bert.begin(backend, self.pack(&range), self.plan)?, range)
            }
        };
        if bert.advance(backend, &mut pass)? {
            self.running = Some((pass, range));
            return Ok(true);
        }
        self.finish(backend, bert, pass, &range).await?;
        Ok(self.done < self.total())
    }

    /// `[sentences, hidden]` unit rows in the caller's order, and each sentence's
    /// `[tokens, hidden]` where they were kept. Complete once there was nothing left to do.
    pub fn into_rows(self) -> (Vec<f32>, Vec<Vec<f32>>) {
        (self.rows, self.token_rows.unwrap_or_default())
    }

    fn sentence(&self, position: usize) -> &[u32] {
        self.sentences.get(position).map_or(&[], Vec::as_slice)
    }

    fn positions(&self, range: &Range<usize>) -> impl Iterator<Item = usize> + Clone {
        self.order.iter().skip(range.start).take(range.len()).copied()
    }

    fn tokens(&self, range: &Range<usize>) -> usize {
        self.positions(range).map(|position| self.sentence(position).len()).sum()
    }

    /// What one worker takes at a time: a fair part of half of what is left (guided
    /// self-scheduling, Polychronopoulos & Kuck 1987), of little a fair part of it all.
    fn share_tokens(&self, workers: usize) -> usize {
        let workers = workers.max(1);
        let little = self.tokens < LITTLE_TOKENS * workers;
        let part = if little { self.tokens } else { self.waiting_tokens / 2 } / workers;
        part.clamp(LEAST_SHARED_TOKENS, MOST_SHARED_TOKENS)
    }

    /// How many of these places of `order` hold no more than so many tokens; at least one.
    fn fitting(&self, places: impl Iterator<Item = usize>, limit: usize) -> usize {
        let mut tokens = 0;
        let fitting = places.take_while(|place| {
            let position = self.order.get(*place).copied().unwrap_or_default();
            tokens += self.sentence(position).len();
            tokens <= limit
        });
        fitting.count().max(1)
    }

    /// The next batch made here: what came back first.
    fn next_range(&mut self, batch_tokens: usize) -> Option<Range<usize>> {
        if let Some(back) = self.returned.pop() {
            let end = back.start + self.fitting(back.clone(), batch_tokens);
            if end < back.end {
                self.returned.push(end..back.end);
            }
            return Some(back.start..end);
        }
        if self.waiting.is_empty() {
            return None;
        }
        let alone = self.workers <= 1 || self.shareable_tokens(self.workers) == 0;
        let share = if alone { batch_tokens } else { self.share_tokens(self.workers) };
        let limit = share.min(batch_tokens);
        let end = self.waiting.start + self.fitting(self.waiting.clone(), limit);
        let range = self.waiting.start..end;
        self.waiting.start = end;
        self.waiting_tokens -= self.tokens(&range);
        Some(range)
    }

    fn pack(&self, range: &Range<usize>) -> Batch {
        Batch::pack(self.positions(range).map(|position| self.sentence(position)))
    }

    async fn finish(
        &mut self,
        backend: &B,
        bert: &Bert<B>,
        pass: Pass<B>,
        range: &Range<usize>,
    ) -> Result<(), Error> {
        let (states, batch) = pass.finish(backend)?;
        let pooled = backend.unit_rows(bert.pool(backend, &states, &batch, self.plan)?)?;
        let (rows, tokens) = if self.token_rows.is_some() {
            let [rows, tokens] = backend.read([pooled, backend.unit_rows(states)?]).await?;
            (rows, Some(tokens))
        } else {
            let [rows] = backend.read([pooled]).await?;
            (rows, None)
        };
        if !rows.iter().all(|value| value.is_finite()) {
            return Err(Error::NotFinite);
        }
        if let Some(tokens) = tokens {
            self.place_tokens(range, &batch, &tokens);
        }
        self.place(range, &rows);
        Ok(())
    }

    fn place(&mut self, range: &Range<usize>, rows: &[f32]) {
        let positions = self.order.iter().skip(range.start).take(range.len());
        for (position, row) in positions.zip(rows.chunks_exact(self.hidden)) {
            let from = position * self.hidden;
            if let Some(place) = self.rows.get_mut(from..from + self.hidden) {
                place.copy_from_slice(row);
            }
        }
        self.done += range.len();
    }

    fn place_tokens(&mut self, range: &Range<usize>, batch: &Batch, tokens: &[f32]) {
        let positions = self.order.iter().skip(range.start).take(range.len());
        for (position, range) in positions.zip(batch.ranges()) {
            let row = tokens.get(range.start * self.hidden..range.end * self.hidden);
            let kept = self.token_rows.as_mut().and_then(|kept| kept.get_mut(*position));
            if let (Some(place), Some(row)) = (kept, row) {
                *place = row.to_vec();
            }
        }
    }
}
