// out[s] = the mean of a sentence's first rows: see pool.rs.

// params.a: sentences, hidden, 1: only the first row, -
// [sentences + 1]
@group(0) @binding(1) var<storage, read> starts: array<u32>;
// [tokens, hidden]
@group(0) @binding(2) var<storage, read> states: array<f32>;
// [sentences, hidden]
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let sentence = group.y * ROW_SPAN + group.x;
    if sentence >= params.a.x {
        return;
    }
    let hidden = params.a.y;
    let start = starts[sentence];
    var end = starts[sentence + 1u];
    if params.a.z == 1u {
        end = min(end, start + 1u);
    }
    let scale = 1.0 / f32(max(end - start, 1u));
    for (var i = thread; i < hidden; i += THREADS) {
        var sum = 0.0;
        for (var token = start; token < end; token += 1u) {
            sum += states[token * hidden + i];
        }
        out[sentence * hidden + i] = sum * scale;
    }
}
