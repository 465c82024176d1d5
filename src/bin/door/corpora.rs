//! What the library wants of the store, carried out one after another beside the engine's loop.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use simcse_lab::browser::corpus_store::{append, list, read, remove, write};
use simcse_lab::engine::library::orders::{HEAD, Listing, StoreOrder, Stored};
use wasm_bindgen_futures::spawn_local;

use super::{Door, Task};

/// Orders that wait.
#[derive(Default)]
pub struct Corpora {
    queue: RefCell<VecDeque<StoreOrder>>,
    /// Somebody works on the queue.
    busy: Cell<bool>,
}

/// Takes orders; what comes of them comes back as tasks.
pub fn carry(door: &Rc<Door>, orders: Vec<StoreOrder>) {
    if orders.is_empty() {
        return;
    }
    door.corpora.queue.borrow_mut().extend(orders);
    if !door.corpora.busy.replace(true) {
        spawn_local(work(Rc::clone(door)));
    }
}

async fn work(door: Rc<Door>) {
    loop {
        let next = door.corpora.queue.borrow_mut().pop_front();
        let Some(order) = next else { break };
        if let Some(stored) = carry_out(order).await {
            door.push(Task::Stored(stored));
        }
    }
    door.corpora.busy.set(false);
}

async fn carry_out(order: StoreOrder) -> Option<Stored> {
    Some(match order {
        StoreOrder::Write { corpus, file, bytes } => {
            let is_done = write(&file, &bytes).await;
            Stored::Written { corpus, file, is_done }
        }
        StoreOrder::Append { corpus, file, at, bytes } => {
            let is_done = append(&file, at, &bytes).await;
            Stored::Written { corpus, file, is_done }
        }
        StoreOrder::Read { file } => {
            let bytes = read(&file).await;
            Stored::Read { file, bytes }
        }
        StoreOrder::Remove { file } => {
            remove(&file).await;
            return None;
        }
        StoreOrder::List => Stored::Listed(list(HEAD).await.map(|contents| Listing {
            files: contents.files,
            heads: contents.heads,
            usage: contents.usage,
        })),
    })
}
