//! The answers to requests whose rows are there.

use web_time::Instant;

use crate::engine::rows::Finished;
use crate::geometry::cosine::grid;
use crate::geometry::pairs::{BLOCK_ROWS, pair_count, scan_block};
use crate::math::ranks::{pearson, spearman};
use crate::math::rows::{dot, row};
use crate::math::statistics::{mean, quantile};
use crate::protocol::Revision;
use crate::protocol::event::{Agreement, Event};
use crate::protocol::message::Message;

/// Since then.
pub fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// Of `Request::Pair`.
pub fn pair(revision: Revision, finished: Finished, begun: Instant) -> Message<Event> {
    let Finished { hidden, rows, token_rows, pieces, .. } = finished;
    let mut token_rows = token_rows.into_iter();
    let (left, right) =
        (token_rows.next().unwrap_or_default(), token_rows.next().unwrap_or_default());
    let mut pieces = pieces.into_iter();
    let event = Event::Pair {
        revision,
        cosine: dot(row(&rows, hidden, 0), row(&rows, hidden, 1)).clamp(-1.0, 1.0),
        first: pieces.next().unwrap_or_default(),
        second: pieces.next().unwrap_or_default(),
        latency_ms: milliseconds(begun),
    };
    Message::with_f32(event, grid(&left, &right, hidden))
}

/// Of `Request::Pairs`.
pub fn pairs(
    revision: Revision,
    finished: &Finished,
    gold: &[f32],
    begun: Instant,
) -> Message<Event> {
    let rows = finished.rows.chunks_exact(finished.hidden.max(1));
    let cosines: Vec<f32> = rows
        .clone()
        .step_by(2)
        .zip(rows.skip(1).step_by(2))
        .map(|(first, second)| dot(first, second))
        .collect();
    // Sentences lie two a pair; a pair with both cut is named once.
    let mut truncated: Vec<u32> = finished.truncated.iter().map(|position| position / 2).collect();
    truncated.dedup();
    let agreement =
        spearman(&cosines, gold).zip(pearson(&cosines, gold)).map(|(spearman, pearson)| {
            Agreement { spearman, pearson, pairs: u32::try_from(cosines.len()).unwrap_or(u32::MAX) }
        });
    let latency_ms = milliseconds(begun);
    Message::with_f32(Event::Pairs { revision, truncated, agreement, latency_ms }, cosines)
}

/// Of `Request::Embed`.
pub fn embedded(revision: Revision, finished: Finished) -> Message<Event> {
    let event = Event::Embedded {
        revision,
        hidden: u32::try_from(finished.hidden).unwrap_or(u32::MAX),
        truncated: finished.truncated,
        tokenise_ms: finished.tokenise_ms,
        run_ms: finished.run_ms,
    };
    Message::with_f32(event, finished.rows)
}

/// Of `Request::Baseline`.
pub fn baseline(revision: Revision, finished: &Finished) -> Message<Event> {
    let count = finished.rows.len() / finished.hidden.max(1);
    let mut cosines = Vec::new();
    for start in (0..count).step_by(BLOCK_ROWS) {
        let keep = |_, _, cosine| cosines.push(cosine);
        scan_block(&finished.rows, finished.hidden, start, BLOCK_ROWS, keep);
    }
    let or_zero = |value: Option<f64>| value.unwrap_or_default() as f32;
    Message::plain(Event::Baseline {
        revision,
        mean: or_zero(mean(&cosines)),
        low: or_zero(quantile(&mut cosines, 0.05)),
        high: or_zero(quantile(&mut cosines, 0.95)),
        sentence_count: u32::try_from(count).unwrap_or(u32::MAX),
        pair_count: u32::try_from(pair_count(count)).unwrap_or(u32::MAX),
    })
}
