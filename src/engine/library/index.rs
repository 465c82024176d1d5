//! Passages get vectors, portion by portion, from where that stopped.

use std::collections::BTreeMap;

use web_time::{Duration, Instant};

use crate::engine::library::Library;
use crate::engine::library::corpus::{Corpus, Held, Set, rows_file};
use crate::engine::library::errand::{Errand, Purpose};
use crate::engine::library::librarian::Knows;
use crate::engine::library::orders::StoreOrder;
use crate::engine::library::run::{PORTION, Run, UNDER_WAY, narrow};
use crate::protocol::Revision;
use crate::protocol::problem::Problem;
use crate::protocol::readout::Lens;
use crate::protocol::search::{Answer, CorpusId, Embedder, RestReason};

/// How far it is, is told at most this often.
const TELL_EVERY: Duration = Duration::from_millis(250);

impl Library {
    pub(super) fn embed(
        &mut self,
        revision: Revision,
        id: CorpusId,
        lens: Lens,
        knows: Knows<'_>,
    ) -> Result<(), Problem> {
        let embedder = knows(lens).ok_or(Problem::NoModel)?;
        // The same again takes the place of what runs; nothing is lost by it.
        self.pause(id);
        let corpus = self.corpora.get_mut(&id).ok_or(Problem::NoCorpus)?;
        let done = corpus.set(&embedder).map_or(0, Set::done);
        let (done, total) = (narrow(done), corpus.passages);
        if done >= total {
            let reason = RestReason::Complete;
            self.answer(revision, Answer::Rests { corpus: id, lens, done, total, reason });
            return Ok(());
        }
        let (begun, told) = (Instant::now(), Instant::now());
        let (under_way, early) = (BTreeMap::new(), BTreeMap::new());
        let mut run = Run {
            revision,
            corpus: id,
            lens,
            embedder,
            next: done,
            total,
            resumed: done,
            begun,
            told,
            under_way,
            early,
        };
        let answer = run.indexing(done);
        self.answer(revision, answer);
        self.order_portions(&mut run);
        self.runs.push(run);
        Ok(())
    }

    fn order_portions(&mut self, run: &mut Run) {
        let Some(book) = self.corpora.get(&run.corpus).and_then(|it| it.book.here()) else {
            return;
        };
        while run.under_way.len() < UNDER_WAY && run.next < run.total {
            let (first, end) = (run.next, run.total.min(run.next + PORTION));
            let texts = (first..end).map(|position| book.passage(position).to_owned()).collect();
            let purpose = Purpose::Passages { corpus: run.corpus, first };
            let errand = Errand { revision: run.revision, lens: run.lens, texts, purpose };
            self.errands.push(errand);
            run.under_way.insert(first, 0);
            run.next = end;
        }
    }

    /// So many passages of a portion have vectors: how far the corpus is, is told now and then.
    pub(super) fn note_portion(&mut self, id: CorpusId, first: u32, count: usize) {
        let Some(run) = self.runs.iter_mut().find(|run| run.corpus == id) else { return };
        if let Some(known) = run.under_way.get_mut(&first) {
            *known = count;
        }
        if run.told.elapsed() < TELL_EVERY {
            return;
        }
        run.told = Instant::now();
        let done = self.corpora.get(&id).and_then(|corpus| corpus.set(&run.embedder));
        let answer = run.indexing(narrow(done.map_or(0, Set::done)));
        let revision = run.revision;
        self.answer(revision, answer);
    }

