//! The line to a worker: from the page, or from a worker to one that helps it.

use js_sys::{Array, ArrayBuffer, Function, Object, Reflect};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType};

use crate::browser::page_scope;
use crate::browser::wire;
use crate::browser::worker_scope;
use crate::protocol::event::Event;
use crate::protocol::message::Message;
use crate::protocol::request::Request;

/// The tag that has the worker's address.
const WORKER_TAG: &str = "simcse-worker";

/// A program that a worker beside the page's own runs, as the page names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// Trains.
    Trainer,
    /// Makes models of checkpoints.
    Puller,
}

impl Program {
    /// The tag that has its address.
    fn tag(self) -> &'static str {
        match self {
            Self::Trainer => "simcse-trainer",
            Self::Puller => "simcse-puller",
        }
    }
}

/// A program that helps a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Help {
    /// The one that this worker runs.
    Same,
    /// The one that computes on the GPU.
    Gpu,
}

/// Where the program for the GPU is, as this worker's address tells: `...&gpu=NAME`, in the same folder.
pub fn gpu_address() -> Option<String> {
    let location = worker_scope::scope().location();
    let search = location.search();
    let name = search.trim_start_matches('?').split('&').find_map(|it| it.strip_prefix("gpu="))?;
    let boot = format!("{}{}", location.origin(), location.pathname());
    Some(format!("{boot}?module={name}.js&wasm={name}_bg.wasm"))
}

/// A running worker. Dropping it ends the worker.
pub struct Bridge {
    worker: Worker,
    on_message: Closure<dyn FnMut(MessageEvent)>,
    on_error: Closure<dyn FnMut(ErrorEvent)>,
}

/// What a worker said before its line was there, and who is to hear it.
#[must_use = "a worker that was ready first waits for ever where nobody hears it"]
pub struct Early {
    events: Array,
    on_message: JsValue,
    on_error: JsValue,
}

impl Early {
    /// Hands it on, in its order.
    pub fn replay(self) {
        for event in self.events.iter() {
            let is_message = event.dyn_ref::<MessageEvent>().is_some();
            let handler = if is_message { &self.on_message } else { &self.on_error };
            // The handlers return nothing and do not throw.
            drop(handler.unchecked_ref::<Function>().call1(&JsValue::NULL, &event));
        }
    }
}

impl Bridge {
    /// Starts the worker, or takes over the one that `www/early-worker.js` started. What that one said
    /// already is to be replayed once this line is where answers find it: a worker that was ready first
    /// would be answered over a line that is not there yet. `on_death` as in [`Bridge::start`].
    ///
    /// # Errors
    /// In words, where the browser refuses to start a worker.
    pub fn start_worker(
        on_event: impl Fn(Message<Event>) + 'static,
        on_death: impl Fn(String) + Clone + 'static,
    ) -> Result<(Self, Early), String> {
        let (worker, events) = match early_worker() {
            Some(found) => found,
            None => (worker_of(WORKER_TAG)?, Array::new()),
        };
        let bridge = Self::over(worker, on_event, on_death);
        let (on_message, on_error) = (bridge.on_message.as_ref(), bridge.on_error.as_ref());
        let early = Early { events, on_message: on_message.clone(), on_error: on_error.clone() };
        Ok((bridge, early))
    }

    /// Starts a worker of another program. `on_death` is called when its script cannot be loaded, and on
    /// every uncaught error in it: a panic, out of memory.
    ///
    /// # Errors
    /// In words, where the browser refuses to start a worker.
    pub fn start(
        program: Program,
        on_event: impl Fn(Message<Event>) + 'static,
        on_death: impl Fn(String) + Clone + 'static,
    ) -> Result<Self, String> {
        Ok(Self::over(worker_of(program.tag())?, on_event, on_death))
    }

    /// Starts a worker that helps this one. Its errors go to `on_death` and no further: they are not
    /// this worker's.
    ///
    /// # Errors
    /// In words, where the browser does not let workers start workers.
    pub fn start_helper(
        help: Help,
        on_event: impl Fn(Message<Event>) + 'static,
        on_death: impl Fn(String) + Clone + 'static,
    ) -> Result<Self, String> {
        if help == Help::Gpu {
            let address = gpu_address().ok_or("the site has no program for the GPU")?;
            return Ok(Self::over(worker_at(&address)?, on_event, on_death));
        }
        // What was compiled for this one serves both.
        let address = format!("{}&helper", worker_scope::scope().location().href());
        let bridge = Self::over(worker_at(&address)?, on_event, on_death);
        let module = Object::new();
        let named = Reflect::set(&module, &"module".into(), &wasm_bindgen::module());
        named
            .and_then(|_| bridge.worker.post_message(&module))
            // A browser that does not pass modules on compiles it again.
            .or_else(|_| bridge.worker.post_message(&JsValue::NULL))
            .map_err(|error| page_scope::words(&error))?;
        Ok(bridge)
    }

    fn over(
        worker: Worker,
        on_event: impl Fn(Message<Event>) + 'static,
        on_death: impl Fn(String) + Clone + 'static,
    ) -> Self {
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
            on_death(words_of(&error));
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Self { worker, on_message, on_error }
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

    /// From now on nothing that the worker says is heard. Inside a listener, where a line must not
    /// be dropped, this goes before dropping it later.
    pub fn silence(&self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
    }

    fn post(&self, value: &JsValue, transfer: &JsValue) -> Result<(), String> {
        self.worker
            .post_message_with_transfer(value, transfer)
            .map_err(|error| page_scope::words(&error))
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.silence();
        self.worker.terminate();
    }
}

/// The message of an error. A script that does not load is told by an event without one.
fn words_of(error: &ErrorEvent) -> String {
    let message = Reflect::get(error, &"message".into()).ok().and_then(|it| it.as_string());
    message.filter(|it| !it.is_empty()).unwrap_or_else(|| "its script did not load".to_owned())
}

/// A new worker of the program whose address that tag has.
fn worker_of(tag: &str) -> Result<Worker, String> {
    worker_at(&page_scope::meta(tag).ok_or_else(|| format!("the page has no {tag} tag"))?)
}

fn worker_at(address: &str) -> Result<Worker, String> {
    let options = WorkerOptions::new();
    options.set_type(WorkerType::Module);
    Worker::new_with_options(address, &options).map_err(|error| page_scope::words(&error))
}

/// The worker that `www/early-worker.js` started, and what came from it; the first caller gets it.
fn early_worker() -> Option<(Worker, Array)> {
    let window = page_scope::window()?;
    let name = "simcseWorker".into();
    let early = Reflect::get(&window, &name).ok()?;
    let part = |name: &str| Reflect::get(&early, &name.into()).ok();
    let worker = part("worker")?.dyn_into().ok()?;
    let events = part("early")?.dyn_into().ok()?;
    Reflect::set(&window, &name, &JsValue::UNDEFINED).ok()?;
    Some((worker, events))
}
