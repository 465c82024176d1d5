//! The bar that fills while a model arrives, and what to do when it does not.

use leptos::prelude::*;

use crate::catalogue::numbers::{duration, megabytes};
use crate::catalogue::problems::explain;
use crate::catalogue::text::Text;
use crate::protocol::event::LoadingStage;
use crate::protocol::problem::Problem;
use crate::state::action::Action;
use crate::state::app::Worker;
use crate::state::loading::{Interrupted, Loading};
use crate::ui::page::{Page, page};

/// Shown only while a model is on its way or failed to arrive. It keeps its height, so that
/// nothing jumps when it goes.
#[component]
pub fn LoadingBar() -> impl IntoView {
    let page = page();
    let loading = page.part(|state| state.loading.clone());
    let broken = page.part(|state| (state.interrupted.clone(), state.worker == Worker::Stopped));
    move || match (loading.get(), broken.get()) {
        (Some(loading), _) => bar(page, &loading).into_any(),
        (None, (Some(broken), stopped)) => trouble(page, &broken, stopped).into_any(),
        (None, (None, _)) => ().into_any(),
    }
}

fn bar(page: Page, loading: &Loading) -> impl IntoView + use<> {
    let (done, total) = (megabytes(loading.done_bytes), megabytes(loading.total_bytes));
    let text = match loading.stage {
        None => Text::LoadingLook,
        Some(LoadingStage::LookingUp) => Text::LoadingHub,
        Some(LoadingStage::Quantising) => Text::LoadingQuantise,
        Some(LoadingStage::Downloading) => Text::LoadingDownload,
        Some(LoadingStage::ReadingStore) => Text::LoadingStore,
        Some(LoadingStage::Preparing) => Text::LoadingPrepare,
    };
    let what = page.filled(text, &[("done", &done), ("total", &total)]);
    let arriving =
        matches!(loading.stage, Some(LoadingStage::Downloading | LoadingStage::Quantising));
    let pace = arriving.then(|| pace(page, loading)).flatten();
    let can_stop = arriving || loading.stage == Some(LoadingStage::LookingUp);
    let stop = can_stop.then(|| {
        view! {
            <button class="plain" on:click=move |_| page.dispatch(Action::LoadingStopped)>
                {page.words(Text::LoadingStop)}
            </button>
        }
    });
    view! {
        <section class="loading" aria-label=page.words(Text::LoadingTitle)>
            <progress max="1000" value=(loading.share() * 1000.0).round().to_string()></progress>
            <div class="line">
                <span>{loading.name.clone()}</span>
                <span class="numbers">{what}</span>
                <span class="numbers quiet">{pace}</span>
                {stop}
            </div>
        </section>
    }
}

fn pace(page: Page, loading: &Loading) -> Option<String> {
    let rate = format!("{:.1}", loading.bytes_per_s()? / 1e6);
    let rate = page.filled(Text::LoadingRate, &[("rate", &rate)]);
    let Some(left) = loading.remaining_s() else { return Some(rate) };
    let left = page.filled(Text::LoadingLeft, &[("time", &duration(left, page.language()))]);
    Some(format!("{rate} · {left}"))
}

fn trouble(page: Page, broken: &Interrupted, stopped: bool) -> impl IntoView + use<> {
    let again = match &broken.problem {
        None | Some(Problem::Network { .. }) => Text::LoadingResume,
        Some(_) => Text::TryAgain,
    };
    let words = match &broken.problem {
        None => page.filled(
            Text::LoadingStoppedAt,
            &[("done", &megabytes(broken.done_bytes)), ("total", &megabytes(broken.total_bytes))],
        ),
        Some(problem) => {
            let headline = if stopped { Text::WorkerStopped } else { Text::LoadingFailed };
            let words = explain(problem, page.language());
            format!("{} {} {}", page.words(headline), words.happened, words.remedy)
        }
    };
    view! {
        <section class="loading trouble" role="alert">
            <p>{words}</p>
            <button class="primary" on:click=move |_| page.dispatch(Action::ModelWantedAgain)>
                {page.words(again)}
            </button>
        </section>
    }
}