    /// Takes `[passages, hidden]` of a portion. Answers how far that is.
    pub(super) fn take_portion(
        &mut self,
        id: CorpusId,
        first: u32,
        hidden: usize,
        rows: &[f32],
    ) -> Result<Answer, Problem> {
        let place = self.runs.iter().position(|run| run.corpus == id);
        let mut run = self.runs.swap_remove(place.ok_or(Problem::NoCorpus)?);
        run.under_way.remove(&first);
        run.early.insert(first, rows.to_vec());
        let corpus = self.corpora.get_mut(&id).ok_or(Problem::NoCorpus)?;
        let orders = take_early(corpus, &mut run, hidden);
        self.orders.extend(orders);
        let done = self.corpora.get(&id).and_then(|corpus| corpus.set(&run.embedder));
        let done = narrow(done.map_or(0, Set::done));
        if done >= run.total {
            let (lens, total, reason) = (run.lens, run.total, RestReason::Complete);
            return Ok(Answer::Rests { corpus: id, lens, done, total, reason });
        }
        self.order_portions(&mut run);
        run.told = Instant::now();
        let answer = run.indexing(done);
        self.runs.push(run);
        Ok(answer)
    }

    /// A corpus is given no more vectors; what is there stays.
    pub(super) fn pause(&mut self, id: CorpusId) {
        let paused = self.runs.extract_if(.., |run| run.corpus == id).collect();
        self.rest(paused, RestReason::Paused);
    }

    /// Runs whose embedder is not what their lens shows any more come to rest.
    pub(super) fn rest_other(&mut self, knows: Knows<'_>) {
        let changed = |run: &mut Run| knows(run.lens).as_ref() != Some(&run.embedder);
        let changed = self.runs.extract_if(.., changed).collect();
        self.rest(changed, RestReason::EmbedderChanged);
    }

    fn rest(&mut self, runs: Vec<Run>, reason: RestReason) {
        for run in runs {
            let corpus = self.corpora.get(&run.corpus);
            let done = corpus.and_then(|corpus| corpus.set(&run.embedder)).map_or(0, Set::done);
            let Run { revision, corpus, lens, total, .. } = run;
            self.called_off.push(revision);
            self.answer(
                revision,
                Answer::Rests { corpus, lens, done: narrow(done), total, reason },
            );
        }
    }
}

/// Puts portions into their places as far as they follow each other; what the store is to take.
fn take_early(corpus: &mut Corpus, run: &mut Run, hidden: usize) -> Vec<StoreOrder> {
    let mut orders = Vec::new();
    if corpus.set(&run.embedder).is_none() {
        let number = corpus.sets.iter().map(|set| set.number + 1).max().unwrap_or(0);
        // Of one adapter the vectors of one blend are kept: a slider would fill the store.
        let is_outdone = |set: &mut Set| is_other_blend(&set.embedder, &run.embedder);
        let outdone: Vec<u32> =
            corpus.sets.extract_if(.., is_outdone).map(|set| set.number).collect();
        let id = corpus.id;
        let files = outdone.into_iter().map(|number| rows_file(id, number));
        orders.extend(files.map(|file| StoreOrder::Remove { file }));
        corpus.sets.push(Set::new(number, run.embedder.clone(), hidden));
        orders.extend(corpus.is_kept.then(|| corpus.write_head()));
    }
    let (id, is_kept) = (corpus.id, corpus.is_kept);
    let Some(set) = corpus.set_mut(&run.embedder) else { return orders };
    let Held::Here(vectors) = &mut set.vectors else { return orders };
    while let Some(rows) = run.early.remove(&narrow(vectors.len())) {
        vectors.push(&rows);
    }
    if is_kept && set.is_kept && vectors.len() > set.given {
        let at = (set.given * vectors.row_bytes()) as u64;
        let bytes = vectors.to_bytes(set.given);
        set.given = vectors.len();
        orders.push(StoreOrder::Append { corpus: id, file: rows_file(id, set.number), at, bytes });
    }
    orders
}

/// Whether two embedders differ in nothing but how much of the same adapter they have.
fn is_other_blend(one: &Embedder, other: &Embedder) -> bool {
    let (Some((hash, blend)), Some((other_hash, other_blend))) = (&one.adapter, &other.adapter)
    else {
        return false;
    };
    let same = one.model_sha256 == other.model_sha256 && one.readout == other.readout;
    same && hash == other_hash && blend != other_blend
}
