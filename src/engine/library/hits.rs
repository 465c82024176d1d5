//! What a query found, and which words of it stand closest.

use std::collections::HashMap;
use std::sync::Arc;

use web_time::Instant;

use crate::engine::answers::milliseconds;
use crate::engine::library::Library;
use crate::engine::library::librarian::{Asked, Knows, Took};
use crate::engine::library::query::texts;
use crate::engine::rows::Finished;
use crate::protocol::problem::Problem;
use crate::protocol::readout::Lens;
use crate::protocol::search::{
    Answer, CorpusId, Filter, Glow, Hit, Hits, Ingredient, Query, Ranking,
};
use crate::search::blend::blended;
use crate::search::filter::Mask;
use crate::search::fuse::{WINDOW, fused};
use crate::search::glow::glow;
use crate::search::keywords::{Wanted, ranked};
use crate::search::scan::Scan;
use crate::search::vectors::Vectors;
use crate::text::book::Book;

/// Characters of a passage's neighbours that are shown.
const CONTEXT: usize = 300;
/// Hits at most.
const MOST_HITS: usize = 500;

/// The query's unit vector; `None` where it has no parts, or they cancel each other out.
fn vector(
    query: &Query,
    rows: &[f32],
    hidden: usize,
    vectors: Option<&Vectors>,
) -> Option<Vec<f32>> {
    let mut rows = rows.chunks_exact(hidden.max(1)).map(<[f32]>::to_vec);
    let mut also = Vec::new();
    if !query.text.trim().is_empty() {
        also.extend(rows.next());
    }
    let mut part = |ingredient: &Ingredient| match ingredient {
        Ingredient::Text(_) => rows.next(),
        Ingredient::Passage(position) => {
            let mut row = Vec::new();
            vectors?.row_into(*position as usize, &mut row);
            (!row.is_empty()).then_some(row)
        }
    };
    also.extend(query.also.iter().filter_map(&mut part));
    let unlike: Vec<Vec<f32>> = query.unlike.iter().filter_map(&mut part).collect();
    blended(&also, &unlike)
}

/// Passages in their order, each with its cosine where there is one.
struct Ranked {
    order: Vec<u32>,
    above: Option<u32>,
}

/// Everything that a query is ranked by.
struct Search<'a> {
    query: &'a Query,
    mask: Option<&'a Mask>,
    scan: Option<Scan<'a>>,
    weights: HashMap<u32, f32>,
    /// Positions by keywords, those that the filters let through.
    by_words: Vec<u32>,
}

impl Search<'_> {
    fn by_meaning(&self, count: usize) -> Vec<(u32, f32)> {
        self.scan.as_ref().map_or_else(Vec::new, |scan| scan.top(count, self.mask))
    }

    fn ranked(&self) -> Ranked {
        let count = usize::from(self.query.count).clamp(1, MOST_HITS);
        let least = self.query.least_cosine;
        let is_near = |cosine: f32| least.is_none_or(|least| cosine >= least);
        match self.query.ranking {
            Ranking::Meaning => {
                let found = self.by_meaning(count).into_iter();
                let order =
                    found.filter(|(_, cosine)| is_near(*cosine)).map(|(at, _)| at).collect();
                let above = least.zip(self.scan.as_ref());
                let above = above.map(|(least, scan)| narrow(scan.above(least, self.mask)));
                Ranked { order, above }
            }
            Ranking::Keywords => {
                Ranked { order: self.by_words.iter().copied().take(count).collect(), above: None }
            }
            Ranking::Both => {
                let near: Vec<u32> = self.by_meaning(WINDOW).iter().map(|(at, _)| *at).collect();
                let cosine = |at: &u32| self.scan.as_ref().and_then(|scan| scan.cosine(*at));
                // What has no vector yet is not left out for want of one.
                let is_near = |at: &u32| cosine(at).is_none_or(is_near);
                let order = fused(&[&near, &self.by_words], 2 * WINDOW).into_iter();
                Ranked { order: order.filter(is_near).take(count).collect(), above: None }
            }
        }
    }
}

