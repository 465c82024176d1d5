//! A sphere to turn: drag it, use the arrow keys, or leave it to turn slowly by itself.

use std::sync::Arc;

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent, PointerEvent};

use crate::browser::page_scope;
use crate::browser::picture;
use crate::catalogue::lesson::LessonText as Text;
use crate::chart::sphere::{Mark, Sphere, Stand, Tone, layers, sphere, spot_at, spots};
use crate::ui::page::page;
use crate::ui::parts::measured;

/// Radians a pixel of dragging.
const DRAG: f64 = 0.008;
/// Radians a press of an arrow key.
const PRESS: f64 = 0.15;
/// Radians a second of turning by itself.
const IDLE: f64 = 0.1;
/// Milliseconds between two pictures of a sphere that turns by itself.
const FRAME_MS: f64 = 40.0;
/// It starts to turn by itself so long after it was touched.
const REST_MS: f64 = 5_000.0;

/// Of more points a browser takes longer than a frame, drawn as shapes.
const MOST_SHAPES: usize = 320;

/// What is drawn of a cloud.
#[derive(Debug, Clone, PartialEq)]
pub struct CloudView {
    pub points: Vec<f32>,
    pub tone: Tone,
    pub rays: bool,
    pub marks: Vec<Mark>,
    /// The points' sentences, where they are known.
    pub names: Arc<[String]>,
    pub description: String,
}

/// How all spheres of the lesson stand, and when they were last touched.
#[derive(Clone, Copy)]
pub struct Turning {
    pub stand: RwSignal<Stand>,
    touched_ms: StoredValue<f64>,
}

impl Turning {
    /// Starts to turn, unless the visitor wants no motion, for as long as the view is there.
    pub fn start() -> Self {
        let turning =
            Self { stand: RwSignal::new(Stand::FIRST), touched_ms: StoredValue::new(0.0) };
        if !page_scope::media("(prefers-reduced-motion: reduce)") {
            let alive = StoredValue::new(true);
            on_cleanup(move || alive.set_value(false));
            turning.next_frame(alive, page_scope::now_ms());
        }
        turning
    }

    fn next_frame(self, alive: StoredValue<bool>, before_ms: f64) {
        request_animation_frame(move || {
            if !alive.try_get_value().unwrap_or(false) {
                return;
            }
            let now_ms = page_scope::now_ms();
            if now_ms - before_ms < FRAME_MS {
                return self.next_frame(alive, before_ms);
            }
            // Nobody sees a sphere that was scrolled away.
            let is_seen = page_scope::is_any_seen(".sphere");
            if is_seen && now_ms - self.touched_ms.get_value() > REST_MS {
                // A tab that was hidden does not catch up.
                let seconds = (now_ms - before_ms).min(200.0) / 1000.0;
                self.stand.update(|stand| *stand = stand.moved(IDLE * seconds, 0.0));
            }
            self.next_frame(alive, now_ms);
        });
    }

    fn touch(self) {
        self.touched_ms.set_value(page_scope::now_ms());
    }

    fn turn(self, turn: f64, tilt: f64) {
        self.touch();
        self.stand.update(|stand| *stand = stand.moved(turn, tilt));
    }
}

