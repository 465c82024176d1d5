//! The nearest rows: scores `q · r` of queries against rows (their cosines, if all have unit length), and
//! the `k` best rows of each query, best first, of equal ones the lower index first. The GPU finds the
//! best of every chunk of 256 rows by their ranks; the host merges those.
//!
//! Bindings: params (queries, hidden, rows of this part, its first row, its first chunk, all chunks, k),
//! queries `[queries, hidden]`, codes and scales of the part's rows `[rows, hidden]`, out
//! `[queries, all chunks, k]` of (bits of the score, row). A workgroup a chunk and four queries. Where a
//! chunk has fewer rows than `k`, what is left of its room holds anything.

use std::cmp::Ordering;

use crate::gpu::buffer::Buffer;
use crate::gpu::device::Gpu;
use crate::gpu::error::Error;
use crate::gpu::recording::{Access, Dispatch, Recording, Shader};
use crate::kernels::matrix::{Matrix, OnGpu, Part};

pub static SHADER: Shader = Shader {
    name: "score",
    source: concat!(include_str!("shared/params.wgsl"), include_str!("score.wgsl")),
    buffers: &[Access::Read, Access::Read, Access::Read, Access::Write],
};

/// The most rows that can be asked for.
pub const MOST: usize = 64;
/// Rows of a workgroup: `CHUNK` in the kernel.
const CHUNK: usize = 256;
/// Queries of a workgroup.
const QUERIES: usize = 4;

/// A row that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    pub row: u32,
    pub score: f32,
}

/// What is looked for where.
#[derive(Debug, Clone, Copy)]
pub struct Search<'a> {
    /// Number of queries.
    pub count: usize,
    /// `[count, hidden]`
    pub queries: &'a Buffer,
    /// `[rows, hidden]`, finite.
    pub rows: &'a OnGpu,
    /// How many, at most [`MOST`].
    pub k: usize,
}

impl Search<'_> {
    fn chunks(&self) -> usize {
        self.rows.parts.iter().map(|part| part.rows.div_ceil(CHUNK)).sum()
    }

    /// Numbers that the results take: a score and a row each.
    pub fn numbers(&self) -> usize {
        2 * self.count * self.chunks() * self.k
    }

    /// The best of every query from the results, best first.
    pub fn merge(&self, results: &[f32]) -> Vec<Vec<Hit>> {
        let (pairs, _) = results.as_chunks::<2>();
        let chunk_rows = self.rows.parts.iter().flat_map(|part| {
            (0..part.rows).step_by(CHUNK).map(|first| CHUNK.min(part.rows - first))
        });
        let chunk_rows: Vec<usize> = chunk_rows.collect();
        let of_one = chunk_rows.len() * self.k;
        let merged = |pairs: &[[f32; 2]]| {
            let chunks = pairs.chunks_exact(self.k.max(1)).zip(&chunk_rows);
            let hits = chunks.flat_map(|(pairs, rows)| pairs.iter().take(*rows));
            best(hits.map(|[score, row]| Hit { row: row.to_bits(), score: *score }), self.k)
        };
        (0..self.count)
            .map(|query| {
                merged(pairs.get(query * of_one..(query + 1) * of_one).unwrap_or_default())
            })
            .collect()
    }
}

/// The `k` best, best first, of equal ones the lower row first.
fn best(hits: impl Iterator<Item = Hit>, k: usize) -> Vec<Hit> {
    let mut hits: Vec<Hit> = hits.collect();
    hits.sort_unstable_by(|a, b| {
        let by_score = b.score.partial_cmp(&a.score).unwrap_or(Ordering::Equal);
        by_score.then(a.row.cmp(&b.row))
    });
    hits.truncate(k);
    hits
}

/// The dispatches of a search, one a part of its rows; `out` has room for [`Search::numbers`].
pub fn dispatches(search: Search<'_>, out: &Buffer) -> Vec<Dispatch> {
    let mut chunk = 0;
    let mut steps = Vec::new();
    for part in &search.rows.parts {
        steps.push(dispatch(search, part, chunk, out));
        chunk += part.rows.div_ceil(CHUNK);
    }
    steps
}

fn dispatch(search: Search<'_>, part: &Part, chunk: usize, out: &Buffer) -> Dispatch {
    let Search { count, queries, rows, k } = search;
    let sizes = [count, rows.columns, part.rows, part.first_row, chunk, search.chunks(), k, 0];
    Dispatch {
        shader: &SHADER,
        constants: vec![("REAL", u32::from(rows.is_real))],
        params: sizes.map(|size| size as u32),
        buffers: [queries, &part.codes, &part.scales, out].map(Buffer::clone).into(),
        groups: [part.rows.div_ceil(CHUNK) as u32, count.div_ceil(QUERIES) as u32, 1],
    }
}

/// The `k` nearest rows of each query `[hidden]`: one submission and one read-back.
///
/// # Errors
/// [`Error::Limit`] where `k` is more than [`MOST`] or the results are too long for a buffer: fewer
/// queries at a time help. Else as [`Gpu::run`].
pub async fn nearest(
    gpu: &Gpu,
    queries: &[f32],
    rows: &OnGpu,
    k: usize,
) -> Result<Vec<Vec<Hit>>, Error> {
    if k > MOST {
        let (needed, limit) = (k as u64, MOST as u64);
        return Err(Error::Limit { what: "the number of nearest rows", needed, limit });
    }
    let count = queries.len() / rows.columns.max(1);
    let queries = gpu.upload_reals("queries", queries)?;
    let search = Search { count, queries: &queries, rows, k };
    let numbers = search.numbers();
    let out = gpu.room("nearest", numbers)?;
    let steps = dispatches(search, &out);
    let results = gpu.run(Recording { steps }, &[(&out, numbers)]).await?;
    Ok(search.merge(&results))
}

/// The same in plain loops.
pub fn reference(queries: &[f32], rows: &Matrix, k: usize) -> Vec<Vec<Hit>> {
    let table = rows.decoded();
    let of_query = |query: &[f32]| {
        let hits = (0..).zip(table.chunks(rows.columns)).map(|(row, numbers)| {
            let products = numbers.iter().zip(query).map(|(a, b)| f64::from(*a) * f64::from(*b));
            Hit { row, score: products.sum::<f64>() as f32 }
        });
        best(hits, k)
    };
    queries.chunks(rows.columns).map(of_query).collect()
}
