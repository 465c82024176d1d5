//! What is found and selected, as lists: for who reads, and for who uses the keyboard.

use leptos::prelude::*;

use crate::browser::page_scope;
use crate::catalogue::map::MapText as Text;
use crate::catalogue::numbers::{decimals, grouped};
use crate::catalogue::problems::explain;
use crate::protocol::problem::Problem;
use crate::state::app::State;
use crate::state::geometry::Geometry;
use crate::state::geometry::map::{MOST_FALSE, MapAction};
use crate::ui::geometry::look::plot_name;
use crate::ui::geometry::map::stage::Stage;

/// Sentences of the selection that are listed at first, and how many more a press shows.
const FIRST: usize = 50;
const MORE: usize = 200;

/// A sentence of a list, with its cosine where there is one.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    position: u32,
    sentence: String,
    cosine: Option<f32>,
}

fn row(geometry: &Geometry, position: u32, cosine: Option<f32>) -> Option<Row> {
    let sentence = geometry.corpus.sentences.get(position as usize)?.clone();
    Some(Row { position, sentence, cosine })
}

fn rows(geometry: &Geometry, near: &[(u32, f32)]) -> Vec<Row> {
    near.iter().filter_map(|(position, cosine)| row(geometry, *position, Some(*cosine))).collect()
}

/// A list of sentences; pressing one shows its neighbours, pointing at it shows where it is.
fn list(stage: Stage, rows: Vec<Row>) -> impl IntoView {
    let items = rows.into_iter().map(move |Row { position, sentence, cosine }| {
        let pin = move |_| stage.act(MapAction::Pinned(Some(position)));
        let point = move |at: Option<u32>| stage.hovered.set(at);
        view! {
            <li>
                <button
                    class="map-row"
                    on:click=pin
                    on:pointerenter=move |_| point(Some(position))
                    on:pointerleave=move |_| point(None)
                    on:focus=move |_| point(Some(position))
                    on:blur=move |_| point(None)
                >
                    {cosine.map(|cosine| view! { <b class="numbers">{decimals(cosine, 2)}</b> })}
                    <span dir="auto">{sentence}</span>
                </button>
            </li>
        }
    });
    view! { <ol class="map-list">{items.collect_view()}</ol> }
}

/// Everything beside the map.
#[component]
pub fn Lists(stage: Stage) -> impl IntoView {
    let problems: [fn(&Geometry) -> Option<&Problem>; 3] =
        [Geometry::near_problem, Geometry::query_problem, Geometry::clusters_problem];
    let troubles = problems.map(|of| {
        let problem = stage.page.part(move |state| of(&state.geometry).cloned());
        view! { {move || problem.get().map(|problem| trouble(stage, &problem))} }
    });
    view! {
        <div class="map-lists">
            <Pointed stage/>
            {troubles.collect_view()}
            <Near stage/>
            <Nearest stage/>
            <Selection stage/>
        </div>
    }
}

/// A question that has no answer; everything is asked again that has none.
fn trouble(stage: Stage, problem: &Problem) -> impl IntoView + use<> {
    let told = explain(problem, stage.page.language());
    view! {
        <div class="error" role="alert">
            {told.happened} " " {told.remedy} " "
            <button class="plain" on:click=move |_| stage.act(MapAction::Resumed)>
                {stage.page.words(Text::Again)}
            </button>
        </div>
    }
}

/// What is known of the sentence under the pointer.
#[derive(Debug, Clone, PartialEq)]
struct Card {
    sentence: String,
    group: Option<String>,
    cosine: Option<f32>,
    false_share: Option<f32>,
    /// How many name it among so many nearest.
    hub: Option<(u32, u16)>,
}

fn card(state: &State, position: u32) -> Option<Card> {
    let geometry = &state.geometry;
    let place = position as usize;
    let topics = &geometry.corpus.topics;
    let topic = topics.of.get(place).copied().flatten();
    let topic = topic.and_then(|topic| topics.names.get(usize::from(topic)).cloned());
    let shown = geometry.shown();
    let points = geometry.drawing(shown).points.as_ref();
    let share = points.and_then(|points| points.false_shares.get(place).copied());
    let hubness = geometry.figure(shown).measured.as_ref().and_then(|it| it.findings.hubness);
    Some(Card {
        sentence: geometry.corpus.sentences.get(place)?.clone(),
        group: topic,
        cosine: geometry.compared().and_then(|it| it.cosines.get(place).copied()),
        false_share: share.filter(|share| *share > MOST_FALSE),
        hub: hubness.filter(|it| it.hub == position).map(|it| (it.named, it.neighbours)),
    })
}

