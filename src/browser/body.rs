//! The bytes of an answer, part by part.
//!
//! Where the browser can, they come through one buffer that goes to and fro ("bring your own buffer"): an
//! array for each part would be garbage that it collects long after the last one, some 200 MB of them for a
//! checkpoint of 440 MB in Chromium.

use js_sys::{ArrayBuffer, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStreamByobReader, ReadableStreamDefaultReader, Response};

/// The buffer's length; a part is never longer than what arrived.
const PART_BYTES: u32 = 256 << 10;

/// A body that is read from its first byte to its last.
#[derive(Debug)]
pub struct Body {
    reader: Reader,
}

#[derive(Debug)]
enum Reader {
    /// The buffer is away while a read waits.
    Filling { reader: ReadableStreamByobReader, buffer: Option<ArrayBuffer> },
    /// In browsers whose bodies are no streams of bytes (Safari).
    Giving { reader: ReadableStreamDefaultReader },
}

impl Body {
    /// The body of an answer; `None` where it has none.
    pub fn of(response: &Response) -> Option<Self> {
        let body = response.body()?;
        let reader = match ReadableStreamByobReader::new(&body) {
            Ok(reader) => Reader::Filling { reader, buffer: None },
            Err(_) => Reader::Giving { reader: body.get_reader().unchecked_into() },
        };
        Some(Self { reader })
    }

    /// The next bytes; `None` at the end. They are good until the next call.
    ///
    /// # Errors
    /// Where the connection breaks.
    pub async fn next(&mut self) -> Result<Option<Uint8Array>, JsValue> {
        let read = match &mut self.reader {
            Reader::Filling { reader, buffer } => {
                let buffer = buffer.take().unwrap_or_else(|| ArrayBuffer::new(PART_BYTES));
                reader.read_with_array_buffer_view(&Uint8Array::new(&buffer))
            }
            Reader::Giving { reader } => reader.read(),
        };
        let part = JsFuture::from(read).await?;
        if Reflect::get(&part, &"done".into())?.is_truthy() {
            return Ok(None);
        }
        let bytes: Uint8Array = Reflect::get(&part, &"value".into())?.unchecked_into();
        if let Reader::Filling { buffer, .. } = &mut self.reader {
            *buffer = Some(bytes.buffer());
        }
        Ok(Some(bytes))
    }

    /// The rest is not wanted: the browser may close the connection.
    pub async fn cancel(self) {
        let cancelled = match &self.reader {
            Reader::Filling { reader, .. } => reader.cancel(),
            Reader::Giving { reader } => reader.cancel(),
        };
        drop(JsFuture::from(cancelled).await);
    }
}
