//! Native tests that need more than one module, or the repository itself: one binary.

mod about;
mod adapter;
mod charts;
mod checkpoint;
mod cli;
mod cli_adapter;
mod cli_corpora;
mod cli_geometry;
mod cli_map;
mod cli_pull;
mod cli_train;
mod cpu;
mod crew;
mod crew_gpu;
mod faults;
mod files;
mod fixture;
mod golden;
mod gpu;
#[allow(dead_code, reason = "the browser tests use more of it")]
#[path = "../hub/mod.rs"]
mod hub;
mod intake;
mod journey;
mod journey_adapter;
mod journey_beside;
mod layering;
mod layers;
mod lesson_charts;
mod measures;
mod memory;
mod parity;
mod quantise;
mod score;
mod search;
mod shared;
mod source;
mod survey;
mod training;
mod views;
mod word_pieces;
