//! Measures on sets of unit vectors, `[n, hidden]` row-major, and what can be done to such vectors.

pub mod alignment;
pub mod bands;
pub mod cosine;
pub mod given;
pub mod histogram;
pub mod hubness;
pub mod isoscore;
pub mod moments;
pub mod nearest;
pub mod pairs;
pub mod shape;
pub mod spectrum;
pub mod sphere;
pub mod spread;
pub mod study;
pub mod treatment;
pub mod uniformity;
