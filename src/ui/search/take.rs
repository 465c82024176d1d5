//! Hits and vectors as files, passages for other views.

use leptos::prelude::*;

use crate::catalogue::search::SearchText as Text;
use crate::files::Format;
use crate::state::action::Action;
use crate::state::search::HitsFormat;
use crate::state::search::{SearchAction as Do, Wanted};
use crate::ui::page::page;

#[component]
pub fn TakeAlong() -> impl IntoView {
    let page = page();
    let act = move |action: Do| page.dispatch(Action::Search(action));
    let has_hits = page.part(|state| {
        state.search.list.found.as_ref().is_some_and(|found| !found.hits.hits.is_empty())
    });
    let is_sending = page.part(|state| state.search.is_sending());
    let hits = [(Text::SaveCsv, HitsFormat::Csv), (Text::SaveJson, HitsFormat::Json)];
    let hits = hits.map(|(name, format)| {
        view! {
            <button
                class="plain"
                disabled=move || !has_hits.get()
                on:click=move |_| act(Do::HitsSaved(format))
            >
                {page.text(name)}
            </button>
        }
    });
    let others = [
        (Text::SaveNpy, Wanted::File(Format::Npy)),
        (Text::SaveParquet, Wanted::File(Format::Parquet)),
        (Text::SaveJsonLines, Wanted::File(Format::JsonLines)),
        (Text::ToGeometry, Wanted::Geometry),
        (Text::ToCompare, Wanted::Compare),
        (Text::ToFineTune, Wanted::FineTune),
    ];
    let others = others.map(|(name, wanted)| {
        view! {
            <button
                class="plain"
                disabled=move || is_sending.get()
                on:click=move |_| act(Do::Sent(wanted))
            >
                {page.text(name)}
            </button>
        }
    });
    let sending = move || {
        is_sending.get().then(|| {
            view! {
                <span class="quiet" role="status">{page.words(Text::Sending)}</span>
            }
        })
    };
    view! {
        <section class="search-take" aria-labelledby="search-take">
            <h2 id="search-take">{page.text(Text::Take)}</h2>
            <div class="actions">{hits.collect_view()} {others.collect_view()} {sending}</div>
        </section>
    }
}
