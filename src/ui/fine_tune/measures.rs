//! The big numbers with their change, and what they say where something goes wrong.

use leptos::prelude::*;

use crate::catalogue::fine_tune::FineTuneText as Text;
use crate::catalogue::numbers::decimals;
use crate::protocol::training::{Measures as Measured, Positives};
use crate::state::app::State;
use crate::state::fine_tune::finding;
use crate::ui::fine_tune::names::{cause_words, readout_words};
use crate::ui::page::{Page, page};

/// One big number.
#[derive(Clone, PartialEq)]
struct Number {
    title: String,
    how: String,
    before: f64,
    now: f64,
    digits: usize,
}

fn numbers(page: Page, state: &State) -> Vec<Number> {
    let Some(run) = &state.fine_tune.run else { return Vec::new() };
    let (Some(start), Some(now)) = (run.start(), run.now()) else { return Vec::new() };
    let mut numbers = Vec::new();
    let mut push = |title: String, how: String, of: &dyn Fn(&Measured) -> Option<f64>, digits| {
        if let (Some(before), Some(now)) = (of(start), of(now)) {
            numbers.push(Number { title, how, before, now, digits });
        }
    };
    let words = |text: Text| page.words(text).to_owned();
    let pairs = run.scored_pairs.to_string();
    let how_scored = if run.own_scores { Text::SpearmanHowOwn } else { Text::SpearmanHow };
    let how_scored = page.filled(how_scored, &[("n", &pairs)]);
    let readout = readout_words(page, &run.recipe);
    let trained = page.filled(Text::SpearmanTrained, &[("readout", &readout)]);
    let hundred = |value: Option<f64>| value.filter(|v| v.is_finite()).map(|v| v * 100.0);
    push(trained, how_scored.clone(), &|m| hundred(m.spearman), 1);
    push(words(Text::SpearmanMean), how_scored, &|m| hundred(m.spearman_mean), 1);
    push(words(Text::Uniformity), words(Text::UniformityHow), &|m| Some(m.shape.uniformity), 2);
    let how = match now.positives {
        Positives::Scored => Text::AlignmentHowScored,
        Positives::Views => Text::AlignmentHowViews,
    };
    push(words(Text::Alignment), words(how), &|m| m.alignment, 2);
    push(words(Text::MeanCosine), words(Text::MeanCosineHow), &|m| Some(m.shape.mean_cosine), 2);
    numbers
}

/// The numbers.
#[component]
pub fn Measures() -> impl IntoView {
    let page = page();
    let all = page.part(move |state| numbers(page, state));
    let numbers = move || {
        let numbers = all.get();
        (!numbers.is_empty()).then(|| {
            let shown = numbers.into_iter().map(|number| one(page, &number)).collect_view();
            view! { <dl class="tune-numbers">{shown}</dl> }
        })
    };
    let empty = page.part(|state| state.fine_tune.run.is_none());
    let teaches =
        move || empty.get().then(|| view! { <p class="note">{page.words(Text::FiguresEmpty)}</p> });
    view! { {teaches} {numbers} }
}

fn one(page: Page, number: &Number) -> impl IntoView + use<> {
    let text = |value: f64| decimals(value, number.digits);
    let (before, now) = (text(number.before), text(number.now));
    let words = page.filled(Text::Change, &[("before", &before), ("now", &now)]);
    view! {
        <div class="tune-number">
            <dt>{number.title.clone()}</dt>
            <dd>
                <span class="hidden">{words}</span>
                <b aria-hidden="true">{now}</b>
                <span class="tune-before" aria-hidden="true">{before}</span>
            </dd>
            <dd class="quiet">{number.how.clone()}</dd>
        </div>
    }
}

/// A collapse in words, with its likely cause.
#[component]
pub fn Finding() -> impl IntoView {
    let page = page();
    let found = page.part(|state| {
        let run = state.fine_tune.run.as_ref()?;
        let finding = finding::finding(run.start()?, run.now()?)?;
        Some((finding, finding::cause(&run.recipe, run.examples)))
    });
    move || {
        found.get().map(|(finding, cause)| {
            view! {
                <div class="error tune-finding" role="alert">
                    <p>{finding_words(page, finding)}</p>
                    <p>{page.words(cause_words(cause))}</p>
                </div>
            }
        })
    }
}

fn finding_words(page: Page, finding: finding::Finding) -> String {
    let text = |value: f64| decimals(value, 2);
    match finding {
        finding::Finding::Cone { mean_cosine, uniformity } => {
            let (mean, uniformity) = (text(mean_cosine), text(uniformity));
            page.filled(Text::FindingCone, &[("mean", &mean), ("uniformity", &uniformity)])
        }
        finding::Finding::FewDirections { rank } => {
            page.filled(Text::FindingFew, &[("rank", &decimals(rank, 1))])
        }
        finding::Finding::Torn { alignment, random } => {
            let (alignment, random) = (text(alignment), text(random));
            page.filled(Text::FindingTorn, &[("alignment", &alignment), ("random", &random)])
        }
        finding::Finding::Worse { spearman, start } => {
            let hundred = |value: f64| decimals(100.0 * value, 1);
            let (before, now) = (hundred(start), hundred(spearman));
            page.filled(Text::FindingWorse, &[("before", &before), ("now", &now)])
        }
    }
}
