//! One passage that was found, or is browsed.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent};

use crate::catalogue::numbers::decimals;
use crate::catalogue::search::SearchText as Text;
use crate::chart::scale_bar::Hue;
use crate::chart::score_bar::{ScoreBar, score_bar};
use crate::protocol::readout::Side;
use crate::protocol::search::{Glow, Hit, Ingredient};
use crate::state::action::Action;
use crate::state::search::marks::{Piece, pieces};
use crate::state::search::{Part, SearchAction as Do};
use crate::ui::page::{Page, page};
use crate::ui::search::query::focus;

/// Characters of a passage that stand for it in a chip.
const LABEL: usize = 40;

/// What all rows of a list share.
#[derive(Clone, PartialEq, Default)]
pub struct Frame {
    pub unrelated: Option<[f32; 3]>,
    pub least: Option<f32>,
    pub side: Side,
    pub columns: Vec<String>,
}

#[component]
pub fn Passage(
    hit: Hit,
    #[prop(optional)] glow: Option<Glow>,
    frame: Frame,
    /// Its place in the list, from 1; 0: it has none.
    rank: usize,
) -> impl IntoView {
    let is_open = RwSignal::new(false);
    let has_context = !hit.before.is_empty() || !hit.after.is_empty();
    let glows = glow.map(|glow| glow.words).unwrap_or_default();
    let text = pieces(&hit.text, &hit.words, &glows).into_iter().map(marked).collect_view();
    let (before, after) = (hit.before.clone(), hit.after.clone());
    let context = move |text: String| {
        (is_open.get() && !text.is_empty())
            .then(|| view! { <p class="quiet" dir="auto">{text}</p> })
    };
    let (above, below) = (before.clone(), after.clone());
    let pressed = move |event: KeyboardEvent| {
        let is_own = event.target() == event.current_target();
        match event.key().as_str() {
            "ArrowDown" | "ArrowUp" => step(&event),
            "Enter" if is_own && has_context => is_open.update(|it| *it = !*it),
            "Escape" => focus("#search-query"),
            _ => {}
        }
    };
    view! {
        <li class="search-hit" tabindex="0" on:keydown=pressed>
            <Score hit=hit.clone() frame=frame.clone() rank/>
            <div class="search-text">
                {move || context(above.clone())}
                <p dir="auto">{text}</p>
                {move || context(below.clone())}
                <Cells hit=hit.clone() columns=frame.columns/>
                <Deeds hit has_context is_open/>
            </div>
        </li>
    }
}

/// The focus goes to the next hit, or the one before; above the first is the query.
fn step(event: &KeyboardEvent) {
    let Some(row) = event.current_target().and_then(|it| it.dyn_into::<HtmlElement>().ok()) else {
        return;
    };
    event.prevent_default();
    let is_down = event.key() == "ArrowDown";
    let next = if is_down { row.next_element_sibling() } else { row.previous_element_sibling() };
    match next.and_then(|next| next.dyn_into::<HtmlElement>().ok()) {
        // Focus is refused only for an element that is not in the page.
        Some(next) => drop(next.focus()),
        None if !is_down => focus("#search-query"),
        None => {}
    }
}

fn marked(piece: Piece) -> AnyView {
    let Piece { text, is_word, glow } = piece;
    let class = match glow {
        _ if glow <= 0.0 => "",
        _ if glow < 0.6 => "glow-1",
        _ if glow < 0.85 => "glow-2",
        _ => "glow-3",
    };
    if is_word {
        view! { <mark class=class>{text}</mark> }.into_any()
    } else if class.is_empty() {
        text.into_any()
    } else {
        view! { <span class=class>{text}</span> }.into_any()
    }
}

