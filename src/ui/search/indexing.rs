//! How far the passages have vectors, and the way on.

use leptos::prelude::*;

use crate::catalogue::numbers::{duration, grouped};
use crate::catalogue::search::SearchText as Text;
use crate::state::action::Action;
use crate::state::app::State;
use crate::state::search::{Indexing, SearchAction as Do, Standing};
use crate::ui::page::{Page, page};

#[component]
pub fn IndexingBar() -> impl IntoView {
    let page = page();
    let standing = page.part(|state| state.search.standing(state.lens()));
    let rate = page.part(|state| state.search.rate);
    let name = page.part(|state| state.search.corpus().map(|it| it.name.clone()));
    let go_on = move |_| page.dispatch(Action::Search(Do::Resumed));
    move || {
        let standing = standing.get()?;
        let count = |count: u32| grouped(u64::from(count));
        Some(match standing {
            Standing::NoModel => quiet(page.words(Text::NoModel).to_owned()),
            Standing::Waiting => ().into_any(),
            Standing::Complete => view! { <Complete/> }.into_any(),
            Standing::Indexing(indexing) => running(page, &indexing),
            Standing::Paused { done, total } => {
                let places = [("done", count(done)), ("total", count(total))];
                let places = places.each_ref().map(|(name, value)| (*name, value.as_str()));
                view! {
                    <div class="loading line" role="status">
                        <span>{page.filled(Text::PausedAt, &places)}</span>
                        <button class="plain" on:click=go_on>{page.words(Text::Resume)}</button>
                    </div>
                }
                .into_any()
            }
            Standing::Anew { total } => {
                let time = rate.get().map(|rate| {
                    let time = duration(f64::from(total) / rate, page.language());
                    page.filled(Text::AnewTime, &[("time", &time)])
                });
                let (n, name) = (count(total), name.get().unwrap_or_default());
                let time = time.unwrap_or_default();
                let places = [("name", name.as_str()), ("n", &n), ("time", &time)];
                view! {
                    <div class="note line" role="status">
                        <span>{page.filled(Text::Anew, &places)}</span>
                        <button class="primary" on:click=go_on>{page.words(Text::EmbedAnew)}</button>
                    </div>
                }
                .into_any()
            }
        })
    }
}

/// All is there; the other side may be, too.
#[component]
fn Complete() -> impl IntoView {
    let page = page();
    let total = page.part(|state| state.search.corpus().map_or(0, |it| it.passages));
    let lacks_other = page.part(State::lacks_other_vectors);
    let want = move |_| page.dispatch(Action::Search(Do::BothWanted));
    move || {
        let words = page.filled(Text::Complete, &[("n", &grouped(u64::from(total.get())))]);
        let both = lacks_other.get().then(|| {
            view! {
                <button class="plain" on:click=want>{page.words(Text::EmbedOther)}</button>
            }
        });
        view! {
            <div class="line">
                <p class="quiet numbers search-standing" role="status">{words}</p>
                {both}
            </div>
        }
    }
}

fn quiet(words: String) -> AnyView {
    view! { <p class="quiet numbers search-standing" role="status">{words}</p> }.into_any()
}

fn running(page: Page, indexing: &Indexing) -> AnyView {
    let count = |count: u32| grouped(u64::from(count));
    let (done, total) = (count(indexing.done), count(indexing.total));
    let mut facts = vec![page.filled(Text::Indexing, &[("done", &done), ("total", &total)])];
    facts.extend(indexing.per_s().map(|per_s| {
        let rest = f64::from(indexing.total.saturating_sub(indexing.done));
        let (rate, time) = (grouped(per_s.round() as u64), duration(rest / per_s, page.language()));
        page.filled(Text::IndexingRate, &[("rate", &rate), ("time", &time)])
    }));
    if indexing.resumed > 0 {
        facts.push(page.filled(Text::Resumed, &[("n", &count(indexing.resumed))]));
    }
    let pause = move |_| page.dispatch(Action::Search(Do::Paused));
    view! {
        <div class="loading search-indexing">
            <progress max=indexing.total.max(1).to_string() value=indexing.done.to_string()></progress>
            <div class="line">
                <span class="numbers">{facts.join(" · ")}</span>
                <button class="plain" on:click=pause>{page.words(Text::Pause)}</button>
            </div>
        </div>
    }
    .into_any()
}
