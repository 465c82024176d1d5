//! The picture of the map, and everything that hands and keys do to it.

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent, MouseEvent, PointerEvent, WheelEvent};

use crate::browser::page_scope;
use crate::browser::picture;
use crate::catalogue::map::MapText as Text;
use crate::chart::plane_view::{nearest, within};
use crate::chart::point_map::over;
use crate::chart::points::raster;
use crate::chart::scene::Scene;
use crate::state::geometry::map::MapAction;
use crate::ui::geometry::map::stage::Stage;
use crate::ui::geometry::map::words::Told;
use crate::ui::parts::measured;

/// Pixels around a point within which it is meant.
const REACH: f64 = 12.0;
/// Pixels that a hand may tremble in a click.
const TREMBLE: f64 = 4.0;
/// Pixels that an arrow key moves the map by.
const PRESS: f64 = 48.0;
/// How much nearer a key or a double click brings.
const NEARER: f64 = 1.5;

/// What the hands on the picture do.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
enum Gesture {
    #[default]
    None,
    /// Since where; whether it moved.
    Pan {
        began: (f64, f64),
        moved: bool,
    },
    Lasso {
        added: bool,
    },
    Pinch,
}

/// Fingers and gesture.
#[derive(Debug, Clone, Default)]
struct Hands {
    /// Of each pointer on the picture: its number and place.
    down: Vec<(i32, (f64, f64))>,
    gesture: Gesture,
}

impl Hands {
    /// Two fingers' middle, and how far they are apart.
    fn span(&self) -> Option<((f64, f64), f64)> {
        let [(_, a), (_, b), ..] = self.down[..] else { return None };
        let middle = (f64::midpoint(a.0, b.0), f64::midpoint(a.1, b.1));
        Some((middle, (a.0 - b.0).hypot(a.1 - b.1).max(1.0)))
    }
}

/// The picture.
#[component]
pub fn Canvas(stage: Stage) -> impl IntoView {
    let page = stage.page;
    let node: NodeRef<html::Div> = NodeRef::new();
    let canvas: NodeRef<html::Canvas> = NodeRef::new();
    let overlay: NodeRef<html::Div> = NodeRef::new();
    let width = measured(node);
    Effect::new(move |_| {
        let width = width.get();
        let most = page_scope::viewport_height() * 0.72;
        stage.size.set((width, (width * 0.7).min(most).max(280.0).round()));
    });
    draw_when_needed(stage, canvas, overlay);
    let hands = StoredValue::new(Hands::default());
    let description = description(stage);
    let is_old = page.part(|state| state.geometry.is_old(state.geometry.shown()));
    view! {
        <div
            class="map-stage"
            class:old=move || is_old.get()
            class:lassoing=move || stage.is_lassoing.get()
            node_ref=node
            tabindex="0"
            role="group"
            aria-label=page.text(Text::MapLabel)
            aria-description=move || format!("{} {}", description.get(), page.words(Text::Keys))
            style:height=move || format!("{}px", stage.size.get().1)
            on:pointerdown=move |event| pressed(stage, hands, &event)
            on:pointermove=move |event| moved(stage, hands, &event)
            on:pointerup=move |event| released(stage, hands, &event, false)
            on:pointercancel=move |event| released(stage, hands, &event, true)
            on:pointerleave=move |_| stage.hovered.set(None)
            on:dblclick=move |event: MouseEvent| {
                if let Some(at) = place(&event) {
                    stage.zoom(NEARER * NEARER, at);
                }
            }
            on:wheel=move |event| wheeled(stage, &event)
            on:keydown=move |event| keyed(stage, &event)
        >
            <canvas node_ref=canvas></canvas>
            <div class="map-over" aria-hidden="true" node_ref=overlay></div>
        </div>
    }
}

/// What the map shows, in words.
fn description(stage: Stage) -> Memo<String> {
    let page = stage.page;
    let told = Told::of(page);
    Memo::new(move |_| {
        let groups = stage.groups.get();
        told.get().description(page, &groups)
    })
}

