//! Tokeniser, sentence lists, pairs files.

pub mod examples;
pub mod lists;
pub mod tokeniser;
