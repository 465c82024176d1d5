//! The shelf of adapters in the Models view.

use leptos::prelude::*;
use web_sys::File;

use crate::catalogue::adapters::AdapterText;
use crate::catalogue::numbers::{grouped, megabytes};
use crate::protocol::training::AdapterSummary;
use crate::state::action::Action;
use crate::state::adapters::{AdapterAction, Choice, MOST_BLEND};
use crate::state::app::{State, Wanted};
use crate::ui::effects;
use crate::ui::names::pooling_name;
use crate::ui::page::{Page, page};
use crate::ui::parts::FileButton;
use crate::ui::status::row;

/// An adapter on the shelf.
#[derive(Debug, Clone, PartialEq)]
struct Item {
    adapter: AdapterSummary,
    /// What puts it on the model.
    choice: Choice,
    is_on: bool,
    /// It was made for the model in use, or does not say for which.
    fits: bool,
    /// The visitor is asked whether to delete it.
    is_asked: bool,
}

/// Everything that can be put on the model.
#[component]
pub fn Shelf() -> impl IntoView {
    let page = page();
    let items = page.part(items);
    let offer = page.part(offer);
    let notes = page.part(|state| {
        let adapters = &state.adapters;
        (adapters.shelf.is_empty(), adapters.refused, adapters.unreadable)
    });
    let arriving = page.part(arriving_name);
    let picked = move |file: File| effects::take_file(move |action| page.dispatch(action), file);
    let quiet = move || {
        let (empty, refused, unreadable) = notes.get();
        let n = grouped(u64::from(unreadable));
        let unreadable = (unreadable > 0)
            .then(|| page.filled(AdapterText::ShelfUnreadable, &[("n", n.as_str())]));
        let said = [
            empty.then(|| page.words(AdapterText::ShelfEmpty).to_owned()),
            refused.then(|| page.words(AdapterText::ShelfRefused).to_owned()),
            unreadable,
        ];
        said.into_iter()
            .flatten()
            .map(|words| view! { <p class="quiet">{words}</p> })
            .collect_view()
    };
    view! {
        <section class="shelf models" aria-label=page.text(AdapterText::ShelfTitle)>
            <h2>{page.text(AdapterText::ShelfTitle)}</h2>
            <p>{page.text(AdapterText::ShelfHow)}</p>
            <div aria-live="polite">
                {move || arriving.get().map(|name| {
                    let words = page.filled(AdapterText::Arriving, &[("name", &name)]);
                    view! { <p class="quiet">{words}</p> }
                })}
            </div>
            {move || offer.get().map(|name| view! { <Offer name/> })}
            <For
                each=move || items.get()
                key=|item| (item.adapter.sha256.clone(), item.is_on, item.fits, item.is_asked)
                children=move |item| view! { <Card item/> }
            />
            {quiet}
            <div class="actions">
                <FileButton text=AdapterText::Import accept=".gguf" on_file=picked/>
            </div>
            <p class="quiet">{page.text(AdapterText::ImportHow)}</p>
        </section>
    }
}

/// The attached one first, if the shelf does not have it, then the kept ones.
fn items(state: &State) -> Vec<Item> {
    let adapters = &state.adapters;
    let attached = adapters.adapter();
    let base = state.model.as_ref().map(|model| model.sha256.as_str());
    let item = |adapter: &AdapterSummary, choice: Choice| Item {
        adapter: adapter.clone(),
        choice,
        is_on: attached.is_some_and(|on| on.sha256 == adapter.sha256),
        fits: adapter.base_sha256.is_empty() || base == Some(adapter.base_sha256.as_str()),
        is_asked: adapters.forgetting.as_deref() == Some(&adapter.sha256),
    };
    let is_kept = |on: &&AdapterSummary| adapters.shelf.iter().any(|kept| kept.sha256 == on.sha256);
    let alone = attached.filter(|on| !is_kept(on)).map(|on| item(on, adapters.choice.clone()));
    let kept = adapters.shelf.iter().map(|kept| {
        let choice = Choice::Kept { sha256: kept.sha256.clone() };
        item(kept, choice)
    });
    alone.into_iter().chain(kept).collect()
}

