//! The model in use, getting another one from a hub or from disk, and the models that are kept here.

use leptos::prelude::*;
use web_sys::FileList;

use crate::catalogue::models::ModelText;
use crate::catalogue::numbers::{grouped, megabytes, milliseconds};
use crate::catalogue::text::Text;
use crate::protocol::event::{ModelSummary, StoreOutcome};
use crate::protocol::models::{HUB, KeptModel, QUANTISATIONS, SUGGESTIONS};
use crate::protocol::readout::Pooling;
use crate::state::action::Action;
use crate::state::adapters::{AdapterAction, Choice};
use crate::state::app::{State, Wanted};
use crate::state::shelf::ShelfAction;
use crate::ui::adapters::Shelf;
use crate::ui::effects;
use crate::ui::loading::LoadingBar;
use crate::ui::names::pooling_name;
use crate::ui::page::{Page, page};
use crate::ui::parts::{FilesButton, FilesZone, paths_of};
use crate::ui::status::{row, storage_text};

/// The Models view.
#[component]
pub fn Models() -> impl IntoView {
    let page = page();
    let dropped = move |files: FileList| {
        effects::take_files(move |action| page.dispatch(action), paths_of(&files));
    };
    view! {
        <FilesZone on_files=dropped hint=ModelText::Drop>
            <section class="models">
                <h1>{page.text(Text::ModelsTitle)}</h1>
                <p class="lead">{page.text(Text::ModelsHow)}</p>
                <LoadingBar/>
                <CurrentModel/>
                <GetModel/>
                <KeptModels/>
            </section>
            <Shelf/>
        </FilesZone>
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
        let back = (!own).then(|| {
            view! {
                <button class="plain" on:click=move |_| page.dispatch(Action::DefaultModelChosen)>
                    {page.words(Text::ModelUseDefault)}
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
                <div class="actions">{card}{forget}{back}</div>
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

fn shelf(page: Page, action: ShelfAction) {
    page.dispatch(Action::Shelf(action));
}

/// From a hub, or from disk.
#[component]
fn GetModel() -> impl IntoView {
    let page = page();
    let repository = page.part(|state| state.shelf.draft.repository.clone());
    let asked = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        shelf(page, ShelfAction::PullAsked);
    };
    let chips = SUGGESTIONS.into_iter().map(|name| {
        let choose = move |_| shelf(page, ShelfAction::RepositoryTyped(name.to_owned()));
        view! { <button type="button" class="chip" on:click=choose>{name}</button> }
    });
    let picked = move |files| effects::take_files(move |action| page.dispatch(action), files);
    view! {
        <section class="get-model" aria-label=page.text(ModelText::GetTitle)>
            <h2>{page.text(ModelText::GetTitle)}</h2>
            <p>{page.text(ModelText::GetHow)}</p>
            <form on:submit=asked>
                <label for="repository">{page.text(ModelText::Repository)}</label>
                <div class="ask">
                    <input
                        id="repository" type="text" spellcheck="false" autocapitalize="off"
                        autocomplete="off" placeholder="owner/name" list="repositories"
                        prop:value=move || repository.get()
                        on:input=move |event| {
                            shelf(page, ShelfAction::RepositoryTyped(event_target_value(&event)));
                        }
                    />
                    <button class="primary" type="submit">{page.text(ModelText::Get)}</button>
                </div>
                <datalist id="repositories">
                    {SUGGESTIONS.map(|name| view! { <option value=name></option> }).collect_view()}
                </datalist>
                <details class="suggestions">
                    <summary>{page.text(ModelText::Suggestions)}</summary>
                    <div class="chips">{chips.collect_view()}</div>
                </details>
                <Wishes/>
            </form>
            <h3>{page.text(ModelText::FromDisk)}</h3>
            <p class="quiet">{page.text(ModelText::FromDiskHow)}</p>
            <div class="actions">
                <FilesButton text=ModelText::OpenFiles is_folder=false on_files=picked/>
                <FilesButton text=ModelText::OpenFolder is_folder=true on_files=picked/>
            </div>
        </section>
    }
}

/// What is wanted of a checkpoint, and where the hub is.
#[component]
fn Wishes() -> impl IntoView {
    let page = page();
    let draft = page.part(|state| state.shelf.draft.clone());
    let formats = QUANTISATIONS.map(|name| {
        let words = match name {
            "q4_0" => ModelText::QuantisationQ4,
            "f16" => ModelText::QuantisationF16,
            _ => ModelText::QuantisationQ8,
        };
        view! {
            <option value=name selected=move || draft.get().quantisation == name>
                {page.text(words)}
            </option>
        }
    });
    let readouts = Pooling::ALL.map(|pooling| {
        view! {
            <option value=pooling.name() selected=move || draft.get().pooling == Some(pooling)>
                {page.text(pooling_name(pooling))}
            </option>
        }
    });
    let hub_how = move || page.filled(ModelText::HubHow, &[("hub", HUB)]);
    view! {
        <details class="wishes">
            <summary>{page.text(ModelText::More)}</summary>
            <label>
                {page.text(ModelText::Quantisation)}
                <select on:change=move |event| {
                    shelf(page, ShelfAction::QuantisationChosen(event_target_value(&event)));
                }>{formats.collect_view()}</select>
            </label>
            <label>
                {page.text(ModelText::Pooling)}
                <select on:change=move |event| {
                    let pooling = Pooling::from_name(&event_target_value(&event));
                    shelf(page, ShelfAction::PoolingChosen(pooling));
                }>
                    <option value="">{page.text(ModelText::PoolingAsSaid)}</option>
                    {readouts.collect_view()}
                </select>
            </label>
            <label>
                {page.text(ModelText::Hub)}
                <input
                    id="hub" type="url" spellcheck="false" placeholder=HUB
                    prop:value=move || draft.get().hub
                    on:input=move |event| {
                        shelf(page, ShelfAction::HubTyped(event_target_value(&event)));
                    }
                />
            </label>
            <p class="quiet">{hub_how}</p>
        </details>
    }
}

/// A model on the shelf.
#[derive(Debug, Clone, PartialEq)]
struct Item {
    model: KeptModel,
    is_hosted: bool,
    is_used: bool,
    is_asked: bool,
    /// It is beside the model in use.
    is_beside: bool,
}

fn items(state: &State) -> Vec<Item> {
    let hosted = state.hosted.first();
    let used = state.model.as_ref().map(|model| model.sha256.as_str());
    let beside = state.adapters.model().map(|(model, _)| model.sha256.as_str());
    let item = |kept: &KeptModel| {
        let own = hosted.filter(|hosted| hosted.sha256 == kept.sha256);
        let mut model = kept.clone();
        if let Some(own) = own {
            (model.name, model.quantisation) = (own.name.clone(), own.quantisation.clone());
            model.licence = Some(own.licence.clone());
        }
        Item {
            is_hosted: own.is_some(),
            is_used: used == Some(kept.sha256.as_str()),
            is_beside: beside == Some(kept.sha256.as_str()),
            is_asked: state.shelf.forgetting.as_deref() == Some(&kept.sha256),
            model,
        }
    };
    // The site's own adapter lies among the models.
    let adapters = state.hosted.iter().filter_map(|model| model.adapter.as_ref());
    let adapters: Vec<&str> = adapters.map(|adapter| adapter.sha256.as_str()).collect();
    let kept = state.shelf.kept.iter().filter(|kept| !adapters.contains(&kept.sha256.as_str()));
    kept.map(item).collect()
}

/// Name of the model that is on its way to its place beside the one in use.
fn arriving_name(state: &State) -> Option<String> {
    match &state.adapters.choice {
        Choice::Model { name, .. } if state.adapters.arriving.is_some() => Some(name.clone()),
        _ => None,
    }
}

/// What the browser keeps.
#[component]
fn KeptModels() -> impl IntoView {
    let page = page();
    let items = page.part(items);
    let usage = page.part(|state| (state.shelf.used_bytes, state.shelf.quota_bytes));
    let usage = move || {
        let (Some(used), Some(quota)) = usage.get() else { return None };
        let (used, quota) = (megabytes(used), megabytes(quota));
        Some(page.filled(ModelText::KeptUsage, &[("used", &used), ("quota", &quota)]))
    };
    let arriving = page.part(arriving_name);
    let arriving = move || {
        let words = page.filled(ModelText::BesideSoon, &[("name", &arriving.get()?)]);
        Some(view! { <p class="quiet">{words}</p> })
    };
    view! {
        <section class="kept-models" aria-label=page.text(ModelText::KeptTitle)>
            <h2>{page.text(ModelText::KeptTitle)}</h2>
            {move || items.get().is_empty().then(|| view! {
                <p class="quiet">{page.text(ModelText::KeptNone)}</p>
            })}
            <For
                each=move || items.get()
                key=|item| (item.model.sha256.clone(), item.is_used, item.is_asked, item.is_beside)
                children=move |item| kept_card(page, item)
            />
            {move || (items.get().len() > 1).then(|| view! {
                <p class="quiet">{page.text(ModelText::BesideHow)}</p>
            })}
            <div aria-live="polite">{arriving}</div>
            <p class="quiet usage">{usage}</p>
        </section>
    }
}

fn kept_card(page: Page, item: Item) -> impl IntoView + use<> {
    let Item { model, is_hosted, is_used, is_asked, is_beside } = item;
    let size = megabytes(model.size_bytes);
    let quantisation = model.quantisation.clone();
    let facts = page.filled(ModelText::Facts, &[("quantisation", &quantisation), ("size", &size)]);
    let name = if model.name.is_empty() {
        page.words(ModelText::Unnamed).to_owned()
    } else {
        model.name.clone()
    };
    let source = match &model.source {
        _ if is_hosted => page.words(ModelText::OwnModel).to_owned(),
        Some(source) => source.clone(),
        None => page.words(ModelText::FromDisk).to_owned(),
    };
    let licence =
        model.licence.clone().unwrap_or_else(|| page.words(Text::ModelLicenceUnknown).to_owned());
    let used = used_words(page, &model, is_used);
    let [use_hash, ask_hash, export_hash] = [(); 3].map(|()| model.sha256.clone());
    let actions = if is_asked {
        let sure = page.filled(ModelText::DeleteSure, &[("name", &name)]);
        view! {
            <p>{sure}</p>
            <button class="plain danger" on:click=move |_| shelf(page, ShelfAction::Forgotten)>
                {page.text(ModelText::DeleteYes)}
            </button>
            <button class="plain" on:click=move |_| shelf(page, ShelfAction::ForgetCancelled)>
                {page.text(ModelText::DeleteNo)}
            </button>
        }
        .into_any()
    } else {
        let using = (!is_used).then(|| {
            let choose = move |_| shelf(page, ShelfAction::Used(use_hash.clone()));
            view! { <button class="plain use" on:click=choose>{page.text(ModelText::Use)}</button> }
        });
        let ask = move |_| shelf(page, ShelfAction::ForgetAsked(ask_hash.clone()));
        let export = move |_| shelf(page, ShelfAction::Exported(export_hash.clone()));
        let beside = (!is_used).then(|| beside_button(page, &model, &name, is_beside));
        view! {
            {using}
            {beside}
            <button class="plain" on:click=export>{page.text(ModelText::Export)}</button>
            <button class="plain" on:click=ask>{page.text(ModelText::Delete)}</button>
        }
        .into_any()
    };
    view! {
        <article class="card model kept" class:on=is_used class:beside=is_beside>
            {is_beside.then(|| view! { <p class="over after">{page.text(ModelText::BesideNow)}</p> })}
            <h3>{name.clone()}</h3>
            <p class="numbers">{facts}</p>
            <dl>
                {row(page, ModelText::Source, source)}
                {row(page, Text::ModelLicence, licence)}
                {row(page, ModelText::LastUsed, used)}
                {row(page, Text::ModelHash, model.sha256.clone())}
            </dl>
            <div class="actions">{actions}</div>
        </article>
    }
}

/// Puts a model beside the one in use, or takes it away again.
fn beside_button(
    page: Page,
    model: &KeptModel,
    name: &str,
    is_beside: bool,
) -> impl IntoView + use<> {
    let choice = if is_beside {
        Choice::Nothing
    } else {
        let (name, sha256) = (name.to_owned(), model.sha256.clone());
        Choice::Model { name, sha256, size_bytes: model.size_bytes }
    };
    let words = if is_beside { ModelText::BesideOff } else { ModelText::Beside };
    let choose = move |_| page.dispatch(Action::Adapters(AdapterAction::Chosen(choice.clone())));
    view! { <button class="plain beside" on:click=choose>{page.text(words)}</button> }
}

/// When a model was used last, in words.
fn used_words(page: Page, model: &KeptModel, is_used: bool) -> String {
    const DAY_MS: f64 = 86_400_000.0;
    let days = ((js_sys::Date::now() - model.used_ms) / DAY_MS).floor();
    if is_used {
        return page.words(ModelText::UsedNow).to_owned();
    }
    match days {
        _ if model.used_ms <= 0.0 => page.words(ModelText::UsedUnknown).to_owned(),
        days if days < 1.0 => page.words(ModelText::UsedToday).to_owned(),
        days => page.filled(ModelText::UsedDays, &[("n", &format!("{days:.0}"))]),
    }
}
