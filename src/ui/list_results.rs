//! What came of many sentences: matrix and nearest pairs, or scored pairs.

use leptos::prelude::*;

use crate::catalogue::numbers::{decimals, grouped};
use crate::catalogue::text::Text;
use crate::chart::ramp::Palette;
use crate::chart::scatter::{Scatter, scatter};
use crate::chart::scene::{Scene, picture};
use crate::protocol::event::Agreement;
use crate::protocol::request::WINDOW_SIDE;
use crate::state::action::Action;
use crate::state::app::State;
use crate::state::compare::{ListResult, PairsResult};
use crate::ui::names::caption;
use crate::ui::page::{Page, page};
use crate::ui::parts::{Chart, HeatData, HeatMapView, PngButton, marked_value};

/// Rows of a list of pairs shown at once.
const ROWS: usize = 20;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    None,
    Group,
    Pairs { has_gold: bool },
}

/// The results, if there are any.
#[component]
pub fn Results() -> impl IntoView {
    let page = page();
    let kind = page.part(|state| match &state.compare.result {
        None => Kind::None,
        Some(ListResult::Group(_)) => Kind::Group,
        Some(ListResult::Pairs(pairs)) => Kind::Pairs { has_gold: !pairs.gold.is_empty() },
    });
    move || match kind.get() {
        Kind::None => ().into_any(),
        Kind::Group => view! {
            <div class="results group"><Matrix/><PairList/></div>
            <Cut/>
        }
        .into_any(),
        Kind::Pairs { has_gold } => {
            let agreement = has_gold.then(|| view! { <AgreementPanel/> });
            view! {
                <div class="results pairs" class:scored=has_gold>{agreement}<PairList/></div>
                <Cut/>
            }
            .into_any()
        }
    }
}

#[component]
fn Cut() -> impl IntoView {
    let page = page();
    let count = page.part(|state| match &state.compare.result {
        Some(ListResult::Group(group)) => group.truncated.len(),
        Some(ListResult::Pairs(pairs)) => pairs.truncated.len(),
        None => 0,
    });
    move || {
        let count = count.get();
        (count > 0).then(|| {
            view! {
                <p class="note">{page.filled(Text::CountCut, &[("n", &grouped(count as u64))])}</p>
            }
        })
    }
}

fn matrix(page: Page, state: &State) -> HeatData {
    let Some(ListResult::Group(group)) = &state.compare.result else { return HeatData::default() };
    let window = group.window;
    let number = |from: u32, place: usize| from as usize + place + 1;
    let rows = window_sentences(state).0.into_iter().enumerate();
    let range = |from: u32, count: u32| format!("{}–{}", from + 1, from + count);
    let description = page.filled(
        Text::MatrixWords,
        &[
            ("rows", &range(window.row, window.row_count)),
            ("columns", &range(window.column, window.column_count)),
            ("n", &grouped(group.sentences.len() as u64)),
            ("mean", &decimals(group.mean_cosine, 2)),
        ],
    );
    HeatData {
        row_labels: rows
            .map(|(place, sentence)| format!("{} {sentence}", number(window.row, place)))
            .collect(),
        column_labels: (0..window.column_count as usize)
            .map(|place| number(window.column, place).to_string())
            .collect(),
        values: group.cosines.clone(),
        floor: state.compare.baseline.map_or(0.0, |baseline| baseline.mean),
        pale_diagonal: window.row == window.column,
        description,
    }
}

/// Sentences of the window's rows and columns.
fn window_sentences(state: &State) -> (Vec<String>, Vec<String>) {
    let Some(ListResult::Group(group)) = &state.compare.result else { return Default::default() };
    let shown = |from: u32, count: u32| {
        group.sentences.iter().skip(from as usize).take(count as usize).cloned().collect()
    };
    let window = group.window;
    (shown(window.row, window.row_count), shown(window.column, window.column_count))
}

