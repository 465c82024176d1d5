//! Step 3: start, orders, progress, what to do with what was trained.

use leptos::prelude::*;

use crate::catalogue::fine_tune::FineTuneText as Text;
use crate::catalogue::numbers::{duration, grouped, milliseconds};
use crate::catalogue::problems::explain;
use crate::catalogue::text::Text as PageText;
use crate::protocol::problem::Problem;
use crate::protocol::training::Rest;
use crate::state::action::Action;
use crate::state::app::State;
use crate::state::fine_tune::FineTuneAction as Do;
use crate::state::fine_tune::run::Phase;
use crate::ui::page::{Page, page};

/// Training.
#[component]
pub fn Train() -> impl IntoView {
    let page = page();
    let refused = page.part(|state| state.fine_tune.keep_refused && state.fine_tune.run.is_some());
    let use_live = page.part(|state| state.fine_tune.use_live);
    let live_changed = move |event| {
        page.dispatch(Action::FineTune(Do::UseLiveChosen(event_target_checked(&event))));
    };
    view! {
        <section class="tune-step tune-train" aria-labelledby="tune-train">
            <h2 id="tune-train">{page.text(Text::StepTrain)}</h2>
            <p class="quiet">{page.text(Text::TrainHow)}</p>
            <Orders/>
            <label class="tune-radio">
                <input type="checkbox" prop:checked=move || use_live.get() on:change=live_changed/>
                <span>{page.text(Text::UseLive)}</span>
            </label>
            <Progress/>
            <Outcome/>
            {move || refused.get().then(|| view! {
                <p class="note" role="status">{page.words(Text::KeepRefused)}</p>
            })}
            <Announcement/>
        </section>
    }
}

/// Which buttons there are.
#[derive(Clone, Copy, PartialEq)]
enum Buttons {
    Start { again: bool, previous: bool },
    Beginning,
    Running,
    Paused,
    Waiting,
}

fn buttons(state: &State) -> Buttons {
    let fine_tune = &state.fine_tune;
    let Some(run) = fine_tune.live_run() else {
        let again = fine_tune.run.is_some();
        return Buttons::Start { again, previous: fine_tune.previous.is_some() };
    };
    match run.phase {
        Phase::Starting | Phase::Loading | Phase::Preparing => Buttons::Beginning,
        Phase::Running => Buttons::Running,
        Phase::Paused => Buttons::Paused,
        _ => Buttons::Waiting,
    }
}

#[component]
fn Orders() -> impl IntoView {
    let page = page();
    let buttons = page.part(buttons);
    let can_start = page.part(|state| state.fine_tune.can_start());
    let button = move |class: &'static str, text: Text, action: Do| {
        view! {
            <button
                class=class
                on:click=move |_| page.dispatch(Action::FineTune(action.clone()))
            >
                {page.text(text)}
            </button>
        }
    };
    move || {
        let shown = match buttons.get() {
            Buttons::Start { again, previous } => {
                let text = if again { Text::TrainAgain } else { Text::Train };
                let back = previous.then(|| button("plain", Text::BringBack, Do::RunsSwapped));
                view! {
                    <button
                        class="primary"
                        disabled=move || !can_start.get()
                        on:click=move |_| page.dispatch(Action::FineTune(Do::Started))
                    >
                        {page.text(text)}
                    </button>
                    {back}
                }
                .into_any()
            }
            Buttons::Beginning => button("plain", Text::GiveUp, Do::Stopped).into_any(),
            Buttons::Running => view! {
                {button("primary", Text::Pause, Do::Paused)}
                {button("plain", Text::Stop, Do::Stopped)}
            }
            .into_any(),
            Buttons::Paused => view! {
                {button("primary", Text::Resume, Do::Resumed)}
                {button("plain", Text::Stop, Do::Stopped)}
            }
            .into_any(),
            Buttons::Waiting => view! {
                <button class="primary" disabled=true>{page.text(Text::Pause)}</button>
            }
            .into_any(),
        };
        view! { <div class="actions tune-orders">{shown}</div> }
    }
}

