//! Tokeniser, sentence lists, pairs files.

pub mod lists;
pub mod tokeniser;
