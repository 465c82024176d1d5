//! Effects carried out: the only place where the page touches worker, storage and clipboard.

use std::cell::RefCell;
use std::sync::Arc;

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{File, Url};

use crate::browser::bridge::{Bridge, Program};
use crate::browser::page_scope;
use crate::browser::picture;
use crate::catalogue::language::Language;
use crate::catalogue::text::Text;
use crate::catalogue::words::Words;
use crate::files::write::pieces;
use crate::files::{Format, Table};
use crate::protocol::Revision;
use crate::protocol::event::Event;
use crate::protocol::message::{Bulk, Message};
use crate::protocol::models::{LocalFile, Wish};
use crate::protocol::request::{ModelSource, Request};
use crate::protocol::search::{Ask, Intake};
use crate::state::action::Action;
use crate::state::adapters::AdapterAction;
use crate::state::effect::Effect;
use crate::state::geometry::GeometryAction;
use crate::state::notice::Report;
use crate::state::search::SearchAction;
use crate::state::settings::Theme;
use crate::state::shelf::ShelfAction;
use crate::text::book::source::MOST_BYTES;
use crate::text::lists::decode;

thread_local! {
    static BRIDGE: RefCell<Option<Bridge>> = const { RefCell::new(None) };
    /// The worker that trains.
    static TRAINER: RefCell<Option<Bridge>> = const { RefCell::new(None) };
    /// The worker that makes models.
    static PULLER: RefCell<Option<Bridge>> = const { RefCell::new(None) };
    /// The model file the visitor picked: kept for a restart of the worker.
    static PICKED: RefCell<Option<File>> = const { RefCell::new(None) };
    /// The checkpoint's files the visitor picked: kept for a restart of the worker.
    static CHECKPOINT: RefCell<Vec<(String, File)>> = const { RefCell::new(Vec::new()) };
    /// The corpus file the visitor picked, until it is read.
    static CORPUS: RefCell<Option<File>> = const { RefCell::new(None) };
    /// The adapter file the visitor picked, until it is read.
    static ADAPTER: RefCell<Option<File>> = const { RefCell::new(None) };
}

/// Takes what the visitor dropped or picked in the Models view: a GGUF file, or a checkpoint's files with
/// their paths.
pub fn take_files(dispatch: impl Dispatch, mut files: Vec<(String, File)>) {
    if !files.iter().any(|(path, _)| is_checkpoint(path)) {
        // Of several the first, as elsewhere in the page.
        if let Some((_, file)) = files.into_iter().next() {
            take_file(dispatch, file);
        }
        return;
    }
    files.retain(|(path, _)| is_checkpoint(path));
    let weights = files.iter().filter(|(path, _)| !is_small(path));
    let size_bytes = weights.map(|(_, file)| file.size()).sum::<f64>() as u64;
    let first = files.first().and_then(|(path, _)| path.split('/').next()).unwrap_or_default();
    let name = first.to_owned();
    CHECKPOINT.with_borrow_mut(|held| *held = files);
    dispatch(Action::Shelf(ShelfAction::FilesPicked { name, size_bytes }));
}

/// Small files of a checkpoint.
fn is_small(path: &str) -> bool {
    path.ends_with(".json") || path.ends_with(".txt")
}

fn is_checkpoint(path: &str) -> bool {
    is_small(path) || path.ends_with(".safetensors") || path.ends_with(".bin")
}

/// The request that makes a model of the checkpoint's files.
fn ask_for_files(revision: Revision, wish: Wish) -> Option<Message<Request>> {
    let files = CHECKPOINT.with_borrow(Clone::clone);
    let local = files.iter().map(|(path, file)| {
        let url = Url::create_object_url_with_blob(file).ok()?;
        Some(LocalFile { path: path.clone(), url, size_bytes: file.size() as u64 })
    });
    let source = ModelSource::Files { files: local.collect::<Option<Vec<_>>>()?, wish };
    Some(Message::plain(Request::Open { revision, source }))
}

/// Starts the program that makes models; the request goes to it as soon as it listens.
fn pull(dispatch: impl Dispatch, message: Message<Request>) {
    end_puller();
    let died = move |message: String| {
        end_puller();
        dispatch(Action::PullerDied { message });
    };
    let said = move |event: Message<Event>| {
        if event.head != Event::Ready {
            return dispatch(Action::Puller(event));
        }
        let sent = PULLER.with_borrow(|slot| slot.as_ref().map(|it| it.send(&message)));
        if let Some(Err(message)) = sent {
            dispatch(Action::PullerDied { message });
        }
    };
    match Bridge::start(Program::Puller, said, died) {
        Ok(bridge) => PULLER.with_borrow_mut(|slot| *slot = Some(bridge)),
        Err(message) => page_scope::after(0, move || dispatch(Action::PullerDied { message })),
    }
}

