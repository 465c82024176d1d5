//! The plane of alignment and uniformity: its trail can be pointed at and walked with the keys.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent, MouseEvent, PointerEvent};

use crate::catalogue::fine_tune::FineTuneText as Text;
use crate::catalogue::numbers::decimals;
use crate::chart::plane::{Plane as Drawing, Spot, layout, plane};
use crate::chart::ramp::Palette;
use crate::chart::scene::Scene;
use crate::state::action::Action;
use crate::state::app::State;
use crate::state::fine_tune::FineTuneAction as Do;
use crate::ui::figure::{Figure, Files};
use crate::ui::fine_tune::names::caption;
use crate::ui::page::{Page, page};
use crate::ui::parts::{has_moved, measured};

/// The trail: step, alignment, uniformity.
#[derive(Clone, PartialEq, Default)]
struct Trail {
    points: Vec<(u32, f64, f64)>,
    now: usize,
}

fn trail(state: &State) -> Trail {
    let Some(run) = &state.fine_tune.run else { return Trail::default() };
    let now = run.now().map(|now| now.step);
    let points: Vec<_> = run
        .trail
        .iter()
        .filter_map(|point| {
            let measures = &point.measures;
            Some((measures.step, measures.alignment?, measures.shape.uniformity))
        })
        .collect();
    let now = points.iter().position(|point| Some(point.0) == now).unwrap_or(0);
    Trail { points, now }
}

#[derive(Clone, Copy)]
struct Data {
    page: Page,
    trail: Memo<Trail>,
    marked: RwSignal<Option<usize>>,
    caption: Memo<String>,
}

impl Data {
    fn spots(self) -> Vec<Spot> {
        let label = |step: u32| match step {
            0 => self.page.words(Text::CheckpointStart).to_owned(),
            step => self.page.filled(Text::CheckpointStep, &[("step", &step.to_string())]),
        };
        let trail = self.trail.get();
        let points = trail.points.iter();
        points
            .map(|&(step, alignment, uniformity)| Spot {
                uniformity,
                alignment,
                label: label(step),
            })
            .collect()
    }

    fn words(self) -> String {
        let trail = self.trail.get();
        let (Some(first), Some(now)) = (trail.points.first(), trail.points.get(trail.now)) else {
            return self.page.words(Text::PlaneEmpty).to_owned();
        };
        let text = |value: f64| decimals(value, 2);
        let places = [
            ("a0", text(first.1)),
            ("u0", text(first.2)),
            ("a1", text(now.1)),
            ("u1", text(now.2)),
            ("step", now.0.to_string()),
        ];
        let places = places.each_ref().map(|(name, value)| (*name, value.as_str()));
        self.page.filled(Text::PlaneWords, &places)
    }
}

impl Files for Data {
    fn scene(self, width: f64, palette: &Palette) -> Option<Scene> {
        let spots = self.spots();
        let words = |text: Text| self.page.words(text).to_owned();
        let corners = [Text::CornerBest, Text::CornerCollapse, Text::CornerTorn, Text::CornerWorst];
        let data = Drawing {
            trail: &spots,
            now: self.trail.get().now,
            marked: self.marked.get(),
            uniformity_label: words(Text::PlaneUniformity),
            alignment_label: words(Text::PlaneAlignment),
            corners: corners.map(words),
            description: self.words(),
        };
        Some(plane(&data, width, palette))
    }

    fn table(self) -> String {
        let mut table = "step,alignment,uniformity\n".to_owned();
        for (step, alignment, uniformity) in self.trail.get_untracked().points {
            table.push_str(&format!("{step},{alignment:.6},{uniformity:.6}\n"));
        }
        table
    }

    fn caption(self) -> String {
        self.caption.get_untracked()
    }
}

/// The plane.
#[component]
pub fn Plane() -> impl IntoView {
    let page = page();
    let data = Data {
        page,
        trail: page.part(trail),
        marked: RwSignal::new(None),
        caption: page.part(move |state| caption(page, state)),
    };
    let how = Signal::derive(move || page.words(Text::PlaneHow).to_owned());
    let node = NodeRef::new();
    let width = measured(node);
    let svg = move || {
        let (width, palette) = (width.get(), page.palette());
        let scene = (width > 0.0).then(|| data.scene(width, &palette)).flatten();
        scene.map_or_else(String::new, |scene| scene.to_svg())
    };
    let pick = move |place: usize| {
        let step = data.trail.get_untracked().points.get(place).map(|point| point.0);
        if let Some(step) = step {
            page.dispatch(Action::FineTune(Do::CheckpointChosen(step)));
        }
    };
    let spot_at = move |event: &MouseEvent| {
        let element: Element = event.current_target()?.dyn_into().ok()?;
        let place = element.get_bounding_client_rect();
        let (x, y) =
            (f64::from(event.client_x()) - place.left(), f64::from(event.client_y()) - place.top());
        layout(&data.spots(), width.get_untracked()).spot_at(x, y)
    };
    let pointed = move |event: PointerEvent| {
        if has_moved(&event) {
            let spot = untrack(|| spot_at(&event));
            if spot != data.marked.get_untracked() {
                data.marked.set(spot);
            }
        }
    };
    let clicked = move |event: MouseEvent| {
        if let Some(place) = untrack(|| spot_at(&event)) {
            data.marked.set(Some(place));
            pick(place);
        }
    };
    let pressed = move |event: KeyboardEvent| {
        let trail = data.trail.get_untracked();
        let Some(last) = trail.points.len().checked_sub(1) else { return };
        let from = data.marked.get_untracked().unwrap_or(trail.now).min(last);
        let to = match event.key().as_str() {
            "ArrowLeft" | "ArrowUp" => from.saturating_sub(1),
            "ArrowRight" | "ArrowDown" => (from + 1).min(last),
            "Home" => 0,
            "End" => last,
            "Escape" => return data.marked.set(None),
            "Enter" | " " => {
                event.prevent_default();
                return pick(from);
            }
            _ => return,
        };
        event.prevent_default();
        data.marked.set(Some(to));
    };
    let under = move || {
        let trail = data.trail.get();
        let point = data.marked.get().and_then(|place| trail.points.get(place).copied());
        point.map_or_else(
            || "\u{a0}".to_owned(),
            |(step, alignment, uniformity)| {
                let step = page.filled(Text::CheckpointStep, &[("step", &step.to_string())]);
                let names = (page.words(Text::Alignment), page.words(Text::Uniformity));
                let (alignment, uniformity) = (decimals(alignment, 3), decimals(uniformity, 3));
                format!("{step}: {} {alignment}, {} {uniformity}", names.0, names.1)
            },
        )
    };
    view! {
        <Figure title=Text::PlaneTitle how name="simcse-plane" files=data>
            <div
                class="chart tune-plane"
                node_ref=node
                tabindex="0"
                role="group"
                aria-label=page.text(Text::PlaneTitle)
                aria-description=page.text(Text::PlaneHow)
                inner_html=svg
                on:pointermove=pointed
                on:pointerleave=move |_| data.marked.set(None)
                on:click=clicked
                on:keydown=pressed
            ></div>
            <p class="partner" aria-live="polite">{under}</p>
        </Figure>
    }
}
