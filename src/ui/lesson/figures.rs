//! What several figures of the lesson share: clouds, their numbers, why one is missing.

use leptos::prelude::*;

use crate::browser::page_scope;
use crate::catalogue::lesson::LessonText as Text;
use crate::catalogue::lesson_sentences::{OF_A_SUBJECT, SENTENCES};
use crate::catalogue::numbers::decimals;
use crate::catalogue::problems::explain;
use crate::chart::histogram::{Histogram, histogram};
use crate::chart::ramp::Palette;
use crate::chart::sphere::{Mark, Tone};
use crate::protocol::problem::Problem;
use crate::protocol::training::Shape;
use crate::state::action::Action;
use crate::state::app::State;
use crate::state::fine_tune::FineTuneAction;
use crate::state::lesson::Cloud;
use crate::state::lesson::update::unused_run;
use crate::ui::page::{Page, page};
use crate::ui::parts::Chart;
use crate::ui::sphere::{CloudView, SphereView, Turning};

/// A cloud's name.
pub fn cloud_name(cloud: Cloud) -> Text {
    match cloud {
        Cloud::Before => Text::Before,
        Cloud::After => Text::After,
        Cloud::Whitened => Text::Whitened,
    }
}

fn tone(cloud: Cloud) -> Tone {
    match cloud {
        Cloud::Before => Tone::Before,
        Cloud::After => Tone::After,
        Cloud::Whitened => Tone::Other,
    }
}

/// A cloud's shape in words, for those who do not see it.
pub fn shape_words(page: Page, which: Text, shape: &Shape) -> String {
    let (n, mean) = (shape.sentences.to_string(), two(shape.mean_cosine));
    let uniformity = two(shape.uniformity);
    let places = [
        ("n", n.as_str()),
        ("which", page.words(which)),
        ("mean", &mean),
        ("uniformity", &uniformity),
    ];
    page.filled(Text::SphereWords, &places)
}

/// Two decimals.
pub fn two(value: f64) -> String {
    decimals(value, 2)
}

fn cloud_view(page: Page, state: &State, cloud: Cloud, rays: bool) -> Option<CloudView> {
    let shape = &state.lesson.measured(cloud)?.shape;
    let own = SENTENCES.len();
    let mut marks =
        vec![Mark { place: own, label: page.words(Text::Yours).to_owned(), arrow: true }];
    if let Some(subject) = state.lesson.subject {
        let ring = |place| Mark { place, label: String::new(), arrow: false };
        marks.extend((subject * OF_A_SUBJECT..(subject + 1) * OF_A_SUBJECT).map(ring));
    }
    let names = SENTENCES.iter().map(|&text| text.to_owned());
    Some(CloudView {
        points: shape.sphere.clone(),
        tone: tone(cloud),
        rays,
        marks,
        names: names.chain([state.lesson.own.clone()]).collect(),
        description: shape_words(page, cloud_name(cloud), shape),
    })
}

/// Why a cloud is not there.
#[derive(Debug, Clone, PartialEq)]
enum Missing {
    Model,
    Adapter,
    Soon,
    Problem(Problem),
}

fn missing(state: &State, cloud: Cloud) -> Option<Missing> {
    let figure = state.lesson.figure(cloud);
    if figure.measured.is_some() {
        return None;
    }
    if let Some(problem) = figure.problem() {
        return Some(Missing::Problem(problem.clone()));
    }
    if !state.can_compute() {
        return Some(Missing::Model);
    }
    let no_adapter = cloud == Cloud::After && state.adapters.adapter().is_none();
    Some(if no_adapter { Missing::Adapter } else { Missing::Soon })
}

fn missing_words(page: Page, missing: &Missing) -> String {
    match missing {
        Missing::Model => page.words(Text::NeedsModel).to_owned(),
        Missing::Adapter => page.words(Text::NeedsAdapter).to_owned(),
        Missing::Soon => page.words(Text::Waiting).to_owned(),
        Missing::Problem(problem) => {
            let words = explain(problem, page.language());
            format!("{} {}", words.happened, words.remedy)
        }
    }
}