/// What is shown of a fine-tune that runs.
#[derive(Clone, PartialEq)]
struct Status {
    phase: Phase,
    loaded_percent: u32,
    step: u32,
    steps: u32,
    loss: Option<f32>,
    step_ms: Option<f64>,
    remaining_s: Option<f64>,
    goes_on: bool,
}

fn status(state: &State) -> Option<Status> {
    let run = state.fine_tune.run.as_ref()?;
    Some(Status {
        phase: run.phase.clone(),
        loaded_percent: (state.trainer.loaded_share() * 100.0) as u32,
        step: run.at,
        steps: run.total_steps(),
        loss: run.steps.iter().rfind(|step| step.step <= run.at).map(|step| step.loss),
        step_ms: run.step_ms(),
        remaining_s: run.remaining_s(),
        goes_on: run.goes_on,
    })
}

#[component]
fn Progress() -> impl IntoView {
    let page = page();
    let status = page.part(status);
    move || {
        status.get().map(|status| {
            let value = if status.phase == Phase::Loading {
                f64::from(status.loaded_percent) / 100.0
            } else {
                f64::from(status.step) / f64::from(status.steps.max(1))
            };
            let bar = status.phase.is_live().then(|| view! {
                <progress
                    max="1"
                    value=format!("{value:.3}")
                    aria-label=page.words(Text::StepTrain)
                ></progress>
            });
            let trouble = is_trouble(&status.phase);
            let (class, role) = if trouble { ("error", "alert") } else { ("tune-phase", "status") };
            view! {
                <div class="loading tune-progress">
                    {bar}
                    <p class=class role=role>{phase_words(page, &status)}</p>
                    <p class="numbers quiet">{pace(page, &status)}</p>
                    {status.goes_on.then(|| view! { <p class="quiet">{page.words(Text::GoesOn)}</p> })}
                    <OutlineLine/>
                </div>
            }
        })
    }
}

/// What must be said at once, and stays.
fn is_trouble(phase: &Phase) -> bool {
    matches!(phase, Phase::Died { .. } | Phase::Failed(_) | Phase::Over(Rest::Diverged))
}

fn phase_words(page: Page, status: &Status) -> String {
    let step = status.step.to_string();
    let at = |text: Text| page.filled(text, &[("step", &step)]);
    let plain = |text: Text| page.words(text).to_owned();
    match &status.phase {
        Phase::Starting => plain(Text::PhaseStarting),
        Phase::Loading => {
            let percent = status.loaded_percent.to_string();
            page.filled(Text::PhaseLoading, &[("percent", &percent)])
        }
        Phase::Preparing => plain(Text::PhasePreparing),
        Phase::Running => plain(Text::PhaseRunning),
        Phase::Pausing => plain(Text::PhasePausing),
        Phase::Stopping => plain(Text::PhaseStopping),
        Phase::Restoring { step } => {
            page.filled(Text::PhaseRestoring, &[("step", &step.to_string())])
        }
        Phase::Paused | Phase::Over(Rest::Paused) => at(Text::PhasePaused),
        Phase::Over(Rest::Finished) => plain(Text::PhaseFinished),
        Phase::Over(Rest::Stopped) => at(Text::PhaseStopped),
        Phase::Over(Rest::Diverged) => at(Text::PhaseDiverged),
        Phase::Died { message } => page.filled(Text::PhaseDied, &[("detail", message)]),
        Phase::Failed(problem) => {
            let words = explain(problem, page.language());
            let memory = matches!(problem, Problem::Memory { .. });
            let less = if memory { page.words(Text::LessMemory) } else { &words.remedy };
            format!("{} {less}", words.happened)
        }
    }
}

