//! Tokens of both sentences, and how alike each is to each.

use leptos::prelude::*;
use web_sys::KeyboardEvent;

use crate::catalogue::numbers::{decimals, grouped};
use crate::catalogue::text::Text;
use crate::chart::ramp::Palette;
use crate::state::app::State;
use crate::ui::names::caption;
use crate::ui::page::{Page, page};
use crate::ui::parts::{HeatData, HeatMapView, PngButton, has_moved, marked_value};

/// Most tokens a side: beyond it cells are too small to read on any screen.
const MOST: usize = 64;

/// The grid's data; empty while there is no pair.
fn grid(page: Page, state: &State) -> HeatData {
    let Some(pair) = &state.compare.shown.pair else { return HeatData::default() };
    let (rows, columns) = (pair.first.pieces.len(), pair.second.pieces.len());
    let (shown_rows, shown_columns) = (rows.min(MOST), columns.min(MOST));
    let values: Vec<f32> = pair
        .grid
        .chunks(columns.max(1))
        .take(shown_rows)
        .flat_map(|row| row.iter().take(shown_columns).copied())
        .collect();
    let best = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let description = page.filled(
        Text::TokenGridWords,
        &[
            ("rows", &rows.to_string()),
            ("columns", &columns.to_string()),
            ("best", &decimals(best, 2)),
        ],
    );
    HeatData {
        row_labels: pair.first.pieces[..shown_rows].to_vec(),
        column_labels: pair.second.pieces[..shown_columns].to_vec(),
        values,
        floor: 0.0,
        pale_diagonal: false,
        description,
    }
}

/// The token section. It keeps its height while the first pair is on its way.
#[component]
pub fn Tokens() -> impl IntoView {
    let page = page();
    let data = page.part(move |state| grid(page, state));
    let has_data = Memo::new(move |_| !data.get().values.is_empty());
    let marked = RwSignal::new(None);
    let total = page.part(|state| {
        state
            .compare
            .shown
            .pair
            .as_ref()
            .map_or(0, |pair| pair.first.pieces.len().max(pair.second.pieces.len()))
    });
    let more = move || {
        (total.get() > MOST).then(|| {
            let places = [("shown", MOST.to_string()), ("total", grouped(total.get() as u64))];
            let places = places.each_ref().map(|(name, value)| (*name, value.as_str()));
            view! { <p class="note">{page.filled(Text::TokensMany, &places)}</p> }
        })
    };
    let sentences = page.part(|state| {
        format!("A: {}   B: {}", state.compare.text.first, state.compare.text.second)
    });
    let caption = page.part(move |state| caption(page, state));
    let draw = move |palette: &Palette| {
        let title = sentences.get_untracked();
        data.get_untracked().picture(&title, &caption.get_untracked(), palette)
    };
    let png = move || {
        has_data.get().then(|| {
            view! {
                <PngButton title=Text::TokensTitle name="simcse-tokens" draw=draw/>
            }
        })
    };
    let body = move || {
        if !has_data.get() {
            return view! { <p class="quiet">{page.words(Text::TokensWaiting)}</p> }.into_any();
        }
        view! {
            <p class="quiet">{page.text(Text::TokensHow)}</p>
            <div class="token-lists">
                <TokenList side=Side::First data marked/>
                <TokenList side=Side::Second data marked/>
            </div>
            <p class="partner" aria-live="polite">{move || partner(page, &data.get(), marked.get())}</p>
            <HeatMapView data marked label=Text::TokensTitle on_pick=|_| {}/>
            {more}
        }
        .into_any()
    };
    view! {
        <section class="tokens">
            <div class="title"><h2>{page.text(Text::TokensTitle)}</h2>{png}</div>
            {body}
        </section>
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    First,
    Second,
}

/// The other side's best partner of a token, as a cell.
fn best_cell(data: &HeatData, side: Side, place: usize) -> Option<(usize, usize)> {
    let (rows, columns) = (data.row_labels.len(), data.column_labels.len());
    let cells: Vec<(usize, usize)> = match side {
        Side::First => (0..columns).map(|column| (place, column)).collect(),
        Side::Second => (0..rows).map(|row| (row, place)).collect(),
    };
    cells.into_iter().max_by(|a, b| {
        let value =
            |cell| marked_value(data, Some(cell)).map_or(f32::NEG_INFINITY, |(_, _, value)| value);
        value(*a).total_cmp(&value(*b))
    })
}

fn partner(page: Page, data: &HeatData, marked: Option<(usize, usize)>) -> String {
    let Some((row, column, value)) = marked_value(data, marked) else { return "\u{a0}".to_owned() };
    let (Some(a), Some(b)) = (data.row_labels.get(row), data.column_labels.get(column)) else {
        return "\u{a0}".to_owned();
    };
    if best_cell(data, Side::First, row) == Some((row, column)) {
        return page
            .filled(Text::TokenPartner, &[("a", a), ("b", b), ("value", &decimals(value, 2))]);
    }
    format!("{a} · {b} · {}", decimals(value, 2))
}

/// One sentence's tokens; arrow keys walk through them.
#[component]
fn TokenList(
    side: Side,
    data: Memo<HeatData>,
    marked: RwSignal<Option<(usize, usize)>>,
) -> impl IntoView {
    let page = page();
    let (letter, label) = match side {
        Side::First => ("A", Text::TokensOfA),
        Side::Second => ("B", Text::TokensOfB),
    };
    let pieces = Memo::new(move |_| match side {
        Side::First => data.get().row_labels,
        Side::Second => data.get().column_labels,
    });
    let place_of = move |cell: Option<(usize, usize)>| {
        cell.map(|(row, column)| if side == Side::First { row } else { column })
    };
    let mark = move |place: usize| marked.set(best_cell(&data.get_untracked(), side, place));
    let pressed = move |event: KeyboardEvent| {
        let last = pieces.get_untracked().len().saturating_sub(1);
        let now = place_of(marked.get_untracked());
        let next = match event.key().as_str() {
            "ArrowRight" => now.map_or(0, |place| (place + 1).min(last)),
            "ArrowLeft" => now.map_or(last, |place| place.saturating_sub(1)),
            _ => return,
        };
        event.prevent_default();
        mark(next);
    };
    let tokens = move || {
        let chip = |(place, piece): (usize, String)| {
            let special = piece.starts_with('[') && piece.ends_with(']');
            view! {
                <li
                    class="token"
                    class:special=special
                    class:marked=move || place_of(marked.get()) == Some(place)
                    on:pointermove=move |event| if has_moved(&event) { mark(place) }
                    on:click=move |_| mark(place)
                >
                    <bdi>{piece}</bdi>
                </li>
            }
        };
        pieces.get().into_iter().enumerate().map(chip).collect_view()
    };
    view! {
        <div class="token-list">
            <span class="letter" aria-hidden="true">{letter}</span>
            <ul
                tabindex="0"
                aria-label=page.text(label)
                on:keydown=pressed
                on:pointerleave=move |_| marked.set(None)
            >
                {tokens}
            </ul>
        </div>
    }
}
