//! Step 3: start, orders, progress, what to do with what was trained.

use leptos::prelude::*;

use crate::browser::page_scope;
use crate::catalogue::fine_tune::FineTuneText as Text;
use crate::catalogue::numbers::{decimals, duration, grouped, milliseconds};
use crate::catalogue::problems::explain;
use crate::catalogue::text::Text as PageText;
use crate::protocol::problem::Problem;
use crate::protocol::training::Rest;
use crate::state::action::Action;
use crate::state::app::State;
use crate::state::fine_tune::material::FEWEST_EXAMPLES;
use crate::state::fine_tune::run::Phase;
use crate::state::fine_tune::{FineTuneAction as Do, Obstacle};
use crate::ui::fine_tune::names::field_words;
use crate::ui::fine_tune::recipe::{field_id, trouble_words};
use crate::ui::page::{Page, page};

/// The button that starts, pauses and resumes: where the focus goes when the pressed one is gone.
pub const ORDERS: &str = ".tune-orders .primary";

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
            <Held/>
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
        Phase::Paused | Phase::Moved { .. } => Buttons::Paused,
        _ => Buttons::Waiting,
    }
}

impl Buttons {
    /// The first button: its words, what it orders, and whether it does so now.
    fn first(self, can_start: bool) -> (Text, Option<Do>) {
        match self {
            Self::Start { again: false, .. } => (Text::Train, can_start.then_some(Do::Started)),
            Self::Start { again: true, .. } => (Text::TrainAgain, can_start.then_some(Do::Started)),
            Self::Running => (Text::Pause, Some(Do::Paused)),
            Self::Paused => (Text::Resume, Some(Do::Resumed)),
            Self::Beginning | Self::Waiting => (Text::Pause, None),
        }
    }

    /// The second one, where there is one.
    fn second(self) -> Option<(Text, Do)> {
        match self {
            Self::Start { previous, .. } => previous.then_some((Text::BringBack, Do::RunsSwapped)),
            Self::Beginning => Some((Text::GiveUp, Do::Stopped)),
            Self::Running | Self::Paused => Some((Text::Stop, Do::Stopped)),
            Self::Waiting => None,
        }
    }
}

/// The first button is one and the same from "Train" over "Pause" and "Resume" to "Train anew": who
/// presses keys stays on it. While an order is carried out it is only said to be disabled, for a
/// browser takes the focus from what is disabled.
#[component]
fn Orders() -> impl IntoView {
    let page = page();
    let buttons = page.part(buttons);
    let can_start = page.part(|state| state.fine_tune.can_start());
    let first = move || buttons.get().first(can_start.get());
    let second = Memo::new(move |_| buttons.get().second().map(|(text, _)| text));
    let is_start = move || matches!(buttons.get(), Buttons::Start { .. });
    let press = move |order: Option<Do>| {
        if let Some(action) = order {
            page.dispatch(Action::FineTune(action));
        }
    };
    let other = move |_| {
        press(buttons.get_untracked().second().map(|(_, action)| action));
        page_scope::keep_focus(ORDERS);
    };
    view! {
        <div class="actions tune-orders">
            <button
                class="primary"
                aria-describedby=move || (is_start() && !can_start.get()).then_some(HELD)
                disabled=move || is_start() && !can_start.get()
                aria-disabled=move || first().1.is_none().then_some("true")
                on:click=move |_| press(untrack(first).1)
            >
                {move || page.words(first().0)}
            </button>
            {move || second.get().map(|text| view! {
                <button class="plain" on:click=other>{page.words(text)}</button>
            })}
        </div>
    }
}

/// Id of the line that says why training cannot begin.
const HELD: &str = "tune-held";

/// Why training cannot begin, and the way to the field that holds it back.
#[component]
fn Held() -> impl IntoView {
    let page = page();
    let obstacle = page.part(|state| {
        let fine_tune = &state.fine_tune;
        fine_tune.obstacle().filter(|_| fine_tune.live_run().is_none())
    });
    let words = move |obstacle: Obstacle| match obstacle {
        Obstacle::TooFew { found: 0 } => page.words(Text::HeldByNothing).to_owned(),
        Obstacle::TooFew { found } => {
            let (n, needed) = (found.to_string(), FEWEST_EXAMPLES.to_string());
            page.filled(Text::HeldByFew, &[("n", &n), ("needed", &needed)])
        }
        Obstacle::Setting(field, trouble) => {
            let (name, trouble) = (page.words(field_words(field).0), trouble_words(page, trouble));
            page.filled(Text::HeldByField, &[("field", name), ("trouble", &trouble)])
        }
    };
    let target = |obstacle: Obstacle| match obstacle {
        Obstacle::TooFew { .. } => (Text::SentencesLabel, "tune-text".to_owned()),
        Obstacle::Setting(field, _) => (field_words(field).0, field_id(field)),
    };
    move || {
        obstacle.get().map(|obstacle| {
            let (name, id) = target(obstacle);
            let label = page.filled(Text::GoToField, &[("field", page.words(name))]);
            view! {
                <div class="note tune-held">
                    <p id=HELD>{words(obstacle)}</p>
                    <button class="plain" on:click=move |_| page_scope::go_into(&format!("#{id}"))>
                        {label}
                    </button>
                </div>
            }
        })
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
        Phase::Moved { back: true } => at(Text::PhaseWentBack),
        Phase::Moved { back: false } => at(Text::PhaseWentOn),
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
        parts.push(page.filled(Text::LossNow, &[("loss", &decimals(loss, 3))]));
    }
    if let Some(ms) = status.step_ms {
        parts.push(page.filled(Text::StepTime, &[("time", &step_time(page, ms))]));
    }
    let runs = matches!(status.phase, Phase::Running | Phase::Pausing) || status.phase.is_paused();
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
    page.filled(Text::SecondsShort, &[("s", &decimals(ms / 1000.0, 1))])
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
    let was_pressed = StoredValue::new(false);
    let use_it = move |_| {
        was_pressed.set_value(true);
        act(Do::Used);
    };
    // The button gives way to the line that says so once the page has the checkpoint.
    Effect::new(move |_| {
        let is_used = chosen.get().is_some_and(|(_, in_use)| in_use);
        if is_used && was_pressed.get_value() {
            was_pressed.set_value(false);
            page_scope::keep_focus(".tune-in-use");
        }
    });
    let further = move |_| {
        act(Do::TrainedFurther);
        page_scope::keep_focus(ORDERS);
    };
    move || {
        chosen.get().map(|(step, in_use)| {
            let step = step.to_string();
            let at = |text: Text| page.filled(text, &[("step", &step)]);
            let using = if in_use {
                view! {
                    <p class="tune-in-use" role="status" tabindex="-1">{at(Text::InUse)}</p>
                }
                .into_any()
            } else {
                view! {
                    <button
                        class="primary"
                        disabled=move || !can_use.get()
                        on:click=use_it
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
                        on:click=further
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
        let numbers = [decimals(shape.uniformity, 2), decimals(shape.mean_cosine, 2)];
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
