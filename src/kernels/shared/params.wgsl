// A dispatch's small numbers.
struct Params {
    a: vec4<u32>,
    b: vec4<u32>,
}

@group(0) @binding(0) var<uniform> params: Params;

