//! Small parts that several panels share.

use leptos::children::Children;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{
    DragEvent, Element, File, FileList, KeyboardEvent, MouseEvent, PointerEvent, ResizeObserver,
};

use crate::catalogue::text::Text;
use crate::catalogue::words::Words;
use crate::chart::heat_map::{HeatMap, heat_map, layout};
use crate::chart::ramp::Palette;
use crate::chart::scene::{Scene, picture};
use crate::state::action::Action;
use crate::ui::page::page;

/// Width of an element in pixels, now and whenever it changes; 0 before it is on the page.
pub fn measured(node: NodeRef<html::Div>) -> Signal<f64> {
    let width = RwSignal::new(0.0);
    Effect::new(move |_| {
        let Some(element) = node.get() else { return };
        let element: Element = element.unchecked_into();
        width.set(f64::from(element.client_width()));
        let watched = element.clone();
        let changed = Closure::<dyn Fn()>::new(move || {
            let now = f64::from(watched.client_width());
            // Whole pixels only: the scroll bar must not make a chart flicker between two widths.
            if (now - width.get_untracked()).abs() >= 1.0 {
                width.set(now);
            }
        });
        if let Ok(observer) = ResizeObserver::new(changed.as_ref().unchecked_ref()) {
            observer.observe(&element);
            let kept = StoredValue::new_local((observer, changed));
            on_cleanup(move || {
                kept.with_value(|(observer, _)| observer.disconnect());
            });
        }
    });
    width.into()
}

/// A chart over the full width there is: `draw` gets the width in pixels and the colours.
#[component]
pub fn Chart(
    draw: impl Fn(f64, &Palette) -> Option<Scene> + Send + Sync + 'static,
    #[prop(optional)] class: &'static str,
) -> impl IntoView {
    let page = page();
    let node = NodeRef::new();
    let width = measured(node);
    let svg = move || {
        let width = width.get();
        let palette = page.palette();
        (width > 0.0)
            .then(|| draw(width, &palette))
            .flatten()
            .map_or_else(String::new, |s| s.to_svg())
    };
    view! { <div class=format!("chart {class}") node_ref=node inner_html=svg></div> }
}

/// A heat map's data, owned.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HeatData {
    pub row_labels: Vec<String>,
    pub column_labels: Vec<String>,
    /// `[row_labels, column_labels]`
    pub values: Vec<f32>,
    pub floor: f32,
    pub pale_diagonal: bool,
    pub description: String,
}

impl HeatData {
    fn map(&self, marked: Option<(usize, usize)>) -> HeatMap<'_> {
        HeatMap {
            row_labels: &self.row_labels,
            column_labels: &self.column_labels,
            values: &self.values,
            floor: self.floor,
            pale_diagonal: self.pale_diagonal,
            marked,
            description: self.description.clone(),
        }
    }

    /// Where the columns stand over `width` pixels: the first one's left edge, and a column's width.
    pub fn columns(&self, width: f64) -> (f64, f64) {
        let place = layout(&self.map(None), width);
        (place.left, place.cell_width)
    }

    /// The drawing for a file of its own.
    pub fn picture(&self, title: &str, caption: &str, palette: &Palette) -> String {
        let width = 220.0 + 46.0 * self.column_labels.len() as f64;
        let scene = heat_map(&self.map(None), width.clamp(420.0, 2000.0), palette);
        picture(&scene, title, caption, palette)
    }

    fn value(&self, (row, column): (usize, usize)) -> Option<f32> {
        self.values.get(row * self.column_labels.len() + column).copied()
    }

    /// The cell that arrow keys lead to.
    fn moved(&self, from: Option<(usize, usize)>, key: &str) -> Option<(usize, usize)> {
        let (rows, columns) = (self.row_labels.len(), self.column_labels.len());
        let Some((row, column)) = from else { return (rows > 0 && columns > 0).then_some((0, 0)) };
        Some(match key {
            "Home" => (row, 0),
            "End" => (row, columns.saturating_sub(1)),
            "ArrowUp" => (row.saturating_sub(1), column),
            "ArrowDown" => ((row + 1).min(rows.saturating_sub(1)), column),
            "ArrowLeft" => (row, column.saturating_sub(1)),
            _ => (row, (column + 1).min(columns.saturating_sub(1))),
        })
    }
}

