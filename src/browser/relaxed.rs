//! The relaxed-SIMD module: instantiated over this program's memory, its product put into this
//! program's function table, where Rust can call it like any other function.
#![allow(unsafe_code, reason = "a place of the function table becomes a function")]

use js_sys::{Function, Object, Reflect, Uint8Array, WebAssembly};
use wasm_bindgen::{JsCast, JsValue};

use crate::simd::kernel::{Kernel, Product};

/// Compiled by the build script from `simd::relaxed_module`.
static MODULE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/relaxed.wasm"));

/// The module's kernel, where this browser has relaxed SIMD and its dot product takes whole bytes:
/// older x86 processors do not, and plain SIMD is as fast there.
pub fn kernel() -> Option<Kernel> {
    try_kernel().ok().flatten()
}

fn try_kernel() -> Result<Option<Kernel>, JsValue> {
    let module = WebAssembly::Module::new(&Uint8Array::from(MODULE))?;
    let surroundings = Object::new();
    Reflect::set(&surroundings, &"memory".into(), &wasm_bindgen::memory())?;
    let imports = Object::new();
    Reflect::set(&imports, &"env".into(), &surroundings)?;
    let exports = WebAssembly::Instance::new(&module, &imports)?.exports();
    let function = |name: &str| -> Result<Function, JsValue> {
        Reflect::get(&exports, &name.into())?.dyn_into()
    };
    let operand = function("second_operand")?.call1(&JsValue::NULL, &255.into())?;
    let signed = match operand.as_f64() {
        Some(1.0) => false,
        Some(2.0) => true,
        _ => return Ok(None),
    };
    let table: WebAssembly::Table = wasm_bindgen::function_table().dyn_into()?;
    let place = table.grow(1)?;
    table.set(place, &function("product")?)?;
    // SAFETY: on wasm a function pointer is its place in the table, where the module's product
    // now is; it has the signature of `Product` and was built over this memory.
    Ok(Some(unsafe {
        let product = std::mem::transmute::<usize, Product>(place as usize);
        Kernel::relaxed(product, signed)
    }))
}
