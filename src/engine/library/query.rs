//! What a query needs before it can be answered.

use crate::engine::library::corpus::Corpus;
use crate::protocol::search::{Ingredient, Query, Ranking};

/// The texts that a query needs vectors of, in the order of [`Asked::rows`](super::librarian::Asked::rows).
pub fn texts(query: &Query) -> Vec<String> {
    let said = |ingredient: &Ingredient| match ingredient {
        Ingredient::Text(text) => Some(text.clone()),
        Ingredient::Passage(_) => None,
    };
    let own = (!query.text.trim().is_empty()).then(|| query.text.clone());
    own.into_iter().chain(query.also.iter().chain(&query.unlike).filter_map(said)).collect()
}

/// Whether a query needs the index of keywords.
pub fn needs_words(query: &Query) -> bool {
    query.ranking != Ranking::Meaning
}

/// What a corpus has to have here for a query.
pub fn is_ready(corpus: &Corpus, query: &Query) -> bool {
    let book = corpus.book.here();
    book.is_some_and(|book| !needs_words(query) || corpus.keywords.len() == book.len())
}
