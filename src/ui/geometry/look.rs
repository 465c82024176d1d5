//! One of the two ways to look at the corpus: what is chosen, its sphere, how far it is.

use std::sync::Arc;

use leptos::prelude::*;

use crate::catalogue::geometry::GeometryText as Text;
use crate::catalogue::numbers::{decimals, duration, grouped};
use crate::catalogue::problems::explain;
use crate::chart::sphere::Tone;
use crate::protocol::lab::Treatment;
use crate::protocol::readout::{Pooling, Side};
use crate::state::action::Action;
use crate::state::app::State;
use crate::state::geometry::failure::Failure;
use crate::state::geometry::{GeometryAction as Do, Job, Look, Plot};
use crate::ui::names::{layer_options, pooling_name, side_class};
use crate::ui::page::{Page, page};
use crate::ui::sphere::{CloudView, SphereView, Turning};

/// What can be done to the vectors.
const TREATMENTS: [Treatment; 7] = [
    Treatment::AsTheyAre,
    Treatment::Centred,
    Treatment::AllButTheTop { directions: 1 },
    Treatment::AllButTheTop { directions: 3 },
    Treatment::Whitened { keep: None },
    Treatment::Whitened { keep: Some(32) },
    Treatment::Whitened { keep: Some(8) },
];

/// The names of the two.
pub fn plot_name(plot: Plot) -> Text {
    match plot {
        Plot::A => Text::LookA,
        Plot::B => Text::LookB,
    }
}

/// "before · [CLS] · layer 4 · whitened"
pub fn look_words(page: Page, look: Look) -> String {
    let mut parts = vec![page.side(look.side), page.words(pooling_name(look.pooling)).to_owned()];
    parts.extend(look.layer.map(|layer| format!("{} {layer}", page.words(Text::Layer))));
    if look.treatment != Treatment::AsTheyAre {
        parts.push(treatment_words(page, look.treatment));
    }
    parts.join(" · ")
}

fn treatment_words(page: Page, treatment: Treatment) -> String {
    match treatment {
        Treatment::AsTheyAre => page.words(Text::AsTheyAre).to_owned(),
        Treatment::Centred => page.words(Text::Centred).to_owned(),
        Treatment::AllButTheTop { directions } => {
            page.filled(Text::AllButTheTop, &[("n", &directions.to_string())])
        }
        Treatment::Whitened { keep: None } => page.words(Text::Whitened).to_owned(),
        Treatment::Whitened { keep: Some(keep) } => {
            page.filled(Text::WhitenedTo, &[("n", &keep.to_string())])
        }
    }
}

/// One of the two.
#[component]
pub fn LookCard(plot: Plot, turning: Turning) -> impl IntoView {
    let page = page();
    let cloud = page.part(move |state| cloud(page, state, plot));
    let is_old = page.part(move |state| state.geometry.figure(plot).job.is_some());
    let how = move || cloud.get().map(|(_, how)| how);
    // A's place is amber and B's teal, whatever they show.
    let class = match plot {
        Plot::A => side_class(Side::Before),
        Plot::B => side_class(Side::After),
    };
    let points = Signal::derive(move || cloud.get().map(|(cloud, _)| cloud));
    view! {
        <section class=format!("geometry-look {class}") aria-label=page.text(plot_name(plot))>
            <Choices plot/>
            <div class="geometry-sphere" class:old=move || is_old.get()>
                <SphereView cloud=points turning most=420.0/>
            </div>
            <Status plot/>
            <p class="quiet">{how}</p>
        </section>
    }
}

