// Scaled dot-product attention within each sentence, softmax included: see attention.rs.
//
// A workgroup computes QUERIES queries of one head of one sentence; a thread four numbers of one
// query's output. Keys, then values, come KEYS at a time; the softmax is kept running
// (Milakov and Gimelshein, arXiv 1805.02867), so that sentences may be of any length.

// Numbers of a head over four: the threads in the first dimension.
override WIDTH_4TH: u32 = 8u;
override QUERIES: u32 = 16u;
override KEYS: u32 = 32u;
// Numbers of bias a head, by distance; 0: there is none.
override SPAN: u32 = 0u;

// params.a: hidden / 4, bits of 1 / sqrt(width), -, -
// (first token of the sentence, its tokens, first query of this item, -)
@group(0) @binding(1) var<storage, read> items: array<vec4<u32>>;
// [tokens, 3 hidden / 4]: queries, keys, values
@group(0) @binding(2) var<storage, read> states: array<vec4<f32>>;
// [heads, SPAN]
@group(0) @binding(3) var<storage, read> bias: array<f32>;
// [tokens, hidden / 4]
@group(0) @binding(4) var<storage, read_write> out: array<vec4<f32>>;

var<workgroup> of_queries: array<vec4<f32>, QUERIES * WIDTH_4TH>;
// Keys first, then the same tokens' values.
var<workgroup> of_tokens: array<vec4<f32>, KEYS * WIDTH_4TH>;
// [query][key]
var<workgroup> scores: array<f32, QUERIES * KEYS>;

@compute @workgroup_size(WIDTH_4TH, QUERIES)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) thread: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let hidden = params.a.x;
    let item = items[group.x];
    let column = group.y * WIDTH_4TH + thread.x;
    let first_query = item.z + group.z * QUERIES;
    if first_query >= item.y {
        return;
    }
    let query = first_query + thread.y;
    let is_here = query < item.y;
    var mine = vec4<f32>();
    if is_here {
        mine = states[(item.x + query) * 3u * hidden + column] * bitcast<f32>(params.a.y);
    }
    of_queries[thread.y * WIDTH_4TH + thread.x] = mine;
    var highest = -3.0e38;
    var total = 0.0;
    var sums = vec4<f32>();
    for (var first = 0u; first < item.y; first += KEYS) {
        let count = min(KEYS, item.y - first);
        // Token by token, all threads that are there.
        for (var key = thread.y; key < count; key += QUERIES) {
            of_tokens[key * WIDTH_4TH + thread.x] =
                states[((item.x + first + key) * 3u + 1u) * hidden + column];
        }
        workgroupBarrier();
        for (var key = thread.x; key < count; key += WIDTH_4TH) {
            var score = 0.0;
            for (var i = 0u; i < WIDTH_4TH; i += 1u) {
                score += dot(of_queries[thread.y * WIDTH_4TH + i], of_tokens[key * WIDTH_4TH + i]);
            }
            if SPAN > 0u {
                let reach = i32(SPAN / 2u);
                let distance = clamp(i32(first + key) - i32(query), -reach, reach);
                score += bias[group.y * SPAN + u32(distance + reach)];
            }
            scores[thread.y * KEYS + key] = score;
        }
        workgroupBarrier();
        for (var key = thread.y; key < count; key += QUERIES) {
            of_tokens[key * WIDTH_4TH + thread.x] =
                states[((item.x + first + key) * 3u + 2u) * hidden + column];
        }
        var top = highest;
        for (var key = 0u; key < count; key += 1u) {
            top = max(top, scores[thread.y * KEYS + key]);
        }
        // All have seen the scores before they become weights.
        workgroupBarrier();
        for (var key = thread.x; key < count; key += WIDTH_4TH) {
            let place = thread.y * KEYS + key;
            scores[place] = exp(scores[place] - top);
        }
        workgroupBarrier();
        let shrink = exp(highest - top);
        total *= shrink;
        sums *= shrink;
        for (var key = 0u; key < count; key += 1u) {
            let share = scores[thread.y * KEYS + key];
            total += share;
            sums += share * of_tokens[key * WIDTH_4TH + thread.x];
        }
        highest = top;
        workgroupBarrier();
    }
    if is_here {
        out[(item.x + query) * hidden + column] = sums / total;
    }
}
