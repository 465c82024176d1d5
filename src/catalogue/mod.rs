//! Every visible text, in every language.
