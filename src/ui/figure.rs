//! A figure: title, how to read it, the drawing, and its menu of files.

use leptos::children::Children;
use leptos::prelude::*;

use crate::catalogue::fine_tune::FineTuneText as Text;
use crate::catalogue::text::Text as PageText;
use crate::catalogue::words::Words;
use crate::chart::ramp::Palette;
use crate::chart::scene::{Scene, picture};
use crate::state::action::Action;
use crate::ui::page::page;

/// Width of a figure in a file of its own, in pixels.
const FILE_WIDTH: f64 = 640.0;

/// What a figure's files are made of.
pub trait Files: Copy + Send + Sync + 'static {
    /// The drawing over so many pixels; `None` before there is anything to draw.
    fn scene(self, width: f64, palette: &Palette) -> Option<Scene>;
    /// The numbers behind it, as a table.
    fn table(self) -> String;
    /// What the numbers depend on, for the picture's caption.
    fn caption(self) -> String;
}

/// A figure's frame around its drawing.
#[component]
pub fn Figure(
    title: impl Words,
    how: Signal<String>,
    name: &'static str,
    files: impl Files,
    children: Children,
) -> impl IntoView {
    view! {
        <figure class="panel tune-figure">
            <div class="title">
                <h3>{page().text(title)}</h3>
                <SaveMenu title name files/>
            </div>
            <p class="quiet">{how}</p>
            {children()}
        </figure>
    }
}

/// PNG, SVG and CSV.
#[component]
fn SaveMenu(title: impl Words, name: &'static str, files: impl Files) -> impl IntoView {
    let page = page();
    let svg = move || {
        let palette = page.palette_untracked();
        let scene = files.scene(FILE_WIDTH, &palette)?;
        Some(picture(&scene, page.words(title), &files.caption(), &palette))
    };
    let png = move |_| {
        if let Some(svg) = svg() {
            page.dispatch(Action::PictureExported { name: name.to_owned(), svg });
        }
    };
    let save = move |ending: &str, mime: &'static str, text: String| {
        let name = format!("{name}.{ending}");
        page.dispatch(Action::FigureSaved { name, mime, text });
    };
    let vector = move |_| {
        if let Some(svg) = svg() {
            save("svg", "image/svg+xml", svg);
        }
    };
    let label = move || page.filled(Text::SaveFigure, &[("title", page.words(title))]);
    view! {
        <details class="tune-menu">
            <summary class="plain" aria-label=label>{page.text(Text::Save)}</summary>
            <div class="card">
                <button class="plain" on:click=png>{page.text(PageText::ExportPng)}</button>
                <button class="plain" on:click=vector>"SVG"</button>
                <button class="plain" on:click=move |_| save("csv", "text/csv", files.table())>
                    {page.text(PageText::ExportCsv)}
                </button>
            </div>
        </details>
    }
}
