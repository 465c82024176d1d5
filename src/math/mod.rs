//! Rows, ranks, statistics.
