// Multiplications and additions on registers alone: see peak.rs.

// 1: four products of bytes at a time; 0: f32.
override INT8: u32 = 0u;
override ROUNDS: u32 = 1024u;

struct Params {
    a: vec4<u32>,
    b: vec4<u32>,
}

// params.a: what is multiplied, which the compiler must not know.
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;

fn reals(id: u32) -> f32 {
    let factor = vec4<f32>(bitcast<f32>(params.a.x));
    var a = vec4<f32>(f32(id));
    var b = a + 1.0;
    var c = a + 2.0;
    var d = a + 3.0;
    for (var i = 0u; i < ROUNDS; i += 1u) {
        a = fma(a, factor, factor);
        b = fma(b, factor, factor);
        c = fma(c, factor, factor);
        d = fma(d, factor, factor);
    }
    let all = a + b + c + d;
    return all.x + all.y + all.z + all.w;
}

fn bytes(id: u32) -> f32 {
    let factor = params.a.y;
    var sums = array<i32, 16>();
    for (var i = 0u; i < ROUNDS; i += 1u) {
        for (var k = 0u; k < 16u; k += 1u) {
            sums[k] += dot4I8Packed(bitcast<u32>(sums[k]) + id + k, factor);
        }
    }
    var all = 0;
    for (var k = 0u; k < 16u; k += 1u) {
        all += sums[k];
    }
    return f32(all);
}

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if INT8 == 1u {
        out[id.x] = bytes(id.x);
    } else {
        out[id.x] = reals(id.x);
    }
}
