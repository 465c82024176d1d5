//! What was found, or all passages where nothing is looked for.

use leptos::prelude::*;

use crate::catalogue::numbers::{grouped, milliseconds};
use crate::catalogue::search::SearchText as Text;
use crate::protocol::search::{Hits, Ranking};
use crate::state::action::Action;
use crate::state::app::State;
use crate::state::search::{Browse, Found, PAGE, SearchAction as Do};
use crate::ui::page::{Page, page};
use crate::ui::search::passage::{Frame, Passage};

fn frame(state: &State) -> Frame {
    let baseline = state.compare.baseline;
    Frame {
        unrelated: baseline.map(|it| [it.low, it.mean, it.high]),
        least: state.search.form.least_cosine,
        side: state.adapters.side,
        columns: state.search.corpus().map_or_else(Vec::new, |corpus| {
            corpus.columns.iter().map(|column| column.name.clone()).collect()
        }),
    }
}

#[component]
pub fn Results() -> impl IntoView {
    let page = page();
    let is_looking = page.part(|state| !state.search.form.is_empty());
    move || {
        if is_looking.get() { view! { <Lists/> }.into_any() } else { view! { <All/> }.into_any() }
    }
}

/// The hits; those of keywords beside them where that is wanted.
#[component]
fn Lists() -> impl IntoView {
    let page = page();
    let is_beside = page.part(|state| {
        state.search.form.is_beside && state.search.form.ranking != Ranking::Keywords
    });
    let title = page.part(|state| match state.search.form.ranking {
        _ if !state.search.form.is_beside => Text::HitsTitle,
        Ranking::Meaning => Text::MeaningTitle,
        _ => Text::HitsTitle,
    });
    view! {
        <div class="search-lists" class:two=move || is_beside.get()>
            <section aria-labelledby="search-hits">
                <h2 id="search-hits">{move || page.words(title.get())}</h2>
                <Facts/>
                <Own/>
            </section>
            {move || is_beside.get().then(|| view! { <BesideList/> })}
        </div>
    }
}

/// How much was searched, said once it rests.
#[component]
fn Facts() -> impl IntoView {
    let page = page();
    let found = page.part(|state| {
        state
            .search
            .list
            .found
            .as_ref()
            .map(|found| Hits { hits: Vec::new(), ..found.hits.clone() })
    });
    let count =
        page.part(|state| state.search.list.found.as_ref().map_or(0, |it| it.hits.hits.len()));
    let is_asking = page.part(|state| state.search.is_asking());
    let words = move || match found.get() {
        Some(hits) => facts(page, &hits, count.get()),
        None if is_asking.get() => page.words(Text::Working).to_owned(),
        None => String::new(),
    };
    view! { <p class="quiet numbers" role="status" aria-live="polite">{words}</p> }
}

fn facts(page: Page, hits: &Hits, count: usize) -> String {
    let number = |count: u32| grouped(u64::from(count));
    let (n, searched) = (grouped(count as u64), number(hits.searched));
    let all = number(hits.let_through);
    let text = if hits.searched < hits.let_through { Text::HitsPartly } else { Text::HitsFacts };
    let mut facts = vec![page.filled(text, &[("n", &n), ("searched", &searched), ("all", &all)])];
    facts.extend(hits.above.map(|above| page.filled(Text::HitsAbove, &[("n", &number(above))])));
    let (embed, rank) = (milliseconds(hits.embed_ms), milliseconds(hits.rank_ms));
    facts.push(page.filled(Text::HitsTime, &[("embed", &embed), ("rank", &rank)]));
    if hits.was_cut {
        facts.push(page.words(Text::HitsCut).to_owned());
    }
    facts.join(" · ")
}

#[component]
fn Own() -> impl IntoView {
    let page = page();
    let found = page.part(|state| state.search.list.found.clone());
    let glows = page.part(|state| state.search.glows.clone());
    let frame = page.part(frame);
    move || {
        found.get().map(|found| {
            rows(page, &found, &frame.get(), |at| glows.with(|all| all.get(&at).cloned()))
        })
    }
}

#[component]
fn BesideList() -> impl IntoView {
    let page = page();
    let found = page.part(|state| state.search.beside.found.clone());
    let frame = page.part(frame);
    let list = move || found.get().map(|found| rows(page, &found, &frame.get(), |_| None));
    view! {
        <section aria-labelledby="search-keywords">
            <h2 id="search-keywords">{page.text(Text::KeywordsTitle)}</h2>
            {list}
        </section>
    }
}

fn rows(
    page: Page,
    found: &Found,
    frame: &Frame,
    glow: impl Fn(u32) -> Option<crate::protocol::search::Glow>,
) -> AnyView {
    if found.hits.hits.is_empty() {
        return view! { <p class="note">{page.words(Text::HitsNone)}</p> }.into_any();
    }
    let each = (1..).zip(&found.hits.hits).map(|(rank, hit)| {
        let (hit, frame) = (hit.clone(), frame.clone());
        match glow(hit.position) {
            Some(glow) => view! { <Passage hit glow frame rank/> }.into_any(),
            None => view! { <Passage hit frame rank/> }.into_any(),
        }
    });
    view! { <ol class="search-hits">{each.collect_view()}</ol> }.into_any()
}

/// All passages in their order.
#[component]
fn All() -> impl IntoView {
    let page = page();
    let browse = page.part(|state| state.search.browse.clone());
    let frame = page.part(frame);
    let passages = move || {
        let all = browse.with(|browse| browse.passages.clone()).into_iter();
        let each = all.map(|hit| {
            let frame = frame.get();
            view! { <Passage hit frame rank=0/> }
        });
        view! { <ol class="search-hits">{each.collect_view()}</ol> }
    };
    view! {
        <section aria-labelledby="search-all">
            <h2 id="search-all">{page.text(Text::BrowseTitle)}</h2>
            {passages}
            {move || pager(page, &browse.get())}
        </section>
    }
}

fn pager(page: Page, browse: &Browse) -> AnyView {
    let step = u32::from(PAGE);
    let to = browse.from.saturating_add(step).min(browse.total);
    let number = |count: u32| grouped(u64::from(count));
    let first = browse.total.min(browse.from + 1);
    let places = [("from", number(first)), ("to", number(to)), ("total", number(browse.total))];
    let places = places.each_ref().map(|(name, value)| (*name, value.as_str()));
    let words = page.filled(Text::BrowseFacts, &places);
    let (back, on) = (browse.from.saturating_sub(step), browse.from.saturating_add(step));
    let go = move |from: u32| page.dispatch(Action::Search(Do::Browsed(from)));
    view! {
        <div class="line">
            <button class="plain" disabled={browse.from == 0} on:click=move |_| go(back)>
                {page.words(Text::BrowseBack)}
            </button>
            <span class="quiet numbers" role="status">{words}</span>
            <button class="plain" disabled={on >= browse.total} on:click=move |_| go(on)>
                {page.words(Text::BrowseOn)}
            </button>
        </div>
    }
    .into_any()
}
