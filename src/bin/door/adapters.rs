//! Adapters on their way to the engine: what is asked about them stays in its order, however long a
//! file takes to come.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use simcse_lab::browser::download::{Halted, Wanted};
use simcse_lab::browser::model_loader::{Remembered, load};
use simcse_lab::browser::shelf::Shelf;
use simcse_lab::browser::worker_scope::describe;
use simcse_lab::protocol::Revision;
use simcse_lab::protocol::event::Event;
use simcse_lab::protocol::message::{Bulk, Message, bytes_of};
use simcse_lab::protocol::problem::Problem;
use simcse_lab::protocol::request::{AdapterSource, Request};
use wasm_bindgen_futures::spawn_local;
use web_sys::AbortController;

use super::{Door, Task, fail, send, tell};

/// Requests about adapters that wait, and the visitor's own.
#[derive(Default)]
pub struct Adapters {
    queue: RefCell<VecDeque<Message<Request>>>,
    /// Somebody works on the queue.
    busy: Cell<bool>,
    shelf: Shelf,
    remembered: RefCell<Remembered>,
}

/// Takes a request about the attached adapter. With nothing under way the engine gets it at once,
/// as everything else; behind an adapter that is still fetched it waits.
pub fn order(door: &Rc<Door>, message: Message<Request>) {
    let adapters = &door.adapters;
    let fetches = matches!(
        message.head,
        Request::Attach { source: AdapterSource::Hosted { .. } | AdapterSource::Kept { .. }, .. }
    );
    if !fetches && !adapters.busy.get() {
        return door.push(Task::Ask(message));
    }
    // What is asked of the side after from now on is meant for this adapter.
    door.push(Task::AdapterBegan);
    adapters.queue.borrow_mut().push_back(message);
    if !adapters.busy.replace(true) {
        spawn_local(work(Rc::clone(door)));
    }
}

async fn work(door: Rc<Door>) {
    loop {
        let next = door.adapters.queue.borrow_mut().pop_front();
        let Some(message) = next else { break };
        match message.head {
            Request::Attach { revision, source } => {
                let given = bytes_of(message.bulk).unwrap_or_default();
                match bring(&door, revision, source, given).await {
                    Ok((name, bytes)) => door.push(Task::Attach { revision, name, bytes }),
                    Err(problem) => fail(Some(revision), problem),
                }
            }
            _ => door.push(Task::Ask(message)),
        }
        door.push(Task::AdapterEnded);
    }
    door.adapters.busy.set(false);
}

async fn bring(
    door: &Door,
    revision: Revision,
    source: AdapterSource,
    given: Vec<u8>,
) -> Result<(String, Vec<u8>), Problem> {
    match source {
        AdapterSource::Given { name } => Ok((name, given)),
        AdapterSource::Kept { sha256 } => {
            let bytes = door.adapters.shelf.read(&sha256).await?;
            Ok((sha256, bytes))
        }
        AdapterSource::Hosted { name, url, size_bytes, sha256 } => {
            let controller = AbortController::new()
                .map_err(|thrown| Problem::Internal { detail: describe(&thrown) })?;
            let wanted = Wanted { url: &url, size_bytes, sha256: &sha256 };
            let mut remembered = door.adapters.remembered.take();
            let signal = controller.signal();
            // What the page says about storage is about the model.
            let tell = |event| match event {
                Event::Stored { .. } => {}
                event => tell(event),
            };
            let outcome = load(revision, wanted, &signal, &mut remembered, &tell).await;
            door.adapters.remembered.replace(remembered);
            match outcome {
                Ok(fetched) => Ok((name, fetched.bytes)),
                Err(Halted { problem, done_bytes, .. }) => {
                    Err(problem.unwrap_or(Problem::Network {
                        detail: "stopped".to_owned(),
                        done_bytes,
                        total_bytes: size_bytes,
                    }))
                }
            }
        }
    }
}

/// Takes a request about the visitor's own adapters.
pub fn tend(door: &Rc<Door>, message: Message<Request>) {
    let door = Rc::clone(door);
    spawn_local(async move {
        let shelf = &door.adapters.shelf;
        match message.head {
            Request::KeepAdapter { revision } => {
                match shelf.keep(bytes_of(message.bulk).unwrap_or_default()).await {
                    Ok((adapter, outcome)) => {
                        let adapter = Box::new(adapter);
                        tell(Event::AdapterKept { revision, adapter, outcome });
                    }
                    Err(problem) => fail(Some(revision), problem),
                }
            }
            Request::ForgetAdapter { revision, sha256 } => {
                shelf.forget(&sha256).await;
                list(shelf, revision).await;
            }
            Request::ListAdapters { revision } => list(shelf, revision).await,
            Request::ReadAdapter { revision, sha256 } => hand_out(shelf, revision, &sha256).await,
            _ => {}
        }
    });
}

async fn list(shelf: &Shelf, revision: Revision) {
    let listed = shelf.list().await;
    let (adapters, unreadable) = (listed.adapters, listed.unreadable);
    tell(Event::Shelf { revision, adapters, unreadable });
}

async fn hand_out(shelf: &Shelf, revision: Revision, sha256: &str) {
    let found = shelf.read(sha256).await.and_then(|bytes| {
        let known = Some(sha256.to_owned());
        let summary = simcse_lab::weights::adapter_file::read_summary("adapter", &bytes, known)
            .map_err(|error| Problem::from(&error))?;
        Ok((summary, bytes))
    });
    match found {
        Ok((adapter, bytes)) => {
            let head = Event::AdapterFile { revision, adapter: Box::new(adapter) };
            send(&Message { head, bulk: vec![Bulk::Bytes(bytes)] });
        }
        Err(problem) => fail(Some(revision), problem),
    }
}
