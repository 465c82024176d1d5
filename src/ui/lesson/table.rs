//! Ablations: the paper's scores beside the reader's own runs.

use leptos::prelude::*;

use crate::catalogue::lesson::LessonText as Text;
use crate::catalogue::numbers::decimals;
use crate::state::action::Action;
use crate::state::lesson::LessonAction;
use crate::state::lesson::experiment::{Length, Outcome, Score, Variant};
use crate::ui::lesson::figures::two;
use crate::ui::page::page;

fn variant_name(variant: Variant) -> Text {
    match variant {
        Variant::Dropout => Text::VariantDropout,
        Variant::NoDropout => Text::VariantNone,
        Variant::MuchDropout => Text::VariantMuch,
        Variant::SameMask => Text::VariantSameMask,
        Variant::Crop => Text::VariantCrop,
        Variant::DeleteWords => Text::VariantDelete,
        Variant::DeleteOneWord => Text::VariantDeleteOne,
    }
}

/// A correlation as the paper writes it: times 100.
fn correlation(score: &Score) -> String {
    score.spearman.map_or_else(|| "–".to_owned(), |value| decimals(value * 100.0, 1))
}

/// One line a variant.
#[component]
pub fn Ablations() -> impl IntoView {
    let page = page();
    let start = page.part(|state| state.lesson.outcomes.first().map(|outcome| outcome.start));
    let start_line = move || {
        start.get().map(|score| {
            view! {
                <tr class="start">
                    <th scope="row">{page.text(Text::TryStart)}</th>
                    <td>"–"</td>
                    <td>{correlation(&score)}</td>
                    <td>{two(score.uniformity)}</td>
                    <td></td>
                </tr>
            }
        })
    };
    view! {
        <div class="ablations">
            <table class="numbers">
                <caption class="hidden">{page.text(Text::TryWords)}</caption>
                <thead>
                    <tr>
                        <th scope="col">{page.text(Text::TryVariant)}</th>
                        <th scope="col">{page.text(Text::TryPaper)}</th>
                        <th scope="col">{page.text(Text::TryYours)}</th>
                        <th scope="col">{page.text(Text::TryUniformity)}</th>
                        <td></td>
                    </tr>
                </thead>
                <tbody>
                    {start_line}
                    {Variant::ALL.map(|variant| view! { <Line variant/> }).collect_view()}
                </tbody>
            </table>
        </div>
    }
}

/// What is known of a variant's run.
#[derive(Debug, Clone, PartialEq)]
struct Known {
    outcome: Option<Outcome>,
    is_running: bool,
    can_run: bool,
}

#[component]
fn Line(variant: Variant) -> impl IntoView {
    let page = page();
    let known = page.part(move |state| Known {
        outcome: state.lesson.outcomes.iter().find(|o| o.variant == variant).copied(),
        is_running: state.lesson.running.is_some_and(|(running, _)| running == variant),
        can_run: state.model.is_some() && state.fine_tune.live_run().is_none(),
    });
    let end = move |part: fn(&Score) -> String| {
        known.get().outcome.map_or_else(|| "–".to_owned(), |outcome| part(&outcome.end))
    };
    view! {
        <tr>
            <th scope="row">{page.text(variant_name(variant))}</th>
            <td>{decimals(variant.papers(), 1)}</td>
            <td>{move || end(correlation)}</td>
            <td>{move || end(|score| two(score.uniformity))}</td>
            <td><RunButton variant known/></td>
        </tr>
    }
}

/// It stays on the page while it is of no use, and is only said to be disabled: a browser takes the
/// focus from what is disabled.
#[component]
fn RunButton(variant: Variant, known: Memo<Known>) -> impl IntoView {
    let page = page();
    let run = move |_| {
        if known.get_untracked().can_run {
            page.dispatch(Action::Lesson(LessonAction::Trained(variant, Length::Short)));
        }
    };
    let words =
        move || page.words(if known.get().is_running { Text::TryRunning } else { Text::TryRun });
    let label = move || format!("{}: {}", words(), page.words(variant_name(variant)));
    view! {
        <button
            class="plain"
            aria-disabled=move || (!known.get().can_run).then_some("true")
            aria-label=label
            on:click=run
        >
            {words}
        </button>
    }
}
