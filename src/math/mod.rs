//! Loops that become SIMD, rows, products, ranks, statistics, eigenvalues, random numbers, turns.

pub mod eigen;
pub mod lanes;
pub mod products;
pub mod ranks;
pub mod rng;
pub mod rows;
pub mod statistics;
pub mod turn;
