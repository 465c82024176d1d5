//! The GPU's kernels: each a pair of files with one stem, `x.rs` (formula, shapes, what is
//! dispatched, and a plain reference) and `x.wgsl` (the same for a GPU). `shared/` holds what several
//! begin with.

pub mod add_norm;
pub mod attention;
pub mod average;
pub mod check;
pub mod embed;
pub mod linear;
pub mod linear_int8;
pub mod matrix;
pub mod multiply;
pub mod pool;
pub mod product;
pub mod quantise;
pub mod score;
pub mod unit;

use crate::gpu::recording::Shader;

/// All kernels' programs.
pub static SHADERS: [&Shader; 17] = [
    &add_norm::SHADER,
    &attention::SHADER,
    &average::SHADER,
    &embed::SHADER,
    &linear::BY_4X4,
    &linear::BY_8X4,
    &linear::BY_8X8,
    &linear::HALF_BY_4X4,
    &linear::HALF_BY_8X4,
    &linear::HALF_BY_8X8,
    &linear_int8::BY_4X4,
    &linear_int8::BY_8X4,
    &linear_int8::BY_8X8,
    &pool::SHADER,
    &quantise::SHADER,
    &score::SHADER,
    &unit::SHADER,
];
