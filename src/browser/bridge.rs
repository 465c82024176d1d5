//! The line to a worker: from the page, or from a worker to one that helps it.

use js_sys::{ArrayBuffer, Object, Reflect};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType};

use crate::browser::page_scope;
use crate::browser::wire;
use crate::browser::worker_scope;
use crate::protocol::event::Event;
use crate::protocol::message::Message;
use crate::protocol::request::Request;

/// A running worker. Dropping it ends the worker.
pub struct Bridge {
    worker: Worker,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(ErrorEvent)>,
}

impl Bridge {
    /// Starts the worker that the page's `simcse-worker` tag names. `on_death` is called when its
    /// script cannot be loaded, and on every uncaught error in it: a panic, out of memory.
    ///
    /// # Errors
    /// In words, where the browser refuses to start a worker.
    pub fn start(
        on_event: impl Fn(Message<Event>) + 'static,
        on_death: impl Fn(String) + Clone + 'static,
    ) -> Result<Self, String> {
        let address =
            page_scope::meta("simcse-worker").ok_or("the page does not name its worker")?;
        Self::start_at(&address, on_event, on_death)
    }

    /// Starts another worker of the program that this worker runs; what was compiled for this one
    /// serves both. Its errors go to `on_death` and no further: they are not this worker's.
    ///
    /// # Errors
    /// In words, where the browser does not let workers start workers.
    pub fn start_helper(
        on_event: impl Fn(Message<Event>) + 'static,
        on_death: impl Fn(String) + Clone + 'static,
    ) -> Result<Self, String> {
        let address = format!("{}&helper", worker_scope::scope().location().href());
        let bridge = Self::start_at(&address, on_event, on_death)?;
        let module = Object::new();
        let named = Reflect::set(&module, &"module".into(), &wasm_bindgen::module());
        named
            .and_then(|_| bridge.worker.post_message(&module))
            // A browser that does not pass modules on compiles it again.
            .or_else(|_| bridge.worker.post_message(&JsValue::NULL))
            .map_err(|error| page_scope::words(&error))?;
        Ok(bridge)
    }

    fn start_at(
        address: &str,
        on_event: impl Fn(Message<Event>) + 'static,
        on_death: impl Fn(String) + Clone + 'static,
    ) -> Result<Self, String> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(address, &options)
            .map_err(|error| page_scope::words(&error))?;
        let died = on_death.clone();
        let on_message = Closure::new(move |message: MessageEvent| {
            match wire::from_js::<Event>(&message.data()) {
                Ok(Message { head: Event::Panicked { message }, .. }) => died(message),
                Ok(message) => on_event(message),
                Err(error) => died(error.to_string()),
            }
        });
        let from_page = page_scope::window().is_some();
        let on_error = Closure::new(move |error: ErrorEvent| {
            if !from_page {
                // Else it would end the worker that this one only helps.
                error.prevent_default();
            }
            on_death(error.message());
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Ok(Self { worker, _on_message: on_message, _on_error: on_error })
    }

    /// Sends a request; its arrays are moved, not copied.
    ///
    /// # Errors
    /// In words, where the browser refuses the message.
    pub fn send(&self, message: &Message<Request>) -> Result<(), String> {
        let (value, transfer) = wire::to_js(message).map_err(|error| error.to_string())?;
        self.post(&value, &transfer)
    }

    /// Sends a request with a file's bytes that never enter the page's own memory.
    ///
    /// # Errors
    /// As [`Bridge::send`].
    pub fn send_file(&self, request: Request, bytes: &ArrayBuffer) -> Result<(), String> {
        let (value, transfer) = wire::to_js_with_buffer(&Message::plain(request), bytes)
            .map_err(|error| error.to_string())?;
        self.post(&value, &transfer)
    }

    fn post(&self, value: &JsValue, transfer: &JsValue) -> Result<(), String> {
        self.worker
            .post_message_with_transfer(value, transfer)
            .map_err(|error| page_scope::words(&error))
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}
