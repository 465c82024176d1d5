// Blocks of 32 states to whole numbers with a scale: see quantise.rs.

// params.a: blocks, -, -, -
// [blocks, 32]
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
// [blocks, 8]: four codes a word
@group(0) @binding(2) var<storage, read_write> codes: array<u32>;
// [blocks]
@group(0) @binding(3) var<storage, read_write> scales: array<f32>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let block = (group.y * ROW_SPAN + group.x) * THREADS + thread;
    if block >= params.a.x {
        return;
    }
    var highest4 = vec4<f32>();
    for (var i = 0u; i < 8u; i += 1u) {
        highest4 = max(highest4, abs(x[block * 8u + i]));
    }
    let highest = max(max(highest4.x, highest4.y), max(highest4.z, highest4.w));
    var factor = 0.0;
    var scale = 0.0;
    if highest >= 1e-30 {
        factor = 127.0 / highest;
        scale = highest / 127.0;
    }
    scales[block] = scale;
    for (var i = 0u; i < 8u; i += 1u) {
        let four = vec4<i32>(clamp(round(x[block * 8u + i] * factor), vec4<f32>(-127.0), vec4<f32>(127.0)));
        let bytes = vec4<u32>(four & vec4<i32>(255)) << vec4<u32>(0u, 8u, 16u, 24u);
        codes[block * 8u + i] = bytes.x | bytes.y | bytes.z | bytes.w;
    }
}
