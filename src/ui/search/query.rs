//! What is looked for: words, passages to be like or unlike, and how hits are ordered.

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent};

use crate::browser::page_scope;
use crate::catalogue::numbers::decimals;
use crate::catalogue::search::SearchText as Text;
use crate::protocol::search::{Ingredient, Ranking};
use crate::state::action::Action;
use crate::state::route::View;
use crate::state::search::{MOST_HITS, Part, SearchAction as Do};
use crate::ui::page::page;
use crate::ui::search::filters::Filters;

const COUNTS: [u16; 5] = [5, 10, 20, 50, MOST_HITS];

#[component]
pub fn QueryBox() -> impl IntoView {
    let page = page();
    let input: NodeRef<html::Input> = NodeRef::new();
    let text = page.part(|state| state.search.form.text.clone());
    let typed =
        move |event| page.dispatch(Action::Search(Do::QueryTyped(event_target_value(&event))));
    let is_here = page.part(|state| state.view == View::Search);
    page_scope::watch_key("/", move |pressed| {
        // The key is let go before the field has the focus: it would be typed into it.
        if !pressed
            && is_here.try_get_untracked() == Some(true)
            && let Some(Some(element)) = input.try_get_untracked()
        {
            // Focus is refused only for an element that is not in the page.
            let _ = element.focus();
        }
    });
    let pressed = move |event: KeyboardEvent| match event.key().as_str() {
        "ArrowDown" => {
            event.prevent_default();
            focus(".search-hit");
        }
        "Escape" => page.dispatch(Action::Search(Do::Cleared)),
        _ => {}
    };
    view! {
        <section class="search-query">
            <label for="search-query"><h2>{page.text(Text::QueryLabel)}</h2></label>
            <div class="search-field">
                <input
                    id="search-query"
                    type="search"
                    dir="auto"
                    autocomplete="off"
                    node_ref=input
                    aria-describedby="search-how"
                    prop:value=move || text.get()
                    on:input=typed
                    on:keydown=pressed
                />
                <button class="plain" on:click=move |_| page.dispatch(Action::Search(Do::Cleared))>
                    {page.text(Text::Clear)}
                </button>
            </div>
            <p id="search-how" class="quiet">{page.text(Text::QueryHow)}</p>
            <Parts/>
            <Ways/>
            <Filters/>
        </section>
    }
}

/// Puts the focus on the first element that matches.
pub fn focus(selector: &str) {
    let found = page_scope::document()
        .and_then(|document| document.query_selector(selector).ok().flatten())
        .and_then(|element| element.dyn_into::<HtmlElement>().ok());
    if let Some(element) = found {
        // Focus is refused only for an element that is not in the page.
        let _ = element.focus();
    }
}

/// What the hits are also to be like, or unlike.
#[component]
fn Parts() -> impl IntoView {
    let page = page();
    let parts = page.part(|state| state.search.form.parts.clone());
    let chips = move || {
        let all = parts.get().into_iter().enumerate();
        all.map(|(place, part)| {
            let text = if part.is_like { Text::PartLike } else { Text::PartUnlike };
            let words = page.filled(text, &[("label", &part.label)]);
            let title = format!("{}: {words}", page.words(Text::Remove));
            view! {
                <button
                    class="chip"
                    aria-label=title
                    on:click=move |_| page.dispatch(Action::Search(Do::PartRemoved(place)))
                >
                    {words} " ×"
                </button>
            }
        })
        .collect_view()
    };
    view! { <div class="chips">{chips} <AddPart is_like=true/> <AddPart is_like=false/></div> }
}

