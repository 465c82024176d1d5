//! Training before the reader's eyes: the sphere and the plane of the fine-tune that runs.

use leptos::prelude::*;

use crate::catalogue::lesson::LessonText as Text;
use crate::catalogue::numbers::duration;
use crate::chart::plane::{Plane, Spot, plane};
use crate::chart::ramp::Palette;
use crate::chart::sphere::Tone;
use crate::math::turn::{nearest_turn, turned};
use crate::state::action::Action;
use crate::state::app::State;
use crate::state::fine_tune::FineTuneAction;
use crate::state::fine_tune::material::ProbeChoice;
use crate::state::fine_tune::run::Run;
use crate::state::lesson::Cloud;
use crate::state::lesson::LessonAction;
use crate::state::lesson::experiment::{Length, Variant};
use crate::ui::fine_tune::names::readout_words;
use crate::ui::lesson::figures::{CloudFigure, LessonSet, shape_words, two};
use crate::ui::page::{Page, page};
use crate::ui::parts::Chart;
use crate::ui::sphere::{CloudView, SphereView, Turning};

/// The cloud of the run's present measurement, turned like the one it began with.
fn cloud(page: Page, state: &State) -> Option<CloudView> {
    let run = state.fine_tune.run.as_ref()?;
    let (start, now) = (run.start()?, run.now()?);
    let turn = nearest_turn(&now.shape.sphere, &start.shape.sphere);
    let points = match turn {
        Some(turn) => turned(&now.shape.sphere, &turn),
        None => now.shape.sphere.clone(),
    };
    let (tone, name) =
        if now.step == 0 { (Tone::Before, Text::Before) } else { (Tone::After, Text::After) };
    let description = shape_words(page, name, &now.shape);
    let names = Default::default();
    Some(CloudView { points, tone, rays: false, marks: Vec::new(), names, description })
}

/// Which sentences the run's numbers come from, how many, and how they are read.
fn measured_on(page: Page, state: &State) -> Option<String> {
    let run = state.fine_tune.run.as_ref()?;
    let text = match run.probe {
        ProbeChoice::Own => Text::SetOwn,
        ProbeChoice::Bundled => Text::SetPairs,
    };
    let n = run.start()?.shape.sentences.to_string();
    let readout = readout_words(page, &run.recipe);
    Some(page.filled(text, &[("n", &n), ("readout", &readout)]))
}

/// Step, alignment, uniformity of every measurement.
fn trail(state: &State) -> Vec<(u32, f64, f64)> {
    let points = state.fine_tune.run.iter().flat_map(|run| &run.trail);
    points
        .filter_map(|point| {
            let measures = &point.measures;
            Some((measures.step, measures.alignment?, measures.shape.uniformity))
        })
        .collect()
}

/// Sphere and plane of the run; before there is one, the cloud that it would begin with.
#[component]
pub fn TrainingFigure(turning: Turning) -> impl IntoView {
    let page = page();
    let view = page.part(move |state| cloud(page, state));
    let has_run = page.part(move |state| cloud(page, state).is_some());
    let trail = page.part(trail);
    let set = page.part(move |state| measured_on(page, state));
    let draw = move |width: f64, palette: &Palette| {
        let trail = trail.get();
        let spots: Vec<Spot> = trail
            .iter()
            .map(|(step, alignment, uniformity)| Spot {
                uniformity: *uniformity,
                alignment: *alignment,
                label: step.to_string(),
            })
            .collect();
        let (first, last) = (trail.first()?, trail.last()?);
        let places =
            [("n", trail.len().to_string()), ("before", two(first.2)), ("after", two(last.2))];
        let places = places.each_ref().map(|(name, value)| (*name, value.as_str()));
        let words = |text: Text| page.words(text).to_owned();
        let corners = [Text::CornerBest, Text::CornerCone, Text::CornerSpread, Text::CornerWorst];
        let data = Plane {
            trail: &spots,
            now: spots.len() - 1,
            marked: None,
            uniformity_label: words(Text::Uniformity),
            alignment_label: words(Text::Alignment),
            corners: corners.map(words),
            description: page.filled(Text::PlaneWords, &places),
        };
        Some(plane(&data, width, palette))
    };
    move || {
        if has_run.get() {
            view! {
                <div class="pair-of-figures">
                    <SphereView cloud=view.into() turning most=300.0/>
                    <div>
                        <h3>{page.text(Text::TrainPlane)}</h3>
                        <Chart draw=draw/>
                    </div>
                </div>
                <p class="quiet measured-on">{move || set.get()}</p>
            }
            .into_any()
        } else {
            view! {
                <CloudFigure cloud=Cloud::Before turning/>
                <p class="quiet">{page.text(Text::TrainIdle)}</p>
                <LessonSet/>
            }
            .into_any()
        }
    }
}

