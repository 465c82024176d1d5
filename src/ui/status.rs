//! The status pill and what it opens: model, device, speed, storage.

use leptos::prelude::*;

use crate::catalogue::adapters::AdapterText;
use crate::catalogue::gpu::{
    GpuText, agreement_words, choice_words, preference_name, speed_words, state_words, way_words,
};
use crate::catalogue::numbers::{megabytes, milliseconds};
use crate::catalogue::text::Text;
use crate::catalogue::words::Words;
use crate::protocol::event::{LoadingStage, ModelSummary, StoreOutcome};
use crate::protocol::gpu::Backend;
use crate::protocol::gpu::{GpuState, Preference};
use crate::state::action::Action;
use crate::state::app::{State, Wanted, Worker};
use crate::ui::page::{Page, page};

/// What the pill says.
#[derive(Clone, PartialEq)]
enum Pill {
    Starting,
    NoModel,
    Loading(Option<LoadingStage>, u32),
    Ready { quantisation: String, backend: Backend, each_ms: Option<f64> },
    Computing { quantisation: String, workers: u16 },
}

fn pill(state: &State) -> Pill {
    if let Some(loading) = &state.loading {
        return Pill::Loading(loading.stage, (loading.share() * 100.0) as u32);
    }
    match (&state.model, state.worker) {
        (Some(model), Worker::Ready) if state.computing_workers > 1 => Pill::Computing {
            quantisation: model.quantisation.clone(),
            workers: state.computing_workers,
        },
        (Some(model), Worker::Ready) => Pill::Ready {
            quantisation: model.quantisation.clone(),
            backend: state.gpu.computes().0,
            each_ms: state.compare.shown.pair.as_ref().map(|pair| pair.latency_ms / 2.0),
        },
        (_, Worker::Starting) => Pill::Starting,
        _ => Pill::NoModel,
    }
}

/// Words for a backend.
fn backend_name(backend: Backend) -> Text {
    match backend {
        Backend::Cpu => Text::BackendCpu,
        Backend::WebGpu => Text::BackendWebGpu,
    }
}

fn pill_words(page: Page, pill: &Pill) -> String {
    match pill {
        Pill::Starting => page.words(Text::StatusStarting).to_owned(),
        Pill::NoModel => page.words(Text::StatusNoModel).to_owned(),
        Pill::Loading(stage, percent) => {
            let text = match stage {
                None | Some(LoadingStage::LookingUp) => Text::StatusStarting,
                Some(LoadingStage::Downloading | LoadingStage::Quantising) => {
                    Text::StatusDownloading
                }
                Some(LoadingStage::ReadingStore) => Text::StatusReadingStore,
                Some(LoadingStage::Preparing) => Text::StatusPreparing,
            };
            page.filled(text, &[("percent", &percent.to_string())])
        }
        Pill::Computing { quantisation, workers } => {
            let places = [("quantisation", &**quantisation), ("count", &workers.to_string())];
            page.filled(Text::StatusComputing, &places)
        }
        Pill::Ready { quantisation, backend, each_ms } => {
            let backend = page.words(backend_name(*backend));
            let text = if each_ms.is_some() { Text::StatusReady } else { Text::StatusReadyUntimed };
            let ms = each_ms.map(milliseconds).unwrap_or_default();
            page.filled(text, &[("quantisation", quantisation), ("backend", backend), ("ms", &ms)])
        }
    }
}

/// The pill in the header.
#[component]
pub fn Status() -> impl IntoView {
    let page = page();
    let pill = page.part(pill);
    let state_name = move || match pill.get() {
        Pill::Ready { .. } | Pill::Computing { .. } => "ready",
        Pill::NoModel => "none",
        Pill::Starting | Pill::Loading(..) => "busy",
    };
    view! {
        <button class="pill" popovertarget="status" data-state=state_name title=page.text(Text::StatusOpen)>
            <span class="dot" aria-hidden="true"></span>
            <span class="words">{move || pill_words(page, &pill.get())}</span>
        </button>
        <div id="status" popover="auto" class="card status" aria-label=page.text(Text::StatusTitle)>
            <h2>{page.text(Text::StatusTitle)}</h2>
            <StatusTable/>
            <Preferred/>
            <p class="quiet">{page.text(Text::Promise)}</p>
        </div>
    }
}

