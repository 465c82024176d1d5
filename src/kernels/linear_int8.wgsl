// out = act(x weights^T + bias) in whole numbers: see linear_int8.rs.
//
// A workgroup of 16 by THREADS_Y threads computes THREADS_Y THREAD_ROWS rows by 16 THREAD_OUTPUTS
// outputs. A block of 32 inputs lies in workgroup memory as two vectors of 16 codes. A thread's rows are
// THREADS_Y apart and its outputs 16, so that neighbours read neighbouring vectors.

// THREAD_ROWS, THREAD_OUTPUTS: sums of a thread.
override THREADS_Y: u32 = 16u;

// params.a: rows, inputs, outputs of this part, its first output; params.b: all outputs, -, -, -
// [rows, inputs / 16]: 16 codes each
@group(0) @binding(1) var<storage, read> x: array<vec4<u32>>;
// [rows, inputs / 32]
@group(0) @binding(2) var<storage, read> x_scales: array<f32>;
// [outputs, inputs / 16]
@group(0) @binding(3) var<storage, read> weights: array<vec4<u32>>;
// [outputs, inputs / 32]
@group(0) @binding(4) var<storage, read> scales: array<f32>;
// [all outputs]
@group(0) @binding(5) var<storage, read> bias: array<f32>;
// [rows, all outputs]
@group(0) @binding(6) var<storage, read_write> out: array<f32>;

const OUTPUTS: u32 = 16u * THREAD_OUTPUTS;
// [2][rows of the tile]
var<workgroup> of_states: array<vec4<u32>, 2u * THREADS_Y * THREAD_ROWS>;
var<workgroup> of_states_scales: array<f32, THREADS_Y * THREAD_ROWS>;
// [2][OUTPUTS]
var<workgroup> of_weights: array<vec4<u32>, 2u * OUTPUTS>;
var<workgroup> of_weights_scales: array<f32, OUTPUTS>;

fn dot16(a: vec4<u32>, b: vec4<u32>) -> i32 {
    return dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y)
        + dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w);
}

@compute @workgroup_size(16, THREADS_Y)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) thread: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let threads = 16u * THREADS_Y;
    let rows = THREADS_Y * THREAD_ROWS;
    let blocks = params.a.y / 32u;
    let first_output = group.x * OUTPUTS;
    let first_row = group.y * rows;
    var sums = array<f32, THREAD_ROWS * THREAD_OUTPUTS>();
    for (var block = 0u; block < blocks; block += 1u) {
        // Beyond the last row or output the scale is nought, and the codes may be anything.
        for (var i = index; i < 2u * rows; i += threads) {
            let row = min(first_row + i / 2u, params.a.x - 1u);
            of_states[(i % 2u) * rows + i / 2u] = x[(row * blocks + block) * 2u + i % 2u];
        }
        for (var i = index; i < rows; i += threads) {
            let row = first_row + i;
            let place = min(row, params.a.x - 1u) * blocks + block;
            of_states_scales[i] = select(0.0, x_scales[place], row < params.a.x);
        }
        for (var i = index; i < 2u * OUTPUTS; i += threads) {
            let output = min(first_output + i / 2u, params.a.z - 1u);
            of_weights[(i % 2u) * OUTPUTS + i / 2u] =
                weights[(output * blocks + block) * 2u + i % 2u];
        }
        for (var i = index; i < OUTPUTS; i += threads) {
            let output = first_output + i;
            let place = min(output, params.a.z - 1u) * blocks + block;
            of_weights_scales[i] = select(0.0, scales[place], output < params.a.z);
        }
        workgroupBarrier();
        for (var r = 0u; r < THREAD_ROWS; r += 1u) {
            let row = r * THREADS_Y + thread.y;
            let low = of_states[row];
            let high = of_states[rows + row];
            let scale = of_states_scales[row];
            for (var c = 0u; c < THREAD_OUTPUTS; c += 1u) {
                let output = c * 16u + thread.x;
                let whole = dot16(low, of_weights[output])
                    + dot16(high, of_weights[OUTPUTS + output]);
                sums[r * THREAD_OUTPUTS + c] += f32(whole) * (scale * of_weights_scales[output]);
            }
        }
        workgroupBarrier();
    }
    for (var r = 0u; r < THREAD_ROWS; r += 1u) {
        let row = first_row + r * THREADS_Y + thread.y;
        for (var c = 0u; c < THREAD_OUTPUTS; c += 1u) {
            let output = first_output + c * 16u + thread.x;
            if row < params.a.x && output < params.a.z {
                let place = params.a.w + output;
                out[row * params.b.x + place] =
                    activated(sums[r * THREAD_OUTPUTS + c] + bias[place]);
            }
        }
    }
}
