//! The geometry view: a corpus, two ways to look at its vectors, and what is measured of each.

mod columns;
mod corpus;
mod export;
mod figures;
mod layers;
mod look;
mod map;
mod numbers;

use leptos::prelude::*;

use crate::catalogue::geometry::GeometryText as Text;
use crate::state::geometry::Plot;
use crate::ui::geometry::corpus::{Sentences, take_file};
use crate::ui::geometry::export::TakeAlong;
use crate::ui::geometry::figures::Figures;
use crate::ui::geometry::look::LookCard;
use crate::ui::geometry::map::Map;
use crate::ui::geometry::numbers::Numbers;
use crate::ui::loading::LoadingBar;
use crate::ui::page::page;
use crate::ui::parts::DropZone;
use crate::ui::sphere::Turning;

/// The geometry view.
#[component]
pub fn Geometry() -> impl IntoView {
    let page = page();
    let turning = Turning::start();
    view! {
        <DropZone on_file=move |file| take_file(page, file) hint=Text::CorpusDrop>
            <div class="geometry">
                <section class="intro">
                    <h1>{page.text(Text::Title)}</h1>
                    <p class="lead">{page.text(Text::Lead)}</p>
                    <LoadingBar/>
                </section>
                <Sentences/>
                <div class="geometry-looks">
                    <LookCard plot=Plot::A turning/>
                    <LookCard plot=Plot::B turning/>
                </div>
                <Map/>
                <Numbers/>
                <Figures/>
                <TakeAlong/>
            </div>
        </DropZone>
    }
}
