//! The page's worker: it embeds and compares. Training is another program's (`trainer.rs`), whose
//! tensor library nobody should wait for who only compares sentences.

#[cfg(target_arch = "wasm32")]
mod door;

#[cfg(target_arch = "wasm32")]
fn main() -> Result<(), wasm_bindgen::JsValue> {
    door::start(async { Ok(simcse_lab::engine::Engine::new()) })
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    println!("This is the page's worker: it is built for wasm32-unknown-unknown.");
}
