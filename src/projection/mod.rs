//! Maps: unit vectors `[n, hidden]` laid out in the plane, and how far to believe it.
//!
//! Everything is seeded, goes on a step at a time, and gives equal bytes on every machine: only
//! basic operations, square roots and [`crate::math::elementary`] decide where a point goes.

pub mod affinity;
pub mod clusters;
pub mod curve;
pub mod descent;
pub mod fuzzy;
pub mod graph;
pub mod lists;
pub mod mapping;
pub mod neighbours;
pub mod pca;
pub mod quadtree;
pub mod start;
pub mod subspace;
pub mod trust;
pub mod tsne;
pub mod umap;
pub mod work;
