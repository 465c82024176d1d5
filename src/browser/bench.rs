//! `window.__bench` of `bench.html`: the measuring harness loads a model and embeds sentences with
//! it. No page is drawn.
//!
//! `load({ backend: "cpu", workers: N, model: NAME })` fetches `/models/gguf/NAME` into every one
//! of N workers; `embed(sentences)` cuts the sentences into N shares of about equal length and
//! gives `{ ms, dim, data, parts: { tokenise, run } }`, rows in the given order.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Float32Array, Object, Promise, Reflect};
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::{JsFuture, future_to_promise};

use crate::browser::bridge::Bridge;
use crate::browser::page_scope;
use crate::protocol::event::Event;
use crate::protocol::message::{Bulk, Message};
use crate::protocol::readout::{Lens, Pooling, Readout, Side};
use crate::protocol::request::{ModelSource, Request};

/// Whether the page is the bench page.
pub fn is_bench_page() -> bool {
    page_scope::address().split('?').next().is_some_and(|path| path.ends_with("/bench.html"))
}

/// One worker and the promise of its next answer.
struct Lane {
    bridge: Bridge,
    waiting: Rc<RefCell<Option<(js_sys::Function, js_sys::Function)>>>,
    answer: Rc<RefCell<Option<Message<Event>>>>,
}

type Lanes = Rc<RefCell<Rc<[Lane]>>>;

/// Sets `window.__bench`.
///
/// # Errors
/// Where the window takes no properties; it always does.
pub fn install() -> Result<(), JsValue> {
    let lanes: Lanes = Rc::default();
    let bench = Object::new();
    let for_load = lanes.clone();
    let load = Closure::<dyn Fn(JsValue) -> Promise>::new(move |options: JsValue| {
        future_to_promise(load(for_load.clone(), options))
    });
    let embed = Closure::<dyn Fn(Array) -> Promise>::new(move |sentences: Array| {
        future_to_promise(embed(lanes.clone(), sentences))
    });
    Reflect::set(&bench, &"load".into(), &load.into_js_value())?;
    Reflect::set(&bench, &"embed".into(), &embed.into_js_value())?;
    Reflect::set(&js_sys::global(), &"__bench".into(), &bench)?;
    Ok(())
}

async fn load(lanes: Lanes, options: JsValue) -> Result<JsValue, JsValue> {
    let option = |name: &str| Reflect::get(&options, &name.into()).unwrap_or(JsValue::UNDEFINED);
    let backend = option("backend").as_string().unwrap_or_else(|| "cpu".to_owned());
    if backend != "cpu" {
        return Err(JsValue::from_str(&format!("this build has no backend {backend}; use cpu")));
    }
    let workers = option("workers").as_f64().or_else(|| option("threads").as_f64()).unwrap_or(1.0);
    let model = option("model").as_string().unwrap_or_else(|| "minilm-q8_0.gguf".to_owned());
    let file = if model.ends_with(".gguf") { model } else { format!("{model}.gguf") };
    let mut started = Vec::new();
    for _ in 0..(workers.clamp(1.0, 64.0) as usize) {
        started.push(Lane::start()?);
    }
    let mut summary = None;
    for lane in &started {
        lane.expect_event("ready").await?;
    }
    // All workers load at once; each checks and prepares a copy of its own.
    for lane in &started {
        let source = ModelSource::Hosted {
            name: file.clone(),
            url: format!("/models/gguf/{file}"),
            size_bytes: 0,
            sha256: String::new(),
        };
        lane.send(Request::Open { revision: 1, source })?;
    }
    for lane in &started {
        if let Event::Opened { model, .. } = lane.expect_event("model").await?.head {
            summary = Some(model);
        }
    }
    let report = Object::new();
    if let Some(model) = summary {
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
        Reflect::set(&report, &"threads".into(), &(started.len() as u32).into())?;
    }
    *lanes.borrow_mut() = started.into();
    Ok(report.into())
}

