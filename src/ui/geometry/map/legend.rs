//! What the colours are; a group's entry selects its sentences.

use leptos::prelude::*;

use crate::catalogue::map::MapText as Text;
use crate::catalogue::numbers::{decimals, grouped};
use crate::chart::ramp::{Palette, css};
use crate::chart::scene::fit;
use crate::state::geometry::Plot;
use crate::state::geometry::map::MapAction;
use crate::state::geometry::map::paint::Group;
use crate::state::geometry::map::settings::Colouring;
use crate::ui::geometry::look::plot_name;
use crate::ui::geometry::map::stage::{Stage, group_colour};

/// Entries that are shown at most.
const MOST: usize = 20;
/// Pieces of the ramp.
const PIECES: u32 = 24;
/// Size and widest text of an entry, in pixels.
const SIZE: f64 = 14.0;
const WIDEST: f64 = 260.0;

/// The legend.
#[component]
pub fn Legend(stage: Stage) -> impl IntoView {
    move || match stage.colouring.get() {
        Colouring::Plain => view! { <PlainLegend stage/> }.into_any(),
        Colouring::Topic | Colouring::Cluster => view! { <Groups stage/> }.into_any(),
        Colouring::Query => view! { <Ramp stage/> }.into_any(),
    }
}

fn swatch(colour: String) -> impl IntoView {
    view! {
        <svg class="map-swatch" viewBox="0 0 12 12" aria-hidden="true">
            <circle cx="6" cy="6" r="5" fill=colour></circle>
        </svg>
    }
}

#[component]
fn PlainLegend(stage: Stage) -> impl IntoView {
    let page = stage.page;
    let entry = move |plot: Plot, colour: fn(&Palette) -> &'static str| {
        view! {
            <span class="map-key">
                {move || swatch(colour(&page.palette()).to_owned())} {page.text(plot_name(plot))}
            </span>
        }
    };
    view! {
        <div class="map-legend">
            {entry(Plot::A, |palette| palette.before)} {entry(Plot::B, |palette| palette.after)}
        </div>
    }
}

#[component]
fn Groups(stage: Stage) -> impl IntoView {
    let page = stage.page;
    let waits = page.part(|state| {
        state.geometry.colouring() == Colouring::Cluster && state.geometry.clusters().is_none()
    });
    let entries = move || {
        let palette = page.palette();
        let groups = stage.groups.get();
        let others = groups.iter().filter(|group| group.colour == 0).count();
        let entries = groups.into_iter().take(MOST).map(|group| entry(stage, group, &palette));
        let others = (others > 0).then(|| {
            let words = page.filled(Text::OtherGroups, &[("n", &others.to_string())]);
            view! { <p class="quiet">{words}</p> }
        });
        (entries.collect_view(), others)
    };
    view! {
        <div class="map-legend">
            {move || waits.get().then(|| view! { <span class="quiet">{page.words(Text::ClustersComing)}</span> })}
            {entries}
        </div>
    }
}

fn entry(stage: Stage, group: Group, palette: &Palette) -> impl IntoView + use<> {
    let page = stage.page;
    let (number, count) = (group.number, grouped(u64::from(group.count)));
    let label = page.filled(Text::SelectGroup, &[("n", &count), ("name", &group.name)]);
    let colour = css(group_colour(&group, palette));
    let select = move |event: leptos::ev::MouseEvent| {
        stage.act(MapAction::GroupSelected { group: number, added: event.shift_key() });
    };
    view! {
        <button class="map-key" aria-label=label.clone() title=label on:click=select>
            {swatch(colour)}
            <span>{fit(&group.name, SIZE, WIDEST)}</span>
            <span class="quiet numbers">{count}</span>
        </button>
    }
}

#[component]
fn Ramp(stage: Stage) -> impl IntoView {
    let page = stage.page;
    let unrelated = page.part(|state| state.geometry.unrelated());
    let pieces = move || {
        let palette = page.palette();
        let piece = |place: u32| {
            let colour = css(palette.similar(f64::from(place) / f64::from(PIECES - 1)));
            view! { <rect x=(place * 8).to_string() y="0" width="8.5" height="12" fill=colour></rect> }
        };
        (0..PIECES).map(piece).collect_view()
    };
    let low = move || page.filled(Text::RampLow, &[("cosine", &decimals(unrelated.get(), 2))]);
    view! {
        <div class="map-legend map-ramp">
            <span class="quiet numbers">{low}</span>
            <svg viewBox="0 0 192 12" width="192" height="12" aria-hidden="true">{pieces}</svg>
            <span class="quiet numbers">{page.text(Text::RampHigh)}</span>
        </div>
    }
}