fn cloud(page: Page, state: &State, plot: Plot) -> Option<(CloudView, String)> {
    let measured = state.geometry.figure(plot).measured.as_ref()?;
    let shape = &measured.findings.shape;
    let count = grouped(u64::from(shape.sentences));
    let (mean, uniformity) = (decimals(shape.mean_cosine, 2), decimals(shape.uniformity, 2));
    let words = [("n", &*count), ("mean", &mean), ("uniformity", &uniformity)];
    let cloud = CloudView {
        points: shape.sphere.clone(),
        tone: match plot {
            Plot::A => Tone::Before,
            Plot::B => Tone::After,
        },
        rays: false,
        marks: Vec::new(),
        names: Arc::clone(&measured.corpus().sentences),
        description: page.filled(Text::SphereWords, &words),
    };
    let look =
        format!("{}: {}", page.words(plot_name(plot)), look_words(page, state.geometry.look(plot)));
    let share = decimals(100.0 * shape.sphere_share, 0);
    let mut how = page.filled(Text::SphereHow, &[("n", &look), ("share", &share)]);
    if matches!(state.geometry.look(plot).treatment, Treatment::Whitened { .. }) {
        let directions = shape.dimensions.to_string();
        how.push(' ');
        how.push_str(&page.filled(Text::WhitenedHow, &[("n", &directions)]));
    }
    Some((cloud, how))
}

#[component]
fn Choices(plot: Plot) -> impl IntoView {
    let page = page();
    let look = page.part(move |state| state.geometry.look(plot));
    let choose = move |look: Look| page.dispatch(Action::Geometry(Do::LookChosen(plot, look)));
    let sided = move |event| {
        let side = if event_target_value(&event) == "after" { Side::After } else { Side::Before };
        choose(Look { side, ..look.get_untracked() });
    };
    let pooled = move |event| {
        let look = look.get_untracked();
        let pooling = Pooling::from_name(&event_target_value(&event)).unwrap_or(look.pooling);
        choose(Look { pooling, ..look });
    };
    let layered = move |event| {
        let layer = event_target_value(&event).parse().ok();
        choose(Look { layer, ..look.get_untracked() });
    };
    let treated = move |event| {
        let place: usize = event_target_value(&event).parse().unwrap_or_default();
        let treatment = TREATMENTS.get(place).copied().unwrap_or_default();
        choose(Look { treatment, ..look.get_untracked() });
    };
    let held = page.part(move |state| {
        let figure = state.geometry.figure(plot);
        (figure.measured.is_some(), figure.held.clone())
    });
    let hold = move || {
        let (is_measured, held) = held.get();
        let is_held = held.is_some();
        is_measured.then(|| {
            view! {
                <button
                    class="plain"
                    aria-pressed=is_held.to_string()
                    title=page.words(Text::HoldHow)
                    on:click=move |_| page.dispatch(Action::Geometry(Do::Held(plot, !is_held)))
                >
                    {page.words(if is_held { Text::Release } else { Text::Hold })}
                </button>
            }
        })
    };
    let held_note = move || {
        let name = held.get().1?;
        let note = page.filled(Text::HeldNote, &[("model", &name)]);
        Some(view! { <p class="note geometry-held">{note}</p> })
    };
    let swap = (plot == Plot::B).then(|| {
        let swap = move |_| page.dispatch(Action::Geometry(Do::Swapped));
        view! { <button class="plain" on:click=swap>{page.text(Text::Swap)}</button> }
    });
    view! {
        <div class="geometry-choices">
            <h2>{page.text(plot_name(plot))}</h2>
            <label class="choice">
                <span>{page.text(Text::Weights)}</span>
                <select on:change=sided>
                    {[Side::Before, Side::After].map(|side| view! {
                        <option value=side_class(side) prop:selected=move || look.get().side == side>
                            {move || page.side(side)}
                        </option>
                    }).collect_view()}
                </select>
            </label>
            <label class="choice">
                <span>{page.text(Text::Readout)}</span>
                <select on:change=pooled><Poolings look/></select>
            </label>
            <label class="choice">
                <span>{page.text(Text::Layer)}</span>
                <select on:change=layered><Layers look/></select>
            </label>
            <label class="choice">
                <span>{page.text(Text::Treatment)}</span>
                <select on:change=treated>
                    {TREATMENTS.into_iter().enumerate().map(|(place, treatment)| view! {
                        <option
                            value=place.to_string()
                            prop:selected=move || look.get().treatment == treatment
                        >
                            {move || treatment_words(page, treatment)}
                        </option>
                    }).collect_view()}
                </select>
            </label>
            {hold}
            {swap}
        </div>
        {held_note}
    }
}

