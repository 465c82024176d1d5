//! How far the maps are, and how far they can be believed.

use leptos::prelude::*;

use crate::catalogue::map::MapText as Text;
use crate::catalogue::numbers::{decimals, duration, grouped};
use crate::catalogue::problems::explain;
use crate::protocol::lab::{MapQuality, MapStage, Method};
use crate::state::app::State;
use crate::state::geometry::Plot;
use crate::state::geometry::map::{Job, MapAction, Trouble};
use crate::ui::geometry::look::plot_name;
use crate::ui::geometry::map::stage::Stage;
use crate::ui::page::Page;

/// What is said of one of the two.
#[derive(Debug, Clone, PartialEq)]
struct Standing {
    job: Option<Job>,
    trouble: Option<Trouble>,
    is_old: bool,
    quality: Option<MapQuality>,
    /// Warned of.
    warned: u32,
    has_map: bool,
    sentences: usize,
}

fn standing(state: &State, plot: Plot) -> Standing {
    let geometry = &state.geometry;
    let drawing = geometry.drawing(plot);
    let points = drawing.points.as_ref();
    Standing {
        job: drawing.job.clone(),
        trouble: drawing.trouble().cloned(),
        is_old: geometry.is_old(plot),
        quality: points.and_then(|points| points.quality),
        warned: points.map_or(0, |points| points.warned),
        has_map: points.is_some(),
        sentences: geometry.corpus.sentences.len(),
    }
}

/// Progress, troubles, quality of both.
#[component]
pub fn Status(stage: Stage) -> impl IntoView {
    let page = stage.page;
    let standings = Plot::ALL.map(|plot| page.part(move |state| standing(state, plot)));
    let is_empty = Memo::new(move |_| {
        standings.iter().all(|it| it.with(|it| !it.has_map && it.job.is_none()))
    });
    let waiting =
        move || is_empty.get().then(|| view! { <p class="note">{page.words(Text::Waiting)}</p> });
    let is_working = Memo::new(move |_| standings.iter().any(|it| it.with(|it| it.job.is_some())));
    let stop = move || {
        is_working.get().then(|| {
            view! {
                <button class="plain map-stop" on:click=move |_| stage.act(MapAction::Stopped)>
                    {page.words(Text::Stop)}
                </button>
            }
        })
    };
    let lines = Plot::ALL.into_iter().zip(standings).map(move |(plot, standing)| {
        view! { {move || line(stage, plot, &standing.get())} }
    });
    view! {
        <div class="map-status">
            {waiting}
            {lines.collect_view()}
            {stop}
            <Laid stage/>
            <HubRing stage/>
        </div>
    }
}

fn line(stage: Stage, plot: Plot, standing: &Standing) -> AnyView {
    let page = stage.page;
    if let Some(job) = &standing.job {
        return working(page, plot, job).into_any();
    }
    if let Some(trouble) = &standing.trouble {
        return troubled(stage, plot, trouble).into_any();
    }
    let Some(quality) = standing.quality else { return ().into_any() };
    let name = page.words(plot_name(plot));
    let mut told = vec![trust_words(page, name, &quality, standing)];
    if let Some([x, y]) = quality.explained {
        let share = |share: f32| decimals(100.0 * share, 0);
        let (x, y) = (share(x), share(y));
        let places = [("plot", name), ("x", &*x), ("y", &y)];
        told.insert(0, page.filled(Text::Explained, &places));
    }
    if standing.warned > 0 {
        let n = grouped(u64::from(standing.warned));
        told.push(page.filled(Text::Warned, &[("plot", name), ("n", &n)]));
    }
    if standing.is_old {
        told.push(page.filled(Text::OldMap, &[("plot", name)]));
    }
    view! {
        <p class="quiet numbers map-quality" title=page.words(Text::TrustHow)>{told.join(" ")}</p>
    }
    .into_any()
}

