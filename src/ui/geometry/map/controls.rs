//! How the map is made, what its colours say, and the query.

use leptos::prelude::*;

use crate::catalogue::map::MapText as Text;
use crate::protocol::lab::Method;
use crate::state::geometry::map::MapAction;
use crate::state::geometry::map::settings::{
    CLUSTERS, Colouring, EPOCHS, Kind, LEAST_DISTANCE, NEIGHBOURS, PERPLEXITY, STEPS, Settings,
};
use crate::ui::geometry::map::stage::Stage;
use crate::ui::geometry::map::words::{kind_name, short};

/// Lets the visitor change one of the settings.
fn choose(stage: Stage, change: impl FnOnce(&mut Settings)) {
    let mut settings = stage.page.now(|state| state.geometry.map.settings);
    change(&mut settings);
    stage.act(MapAction::Chosen(settings));
}

fn kind_how(kind: Kind) -> Text {
    match kind {
        Kind::Pca => Text::PcaHow,
        Kind::Tsne => Text::TsneHow,
        Kind::Umap => Text::UmapHow,
    }
}

fn colouring_name(colouring: Colouring) -> Text {
    match colouring {
        Colouring::Plain => Text::ColourPlain,
        Colouring::Topic => Text::ColourTopic,
        Colouring::Cluster => Text::ColourCluster,
        Colouring::Query => Text::ColourQuery,
    }
}

/// Method, colours, query.
#[component]
pub fn Controls(stage: Stage) -> impl IntoView {
    let page = stage.page;
    let kind = page.part(|state| state.geometry.map.settings.kind);
    let chosen = move |event| {
        let value = event_target_value(&event);
        if let Some(kind) = Kind::ALL.into_iter().find(|kind| kind_name(*kind) == value) {
            // Another map is seen as a whole first.
            stage.fit();
            choose(stage, |settings| settings.kind = kind);
        }
    };
    let options = Kind::ALL.map(|this| {
        view! {
            <option value=kind_name(this) prop:selected=move || kind.get() == this>
                {kind_name(this)}
            </option>
        }
    });
    view! {
        <div class="map-controls">
            <label class="choice">
                <span>{page.text(Text::Method)}</span>
                <select class="map-method" on:change=chosen>{options.collect_view()}</select>
            </label>
            <Colours stage/>
            <Query stage/>
        </div>
        <p class="quiet">{move || page.words(kind_how(kind.get()))}</p>
        {move || (kind.get() != Kind::Pca).then(|| view! { <Parameters stage kind=kind.get()/> })}
    }
}

/// A number that the visitor may change, with what it does to the picture.
#[component]
fn Number(
    label: Text,
    how: Text,
    value: Signal<String>,
    range: (String, String),
    step: &'static str,
    chosen: impl Fn(&str) + Copy + Send + Sync + 'static,
    stage: Stage,
) -> impl IntoView {
    let page = stage.page;
    let (least, most) = range;
    let changed = move |event| chosen(&event_target_value(&event));
    view! {
        <label class="map-number">
            <span>{page.text(label)}</span>
            <input
                type="number"
                min=least
                max=most
                step=step
                prop:value=move || value.get()
                placeholder=page.text(Text::Usual)
                on:change=changed
            />
            <small class="quiet">{page.text(how)}</small>
        </label>
    }
}

/// The method's parameters, folded away until they are wanted.
#[component]
fn Parameters(stage: Stage, kind: Kind) -> impl IntoView {
    let page = stage.page;
    let settings = page.part(|state| state.geometry.map.settings);
    let of = move |part: fn(&Settings) -> String| Signal::derive(move || settings.with(part));
    let range = |low: f64, high: f64| (low.to_string(), high.to_string());
    let numbers = match kind {
        Kind::Pca => ().into_any(),
        Kind::Tsne => view! {
            <Number
                stage label=Text::Perplexity how=Text::PerplexityHow step="any"
                value=of(|it| short(it.perplexity))
                range=range(f64::from(PERPLEXITY.0), f64::from(PERPLEXITY.1))
                chosen=move |text: &str| with(text, |value| choose(stage, |it| it.perplexity = value))
            />
            <Number
                stage label=Text::Steps how=Text::StepsHow step="50"
                value=of(|it| it.steps.to_string())
                range=range(f64::from(STEPS.0), f64::from(STEPS.1))
                chosen=move |text: &str| with(text, |value| choose(stage, |it| it.steps = value))
            />
        }
        .into_any(),
        Kind::Umap => view! {
            <Number
                stage label=Text::Neighbours how=Text::NeighboursHow step="1"
                value=of(|it| it.neighbours.to_string())
                range=range(f64::from(NEIGHBOURS.0), f64::from(NEIGHBOURS.1))
                chosen=move |text: &str| with(text, |value| choose(stage, |it| it.neighbours = value))
            />
            <Number
                stage label=Text::LeastDistance how=Text::LeastDistanceHow step="any"
                value=of(|it| short(it.least_distance))
                range=(LEAST_DISTANCE.0.to_string(), LEAST_DISTANCE.1.to_string())
                chosen=move |text: &str| with(text, |value| choose(stage, |it| it.least_distance = value))
            />
            <Number
                stage label=Text::Epochs how=Text::EpochsHow step="50"
                value=of(|it| it.epochs.map_or_else(String::new, |epochs| epochs.to_string()))
                range=range(f64::from(EPOCHS.0), f64::from(EPOCHS.1))
                chosen=move |text: &str| {
                    let epochs = text.parse().ok();
                    choose(stage, |it| it.epochs = epochs);
                }
            />
        }
        .into_any(),
    };
    view! {
        <details class="map-parameters">
            <summary>{page.text(Text::Parameters)}</summary>
            <div class="map-numbers">
                {numbers}
                <Number
                    stage label=Text::Seed how=Text::SeedHow step="1"
                    value=of(|it| it.seed.to_string())
                    range=(0.to_string(), u32::MAX.to_string())
                    chosen=move |text: &str| with(text, |value| choose(stage, |it| it.seed = value))
                />
                <button class="plain" on:click=move |_| stage.act(MapAction::Reseeded)>
                    {page.text(Text::NewSeed)}
                </button>
            </div>
            <Fitted stage/>
        </details>
    }
}