/// Drawing anew under a resting pointer makes the browser report a move that was none; it must not
/// take the mark from the keyboard.
pub fn has_moved(event: &PointerEvent) -> bool {
    event.movement_x() != 0 || event.movement_y() != 0
}

/// A heat map to point at: mouse, touch and arrow keys move the mark; Enter or a click picks.
#[component]
pub fn HeatMapView(
    data: Memo<HeatData>,
    marked: RwSignal<Option<(usize, usize)>>,
    label: Text,
    on_pick: impl Fn((usize, usize)) + Copy + 'static,
) -> impl IntoView {
    let page = page();
    let node = NodeRef::new();
    let width = measured(node);
    // A mark on the old cells would point at something else among the new ones; new values of the
    // same cells (a baseline that arrives, another readout) leave it where it is.
    let cells =
        Memo::new(move |_| data.with(|data| (data.row_labels.clone(), data.column_labels.clone())));
    Effect::new(move |_| {
        cells.track();
        marked.set(None);
    });
    let svg = move || {
        let (width, palette) = (width.get(), page.palette());
        if width <= 0.0 {
            return String::new();
        }
        let data = data.get();
        heat_map(&data.map(marked.get()), width, &palette).to_svg()
    };
    let cell_at = move |event: &MouseEvent| {
        let element: Element = event.current_target()?.dyn_into().ok()?;
        let place = element.get_bounding_client_rect();
        let (x, y) =
            (f64::from(event.client_x()) - place.left(), f64::from(event.client_y()) - place.top());
        let data = data.get_untracked();
        layout(&data.map(None), width.get_untracked()).cell_at(x, y)
    };
    let pointed = move |event: PointerEvent| {
        if !has_moved(&event) {
            return;
        }
        let cell = cell_at(&event);
        if cell != marked.get_untracked() {
            marked.set(cell);
        }
    };
    let clicked = move |event: MouseEvent| {
        if let Some(cell) = cell_at(&event) {
            marked.set(Some(cell));
            on_pick(cell);
        }
    };
    let pressed = move |event: KeyboardEvent| match event.key().as_str() {
        key @ ("ArrowUp" | "ArrowDown" | "ArrowLeft" | "ArrowRight" | "Home" | "End") => {
            event.prevent_default();
            marked.set(data.get_untracked().moved(marked.get_untracked(), key));
        }
        "Escape" => marked.set(None),
        "Enter" | " " => {
            event.prevent_default();
            if let Some(cell) = marked.get_untracked() {
                on_pick(cell);
            }
        }
        _ => {}
    };
    view! {
        <div
            class="chart heat"
            node_ref=node
            tabindex="0"
            role="group"
            aria-label=page.text(label)
            aria-description=page.text(Text::KeysInMap)
            inner_html=svg
            on:pointermove=pointed
            on:pointerleave=move |_| marked.set(None)
            on:click=clicked
            on:keydown=pressed
        ></div>
    }
}

/// The value under a heat map's mark, as text.
pub fn marked_value(
    data: &HeatData,
    marked: Option<(usize, usize)>,
) -> Option<(usize, usize, f32)> {
    let cell = marked?;
    Some((cell.0, cell.1, data.value(cell)?))
}

/// A button that opens the file dialogue.
#[component]
pub fn FileButton(
    text: impl Words,
    accept: &'static str,
    on_file: impl Fn(File) + 'static,
) -> impl IntoView {
    let on_files = move |files: FileList| {
        if let Some(file) = files.get(0) {
            on_file(file);
        }
    };
    view! { <PickButton text accept picks=Picks::One on_files/> }
}

/// A button that picks several files, or a folder's.
#[component]
pub fn FilesButton(
    text: impl Words,
    is_folder: bool,
    on_files: impl Fn(Vec<(String, File)>) + 'static,
) -> impl IntoView {
    let picks = if is_folder { Picks::Folder } else { Picks::Several };
    let on_files = move |files: FileList| on_files(paths_of(&files));
    view! { <PickButton text accept="" picks on_files/> }
}

/// What a file dialogue lets one choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Picks {
    One,
    Several,
    Folder,
}