fn trust_words(page: Page, name: &str, quality: &MapQuality, standing: &Standing) -> String {
    let value = decimals(quality.trustworthiness, 2);
    let k = quality.neighbours.to_string();
    let judged = grouped(u64::from(quality.judged));
    let all = grouped(standing.sentences as u64);
    let n = if judged == all { all } else { format!("{judged} / {all}") };
    let places = [("plot", name), ("value", &*value), ("k", &k), ("n", &n)];
    page.filled(Text::Trust, &places)
}

fn working(page: Page, plot: Plot, job: &Job) -> impl IntoView + use<> {
    let text = match job.stage {
        MapStage::Neighbours => Text::StageNeighbours,
        MapStage::Moving => Text::StageMoving,
        MapStage::Judging => Text::StageJudging,
    };
    let (done, total) = (grouped(u64::from(job.done)), grouped(u64::from(job.total)));
    let places = [("plot", page.words(plot_name(plot))), ("done", &*done), ("total", &total)];
    let mut words = page.filled(text, &places);
    if let Some(left) = job.left_s().filter(|left| *left > 1.0) {
        let left = duration(left, page.language());
        words = page.filled(Text::Left, &[("words", &words), ("left", &left)]);
    }
    view! {
        <div class="geometry-working">
            <progress max=job.total.max(1).to_string() value=job.done.to_string()></progress>
            <span class="quiet numbers">{words}</span>
        </div>
    }
}

fn troubled(stage: Stage, plot: Plot, trouble: &Trouble) -> AnyView {
    let page = stage.page;
    let name = page.words(plot_name(plot));
    let again = move |text: Text| {
        view! {
            <button class="plain" on:click=move |_| stage.act(MapAction::Resumed)>
                {page.words(text)}
            </button>
        }
    };
    match trouble {
        Trouble::Stopped => {
            let words = page.filled(Text::Stopped, &[("plot", name)]);
            view! { <div class="note">{words} " " {again(Text::Resume)}</div> }.into_any()
        }
        Trouble::Problem(problem) => {
            let told = explain(problem, page.language());
            view! {
                <div class="error" role="alert">
                    {name} ": " {told.happened} " " {told.remedy} " " {again(Text::Again)}
                </div>
            }
            .into_any()
        }
    }
}

/// How B lies over A, and how trustworthiness is to be read.
#[component]
fn Laid(stage: Stage) -> impl IntoView {
    let page = stage.page;
    let known = page.part(|state| {
        let method = |plot| Some(state.geometry.drawing(plot).points.as_ref()?.of.method);
        let [a, b] = Plot::ALL.map(method);
        let is_known = a.or(b).is_some();
        (is_known, a.zip(b).map(|(a, b)| a == Method::Pca && b == Method::Pca))
    });
    move || {
        let (is_known, both) = known.get();
        let laid = both.map(|both_pca| {
            let scaled = if both_pca { "" } else { page.words(Text::LaidScaled) };
            page.filled(Text::Laid, &[("scaled", scaled)])
        });
        is_known.then(|| {
            view! {
                <p class="quiet">{page.words(Text::TrustHow)} " " {laid}</p>
            }
        })
    }
}

/// What the dark ring is.
#[component]
fn HubRing(stage: Stage) -> impl IntoView {
    let page = stage.page;
    let hub = page.part(|state| {
        let geometry = &state.geometry;
        let figure = geometry.figure(geometry.shown());
        let hubness = figure.measured.as_ref()?.findings.hubness?;
        let text = geometry.corpus.sentences.get(geometry.hub()? as usize)?.clone();
        Some((text, hubness.named, hubness.neighbours))
    });
    move || {
        hub.get().map(|(text, named, neighbours)| {
            let (n, k) = (grouped(u64::from(named)), neighbours.to_string());
            let words = page.filled(Text::HubRing, &[("text", &text), ("n", &n), ("k", &k)]);
            view! { <p class="quiet">{words}</p> }
        })
    }
}