fn end_puller() {
    if let Some(bridge) = PULLER.with_borrow_mut(Option::take) {
        drop_later(bridge);
    }
}

/// Takes a GGUF file that the visitor picked or dropped: a model, or an adapter.
pub fn take_file(dispatch: impl Dispatch, file: File) {
    spawn_local(async move {
        if page_scope::contains(&file, LOOKED_AT_BYTES, ADAPTER_MARK).await {
            ADAPTER.with_borrow_mut(|held| *held = Some(file));
            return dispatch(Action::Adapters(AdapterAction::FilePicked));
        }
        let (name, size_bytes) = (file.name(), file.size() as u64);
        hold_picked(file);
        dispatch(Action::ModelFilePicked { name, size_bytes });
    });
}

/// Bytes from the front of a GGUF file among which the key stands that tells an adapter from a model.
const LOOKED_AT_BYTES: f64 = 65_536.0;
/// `general.type = "adapter"`, as GGUF writes it: the key, the type of a text (8), its length, itself.
const ADAPTER_MARK: &[u8] = b"general.type\x08\0\0\0\x07\0\0\0\0\0\0\0adapter";

/// Remembers the file that [`Action::ModelFilePicked`] is about.
fn hold_picked(file: File) {
    PICKED.with_borrow_mut(|picked| *picked = Some(file));
}

/// Remembers the file that [`Effect::SendCorpusFile`] is about.
pub fn hold_corpus(file: File) {
    CORPUS.with_borrow_mut(|held| *held = Some(file));
}

/// Tells the state what happened.
pub trait Dispatch: Fn(Action) + Copy + 'static {}

impl<F: Fn(Action) + Copy + 'static> Dispatch for F {}

/// Carries out one effect.
pub fn run(dispatch: impl Dispatch, effect: Effect) {
    match effect {
        Effect::Send(message) => with_bridge(dispatch, |bridge| bridge.send(&message)),
        Effect::SendPickedModel { revision, name } => {
            send_picked(dispatch, Line::Main, revision, name)
        }
        Effect::Pull(message) => pull(dispatch, message),
        Effect::PullFiles { revision, wish } => match ask_for_files(revision, wish) {
            Some(message) => pull(dispatch, message),
            None => page_scope::after(0, move || {
                let message = "the browser gives no addresses to files".to_owned();
                dispatch(Action::PullerDied { message });
            }),
        },
        Effect::StopPulling => {
            let stop = Message::plain(Request::StopLoading);
            // One that is gone has stopped.
            PULLER.with_borrow(|slot| slot.as_ref().map(|it| drop(it.send(&stop))));
        }
        Effect::EndPuller => end_puller(),
        Effect::ExportModel { name, sha256 } => spawn_local(async move {
            let outcome = page_scope::download_stored(&name, &sha256).await;
            dispatch(Action::Reported(exported(name, outcome)));
        }),
        Effect::SendCorpusFile { revision, intake } => send_corpus(dispatch, revision, intake),
        Effect::SendCorpusText { revision, intake, text } => {
            let head = Request::Search { revision, ask: Ask::Read { intake } };
            let message = Message { head, bulk: vec![Bulk::Bytes(text.into_bytes())] };
            with_bridge(dispatch, |bridge| bridge.send(&message));
        }
        Effect::SendCorpusAt { revision, intake, url } => spawn_local(async move {
            match page_scope::fetch(&url).await {
                Ok(bytes) => {
                    let head = Request::Search { revision, ask: Ask::Read { intake } };
                    let message = Message { head, bulk: vec![Bulk::Bytes(bytes)] };
                    with_bridge(dispatch, |bridge| bridge.send(&message));
                }
                Err(detail) => {
                    dispatch(Action::Search(SearchAction::BringingFailed { revision, detail }));
                }
            }
        }),
        Effect::SendPickedAdapter { revision } => send_adapter(dispatch, revision),
        Effect::RestartWorker => restart(dispatch),
        Effect::StartTrainer => start_trainer(dispatch),
        Effect::EndTrainer => end_trainer(),
        Effect::SendTrainer(message) => with_trainer(dispatch, |bridge| bridge.send(&message)),
        Effect::SendTrainerPickedModel { revision, name } => {
            send_picked(dispatch, Line::Trainer, revision, name);
        }
        Effect::After { pause_ms, action } => {
            page_scope::after(pause_ms, move || dispatch(action));
        }
        Effect::FetchCorpus { url, number } => spawn_local(async move {
            let bytes = page_scope::fetch(&url).await;
            let text = bytes.and_then(|it| decode(&it).map_err(|error| error.to_string()));
            dispatch(Action::Geometry(GeometryAction::BundledArrived { number, text }));
        }),
        Effect::FetchAdapter { url, number } => spawn_local(async move {
            let bytes = page_scope::fetch(&url).await.map(Arc::from);
            dispatch(Action::Geometry(GeometryAction::SessionAdapterCame { number, bytes }));
        }),
        Effect::SaveTable { number, name, format, table } => spawn_local(async move {
            let outcome = save_table(dispatch, number, &name, format, &table).await;
            dispatch(Action::Geometry(GeometryAction::ExportEnded { number }));
            dispatch(Action::Reported(exported(name, outcome)));
        }),
        Effect::Save(text) => {
            if !page_scope::save(&text) {
                dispatch(Action::Reported(Report::NotSaved));
            }
        }
        Effect::ShowFragment(fragment) => page_scope::show_fragment(&fragment),
        Effect::RevealPair => page_scope::reveal(".pair"),
        Effect::UseLanguage(language) => use_language(language),
        Effect::UseTheme(theme) => use_theme(theme),
        Effect::Copy { text, is_fragment, report } => copy(dispatch, text, is_fragment, report),
        Effect::Download { name, mime, text } => {
            let outcome = page_scope::download_text(&name, mime, &text);
            dispatch(Action::Reported(exported(name, outcome)));
        }
        Effect::DownloadBytes { name, bytes } => {
            let outcome = page_scope::download_bytes(&name, &bytes);
            dispatch(Action::Reported(exported(name, outcome)));
        }
        Effect::DownloadPng { name, svg } => spawn_local(async move {
            let name = format!("{name}.png");
            let outcome = match picture::png(&svg).await {
                Ok(blob) => page_scope::download_blob(&name, &blob),
                Err(detail) => Err(detail),
            };
            dispatch(Action::Reported(exported(name, outcome)));
        }),
    }
}