#[component]
fn Pointed(stage: Stage) -> impl IntoView {
    let page = stage.page;
    let card = Memo::new(move |_| {
        let position = stage.hovered.get()?;
        page.now(|state| card(state, position))
    });
    let words =
        move |card: &Card| {
            let mut words: Vec<String> = card.group.iter().cloned().collect();
            words.extend(card.cosine.map(|cosine| format!("cos {}", decimals(cosine, 2))));
            words.extend(card.false_share.map(|share| {
                page.filled(Text::FalseShare, &[("share", &decimals(100.0 * share, 0))])
            }));
            words.extend(card.hub.map(|(named, k)| {
                let (n, k) = (grouped(u64::from(named)), k.to_string());
                page.filled(Text::Hub, &[("n", &n), ("k", &k)])
            }));
            words.join(" · ")
        };
    view! {
        <div class="map-pointed" aria-hidden="true">
            {move || card.get().map(|card| view! {
                <p dir="auto">{card.sentence.clone()}</p>
                <p class="quiet">{words(&card)}</p>
            })}
        </div>
    }
}

/// The neighbours of the pinned sentence.
#[component]
fn Near(stage: Stage) -> impl IntoView {
    let page = stage.page;
    let near = page.part(|state| {
        let geometry = &state.geometry;
        let pinned = row(geometry, geometry.map.pinned?, None)?;
        Some((pinned.sentence, rows(geometry, geometry.neighbours()), geometry.shown()))
    });
    let has_failed = page.part(|state| state.geometry.near_problem().is_some());
    move || {
        near.get().map(|(sentence, rows, plot)| {
            let how = page.filled(Text::NearHow, &[("plot", page.words(plot_name(plot)))]);
            let is_coming = rows.is_empty() && !has_failed.get();
            let coming =
                is_coming.then(|| view! { <p class="quiet">{page.words(Text::NearComing)}</p> });
            let close = move |_| {
                stage.act(MapAction::Pinned(None));
                page_scope::keep_focus(".map-stage");
            };
            view! {
                <section class="map-near">
                    <div class="title">
                        <h4 dir="auto">{page.filled(Text::NearTitle, &[("text", &sentence)])}</h4>
                        <button class="plain" on:click=close>{page.words(Text::Unpin)}</button>
                    </div>
                    <p class="quiet">{how}</p>
                    {coming}
                    {list(stage, rows)}
                </section>
            }
        })
    }
}

/// The sentences nearest to the query.
#[component]
fn Nearest(stage: Stage) -> impl IntoView {
    let page = stage.page;
    let found = page.part(|state| {
        let geometry = &state.geometry;
        let compared = geometry.compared()?;
        let text = geometry.map.query.text.trim().to_owned();
        Some((text, rows(geometry, &compared.neighbours), geometry.shown()))
    });
    move || {
        found.get().map(|(text, rows, plot)| {
            let how = page.filled(Text::QueryHow, &[("plot", page.words(plot_name(plot)))]);
            view! {
                <section class="map-found">
                    <h4 dir="auto">{page.filled(Text::QueryTitle, &[("text", &text)])}</h4>
                    <p class="quiet">{how}</p>
                    {list(stage, rows)}
                </section>
            }
        })
    }
}

/// What is selected.
#[component]
fn Selection(stage: Stage) -> impl IntoView {
    let page = stage.page;
    let limit = RwSignal::new(FIRST);
    let selection = page.part(|state| state.geometry.map.selection.clone());
    // Another selection begins with its first ones.
    Effect::new(move |_| {
        selection.with(|_| ());
        limit.set(FIRST);
    });
    let shown = move || {
        let (selection, limit) = (selection.get(), limit.get());
        page.now(|state| {
            let some = selection.iter().take(limit);
            some.filter_map(|position| row(&state.geometry, *position, None)).collect::<Vec<_>>()
        })
    };
    let clear = move |_| {
        stage.act(MapAction::Cleared);
        page_scope::keep_focus(".map-stage");
    };
    move || {
        let count = selection.with(|selection| selection.len());
        if count == 0 {
            return view! { <p class="quiet map-none">{page.words(Text::SelectionNone)}</p> }
                .into_any();
        }
        let title = page.filled(Text::SelectionTitle, &[("n", &grouped(count as u64))]);
        let more = move || {
            let rest = count.saturating_sub(limit.get());
            (rest > 0).then(|| {
                let n = grouped(rest.min(MORE) as u64);
                view! {
                    <button class="plain" on:click=move |_| limit.update(|limit| *limit += MORE)>
                        {page.filled(Text::SelectionMore, &[("n", &n)])}
                    </button>
                }
            })
        };
        view! {
            <section class="map-selection" aria-label=page.words(Text::ListLabel)>
                <div class="title">
                    <h4 role="status">{title}</h4>
                    <button class="plain" on:click=move |_| stage.act(MapAction::SelectionCopied)>
                        {page.words(Text::SelectionCopy)}
                    </button>
                    <button class="plain" on:click=clear>{page.words(Text::SelectionClear)}</button>
                </div>
                {move || list(stage, shown())}
                {more}
            </section>
        }
        .into_any()
    }
}
