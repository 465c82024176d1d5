//! The corpora that are searched: what is asked about them, and what the store and the encoder are to do
//! for that.
//!
//! The library knows neither: it gives [`StoreOrder`]s, which a door carries out ([`Library::stored`] takes
//! what comes of them), and [`Errand`]s, which the engine runs as jobs. What needs files that are not here
//! is parked until they are. *Invariant:* every request is answered once.

pub mod corpus;
pub mod errand;
pub mod hits;
mod index;
pub mod librarian;
pub mod orders;
mod query;
mod run;
pub mod running;
mod shelf;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use web_time::{Duration, Instant};

use crate::engine::library::corpus::{Corpus, Held};
use crate::engine::library::errand::{Errand, Purpose};
use crate::engine::library::librarian::{Asked, Knows, Librarian, Outcome, Took};
use crate::engine::library::orders::{StoreOrder, Stored};
use crate::engine::library::query::{is_ready, needs_words, texts};
use crate::engine::library::run::Run;
use crate::engine::rows::Finished;
use crate::protocol::Revision;
use crate::protocol::event::Event;
use crate::protocol::message::{Bulk, Message, bytes_of};
use crate::protocol::problem::Problem;
use crate::protocol::readout::Lens;
use crate::protocol::search::{Answer, Ask, CorpusId, Embedder, Intake, Query};
use crate::text::book::Book;
use crate::text::book::reading::Reading;
use crate::text::book::source::{ReadError, Source};

/// How far reading is, is told at most this often.
const TELL_EVERY: Duration = Duration::from_millis(200);
/// The index of keywords grows by so many passages at a time.
const INDEXED: usize = 400;

/// A file that is being read.
#[derive(Debug)]
struct Draft {
    revision: Revision,
    name: Option<String>,
    reading: Box<Reading>,
    told: Instant,
}

/// All corpora, and what is under way with them.
#[derive(Debug, Default)]
pub struct Library {
    corpora: BTreeMap<CorpusId, Corpus>,
    /// What was picked or pasted last, to be read anew in another way.
    source: Option<Source>,
    draft: Option<Draft>,
    /// What was read last, to be kept.
    read: Option<Arc<Book>>,
    runs: Vec<Run>,
    /// Asked for, and waiting for files or for the index of keywords.
    parked: Vec<(Revision, Ask)>,
    /// Listings that were ordered, each for a request or for ourselves.
    listings: VecDeque<Option<Revision>>,
    is_listed: bool,
    usage: Option<(u64, u64)>,
    /// Who mentioned a corpus last: what the store does later is told to them.
    mentioned: BTreeMap<CorpusId, Revision>,
    orders: Vec<StoreOrder>,
    errands: Vec<Errand>,
    answers: Vec<Message<Event>>,
    /// Requests whose errands are called off.
    called_off: Vec<Revision>,
}

impl Library {
    fn take_ask(&mut self, revision: Revision, ask: Ask, bulk: Vec<Bulk>, knows: Knows<'_>) {
        self.supersede(&ask);
        if let Some(corpus) = corpus_of(&ask) {
            self.mentioned.insert(corpus, revision);
        }
        let asked = match ask {
            Ask::Read { intake } => self.read(revision, intake, bulk),
            ask => match self.prepare(&ask, knows) {
                Ok(true) => self.act(revision, ask, knows),
                Ok(false) => {
                    self.parked.push((revision, ask));
                    Ok(())
                }
                Err(problem) => Err(problem),
            },
        };
        if let Err(problem) = asked {
            self.fail(revision, problem);
        }
    }

    /// Asks again what was parked, as far as it is ready now.
    fn ask_parked(&mut self, knows: Knows<'_>) {
        for (revision, ask) in std::mem::take(&mut self.parked) {
            match self.prepare(&ask, knows) {
                Ok(true) => {
                    if let Err(problem) = self.act(revision, ask, knows) {
                        self.fail(revision, problem);
                    }
                }
                Ok(false) => self.parked.push((revision, ask)),
                Err(problem) => self.fail(revision, problem),
            }
        }
    }

