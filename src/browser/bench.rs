//! `window.__bench` of `bench.html`: the measuring harness loads a model and embeds sentences with
//! it, on the path that visitors have. No page is drawn.
//!
//! `load({ backend: "cpu", workers: N, model: NAME })` fetches `/models/gguf/NAME` into a worker
//! that has N - 1 others help it with long requests (`threads` means the same); they start as soon
//! as the model is there. `embed(sentences)` is one request and gives
//! `{ ms, dim, data, parts: { tokenise, run } }`, rows in the given order. `workers()` says how many
//! are ready.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Float32Array, Object, Promise, Reflect};
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::{JsFuture, future_to_promise};

use crate::browser::bridge::{Bridge, Early};
use crate::browser::page_scope;
use crate::protocol::event::Event;
use crate::protocol::message::Message;
use crate::protocol::readout::{Lens, Pooling, Readout, Side};
use crate::protocol::request::{ModelSource, Request};

/// Whether the page is the bench page.
pub fn is_bench_page() -> bool {
    page_scope::address().split('?').next().is_some_and(|path| path.ends_with("/bench.html"))
}

/// The worker and the promise of its next answer.
struct Lane {
    bridge: Bridge,
    waiting: Rc<RefCell<Option<(js_sys::Function, js_sys::Function)>>>,
    answer: Rc<RefCell<Option<Message<Event>>>>,
    /// Workers ready, this one included.
    workers: Rc<Cell<u16>>,
}

type Loaded = Rc<RefCell<Option<Rc<Lane>>>>;

/// Sets `window.__bench`.
///
/// # Errors
/// Where the window takes no properties; it always does.
pub fn install() -> Result<(), JsValue> {
    let loaded = Loaded::default();
    let bench = Object::new();
    let (for_load, for_workers) = (loaded.clone(), loaded.clone());
    let load = Closure::<dyn Fn(JsValue) -> Promise>::new(move |options: JsValue| {
        future_to_promise(load(for_load.clone(), options))
    });
    let embed = Closure::<dyn Fn(Array) -> Promise>::new(move |sentences: Array| {
        future_to_promise(embed(loaded.clone(), sentences))
    });
    let workers = Closure::<dyn Fn() -> u16>::new(move || {
        for_workers.borrow().as_ref().map_or(0, |lane| lane.workers.get())
    });
    Reflect::set(&bench, &"load".into(), &load.into_js_value())?;
    Reflect::set(&bench, &"embed".into(), &embed.into_js_value())?;
    Reflect::set(&bench, &"workers".into(), &workers.into_js_value())?;
    Reflect::set(&js_sys::global(), &"__bench".into(), &bench)?;
    Ok(())
}

async fn load(loaded: Loaded, options: JsValue) -> Result<JsValue, JsValue> {
    let option = |name: &str| Reflect::get(&options, &name.into()).unwrap_or(JsValue::UNDEFINED);
    let backend = option("backend").as_string().unwrap_or_else(|| "cpu".to_owned());
    if backend != "cpu" {
        return Err(JsValue::from_str(&format!("this build has no backend {backend}; use cpu")));
    }
    let workers = option("workers").as_f64().or_else(|| option("threads").as_f64()).unwrap_or(1.0);
    let workers = workers as u16;
    let model = option("model").as_string().unwrap_or_else(|| "minilm-q8_0.gguf".to_owned());
    let name = if model.ends_with(".gguf") { model } else { format!("{model}.gguf") };
    let (lane, early) = Lane::start()?;
    early.replay();
    lane.expect_event("ready").await?;
    let (url, size_bytes, sha256) = (format!("/models/gguf/{name}"), 0, String::new());
    let source = ModelSource::Hosted { name, url, size_bytes, sha256 };
    lane.send(Request::Workers { count: Some(workers) })?;
    lane.send(Request::Open { revision: 1, source })?;
    let Event::Opened { model, .. } = lane.expect_event("model").await?.head else {
        return Err(JsValue::from_str("the worker did not open the model"));
    };
    let report = Object::new();
    let fields = [
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("backend", backend),
        ("device", model.device),
        ("model", model.name),
        ("quantisation", model.quantisation),
    ];
    for (name, value) in fields {
        Reflect::set(&report, &name.into(), &value.into())?;
    }
    Reflect::set(&report, &"threads".into(), &workers.into())?;
    *loaded.borrow_mut() = Some(Rc::new(lane));
    Ok(report.into())
}

