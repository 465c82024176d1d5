//! The program that pulls: one `Request::Open` in, `Event::Pulled` or what went wrong out.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::AbortController;

use crate::browser::fetching::Halt;
use crate::browser::pull::{Made, pull, take_files};
use crate::browser::wire::from_js;
use crate::browser::worker_scope::{describe, listen, post};
use crate::protocol::Revision;
use crate::protocol::event::Event;
use crate::protocol::message::{Bulk, Message};
use crate::protocol::problem::Problem;
use crate::protocol::request::{ModelSource, Request};

/// Stops what runs.
type Running = Rc<RefCell<Option<AbortController>>>;

/// Starts the worker.
pub fn start() {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        tell(Event::Panicked { message: info.to_string() });
    }));
    let running = Running::default();
    listen(move |event| receive(&event.data(), &running));
    tell(Event::Ready);
}

fn tell(event: Event) {
    send(&Message::plain(event));
}

fn send(message: &Message<Event>) {
    if let Err(error) = post(message) {
        web_sys::console::error_1(&error.to_string().into());
    }
}

fn receive(value: &JsValue, running: &Running) {
    match from_js::<Request>(value).map(|message| message.head) {
        Ok(Request::Open { revision, source }) => match AbortController::new() {
            Ok(controller) => {
                let signal = controller.signal();
                running.replace(Some(controller));
                spawn_local(async move {
                    let made = match &source {
                        ModelSource::Pulled { pull: wanted } => {
                            pull(revision, wanted, &signal, &tell).await
                        }
                        ModelSource::Files { files, wish } => {
                            take_files(revision, files, wish, &signal, &tell).await
                        }
                        _ => Err(internal("this program only makes models of checkpoints").into()),
                    };
                    answer(revision, made);
                });
            }
            Err(thrown) => fail(revision, internal(&describe(&thrown))),
        },
        Ok(Request::StopLoading) => {
            if let Some(controller) = running.take() {
                controller.abort();
            }
        }
        Ok(_) => {}
        Err(error) => {
            let problem = internal(&error.to_string());
            tell(Event::Failed { revision: None, problem });
        }
    }
}

fn internal(detail: &str) -> Problem {
    Problem::Internal { detail: detail.to_owned() }
}

fn fail(revision: Revision, problem: Problem) {
    tell(Event::Failed { revision: Some(revision), problem });
}

fn answer(revision: Revision, made: Result<Made, Halt>) {
    match made {
        Ok(Made { model, bytes }) => {
            let (model, bulk) = (Box::new(model), bytes.map(Bulk::Bytes));
            let head = Event::Pulled { revision, model };
            send(&Message { head, bulk: bulk.into_iter().collect() });
        }
        Err(Halt::Problem(problem)) => fail(revision, problem),
        Err(Halt::Stopped) => {
            tell(Event::LoadingStopped { revision, done_bytes: 0, total_bytes: 0 });
        }
    }
}
