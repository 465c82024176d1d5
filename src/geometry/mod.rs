//! Measures on sets of unit vectors, `[n, hidden]` row-major.

pub mod alignment;
pub mod cosine;
pub mod nearest;
pub mod pairs;
pub mod uniformity;
