//! Ranking a corpus's passages: by meaning, by keywords, by both.
//!
//! [`vectors`] keeps unit rows, [`scan`] finds the nearest of them to a query *exactly*: it looks at all
//! of them in int8 with a proved bound on the error, and at those which the bound leaves open again in
//! f32. At 100,000 rows of 384 that takes some ten milliseconds (`cargo bench --bench search`), so that
//! no approximate index is needed. [`keywords`] is BM25, [`fuse`] brings both rankings together.

pub mod blend;
pub mod filter;
pub mod fuse;
pub mod glow;
pub mod keywords;
pub mod scan;
pub mod vectors;
pub mod words;