/// "Step 12 of 25 · loss 0.21 · 3.1 s a step · 40 s left"
fn pace(page: Page, status: &Status) -> String {
    let (step, steps) = (status.step.to_string(), status.steps.to_string());
    let mut parts = vec![page.filled(Text::StepOf, &[("step", &step), ("steps", &steps)])];
    if let Some(loss) = status.loss {
        parts.push(page.filled(Text::LossNow, &[("loss", &format!("{loss:.3}"))]));
    }
    if let Some(ms) = status.step_ms {
        parts.push(page.filled(Text::StepTime, &[("time", &step_time(page, ms))]));
    }
    let runs = matches!(status.phase, Phase::Running | Phase::Paused | Phase::Pausing);
    if let Some(left) = status.remaining_s.filter(|_| runs && status.step < status.steps) {
        let time = duration(left, page.language());
        parts.push(page.filled(Text::TimeLeft, &[("time", &time)]));
    }
    parts.join(" · ")
}

fn step_time(page: Page, ms: f64) -> String {
    if ms < 1000.0 {
        return format!("{} ms", milliseconds(ms));
    }
    page.filled(Text::SecondsShort, &[("s", &format!("{:.1}", ms / 1000.0))])
}

#[component]
fn OutlineLine() -> impl IntoView {
    let page = page();
    let outline = page.part(|state| state.fine_tune.run.as_ref().and_then(|run| run.outline));
    move || {
        outline.get().map(|outline| {
            let line = page.filled(
                Text::OutlineLine,
                &[
                    ("parameters", &grouped(outline.parameters)),
                    ("tokens", &grouped(outline.tokens)),
                    ("truncated", &grouped(u64::from(outline.truncated))),
                ],
            );
            let frozen = (outline.frozen_layers > 0).then(|| {
                let n = outline.frozen_layers.to_string();
                page.filled(Text::FrozenLine, &[("n", &n)])
            });
            view! { <p class="quiet numbers">{line} " " {frozen}</p> }
        })
    }
}

/// What to do with what was trained: use, export, train further.
#[component]
fn Outcome() -> impl IntoView {
    let page = page();
    let chosen = page.part(|state| {
        let run = state.fine_tune.run.as_ref().filter(|run| !run.phase.is_live())?;
        run.chosen().map(|step| (step, run.used == Some(step)))
    });
    let can_start = page.part(|state| state.fine_tune.can_start());
    let can_use = page.part(|state| state.can_compute());
    let act = move |action: Do| page.dispatch(Action::FineTune(action));
    move || {
        chosen.get().map(|(step, in_use)| {
            let step = step.to_string();
            let at = |text: Text| page.filled(text, &[("step", &step)]);
            let using = if in_use {
                view! { <p class="tune-in-use" role="status">{at(Text::InUse)}</p> }.into_any()
            } else {
                view! {
                    <button
                        class="primary"
                        disabled=move || !can_use.get()
                        on:click=move |_| act(Do::Used)
                    >
                        {at(Text::Use)}
                    </button>
                }
                .into_any()
            };
            view! {
                <div class="actions tune-outcome">
                    {using}
                    <button class="plain" on:click=move |_| act(Do::Exported)>
                        {page.words(Text::Export)}
                    </button>
                    <button
                        class="plain"
                        disabled=move || !can_start.get()
                        on:click=move |_| act(Do::TrainedFurther)
                    >
                        {at(Text::TrainFurther)}
                    </button>
                    <a href="#/compare">{page.words(PageText::GoToCompare)}</a>
                </div>
            }
        })
    }
}

/// Said aloud at every measurement, not at every step.
#[component]
fn Announcement() -> impl IntoView {
    let page = page();
    let latest = page.part(|state| {
        let run = state.fine_tune.run.as_ref()?;
        let shape = &run.trail.last()?.measures.shape;
        let numbers = [format!("{:.2}", shape.uniformity), format!("{:.2}", shape.mean_cosine)];
        Some((run.trail.last()?.measures.step, run.total_steps(), numbers))
    });
    let words = move || {
        latest.get().map(|(step, steps, [uniformity, mean])| {
            let (step, steps) = (step.to_string(), steps.to_string());
            page.filled(
                Text::Announce,
                &[("step", &step), ("steps", &steps), ("uniformity", &uniformity), ("mean", &mean)],
            )
        })
    };
    view! { <p class="hidden" aria-live="polite">{words}</p> }
}