/// Name of the site's own adapter, where it could be on the model and is not.
fn offer(state: &State) -> Option<String> {
    let adapter = state.hosted.first()?.adapter.as_ref()?;
    let attached = state.adapters.attached.as_ref();
    let is_on = attached.is_some_and(|on| on.sha256 == adapter.sha256);
    let can_be = state.wanted == Wanted::Default && state.model.is_some();
    (can_be && !is_on && state.adapters.arriving.is_none()).then(|| adapter.name.clone())
}

fn arriving_name(state: &State) -> Option<String> {
    let arriving = state.adapters.arriving.as_ref()?;
    if matches!(state.adapters.choice, Choice::Model { .. }) {
        return None;
    }
    let hosted = state.hosted.iter().filter_map(|model| model.adapter.as_ref());
    let kept = state.adapters.shelf.iter().map(|kept| (&kept.sha256, &kept.name));
    let mut known = hosted.map(|adapter| (&adapter.sha256, &adapter.name)).chain(kept);
    let found = known.find(|(sha256, _)| **sha256 == arriving.sha256);
    Some(found.map_or_else(String::new, |(_, name)| name.clone()))
}

#[component]
fn Offer(name: String) -> impl IntoView {
    let page = page();
    let choose = move |_| page.dispatch(Action::Adapters(AdapterAction::Chosen(Choice::Hosted)));
    view! {
        <article class="card model adapter">
            <p class="over">{page.text(AdapterText::FromTheSite)}</p>
            <h3>{name}</h3>
            <div class="actions">
                <button class="plain" on:click=choose>{page.text(AdapterText::Attach)}</button>
            </div>
        </article>
    }
}

#[component]
fn Card(item: Item) -> impl IntoView {
    let page = page();
    let Item { adapter, choice, is_on, fits, is_asked } = item;
    let over = is_on.then(|| {
        view! { <p class="over after">{page.text(AdapterText::OnTheModel)}</p> }
    });
    let (sha256, is_hosted) = (adapter.sha256.clone(), choice == Choice::Hosted);
    let name = adapter.name.clone();
    let put = if is_on { Choice::Nothing } else { choice };
    let put_words = if is_on { AdapterText::Detach } else { AdapterText::Attach };
    let put_on = (is_on || fits).then(|| {
        let choose = move |_| {
            page.dispatch(Action::Adapters(AdapterAction::Chosen(put.clone())));
        };
        view! { <button class="plain" on:click=choose>{page.text(put_words)}</button> }
    });
    let own = (!is_hosted).then(|| {
        if is_asked {
            view! { <DeleteQuestion name sha256/> }.into_any()
        } else {
            view! { <OwnActions sha256/> }.into_any()
        }
    });
    view! {
        <article class="card model adapter" class:on=is_on>
            {over}
            <h3>{adapter.name.clone()}</h3>
            {is_on.then(|| view! { <BlendSlider/> })}
            <dl>{facts(page, &adapter, fits)}</dl>
            {metrics(page, &adapter)}
            {recipe(page, &adapter)}
            <div class="actions">{put_on}{own}</div>
        </article>
    }
}

#[component]
fn BlendSlider() -> impl IntoView {
    let page = page();
    let blend = page.part(|state| state.adapters.blend);
    let percent = move || format!("{:.0}", blend.get() * 100.0);
    let value = move || page.filled(AdapterText::BlendValue, &[("percent", &percent())]);
    let moved = move |event| {
        if let Ok(percent) = event_target_value(&event).parse::<f32>() {
            page.dispatch(Action::Adapters(AdapterAction::BlendChosen(percent / 100.0)));
        }
    };
    view! {
        <label class="blend" title=page.text(AdapterText::BlendHow)>
            <span>{page.text(AdapterText::Blend)}</span>
            <input
                type="range" min="0" max=format!("{:.0}", MOST_BLEND * 100.0) step="5"
                prop:value=percent aria-valuetext=value on:input=moved
            />
            <output class="numbers">{value}</output>
        </label>
    }
}

