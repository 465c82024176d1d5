//! Rows, ranks, statistics, eigenvalues.

pub mod eigen;
pub mod ranks;
pub mod rows;
pub mod statistics;