async fn embed(loaded: Loaded, sentences: Array) -> Result<JsValue, JsValue> {
    let started_ms = page_scope::now_ms();
    let sentences =
        sentences.iter().map(|sentence| sentence.as_string().unwrap_or_default()).collect();
    // A copy of the pointer: `load` may be called again while this waits.
    let lane = loaded.borrow().clone().ok_or_else(|| JsValue::from_str("call load first"))?;
    let lens = Lens { side: Side::Before, readout: Readout::last(Pooling::Mean) };
    lane.send(Request::Embed { revision: 2, sentences, lens })?;
    let answer = lane.expect_event("rows").await?;
    let Event::Embedded { hidden, tokenise_ms, run_ms, .. } = answer.head else {
        return Err(JsValue::from_str("the worker did not answer with rows"));
    };
    report(started_ms, hidden, answer.f32().unwrap_or_default(), tokenise_ms, run_ms)
}

fn report(
    started_ms: f64,
    hidden: u32,
    rows: &[f32],
    tokenise: f64,
    run: f64,
) -> Result<JsValue, JsValue> {
    let parts = Object::new();
    Reflect::set(&parts, &"tokenise".into(), &tokenise.into())?;
    Reflect::set(&parts, &"run".into(), &run.into())?;
    let report = Object::new();
    Reflect::set(&report, &"ms".into(), &(page_scope::now_ms() - started_ms).into())?;
    Reflect::set(&report, &"dim".into(), &hidden.into())?;
    Reflect::set(&report, &"data".into(), &Float32Array::from(rows))?;
    Reflect::set(&report, &"parts".into(), &parts)?;
    Ok(report.into())
}

impl Lane {
    /// What the worker said already is to be replayed.
    fn start() -> Result<(Self, Early), JsValue> {
        let waiting: Rc<RefCell<Option<(js_sys::Function, js_sys::Function)>>> = Rc::default();
        let answer: Rc<RefCell<Option<Message<Event>>>> = Rc::default();
        let failed = Rc::new(Cell::new(false));
        let (on_event, on_answer) = (waiting.clone(), answer.clone());
        let for_death = waiting.clone();
        let workers = Rc::new(Cell::new(1));
        let on_workers = workers.clone();
        let (bridge, early) = Bridge::start_worker(
            move |message| match &message.head {
                Event::Loading { .. } | Event::Stored { .. } | Event::Progress { .. } => {}
                Event::Workers { ready, .. } => on_workers.set(*ready),
                Event::Failed { problem, .. } => settle(&on_event, Err(format!("{problem:?}"))),
                _ => {
                    *on_answer.borrow_mut() = Some(message);
                    settle(&on_event, Ok(()));
                }
            },
            move |message| {
                if !failed.replace(true) {
                    settle(&for_death, Err(message));
                }
            },
        )?;
        Ok((Self { bridge, waiting, answer, workers }, early))
    }

    fn send(&self, request: Request) -> Result<(), JsValue> {
        self.bridge.send(&Message::plain(request)).map_err(|error| JsValue::from_str(&error))
    }

    /// Waits for the worker's next answer.
    async fn expect_event(&self, what: &str) -> Result<Message<Event>, JsValue> {
        if self.answer.borrow().is_none() {
            let promise = Promise::new(&mut |resolve, reject| {
                *self.waiting.borrow_mut() = Some((resolve, reject));
            });
            JsFuture::from(promise).await?;
        }
        self.answer
            .borrow_mut()
            .take()
            .ok_or_else(|| JsValue::from_str(&format!("the worker gave no {what}")))
    }
}

fn settle(
    waiting: &Rc<RefCell<Option<(js_sys::Function, js_sys::Function)>>>,
    outcome: Result<(), String>,
) {
    let Some((resolve, reject)) = waiting.borrow_mut().take() else { return };
    // The functions of a promise do not throw.
    let _ = match outcome {
        Ok(()) => resolve.call0(&JsValue::NULL),
        Err(message) => reject.call1(&JsValue::NULL, &JsValue::from_str(&message)),
    };
}
