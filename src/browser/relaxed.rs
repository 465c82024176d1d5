//! The relaxed-SIMD module: instantiated over this program's memory, its products put into this
//! program's function table, where Rust can call them like any other function.
#![allow(unsafe_code, reason = "a place of the function table becomes a function")]

use js_sys::{Function, Object, Reflect, Uint8Array, WebAssembly};
use wasm_bindgen::{JsCast, JsValue};

use crate::simd::float_kernel::{Accumulate, FloatKernel};
use crate::simd::kernel::{Kernel, Product};

/// Compiled by the build script from `simd::relaxed_module`.
static MODULE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/relaxed.wasm"));

/// The module's kernels.
struct Found {
    /// Where the dot product takes whole bytes: on older x86 processors it does not, and plain SIMD
    /// is as fast there.
    int8: Option<Kernel>,
    float: FloatKernel,
}

/// Offers the module's kernels where this browser has relaxed SIMD; does nothing where it has not.
pub fn offer() {
    if let Ok(found) = find() {
        found.int8.map(Kernel::offer);
        found.float.offer();
    }
}

fn find() -> Result<Found, JsValue> {
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
        Some(1.0) => Some(false),
        Some(2.0) => Some(true),
        _ => None,
    };
    let table: WebAssembly::Table = wasm_bindgen::function_table().dyn_into()?;
    let place = table.grow(2)?;
    table.set(place, &function("product")?)?;
    table.set(place + 1, &function("accumulate")?)?;
    // SAFETY: on wasm a function pointer is its place in the table, where the module's functions
    // now are; they have the signatures of `Product` and `Accumulate` and work on this memory.
    let (product, accumulate) = unsafe {
        (
            std::mem::transmute::<usize, Product>(place as usize),
            std::mem::transmute::<usize, Accumulate>(place as usize + 1),
        )
    };
    let int8 = signed.map(|signed| Kernel::relaxed(product, signed));
    Ok(Found { int8, float: FloatKernel::relaxed(accumulate) })
}
