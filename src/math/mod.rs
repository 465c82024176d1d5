//! Loops that become SIMD, rows, ranks, statistics, eigenvalues, random numbers, turns, and what
//! is the same to the last bit everywhere (`elementary`).

pub mod eigen;
pub mod elementary;
pub mod lanes;
pub mod ranks;
pub mod rng;
pub mod rows;
pub mod statistics;
pub mod turn;
