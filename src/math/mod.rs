//! Loops that become SIMD, rows, ranks, statistics, eigenvalues, turns.

pub mod eigen;
pub mod lanes;
pub mod ranks;
pub mod rows;
pub mod statistics;
pub mod turn;