impl Library {
    /// Ranks a corpus by a query whose vectors are there.
    pub(super) fn hits(
        &mut self,
        asked: &Asked<'_>,
        took: Took,
        knows: Knows<'_>,
    ) -> Result<Answer, Problem> {
        let start = Instant::now();
        let query = asked.query;
        let corpus = self.corpora.get_mut(&query.corpus).ok_or(Problem::NoCorpus)?;
        let mask = corpus.mask(&query.filters);
        let mask = mask.as_deref();
        let corpus = &*corpus;
        let book = corpus.book.here().ok_or(Problem::NoCorpus)?;
        let vectors = |lens: Lens| knows(lens).and_then(|embedder| corpus.vectors(&embedder));
        let own = vectors(query.lens);
        let unit = vector(query, asked.rows, asked.hidden, own);
        let scan = own.zip(unit.as_deref()).map(|(own, unit)| Scan::new(own, unit));
        let wanted = Wanted::new(&query.text);
        // A part of the index would say of the others that they have none of the words.
        let is_indexed = corpus.keywords.len() == book.len();
        let weights = if is_indexed { corpus.keywords.weigh(&wanted) } else { HashMap::new() };
        let is_let = |at: &u32| mask.is_none_or(|mask| mask.has(*at));
        let by_words = ranked(&weights).into_iter().map(|(at, _)| at).filter(is_let).collect();
        let search = Search { query, mask, scan, weights, by_words };
        let Ranked { order, above } = search.ranked();

        let other_vectors = query.other.and_then(vectors);
        let other_unit =
            asked.other.and_then(|rows| vector(query, rows, asked.hidden, other_vectors));
        let other = other_vectors.zip(other_unit.as_deref());
        let other = other.map(|(vectors, unit)| Scan::new(vectors, unit));
        let hits = order.iter().map(|position| {
            let mut hit = hit(book, *position, &wanted);
            search.say_ranks(&mut hit);
            if let Some(other) = &other {
                hit.other_cosine = other.cosine(*position);
                hit.other_rank = other.rank(*position, mask);
            }
            hit
        });
        let hits = hits.collect();
        let done = own.map_or(0, Vectors::len);
        Ok(Answer::Hits(Box::new(Hits {
            hits,
            let_through: mask.map_or(narrow(book.len()), Mask::count),
            searched: mask.map_or(narrow(done), |mask| mask.count_below(done)),
            above,
            was_cut: took.was_cut,
            embed_ms: took.embed_ms,
            rank_ms: milliseconds(start),
        })))
    }

    /// The words of passages that stand closest to a query; `finished` has the query's texts first.
    pub(super) fn glows(
        &mut self,
        query: &Query,
        positions: &[u32],
        finished: &Finished,
    ) -> Result<Answer, Problem> {
        let corpus = self.corpora.get(&query.corpus).ok_or(Problem::NoCorpus)?;
        let book = corpus.book.here().ok_or(Problem::NoCorpus)?;
        let first = texts(query).len();
        let hidden = finished.hidden;
        let rows = finished.rows.get(..first * hidden).unwrap_or_default();
        // A query by passages alone has no text to look for in words.
        let own = Query { also: said(&query.also), unlike: Vec::new(), ..query.clone() };
        let Some(unit) = vector(&own, rows, hidden, None) else {
            return Ok(Answer::Glows { glows: Vec::new() });
        };
        let tokens = finished.pieces.iter().zip(&finished.token_rows).skip(first);
        let glows = positions.iter().zip(tokens).map(|(position, (pieces, rows))| Glow {
            position: *position,
            words: glow(book.passage(*position), &pieces.pieces, rows, &unit),
        });
        Ok(Answer::Glows { glows: glows.collect() })
    }

    /// Passages in their order.
    pub(super) fn browse(
        &mut self,
        corpus: CorpusId,
        from: u32,
        count: u16,
        filters: &[Filter],
    ) -> Result<Answer, Problem> {
        let corpus = self.corpora.get_mut(&corpus).ok_or(Problem::NoCorpus)?;
        let mask = corpus.mask(filters);
        let book = corpus.book.here().ok_or(Problem::NoCorpus)?;
        let all = 0..narrow(book.len());
        let count = usize::from(count).min(MOST_HITS);
        let shown: Vec<u32> = match &mask {
            Some(mask) => mask.positions().skip(from as usize).take(count).collect(),
            None => all.skip(from as usize).take(count).collect(),
        };
        let total = mask.map_or(narrow(book.len()), |mask: Arc<Mask>| mask.count());
        let none = Wanted::default();
        let passages = shown.into_iter().map(|position| hit(book, position, &none)).collect();
        Ok(Answer::Passages { from, total, passages })
    }
}

impl Search<'_> {
    fn say_ranks(&self, hit: &mut Hit) {
        if let Some(scan) = &self.scan {
            hit.cosine = scan.cosine(hit.position);
            hit.meaning_rank = scan.rank(hit.position, self.mask);
        }
        hit.bm25 = self.weights.get(&hit.position).copied();
        let place = self.by_words.iter().position(|at| *at == hit.position);
        hit.keyword_rank = place.map(|place| narrow(place + 1));
    }
}

fn said(ingredients: &[Ingredient]) -> Vec<Ingredient> {
    ingredients.iter().filter(|it| matches!(it, Ingredient::Text(_))).cloned().collect()
}

/// A passage with what stands around and beside it.
fn hit(book: &Book, position: u32, wanted: &Wanted) -> Hit {
    let text = book.passage(position);
    let (before, after) = book.around(position);
    Hit {
        position,
        text: text.to_owned(),
        before: last_characters(before),
        after: first_characters(after),
        cells: book.cells(position),
        cosine: None,
        bm25: None,
        meaning_rank: None,
        keyword_rank: None,
        other_rank: None,
        other_cosine: None,
        words: wanted.places(text),
    }
}

fn first_characters(text: &str) -> String {
    match text.char_indices().nth(CONTEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn last_characters(text: &str) -> String {
    match text.char_indices().rev().nth(CONTEXT) {
        Some((start, character)) => format!("…{}", &text[start + character.len_utf8()..]),
        None => text.to_owned(),
    }
}

fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
