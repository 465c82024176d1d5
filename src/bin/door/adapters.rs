//! Adapters, and models beside the one in use, on their way to the engine: what is asked about them
//! stays in its order, however long a file takes to come.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use simcse_lab::browser::download::{Fetched, Halted, Wanted};
use simcse_lab::browser::model_loader::{Remembered, load};
use simcse_lab::browser::shelf::Shelf;
use simcse_lab::browser::worker_scope::describe;
use simcse_lab::protocol::Revision;
use simcse_lab::protocol::event::Event;
use simcse_lab::protocol::message::{Bulk, Message, bytes_of};
use simcse_lab::protocol::problem::Problem;
use simcse_lab::protocol::request::{AdapterSource, ModelSource, Request};
use wasm_bindgen_futures::spawn_local;
use web_sys::{AbortController, AbortSignal};

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
    let fetches = matches!(&message.head, Request::Attach { source, .. } if is_fetched(source));
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
            Request::Attach { revision, source } if is_fetched(&source) => {
                match bring(&door, revision, source).await {
                    Ok(task) => door.push(task),
                    Err(problem) => fail(Some(revision), problem),
                }
            }
            _ => door.push(Task::Ask(message)),
        }
        door.push(Task::AdapterEnded);
    }
    door.adapters.busy.set(false);
}

/// Whether its bytes come from the network or the store, not beside the request.
fn is_fetched(source: &AdapterSource) -> bool {
    !matches!(
        source,
        AdapterSource::Given { .. } | AdapterSource::Model(ModelSource::Copied { .. })
    )
}

/// Fetches what the side after is made of; what the engine is to do with it.
async fn bring(door: &Door, revision: Revision, source: AdapterSource) -> Result<Task, Problem> {
    match source {
        AdapterSource::Given { name } => {
            Err(Problem::Internal { detail: format!("{name} is not fetched") })
        }
        AdapterSource::Kept { sha256 } => {
            let bytes = door.adapters.shelf.read(&sha256).await?;
            Ok(Task::Attach { revision, name: sha256, bytes })
        }
        AdapterSource::Hosted { name, url, size_bytes, sha256 } => {
            let wanted = Wanted { url: &url, size_bytes, sha256: &sha256 };
            let mut remembered = door.adapters.remembered.take();
            let signal = new_signal()?;
            // What the page says about storage is about the model.
            let tell = |event| match event {
                Event::Stored { .. } => {}
                event => tell(event),
            };
            let outcome = load(revision, wanted, &signal, &mut remembered, &tell).await;
            door.adapters.remembered.replace(remembered);
            let bytes = outcome.map_err(|halted| problem_of(halted, size_bytes))?.bytes;
            Ok(Task::Attach { revision, name, bytes })
        }
        AdapterSource::Model(source) => {
            let fetched = door.bring(revision, &source, &new_signal()?).await;
            let size_bytes = source.size_bytes();
            let (name, fetched) = fetched.map_err(|halted| problem_of(halted, size_bytes))?;
            let Fetched { bytes, sha256 } = fetched;
            Ok(Task::Beside { revision, name, bytes, sha256 })
        }
    }
}

/// A signal that nobody gives.
fn new_signal() -> Result<AbortSignal, Problem> {
    let controller = AbortController::new();
    let thrown = |thrown| Problem::Internal { detail: describe(&thrown) };
    Ok(controller.map_err(thrown)?.signal())
}

fn problem_of(halted: Halted, total_bytes: u64) -> Problem {
    let Halted { problem, done_bytes, .. } = halted;
    let stopped = || Problem::Network { detail: "stopped".to_owned(), done_bytes, total_bytes };
    problem.unwrap_or_else(stopped)
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
