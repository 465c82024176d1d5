//! Leptos views. They only draw; every change goes through [`crate::state`].
#![cfg(target_arch = "wasm32")]

mod adapters;
pub mod app;
mod compare;
mod effects;
mod figure;
mod fine_tune;
mod geometry;
mod header;
mod lesson;
mod list;
mod list_results;
mod loading;
mod models;
mod names;
mod notices;
mod page;
mod parts;
mod search;
mod side_switch;
mod sphere;
mod status;
mod tokens;