/// Draws on the next frame, once, whatever changed until then.
fn draw_when_needed(stage: Stage, canvas: NodeRef<html::Canvas>, overlay: NodeRef<html::Div>) {
    let is_due = StoredValue::new(false);
    let pixels = StoredValue::new(Vec::new());
    Effect::new(move |_| {
        stage.track();
        if is_due.get_value() {
            return;
        }
        is_due.set_value(true);
        request_animation_frame(move || {
            // The view may be gone by then.
            if is_due.try_get_value().is_none() {
                return;
            }
            is_due.set_value(false);
            let (Some(canvas), Some(overlay)) = (canvas.get_untracked(), overlay.get_untracked())
            else {
                return;
            };
            let shapes = draw(stage, &canvas, pixels);
            overlay.set_inner_html(&shapes);
        });
    });
}

/// Draws the points, and gives what lies over them as SVG.
fn draw(stage: Stage, canvas: &web_sys::HtmlCanvasElement, pixels: StoredValue<Vec<u8>>) -> String {
    let palette = stage.page.palette_untracked();
    let (frame, size) = (stage.frame(), stage.size.get_untracked());
    let Some(view) = stage.view().filter(|_| size.0 > 0.0) else { return String::new() };
    let shapes = stage.with_cloud(&view, size, &palette, |cloud| {
        pixels.update_value(|pixels| {
            raster(cloud, &view, frame, pixels);
            // Without memory for the picture the names are all there is.
            let _ = picture::show(canvas, pixels, frame.pixels());
        });
        over(&stage.over(&palette), cloud.positions, (&view, frame), cloud.radius, &palette)
    });
    let (width, height) = size;
    let description = String::new();
    Scene { width, height, description, background: None, shapes }.to_svg()
}

/// Where an event is, in pixels of the picture.
fn place(event: &MouseEvent) -> Option<(f64, f64)> {
    let element: Element = event.current_target()?.dyn_into().ok()?;
    let corner = element.get_bounding_client_rect();
    Some((f64::from(event.client_x()) - corner.left(), f64::from(event.client_y()) - corner.top()))
}

/// The point at a place of the picture.
fn point_at(stage: Stage, at: (f64, f64)) -> Option<u32> {
    let (view, frame) = (stage.view()?, stage.frame());
    let found = stage.positions.with_untracked(|it| nearest(it, &view, frame, at, REACH));
    found.and_then(|place| u32::try_from(place).ok())
}

fn pressed(stage: Stage, hands: StoredValue<Hands>, event: &PointerEvent) {
    let Some(at) = place(event).filter(|_| event.button() == 0) else { return };
    let target = event.current_target().and_then(|target| target.dyn_into::<HtmlElement>().ok());
    if let Some(element) = target {
        // Without capture a drag merely ends at the border.
        let _ = element.set_pointer_capture(event.pointer_id());
    }
    stage.hovered.set(None);
    hands.update_value(|hands| {
        hands.down.retain(|down| down.0 != event.pointer_id());
        hands.down.push((event.pointer_id(), at));
        hands.gesture = if hands.down.len() > 1 {
            Gesture::Pinch
        } else if event.shift_key() || stage.is_lassoing.get_untracked() {
            Gesture::Lasso { added: event.shift_key() }
        } else {
            Gesture::Pan { began: at, moved: false }
        };
    });
    let is_lasso = hands.with_value(|hands| matches!(hands.gesture, Gesture::Lasso { .. }));
    stage.lasso.set(if is_lasso { vec![at] } else { Vec::new() });
}

fn moved(stage: Stage, hands: StoredValue<Hands>, event: &PointerEvent) {
    let Some(at) = place(event) else { return };
    let mut held = hands.get_value();
    let before = held.clone();
    let Some(down) = held.down.iter_mut().find(|down| down.0 == event.pointer_id()) else {
        let found = point_at(stage, at);
        if found != stage.hovered.get_untracked() {
            stage.hovered.set(found);
        }
        return;
    };
    let from = std::mem::replace(&mut down.1, at);
    match &mut held.gesture {
        Gesture::None => {}
        Gesture::Pan { began, moved } => {
            *moved |= (at.0 - began.0).hypot(at.1 - began.1) > TREMBLE;
            if *moved {
                stage.pan((at.0 - from.0, at.1 - from.1));
            }
        }
        Gesture::Lasso { .. } => stage.lasso.update(|lasso| {
            let is_far = lasso.last().is_none_or(|last| (last.0 - at.0).hypot(last.1 - at.1) > 3.0);
            lasso.extend(is_far.then_some(at));
        }),
        Gesture::Pinch => {
            if let (Some((middle, apart)), Some((was, was_apart))) = (held.span(), before.span()) {
                stage.pan((middle.0 - was.0, middle.1 - was.1));
                stage.zoom(apart / was_apart, middle);
            }
        }
    }
    hands.set_value(held);
}

