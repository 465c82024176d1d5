//! Messages as the browser moves them: `{ head: Uint8Array, bulk: [Float32Array | Uint8Array] }`,
//! every array's buffer in the transfer list.

use js_sys::{Array, ArrayBuffer, Float32Array, Object, Reflect, Uint8Array};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};

use crate::protocol::codec::{self, CodecError};
use crate::protocol::message::{Bulk, Message};

/// A message that could not be put together or understood.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    #[error(transparent)]
    Codec(#[from] CodecError),
    #[error("a message from the other thread has no {0}")]
    Shape(&'static str),
}

/// The message and its transfer list, for `postMessage`.
///
/// # Errors
/// Where the head cannot be encoded.
pub fn to_js<T: Serialize>(message: &Message<T>) -> Result<(JsValue, JsValue), WireError> {
    let head = codec::encode(&message.head)?;
    let (bulk, transfer) = (Array::new(), Array::new());
    for array in &message.bulk {
        match array {
            Bulk::F32(values) => push(&bulk, &transfer, &Float32Array::from(values.as_slice())),
            Bulk::Bytes(bytes) => push(&bulk, &transfer, &Uint8Array::from(bytes.as_slice())),
        }
    }
    Ok((envelope(&head, &bulk), transfer.into()))
}

/// As [`to_js`], with a file's bytes that are already the browser's.
///
/// # Errors
/// As [`to_js`].
pub fn to_js_with_buffer<T: Serialize>(
    message: &Message<T>,
    bytes: &ArrayBuffer,
) -> Result<(JsValue, JsValue), WireError> {
    let head = codec::encode(&message.head)?;
    let (bulk, transfer) = (Array::new(), Array::of1(bytes));
    bulk.push(&Uint8Array::new(bytes));
    Ok((envelope(&head, &bulk), transfer.into()))
}

/// The message that [`to_js`] made.
///
/// # Errors
/// Where the value is none of ours.
pub fn from_js<T: DeserializeOwned>(value: &JsValue) -> Result<Message<T>, WireError> {
    let head: Uint8Array = field(value, "head")?;
    let bulk: Array = field(value, "bulk")?;
    let bulk = bulk
        .iter()
        .map(|array| match array.dyn_into::<Float32Array>() {
            Ok(values) => Ok(Bulk::F32(values.to_vec())),
            Err(other) => other
                .dyn_into::<Uint8Array>()
                .map(|bytes| Bulk::Bytes(bytes.to_vec()))
                .map_err(|_| WireError::Shape("known array type")),
        })
        .collect::<Result<_, _>>()?;
    Ok(Message { head: codec::decode(&head.to_vec())?, bulk })
}

fn push(bulk: &Array, transfer: &Array, array: &Object) {
    // Both typed arrays have a buffer; reading it cannot fail.
    if let Ok(buffer) = Reflect::get(array, &"buffer".into()) {
        transfer.push(&buffer);
    }
    bulk.push(array);
}

fn envelope(head: &[u8], bulk: &Array) -> JsValue {
    let envelope = Object::new();
    // Setting a field of a fresh object cannot fail.
    let _ = Reflect::set(&envelope, &"head".into(), &Uint8Array::from(head));
    let _ = Reflect::set(&envelope, &"bulk".into(), bulk);
    envelope.into()
}

fn field<T: JsCast>(value: &JsValue, name: &'static str) -> Result<T, WireError> {
    Reflect::get(value, &name.into())
        .ok()
        .and_then(|field| field.dyn_into().ok())
        .ok_or(WireError::Shape(name))
}
