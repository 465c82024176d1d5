//! The corpora: which one is on show, and how another comes.

use leptos::prelude::*;
use web_sys::File;

use crate::catalogue::numbers::{grouped, megabytes};
use crate::catalogue::search::SearchText as Text;
use crate::catalogue::text::Text as PageText;
use crate::protocol::search::CorpusSummary;
use crate::state::action::Action;
use crate::state::search::{Origin, SearchAction as Do};
use crate::ui::effects;
use crate::ui::page::{Page, page};
use crate::ui::parts::FileButton;

/// Files that are read.
const ACCEPT: &str =
    ".txt,.md,.markdown,.csv,.tsv,.tab,.jsonl,.ndjson,.json,text/plain,text/csv,application/json";

/// Brings in a file that was picked or dropped.
pub fn take_file(page: Page, file: File) {
    let name = file.name();
    effects::hold_corpus(file);
    page.dispatch(Action::Search(Do::Brought(Origin::File { name })));
}

#[component]
pub fn Shelf() -> impl IntoView {
    let page = page();
    let corpora = page.part(|state| state.search.shelf.clone().unwrap_or_default());
    let names = move || {
        let all = corpora.get();
        all.into_iter().map(|corpus| view! { <Choice corpus/> }).collect_view()
    };
    let is_bare = page.part(|state| {
        let search = &state.search;
        search.shelf.as_ref().is_some_and(Vec::is_empty) && search.draft.is_none()
    });
    view! {
        <section class="search-shelf" aria-labelledby="search-corpora">
            <h2 id="search-corpora">{page.text(Text::Corpora)}</h2>
            <div class="chips" role="group" aria-label=page.text(Text::Corpora)>{names}</div>
            {move || is_bare.get().then(|| view! { <p class="quiet">{page.words(Text::NoCorpus)}</p> })}
            <Opened/>
            <Add/>
        </section>
    }
}

#[component]
fn Choice(corpus: CorpusSummary) -> impl IntoView {
    let page = page();
    let id = corpus.corpus;
    let is_open = page.part(move |state| state.search.open == Some(id));
    view! {
        <button
            class="chip"
            aria-pressed=move || is_open.get().to_string()
            on:click=move |_| page.dispatch(Action::Search(Do::Opened(id)))
        >
            {shown_name(&corpus)} " "
            <span class="quiet numbers">{grouped(u64::from(corpus.passages))}</span>
        </button>
    }
}

fn shown_name(corpus: &CorpusSummary) -> String {
    if corpus.name.is_empty() {
        format!("#{}", corpus.corpus.0 % 1_000)
    } else {
        corpus.name.clone()
    }
}

/// What is known of the corpus on show, and what can be done with it.
#[component]
fn Opened() -> impl IntoView {
    let page = page();
    let corpus = page.part(|state| state.search.corpus().cloned());
    let usage = page.part(|state| state.search.usage);
    let renaming = RwSignal::new(false);
    move || {
        let corpus = corpus.get()?;
        let id = corpus.corpus;
        let facts = facts(page, &corpus, usage.get());
        let ask = move |_| page.dispatch(Action::Search(Do::DeletionAsked(Some(id))));
        Some(view! {
            <div class="search-opened">
                <span class="quiet numbers">{facts}</span>
                <button class="plain" on:click=move |_| renaming.update(|it| *it = !*it)>
                    {page.words(Text::Rename)}
                </button>
                <button class="plain" on:click=ask>{page.words(Text::Delete)}</button>
            </div>
            <Renaming corpus=corpus.clone() renaming/>
            <Deletion corpus=corpus.clone()/>
            <Keeping is_kept=corpus.is_kept/>
        })
    }
}

