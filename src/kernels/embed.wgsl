// out[t] = layer_norm(words[id[t]] + positions[place[t]]): see embed.rs.

override REAL: u32 = 0u;

// params.a: tokens, hidden, bits of epsilon, first word here
// params.b: words here, first position here, positions here, -
// (id, place in the sentence)
@group(0) @binding(1) var<storage, read> tokens: array<vec2<u32>>;
// [words, hidden]: four codes a word, or the bits of one real number
@group(0) @binding(2) var<storage, read> codes: array<u32>;
// [words, hidden / 32]
@group(0) @binding(3) var<storage, read> scales: array<f32>;
// [positions, hidden]
@group(0) @binding(4) var<storage, read> positions: array<f32>;
// gain [hidden], offset [hidden]
@group(0) @binding(5) var<storage, read> norm: array<f32>;
// [tokens, hidden]
@group(0) @binding(6) var<storage, read_write> out: array<f32>;

fn word(index: u32) -> f32 {
    if REAL == 1u {
        return bitcast<f32>(codes[index]);
    }
    let code = extractBits(bitcast<i32>(codes[index / 4u]), 8u * (index % 4u), 8u);
    return f32(code) * scales[index / 32u];
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let row = group.y * ROW_SPAN + group.x;
    if row >= params.a.x {
        return;
    }
    let hidden = params.a.y;
    // Wraps round for those before the first, so that one comparison finds both ends.
    let token = tokens[row] - vec2<u32>(params.a.w, params.b.y);
    if token.x >= params.b.x || token.y >= params.b.z {
        return;
    }
    let start = row * hidden;
    var sum = 0.0;
    for (var i = thread; i < hidden; i += THREADS) {
        let value = word(token.x * hidden + i) + positions[token.y * hidden + i];
        out[start + i] = value;
        sum += value;
    }
    normalise(start, hidden, bitcast<f32>(params.a.z), thread, sum);
}
