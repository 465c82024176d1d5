// Scores of rows against four queries, and the best of 256 rows for each: see score.rs.

// 1: rows are real numbers; 0: four codes a word with a scale for 32 of them.
override REAL: u32 = 1u;

// params.a: queries, hidden, rows of this part, its first row
// params.b: its first chunk, all chunks, k, -
// [queries, hidden]
@group(0) @binding(1) var<storage, read> queries: array<f32>;
// [rows, hidden]
@group(0) @binding(2) var<storage, read> rows: array<u32>;
// [rows, hidden / 32]
@group(0) @binding(3) var<storage, read> scales: array<f32>;
// [queries, all chunks, k] of (bits of the score, row)
@group(0) @binding(4) var<storage, read_write> out: array<vec2<u32>>;

const CHUNK: u32 = 256u;
const DEPTH: u32 = 8u;
// One more, so that neighbouring rows lie in different banks.
const STRIDE: u32 = 9u;
var<workgroup> of_rows: array<f32, CHUNK * STRIDE>;
// The same input of four queries.
var<workgroup> of_queries: array<vec4<f32>, DEPTH>;
var<workgroup> scores: array<vec4<f32>, CHUNK>;

fn number(row: u32, input: u32) -> f32 {
    if row >= params.a.z || input >= params.a.y {
        return 0.0;
    }
    let index = row * params.a.y + input;
    if REAL == 1u {
        return bitcast<f32>(rows[index]);
    }
    let code = extractBits(bitcast<i32>(rows[index / 4u]), 8u * (index % 4u), 8u);
    return f32(code) * scales[index / 32u];
}

fn of_query(query: u32, input: u32) -> f32 {
    if query >= params.a.x || input >= params.a.y {
        return 0.0;
    }
    return queries[query * params.a.y + input];
}

fn keep(query: u32, chunk: u32, rank: u32, score: f32, row: u32) {
    if query < params.a.x && rank < params.b.z {
        let place = (query * params.b.y + params.b.x + chunk) * params.b.z + rank;
        out[place] = vec2<u32>(bitcast<u32>(score), params.a.w + row);
    }
}

@compute @workgroup_size(CHUNK)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let first_row = group.x * CHUNK;
    let first_query = group.y * 4u;
    var mine = vec4<f32>();
    for (var first = 0u; first < params.a.y; first += DEPTH) {
        for (var i = thread; i < CHUNK * DEPTH; i += CHUNK) {
            let row = i / DEPTH;
            of_rows[row * STRIDE + i % DEPTH] = number(first_row + row, first + i % DEPTH);
        }
        if thread < DEPTH {
            let input = first + thread;
            of_queries[thread] = vec4<f32>(
                of_query(first_query, input), of_query(first_query + 1u, input),
                of_query(first_query + 2u, input), of_query(first_query + 3u, input));
        }
        workgroupBarrier();
        for (var depth = 0u; depth < DEPTH; depth += 1u) {
            mine += of_rows[thread * STRIDE + depth] * of_queries[depth];
        }
        workgroupBarrier();
    }
    scores[thread] = mine;
    workgroupBarrier();
    let row = first_row + thread;
    if row >= params.a.z {
        return;
    }
    // A row's rank is the number of rows before it: higher ones, and equal ones with a lower index.
    let count = min(CHUNK, params.a.z - first_row);
    var rank = vec4<u32>();
    for (var other = 0u; other < count; other += 1u) {
        let is_equal = (scores[other] == mine) & vec4<bool>(other < thread);
        rank += select(vec4<u32>(), vec4<u32>(1u), (scores[other] > mine) | is_equal);
    }
    keep(first_query, group.x, rank.x, mine.x, row);
    keep(first_query + 1u, group.x, rank.y, mine.y, row);
    keep(first_query + 2u, group.x, rank.z, mine.z, row);
    keep(first_query + 3u, group.x, rank.w, mine.w, row);
}
