//! What an earlier visit trained: go on, use, export, delete.

use leptos::prelude::*;

use crate::browser::page_scope;
use crate::catalogue::fine_tune::FineTuneText as Text;
use crate::state::action::Action;
use crate::state::fine_tune::{Fetch, FineTuneAction as Do};
use crate::ui::fine_tune::train::ORDERS;
use crate::ui::page::page;

/// The banner; nothing once this visit has a fine-tune of its own.
#[component]
pub fn Kept() -> impl IntoView {
    let page = page();
    let kept = page.part(|state| {
        let fine_tune = &state.fine_tune;
        let kept = fine_tune.kept.as_ref().filter(|_| fine_tune.run.is_none())?;
        Some((kept.step, kept.recipe.steps, kept.is_over))
    });
    let ready = page.part(|state| state.can_compute());
    let can_go_on = page.part(|state| state.can_compute() && state.fine_tune.can_go_on());
    let was_pressed = StoredValue::new(false);
    let act = move |action: Do| {
        was_pressed.set_value(true);
        page.dispatch(Action::FineTune(action));
    };
    // The banner goes with the pressed button, for some of them only after the store's answer.
    Effect::new(move |_| {
        if kept.get().is_none() && was_pressed.get_value() {
            was_pressed.set_value(false);
            page_scope::keep_focus(ORDERS);
        }
    });
    move || {
        kept.get().map(|(step, steps, is_over)| {
            let (step, steps) = (step.to_string(), steps.to_string());
            let places = [("step", step.as_str()), ("steps", steps.as_str())];
            let text = if is_over { Text::KeptFinished } else { Text::KeptInterrupted };
            let go_on = (!is_over).then(|| {
                view! {
                    <button
                        class="primary"
                        title=page.words(Text::KeptGoOnHow)
                        disabled=move || !can_go_on.get()
                        on:click=move |_| act(Do::KeptFetched(Fetch::GoOn))
                    >
                        {page.words(Text::KeptGoOn)}
                    </button>
                }
            });
            let export = Do::KeptFetched(Fetch::Export);
            let buttons = [(Do::KeptUsed, Text::KeptUse), (export, Text::KeptExport)].map(
                |(action, text)| {
                    view! {
                        <button
                            class="plain"
                            disabled=move || !ready.get()
                            on:click=move |_| act(action.clone())
                        >
                            {page.words(text)}
                        </button>
                    }
                },
            );
            view! {
                <div class="card tune-kept" role="status">
                    <p>{page.filled(text, &places)}</p>
                    <div class="actions">
                        {go_on}
                        {buttons.collect_view()}
                        <button class="plain" on:click=move |_| act(Do::KeptForgotten)>
                            {page.words(Text::KeptForget)}
                        </button>
                    </div>
                </div>
            }
        })
    }
}
