//! SHA-256 of a whole file: by the browser, which is some ten times as fast as wasm, and off this
//! thread; in an insecure context, where browsers keep that to themselves, by our own.
#![allow(
    unsafe_code,
    reason = "the browser reads the bytes where they are, without a copy of ours"
)]

use js_sys::{Function, Promise, Reflect, Uint8Array};
use sha2::{Digest, Sha256};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Lower-case hexadecimal SHA-256.
pub async fn sha256(bytes: &[u8]) -> String {
    match by_browser(bytes).await {
        Ok(hash) => hexadecimal(&hash),
        Err(_) => hexadecimal(&Sha256::digest(bytes)),
    }
}

async fn by_browser(bytes: &[u8]) -> Result<Vec<u8>, JsValue> {
    let crypto = Reflect::get(&js_sys::global(), &"crypto".into())?;
    let subtle = Reflect::get(&crypto, &"subtle".into())?;
    let digest: Function = Reflect::get(&subtle, &"digest".into())?.dyn_into()?;
    // SAFETY: `digest` copies the bytes before it returns (Web Cryptography API, 14.3.5), and
    // nothing is allocated in between.
    let promise = unsafe {
        let view = Uint8Array::view(bytes);
        digest.call2(&subtle, &"SHA-256".into(), &view)?
    };
    let hash = JsFuture::from(promise.dyn_into::<Promise>()?).await?;
    Ok(Uint8Array::new(&hash).to_vec())
}

/// Lower-case hexadecimal.
fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
