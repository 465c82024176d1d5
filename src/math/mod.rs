//! Rows, ranks, statistics, random numbers.

pub mod ranks;
pub mod rng;
pub mod rows;
pub mod statistics;