/// How the run stands, in one line.
fn progress(page: Page, state: &State) -> Option<String> {
    let run = state.fine_tune.run.as_ref()?;
    if !run.phase.is_live() {
        return finished(page, run);
    }
    let Some(step) = run.steps.last() else {
        return Some(page.words(Text::TrainPreparing).to_owned());
    };
    let left = run.remaining_s().map_or_else(String::new, |s| duration(s, state.language));
    let places = [
        ("step", step.step.to_string()),
        ("steps", run.total_steps().to_string()),
        ("loss", two(f64::from(step.loss))),
        ("left", left),
    ];
    let places = places.each_ref().map(|(name, value)| (*name, value.as_str()));
    Some(page.filled(Text::TrainProgress, &places))
}

fn finished(page: Page, run: &Run) -> Option<String> {
    let (start, now) = (run.start()?.shape.uniformity, run.now()?.shape.uniformity);
    Some(page.filled(Text::TrainDone, &[("before", &two(start)), ("after", &two(now))]))
}

/// What can be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Choices {
    is_live: bool,
    is_ours: bool,
    has_result: bool,
    can_start: bool,
}

fn choices(state: &State) -> Choices {
    let run = state.fine_tune.run.as_ref();
    let is_live = state.fine_tune.live_run().is_some();
    Choices {
        is_live,
        is_ours: state.lesson.running.is_some(),
        has_result: !is_live && run.is_some_and(|run| run.chosen().is_some()),
        can_start: state.model.is_some(),
    }
}

/// The buttons of step five.
#[component]
pub fn TrainingControls() -> impl IntoView {
    let page = page();
    let choices = page.part(choices);
    let progress = page.part(move |state| progress(page, state));
    let train = move || {
        page.dispatch(Action::Lesson(LessonAction::Trained(Variant::Dropout, Length::Full)));
    };
    let tune = move |action: FineTuneAction| page.dispatch(Action::FineTune(action));
    let name = move || match choices.get() {
        Choices { is_live: true, .. } => Text::TrainStop,
        Choices { has_result: true, .. } => Text::TrainAgain,
        _ => Text::TrainStart,
    };
    let press = move |_| {
        if choices.get_untracked().is_live { tune(FineTuneAction::Stopped) } else { train() }
    };
    let has_result = Memo::new(move |_| choices.get().has_result);
    let using = move || {
        has_result.get().then(|| {
            view! {
                <button class="plain" on:click=move |_| tune(FineTuneAction::Used)>
                    {page.text(Text::TrainUse)}
                </button>
            }
        })
    };
    let busy = move || {
        let Choices { is_live, is_ours, .. } = choices.get();
        (is_live && !is_ours).then(|| view! { <p class="note">{page.text(Text::TrainBusy)}</p> })
    };
    view! {
        <div class="actions">
            // One button for both, so that pressing it does not take the focus away.
            <button
                class=move || if choices.get().is_live { "plain" } else { "primary" }
                disabled=move || !choices.get().can_start
                on:click=press
            >
                {move || page.words(name())}
            </button>
            {using}
        </div>
        <p class="numbers" aria-live="polite">{move || progress.get()}</p>
        {busy}
    }
}