    fn go_on(&mut self, knows: Knows<'_>) {
        if let Some(mut draft) = self.draft.take() {
            match draft.reading.step() {
                Ok(None) => {
                    if draft.told.elapsed() > TELL_EVERY {
                        draft.told = Instant::now();
                        let (done_bytes, total_bytes) = draft.reading.progress();
                        self.answer(draft.revision, Answer::Reading { done_bytes, total_bytes });
                    }
                    self.draft = Some(draft);
                }
                Ok(Some(finished)) => {
                    let (book, preview) = (finished.book, Box::new(finished.preview));
                    if book.is_empty() {
                        let (rows, skipped) = (preview.rows, preview.skipped);
                        return self.fail(draft.revision, Problem::EmptyCorpus { rows, skipped });
                    }
                    self.read = Some(Arc::new(book));
                    self.answer(draft.revision, Answer::Preview(preview));
                }
                Err(error) => self.fail(draft.revision, unreadable(draft.name, &error)),
            }
        } else if let Some(corpus) = self.corpora.values_mut().find(|corpus| lacks_words(corpus))
            && let Some(book) = corpus.book.here()
        {
            let from = corpus.keywords.len();
            for position in from..book.len().min(from + INDEXED) {
                corpus.keywords.push(book.passage(u32::try_from(position).unwrap_or(u32::MAX)));
            }
            if !lacks_words(corpus) {
                self.ask_parked(knows);
            }
        }
    }

    fn answer(&mut self, revision: Revision, answer: Answer) {
        self.answers.push(Message::plain(Event::Search { revision, answer }));
    }

    fn fail(&mut self, revision: Revision, problem: Problem) {
        self.answers.push(Message::plain(Event::Failed { revision: Some(revision), problem }));
    }

    /// A newer reading or query takes the place of an older one that waits.
    fn supersede(&mut self, ask: &Ask) {
        let mut old = Vec::new();
        if matches!(ask, Ask::Read { .. }) {
            old.extend(self.draft.take().map(|draft| draft.revision));
        }
        self.parked.retain(|(revision, parked)| {
            let same = matches!(
                (ask, parked),
                (Ask::Query(_), Ask::Query(_)) | (Ask::Glow { .. }, Ask::Glow { .. })
            );
            if same {
                old.push(*revision);
            }
            !same
        });
        let cancelled = old.into_iter().map(|revision| Event::Cancelled { revision });
        self.answers.extend(cancelled.map(Message::plain));
    }

    fn read(&mut self, revision: Revision, intake: Intake, bulk: Vec<Bulk>) -> Result<(), Problem> {
        let name = intake.name.clone();
        if let Some(bytes) = bytes_of(bulk) {
            self.source = None;
            let source = Source::new(bytes).map_err(|error| unreadable(name.clone(), &error))?;
            self.source = Some(source);
        }
        let source = self.source.as_ref().ok_or_else(|| Problem::Unreadable {
            name: name.clone(),
            detail: "nothing was picked or pasted in this visit; pick it again".to_owned(),
        })?;
        let reading = Reading::begin(source, &intake);
        let reading = Box::new(reading.map_err(|error| unreadable(name.clone(), &error))?);
        self.draft = Some(Draft { revision, name, reading, told: Instant::now() });
        Ok(())
    }

    /// Whether everything is here that a request needs; what is not is ordered.
    fn prepare(&mut self, ask: &Ask, knows: Knows<'_>) -> Result<bool, Problem> {
        let Some(id) = corpus_of(ask) else { return Ok(true) };
        if matches!(ask, Ask::Create { .. }) {
            return Ok(true);
        }
        if !self.corpora.contains_key(&id) {
            if self.is_listed {
                return Err(Problem::NoCorpus);
            }
            if self.listings.is_empty() {
                self.list(None);
            }
            return Ok(false);
        }
        let embedders = embedders_of(ask, knows);
        let needs_book = !matches!(
            ask,
            Ask::Pause { .. } | Ask::Rename { .. } | Ask::Delete { .. } | Ask::DeleteRows { .. }
        );
        let is_here = !needs_book || self.fetch(id, &embedders);
        let corpus = self.corpora.get(&id).ok_or(Problem::NoCorpus)?;
        Ok(is_here
            && match ask {
                Ask::Query(query) if needs_words(query) => is_ready(corpus, query),
                _ => true,
            })
    }

