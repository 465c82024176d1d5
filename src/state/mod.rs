//! The page's state and its pure `update(state, action) -> effects`; no DOM.
//!
//! *Invariant:* nothing changes [`app::State`] but [`update::update`]; what it cannot do itself
//! (talk to the worker, store, copy, wait) it asks for as [`effect::Effect`] values.

pub mod action;
pub mod adapters;
pub mod app;
mod ask;
pub mod compare;
pub mod effect;
pub mod export;
mod figures;
pub mod fine_tune;
pub mod geometry;
pub mod gpu;
pub mod lesson;
pub mod loading;
pub mod models;
pub mod notice;
pub mod route;
pub mod saved;
pub mod search;
pub mod settings;
pub mod shelf;
pub mod trainer;
pub mod update;
mod worker_events;

#[cfg(test)]
mod tests;
