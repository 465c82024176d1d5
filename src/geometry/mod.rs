//! Measures on sets of unit vectors, `[n, hidden]` row-major.

pub mod alignment;
pub mod cosine;
pub mod histogram;
pub mod nearest;
pub mod pairs;
pub mod shape;
pub mod spectrum;
pub mod sphere;
pub mod uniformity;
pub mod whitening;