#[component]
fn OwnActions(sha256: String) -> impl IntoView {
    let page = page();
    let asked = sha256.clone();
    let export = move |_| {
        let sha256 = sha256.clone();
        page.dispatch(Action::Adapters(AdapterAction::Exported { sha256 }));
    };
    let delete = move |_| {
        let sha256 = asked.clone();
        page.dispatch(Action::Adapters(AdapterAction::ForgetAsked { sha256 }));
    };
    view! {
        <button class="plain" on:click=export>{page.text(AdapterText::Export)}</button>
        <button class="plain" on:click=delete>{page.text(AdapterText::Delete)}</button>
    }
}

#[component]
fn DeleteQuestion(name: String, sha256: String) -> impl IntoView {
    let page = page();
    let question = move || page.filled(AdapterText::DeleteSure, &[("name", &name)]);
    let delete = move |_| {
        let sha256 = sha256.clone();
        page.dispatch(Action::Adapters(AdapterAction::Forgotten { sha256 }));
    };
    let keep = move |_| page.dispatch(Action::Adapters(AdapterAction::ForgetDropped));
    view! {
        <span role="alert">{question}</span>
        <button class="plain danger" on:click=delete>{page.text(AdapterText::DeleteYes)}</button>
        <button class="plain" on:click=keep>{page.text(AdapterText::DeleteNo)}</button>
    }
}

fn facts(page: Page, adapter: &AdapterSummary, fits: bool) -> impl IntoView + use<> {
    let hash: String = adapter.base_sha256.chars().take(12).collect();
    let base = if adapter.base_sha256.is_empty() {
        page.words(AdapterText::BaseUnsaid).to_owned()
    } else if fits {
        adapter.base_name.clone()
    } else {
        page.filled(AdapterText::OtherBase, &[("base", &adapter.base_name), ("hash", &hash)])
    };
    let size = if adapter.size_bytes < 1_000_000 {
        page.filled(AdapterText::Kilobytes, &[("n", &grouped(adapter.size_bytes.div_ceil(1000)))])
    } else {
        page.filled(AdapterText::Megabytes, &[("n", &megabytes(adapter.size_bytes))])
    };
    let numbers = grouped(adapter.parameters);
    let size = page.filled(AdapterText::SizeValue, &[("size", &size), ("n", &numbers)]);
    let poolings =
        [(AdapterText::Trained, adapter.pooling), (AdapterText::Best, adapter.best_pooling)];
    let poolings = poolings.map(|(name, pooling)| {
        pooling.map(|pooling| row(page, name, page.words(pooling_name(pooling)).to_owned()))
    });
    let licence = adapter.licence.clone();
    view! {
        {row(page, AdapterText::Base, base)}
        {row(page, AdapterText::Size, size)}
        {poolings.collect_view()}
        {licence.map(|licence| row(page, AdapterText::Licence, licence))}
        {row(page, AdapterText::Hash, adapter.sha256.clone())}
    }
}

fn metrics(page: Page, adapter: &AdapterSummary) -> Option<impl IntoView + use<>> {
    let metrics = adapter.metrics.clone();
    (!metrics.is_empty()).then(|| {
        let rows = metrics.into_iter().map(|(name, value)| {
            view! { <div class="fact"><dt>{name}</dt><dd>{value}</dd></div> }
        });
        view! {
            <p class="over">{page.text(AdapterText::Measured)}</p>
            <dl class="metrics">{rows.collect_view()}</dl>
        }
    })
}

fn recipe(page: Page, adapter: &AdapterSummary) -> Option<impl IntoView + use<>> {
    let recipe = adapter.recipe.trim().to_owned();
    (!recipe.is_empty()).then(|| {
        view! {
            <details>
                <summary>{page.text(AdapterText::Recipe)}</summary>
                <p class="quiet">{page.text(AdapterText::Seed)} " " {adapter.seed.to_string()}</p>
                <pre tabindex="0">{recipe}</pre>
            </details>
        }
    })
}
