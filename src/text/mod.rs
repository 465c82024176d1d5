//! Tokeniser, sentence lists, pairs files.