#[component]
fn StatusTable() -> impl IntoView {
    let page = page();
    let model = page.part(|state| state.model.clone());
    let store = page.part(|state| (state.store, state.wanted.clone()));
    let adapter = page.part(|state| {
        let attached = state.adapters.attached.as_ref()?;
        let blend = attached.model.is_none().then_some(state.adapters.blend);
        Some((attached.name.clone(), blend))
    });
    let workers = page.part(|state| state.computing_workers);
    let gpu = page.part(|state| state.gpu.state.clone());
    let each_ms =
        page.part(|state| state.compare.shown.pair.as_ref().map(|pair| pair.latency_ms / 2.0));
    move || match model.get() {
        None => view! { <p>{page.words(Text::StatusNoModel)}</p> }.into_any(),
        Some(model) => {
            let speed = each_ms.get().map(|ms| {
                let value = page.filled(Text::StatusSpeedValue, &[("ms", &milliseconds(ms))]);
                row(page, Text::StatusSpeed, value)
            });
            let computing = (workers.get() > 1).then(|| {
                let count = workers.get().to_string();
                let value = page.filled(Text::StatusWorkersValue, &[("count", &count)]);
                row(page, Text::StatusWorkers, value)
            });
            let adapter = adapter.get().map(|(name, blend)| {
                let Some(blend) = blend else { return row(page, AdapterText::StatusBeside, name) };
                let percent = format!("{:.0}", blend * 100.0);
                let value = page.filled(
                    AdapterText::StatusAdapterValue,
                    &[("name", &name), ("percent", &percent)],
                );
                row(page, AdapterText::StatusAdapter, value)
            });
            let (_, wanted) = store.get();
            let honest =
                if wanted == Wanted::Default { Text::HonestWeights } else { Text::OwnWeights };
            view! {
                <p class="quiet">{page.words(honest)}</p>
                <dl>
                    {model_rows(page, &model)}
                    {adapter}
                    {computing}
                    {speed}
                    {gpu_rows(page, &gpu.get())}
                    {row(page, Text::StatusStorage, page.words(storage_text(&store.get())).to_owned())}
                </dl>
            }
            .into_any()
        }
    }
}

/// The GPU: what it does, how it compared, what was chosen.
fn gpu_rows(page: Page, gpu: &GpuState) -> impl IntoView + use<> {
    let language = page.language();
    let decided = match gpu {
        GpuState::Decided(verdict) => Some(view! {
            {row(page, GpuText::Choice, choice_words(verdict, language))}
            {row(page, GpuText::Speeds, speed_words(verdict, language))}
            {way_words(&verdict.report, language).map(|way| row(page, GpuText::Way, way))}
            {row(page, GpuText::Agreement, agreement_words(&verdict.report, language))}
        }),
        _ => None,
    };
    view! {
        {row(page, GpuText::Gpu, state_words(gpu, language))}
        {decided}
    }
}

/// What sentences are to be computed by.
#[component]
fn Preferred() -> impl IntoView {
    let page = page();
    let preference = page.part(|state| state.gpu.preference);
    let all = [Preference::Measured, Preference::Cpu, Preference::Gpu];
    let chosen = move |event| {
        let place = event_target_value(&event).parse::<usize>().ok();
        if let Some(preference) = place.and_then(|place| all.get(place)) {
            page.dispatch(Action::BackendPreferred(*preference));
        }
    };
    view! {
        <label class="preferred">
            <span>{page.text(GpuText::Preferred)}</span>
            <select on:change=chosen>
                {all
                    .into_iter()
                    .enumerate()
                    .map(|(place, this)| view! {
                        <option value=place.to_string() prop:selected=move || preference.get() == this>
                            {page.text(preference_name(this))}
                        </option>
                    })
                    .collect_view()}
            </select>
        </label>
    }
}

/// How the model is kept, in words.
pub fn storage_text((store, wanted): &(Option<StoreOutcome>, Wanted)) -> Text {
    // On their way into the store, or refused by it.
    let is_passing =
        matches!(wanted, Wanted::Picked { .. } | Wanted::Pulled { .. } | Wanted::Files { .. });
    if is_passing && *store != Some(StoreOutcome::Refused) {
        return Text::StoreUnknown;
    }
    match store {
        Some(StoreOutcome::Kept) => Text::StoreKept,
        Some(StoreOutcome::Refused) => Text::StoreRefused,
        Some(StoreOutcome::Damaged) => Text::StoreDamaged,
        Some(StoreOutcome::Removed) => Text::StoreRemoved,
        None => Text::StoreUnknown,
    }
}

/// The facts about a model that every place shows.
pub fn model_rows(page: Page, model: &ModelSummary) -> impl IntoView + use<> {
    let size = page.filled(
        Text::StatusSizeValue,
        &[("mb", &megabytes(model.size_bytes)), ("quantisation", &model.quantisation)],
    );
    let shape = page.filled(
        Text::StatusShapeValue,
        &[
            ("layers", &model.layers.to_string()),
            ("hidden", &model.hidden.to_string()),
            ("heads", &model.heads.to_string()),
            ("tokens", &model.max_tokens.to_string()),
        ],
    );
    view! {
        {row(page, Text::StatusModel, model.name.clone())}
        {row(page, Text::StatusSize, size)}
        {row(page, Text::StatusShape, shape)}
        {row(page, Text::StatusBackend, page.words(backend_name(model.backend)).to_owned())}
        {row(page, Text::StatusDevice, model.device.clone())}
    }
}

/// One line of a list of facts.
pub fn row<W: Words>(page: Page, name: W, value: String) -> impl IntoView + use<W> {
    view! {
        <div class="fact">
            <dt>{page.words(name)}</dt>
            <dd>{value}</dd>
        </div>
    }
}
