//! An errand of the library's, with the encoder.

use web_time::Instant;

use crate::backend::Backend;
use crate::engine::answers::milliseconds;
use crate::engine::library::errand::{Errand, Purpose};
use crate::engine::library::librarian::{Asked, Librarian, Took};
use crate::engine::rows::{Finished, Rows};
use crate::engine::sides::Sides;
use crate::model::encoder::Part;
use crate::model::error::Error;
use crate::protocol::Revision;
use crate::protocol::event::Event;
use crate::protocol::message::Message;
use crate::protocol::problem::Problem;
use crate::protocol::readout::Lens;
use crate::protocol::search::Query;

/// An errand under way.
#[derive(Debug)]
pub struct Running<B: Backend> {
    pub lens: Lens,
    pub purpose: Purpose,
    pub rows: Rows<B>,
    texts: Vec<String>,
}

impl<B: Backend + Clone> Running<B> {
    pub fn new(errand: Errand) -> Self {
        let Errand { lens, texts, purpose, .. } = errand;
        let with_tokens = matches!(purpose, Purpose::Glow { .. });
        // The other side needs a query's texts once more.
        let kept = if matches!(purpose, Purpose::Query(_)) { texts.clone() } else { Vec::new() };
        // A passage whose pieces are marked is taken as it stands.
        let part = match purpose {
            Purpose::Passages { .. } => Part::Passage,
            Purpose::Query(_) => Part::Query,
            Purpose::Glow { .. } => Part::Compared,
        };
        let rows = Rows::new(texts, lens.readout, with_tokens).of_part(part);
        Self { lens, purpose, rows, texts: kept }
    }

    /// Whether others may compute it, too.
    pub fn is_list(&self) -> bool {
        matches!(self.purpose, Purpose::Passages { .. })
    }

    /// Embeds a little more; the answer once all is there.
    pub async fn step(
        &mut self,
        revision: Revision,
        begun: Instant,
        sides: &Sides<B>,
        library: &mut dyn Librarian,
    ) -> Result<Option<Message<Event>>, Problem> {
        let encoder = sides.encoder(self.lens.side).ok_or(Problem::NoModel)?;
        let step = self.rows.step(encoder).await;
        let Some(finished) = step.map_err(|error| Problem::from(&error))? else {
            if let Purpose::Passages { corpus, first } = self.purpose {
                library.moves_on(corpus, first, self.rows.done());
            }
            return Ok(None);
        };
        let took = Took { embed_ms: milliseconds(begun), was_cut: !finished.truncated.is_empty() };
        let knows = |lens: Lens| sides.embedder(lens);
        let answer = match &self.purpose {
            Purpose::Passages { corpus, first } => {
                library.take_rows(*corpus, *first, finished.hidden, &finished.rows)?
            }
            Purpose::Query(query) => {
                let other = self.other_side(query, sides).await;
                let other = other.map_err(|error| Problem::from(&error))?;
                let Finished { rows, hidden, .. } = finished;
                let asked = Asked { query, rows: &rows, hidden, other: other.as_deref() };
                library.find(&asked, took, &knows)?
            }
            Purpose::Glow { query, positions } => library.glow(query, positions, &finished)?,
        };
        Ok(Some(Message::plain(Event::Search { revision, answer })))
    }

    /// Rows of a query's texts through its other lens.
    async fn other_side(&self, query: &Query, sides: &Sides<B>) -> Result<Option<Vec<f32>>, Error> {
        let Some(lens) = query.other.filter(|_| !sides.is_changing()) else { return Ok(None) };
        let Some(encoder) = sides.encoder(lens.side) else { return Ok(None) };
        let tokens = self.texts.iter().map(|text| encoder.tokenise_as(text, Part::Query));
        let tokens = tokens.collect::<Result<Vec<_>, _>>()?;
        encoder.embed(&tokens, lens.readout).await.map(Some)
    }
}
