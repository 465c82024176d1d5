//! The workers' door: messages in, the engine's events out, models fetched on the side.
//!
//! Two tasks share the worker's event loop. The *engine loop* hands requests to the engine and
//! runs it in slices, between which new messages come in; it sleeps on a bell when there is
//! nothing to do. The *loader loop* fetches one model at a time; the latest `Open` wins. Workers
//! that help with long requests run the same program (`crew.rs`).

mod adapters;
mod corpora;
mod crew;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use simcse_lab::backend::Backend;
use simcse_lab::browser::download::{Fetched, Halted, Wanted};
use simcse_lab::browser::model_loader::{Remembered, forget, load};
use simcse_lab::browser::model_shelf;
use simcse_lab::browser::relaxed;
use simcse_lab::browser::store::usage;
use simcse_lab::browser::wire::{WireError, from_js, head_from_js};
use simcse_lab::browser::worker_scope::{Bell, Breather, describe, listen, post};
use simcse_lab::engine::library::orders::Stored;
use simcse_lab::engine::{Engine, Events};
use simcse_lab::protocol::Revision;
use simcse_lab::protocol::event::{Event, LoadingStage, StoreOutcome};
use simcse_lab::protocol::message::{Message, bytes_of};
use simcse_lab::protocol::problem::Problem;
use simcse_lab::protocol::request::{ModelSource, Request};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{AbortController, AbortSignal};
use web_time::{Duration, Instant};

use adapters::Adapters;
use corpora::Corpora;
use crew::Helpers;

/// The engine runs so long before messages are let in.
const SLICE: Duration = Duration::from_millis(12);

/// What the engine loop has to deal with, in order.
enum Task {
    Ask(Message<Request>),
    LoadingBegan,
    LoadingEnded,
    Open { revision: Revision, name: String, bytes: Vec<u8>, sha256: Option<String> },
    AdapterBegan,
    AdapterEnded,
    Attach { revision: Revision, name: String, bytes: Vec<u8> },
    Beside { revision: Revision, name: String, bytes: Vec<u8>, sha256: String },
    Helpers(crew::News),
    Stored(Stored),
    KeepModel,
}

/// A model that was asked for.
struct Order {
    revision: Revision,
    source: ModelSource,
}

#[derive(Default)]
struct Door {
    tasks: RefCell<VecDeque<Task>>,
    engine_bell: Bell,
    order: RefCell<Option<Order>>,
    loader_bell: Bell,
    running: RefCell<Option<AbortController>>,
    remembered: RefCell<Remembered>,
    adapters: Adapters,
    corpora: Corpora,
}

/// Starts the worker; what its program can do is what this engine can. Where the engine cannot be made,
/// that is all that the worker says.
pub fn start<B: Backend + Clone + 'static>(
    engine: impl Future<Output = Result<Engine<B>, Problem>> + 'static,
) -> Result<(), JsValue> {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        tell(Event::Panicked { message: info.to_string() });
    }));
    relaxed::offer();
    let door = Rc::new(Door::default());
    let breather = Breather::new()?;
    let listener = Rc::clone(&door);
    listen(move |event| listener.receive(&event.data()));
    spawn_local(async move {
        match engine.await {
            Ok(engine) => {
                spawn_local(Rc::clone(&door).engine_loop(engine, breather));
                spawn_local(door.loader_loop());
                tell(Event::Ready);
            }
            Err(problem) => fail(None, problem),
        }
    });
    Ok(())
}

fn tell(event: Event) {
    send(&Message::plain(event));
}

fn send(message: &Message<Event>) {
    if let Err(error) = post(message) {
        web_sys::console::error_1(&error.to_string().into());
    }
}

fn fail(revision: Option<Revision>, problem: Problem) {
    tell(Event::Failed { revision, problem });
}

impl Door {
    fn receive(self: &Rc<Self>, value: &JsValue) {
        match from_js::<Request>(value) {
            Ok(message) => self.route(message),
            Err(error) => {
                let revision = head_from_js(value).ok().and_then(|head| match head {
                    Request::Open { revision, .. }
                    | Request::Attach { revision, .. }
                    | Request::KeepAdapter { revision } => Some(revision),
                    _ => None,
                });
                fail(revision, problem_of(&error));
            }
        }
    }

