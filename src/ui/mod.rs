//! Leptos views. They only draw; every change goes through [`crate::state`].
#![cfg(target_arch = "wasm32")]
