//! The model in use, and opening another one from disk.

use leptos::prelude::*;
use web_sys::File;

use crate::catalogue::numbers::{grouped, milliseconds};
use crate::catalogue::text::Text;
use crate::protocol::event::{ModelSummary, StoreOutcome};
use crate::state::action::Action;
use crate::state::app::Wanted;
use crate::ui::adapters::Shelf;
use crate::ui::effects;
use crate::ui::loading::LoadingBar;
use crate::ui::names::pooling_name;
use crate::ui::page::{Page, page};
use crate::ui::parts::{DropZone, FileButton};
use crate::ui::status::{row, storage_text};

/// The Models view.
#[component]
pub fn Models() -> impl IntoView {
    let page = page();
    let picked = move |file: File| effects::take_file(move |action| page.dispatch(action), file);
    let is_own = page.part(|state| state.wanted == Wanted::Default && state.model.is_some());
    let back =
        move || {
            (!is_own.get()).then(|| view! {
            <button class="plain" on:click=move |_| page.dispatch(Action::DefaultModelChosen)>
                {page.words(Text::ModelUseDefault)}
            </button>
        })
        };
    view! {
        <DropZone on_file=picked hint=Text::ModelOpenFile>
            <section class="models">
                <h1>{page.text(Text::ModelsTitle)}</h1>
                <p class="lead">{page.text(Text::ModelsHow)}</p>
                <LoadingBar/>
                <CurrentModel/>
                <div class="actions">
                    <FileButton text=Text::ModelOpenFile accept=".gguf" on_file=picked/>
                    {back}
                </div>
                <p class="quiet">{page.text(Text::ModelDrop)}</p>
                <p class="quiet">{page.text(Text::ModelForVisit)}</p>
            </section>
            <Shelf/>
        </DropZone>
    }
}

#[component]
fn CurrentModel() -> impl IntoView {
    let page = page();
    let model = page.part(|state| state.model.clone());
    let kept = page.part(|state| (state.store, state.wanted.clone()));
    let hosted =
        page.part(|state| state.hosted.first().map(|model| model.file.replace(".gguf", ".md")));
    move || {
        let Some(model) = model.get() else {
            return view! { <p>{page.words(Text::ProblemNoModel)}</p> }.into_any();
        };
        let own = kept.get().1 == Wanted::Default;
        let honest = if own { Text::HonestWeights } else { Text::OwnWeights };
        let card = hosted.get().filter(|_| own).map(|card| {
            view! {
                <a href=format!("models/{card}")>{page.words(Text::ModelCard)}</a>
            }
        });
        let is_kept =
            own && matches!(kept.get().0, Some(StoreOutcome::Kept | StoreOutcome::Damaged));
        let forget = is_kept.then(|| {
            view! {
                <button class="plain" on:click=move |_| page.dispatch(Action::StoredModelForgotten)>
                    {page.words(Text::ModelForget)}
                </button>
            }
        });
        view! {
            <article class="card model">
                <p class="over">{page.words(Text::ModelCurrent)}</p>
                <h2>{model.name.clone()}</h2>
                <p>{page.words(honest)}</p>
                <dl>
                    {facts(page, &model)}
                    {row(page, Text::StatusStorage, page.words(storage_text(&kept.get())).to_owned())}
                </dl>
                <div class="actions">{card}{forget}</div>
            </article>
        }
        .into_any()
    }
}

fn facts(page: Page, model: &ModelSummary) -> impl IntoView + use<> {
    let licence =
        model.licence.clone().unwrap_or_else(|| page.words(Text::ModelLicenceUnknown).to_owned());
    let vocabulary =
        page.filled(Text::ModelVocabularyValue, &[("n", &grouped(u64::from(model.vocabulary)))]);
    let prepared = page.filled(Text::ModelPrepared, &[("ms", &milliseconds(model.prepare_ms))]);
    view! {
        {crate::ui::status::model_rows(page, model)}
        {row(page, Text::ModelVocabulary, vocabulary)}
        {row(page, Text::ModelReadout, page.words(pooling_name(model.pooling)).to_owned())}
        {row(page, Text::ModelLicence, licence)}
        {row(page, Text::ModelHash, model.sha256.clone())}
        {row(page, Text::ModelPreparing, prepared)}
    }
}
