//! The one figure that follows the text.

use leptos::prelude::*;

use crate::catalogue::lesson::LessonText as Text;
use crate::catalogue::lesson_sentences::SENTENCES;
use crate::state::lesson::Cloud;
use crate::ui::lesson::batch::{LossFigure, ViewsFigure};
use crate::ui::lesson::figures::{AfterWhose, CloudFigure, Cosines, LessonSet};
use crate::ui::lesson::training::TrainingFigure;
use crate::ui::page::{Page, page};
use crate::ui::sphere::Turning;

/// The figure of the step that the reader is at.
#[component]
pub fn LivingFigure() -> impl IntoView {
    let page = page();
    let step = page.part(|state| state.lesson.step);
    let turning = Turning::start();
    let figure = move || match step.get() {
        0 => view! {
            <CloudFigure cloud=Cloud::Before turning rays=true/>
            {hint(page)}
            <LessonSet/>
        }
        .into_any(),
        1 => view! {
            <div class="pair-of-figures">
                <CloudFigure cloud=Cloud::Before turning rays=true most=320.0/>
                <Cosines with_after=false/>
            </div>
            <LessonSet/>
        }
        .into_any(),
        2 => view! {
            <p class="quiet">{page.text(Text::ViewsCaption)}</p>
            <ViewsFigure/>
        }
        .into_any(),
        3 => view! { <LossFigure/> }.into_any(),
        4 | 6 => view! { <TrainingFigure turning/> }.into_any(),
        7 => view! {
            <p class="quiet">{page.text(Text::WhiteCaption)}</p>
            <div class="clouds three">
                {Cloud::ALL.map(|cloud| view! { <CloudFigure cloud turning/> }).collect_view()}
            </div>
            <AfterWhose/>
            <LessonSet/>
        }
        .into_any(),
        _ => view! {
            <div class="clouds">
                <CloudFigure cloud=Cloud::Before turning/>
                <CloudFigure cloud=Cloud::After turning/>
            </div>
            <AfterWhose/>
            <Cosines with_after=true/>
            <LessonSet/>
        }
        .into_any(),
    };
    view! { <div class="living">{figure}</div> }
}

fn hint(page: Page) -> impl IntoView {
    let n = SENTENCES.len().to_string();
    view! {
        <p class="quiet">
            {move || page.filled(Text::ArrowsCaption, &[("n", &n)])} " "
            {page.text(Text::TurnHint)}
        </p>
    }
}
