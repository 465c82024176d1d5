//! The native integration tests, in one binary.

mod fixture;
mod golden;
mod parity;
mod shared;
