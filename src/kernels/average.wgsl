// second = (first + second) / 2: see average.rs.

// params.a: rows, hidden, -, -
// [rows, hidden]
@group(0) @binding(1) var<storage, read> first: array<f32>;
// [rows, hidden]
@group(0) @binding(2) var<storage, read_write> second: array<f32>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let row = group.y * ROW_SPAN + group.x;
    if row >= params.a.x {
        return;
    }
    for (var i = thread; i < params.a.y; i += THREADS) {
        let place = row * params.a.y + i;
        second[place] = 0.5 * (first[place] + second[place]);
    }
}
