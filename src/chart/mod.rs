//! Charts as pure functions: data to shapes to SVG.
