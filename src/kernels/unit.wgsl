// Every row divided by its L2 norm; a row of zeros stays: see unit.rs.

// params.a: rows, hidden, -, -
// [rows, hidden]
@group(0) @binding(1) var<storage, read_write> states: array<f32>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let row = group.y * ROW_SPAN + group.x;
    if row >= params.a.x {
        return;
    }
    let hidden = params.a.y;
    let start = row * hidden;
    var squares = 0.0;
    for (var i = thread; i < hidden; i += THREADS) {
        squares += states[start + i] * states[start + i];
    }
    let norm = sqrt(total(thread, squares));
    if norm == 0.0 {
        return;
    }
    for (var i = thread; i < hidden; i += THREADS) {
        states[start + i] /= norm;
    }
}