    /// Whether a corpus's book and the vectors of these embedders are here; orders what is not.
    fn fetch(&mut self, id: CorpusId, embedders: &[Embedder]) -> bool {
        let opens = self.corpora.get(&id).is_some_and(|corpus| corpus.book == Held::Away);
        if opens {
            let is_idle = |other: CorpusId| self.runs.iter().all(|run| run.corpus != other);
            let idle: Vec<CorpusId> = self
                .corpora
                .keys()
                .copied()
                .filter(|other| *other != id && is_idle(*other))
                .collect();
            idle.iter()
                .filter_map(|other| self.corpora.get_mut(other).map(Corpus::rest))
                .for_each(drop);
        }
        let Some(corpus) = self.corpora.get_mut(&id) else { return false };
        let mut missing = Vec::new();
        if corpus.book == Held::Away {
            corpus.book = Held::Coming;
            missing.push(corpus::file(id, orders::BOOK));
        }
        let wanted = corpus.sets.iter_mut().filter(|set| embedders.contains(&set.embedder));
        for set in wanted.filter(|set| set.vectors == Held::Away) {
            set.vectors = Held::Coming;
            missing.push(corpus::rows_file(id, set.number));
        }
        self.orders.extend(missing.into_iter().map(|file| StoreOrder::Read { file }));
        let mut wanted = corpus.sets.iter().filter(|set| embedders.contains(&set.embedder));
        corpus.book.here().is_some() && wanted.all(|set| set.vectors.here().is_some())
    }

    /// Does what is asked; everything that it needs is here.
    fn act(&mut self, revision: Revision, ask: Ask, knows: Knows<'_>) -> Result<(), Problem> {
        match ask {
            Ask::Read { intake } => self.read(revision, intake, Vec::new()),
            Ask::Create { corpus, name } => self.create(revision, corpus, name),
            Ask::Embed { corpus, lens } => self.embed(revision, corpus, lens, knows),
            Ask::Pause { corpus } => {
                self.pause(corpus);
                self.list(Some(revision));
                Ok(())
            }
            Ask::Query(query) => {
                let (lens, texts) = (query.lens, texts(&query));
                self.errands.push(Errand { revision, lens, texts, purpose: Purpose::Query(query) });
                Ok(())
            }
            Ask::Glow { query, positions } => self.ask_glow(revision, query, positions),
            Ask::Browse { corpus, from, count, filters } => {
                let answer = self.browse(corpus, from, count, &filters)?;
                self.answer(revision, answer);
                Ok(())
            }
            Ask::Vectors { corpus, lens } => self.hand_out(revision, corpus, lens, knows),
            Ask::Sentences { corpus } => {
                let book = self.book(corpus)?;
                let passages = book.passages().map(str::to_owned).collect();
                self.answer(revision, Answer::Sentences { corpus, passages });
                Ok(())
            }
            Ask::Rename { corpus, name } => self.rename(revision, corpus, name),
            Ask::Delete { corpus } => {
                self.delete(corpus);
                self.list(Some(revision));
                Ok(())
            }
            Ask::DeleteRows { corpus, embedder } => self.delete_rows(revision, corpus, &embedder),
            Ask::List => {
                self.list(Some(revision));
                Ok(())
            }
        }
    }

    fn book(&self, corpus: CorpusId) -> Result<Arc<Book>, Problem> {
        let corpus = self.corpora.get(&corpus).ok_or(Problem::NoCorpus)?;
        corpus.book.here().cloned().ok_or(Problem::NoCorpus)
    }

    fn ask_glow(
        &mut self,
        revision: Revision,
        query: Box<Query>,
        positions: Vec<u32>,
    ) -> Result<(), Problem> {
        let book = self.book(query.corpus)?;
        let passages = positions.iter().map(|position| book.passage(*position).to_owned());
        let (lens, texts) = (query.lens, texts(&query).into_iter().chain(passages).collect());
        self.errands.push(Errand {
            revision,
            lens,
            texts,
            purpose: Purpose::Glow { query, positions },
        });
        Ok(())
    }

