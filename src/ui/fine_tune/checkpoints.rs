//! The checkpoints as a table: undo to one while it trains, choose one afterwards.

use leptos::prelude::*;

use crate::browser::page_scope;
use crate::catalogue::fine_tune::FineTuneText as Text;
use crate::catalogue::numbers::decimals;
use crate::state::action::Action;
use crate::state::app::State;
use crate::state::fine_tune::FineTuneAction as Do;
use crate::ui::fine_tune::train::ORDERS;
use crate::ui::page::{Page, page};

/// The row that is chosen.
const CHOSEN: &str = ".tune-checkpoints tr[aria-current]";

/// One row.
#[derive(Clone, PartialEq)]
struct Row {
    step: u32,
    spearman: Option<f64>,
    uniformity: f64,
    alignment: Option<f64>,
    is_best: bool,
    is_current: bool,
    /// Left by an undo.
    is_beyond: bool,
    /// Choosing it would do something.
    can_choose: bool,
    is_live: bool,
}

fn rows(state: &State) -> Vec<Row> {
    let Some(run) = &state.fine_tune.run else { return Vec::new() };
    let is_live = run.phase.is_live();
    let current = if is_live {
        run.trail.get(run.place()).map(|point| point.measures.step)
    } else {
        run.chosen()
    };
    let takes = run.phase.takes_orders();
    let rows = run.trail.iter().map(|point| {
        let measures = &point.measures;
        let step = measures.step;
        Row {
            step,
            spearman: measures.spearman.filter(|value| value.is_finite()),
            uniformity: measures.shape.uniformity,
            alignment: measures.alignment,
            is_best: run.trail.len() > 2 && run.best() == Some(step),
            is_current: current == Some(step),
            is_beyond: step > run.at,
            can_choose: if is_live { takes && step != run.at } else { point.adapter.is_some() },
            is_live,
        }
    });
    rows.collect()
}

/// The table; nothing before the second measurement.
#[component]
pub fn Checkpoints() -> impl IntoView {
    let page = page();
    let all = page.part(rows);
    move || {
        let rows = all.get();
        (rows.len() > 1).then(|| {
            let lines = rows.into_iter().map(|row| line(page, row)).collect_view();
            view! {
                <section class="tune-checkpoints" aria-labelledby="tune-checkpoints">
                    <h3 id="tune-checkpoints">{page.words(Text::Checkpoints)}</h3>
                    <p class="quiet">{page.words(Text::CheckpointsHow)}</p>
                    <table class="numbers">
                        <thead>
                            <tr>
                                <th scope="col">{page.words(Text::StepAxis)}</th>
                                <th scope="col">{page.words(Text::ColumnSpearman)}</th>
                                <th scope="col">{page.words(Text::ColumnUniformity)}</th>
                                <th scope="col">{page.words(Text::ColumnAlignment)}</th>
                                <th scope="col"></th>
                            </tr>
                        </thead>
                        <tbody>{lines}</tbody>
                    </table>
                </section>
            }
        })
    }
}

fn line(page: Page, row: Row) -> impl IntoView {
    let number = |value: Option<f64>, scale: f64, digits: usize| {
        value.map_or_else(|| "–".to_owned(), |value| decimals(value * scale, digits))
    };
    let step = row.step.to_string();
    let name = if row.step == 0 {
        page.words(Text::CheckpointStart).to_owned()
    } else {
        page.filled(Text::CheckpointStep, &[("step", &step)])
    };
    let text = match (row.is_live, row.is_beyond) {
        (true, false) => Text::CheckpointUndo,
        (true, true) => Text::CheckpointGoTo,
        (false, _) => Text::CheckpointChoose,
    };
    let label = page.filled(text, &[("step", &step)]);
    let button = (row.can_choose && !row.is_current).then(|| {
        let choose = move |_| {
            page.dispatch(Action::FineTune(Do::CheckpointChosen(row.step)));
            page_scope::keep_focus(if row.is_live { ORDERS } else { CHOSEN });
        };
        view! { <button class="plain" on:click=choose>{label}</button> }
    });
    let best = row.is_best.then(|| {
        view! {
            " " <span class="tune-best">{page.words(Text::CheckpointBest)}</span>
        }
    });
    view! {
        <tr class:beyond=row.is_beyond tabindex="-1" aria-current=row.is_current.then_some("step")>
            <th scope="row">{name} {best}</th>
            <td>{number(row.spearman, 100.0, 1)}</td>
            <td>{number(Some(row.uniformity), 1.0, 2)}</td>
            <td>{number(row.alignment, 1.0, 3)}</td>
            <td>{button}</td>
        </tr>
    }
}
