//! Corpora in the store: made, listed, renamed, deleted, read back.

use std::sync::Arc;

use web_time::{SystemTime, UNIX_EPOCH};

use crate::engine::library::Library;
use crate::engine::library::corpus::{Corpus, Held, file, rows_file};
use crate::engine::library::librarian::Knows;
use crate::engine::library::orders::{
    BOOK, HEAD, Head, Listing, ROWS, StoreOrder, Stored, VERSION, corpus_of,
};
use crate::protocol::Revision;
use crate::protocol::problem::Problem;
use crate::protocol::readout::{Lens, Side};
use crate::protocol::search::{Answer, CorpusId, CorpusSummary, Embedder};
use crate::search::vectors::Vectors;
use crate::text::book::Book;

impl Corpus {
    /// What is said of it in the store.
    pub(super) fn write_head(&self) -> StoreOrder {
        // Serialising strings and numbers cannot fail; an empty head would be left out of the list.
        let bytes = serde_json::to_vec(&self.head()).unwrap_or_default();
        StoreOrder::Write { corpus: self.id, file: file(self.id, HEAD), bytes }
    }
}

impl Library {
    pub(super) fn create(
        &mut self,
        revision: Revision,
        id: CorpusId,
        name: String,
    ) -> Result<(), Problem> {
        let book = self.read.take().ok_or(Problem::NoCorpus)?;
        self.source = None;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let bytes = book.to_bytes();
        let mut corpus = Corpus::new(id, name, book, now.as_secs_f64() * 1e3);
        corpus.book_bytes = bytes.len() as u64;
        self.orders.push(StoreOrder::Write { corpus: id, file: file(id, BOOK), bytes });
        self.orders.push(corpus.write_head());
        self.corpora.insert(id, corpus);
        self.list(Some(revision));
        Ok(())
    }

    pub(super) fn rename(
        &mut self,
        revision: Revision,
        id: CorpusId,
        name: String,
    ) -> Result<(), Problem> {
        let corpus = self.corpora.get_mut(&id).ok_or(Problem::NoCorpus)?;
        corpus.name = name;
        let order = corpus.is_kept.then(|| corpus.write_head());
        self.orders.extend(order);
        self.list(Some(revision));
        Ok(())
    }

    pub(super) fn delete(&mut self, id: CorpusId) {
        self.pause(id);
        let Some(corpus) = self.corpora.remove(&id) else { return };
        self.orders.extend(corpus.files().into_iter().map(|file| StoreOrder::Remove { file }));
    }

    pub(super) fn delete_rows(
        &mut self,
        revision: Revision,
        id: CorpusId,
        embedder: &Embedder,
    ) -> Result<(), Problem> {
        self.pause(id);
        let corpus = self.corpora.get_mut(&id).ok_or(Problem::NoCorpus)?;
        let gone = corpus.sets.extract_if(.., |set| set.embedder == *embedder);
        let files: Vec<String> = gone.map(|set| rows_file(id, set.number)).collect();
        self.orders.extend(files.into_iter().map(|file| StoreOrder::Remove { file }));
        let order = corpus.is_kept.then(|| corpus.write_head());
        self.orders.extend(order);
        self.list(Some(revision));
        Ok(())
    }

    /// Orders a list of what is in the store, for a request or for ourselves.
    pub(super) fn list(&mut self, revision: Option<Revision>) {
        self.orders.push(StoreOrder::List);
        self.listings.push_back(revision);
    }

    /// Takes what came of an order.
    pub(super) fn take_stored(&mut self, stored: Stored, knows: Knows<'_>) {
        match stored {
            Stored::Written { corpus, file, is_done } => self.take_written(corpus, &file, is_done),
            Stored::Read { file, bytes } => self.take_file(&file, bytes),
            Stored::Listed(listing) => {
                self.take_listing(listing);
                if let Some(Some(revision)) = self.listings.pop_front() {
                    let corpora = self.summaries(knows);
                    self.answer(revision, Answer::Shelf { corpora, usage: self.usage });
                }
            }
        }
    }

