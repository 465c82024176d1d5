//! The only web-sys besides `ui`: worker bridge, downloads, storage, files.
#![cfg(target_arch = "wasm32")]

pub mod bench;
pub mod body;
pub mod bridge;
pub mod corpus_store;
pub mod digest;
pub mod download;
pub mod fetching;
pub mod keeper;
pub mod model_loader;
pub mod model_shelf;
pub mod page_scope;
pub mod picture;
pub mod pull;
pub mod puller;
pub mod relaxed;
pub mod shelf;
pub mod store;
pub mod wire;
pub mod worker_scope;
