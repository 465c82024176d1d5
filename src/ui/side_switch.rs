//! The before/after switch in the header: a click chooses a side, holding it or its key peeks.

use leptos::prelude::*;

use crate::browser::page_scope;
use crate::catalogue::adapters::AdapterText;
use crate::protocol::readout::Side;
use crate::state::action::Action;
use crate::state::adapters::AdapterAction;
use crate::state::app::State;
use crate::ui::names::side_class;
use crate::ui::page::page;

/// Holding for longer than this is no click.
const HOLD_MS: u32 = 300;
/// The key that peeks.
const KEY: &str = "b";

/// The switch, where an adapter is attached.
#[component]
pub fn SideSwitch() -> impl IntoView {
    let page = page();
    let attached = page.part(|state| state.adapters.attached.is_some());
    let peek = move |begins: bool| {
        let action = if begins { AdapterAction::PeekBegan } else { AdapterAction::PeekEnded };
        page.dispatch(Action::Adapters(action));
    };
    page_scope::watch_key(KEY, move |pressed| {
        if attached.get_untracked() {
            peek(pressed);
        }
    });
    move || attached.get().then(|| view! { <Switch peek/> })
}

#[component]
fn Switch(peek: impl Fn(bool) + Copy + 'static) -> impl IntoView {
    let page = page();
    let name = page.part(|state| {
        state.adapters.adapter().map_or_else(String::new, |adapter| adapter.name.clone())
    });
    let models = page.part(State::names_of_two);
    let label = move || match models.get() {
        None => page.words(AdapterText::Sides),
        Some(_) => page.words(AdapterText::TwoModels),
    };
    let peeking = page.part(|state| state.adapters.peeking);
    let title = move || match models.get() {
        None => page.filled(AdapterText::SidesHow, &[("name", &name.get())]),
        Some([first, second]) => {
            page.filled(AdapterText::ModelsHow, &[("first", &first), ("second", &second)])
        }
    };
    // Counts the presses, so that a timer knows whether its own still lasts; 0: released.
    let presses = StoredValue::new(0_u32);
    let holding = StoredValue::new(0_u32);
    let held = StoredValue::new(false);
    let pressed = move |_| {
        let press = presses.get_value() + 1;
        presses.set_value(press);
        holding.set_value(press);
        held.set_value(false);
        page_scope::after(HOLD_MS, move || {
            // The switch may be gone by then.
            if holding.try_get_value() == Some(press) {
                held.set_value(true);
                peek(true);
            }
        });
    };
    let released = move || {
        holding.set_value(0);
        if held.get_value() {
            peek(false);
        }
    };
    let choose = move |side: Side| {
        // The click that ends a hold is none.
        if !std::mem::take(&mut *held.write_value()) {
            page.dispatch(Action::Adapters(AdapterAction::SideChosen(side)));
        }
    };
    view! {
        <div
            class="sides"
            class:peeking=move || peeking.get()
            role="group"
            aria-label=label
            title=title
            on:pointerdown=pressed
            on:pointerup=move |_| released()
            on:pointercancel=move |_| released()
            on:pointerleave=move |_| released()
            on:contextmenu=move |event| event.prevent_default()
        >
            {[Side::Before, Side::After]
                .map(|side| view! { <SideButton side choose/> })
                .collect_view()}
        </div>
    }
}

#[component]
fn SideButton(side: Side, choose: impl Fn(Side) + Copy + 'static) -> impl IntoView {
    let page = page();
    let shown = page.part(move |state| state.adapters.side == side);
    view! {
        <button
            class=side_class(side)
            aria-pressed=move || shown.get().to_string()
            on:click=move |_| choose(side)
        >
            {move || page.side(side)}
        </button>
    }
}
