//! The fine-tune view: sentences and recipe at the left, training and its figures at the right.

mod checkpoints;
mod figures;
mod kept;
mod measures;
pub mod names;
pub mod note;
mod pins;
mod plane;
mod recipe;
mod sentences;
pub mod train;

use leptos::prelude::*;

use crate::catalogue::fine_tune::FineTuneText;
use crate::ui::fine_tune::checkpoints::Checkpoints;
use crate::ui::fine_tune::figures::Figures;
use crate::ui::fine_tune::kept::Kept;
use crate::ui::fine_tune::measures::{Finding, Measures};
use crate::ui::fine_tune::pins::Pins;
use crate::ui::fine_tune::recipe::Recipe;
use crate::ui::fine_tune::sentences::Sentences;
use crate::ui::fine_tune::train::Train;
use crate::ui::page::page;

/// The fine-tune view.
#[component]
pub fn FineTune() -> impl IntoView {
    let page = page();
    view! {
        <div class="fine-tune">
            <section class="intro">
                <h1>{page.text(FineTuneText::Title)}</h1>
                <p class="lead">{page.text(FineTuneText::Lead)}</p>
            </section>
            <Kept/>
            <div class="tune-columns">
                <div class="tune-setup"><Sentences/><Recipe/><Pins/></div>
                <div class="tune-training">
                    <Train/>
                    <Finding/>
                    <Measures/>
                    <Figures/>
                    <Checkpoints/>
                </div>
            </div>
        </div>
    }
}