    fn summaries(&self, knows: Knows<'_>) -> Vec<CorpusSummary> {
        let fits = |embedder: &Embedder| {
            let lens = |side| Lens { side, readout: embedder.readout };
            let mut lenses = [Side::Before, Side::After].map(lens).into_iter();
            lenses.find(|lens| knows(*lens).as_ref() == Some(embedder))
        };
        self.corpora.values().map(|corpus| corpus.summary(fits)).collect()
    }

    fn take_listing(&mut self, listing: Option<Listing>) {
        self.is_listed = true;
        let Some(Listing { files, heads, usage }) = listing else { return };
        self.usage = usage;
        let size = |name: &str| files.iter().find(|(file, _)| file == name).map(|(_, size)| *size);
        for (name, bytes) in &heads {
            let known = corpus_of(name).filter(|id| *name == file(*id, HEAD));
            let Some(id) = known.filter(|id| !self.corpora.contains_key(id)) else { continue };
            let head = serde_json::from_slice::<Head>(bytes).ok();
            let head = head.filter(|head| head.version <= VERSION);
            let corpus = head.and_then(|head| Corpus::known(id, head, size));
            self.corpora.extend(corpus.map(|corpus| (id, corpus)));
        }
        // What another tab deleted, unless it is open here.
        self.corpora.retain(|id, corpus| {
            !corpus.is_kept || corpus.book != Held::Away || size(&file(*id, BOOK)).is_some()
        });
    }

    fn take_written(&mut self, id: CorpusId, name: &str, is_done: bool) {
        let Some(corpus) = self.corpora.get_mut(&id) else { return };
        let set = corpus.sets.iter_mut().find(|set| rows_file(id, set.number) == name);
        let was_kept = match set {
            Some(set) if is_done => {
                set.kept = set.given;
                true
            }
            Some(set) => std::mem::replace(&mut set.is_kept, false),
            None if is_done => true,
            None => std::mem::replace(&mut corpus.is_kept, false),
        };
        if !is_done && was_kept {
            let revision = self.mentioned.get(&id).copied().unwrap_or_default();
            let detail = format!("the browser did not take {name}");
            self.answer(revision, Answer::NotKept { corpus: id, detail });
        }
    }

    /// A file came from the store, or did not: then what it held is as good as lost.
    fn take_file(&mut self, name: &str, bytes: Option<Vec<u8>>) {
        let Some(id) = corpus_of(name) else { return };
        let Some(corpus) = self.corpora.get_mut(&id) else { return };
        if name.ends_with(ROWS) {
            let Some(set) = corpus.sets.iter_mut().find(|set| rows_file(id, set.number) == name)
            else {
                return;
            };
            let mut vectors = Vectors::new(set.dimensions);
            let kept = vectors.push_bytes(&bytes.unwrap_or_default());
            (set.kept, set.given) = (kept, kept);
            set.vectors = Held::Here(vectors);
            return;
        }
        match bytes.as_deref().map(Book::from_bytes) {
            Some(Ok(book)) => corpus.book = Held::Here(Arc::new(book)),
            other => {
                let detail = match other {
                    Some(Err(error)) => error.to_string(),
                    _ => "its file cannot be read".to_owned(),
                };
                self.lose(id, detail);
            }
        }
    }

    /// A corpus cannot be opened: it leaves the list, its files stay for another try.
    fn lose(&mut self, id: CorpusId, detail: String) {
        let Some(corpus) = self.corpora.remove(&id) else { return };
        let problem = Problem::Unreadable { name: Some(corpus.name), detail };
        let is_about = |(_, ask): &mut (Revision, _)| super::corpus_of(ask) == Some(id);
        let lost: Vec<Revision> =
            self.parked.extract_if(.., is_about).map(|(revision, _)| revision).collect();
        for revision in lost {
            self.fail(revision, problem.clone());
        }
    }
}
