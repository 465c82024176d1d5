//! Loops that become SIMD, rows, ranks, statistics, eigenvalues, random numbers, turns, maps laid over
//! each other.

pub mod align;
pub mod eigen;
pub mod lanes;
pub mod ranks;
pub mod rng;
pub mod rows;
pub mod statistics;
pub mod turn;
