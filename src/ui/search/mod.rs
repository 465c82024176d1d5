//! The Search view: corpora, and passages found by what they mean.

mod draft;
mod filters;
mod hits;
mod indexing;
mod passage;
mod query;
mod shelf;
mod take;

use leptos::prelude::*;

use crate::catalogue::problems::explain;
use crate::catalogue::search::SearchText as Text;
use crate::state::action::Action;
use crate::state::search::SearchAction as Do;
use crate::ui::loading::LoadingBar;
use crate::ui::page::page;
use crate::ui::parts::DropZone;
use crate::ui::search::draft::DraftCard;
use crate::ui::search::hits::Results;
use crate::ui::search::indexing::IndexingBar;
use crate::ui::search::query::QueryBox;
use crate::ui::search::shelf::{Shelf, take_file};
use crate::ui::search::take::TakeAlong;

/// The Search view.
#[component]
pub fn Search() -> impl IntoView {
    let page = page();
    // Random enough for numbers that must only differ from those of other tabs and visits.
    let seed = (js_sys::Math::random() * 9e15) as u64;
    page.dispatch(Action::Search(Do::Entered(seed)));
    let has_corpus = page.part(|state| state.search.corpus().is_some());
    view! {
        <DropZone on_file=move |file| take_file(page, file) hint=Text::Drop>
            <div class="search">
                <section class="intro">
                    <h1>{page.text(Text::Title)}</h1>
                    <p class="lead">{page.text(Text::Lead)}</p>
                    <LoadingBar/>
                </section>
                <Shelf/>
                <DraftCard/>
                <div class="search-body" hidden=move || !has_corpus.get()>
                    <IndexingBar/>
                    <QueryBox/>
                    <Trouble/>
                    <Results/>
                    <TakeAlong/>
                </div>
            </div>
        </DropZone>
    }
}

#[component]
fn Trouble() -> impl IntoView {
    let page = page();
    let trouble = page.part(|state| state.search.trouble.clone());
    let dismiss = move |_| page.dispatch(Action::Search(Do::TroubleDismissed));
    move || {
        trouble.get().map(|problem| {
            let told = explain(&problem, page.language());
            view! {
                <div class="error line" role="alert">
                    <span>{told.happened} " " {told.remedy}</span>
                    <button class="plain" on:click=dismiss>{page.words(Text::Close)}</button>
                </div>
            }
        })
    }
}
