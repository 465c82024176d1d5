//! The pairs that the visitor follows.

use leptos::prelude::*;

use crate::catalogue::fine_tune::FineTuneText as Text;
use crate::state::action::Action;
use crate::state::fine_tune::{FineTuneAction as Do, Half};
use crate::ui::page::page;

/// The pairs, to edit.
#[component]
pub fn Pins() -> impl IntoView {
    let page = page();
    let count = page.part(|state| state.fine_tune.pins.len());
    let stale = page.part(|state| {
        let fine_tune = &state.fine_tune;
        fine_tune.live_run().is_some_and(|run| {
            let whole = fine_tune.pins.iter().filter(|pin| !pin.0.is_empty() && !pin.1.is_empty());
            !whole.eq(run.pins.iter())
        })
    });
    let rows = move || (0..count.get()).map(|place| view! { <Pin place/> }).collect_view();
    let note = move || {
        stale
            .get()
            .then(|| view! { <p class="note" role="status">{page.words(Text::PinsNext)}</p> })
    };
    view! {
        <details class="tune-step tune-pins">
            <summary><h3>{page.text(Text::PinsTitle)}</h3></summary>
            <p class="quiet">{page.text(Text::PinsHow)}</p>
            {rows}
            {note}
            <button class="plain" on:click=move |_| page.dispatch(Action::FineTune(Do::PinAdded))>
                {page.text(Text::PinAdd)}
            </button>
        </details>
    }
}

#[component]
fn Pin(place: usize) -> impl IntoView {
    let page = page();
    let pair = page.part(move |state| state.fine_tune.pins.get(place).cloned().unwrap_or_default());
    let number = (place + 1).to_string();
    let input = |half: Half, text: Text| {
        let number = number.clone();
        let typed = move |event| {
            let text = event_target_value(&event);
            page.dispatch(Action::FineTune(Do::PinTyped { place, half, text }));
        };
        let value = move || {
            let (first, second) = pair.get();
            if half == Half::First { first } else { second }
        };
        view! {
            <input
                type="text"
                dir="auto"
                aria-label=move || page.filled(text, &[("n", &number)])
                prop:value=value
                on:input=typed
            />
        }
    };
    let (first, second) =
        (input(Half::First, Text::PinFirst), input(Half::Second, Text::PinSecond));
    let remove = {
        let number = number.clone();
        move || page.filled(Text::PinRemove, &[("n", &number)])
    };
    view! {
        <div class="tune-pin">
            <div>{first}{second}</div>
            <button
                class="plain"
                aria-label=remove
                on:click=move |_| page.dispatch(Action::FineTune(Do::PinRemoved(place)))
            >
                "×"
            </button>
        </div>
    }
}
