//! Measures on sets of unit vectors.
