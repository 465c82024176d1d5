//! The GPU's kernels: each a pair of files with one stem, `x.rs` (formula, shapes, what is
//! dispatched, and a plain reference) and `x.wgsl` (the same for a GPU). `shared/` holds what several
//! begin with.

pub mod add_norm;
pub mod attention;
pub mod average;
pub mod check;
pub mod embed;
pub mod linear;
pub mod matrix;
pub mod pool;
pub mod unit;

use crate::gpu::recording::Shader;

/// All kernels' programs.
pub static SHADERS: [&Shader; 7] = [
    &add_norm::SHADER,
    &attention::SHADER,
    &average::SHADER,
    &embed::SHADER,
    &linear::SHADER,
    &pool::SHADER,
    &unit::SHADER,
];
