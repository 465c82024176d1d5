// out = act(x weights^T + bias): see linear.rs.
//
// A workgroup of 16 by THREADS_Y threads computes a tile of THREADS_Y THREAD_ROWS rows by
// 16 THREAD_OUTPUTS outputs; each thread some of them, in fours. Sixteen inputs at a time lie in
// workgroup memory, transposed, so that a thread reads four rows, and four outputs, as one vector.

// THREAD_ROWS, THREAD_OUTPUTS: sums of a thread.
override THREADS_Y: u32 = 16u;
// 1: weights are real numbers; 0: four codes a word with a scale for 32 of them.
override REAL: u32 = 0u;

// params.a: rows, inputs, outputs of this part, its first output; params.b: all outputs, -, -, -
// [rows, inputs]
@group(0) @binding(1) var<storage, read> x: array<f32>;
// [outputs, inputs]
@group(0) @binding(2) var<storage, read> weights: array<u32>;
// [outputs, inputs / 32]
@group(0) @binding(3) var<storage, read> scales: array<f32>;
// [all outputs]
@group(0) @binding(4) var<storage, read> bias: array<f32>;
// [rows, all outputs]
@group(0) @binding(5) var<storage, read_write> out: array<f32>;

const DEPTH: u32 = 16u;
const ROW_FOURS: u32 = THREAD_ROWS / 4u;
const OUTPUT_FOURS: u32 = THREAD_OUTPUTS / 4u;
// Fours of outputs of the tile.
const OUTPUTS: u32 = 16u * OUTPUT_FOURS;
// [DEPTH][fours of rows of the tile]
var<workgroup> of_states: array<vec4<Number>, DEPTH * THREADS_Y * ROW_FOURS>;
// [DEPTH][OUTPUTS]
var<workgroup> of_weights: array<vec4<Number>, DEPTH * OUTPUTS>;

// Four inputs of a row.
fn states(row: u32, input: u32) -> vec4<f32> {
    let inputs = params.a.y;
    if row >= params.a.x || input >= inputs {
        return vec4<f32>();
    }
    let at = row * inputs + input;
    if input + 4u <= inputs {
        return vec4<f32>(x[at], x[at + 1u], x[at + 2u], x[at + 3u]);
    }
    let last = row * inputs + inputs - 1u;
    let all = vec4<f32>(x[at], x[min(at + 1u, last)], x[min(at + 2u, last)], 0.0);
    return select(vec4<f32>(), all, vec4<u32>(input) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(inputs));
}

// Four inputs' weights of an output.
fn of_output(output: u32, input: u32) -> vec4<f32> {
    let inputs = params.a.y;
    if output >= params.a.z || input >= inputs {
        return vec4<f32>();
    }
    let at = output * inputs + input;
    if REAL == 0u {
        let word = vec4<i32>(bitcast<i32>(weights[at / 4u]));
        let codes = (word << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u);
        return vec4<f32>(codes) * scales[at / 32u];
    }
    let last = output * inputs + inputs - 1u;
    let all = bitcast<vec4<f32>>(vec4<u32>(weights[at], weights[min(at + 1u, last)],
        weights[min(at + 2u, last)], weights[min(at + 3u, last)]));
    return select(vec4<f32>(), all, vec4<u32>(input) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(inputs));
}

fn write_one(row: u32, output: u32, sum: f32) {
    if row < params.a.x && output < params.a.z {
        let place = params.a.w + output;
        out[row * params.b.x + place] = activated(sum + bias[place]);
    }
}

// One by one, by name: a sum found by a number may cost all of them their registers.
fn write_four(row: u32, output: u32, sums: vec4<f32>) {
    write_one(row, output, sums.x);
    write_one(row, output + 1u, sums.y);
    write_one(row, output + 2u, sums.z);
    write_one(row, output + 3u, sums.w);
}

@compute @workgroup_size(16, THREADS_Y)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) thread: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let threads = 16u * THREADS_Y;
    // Fours of rows of the tile.
    let rows = THREADS_Y * ROW_FOURS;
    let first_output = group.x * 4u * OUTPUTS;
    let first_row = group.y * 4u * rows;
    var sums = array<vec4<f32>, 4u * ROW_FOURS * OUTPUT_FOURS>();
    for (var first = 0u; first < params.a.y; first += DEPTH) {
        // Four rows by four inputs at a time; neighbouring threads read neighbouring inputs.
        for (var i = index; i < (DEPTH / 4u) * rows; i += threads) {
            let depth = 4u * (i % (DEPTH / 4u));
            let four = i / (DEPTH / 4u);
            let row = first_row + 4u * four;
            let turned = transpose(mat4x4<f32>(
                states(row, first + depth), states(row + 1u, first + depth),
                states(row + 2u, first + depth), states(row + 3u, first + depth)));
            of_states[depth * rows + four] = vec4<Number>(turned[0]);
            of_states[(depth + 1u) * rows + four] = vec4<Number>(turned[1]);
            of_states[(depth + 2u) * rows + four] = vec4<Number>(turned[2]);
            of_states[(depth + 3u) * rows + four] = vec4<Number>(turned[3]);
        }
        for (var i = index; i < (DEPTH / 4u) * OUTPUTS; i += threads) {
            let depth = 4u * (i % (DEPTH / 4u));
            let four = i / (DEPTH / 4u);
            let output = first_output + 4u * four;
            let turned = transpose(mat4x4<f32>(
                of_output(output, first + depth), of_output(output + 1u, first + depth),
                of_output(output + 2u, first + depth), of_output(output + 3u, first + depth)));
            of_weights[depth * OUTPUTS + four] = vec4<Number>(turned[0]);
            of_weights[(depth + 1u) * OUTPUTS + four] = vec4<Number>(turned[1]);
            of_weights[(depth + 2u) * OUTPUTS + four] = vec4<Number>(turned[2]);
            of_weights[(depth + 3u) * OUTPUTS + four] = vec4<Number>(turned[3]);
        }
        workgroupBarrier();
        for (var depth = 0u; depth < DEPTH; depth += 1u) {
            for (var r = 0u; r < ROW_FOURS; r += 1u) {
                let row = vec4<f32>(of_states[depth * rows + r * THREADS_Y + thread.y]);
                for (var c = 0u; c < OUTPUT_FOURS; c += 1u) {
                    let output = vec4<f32>(of_weights[depth * OUTPUTS + c * 16u + thread.x]);
                    let place = 4u * (r * OUTPUT_FOURS + c);
                    sums[place] += row.x * output;
                    sums[place + 1u] += row.y * output;
                    sums[place + 2u] += row.z * output;
                    sums[place + 3u] += row.w * output;
                }
            }
        }
        workgroupBarrier();
    }
    for (var r = 0u; r < ROW_FOURS; r += 1u) {
        let row = first_row + 4u * (r * THREADS_Y + thread.y);
        for (var c = 0u; c < OUTPUT_FOURS; c += 1u) {
            let output = first_output + 4u * (c * 16u + thread.x);
            let place = 4u * (r * OUTPUT_FOURS + c);
            write_four(row, output, sums[place]);
            write_four(row + 1u, output, sums[place + 1u]);
            write_four(row + 2u, output, sums[place + 2u]);
            write_four(row + 3u, output, sums[place + 3u]);
        }
    }
}
