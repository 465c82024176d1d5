//! Messages between page and worker as JavaScript values: `{ head: Uint8Array, bulk: [typed
//! array, ...] }`, a `Float32Array` for numbers and a `Uint8Array` for files, whose buffers are
//! transferred, not copied, between the threads.

use js_sys::{Array, ArrayBuffer, Float32Array, Object, Reflect, Uint8Array};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};

use crate::protocol::codec::{CodecError, decode, encode};
use crate::protocol::message::{Bulk, Message};

/// A value that is no message of ours, or one too big for this machine.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    #[error(transparent)]
    Codec(#[from] CodecError),
    #[error("a message between page and worker lacks its {what}")]
    Shape { what: &'static str },
    #[error("{needed_bytes} bytes of memory are not available")]
    Memory { needed_bytes: u64 },
}

/// The value to post and the buffers to transfer with it.
///
/// # Errors
/// Where the head cannot be encoded.
pub fn to_js<T: Serialize>(message: &Message<T>) -> Result<(JsValue, Array), WireError> {
    let (bulk, transfer) = (Array::new(), Array::new());
    for array in &message.bulk {
        match array {
            Bulk::F32(values) => {
                let values = Float32Array::from(values.as_slice());
                transfer.push(&values.buffer());
                bulk.push(&values);
            }
            Bulk::Bytes(bytes) => {
                let bytes = Uint8Array::from(bytes.as_slice());
                transfer.push(&bytes.buffer());
                bulk.push(&bytes);
            }
        }
    }
    Ok((envelope(&message.head, &bulk)?, transfer))
}

/// As [`to_js`], with a file's bytes that are the browser's own already.
///
/// # Errors
/// Where the head cannot be encoded.
pub fn to_js_with_buffer<T: Serialize>(
    message: &Message<T>,
    bytes: &ArrayBuffer,
) -> Result<(JsValue, Array), WireError> {
    let bulk = Array::of1(&Uint8Array::new(bytes));
    Ok((envelope(&message.head, &bulk)?, Array::of1(bytes)))
}

/// The message that [`to_js`] made.
///
/// # Errors
/// Where the value is not one, or its arrays do not fit into memory.
pub fn from_js<T: DeserializeOwned>(value: &JsValue) -> Result<Message<T>, WireError> {
    let head = head_from_js(value)?;
    let bulk = get(value, "bulk")?;
    let arrays = bulk.dyn_ref::<Array>().ok_or(WireError::Shape { what: "bulk" })?;
    let bulk = arrays.iter().map(|array| bulk_from_js(&array)).collect::<Result<_, _>>()?;
    Ok(Message { head, bulk })
}

/// Only the head of a message.
///
/// # Errors
/// Where the value is no message.
pub fn head_from_js<T: DeserializeOwned>(value: &JsValue) -> Result<T, WireError> {
    let head = get(value, "head")?;
    let head = head.dyn_ref::<Uint8Array>().ok_or(WireError::Shape { what: "head" })?;
    Ok(decode(&head.to_vec())?)
}

fn bulk_from_js(array: &JsValue) -> Result<Bulk, WireError> {
    if let Some(values) = array.dyn_ref::<Float32Array>() {
        let mut copy = zeroed(values.length(), 0.0)?;
        values.copy_to(&mut copy);
        return Ok(Bulk::F32(copy));
    }
    let bytes = array.dyn_ref::<Uint8Array>().ok_or(WireError::Shape { what: "array" })?;
    let mut copy = zeroed(bytes.length(), 0)?;
    bytes.copy_to(&mut copy);
    Ok(Bulk::Bytes(copy))
}

fn zeroed<T: Clone>(length: u32, zero: T) -> Result<Vec<T>, WireError> {
    let mut values = Vec::new();
    let needed_bytes = u64::from(length) * size_of::<T>() as u64;
    let memory = |_| WireError::Memory { needed_bytes };
    values.try_reserve_exact(length as usize).map_err(memory)?;
    values.resize(length as usize, zero);
    Ok(values)
}

fn get(value: &JsValue, what: &'static str) -> Result<JsValue, WireError> {
    Reflect::get(value, &what.into()).map_err(|_| WireError::Shape { what })
}

fn envelope<T: Serialize>(head: &T, bulk: &Array) -> Result<JsValue, WireError> {
    let value = Object::new();
    set(&value, "head", &Uint8Array::from(encode(head)?.as_slice()))?;
    set(&value, "bulk", bulk)?;
    Ok(value.into())
}

fn set(value: &Object, what: &'static str, content: &JsValue) -> Result<(), WireError> {
    Reflect::set(value, &what.into(), content).map_err(|_| WireError::Shape { what }).map(drop)
}