#[component]
fn Matrix() -> impl IntoView {
    let page = page();
    let data = page.part(move |state| matrix(page, state));
    let marked = RwSignal::new(None);
    let sentences = page.part(window_sentences);
    let pick = move |cell: (usize, usize)| {
        let (rows, columns) = sentences.get_untracked();
        if let (Some(first), Some(second)) = (rows.get(cell.0), columns.get(cell.1)) {
            let (first, second) = (first.clone(), second.clone());
            page.dispatch(Action::PairPicked { first, second });
        }
    };
    let caption = page.part(move |state| caption(page, state));
    let draw = move |palette: &Palette| {
        let title = page.words(Text::MatrixTitle);
        data.get_untracked().picture(title, &caption.get_untracked(), palette)
    };
    let how =
        move || page.words(if page.is_dark() { Text::MatrixHowDark } else { Text::MatrixHow });
    let under = move || {
        let value = marked_value(&data.get(), marked.get());
        let (rows, columns) = sentences.get();
        value
            .and_then(|(row, column, value)| {
                let (first, second) = (rows.get(row)?, columns.get(column)?);
                Some(format!("{}  {first}  ·  {second}", decimals(value, 2)))
            })
            .unwrap_or_else(|| "\u{a0}".to_owned())
    };
    view! {
        <div class="panel">
            <div class="title">
                <h3>{page.text(Text::MatrixTitle)}</h3>
                <PngButton title=Text::MatrixTitle name="simcse-matrix" draw=draw/>
                <button
                    class="plain"
                    aria-label=move || page.filled(
                        Text::TableOf,
                        &[("title", page.words(Text::MatrixTitle))],
                    )
                    on:click=move |_| page.dispatch(Action::MatrixExported)
                >
                    {page.text(Text::ExportCsv)}
                </button>
            </div>
            <p class="quiet">{how}</p>
            <Windows/>
            <HeatMapView data marked label=Text::MatrixTitle on_pick=pick/>
            <p class="partner" aria-live="polite">{under}</p>
        </div>
    }
}

/// Moves the window of a matrix that is larger than the screen.
#[component]
fn Windows() -> impl IntoView {
    let page = page();
    let place = page.part(|state| match &state.compare.result {
        Some(ListResult::Group(group)) => {
            (group.window, u32::try_from(group.sentences.len()).unwrap_or(u32::MAX))
        }
        _ => Default::default(),
    });
    let mover = move |text: Text,
                      from: u32,
                      shown: u32,
                      total: u32,
                      to: fn(u32, u32, u32) -> Action,
                      other: u32| {
        let (earlier, later) =
            (from.saturating_sub(WINDOW_SIDE), (from + WINDOW_SIDE).min(total - shown));
        let (at_start, at_end) = (from == 0, from + shown >= total);
        let places = [("from", from + 1), ("to", from + shown), ("n", total)]
            .map(|(name, value)| (name, grouped(u64::from(value))));
        let places = places.each_ref().map(|(name, value)| (*name, value.as_str()));
        view! {
            <span class="mover">
                <span>{page.words(text)}</span>
                <button class="plain" aria-label=page.words(Text::Earlier) disabled=at_start
                    on:click=move |_| page.dispatch(to(earlier, other, 0))>"‹"</button>
                <span class="numbers">{page.filled(Text::MatrixRange, &places)}</span>
                <button class="plain" aria-label=page.words(Text::Later) disabled=at_end
                    on:click=move |_| page.dispatch(to(later, other, 0))>"›"</button>
            </span>
        }
    };
    move || {
        let (window, total) = place.get();
        (total > window.row_count).then(|| {
            view! {
                <div class="movers">
                    {mover(Text::MatrixRows, window.row, window.row_count, total,
                        |row, column, _| Action::WindowMoved { row, column }, window.column)}
                    {mover(Text::MatrixColumns, window.column, window.column_count, total,
                        |column, row, _| Action::WindowMoved { row, column }, window.row)}
                </div>
            }
        })
    }
}

