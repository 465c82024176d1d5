//! The library as the engine sees it: behind a trait, so that programs without corpora (the trainer, the
//! GPU's) are linked without all that reads, ranks and keeps them.

use std::fmt::Debug;

use crate::engine::library::errand::Errand;
use crate::engine::library::orders::{StoreOrder, Stored};
use crate::engine::rows::Finished;
use crate::protocol::Revision;
use crate::protocol::event::Event;
use crate::protocol::message::{Bulk, Message};
use crate::protocol::problem::Problem;
use crate::protocol::readout::Lens;
use crate::protocol::search::{Answer, Ask, CorpusId, Embedder, Query};

/// What would compute vectors through a lens; `None` where nothing can.
pub type Knows<'a> = &'a dyn Fn(Lens) -> Option<Embedder>;

/// What came of something, for the engine to pass on.
#[derive(Debug, Default)]
pub struct Outcome {
    pub answers: Vec<Message<Event>>,
    /// What the encoder is to do.
    pub errands: Vec<Errand>,
    /// Requests whose errands are called off.
    pub called_off: Vec<Revision>,
}

/// A query with the vectors of its texts.
pub struct Asked<'a> {
    pub query: &'a Query,
    /// `[texts, hidden]`, of the query's text where it has one, the texts of `also`, those of `unlike`.
    pub rows: &'a [f32],
    pub hidden: usize,
    /// The same through the query's other lens.
    pub other: Option<&'a [f32]>,
}

/// How it came to these vectors.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    pub embed_ms: f64,
    pub was_cut: bool,
}

/// Who has the corpora.
pub trait Librarian: Debug {
    /// Takes a request.
    fn ask(&mut self, revision: Revision, ask: Ask, bulk: Vec<Bulk>, knows: Knows<'_>);

    /// Takes what came of an order to the store.
    fn stored(&mut self, stored: Stored, knows: Knows<'_>);

    /// Reads on, or indexes some more keywords.
    fn step(&mut self, knows: Knows<'_>);

    /// Whether a step has something to do.
    fn has_work(&self) -> bool;

    /// Gives up a request that is still known here; whether it was.
    fn cancel(&mut self, revision: Revision) -> bool;

    /// Passages whose embedder is gone are given no more vectors.
    fn rest_changed(&mut self, knows: Knows<'_>);

    /// An errand failed, and with it all that was asked for with that number.
    fn give_up(&mut self, revision: Revision);

    fn take_outcome(&mut self) -> Outcome;

    /// What the store is to do, in this order.
    fn take_orders(&mut self) -> Vec<StoreOrder>;

    /// Takes `[passages, hidden]` of a portion of passages. Answers how far that is.
    ///
    /// # Errors
    /// [`Problem::NoCorpus`] where they are not wanted any more.
    fn take_rows(
        &mut self,
        corpus: CorpusId,
        first: u32,
        hidden: usize,
        rows: &[f32],
    ) -> Result<Answer, Problem>;

    /// So many passages of a portion have vectors.
    fn moves_on(&mut self, corpus: CorpusId, first: u32, count: usize);

    /// Ranks a corpus by a query whose vectors are there.
    ///
    /// # Errors
    /// [`Problem::NoCorpus`] where it is not here any more.
    fn find(&mut self, asked: &Asked<'_>, took: Took, knows: Knows<'_>) -> Result<Answer, Problem>;

    /// The words of passages that stand closest to a query; `finished` has the query's texts first.
    ///
    /// # Errors
    /// As [`Librarian::find`].
    fn glow(
        &mut self,
        query: &Query,
        positions: &[u32],
        finished: &Finished,
    ) -> Result<Answer, Problem>;
}