/// Milliseconds of writing between two moments in which the page draws and listens.
const WRITING_MS: f64 = 12.0;

async fn save_table(
    dispatch: impl Dispatch,
    number: u32,
    name: &str,
    format: Format,
    table: &Table,
) -> Result<(), String> {
    let mut parts = Vec::new();
    let mut rested_ms = page_scope::now_ms();
    for piece in pieces(format, table) {
        parts.push(page_scope::blob_of(&piece)?);
        if page_scope::now_ms() - rested_ms > WRITING_MS {
            let done = parts.len();
            dispatch(Action::Geometry(GeometryAction::ExportAdvanced { number, done }));
            page_scope::pause().await;
            rested_ms = page_scope::now_ms();
        }
    }
    page_scope::download_blob(name, &page_scope::joined(&parts)?)
}

fn exported(name: String, outcome: Result<(), String>) -> Report {
    match outcome {
        Ok(()) => Report::Exported { name },
        Err(detail) => Report::ExportFailed { detail },
    }
}

fn with_bridge(dispatch: impl Dispatch, send: impl FnOnce(&Bridge) -> Result<(), String>) {
    let outcome = BRIDGE.with_borrow(|bridge| bridge.as_ref().map(send));
    if let Some(Err(message)) = outcome {
        dispatch(Action::WorkerDied { message });
    }
}

fn with_trainer(dispatch: impl Dispatch, send: impl FnOnce(&Bridge) -> Result<(), String>) {
    let outcome = TRAINER.with_borrow(|bridge| bridge.as_ref().map(send));
    if let Some(Err(message)) = outcome {
        dispatch(Action::TrainerDied { message });
    }
}

fn end_trainer() {
    if let Some(bridge) = TRAINER.with_borrow_mut(Option::take) {
        drop_later(bridge);
    }
}

fn start_trainer(dispatch: impl Dispatch) {
    end_trainer();
    let died = move |message: String| {
        end_trainer();
        dispatch(Action::TrainerDied { message });
    };
    match Bridge::start(Program::Trainer, move |message| dispatch(Action::Trainer(message)), died) {
        Ok(bridge) => TRAINER.with_borrow_mut(|slot| *slot = Some(bridge)),
        Err(message) => page_scope::after(0, move || dispatch(Action::TrainerDied { message })),
    }
}