/// A cloud with its name and numbers, or why it is not there.
#[component]
pub fn CloudFigure(
    cloud: Cloud,
    turning: Turning,
    #[prop(default = false)] rays: bool,
    #[prop(default = 460.0)] most: f64,
) -> impl IntoView {
    let page = page();
    let view = page.part(move |state| cloud_view(page, state, cloud, rays));
    let missing = page.part(move |state| missing(state, cloud));
    let numbers = page.part(move |state| {
        let shape = &state.lesson.measured(cloud)?.shape;
        Some((two(shape.mean_cosine), two(shape.uniformity)))
    });
    let class = match cloud {
        Cloud::Before => "cloud before",
        Cloud::After => "cloud after",
        Cloud::Whitened => "cloud whitened",
    };
    let body = move || match missing.get() {
        Some(missing) => view! { <p class="note">{missing_words(page, &missing)}</p> }.into_any(),
        None => view! {
            <SphereView cloud=view.into() turning most/>
            <p class="cloud-numbers numbers">
                {move || numbers.get().map(|(mean, uniformity)| view! {
                    <span>{page.words(Text::MeanCosine)} " " <b>{mean}</b></span>
                    <span>{page.words(Text::Uniformity)} " " <b>{uniformity}</b></span>
                })}
            </p>
        }
        .into_any(),
    };
    view! {
        <div class=class>
            <h3>{page.text(cloud_name(cloud))}</h3>
            {body}
        </div>
    }
}

/// Which sentences the numbers of the lesson's clouds come from.
#[component]
pub fn LessonSet() -> impl IntoView {
    let page = page();
    let n = SENTENCES.len().to_string();
    view! {
        <p class="quiet measured-on">{move || page.filled(Text::SetLesson, &[("n", &n)])}</p>
    }
}

/// Whose vectors "after" shows; the way to the run just made, where that is another.
#[component]
pub fn AfterWhose() -> impl IntoView {
    let page = page();
    let adapter = page.part(|state| state.adapters.adapter().map(|adapter| adapter.name.clone()));
    let named = move || {
        adapter.get().map(|name| {
            view! {
                <p class="quiet after-whose" tabindex="-1">{page.filled(Text::SphereAdapter, &[("name", &name)])}</p>
            }
        })
    };
    let unused = page.part(unused_run);
    let was_pressed = StoredValue::new(false);
    Effect::new(move |_| {
        if unused.get().is_none() && was_pressed.get_value() {
            was_pressed.set_value(false);
            page_scope::keep_focus(".after-whose");
        }
    });
    let other = move || {
        unused.get().map(|step| {
            let (step, using) = (step.to_string(), page.words(Text::TrainUse));
            let act = move |_| {
                was_pressed.set_value(true);
                page.dispatch(Action::FineTune(FineTuneAction::Used));
            };
            view! {
                <div class="note not-yours">
                    <p>{page.filled(Text::SphereNotYours, &[("step", &step), ("use", using)])}</p>
                    <button class="plain" on:click=act>{using}</button>
                </div>
            }
        })
    };
    view! {
        {named}
        {other}
    }
}

/// Cosines of all pairs before, and after where that is asked for and there.
#[component]
pub fn Cosines(with_after: bool) -> impl IntoView {
    let page = page();
    let shapes = page.part(move |state| {
        let shape = |cloud| {
            let shape = &state.lesson.measured(cloud)?.shape;
            Some((shape.sentences, shape.histogram.clone(), shape.mean_cosine))
        };
        (shape(Cloud::Before), with_after.then(|| shape(Cloud::After)).flatten())
    });
    let title = if with_after { Text::SphereHistogram } else { Text::ConeHistogram };
    let draw = move |width: f64, palette: &Palette| {
        let (before, after) = shapes.get();
        let (count, before, mean) = before?;
        let (_, now, after_mean) = after.clone().unwrap_or_default();
        let after_words = after.map_or_else(|| "–".to_owned(), |_| two(after_mean));
        let label = |text: Text, mean: &str| {
            format!("{}: {} {mean}", page.words(text), page.words(Text::MeanCosine))
        };
        let places = [("n", count.to_string()), ("before", two(mean)), ("after", after_words)];
        let places = places.each_ref().map(|(name, value)| (*name, value.as_str()));
        let data = Histogram {
            before: &before,
            now: &now,
            before_label: label(Text::Before, &two(mean)),
            now_label: label(Text::After, &two(after_mean)),
            cosine_label: page.words(Text::CosineAxis).to_owned(),
            share_label: page.words(Text::PairsAxis).to_owned(),
            description: page.filled(Text::HistogramWords, &places),
        };
        Some(histogram(&data, width, palette))
    };
    view! {
        <div class="cosines">
            <h3>{page.text(title)}</h3>
            <Chart draw=draw/>
        </div>
    }
}
