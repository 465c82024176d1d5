//! Loops that become SIMD, rows, ranks, statistics, eigenvalues.

pub mod eigen;
pub mod lanes;
pub mod ranks;
pub mod rows;
pub mod statistics;
