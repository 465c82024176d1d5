//! Scaled dot-product attention within each sentence (arXiv 1706.03762): `softmax(q k^T / sqrt(width))
//! v` for each head, the softmax kept running over some keys at a time (arXiv 1805.02867). MPNet adds a
//! number to every score, by head and distance (arXiv 2004.09297; T5's buckets, arXiv 1910.10683).
//!
//! Bindings: params (hidden / 4, 1 / sqrt(width)), items (first token, tokens, first query) of up to
//! 16 queries each, states `[tokens, 3 hidden]` (queries, keys, values side by side, heads side by
//! side within each), bias `[heads, SPAN]` (anything where the constant SPAN is 0), out `[tokens, hidden]`. A workgroup an item, or half of one, and head. Heads are
//! multiples of four. Up to a width of 64 it takes 16 queries and 32 keys at a time, up to 128 half of
//! both: then they take 14 of the 16 KiB of workgroup memory that every device has, at most 256 threads.

use crate::gpu::buffer::Buffer;
use crate::gpu::recording::{Access, Dispatch, Shader};

pub static SHADER: Shader = Shader {
    name: "attention",
    source: concat!(include_str!("shared/params.wgsl"), include_str!("attention.wgsl")),
    buffers: &[Access::Read, Access::Read, Access::Read, Access::Write],
};

/// Queries of an item.
const QUERIES: usize = 16;
/// The widest head.
pub const MOST_WIDTH: usize = 128;

/// Tokens further from each other are as far as this.
const REACH: usize = 128;
/// Numbers of bias that a head has: distances from `-(REACH - 1)` to `REACH - 1`, a key's place less its
/// query's.
pub const SPAN: usize = 2 * REACH - 1;

/// MPNet's bias by distance, `[heads, SPAN]`, from its table `[buckets, heads]`.
///
/// Half of the buckets are for keys before the query; of each half one part stands for a distance each,
/// the other for ever longer stretches, up to [`REACH`] (transformers, `modeling_mpnet.py`,
/// `relative_position_bucket`).
pub fn bias_by_distance(table: &[f32], heads: usize) -> Vec<f32> {
    let half = table.len() / heads.max(1) / 2;
    let exact = half / 2;
    let bucket = |distance: i32| {
        let far = distance.unsigned_abs() as usize;
        let near = if far < exact {
            far
        } else {
            let share = (far as f32 / exact as f32).ln() / (REACH as f32 / exact as f32).ln();
            (exact + (share * (half - exact) as f32) as usize).min(half - 1)
        };
        if distance > 0 { half + near } else { near }
    };
    let reach = REACH as i32 - 1;
    let of_head = |head: usize| {
        (-reach..=reach)
            .map(move |distance| table.get(bucket(distance) * heads + head).copied().unwrap_or(0.0))
    };
    (0..heads).flat_map(of_head).collect()
}

/// Adds a head's bias `[SPAN]` to the scores of one query with every key.
pub fn lean(scores: &mut [f32], query: usize, bias: &[f32]) {
    for (key, score) in scores.iter_mut().enumerate() {
        let place = (key + REACH - 1).saturating_sub(query).min(SPAN - 1);
        *score += bias.get(place).copied().unwrap_or(0.0);
    }
}

/// The items of sentences, given where each starts and where the last one ends; four words an item.
pub fn items(starts: &[usize]) -> Vec<u32> {
    let mut items = Vec::new();
    for ends in starts.windows(2) {
        let (start, count) = (ends[0], ends[1] - ends[0]);
        for query in (0..count).step_by(QUERIES) {
            items.extend([start as u32, count as u32, query as u32, 0]);
        }
    }
    items
}

/// The dispatch for `item_count` items of states `[tokens, 3 hidden]`, with a bias `[heads, SPAN]` or
/// none.
pub fn dispatch(
    item_count: usize,
    (hidden, heads): (usize, usize),
    items: &Buffer,
    (states, bias): (&Buffer, Option<&Buffer>),
    out: &Buffer,
) -> Dispatch {
    let width = hidden / heads;
    let scale = 1.0 / (width as f32).sqrt();
    let halves = if width > 64 { 2 } else { 1 };
    let (queries, keys) = (QUERIES as u32 / halves, 2 * QUERIES as u32 / halves);
    Dispatch {
        shader: &SHADER,
        constants: vec![
            ("WIDTH_4TH", (width / 4) as u32),
            ("QUERIES", queries),
            ("KEYS", keys),
            ("SPAN", if bias.is_some() { SPAN as u32 } else { 0 }),
        ],
        params: [(hidden / 4) as u32, scale.to_bits(), 0, 0, 0, 0, 0, 0],
        // Something has to be bound where nothing is read.
        buffers: vec![items.clone(), states.clone(), bias.unwrap_or(states).clone(), out.clone()],
        groups: [item_count as u32, heads as u32, halves],
    }
}

/// The same in plain loops; `bias` is `[heads, SPAN]` or empty.
pub fn reference(
    states: &[f32],
    bias: &[f32],
    (hidden, heads): (usize, usize),
    starts: &[usize],
) -> Vec<f32> {
    let width = hidden / heads;
    let at = |token: usize, part: usize, column: usize| {
        f64::from(states[(token * 3 + part) * hidden + column])
    };
    let mut out = vec![0.0; states.len() / 3];
    for ends in starts.windows(2) {
        for query in ends[0]..ends[1] {
            for head in 0..heads {
                let columns = head * width..(head + 1) * width;
                let score = |key: usize| {
                    let dot: f64 = columns.clone().map(|c| at(query, 0, c) * at(key, 1, c)).sum();
                    let reach = REACH as i64 - 1;
                    let distance = (key as i64 - query as i64).clamp(-reach, reach) + reach;
                    let bias = bias.get(head * SPAN + distance as usize).copied();
                    dot / (width as f64).sqrt() + f64::from(bias.unwrap_or(0.0))
                };
                let scores: Vec<f64> = (ends[0]..ends[1]).map(score).collect();
                let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let shares: Vec<f64> = scores.iter().map(|score| (score - top).exp()).collect();
                let total: f64 = shares.iter().sum();
                for column in columns.clone() {
                    let keys = ends[0]..ends[1];
                    let sum: f64 = keys.zip(&shares).map(|(key, s)| s * at(key, 2, column)).sum();
                    out[query * hidden + column] = (sum / total) as f32;
                }
            }
        }
    }
    out
}
