//! The native integration tests, in one binary.

mod checkpoint;
mod cli;
mod faults;
mod fixture;
mod golden;
mod memory;
mod parity;
mod quantise;
mod shared;
