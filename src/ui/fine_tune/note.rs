//! The note in the header while a fine-tune runs, whatever view is shown.

use leptos::prelude::*;

use crate::catalogue::fine_tune::FineTuneText as Text;
use crate::state::fine_tune::run::Phase;
use crate::state::route::{Route, View};
use crate::ui::page::page;

/// "Training 12/25"
#[component]
pub fn TrainingNote() -> impl IntoView {
    let page = page();
    let note = page.part(|state| {
        let run = state.fine_tune.live_run()?;
        let text = match run.phase {
            Phase::Starting | Phase::Loading | Phase::Preparing => Text::NoteStarting,
            Phase::Paused | Phase::Moved { .. } => Text::NotePaused,
            _ => Text::Note,
        };
        Some((text, run.at, run.total_steps()))
    });
    move || {
        note.get().map(|(text, step, steps)| {
            let (step, steps) = (step.to_string(), steps.to_string());
            view! {
                <a
                    class="tune-note numbers"
                    href=Route { view: View::FineTune, ..Route::default() }.to_fragment()
                    title=page.words(Text::NoteOpen)
                >
                    {page.filled(text, &[("step", &step), ("steps", &steps)])}
                </a>
            }
        })
    }
}