#[component]
fn Poolings(look: Memo<Look>) -> impl IntoView {
    let page = page();
    let has_mlp = page.part(|state| state.adapters.has_mlp());
    move || {
        let mut all = vec![Pooling::Cls, Pooling::Mean, Pooling::FirstLast];
        // What is chosen stays on show, though it may fail.
        let with_mlp = has_mlp.get() || look.get().pooling == Pooling::ClsMlp;
        all.extend(with_mlp.then_some(Pooling::ClsMlp));
        let options = all.into_iter().map(|pooling| {
            view! {
                <option value=pooling.name() prop:selected=move || look.get().pooling == pooling>
                    {page.words(pooling_name(pooling))}
                </option>
            }
        });
        options.collect_view()
    }
}

#[component]
fn Layers(look: Memo<Look>) -> impl IntoView {
    let page = page();
    let count = page.part(move |state| state.layers_of(look.get().side));
    move || layer_options(page, count.get(), count.get(), move |layer| look.get().layer == layer)
}

/// What a card says under its sphere while there is nothing to see, or something is on its way.
#[derive(Clone, PartialEq)]
enum Standing {
    Measured,
    Waiting,
    NoAdapter,
    Working(Job),
    Failed(Failure),
}

fn standing(state: &State, plot: Plot) -> Standing {
    let figure = state.geometry.figure(plot);
    let lacks_adapter = state.adapters.attached.is_none() && state.adapters.arriving.is_none();
    if let Some(job) = &figure.job {
        Standing::Working(job.clone())
    } else if let Some(failure) = figure.failure() {
        Standing::Failed(failure.clone())
    } else if figure.measured.is_some() || !state.geometry.corpus.is_enough() {
        Standing::Measured
    } else if state.model.is_some()
        && state.geometry.look(plot).side == Side::After
        && lacks_adapter
    {
        Standing::NoAdapter
    } else {
        Standing::Waiting
    }
}

#[component]
fn Status(plot: Plot) -> impl IntoView {
    let page = page();
    let standing = page.part(move |state| standing(state, plot));
    let again = move |text: Text| {
        let resume = move |_| page.dispatch(Action::Geometry(Do::Resumed(plot)));
        view! { <button class="plain" on:click=resume>{page.words(text)}</button> }
    };
    move || match standing.get() {
        Standing::Measured => ().into_any(),
        Standing::Waiting => view! { <p class="note">{page.words(Text::Waiting)}</p> }.into_any(),
        Standing::NoAdapter => view! {
            <p class="note">
                {page.words(Text::NoAdapter)} " "
                <a href="#/models">{page.words(Text::GoToModels)}</a>
            </p>
        }
        .into_any(),
        Standing::Working(job) => working(page, plot, &job).into_any(),
        Standing::Failed(Failure::Stopped) => view! {
            <div class="note">{page.words(Text::Stopped)} " " {again(Text::Resume)}</div>
        }
        .into_any(),
        Standing::Failed(Failure::Problem(problem)) => {
            let told = explain(&problem, page.language());
            view! {
                <div class="error" role="alert">
                    {told.happened} " " {told.remedy} " " {again(Text::Again)}
                </div>
            }
            .into_any()
        }
    }
}

fn working(page: Page, plot: Plot, job: &Job) -> impl IntoView + use<> {
    let (done, total) = (grouped(u64::from(job.done)), grouped(u64::from(job.total)));
    let rest = f64::from(job.total.saturating_sub(job.done));
    let left_s = (job.done > 0).then(|| rest * job.elapsed_ms / f64::from(job.done) / 1e3);
    let words = match left_s.filter(|left| *left > 1.0) {
        Some(left) => {
            let left = duration(left, page.language());
            page.filled(Text::MeasuringLeft, &[("done", &done), ("total", &total), ("left", &left)])
        }
        None => page.filled(Text::Measuring, &[("done", &done), ("total", &total)]),
    };
    let stop = move |_| page.dispatch(Action::Geometry(Do::Stopped(plot)));
    view! {
        <div class="geometry-working">
            <progress max=job.total.max(1).to_string() value=job.done.to_string()></progress>
            <span class="quiet numbers">{words}</span>
            <button class="plain" on:click=stop>{page.words(Text::Stop)}</button>
        </div>
    }
}
