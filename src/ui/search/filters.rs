//! Conditions on what stands beside passages.

use leptos::prelude::*;

use crate::catalogue::numbers::grouped;
use crate::catalogue::search::SearchText as Text;
use crate::protocol::search::{Column, ColumnSort, Filter};
use crate::state::action::Action;
use crate::state::app::State;
use crate::state::search::{SearchAction as Do, column_of};
use crate::ui::page::page;

/// Values of a category that are buttons; the others are found by their words.
const BUTTONS: usize = 14;

/// The columns of the corpus on show, but that of the passages.
fn columns(state: &State) -> Vec<(u16, Column)> {
    let Some(corpus) = state.search.corpus() else { return Vec::new() };
    let all = (0_u16..).zip(corpus.columns.iter().cloned());
    // Texts that hardly repeat are looked through as a whole.
    all.collect()
}

#[component]
pub fn Filters() -> impl IntoView {
    let page = page();
    let columns = page.part(columns);
    let count = page.part(|state| state.search.form.filters.len());
    let act = move |action: Do| page.dispatch(Action::Search(action));
    move || {
        let columns = columns.get();
        if columns.is_empty() {
            return None;
        }
        let each = columns.into_iter().map(|(place, column)| view! { <OneFilter place column/> });
        let clear = move || {
            (count.get() > 0).then(|| {
                view! {
                    <button class="plain" on:click=move |_| act(Do::FiltersCleared)>
                        {page.words(Text::FiltersClear)}
                    </button>
                }
            })
        };
        let summary = move || {
            let name = page.words(Text::Filters);
            if count.get() > 0 { format!("{name} ({})", count.get()) } else { name.to_owned() }
        };
        Some(view! {
            <details class="search-filters">
                <summary>{summary}</summary>
                {each.collect_view()}
                {clear}
            </details>
        })
    }
}

#[component]
fn OneFilter(place: u16, column: Column) -> impl IntoView {
    let page = page();
    let filter = page.part(move |state| {
        state.search.form.filters.iter().find(|filter| column_of(filter) == place).cloned()
    });
    let set = move |filter: Option<Filter>| {
        page.dispatch(Action::Search(Do::FilterChosen(place, filter)));
    };
    let body = match column.sort {
        ColumnSort::Category { values } => view! { <Values place values filter set/> }.into_any(),
        ColumnSort::Number { low, high } => {
            view! { <Bounds place low high filter set/> }.into_any()
        }
        ColumnSort::Text => view! { <Contains place filter set/> }.into_any(),
    };
    view! {
        <fieldset class="search-filter">
            <legend>{column.name}</legend>
            {body}
        </fieldset>
    }
}

#[component]
fn Values(
    place: u16,
    values: Vec<(String, u32)>,
    filter: Memo<Option<Filter>>,
    set: impl Fn(Option<Filter>) + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let page = page();
    let chosen = move || match filter.get() {
        Some(Filter::OneOf { values, .. }) => values,
        _ => Vec::new(),
    };
    let more = values.len().saturating_sub(BUTTONS);
    let buttons = values.into_iter().take(BUTTONS).map(move |(value, count)| {
        let (here, this) = (value.clone(), value.clone());
        let is_on = move || chosen().contains(&here);
        let toggle = move |_| {
            let mut all = chosen();
            let had = all.len();
            all.retain(|known| *known != this);
            if all.len() == had {
                all.push(this.clone());
            }
            set((!all.is_empty()).then_some(Filter::OneOf { column: place, values: all }));
        };
        view! {
            <button class="chip" aria-pressed=move || is_on().to_string() on:click=toggle>
                {value} " " <span class="quiet numbers">{grouped(u64::from(count))}</span>
            </button>
        }
    });
    let rest = (more > 0).then(|| {
        let words = page.filled(Text::FilterMore, &[("n", &more.to_string())]);
        view! { <span class="quiet">{words}</span> <Contains place filter set/> }
    });
    view! { <div class="chips">{buttons.collect_view()} {rest}</div> }
}

#[component]
fn Bounds(
    place: u16,
    low: f64,
    high: f64,
    filter: Memo<Option<Filter>>,
    set: impl Fn(Option<Filter>) + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let page = page();
    let bounds = move || match filter.get() {
        Some(Filter::Between { low, high, .. }) => (low, high),
        _ => (low, high),
    };
    let change = move |from: Option<f64>, to: Option<f64>| {
        let (from, to) = (from.unwrap_or(low), to.unwrap_or(high));
        let is_all = from <= low && to >= high;
        set((!is_all).then_some(Filter::Between { column: place, low: from, high: to }));
    };
    let number = |event: &leptos::ev::Event| event_target_value(event).parse::<f64>().ok();
    view! {
        <div class="line">
            <label class="choice">
                <span>{page.text(Text::FilterFrom)}</span>
                <input
                    type="number"
                    step="any"
                    prop:value=move || bounds().0.to_string()
                    on:change=move |event| change(number(&event), Some(bounds().1))
                />
            </label>
            <label class="choice">
                <span>{page.text(Text::FilterTo)}</span>
                <input
                    type="number"
                    step="any"
                    prop:value=move || bounds().1.to_string()
                    on:change=move |event| change(Some(bounds().0), number(&event))
                />
            </label>
        </div>
    }
}

#[component]
fn Contains(
    place: u16,
    filter: Memo<Option<Filter>>,
    set: impl Fn(Option<Filter>) + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let page = page();
    let text = move || match filter.get() {
        Some(Filter::Contains { text, .. }) => text,
        _ => String::new(),
    };
    let changed = move |event| {
        let text = event_target_value(&event);
        set((!text.is_empty()).then_some(Filter::Contains { column: place, text }));
    };
    view! {
        <label class="choice">
            <span>{page.text(Text::FilterContains)}</span>
            <input type="text" dir="auto" prop:value=text on:change=changed/>
        </label>
    }
}