async fn embed(lanes: Lanes, sentences: Array) -> Result<JsValue, JsValue> {
    let started_ms = page_scope::now_ms();
    let sentences: Vec<String> =
        sentences.iter().map(|sentence| sentence.as_string().unwrap_or_default()).collect();
    // A copy of the pointer: `load` may be called again while this waits.
    let lanes = Rc::clone(&lanes.borrow());
    if lanes.is_empty() {
        return Err(JsValue::from_str("call load first"));
    }
    let shares = shares(&sentences, lanes.len());
    for (lane, share) in lanes.iter().zip(&shares).filter(|(_, share)| !share.is_empty()) {
        let sentences = share.iter().map(|&place| sentences[place].clone()).collect();
        let lens = Lens { side: Side::Before, readout: Readout::last(Pooling::Mean) };
        lane.send(Request::Embed { revision: 2, sentences, lens })?;
    }
    let (mut rows, mut hidden, mut tokenise, mut run) = (Vec::new(), 0_usize, 0.0_f64, 0.0_f64);
    for (lane, share) in lanes.iter().zip(&shares).filter(|(_, share)| !share.is_empty()) {
        let answer = lane.expect_event("rows").await?;
        let Event::Embedded { hidden: width, tokenise_ms, run_ms, .. } = answer.head else {
            continue;
        };
        hidden = width as usize;
        rows.resize(sentences.len() * hidden, 0.0_f32);
        tokenise = tokenise.max(tokenise_ms);
        run = run.max(run_ms);
        if let Some(Bulk::F32(values)) = answer.bulk.first() {
            for (&place, row) in share.iter().zip(values.chunks_exact(hidden.max(1))) {
                rows[place * hidden..(place + 1) * hidden].copy_from_slice(row);
            }
        }
    }
    report(started_ms, hidden, &rows, tokenise, run)
}

fn report(
    started_ms: f64,
    hidden: usize,
    rows: &[f32],
    tokenise: f64,
    run: f64,
) -> Result<JsValue, JsValue> {
    let parts = Object::new();
    Reflect::set(&parts, &"tokenise".into(), &tokenise.into())?;
    Reflect::set(&parts, &"run".into(), &run.into())?;
    let report = Object::new();
    Reflect::set(&report, &"ms".into(), &(page_scope::now_ms() - started_ms).into())?;
    Reflect::set(&report, &"dim".into(), &(hidden as u32).into())?;
    Reflect::set(&report, &"data".into(), &Float32Array::from(rows))?;
    Reflect::set(&report, &"parts".into(), &parts)?;
    Ok(report.into())
}

/// Places of the sentences, cut so that every share has about the same number of characters: the
/// longest are dealt first, each to the share that has least.
fn shares(sentences: &[String], count: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..sentences.len()).collect();
    order.sort_by_key(|&place| std::cmp::Reverse(sentences[place].len()));
    let mut shares = vec![(0_usize, Vec::new()); count];
    for place in order {
        if let Some(least) = shares.iter_mut().min_by_key(|(total, _)| *total) {
            least.0 += sentences[place].len() + 8;
            least.1.push(place);
        }
    }
    shares.into_iter().map(|(_, share)| share).collect()
}

impl Lane {
    fn start() -> Result<Self, JsValue> {
        let waiting: Rc<RefCell<Option<(js_sys::Function, js_sys::Function)>>> = Rc::default();
        let answer: Rc<RefCell<Option<Message<Event>>>> = Rc::default();
        let failed = Rc::new(Cell::new(false));
        let (on_event, on_answer) = (waiting.clone(), answer.clone());
        let for_death = waiting.clone();
        let bridge = Bridge::start(
            move |message| match &message.head {
                Event::Loading { .. } | Event::Stored { .. } | Event::Progress { .. } => {}
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
        Ok(Self { bridge, waiting, answer })
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
