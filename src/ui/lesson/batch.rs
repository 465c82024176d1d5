//! Dropout views: their cosine over p, and the matrix that the loss is made of.

use leptos::prelude::*;

use crate::catalogue::lesson::LessonText as Text;
use crate::catalogue::problems::explain;
use crate::catalogue::text::Text as PageText;
use crate::chart::ramp::Palette;
use crate::chart::scene::Scene;
use crate::chart::shares::{Shares, shares};
use crate::chart::views::{Pair, Views, views};
use crate::state::action::Action;
use crate::state::app::State;
use crate::state::lesson::contrast;
use crate::state::lesson::{LessonAction, MOST_DROPOUT, SIDE};
use crate::ui::lesson::figures::two;
use crate::ui::page::{Page, page};
use crate::ui::parts::{Chart, HeatData, HeatMapView};

/// Why there are no views, in words; nothing where there are some.
fn no_views(page: Page, state: &State) -> Option<String> {
    if let Some(problem) = &state.lesson.draw_problem {
        let words = explain(problem, state.language);
        return Some(format!("{} {}", words.happened, words.remedy));
    }
    let waiting = if state.can_compute() { Text::Waiting } else { Text::NeedsModel };
    state.lesson.draws.is_empty().then(|| page.words(waiting).to_owned())
}

/// Cosine of the reader's sentence's two views, over p.
#[component]
pub fn ViewsFigure() -> impl IntoView {
    let page = page();
    let missing = page.part(move |state| no_views(page, state));
    let data = page.part(|state| {
        let pairs = state.lesson.draws.iter().filter_map(|draw| {
            let own = f64::from(*draw.cosines.first()?);
            let other = contrast::means(&draw.cosines, SIDE)?.1;
            Some((f64::from(draw.dropout), own, other))
        });
        (pairs.collect::<Vec<_>>(), f64::from(state.lesson.dropout))
    });
    let draw = move |width: f64, palette: &Palette| -> Option<Scene> {
        let (pairs, chosen) = data.get();
        let pairs: Vec<Pair> =
            pairs.into_iter().map(|(dropout, own, other)| Pair { dropout, own, other }).collect();
        let now = pairs.iter().rev().find(|pair| (pair.dropout - chosen).abs() < 0.004);
        let value = |part: fn(&Pair) -> f64| now.map_or_else(|| "–".to_owned(), |p| two(part(p)));
        let places = [
            ("p", two(chosen)),
            ("own", value(|pair| pair.own)),
            ("other", value(|pair| pair.other)),
            ("n", pairs.len().to_string()),
        ];
        let places = places.each_ref().map(|(name, value)| (*name, value.as_str()));
        let data = Views {
            pairs: &pairs,
            chosen,
            most: f64::from(MOST_DROPOUT),
            own_label: page.words(Text::ViewsOwn).to_owned(),
            other_label: page.words(Text::ViewsOther).to_owned(),
            dropout_label: page.words(Text::ViewsAxis).to_owned(),
            cosine_label: page.words(Text::CosineAxis).to_owned(),
            description: page.filled(Text::ViewsWords, &places),
        };
        Some(views(&data, width, palette))
    };
    move || match missing.get() {
        Some(words) => view! { <p class="note">{words}</p> }.into_any(),
        None => view! { <Chart draw=draw/> }.into_any(),
    }
}

/// The matrix at the chosen p: cosines, the chosen row, temperature.
#[derive(Debug, Clone, PartialEq, Default)]
struct Batch {
    cosines: Vec<f32>,
    sentences: Vec<String>,
    row: usize,
    temperature: f32,
    dropout: f32,
}

fn batch(state: &State) -> Option<Batch> {
    let lesson = &state.lesson;
    Some(Batch {
        cosines: lesson.draw()?.cosines.clone(),
        sentences: lesson.batch(),
        row: lesson.row,
        temperature: lesson.temperature,
        dropout: lesson.dropout,
    })
}

fn heat(page: Page, batch: &Batch) -> HeatData {
    let means = contrast::means(&batch.cosines, SIDE);
    let (own, other) = means.unwrap_or_default();
    let numbers = |place: usize| (place + 1).to_string();
    let places = [("n", SIDE.to_string()), ("own", two(own)), ("other", two(other))];
    let places = places.each_ref().map(|(name, value)| (*name, value.as_str()));
    let rows = batch.sentences.iter().enumerate();
    let lowest = batch.cosines.iter().copied().fold(1.0_f32, f32::min);
    HeatData {
        row_labels: rows
            .map(|(place, text)| {
                let mark = if place == batch.row { "▸ " } else { "" };
                format!("{mark}{} {text}", numbers(place))
            })
            .collect(),
        column_labels: (0..SIDE).map(numbers).collect(),
        values: batch.cosines.clone(),
        floor: lowest,
        pale_diagonal: false,
        description: page.filled(Text::LossMatrixWords, &places),
    }
}

/// The matrix, and the softmax of the chosen row under its columns.
#[component]
pub fn LossFigure() -> impl IntoView {
    let page = page();
    let missing = page.part(move |state| no_views(page, state));
    let found = page.part(batch);
    let data = Memo::new(move |_| heat(page, &found.get().unwrap_or_default()));
    let marked = RwSignal::new(None);
    let pick = move |cell: (usize, usize)| {
        page.dispatch(Action::Lesson(LessonAction::RowChosen(cell.0)));
    };
    let caption = move || {
        let p = two(f64::from(found.get().unwrap_or_default().dropout));
        page.filled(Text::LossCaption, &[("p", &p)])
    };
    let draw = move |width: f64, palette: &Palette| {
        let batch = found.get()?;
        let row = batch.cosines.get(batch.row * SIDE..(batch.row + 1) * SIDE)?;
        let values = contrast::shares(row, batch.temperature);
        let names: Vec<String> = (1..=SIDE).map(|place| place.to_string()).collect();
        let others = values.iter().enumerate().filter(|(place, _)| *place != batch.row);
        let rival = others.map(|(_, share)| *share).fold(0.0, f64::max);
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        let own = values.get(batch.row).copied().unwrap_or_default();
        let places = [
            ("n", (batch.row + 1).to_string()),
            ("share", percent(own)),
            ("rival", percent(rival)),
        ];
        let places = places.each_ref().map(|(name, value)| (*name, value.as_str()));
        let data = Shares {
            values: &values,
            names: &names,
            own: batch.row,
            columns: heat(page, &batch).columns(width),
            description: page.filled(Text::LossSharesWords, &places),
        };
        Some(shares(&data, width, palette))
    };
    let figure = move || {
        view! {
            <p class="quiet">{caption}</p>
            <HeatMapView data marked label=PageText::MatrixTitle on_pick=pick/>
            <h3>{page.text(Text::LossShares)}</h3>
            <Chart draw=draw/>
        }
    };
    move || match missing.get() {
        Some(words) => view! { <p class="note">{words}</p> }.into_any(),
        None => figure().into_any(),
    }
}
