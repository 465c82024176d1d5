//! The only web-sys besides `ui`: worker bridge, downloads, storage, files.
#![cfg(target_arch = "wasm32")]

pub mod bench;
pub mod bridge;
pub mod page_scope;
pub mod picture;
pub mod wire;