    fn route(self: &Rc<Self>, message: Message<Request>) {
        match message.head {
            Request::Open { revision, source: ModelSource::Picked { name } } => {
                self.stop_loading();
                let bytes = bytes_of(message.bulk).unwrap_or_default();
                self.push(Task::Open { revision, name, bytes, sha256: None });
            }
            Request::Open { revision, source: ModelSource::Copied { name, sha256 } } => {
                let (bytes, sha256) = (bytes_of(message.bulk).unwrap_or_default(), Some(sha256));
                self.push(Task::Open { revision, name, bytes, sha256 });
            }
            Request::Open { revision, source } => {
                self.stop_loading();
                self.push(Task::LoadingBegan);
                self.order.replace(Some(Order { revision, source }));
                self.loader_bell.ring();
            }
            Request::StopLoading => self.stop_loading(),
            Request::Workers { count } => {
                self.push(Task::Helpers(crew::News::Wanted(count)));
            }
            Request::KeepModel => self.push(Task::KeepModel),
            Request::ListModels { revision } => spawn_local(async move {
                let models = model_shelf::list().await;
                let (used_bytes, quota_bytes) = usage().await.unzip();
                tell(Event::Models { revision, models, used_bytes, quota_bytes });
            }),
            Request::Prefer { preference, tuned } => crew::prefer(self, preference, tuned),
            Request::Forget { sha256 } => {
                self.remembered.borrow_mut().forget(&sha256);
                spawn_local(async move {
                    forget(&sha256).await;
                    tell(Event::Stored { sha256, outcome: StoreOutcome::Removed });
                });
            }
            Request::Attach { .. } | Request::Blend { .. } | Request::Detach { .. } => {
                adapters::order(self, message);
            }
            Request::KeepAdapter { .. }
            | Request::ForgetAdapter { .. }
            | Request::ListAdapters { .. }
            | Request::ReadAdapter { .. } => adapters::tend(self, message),
            _ => self.push(Task::Ask(message)),
        }
    }

    fn push(&self, task: Task) {
        self.tasks.borrow_mut().push_back(task);
        self.engine_bell.ring();
    }

    fn stop_loading(&self) {
        if let Some(running) = self.running.take() {
            running.abort();
        }
        if let Some(order) = self.order.take() {
            let (revision, total_bytes) = (order.revision, order.source.size_bytes());
            tell(Event::LoadingStopped { revision, done_bytes: 0, total_bytes });
            self.push(Task::LoadingEnded);
        }
    }

    async fn loader_loop(self: Rc<Self>) {
        loop {
            self.loader_bell.wait().await;
            let order = self.order.take();
            if let Some(order) = order {
                self.fulfil(order).await;
            }
        }
    }

    async fn fulfil(&self, order: Order) {
        let Order { revision, source } = order;
        let controller = match AbortController::new() {
            Ok(controller) => controller,
            Err(thrown) => {
                let detail = describe(&thrown);
                fail(Some(revision), Problem::Internal { detail });
                return self.push(Task::LoadingEnded);
            }
        };
        let signal = controller.signal();
        self.running.replace(Some(controller));
        let total_bytes = source.size_bytes();
        match self.bring(revision, &source, &signal).await {
            Ok(_) if signal.aborted() => {
                let done_bytes = total_bytes;
                tell(Event::LoadingStopped { revision, done_bytes, total_bytes });
            }
            Ok((name, Fetched { bytes, sha256 })) => {
                self.running.take();
                self.push(Task::Open { revision, name, bytes, sha256: Some(sha256) });
            }
            Err(Halted { problem: Some(problem), .. }) => {
                self.running.take();
                fail(Some(revision), problem);
            }
            Err(Halted { problem: None, done_bytes, .. }) => {
                tell(Event::LoadingStopped { revision, done_bytes, total_bytes });
            }
        }
        self.push(Task::LoadingEnded);
    }

