//! Loops that become SIMD, rows, ranks, statistics.

pub mod lanes;
pub mod ranks;
pub mod rows;
pub mod statistics;
