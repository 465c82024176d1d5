//! The program of the worker that computes on the GPU. The page's worker starts it once it has answered,
//! where the browser offers WebGPU, so that nobody waits for it.

#[cfg(target_arch = "wasm32")]
mod door;

#[cfg(target_arch = "wasm32")]
fn main() -> Result<(), wasm_bindgen::JsValue> {
    use simcse_lab::backend::gpu::GpuBackend;
    use simcse_lab::engine::Engine;
    use simcse_lab::gpu::device::Gpu;
    use simcse_lab::protocol::problem::Problem;

    door::start(async {
        let gpu = Gpu::open().await.map_err(|error| Problem::from(&error))?;
        Ok(Engine::on(GpuBackend::new(gpu)))
    })
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    println!("This is the page's worker for the GPU: it is built for wasm32-unknown-unknown.");
}