fn restart(dispatch: impl Dispatch) {
    BRIDGE.with_borrow_mut(Option::take);
    let died = move |message: String| {
        // Taken at once: what the dying worker still says must not reach the next one's state.
        if let Some(bridge) = BRIDGE.with_borrow_mut(Option::take) {
            drop_later(bridge);
        }
        dispatch(Action::WorkerDied { message });
    };
    match Bridge::start_worker(move |message| dispatch(Action::Worker(message)), died) {
        Ok((bridge, early)) => {
            BRIDGE.with_borrow_mut(|slot| *slot = Some(bridge));
            early.replay();
        }
        Err(message) => page_scope::after(0, move || dispatch(Action::WorkerDied { message })),
    }
}

/// A bridge must not be dropped inside its own listener: that would free the running closure. What
/// it still says must not be taken for the next one's.
fn drop_later(bridge: Bridge) {
    bridge.silence();
    page_scope::after(0, move || drop(bridge));
}

/// Which worker.
#[derive(Clone, Copy)]
enum Line {
    Main,
    Trainer,
}

fn send_picked(dispatch: impl Dispatch, line: Line, revision: Revision, name: String) {
    let Some(file) = PICKED.with_borrow(Clone::clone) else {
        page_scope::after(0, move || dispatch(Action::DefaultModelChosen));
        return;
    };
    spawn_local(async move {
        match JsFuture::from(file.array_buffer()).await {
            Ok(bytes) => {
                let source = ModelSource::Picked { name };
                let bytes = bytes.unchecked_into();
                let send =
                    |bridge: &Bridge| bridge.send_file(Request::Open { revision, source }, &bytes);
                match line {
                    Line::Main => with_bridge(dispatch, send),
                    Line::Trainer => with_trainer(dispatch, send),
                }
            }
            Err(error) => {
                let detail = page_scope::words(&error);
                match line {
                    Line::Main => {
                        dispatch(Action::Reported(Report::FileUnreadable { name, detail }));
                    }
                    Line::Trainer => {
                        end_trainer();
                        dispatch(Action::TrainerDied { message: format!("{name}: {detail}") });
                    }
                }
            }
        }
    });
}

fn send_adapter(dispatch: impl Dispatch, revision: Revision) {
    let Some(file) = ADAPTER.with_borrow_mut(Option::take) else { return };
    spawn_local(async move {
        match JsFuture::from(file.array_buffer()).await {
            Ok(bytes) => with_bridge(dispatch, |bridge| {
                bridge.send_file(Request::KeepAdapter { revision }, &bytes.unchecked_into())
            }),
            Err(error) => {
                let (name, detail) = (file.name(), page_scope::words(&error));
                dispatch(Action::Reported(Report::FileUnreadable { name, detail }));
            }
        }
    });
}

/// Sends a corpus's bytes, which never enter the page's own memory.
fn send_corpus(dispatch: impl Dispatch, revision: Revision, intake: Intake) {
    let Some(file) = CORPUS.with_borrow_mut(Option::take) else { return };
    spawn_local(async move {
        let failed = |detail: String| {
            dispatch(Action::Search(SearchAction::BringingFailed { revision, detail }));
        };
        let (size, limit) = (file.size() as u64, MOST_BYTES as u64);
        if size > limit {
            return failed(format!("it has {size} bytes, the limit is {limit}; cut it in parts"));
        }
        match JsFuture::from(file.array_buffer()).await {
            Ok(bytes) => with_bridge(dispatch, |bridge| {
                let head = Request::Search { revision, ask: Ask::Read { intake } };
                bridge.send_file(head, &bytes.unchecked_into())
            }),
            Err(error) => failed(page_scope::words(&error)),
        }
    });
}

fn use_language(language: Language) {
    page_scope::set_root("lang", language.tag());
    let (name, tagline) =
        (Text::AppName.in_language(language), Text::Tagline.in_language(language));
    page_scope::set_title(&format!("{name}: {tagline}"));
}

fn use_theme(theme: Theme) {
    let name = match theme {
        Theme::System => "system",
        Theme::Light => "light",
        Theme::Dark => "dark",
    };
    page_scope::set_root("data-theme", name);
}

fn copy(dispatch: impl Dispatch, text: String, is_fragment: bool, report: Report) {
    spawn_local(async move {
        let text = if is_fragment { format!("{}{text}", page_scope::address()) } else { text };
        let report = match page_scope::copy(&text).await {
            Ok(()) => report,
            Err(_) => Report::CopyRefused,
        };
        dispatch(Action::Reported(report));
    });
}
