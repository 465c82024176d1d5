//! The page's trainer: a worker that can train and draw views under dropout, too. The page starts it
//! when it is needed.

#[cfg(target_arch = "wasm32")]
mod door;

#[cfg(target_arch = "wasm32")]
fn main() -> Result<(), wasm_bindgen::JsValue> {
    door::start(async { Ok(simcse_lab::engine::Engine::that_trains()) })
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    println!("This is the page's trainer: it is built for wasm32-unknown-unknown.");
}