    fn hand_out(
        &mut self,
        revision: Revision,
        id: CorpusId,
        lens: Lens,
        knows: Knows<'_>,
    ) -> Result<(), Problem> {
        let corpus = self.corpora.get(&id).ok_or(Problem::NoCorpus)?;
        let embedder = knows(lens).ok_or(Problem::NoModel)?;
        let vectors = corpus.vectors(&embedder).ok_or(Problem::NoSurvey)?;
        let dimensions = u32::try_from(vectors.dimensions()).unwrap_or(u32::MAX);
        let answer = Answer::Vectors { corpus: id, dimensions };
        let head = Event::Search { revision, answer };
        self.answers.push(Message::with_f32(head, vectors.to_rows()));
        Ok(())
    }
}

impl Librarian for Library {
    fn ask(&mut self, revision: Revision, ask: Ask, bulk: Vec<Bulk>, knows: Knows<'_>) {
        self.take_ask(revision, ask, bulk, knows);
    }

    fn stored(&mut self, stored: Stored, knows: Knows<'_>) {
        self.take_stored(stored, knows);
        self.ask_parked(knows);
    }

    fn step(&mut self, knows: Knows<'_>) {
        self.go_on(knows);
    }

    fn has_work(&self) -> bool {
        self.draft.is_some() || self.corpora.values().any(lacks_words)
    }

    fn cancel(&mut self, revision: Revision) -> bool {
        let drafted = self.draft.take_if(|draft| draft.revision == revision).is_some();
        let before = self.parked.len();
        self.parked.retain(|(parked, _)| *parked != revision);
        drafted || self.parked.len() < before
    }

    fn rest_changed(&mut self, knows: Knows<'_>) {
        self.rest_other(knows);
    }

    fn give_up(&mut self, revision: Revision) {
        self.runs.retain(|run| run.revision != revision);
        self.called_off.push(revision);
    }

    fn take_outcome(&mut self) -> Outcome {
        Outcome {
            answers: std::mem::take(&mut self.answers),
            errands: std::mem::take(&mut self.errands),
            called_off: std::mem::take(&mut self.called_off),
        }
    }

    fn take_orders(&mut self) -> Vec<StoreOrder> {
        std::mem::take(&mut self.orders)
    }

    fn take_rows(
        &mut self,
        corpus: CorpusId,
        first: u32,
        hidden: usize,
        rows: &[f32],
    ) -> Result<Answer, Problem> {
        self.take_portion(corpus, first, hidden, rows)
    }

    fn moves_on(&mut self, corpus: CorpusId, first: u32, count: usize) {
        self.note_portion(corpus, first, count);
    }

    fn find(&mut self, asked: &Asked<'_>, took: Took, knows: Knows<'_>) -> Result<Answer, Problem> {
        self.hits(asked, took, knows)
    }

    fn glow(
        &mut self,
        query: &Query,
        positions: &[u32],
        finished: &Finished,
    ) -> Result<Answer, Problem> {
        self.glows(query, positions, finished)
    }
}

/// Whether passages are here that the index of keywords does not have.
fn lacks_words(corpus: &Corpus) -> bool {
    corpus.book.here().is_some_and(|book| corpus.keywords.len() < book.len())
}

fn corpus_of(ask: &Ask) -> Option<CorpusId> {
    match ask {
        Ask::Read { .. } | Ask::List => None,
        Ask::Query(query) | Ask::Glow { query, .. } => Some(query.corpus),
        Ask::Create { corpus, .. }
        | Ask::Embed { corpus, .. }
        | Ask::Pause { corpus }
        | Ask::Browse { corpus, .. }
        | Ask::Vectors { corpus, .. }
        | Ask::Sentences { corpus }
        | Ask::Rename { corpus, .. }
        | Ask::Delete { corpus }
        | Ask::DeleteRows { corpus, .. } => Some(*corpus),
    }
}

/// Whose vectors a request needs.
fn embedders_of(ask: &Ask, knows: Knows<'_>) -> Vec<Embedder> {
    let lenses = match ask {
        Ask::Embed { lens, .. } | Ask::Vectors { lens, .. } => vec![*lens],
        Ask::Query(query) => [Some(query.lens), query.other].into_iter().flatten().collect(),
        _ => Vec::new(),
    };
    lenses.into_iter().filter_map(knows).collect()
}

fn unreadable(name: Option<String>, error: &ReadError) -> Problem {
    Problem::Unreadable { name, detail: error.to_string() }
}
