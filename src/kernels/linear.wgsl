// out = act(x weights^T + bias): see linear.rs.
//
// A workgroup of 16 by ROWS_16TH * 4 threads computes a tile of 16 ROWS_4TH rows by 64 outputs; each
// thread 4 by 4 of them. Sixteen inputs at a time lie in workgroup memory, transposed, so that a
// thread reads its four rows, and its four outputs, as one vector each.

// A quarter of the tile's rows: the threads in the second dimension.
override ROWS_4TH: u32 = 16u;
// 1: weights are real numbers; 0: four codes a word with a scale for 32 of them.
override REAL: u32 = 0u;
// 0: nothing; 1: GELU; 2: tanh.
override ACTIVATION: u32 = 0u;

// params.a: rows, inputs, outputs, -
// [rows, inputs]
@group(0) @binding(1) var<storage, read> x: array<f32>;
// [outputs, inputs]
@group(0) @binding(2) var<storage, read> weights: array<u32>;
// [outputs, inputs / 32]
@group(0) @binding(3) var<storage, read> scales: array<f32>;
// [outputs]
@group(0) @binding(4) var<storage, read> bias: array<f32>;
// [rows, outputs]
@group(0) @binding(5) var<storage, read_write> out: array<f32>;

const DEPTH: u32 = 16u;
const OUTPUTS: u32 = 64u;
// [DEPTH][a quarter of the tile's rows]
var<workgroup> of_states: array<vec4<f32>, DEPTH * ROWS_4TH>;
// [DEPTH][OUTPUTS / 4]
var<workgroup> of_weights: array<vec4<f32>, 256>;

fn state(row: u32, input: u32) -> f32 {
    if row >= params.a.x || input >= params.a.y {
        return 0.0;
    }
    return x[row * params.a.y + input];
}

fn weight(output: u32, input: u32) -> f32 {
    if output >= params.a.z || input >= params.a.y {
        return 0.0;
    }
    let index = output * params.a.y + input;
    if REAL == 1u {
        return bitcast<f32>(weights[index]);
    }
    let code = extractBits(bitcast<i32>(weights[index / 4u]), 8u * (index % 4u), 8u);
    return f32(code) * scales[index / 32u];
}

// Abramowitz and Stegun 7.1.26: within 1.5e-7 of the error function.
fn erf(x: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.3275911 * abs(x));
    let series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741
        + t * (-1.453152027 + t * 1.061405429))));
    return sign(x) * (1.0 - series * exp(-x * x));
}

fn activated(value: f32) -> f32 {
    if ACTIVATION == 1u {
        return 0.5 * value * (1.0 + erf(value * 0.70710678118));
    }
    if ACTIVATION == 2u {
        // Beyond, tanh is 1 to the last bit, and some drivers overflow.
        return tanh(clamp(value, -15.0, 15.0));
    }
    return value;
}

@compute @workgroup_size(16, ROWS_4TH)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) thread: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let threads = 16u * ROWS_4TH;
    let first_output = group.x * OUTPUTS;
    let first_row = group.y * 4u * ROWS_4TH;
    var sums = array<vec4<f32>, 4>();
    for (var first = 0u; first < params.a.y; first += DEPTH) {
        // Neighbouring threads read neighbouring inputs of a row.
        for (var i = index; i < DEPTH * ROWS_4TH; i += threads) {
            let depth = i % DEPTH;
            let row = first_row + 4u * (i / DEPTH);
            let input = first + depth;
            of_states[depth * ROWS_4TH + i / DEPTH] = vec4<f32>(
                state(row, input), state(row + 1u, input),
                state(row + 2u, input), state(row + 3u, input));
        }
        for (var i = index; i < 256u; i += threads) {
            let depth = i % DEPTH;
            let output = first_output + 4u * (i / DEPTH);
            let input = first + depth;
            of_weights[depth * 16u + i / DEPTH] = vec4<f32>(
                weight(output, input), weight(output + 1u, input),
                weight(output + 2u, input), weight(output + 3u, input));
        }
        workgroupBarrier();
        for (var depth = 0u; depth < DEPTH; depth += 1u) {
            let rows = of_states[depth * ROWS_4TH + thread.y];
            let outputs = of_weights[depth * 16u + thread.x];
            sums[0] += rows.x * outputs;
            sums[1] += rows.y * outputs;
            sums[2] += rows.z * outputs;
            sums[3] += rows.w * outputs;
        }
        workgroupBarrier();
    }
    let output = first_output + 4u * thread.x;
    for (var r = 0u; r < 4u; r += 1u) {
        let row = first_row + 4u * thread.y + r;
        if row >= params.a.x {
            return;
        }
        for (var c = 0u; c < 4u; c += 1u) {
            if output + c < params.a.z {
                out[row * params.a.z + output + c] = activated(sums[r][c] + bias[output + c]);
            }
        }
    }
}
