//! The page's state and its pure `update(state, event) -> effects`; no DOM.
