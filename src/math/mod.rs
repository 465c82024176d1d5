//! Rows, ranks, statistics.

pub mod ranks;
pub mod rows;
pub mod statistics;