fn released(stage: Stage, hands: StoredValue<Hands>, event: &PointerEvent, is_broken_off: bool) {
    let mut held = hands.get_value();
    // Such as another button's.
    if !held.down.iter().any(|down| down.0 == event.pointer_id()) {
        return;
    }
    held.down.retain(|down| down.0 != event.pointer_id());
    let gesture = std::mem::take(&mut held.gesture);
    hands.set_value(held);
    let lasso = stage.lasso.get_untracked();
    stage.lasso.set(Vec::new());
    let Some(at) = place(event).filter(|_| !is_broken_off) else { return };
    match gesture {
        Gesture::Pan { moved: false, .. } => click(stage, at),
        Gesture::Lasso { added } if lasso.len() > 2 => {
            let (Some(view), frame) = (stage.view(), stage.frame()) else { return };
            let positions = stage.positions.with_untracked(|it| within(it, &view, frame, &lasso));
            stage.is_lassoing.set(false);
            stage.act(MapAction::Selected { positions, added });
        }
        // A lasso of a single place is a click.
        Gesture::Lasso { added: true } => {
            if let Some(position) = point_at(stage, at) {
                stage.act(MapAction::Toggled(position));
            }
        }
        _ => {}
    }
}

/// A click on a point chooses it and shows its neighbours; one on nothing lets go of it.
fn click(stage: Stage, at: (f64, f64)) {
    let found = point_at(stage, at);
    if let Some(position) = found {
        stage.act(MapAction::Selected { positions: vec![position], added: false });
        stage.act(MapAction::Pinned(found));
        return;
    }
    let (pinned, selected) =
        stage.page.now(|state| (state.geometry.map.pinned, state.geometry.map.selection.len()));
    // What was gathered with a lasso is not lost by a slip of the hand.
    if selected <= 1 {
        stage.act(MapAction::Cleared);
    } else if pinned.is_some() {
        stage.act(MapAction::Pinned(None));
    }
}

/// Zooms once the map has the focus, or with Ctrl (so a pinch on a track pad says): until then the page
/// scrolls past it.
fn wheeled(stage: Stage, event: &WheelEvent) {
    let element = event.current_target().and_then(|target| target.dyn_into::<Element>().ok());
    let active = page_scope::document().and_then(|document| document.active_element());
    let has_focus = element.is_some() && element == active;
    let Some(at) = place(event).filter(|_| has_focus || event.ctrl_key() || event.meta_key())
    else {
        return;
    };
    event.prevent_default();
    // Lines and pages, in pixels.
    let unit = match event.delta_mode() {
        WheelEvent::DOM_DELTA_LINE => 16.0,
        WheelEvent::DOM_DELTA_PAGE => 400.0,
        _ => 1.0,
    };
    let speed = if event.ctrl_key() { 0.01 } else { 0.002 };
    let by = (-event.delta_y() * unit * speed).clamp(-1.0, 1.0);
    stage.zoom(by.exp(), at);
}

fn keyed(stage: Stage, event: &KeyboardEvent) {
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        return;
    }
    match event.key().as_str() {
        "ArrowLeft" => stage.pan((PRESS, 0.0)),
        "ArrowRight" => stage.pan((-PRESS, 0.0)),
        "ArrowUp" => stage.pan((0.0, PRESS)),
        "ArrowDown" => stage.pan((0.0, -PRESS)),
        "+" | "=" => stage.zoom_middle(NEARER),
        "-" | "_" => stage.zoom_middle(1.0 / NEARER),
        "0" => stage.fit(),
        "l" | "L" => stage.is_lassoing.update(|is_lassoing| *is_lassoing = !*is_lassoing),
        _ => return,
    }
    event.prevent_default();
}