/// One line of a list of pairs.
#[derive(Clone, PartialEq)]
struct Line {
    first: String,
    second: String,
    cosine: f32,
    gold: Option<f32>,
}

/// Lines `from..from + ROWS`, how many there are, and what the list says of itself.
fn lines(state: &State, from: usize) -> (Vec<Line>, usize) {
    match &state.compare.result {
        None => Default::default(),
        Some(ListResult::Group(group)) => {
            let sentence =
                |place: u32| group.sentences.get(place as usize).cloned().unwrap_or_default();
            let shown =
                group.nearest.iter().skip(from).take(ROWS).map(|&(first, second, cosine)| Line {
                    first: sentence(first),
                    second: sentence(second),
                    cosine,
                    gold: None,
                });
            (shown.collect(), group.nearest.len())
        }
        Some(ListResult::Pairs(pairs)) => {
            let order = descending(&pairs.cosines);
            let shown = order.into_iter().skip(from).take(ROWS).filter_map(|place| {
                let (first, second) = pairs.pairs.get(place)?.clone();
                Some(Line {
                    first,
                    second,
                    cosine: pairs.cosines[place],
                    gold: pairs.gold.get(place).copied(),
                })
            });
            (shown.collect(), pairs.cosines.len())
        }
    }
}

fn descending(values: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    order
}

fn list_words(page: Page, state: &State) -> (Text, String) {
    match &state.compare.result {
        Some(ListResult::Group(group)) => {
            let (pairs, mean) = (grouped(group.pair_count), decimals(group.mean_cosine, 2));
            let how = page.filled(
                Text::NearestHow,
                &[
                    ("shown", &grouped(group.nearest.len() as u64)),
                    ("pairs", &pairs),
                    ("mean", &mean),
                ],
            );
            (Text::NearestTitle, how)
        }
        Some(ListResult::Pairs(pairs)) => {
            let how = page.filled(Text::PairsHow, &[("n", &grouped(pairs.cosines.len() as u64))]);
            (Text::PairsTitle, how)
        }
        None => (Text::PairsTitle, String::new()),
    }
}

#[component]
fn PairList() -> impl IntoView {
    let page = page();
    let from = RwSignal::new(0_usize);
    let shown = page.part(move |state| lines(state, from.get()));
    let words = page.part(move |state| list_words(page, state));
    let baseline = page.part(|state| state.compare.baseline.map_or(0.0, |baseline| baseline.mean));
    let rows = move || {
        shown.get().0.into_iter().map(|line| pair_line(page, line, baseline.get())).collect_view()
    };
    let pages = move || {
        let total = shown.get().1;
        let now = from.get();
        let (at_start, at_end) = (now == 0, now + ROWS >= total);
        (total > ROWS).then(|| {
            let places = [("from", now + 1), ("to", (now + ROWS).min(total)), ("n", total)]
                .map(|(name, value)| (name, grouped(value as u64)));
            let places = places.each_ref().map(|(name, value)| (*name, value.as_str()));
            view! {
                <div class="movers"><span class="mover">
                    <button class="plain" aria-label=page.words(Text::Earlier) disabled=at_start
                        on:click=move |_| from.set(now.saturating_sub(ROWS))>"‹"</button>
                    <span class="numbers">{page.filled(Text::PageOf, &places)}</span>
                    <button class="plain" aria-label=page.words(Text::Later) disabled=at_end
                        on:click=move |_| from.set(now + ROWS)>"›"</button>
                </span></div>
            }
        })
    };
    view! {
        <div class="panel">
            <div class="title">
                <h3>{move || page.words(words.get().0)}</h3>
                <button class="plain" on:click=move |_| page.dispatch(Action::TableCopied)>
                    {page.text(Text::CopyTable)}
                </button>
                <button class="plain" on:click=move |_| page.dispatch(Action::TableExported)>
                    {page.text(Text::ExportCsv)}
                </button>
            </div>
            <p class="quiet">{move || words.get().1}</p>
            {pages}
            <ol class="lines">{rows}</ol>
        </div>
    }
}

