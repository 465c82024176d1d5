//! Native tests that need more than one module, or the repository itself: one binary.

mod adapter;
mod charts;
mod checkpoint;
mod cli;
mod cli_adapter;
mod cli_train;
mod cpu;
mod crew;
mod crew_gpu;
mod faults;
mod fixture;
mod golden;
mod gpu;
mod journey;
mod journey_adapter;
mod layering;
mod lesson_charts;
mod memory;
mod parity;
mod quantise;
mod shared;
mod source;
mod survey;
mod training;
mod views;
mod word_pieces;