/// What is typed, if it is such a number.
fn with<T: std::str::FromStr>(text: &str, chosen: impl FnOnce(T)) {
    if let Ok(value) = text.trim().parse() {
        chosen(value);
    }
}

/// Says where there are too few sentences for what was chosen.
#[component]
fn Fitted(stage: Stage) -> impl IntoView {
    let page = stage.page;
    let fitted = page.part(|state| {
        let sentences = state.geometry.corpus.sentences.len();
        let settings = &state.geometry.map.settings;
        let value = match settings.method(sentences) {
            Method::Tsne { perplexity, .. } if perplexity < settings.perplexity => {
                short(perplexity)
            }
            Method::Umap { neighbours, .. } if neighbours < settings.neighbours => {
                neighbours.to_string()
            }
            _ => return None,
        };
        Some((sentences.to_string(), value))
    });
    move || {
        fitted.get().map(|(n, value)| {
            let words = page.filled(Text::Fitted, &[("n", &n), ("value", &value)]);
            view! { <p class="quiet">{words}</p> }
        })
    }
}

/// What colours say.
#[component]
fn Colours(stage: Stage) -> impl IntoView {
    let page = stage.page;
    let possible = page.part(|state| {
        let geometry = &state.geometry;
        (geometry.has_topics(), !geometry.map.query.text.trim().is_empty())
    });
    let options = move || {
        let (has_topics, has_query) = possible.get();
        let all = Colouring::ALL.into_iter().filter(|colouring| match colouring {
            Colouring::Topic => has_topics,
            Colouring::Query => has_query,
            Colouring::Plain | Colouring::Cluster => true,
        });
        let options = all.map(|this| {
            view! {
                <option
                    value=format!("{this:?}")
                    prop:selected=move || stage.colouring.get() == this
                >
                    {page.text(colouring_name(this))}
                </option>
            }
        });
        options.collect_view()
    };
    let chosen = move |event| {
        let value = event_target_value(&event);
        let colouring = Colouring::ALL.into_iter().find(|it| format!("{it:?}") == value);
        choose(stage, |settings| settings.colouring = colouring);
    };
    let count = page.part(|state| state.geometry.map.settings.clusters);
    let counted = move |event| {
        with(&event_target_value(&event), |count| choose(stage, |it| it.clusters = count));
    };
    let clusters = move || {
        (stage.colouring.get() == Colouring::Cluster).then(|| {
            view! {
                <label class="choice" title=page.text(Text::ClusterCountHow)>
                    <span>{page.text(Text::ClusterCount)}</span>
                    <input
                        class="map-count"
                        type="number"
                        min=CLUSTERS.0.to_string()
                        max=CLUSTERS.1.to_string()
                        prop:value=move || count.get().to_string()
                        on:change=counted
                    />
                </label>
            }
        })
    };
    view! {
        <label class="choice">
            <span>{page.text(Text::Colour)}</span>
            <select class="map-colour" on:change=chosen>{options}</select>
        </label>
        {clusters}
    }
}

/// The field for what is looked for.
#[component]
fn Query(stage: Stage) -> impl IntoView {
    let page = stage.page;
    let text = page.part(|state| state.geometry.map.query.text.clone());
    view! {
        <label class="choice map-query">
            <span>{page.text(Text::QueryLabel)}</span>
            <input
                type="search"
                dir="auto"
                placeholder=page.text(Text::QueryPlaceholder)
                prop:value=move || text.get()
                on:input=move |event| stage.act(MapAction::QueryTyped(event_target_value(&event)))
            />
        </label>
    }
}

/// Whether false neighbours are warned of.
#[component]
pub fn Warnings(stage: Stage) -> impl IntoView {
    let page = stage.page;
    let is_on = page.part(|state| state.geometry.map.settings.warnings);
    let changed = move |event| {
        let is_on = event_target_checked(&event);
        choose(stage, |settings| settings.warnings = is_on);
    };
    view! {
        <label class="map-check">
            <input type="checkbox" prop:checked=move || is_on.get() on:change=changed/>
            {page.text(Text::Warnings)}
        </label>
    }
}