fn pair_line(page: Page, line: Line, baseline: f32) -> impl IntoView {
    let Line { first, second, cosine, gold } = line;
    let share = ((cosine - baseline) / (1.0 - baseline).max(f32::EPSILON)).clamp(0.0, 1.0);
    let gold = gold.map(|gold| view! {
        <span class="quiet numbers">{page.filled(Text::Gold, &[("value", &gold.to_string())])}</span>
    });
    let (a, b) = (first.clone(), second.clone());
    let pick =
        move |_| page.dispatch(Action::PairPicked { first: first.clone(), second: second.clone() });
    view! {
        <li>
            <button class="line-button" title=page.words(Text::CompareThese) on:click=pick>
                <span class="score numbers">{decimals(cosine, 2)}</span>
                <meter min="0" max="1" value=format!("{share:.3}") aria-hidden="true"></meter>
                <span class="two"><span>{a}</span><span>{b}</span></span>
                {gold}
            </button>
        </li>
    }
}

fn scored(state: &State) -> Option<PairsResult> {
    match &state.compare.result {
        Some(ListResult::Pairs(pairs)) => Some(pairs.clone()),
        _ => None,
    }
}

/// Spearman with its n, and the dots it comes from.
#[component]
fn AgreementPanel() -> impl IntoView {
    let page = page();
    let result = page.part(scored);
    let draw = move |width: f64, palette: &Palette| dots(page, &result.get()?, width, palette);
    let caption = page.part(move |state| caption(page, state));
    let draw_file = move |palette: &Palette| {
        let scene = result.get_untracked().and_then(|result| dots(page, &result, 640.0, palette));
        let caption = caption.get_untracked();
        let title = page.words(Text::AgreementTitle);
        scene.map_or_else(String::new, |scene| picture(&scene, title, &caption, palette))
    };
    let figures = move || {
        let agreement = result.get().and_then(|result| result.agreement);
        match agreement.filter(|agreement| agreement.spearman.is_finite()) {
            None => view! { <p class="note">{page.words(Text::AgreementNone)}</p> }.into_any(),
            Some(agreement) => agreement_figures(page, agreement).into_any(),
        }
    };
    view! {
        <div class="panel">
            <div class="title">
                <h3>{page.text(Text::AgreementTitle)}</h3>
                <PngButton title=Text::AgreementTitle name="simcse-agreement" draw=draw_file/>
            </div>
            <p class="quiet">{page.text(Text::AgreementHow)}</p>
            {figures}
            <Chart draw=draw/>
        </div>
    }
}

fn agreement_figures(page: Page, agreement: Agreement) -> impl IntoView {
    let count = grouped(u64::from(agreement.pairs));
    view! {
        <p class="figures">
            <span><b class="numbers">{decimals(agreement.spearman, 3)}</b> {page.words(Text::Spearman)}</span>
            <span><b class="numbers">{decimals(agreement.pearson, 3)}</b> {page.words(Text::Pearson)}</span>
            <span class="quiet">{page.filled(Text::AgreementN, &[("n", &count)])}</span>
        </p>
    }
}

fn dots(page: Page, result: &PairsResult, width: f64, palette: &Palette) -> Option<Scene> {
    if result.gold.is_empty() {
        return None;
    }
    let spearman = result.agreement.map_or_else(String::new, |found| decimals(found.spearman, 3));
    let places = [("n", grouped(result.gold.len() as u64)), ("spearman", spearman)];
    let places = places.each_ref().map(|(name, value)| (*name, value.as_str()));
    let data = Scatter {
        gold: &result.gold,
        cosines: &result.cosines,
        gold_label: page.words(Text::GoldAxis).to_owned(),
        cosine_label: page.words(Text::CosineAxis).to_owned(),
        description: page.filled(Text::ScatterWords, &places),
    };
    Some(scatter(&data, (width, (width * 0.62).clamp(220.0, 380.0)), palette))
}
