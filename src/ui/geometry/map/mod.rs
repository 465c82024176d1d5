//! The map of the sentences: its picture, how it is made, what it shows, and what is found on it.

mod canvas;
mod controls;
mod files;
mod legend;
mod lists;
mod stage;
mod status;
mod words;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent};

use crate::browser::page_scope;
use crate::catalogue::map::MapText as Text;
use crate::state::geometry::Plot;
use crate::state::geometry::map::MapAction;
use crate::ui::figure::Figure;
use crate::ui::geometry::look::plot_name;
use crate::ui::geometry::map::canvas::Canvas;
use crate::ui::geometry::map::controls::{Controls, Warnings};
use crate::ui::geometry::map::files::MapFiles;
use crate::ui::geometry::map::legend::Legend;
use crate::ui::geometry::map::lists::Lists;
use crate::ui::geometry::map::stage::Stage;
use crate::ui::geometry::map::status::Status;
use crate::ui::geometry::map::words::Told;
use crate::ui::page::page;

/// How much nearer a button brings.
const NEARER: f64 = 1.5;

/// The map.
#[component]
pub fn Map() -> impl IntoView {
    let page = page();
    let stage = Stage::new();
    let files = MapFiles { stage, told: Told::of(page) };
    let how = Signal::derive(move || page.words(Text::How).to_owned());
    // From the lists, too; in a field the key is the field's own.
    let keyed = move |event: KeyboardEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let is_field = target.is_some_and(|it| ["INPUT", "SELECT"].contains(&&*it.tag_name()));
        if event.key() == "Escape" && !is_field {
            stage.is_lassoing.set(false);
            stage.act(MapAction::Cleared);
            page_scope::keep_focus(".map-stage");
        }
    };
    view! {
        <div class="map" on:keydown=keyed>
            <Figure title=Text::Title how=how name="simcse-geometry-map" files>
                <Controls stage/>
                <div class="map-columns">
                    <div class="map-picture">
                        <Canvas stage/>
                        <Tools stage/>
                        <Slider stage/>
                        <Legend stage/>
                        <Status stage/>
                        <Warnings stage/>
                    </div>
                    <Lists stage/>
                </div>
            </Figure>
        </div>
    }
}

/// Buttons over the picture.
#[component]
fn Tools(stage: Stage) -> impl IntoView {
    let page = stage.page;
    let tool = move |text: Text, sign: &'static str, run: fn(Stage)| {
        view! {
            <button
                class="plain"
                aria-label=page.text(text)
                title=page.text(text)
                on:click=move |_| run(stage)
            >
                {sign}
            </button>
        }
    };
    let lasso = move |_| stage.is_lassoing.update(|is_lassoing| *is_lassoing = !*is_lassoing);
    view! {
        <div class="map-tools">
            {tool(Text::ZoomIn, "+", |stage| stage.zoom_middle(NEARER))}
            {tool(Text::ZoomOut, "−", |stage| stage.zoom_middle(1.0 / NEARER))}
            {tool(Text::ZoomFit, "⤢", Stage::fit)}
            <button
                class="plain map-lasso"
                aria-pressed=move || stage.is_lassoing.get().to_string()
                on:click=lasso
            >
                {page.text(Text::Lasso)}
            </button>
        </div>
    }
}

/// From A to B and back.
#[component]
fn Slider(stage: Stage) -> impl IntoView {
    let page = stage.page;
    let has_both = Memo::new(move |_| stage.has_both());
    let percent = Memo::new(move |_| (100.0 * stage.share.get()).round() as i32);
    let parsed = |event: &leptos::ev::Event| {
        event_target_value(event).parse::<f64>().ok().map(|percent| percent / 100.0)
    };
    let slid = move |event| {
        if let Some(share) = parsed(&event) {
            stage.slide(share);
        }
    };
    let rested = move |event| {
        if let Some(share) = parsed(&event) {
            stage.act(MapAction::Slid(share));
        }
    };
    let onto = Memo::new(move |_| if stage.share.get() < 0.5 { 1.0 } else { 0.0 });
    let play = move || page.words(if onto.get() > 0.5 { Text::PlayToB } else { Text::PlayToA });
    let value = move || page.filled(Text::ShownBetween, &[("share", &percent.get().to_string())]);
    move || {
        has_both.get().then(|| view! {
            <div class="map-slider">
                <button class="plain map-play" on:click=move |_| stage.play(onto.get_untracked())>
                    {play}
                </button>
                <span class="before">{page.text(plot_name(Plot::A))}</span>
                <input
                    type="range" min="0" max="100" step="1"
                    aria-label=page.text(Text::Slider)
                    aria-valuetext=value
                    prop:value=move || percent.get().to_string()
                    on:input=slid
                    on:change=rested
                />
                <span class="after">{page.text(plot_name(Plot::B))}</span>
            </div>
        })
    }
}