/// One sphere of at most `most` pixels.
#[component]
pub fn SphereView(
    cloud: Signal<Option<CloudView>>,
    turning: Turning,
    #[prop(default = 460.0)] most: f64,
) -> impl IntoView {
    let page = page();
    let node = NodeRef::new();
    let width = measured(node);
    let hovered: RwSignal<Option<usize>> = RwSignal::new(None);
    let dragged: StoredValue<Option<(f64, f64)>> = StoredValue::new(None);
    let side = move || {
        // On a phone the figure stays above the text and must leave room for it.
        let share = if page_scope::media("(max-width: 900px)") { 0.32 } else { 0.62 };
        width.get().min(most).min(page_scope::viewport_height() * share)
    };
    let svg = move || {
        let side = side();
        let cloud = cloud.get().filter(|_| side > 0.0);
        let Some(CloudView { points, tone, rays, mut marks, names, description }) = cloud else {
            return String::new();
        };
        if let Some(place) = hovered.get() {
            marks.retain(|mark| mark.place != place);
            let label = names.get(place).cloned().unwrap_or_default();
            marks.push(Mark { place, label, arrow: false });
        }
        let stand = turning.stand.get();
        let dots = !is_many(&points);
        let marks = &marks;
        let data = Sphere { points: &points, tone, stand, rays, dots, marks, description };
        sphere(&data, side, &page.palette()).to_svg()
    };
    let canvas: NodeRef<html::Canvas> = NodeRef::new();
    Effect::new(move |_| {
        let (Some(canvas), side, palette) = (canvas.get(), side(), page.palette()) else { return };
        let stand = turning.stand.get();
        let drawn = cloud.with(|cloud| {
            let cloud = cloud.as_ref().filter(|cloud| side > 0.0 && is_many(&cloud.points));
            cloud.map(|it| (layers(&it.points, stand, side), it.tone.colour(&palette)))
        });
        let (layers, colour) = drawn.unwrap_or_default();
        // Without a canvas the circles and marks are all there is.
        let _ = picture::dots(&canvas, side, &layers, colour);
    });
    let under = move |event: &PointerEvent| {
        let element: Element = event.current_target()?.dyn_into().ok()?;
        let drawing = element.query_selector("svg").ok()??.get_bounding_client_rect();
        let (x, y) = (
            f64::from(event.client_x()) - drawing.left(),
            f64::from(event.client_y()) - drawing.top(),
        );
        let cloud = cloud.get_untracked()?;
        spot_at(&spots(&cloud.points, turning.stand.get_untracked(), side()), x, y)
    };
    let pressed = move |event: PointerEvent| {
        dragged.set_value(Some((f64::from(event.client_x()), f64::from(event.client_y()))));
        if let Some(element) = event.current_target().and_then(|t| t.dyn_into::<Element>().ok()) {
            // Without capture the drag merely ends at the border.
            let _ = element.set_pointer_capture(event.pointer_id());
        }
    };
    let moved = move |event: PointerEvent| {
        let at = (f64::from(event.client_x()), f64::from(event.client_y()));
        if let Some(from) = dragged.get_value() {
            turning.turn((at.0 - from.0) * DRAG, (at.1 - from.1) * DRAG);
            dragged.set_value(Some(at));
            return;
        }
        let found = under(&event);
        if found.is_some() {
            turning.touch();
        }
        if found != hovered.get_untracked() {
            hovered.set(found);
        }
    };
    let key = move |event: KeyboardEvent| {
        let (turn, tilt) = match event.key().as_str() {
            "ArrowLeft" => (-PRESS, 0.0),
            "ArrowRight" => (PRESS, 0.0),
            "ArrowUp" => (0.0, -PRESS),
            "ArrowDown" => (0.0, PRESS),
            _ => return,
        };
        event.prevent_default();
        turning.turn(turn, tilt);
    };
    view! {
        <div
            class="chart sphere"
            node_ref=node
            tabindex="0"
            role="group"
            aria-label=page.text(Text::TurnLabel)
            on:pointerdown=pressed
            on:pointermove=moved
            on:pointerup=move |_| dragged.set_value(None)
            on:pointercancel=move |_| dragged.set_value(None)
            on:pointerleave=move |_| hovered.set(None)
            on:keydown=key
        >
            <canvas class="sphere-dots" aria-hidden="true" node_ref=canvas></canvas>
            <div inner_html=svg></div>
        </div>
    }
}

/// Whether there are so many points that shapes would be slow.
fn is_many(points: &[f32]) -> bool {
    points.len() / 3 > MOST_SHAPES
}