#[component]
fn PickButton(
    text: impl Words,
    accept: &'static str,
    picks: Picks,
    on_files: impl Fn(FileList) + 'static,
) -> impl IntoView {
    let page = page();
    let input: NodeRef<html::Input> = NodeRef::new();
    let changed = move |_| {
        let Some(element) = input.get_untracked() else { return };
        if let Some(files) = element.files().filter(|files| files.length() > 0) {
            on_files(files);
        }
        // The same file may be chosen again after it was mended.
        element.set_value("");
    };
    let open = move |_| {
        let Some(element) = input.get_untracked() else { return };
        if picks == Picks::Folder {
            // Not in every browser, so set by hand where it is wanted.
            drop(element.set_attribute("webkitdirectory", ""));
        }
        element.click();
    };
    view! {
        <button class="plain" on:click=open>{page.text(text)}</button>
        <input
            type="file" accept=accept multiple=picks != Picks::One hidden node_ref=input
            on:change=changed aria-label=page.text(text)
        />
    }
}

/// Takes a file dropped anywhere inside.
#[component]
pub fn DropZone(
    on_file: impl Fn(File) + 'static,
    hint: impl Words,
    children: Children,
) -> impl IntoView {
    let on_files = move |list: FileList| {
        if let Some(file) = list.get(0) {
            on_file(file);
        }
    };
    view! { <FilesZone on_files hint>{children()}</FilesZone> }
}

/// Takes files dropped anywhere inside.
#[component]
pub fn FilesZone(
    on_files: impl Fn(FileList) + 'static,
    hint: impl Words,
    children: Children,
) -> impl IntoView {
    let page = page();
    let over = RwSignal::new(false);
    let dragged = move |event: DragEvent| {
        let has_file = event
            .data_transfer()
            .is_some_and(|transfer| transfer.types().includes(&"Files".into(), 0));
        if has_file {
            event.prevent_default();
            over.set(true);
        }
    };
    let dropped = move |event: DragEvent| {
        over.set(false);
        let files = event.data_transfer().and_then(|transfer| transfer.files());
        if let Some(files) = files.filter(|files| files.length() > 0) {
            event.prevent_default();
            on_files(files);
        }
    };
    view! {
        <div
            class="drop"
            class:over=move || over.get()
            on:dragover=dragged
            on:dragleave=move |_| over.set(false)
            on:drop=dropped
        >
            {children()}
            <div class="veil" aria-hidden="true">{page.text(hint)}</div>
        </div>
    }
}

/// Files with their paths within the folder that was dropped or picked.
pub fn paths_of(list: &FileList) -> Vec<(String, File)> {
    let files = (0..list.length()).filter_map(|place| list.get(place));
    let with_path = files.map(|file| {
        // Not in web-sys: empty unless a folder was picked.
        let path = js_sys::Reflect::get(&file, &"webkitRelativePath".into());
        let path = path.ok().and_then(|path| path.as_string()).filter(|path| !path.is_empty());
        (path.unwrap_or_else(|| file.name()), file)
    });
    with_path.collect()
}

/// The PNG button of a chart: `draw` makes the file's SVG.
#[component]
pub fn PngButton(
    title: Text,
    name: &'static str,
    draw: impl Fn(&Palette) -> String + 'static,
) -> impl IntoView {
    let page = page();
    let export = move |_| {
        let svg = draw(&page.palette_untracked());
        page.dispatch(Action::PictureExported { name: name.to_owned(), svg });
    };
    let label = move || page.filled(Text::PictureOf, &[("title", page.words(title))]);
    view! {
        <button class="plain" aria-label=label on:click=export>{page.text(Text::ExportPng)}</button>
    }
    .into_any()
}

/// Examples to try, one button each.
#[component]
pub fn ExampleChips(labels: Vec<Text>, choose: fn(usize) -> Action) -> impl IntoView {
    let page = page();
    let buttons = labels.into_iter().enumerate().map(move |(place, label)| {
        view! {
            <button class="chip" on:click=move |_| page.dispatch(choose(place))>
                {page.text(label)}
            </button>
        }
    });
    view! {
        <div class="chips" role="group" aria-label=page.text(Text::Examples)>
            <span class="quiet">{page.text(Text::Examples)}</span>
            {buttons.collect_view()}
        </div>
    }
}
