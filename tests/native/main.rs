//! Native tests that need more than one module, or the repository itself: one binary.

mod fixture;
mod golden;
mod journey;
mod layering;
mod parity;
mod shared;
mod source;
