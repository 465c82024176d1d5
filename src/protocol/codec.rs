//! Heads as bytes (postcard), so that page and worker need no hand-written JavaScript objects.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A head that could not be written or read. It can only mean that page and worker were built
/// from different sources.
#[derive(Debug, thiserror::Error)]
#[error(
    "page and worker disagree on a message ({0}); reload the page to get both from the same build"
)]
pub struct CodecError(#[from] postcard::Error);

/// The head as bytes.
///
/// # Errors
/// Where serde refuses the value; none of our types does.
pub fn encode<T: Serialize>(head: &T) -> Result<Vec<u8>, CodecError> {
    Ok(postcard::to_allocvec(head)?)
}

/// The head that [`encode`] wrote.
///
/// # Errors
/// Where the bytes are not such a head.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    Ok(postcard::from_bytes(bytes)?)
}