#[component]
fn Score(hit: Hit, frame: Frame, rank: usize) -> impl IntoView {
    let page = page();
    let number = (rank > 0).then(|| view! { <span class="quiet numbers">{rank}</span> });
    let bar = hit.cosine.map(|cosine| {
        let shown = decimals(cosine, 3);
        let mean = frame.unrelated.map(|[_, mean, _]| decimals(mean, 2));
        let description = match &mean {
            Some(mean) => page.filled(Text::BarWords, &[("cosine", &shown), ("unrelated", mean)]),
            None => page.filled(Text::BarPlain, &[("cosine", &shown)]),
        };
        let hue = match frame.side {
            Side::Before => Hue::Before,
            Side::After => Hue::After,
        };
        let bar =
            ScoreBar { cosine, hue, unrelated: frame.unrelated, least: frame.least, description };
        let title = bar.description.clone();
        let svg = move || score_bar(&bar, &page.palette()).to_svg();
        view! {
            <span class="numbers">{shown}</span>
            <span class="search-bar" title=title inner_html=svg></span>
        }
    });
    let missing = (hit.cosine.is_none() && rank > 0)
        .then(|| view! { <span class="quiet">{page.words(Text::NotEmbedded)}</span> });
    let moved = moved(page, &hit, frame.side)
        .map(|(class, words)| view! { <span class=format!("numbers {class}")>{words}</span> });
    view! { <div class="search-score">{number} {bar} {missing} {moved}</div> }
}

/// How the ranking moved from the other side.
fn moved(page: Page, hit: &Hit, side: Side) -> Option<(&'static str, String)> {
    let (now, then) = (hit.meaning_rank?, hit.other_rank?);
    let other = match side {
        Side::Before => Side::After,
        Side::After => Side::Before,
    };
    let side = page.side_within(other);
    let rank = then.to_string();
    let places = [("rank", rank.as_str()), ("side", &side)];
    Some(match now.cmp(&then) {
        std::cmp::Ordering::Less => ("up", format!("▲ {}", page.filled(Text::MovedUp, &places))),
        std::cmp::Ordering::Greater => {
            ("down", format!("▼ {}", page.filled(Text::MovedDown, &places)))
        }
        std::cmp::Ordering::Equal => ("quiet", page.filled(Text::MovedNot, &places)),
    })
}

/// What stands beside the passage.
#[component]
fn Cells(hit: Hit, columns: Vec<String>) -> impl IntoView {
    let cells = columns.into_iter().zip(hit.cells).filter(|(_, cell)| !cell.is_empty());
    let shown = cells.map(|(name, cell)| {
        view! { <span><span class="quiet">{name} ": "</span>{cell}</span> }
    });
    view! { <div class="search-cells" dir="auto">{shown.collect_view()}</div> }
}

/// What can be done with it.
#[component]
fn Deeds(hit: Hit, has_context: bool, is_open: RwSignal<bool>) -> impl IntoView {
    let page = page();
    let position = hit.position;
    let label = match hit.text.char_indices().nth(LABEL) {
        Some((end, _)) => format!("“{}…”", hit.text[..end].trim_end()),
        None => format!("“{}”", hit.text),
    };
    let add = move |is_like: bool| {
        let ingredient = Ingredient::Passage(position);
        let part = Part { ingredient, label: label.clone(), is_like };
        page.dispatch(Action::Search(Do::PartAdded(part)));
    };
    let less = add.clone();
    let text = hit.text;
    let copy = move |_| page.dispatch(Action::Search(Do::PassageCopied(text.clone())));
    let context = has_context.then(|| {
        view! {
            <button
                class="deed"
                aria-expanded=move || is_open.get().to_string()
                on:click=move |_| is_open.update(|it| *it = !*it)
            >
                {page.words(Text::Context)}
            </button>
        }
    });
    view! {
        <div class="search-deeds">
            <button class="deed" on:click=move |_| add(true)>{page.words(Text::MoreLike)}</button>
            <button class="deed" on:click=move |_| less(false)>{page.words(Text::LessLike)}</button>
            {context}
            <button class="deed" on:click=copy>{page.words(Text::Copy)}</button>
        </div>
    }
}
