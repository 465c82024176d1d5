//! The only web-sys besides `ui`: worker bridge, downloads, storage, files.
#![cfg(target_arch = "wasm32")]
