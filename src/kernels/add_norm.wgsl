// out = layer_norm(out + residual), row by row: see add_norm.rs.

// params.a: rows, hidden, bits of epsilon, -
// [rows, hidden]
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
// [rows, hidden]
@group(0) @binding(2) var<storage, read> residual: array<f32>;
// gain [hidden], offset [hidden]
@group(0) @binding(3) var<storage, read> norm: array<f32>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let row = group.y * ROW_SPAN + group.x;
    if row >= params.a.x {
        return;
    }
    let hidden = params.a.y;
    let start = row * hidden;
    var sum = 0.0;
    for (var i = thread; i < hidden; i += THREADS) {
        let value = out[start + i] + residual[start + i];
        out[start + i] = value;
        sum += value;
    }
    normalise(start, hidden, bitcast<f32>(params.a.z), thread, sum);
}
