//! Hits as files.

use serde_json::json;

use crate::protocol::search::{Column, CorpusSummary, Hit};
use crate::state::search::Found;

/// The names of what stands beside passages, as the passages' own column has none.
fn columns(corpus: &CorpusSummary) -> impl Iterator<Item = (usize, &Column)> {
    corpus.columns.iter().enumerate()
}

/// A row a hit, the best first.
pub(super) fn csv(found: &Found, corpus: &CorpusSummary) -> String {
    let quoted = |cell: &str| format!("\"{}\"", cell.replace('"', "\"\""));
    let names = columns(corpus).map(|(_, column)| quoted(&column.name));
    let head = ["rank", "position", "cosine", "bm25", "passage"].map(str::to_owned);
    let mut lines = vec![head.into_iter().chain(names).collect::<Vec<_>>().join(",")];
    for (rank, hit) in (1..).zip(&found.hits.hits) {
        let number = |value: Option<f32>| value.map_or_else(String::new, |it| format!("{it:.6}"));
        let start = [
            format!("{rank}"),
            hit.position.to_string(),
            number(hit.cosine),
            number(hit.bm25),
            quoted(&hit.text),
        ];
        let cells = columns(corpus).map(|(place, _)| quoted(cell(hit, place)));
        lines.push(start.into_iter().chain(cells).collect::<Vec<_>>().join(","));
    }
    lines.join("\n") + "\n"
}

fn cell(hit: &Hit, place: usize) -> &str {
    hit.cells.get(place).map_or("", String::as_str)
}

/// One object: the query, what was searched, and the hits.
pub(super) fn json(found: &Found, corpus: &CorpusSummary) -> String {
    let hits = (1..).zip(&found.hits.hits).map(|(rank, hit)| {
        let cells =
            columns(corpus).map(|(place, column)| (column.name.clone(), json!(cell(hit, place))));
        json!({
            "rank": rank,
            "position": hit.position,
            "cosine": hit.cosine,
            "bm25": hit.bm25,
            "passage": hit.text,
            "before": hit.before,
            "after": hit.after,
            "columns": cells.collect::<serde_json::Map<_, _>>(),
        })
    });
    let query = &found.query;
    let whole = json!({
        "corpus": corpus.name,
        "query": {
            "text": query.text,
            "also": query.also,
            "unlike": query.unlike,
            "ranking": query.ranking,
            "least_cosine": query.least_cosine,
            "filters": query.filters,
        },
        "let_through": found.hits.let_through,
        "searched": found.hits.searched,
        "hits": hits.collect::<Vec<_>>(),
    });
    serde_json::to_string_pretty(&whole).unwrap_or_default()
}
