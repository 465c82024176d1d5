//! Tokeniser, sentence lists, pairs files.

pub mod book;
pub mod columns;
pub mod corpus;
pub mod examples;
pub mod lists;
pub mod tokeniser;
pub mod tokenizer_file;
