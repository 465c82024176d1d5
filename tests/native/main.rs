//! Native tests that need more than one module, or the repository itself.

mod layering;
mod source;