    /// Brings a model into memory, from the store or the network; its name, too.
    async fn bring(
        &self,
        revision: Revision,
        source: &ModelSource,
        signal: &AbortSignal,
    ) -> Result<(String, Fetched), Halted> {
        match source {
            ModelSource::Hosted { name, url, size_bytes, sha256 } => {
                let wanted = Wanted { url, size_bytes: *size_bytes, sha256 };
                let mut remembered = self.remembered.take();
                let outcome = load(revision, wanted, signal, &mut remembered, &tell).await;
                self.remembered.replace(remembered);
                Ok((name.clone(), outcome?))
            }
            ModelSource::Kept { name, sha256, size_bytes } => {
                let reading = |done_bytes, total_bytes| {
                    let stage = LoadingStage::ReadingStore;
                    tell(Event::Loading { revision, stage, done_bytes, total_bytes });
                };
                let bytes = model_shelf::read(name, sha256, *size_bytes, reading).await;
                let bytes = bytes.map_err(halted)?;
                model_shelf::touch(sha256).await;
                Ok((name.clone(), Fetched { bytes, sha256: sha256.clone() }))
            }
            ModelSource::Picked { .. }
            | ModelSource::Copied { .. }
            | ModelSource::Pulled { .. }
            | ModelSource::Files { .. } => {
                let detail = "that model is not fetched by this program".to_owned();
                Err(halted(Problem::Internal { detail }))
            }
        }
    }

    async fn engine_loop<B: Backend + Clone>(
        self: Rc<Self>,
        mut engine: Engine<B>,
        breather: Breather,
    ) {
        let mut helpers = Helpers::new(&self);
        let mut out = Events::new();
        loop {
            while let Some(task) = self.next_task() {
                match task {
                    Task::Helpers(news) => helpers.take(news, &mut engine),
                    Task::KeepModel => keep_model(&engine).await,
                    task => deal_with(task, &mut engine, &mut out),
                }
                corpora::carry(&self, engine.store_orders());
                out.drain(..).for_each(|message| send(&message));
            }
            helpers.direct(&mut engine);
            let start = Instant::now();
            let mut more = true;
            while more && start.elapsed() < SLICE {
                more = engine.step(&mut out).await;
                helpers.feed(&mut engine);
                corpora::carry(&self, engine.store_orders());
                out.drain(..).for_each(|message| send(&message));
            }
            if more {
                breather.breathe().await;
            } else {
                self.engine_bell.wait().await;
            }
        }
    }

    fn next_task(&self) -> Option<Task> {
        self.tasks.borrow_mut().pop_front()
    }
}

fn deal_with<B: Backend + Clone>(task: Task, engine: &mut Engine<B>, out: &mut Events) {
    match task {
        Task::Ask(message) => engine.accept(message, out),
        Task::LoadingBegan => engine.loading_began(),
        Task::LoadingEnded => engine.loading_ended(out),
        Task::AdapterBegan => engine.adapter_began(),
        Task::AdapterEnded => engine.adapter_ended(out),
        Task::Stored(stored) => engine.stored(stored, out),
        Task::Attach { revision, name, bytes } => engine.attach(revision, &name, &bytes, out),
        Task::Beside { revision, name, bytes, sha256 } => {
            engine.beside(revision, &name, bytes, sha256, out);
        }
        Task::Open { revision, name, bytes, sha256 } => {
            let (stage, size) = (LoadingStage::Preparing, bytes.len() as u64);
            tell(Event::Loading { revision, stage, done_bytes: size, total_bytes: size });
            engine.open(revision, &name, bytes, sha256, out);
        }
        Task::Helpers(_) | Task::KeepModel => {}
    }
}

/// Nothing arrived.
fn halted(problem: Problem) -> Halted {
    Halted { problem: Some(problem), partial: Vec::new(), done_bytes: 0 }
}

/// Keeps the model in use in the browser's store.
async fn keep_model<B: Backend + Clone>(engine: &Engine<B>) {
    let Some(file) = engine.file() else { return };
    let (sha256, size_bytes) = (file.sha256.clone(), file.size_bytes());
    let kept = model_shelf::described(&file.config, &sha256, file.quantisation(), size_bytes);
    let is_kept = model_shelf::keep(kept, file.bytes()).await;
    let outcome = if is_kept { StoreOutcome::Kept } else { StoreOutcome::Refused };
    tell(Event::Stored { sha256, outcome });
}

fn problem_of(error: &WireError) -> Problem {
    match error {
        WireError::Memory { needed_bytes } => Problem::Memory { needed_bytes: *needed_bytes },
        WireError::Codec(_) | WireError::Shape { .. } => {
            Problem::Internal { detail: error.to_string() }
        }
    }
}
