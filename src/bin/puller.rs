//! The page's puller: a worker that makes models of other people's checkpoints, from a hub or from disk. The
//! page starts it when it is needed and ends it when the model is there: a hostile file costs no more than
//! this worker, and its memory goes with it.

#[cfg(target_arch = "wasm32")]
fn main() {
    simcse_lab::browser::puller::start();
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    println!("This is the page's puller: it is built for wasm32-unknown-unknown.");
}
