//! Vectors as files, sessions, a link: what can be taken along.

use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::File;

use crate::catalogue::export::ExportText as Text;
use crate::catalogue::problems::explain;
use crate::files::Format;
use crate::state::action::Action;
use crate::state::geometry::failure::Failure;
use crate::state::geometry::{GeometryAction as Do, Plot, SessionTrouble, Standing};
use crate::ui::geometry::look::plot_name;
use crate::ui::list::read_text;
use crate::ui::page::{Page, page};
use crate::ui::parts::{DropZone, FileButton};

/// The section below everything else.
#[component]
pub fn TakeAlong() -> impl IntoView {
    let page = page();
    let dropped = move |file: File| spawn_local(open_session(page, file));
    view! {
        <DropZone on_file=dropped hint=Text::SessionOpen>
            <section class="geometry-export" aria-labelledby="geometry-export">
                <h2 id="geometry-export">{page.text(Text::Title)}</h2>
                <Vectors/>
                <Sessions/>
            </section>
        </DropZone>
    }
}

async fn open_session(page: Page, file: File) {
    if let Some((name, text)) = read_text(page, file).await {
        page.dispatch(Action::Geometry(Do::SessionFileRead { name, text }));
    }
}

fn format_name(format: Format) -> Text {
    match format {
        Format::Npy => Text::FormatNpy,
        Format::Parquet => Text::FormatParquet,
        Format::Csv => Text::FormatCsv,
        Format::JsonLines => Text::FormatJsonLines,
        Format::ProjectorVectors => Text::FormatProjectorVectors,
        Format::ProjectorMetadata => Text::FormatProjectorMetadata,
    }
}

#[component]
fn Vectors() -> impl IntoView {
    let page = page();
    let export = page.part(|state| state.geometry.export.clone());
    let cannot = page.part(|state| {
        let geometry = &state.geometry;
        let needs_model = geometry.export.format != Format::ProjectorMetadata;
        geometry.export.is_busy()
            || !geometry.corpus.is_enough()
            || (needs_model && !geometry.can_have_vectors(geometry.export.plot))
    });
    let act = move |action: Do| page.dispatch(Action::Geometry(action));
    let plotted = move |event| {
        let place: usize = event_target_value(&event).parse().unwrap_or_default();
        let plot = Plot::ALL.get(place).copied();
        act(Do::ExportPlotChosen(plot.unwrap_or(Plot::A)));
    };
    let formatted = move |event| {
        let place: usize = event_target_value(&event).parse().unwrap_or_default();
        let format = Format::ALL.get(place).copied();
        act(Do::ExportFormatChosen(format.unwrap_or(Format::Csv)));
    };
    let plots = Plot::ALL.into_iter().enumerate().map(|(place, plot)| {
        let selected = move || export.get().plot == plot;
        view! {
            <option value=place.to_string() selected=selected>{page.text(plot_name(plot))}</option>
        }
    });
    let formats = Format::ALL.into_iter().enumerate().map(|(place, format)| {
        let selected = move || export.get().format == format;
        view! {
            <option value=place.to_string() selected=selected>
                {page.text(format_name(format))}
            </option>
        }
    });
    view! {
        <h3>{page.text(Text::Vectors)}</h3>
        <p class="quiet">{page.text(Text::VectorsHow)}</p>
        <div class="actions">
            <label class="choice">
                <span>{page.text(Text::Which)}</span>
                <select on:change=plotted>{plots.collect_view()}</select>
            </label>
            <label class="choice">
                <span>{page.text(Text::Format)}</span>
                <select on:change=formatted>{formats.collect_view()}</select>
            </label>
            <button class="primary" disabled=move || cannot.get() on:click=move |_| act(Do::ExportAsked)>
                {page.text(Text::Save)}
            </button>
        </div>
        {move || standing(page, &export.get().standing)}
    }
}

fn standing(page: Page, standing: &Standing) -> AnyView {
    let quiet = |words: String| view! { <p class="quiet" role="status">{words}</p> }.into_any();
    match standing {
        Standing::Nothing => ().into_any(),
        Standing::Measuring => quiet(page.words(Text::Measuring).to_owned()),
        Standing::Asked(_) => quiet(page.words(Text::Asked).to_owned()),
        Standing::Writing { done, total } => {
            let (done, total) = ((*done).min(*total).to_string(), total.to_string());
            let words = page.filled(Text::Writing, &[("done", &done), ("total", &total)]);
            view! {
                <div class="geometry-working" role="status">
                    <progress max=total value=done></progress>
                    <span class="quiet numbers">{words}</span>
                </div>
            }
            .into_any()
        }
        Standing::Failed(Failure::Stopped) => {
            view! { <p class="error" role="alert">{page.words(Text::Stopped)}</p> }.into_any()
        }
        Standing::Failed(Failure::Problem(problem)) => {
            let told = explain(problem, page.language());
            view! { <p class="error" role="alert">{told.happened} " " {told.remedy}</p> }.into_any()
        }
    }
}

#[component]
fn Sessions() -> impl IntoView {
    let page = page();
    let is_saving = page.part(|state| state.geometry.session.is_saving());
    let trouble = page.part(|state| state.geometry.session.trouble.clone());
    let act = move |action: Do| page.dispatch(Action::Geometry(action));
    let picked = move |file: File| spawn_local(open_session(page, file));
    let saving = move || {
        is_saving.get().then(|| {
            view! {
                <p class="quiet" role="status">{page.words(Text::SessionSaving)}</p>
            }
        })
    };
    view! {
        <h3>{page.text(Text::Session)}</h3>
        <p class="quiet">{page.text(Text::SessionHow)} " " {page.text(Text::LinkHow)}</p>
        <div class="actions">
            <button class="plain" disabled=move || is_saving.get() on:click=move |_| act(Do::SessionSaved)>
                {page.text(Text::SessionSave)}
            </button>
            <FileButton text=Text::SessionOpen accept=".json,application/json" on_file=picked/>
            <button class="plain" on:click=move |_| act(Do::LinkCopied)>
                {page.text(Text::CopyLink)}
            </button>
        </div>
        {saving}
        {move || trouble.get().map(|trouble| told(page, &trouble))}
    }
}

fn told(page: Page, trouble: &SessionTrouble) -> AnyView {
    let named = |text: Text, name: &str| page.filled(text, &[("name", name)]);
    let words = match trouble {
        SessionTrouble::NoAdapter(detail) => {
            page.filled(Text::SessionNoAdapter, &[("detail", detail)])
        }
        SessionTrouble::Adapter(problem) => {
            let told = explain(problem, page.language());
            let detail = format!("{} {}", told.happened, told.remedy);
            page.filled(Text::SessionNoAdapter, &[("detail", detail.trim())])
        }
        SessionTrouble::NoSession { name } => named(Text::SessionNone, name),
        SessionTrouble::Later { name } => named(Text::SessionLater, name),
        SessionTrouble::Damaged { name, detail } => {
            page.filled(Text::SessionDamaged, &[("name", name), ("detail", detail)])
        }
        SessionTrouble::OtherModel { name } => {
            let words = named(Text::SessionOtherModel, name);
            return view! { <p class="note" role="status">{words}</p> }.into_any();
        }
    };
    view! { <p class="error" role="alert">{words}</p> }.into_any()
}
