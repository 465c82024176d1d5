<<<<<<< HEAD
//! Rows, ranks, statistics, random numbers.
=======
//! Loops that become SIMD, rows, ranks, statistics.
>>>>>>> issue3

pub mod lanes;
pub mod ranks;
pub mod rng;
pub mod rows;
pub mod statistics;
