//! The worker's own surroundings: its messages, its event loop, its clock.

use std::cell::{Cell, RefCell};

use js_sys::{Function, Promise, Reflect};
use serde::Serialize;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, DedicatedWorkerGlobalScope, MessageChannel, MessageEvent};
use web_time::Instant;

use crate::browser::wire::{WireError, to_js};
use crate::protocol::message::Message;

/// The global object of the dedicated worker that this code runs in.
pub fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Posts a message to the page, moving its arrays.
///
/// # Errors
/// Where the head cannot be encoded.
pub fn post<T: Serialize>(message: &Message<T>) -> Result<(), WireError> {
    let (value, transfer) = to_js(message)?;
    scope()
        .post_message_with_transfer(&value, &transfer)
        .map_err(|_| WireError::Shape { what: "way to the page" })
}

/// Calls `handler` with every message of the page, for the worker's whole life.
pub fn listen(handler: impl FnMut(MessageEvent) + 'static) {
    let handler = Closure::<dyn FnMut(MessageEvent)>::new(handler);
    scope().set_onmessage(Some(handler.as_ref().unchecked_ref()));
    handler.forget();
}

/// Number of logical processors, 1 where the browser does not tell.
pub fn cores() -> u16 {
    let cores = scope().navigator().hardware_concurrency();
    // The number is a float; as an integer it saturates.
    (cores as u16).max(1)
}

/// Whether the browser offers workers a GPU (`navigator.gpu.requestAdapter()` gives one).
pub async fn has_adapter() -> bool {
    let Ok(gpu) = Reflect::get(&scope().navigator(), &"gpu".into()) else { return false };
    let request = Reflect::get(&gpu, &"requestAdapter".into());
    let Some(request) = request.ok().and_then(|it| it.dyn_into::<Function>().ok()) else {
        return false;
    };
    let Some(promise) = request.call0(&gpu).ok().and_then(|it| it.dyn_into::<Promise>().ok())
    else {
        return false;
    };
    JsFuture::from(promise).await.is_ok_and(|adapter| adapter.is_object())
}

/// GiB of memory, where the browser tells; none tells of more than 8.
pub fn memory_gib() -> Option<f64> {
    Reflect::get(&scope().navigator(), &"deviceMemory".into()).ok()?.as_f64()
}

/// What JavaScript threw, in words.
pub fn describe(thrown: &JsValue) -> String {
    let message = thrown.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
    message.or_else(|| thrown.as_string()).unwrap_or_else(|| format!("{thrown:?}"))
}

/// Resolves after that time.
pub async fn sleep_ms(time_ms: i32) {
    let promise = Promise::new(&mut |resolve, _| {
        let timer =
            scope().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, time_ms);
        if timer.is_err() {
            // Without a timer, go on at once rather than never.
            drop(resolve.call0(&JsValue::NULL));
        }
    });
    drop(JsFuture::from(promise).await);
}

/// Waits in small steps, so that a stop is heard; `false` where there was one.
pub async fn unless_stopped(time_ms: i32, signal: &AbortSignal) -> bool {
    let start = Instant::now();
    while start.elapsed().as_millis() < time_ms as u128 {
        sleep_ms(50).await;
        if signal.aborted() {
            return false;
        }
    }
    true
}

/// Lets waiting messages in: a message to oneself comes after those that wait already, and without
/// the delay of a timer.
#[derive(Debug)]
pub struct Breather {
    channel: MessageChannel,
}

impl Breather {
    /// # Errors
    /// Where the browser has no message channels; all do.
    pub fn new() -> Result<Self, JsValue> {
        Ok(Self { channel: MessageChannel::new()? })
    }

    /// Resolves once the messages that wait now were handed out.
    pub async fn breathe(&self) {
        let promise = Promise::new(&mut |resolve, _| {
            self.channel.port1().set_onmessage(Some(&resolve));
            if self.channel.port2().post_message(&JsValue::NULL).is_err() {
                drop(resolve.call0(&JsValue::NULL));
            }
        });
        drop(JsFuture::from(promise).await);
    }
}

/// Wakes one task that waits. A ring while nobody waits is kept.
#[derive(Debug, Default)]
pub struct Bell {
    rung: Cell<bool>,
    waiter: RefCell<Option<Function>>,
}

impl Bell {
    pub fn ring(&self) {
        match self.waiter.take() {
            Some(resolve) => drop(resolve.call0(&JsValue::NULL)),
            None => self.rung.set(true),
        }
    }

    /// Resolves at the next ring, at once if there was one since the last wait.
    pub async fn wait(&self) {
        if self.rung.replace(false) {
            return;
        }
        let promise = Promise::new(&mut |resolve, _| {
            self.waiter.replace(Some(resolve));
        });
        drop(JsFuture::from(promise).await);
    }
}