/// A text of the visitor's for the query to lean to, or away from.
#[component]
fn AddPart(is_like: bool) -> impl IntoView {
    let page = page();
    let (is_open, text) = (RwSignal::new(false), RwSignal::new(String::new()));
    let name = if is_like { Text::AddLike } else { Text::AddUnlike };
    let add = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let label = text.get_untracked().trim().to_owned();
        if !label.is_empty() {
            let ingredient = Ingredient::Text(label.clone());
            let part = Part { ingredient, label, is_like };
            page.dispatch(Action::Search(Do::PartAdded(part)));
        }
        text.set(String::new());
        is_open.set(false);
    };
    move || {
        if !is_open.get() {
            return view! {
                <button class="plain" on:click=move |_| is_open.set(true)>{page.words(name)}</button>
            }
            .into_any();
        }
        view! {
            <form class="line" on:submit=add>
                <input
                    type="text"
                    autofocus
                    dir="auto"
                    aria-label=page.words(Text::PartText)
                    placeholder=page.words(name)
                    prop:value=move || text.get()
                    on:input=move |event| text.set(event_target_value(&event))
                />
                <button class="plain">{page.words(Text::PartAdd)}</button>
            </form>
        }
        .into_any()
    }
}

/// How hits are ordered, how many are shown, and how near they have to be.
#[component]
fn Ways() -> impl IntoView {
    let page = page();
    let act = move |action: Do| page.dispatch(Action::Search(action));
    let form = page.part(|state| {
        let form = &state.search.form;
        (form.ranking, form.count, form.least_cosine, form.is_beside)
    });
    let rankings = [
        (Ranking::Meaning, "meaning", Text::ByMeaning),
        (Ranking::Both, "both", Text::ByBoth),
        (Ranking::Keywords, "keywords", Text::ByKeywords),
    ];
    let options = rankings.map(|(ranking, value, name)| {
        let selected = move || form.get().0 == ranking;
        view! { <option value=value prop:selected=selected>{page.text(name)}</option> }
    });
    let ranked = move |event| {
        let value = event_target_value(&event);
        let found = rankings.iter().find(|(_, known, _)| *known == value);
        act(Do::RankingChosen(found.map_or(Ranking::Meaning, |found| found.0)));
    };
    let counts = COUNTS.map(|count| {
        let selected = move || form.get().1 == count;
        view! { <option value=count.to_string() prop:selected=selected>{count}</option> }
    });
    let counted = move |event| {
        if let Ok(count) = event_target_value(&event).parse() {
            act(Do::CountChosen(count));
        }
    };
    let beside = move |event| act(Do::BesideChosen(event_target_checked(&event)));
    view! {
        <div class="actions search-ways">
            <label class="choice">
                <span>{page.text(Text::RankBy)}</span>
                <select class="search-ranking" on:change=ranked>{options.collect_view()}</select>
            </label>
            <label class="choice">
                <input
                    type="checkbox"
                    class="search-beside"
                    prop:checked=move || form.get().3
                    disabled=move || form.get().0 == Ranking::Keywords
                    on:change=beside
                />
                <span>{page.text(Text::Beside)}</span>
            </label>
            <label class="choice">
                <span>{page.text(Text::Count)}</span>
                <select on:change=counted>{counts.collect_view()}</select>
            </label>
            <Least/>
        </div>
    }
}

/// The least cosine, from what unrelated sentences score on.
#[component]
fn Least() -> impl IntoView {
    let page = page();
    let least = page.part(|state| state.search.form.least_cosine);
    let is_words = page.part(|state| state.search.form.ranking == Ranking::Keywords);
    let changed = move |event| {
        let value: f32 = event_target_value(&event).parse().unwrap_or(0.0);
        let least = (value > 0.0).then_some(value);
        page.dispatch(Action::Search(Do::LeastChosen(least)));
    };
    let words = move || match least.get() {
        Some(least) => decimals(least, 2),
        None => page.words(Text::LeastNone).to_owned(),
    };
    view! {
        <label class="choice search-least">
            <span>{page.text(Text::Least)}</span>
            <input
                type="range"
                min="0"
                max="0.95"
                step="0.05"
                disabled=move || is_words.get()
                prop:value=move || least.get().unwrap_or(0.0).to_string()
                on:input=changed
            />
            <span class="numbers">{words}</span>
        </label>
    }
}
