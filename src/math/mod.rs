//! Loops that become SIMD, rows, products, ranks, statistics, eigenvalues, random numbers, turns, maps
//! laid over each other, and what is the same to the last bit everywhere (`elementary`).

pub mod align;
pub mod eigen;
pub mod elementary;
pub mod evenly;
pub mod lanes;
pub mod products;
pub mod ranks;
pub mod rng;
pub mod rows;
pub mod statistics;
pub mod turn;