fn facts(page: Page, corpus: &CorpusSummary, usage: Option<(u64, u64)>) -> String {
    let (n, size) = (grouped(u64::from(corpus.passages)), megabytes(corpus.size_bytes));
    let mut facts = vec![page.filled(Text::CorpusFacts, &[("n", &n), ("size", &size)])];
    facts.extend(usage.map(|(used, quota)| {
        let (used, quota) = (megabytes(used), grouped(quota / 1_000_000));
        page.filled(Text::Usage, &[("used", &used), ("quota", &quota)])
    }));
    facts.join(" · ")
}

#[component]
fn Renaming(corpus: CorpusSummary, renaming: RwSignal<bool>) -> impl IntoView {
    let page = page();
    let (id, name) = (corpus.corpus, RwSignal::new(corpus.name));
    let done = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        renaming.set(false);
        page.dispatch(Action::Search(Do::Renamed(id, name.get_untracked())));
    };
    move || {
        renaming.get().then(|| {
            view! {
                <form class="line" on:submit=done>
                    <label class="choice">
                        <span>{page.words(Text::NewName)}</span>
                        <input
                            type="text"
                            maxlength="80"
                            prop:value=move || name.get()
                            on:input=move |event| name.set(event_target_value(&event))
                        />
                    </label>
                    <button class="plain">{page.words(Text::Rename)}</button>
                </form>
            }
        })
    }
}

/// Deleting takes a second word: there is no way back.
#[component]
fn Deletion(corpus: CorpusSummary) -> impl IntoView {
    let page = page();
    let id = corpus.corpus;
    let is_asked = page.part(move |state| state.search.deleting == Some(id));
    let act = move |action: Do| page.dispatch(Action::Search(action));
    move || {
        is_asked.get().then(|| {
            let words = page.filled(Text::DeleteSure, &[("name", &shown_name(&corpus))]);
            view! {
                <div class="note line" role="alertdialog" aria-label=words.clone()>
                    <span>{words.clone()}</span>
                    <button class="primary" on:click=move |_| act(Do::Deleted(id))>
                        {page.words(Text::DeleteYes)}
                    </button>
                    <button class="plain" on:click=move |_| act(Do::DeletionAsked(None))>
                        {page.words(Text::DeleteNo)}
                    </button>
                </div>
            }
        })
    }
}

/// What goes with the tab is said.
#[component]
fn Keeping(is_kept: bool) -> impl IntoView {
    let page = page();
    let is_partly = page
        .part(|state| state.search.open.is_some_and(|open| state.search.not_kept.contains(&open)));
    move || {
        let words = match (is_kept, is_partly.get()) {
            (false, _) => Some(Text::CorpusLoose),
            (true, true) => Some(Text::CorpusPartly),
            (true, false) => None,
        };
        words.map(|words| view! { <p class="note" role="status">{page.words(words)}</p> })
    }
}

/// How another corpus comes.
#[component]
fn Add() -> impl IntoView {
    let page = page();
    let pasted = page.part(|state| state.search.pasted.clone());
    let is_empty = Memo::new(move |_| pasted.with(|text| text.trim().is_empty()));
    let typed =
        move |event| page.dispatch(Action::Search(Do::PasteTyped(event_target_value(&event))));
    let read = move |_| page.dispatch(Action::Search(Do::Brought(Origin::Pasted)));
    let picked = move |file: File| take_file(page, file);
    view! {
        <details class="search-add">
            <summary>{page.text(Text::Add)}</summary>
            <p class="quiet">{page.text(Text::AddHow)}</p>
            <label class="hidden" for="search-paste">{page.text(Text::PasteLabel)}</label>
            <textarea
                id="search-paste"
                rows="6"
                dir="auto"
                spellcheck="false"
                placeholder=page.text(Text::PasteLabel)
                prop:value=move || pasted.get()
                on:input=typed
            ></textarea>
            <div class="actions">
                <button class="primary" disabled=move || is_empty.get() on:click=read>
                    {page.text(Text::PasteRead)}
                </button>
                <FileButton text=PageText::ChooseFile accept=ACCEPT on_file=picked/>
            </div>
        </details>
    }
}
