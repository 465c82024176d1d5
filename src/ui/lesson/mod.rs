//! The guided lesson: text that scrolls on the left, one figure on the right that follows it.

mod batch;
mod controls;
mod figure;
mod figures;
mod steps;
mod table;
mod training;

use leptos::ev;
use leptos::prelude::*;

use crate::browser::page_scope;
use crate::catalogue::lesson::LessonText as Text;
use crate::state::action::Action;
use crate::state::lesson::{LessonAction, STEPS};
use crate::ui::lesson::figure::LivingFigure;
use crate::ui::lesson::steps::StepText;
use crate::ui::loading::LoadingBar;
use crate::ui::page::{Page, page};

/// Titles of the steps.
const TITLES: [Text; STEPS] = [
    Text::ArrowsTitle,
    Text::ConeTitle,
    Text::ViewsTitle,
    Text::LossTitle,
    Text::TrainTitle,
    Text::SphereTitle,
    Text::TryTitle,
    Text::WhiteTitle,
    Text::EndTitle,
];

/// The Lesson view.
#[component]
pub fn Lesson() -> impl IntoView {
    let page = page();
    follow_scrolling(page);
    let model = page.part(|state| {
        let hosted = state.hosted.first().map(|model| model.name.clone());
        state.model.as_ref().map(|model| model.name.clone()).or(hosted).unwrap_or_default()
    });
    view! {
        <div class="lesson">
            <section class="intro">
                <h1>{page.text(Text::Title)}</h1>
                <p class="lead">{page.text(Text::Lead)}</p>
                <p class="quiet">
                    {move || page.filled(Text::ReadsCls, &[("model", &model.get())])}
                </p>
                <LoadingBar/>
            </section>
            <div class="lesson-body">
                <div class="lesson-text">
                    {(0..STEPS).map(|step| view! { <Step step/> }).collect_view()}
                </div>
                <div class="lesson-side">
                    <LivingFigure/>
                    <StepLinks/>
                </div>
            </div>
        </div>
    }
}

#[component]
fn Step(step: usize) -> impl IntoView {
    let page = page();
    let number = move || {
        let (n, total) = ((step + 1).to_string(), STEPS.to_string());
        page.filled(Text::StepNumber, &[("n", &n), ("total", &total)])
    };
    view! {
        <section class="lesson-step" id=id(step)>
            <p class="over numbers">{number}</p>
            <h2>{page.text(TITLES.get(step).copied().unwrap_or(Text::EndTitle))}</h2>
            <StepText step/>
        </section>
    }
}

/// One button a step: where the reader is, and a way to go elsewhere.
#[component]
fn StepLinks() -> impl IntoView {
    let page = page();
    let now = page.part(|state| state.lesson.step);
    let link = move |(step, title): (usize, Text)| {
        let label = move || {
            let (n, total) = ((step + 1).to_string(), STEPS.to_string());
            let places = [("n", n.as_str()), ("total", &total), ("title", page.words(title))];
            page.filled(Text::StepOf, &places)
        };
        view! {
            <button
                class="step-link"
                aria-label=label
                title=label
                aria-current=move || (now.get() == step).then_some("step")
                on:click=move |_| go_to(page, step)
            >
                {step + 1}
            </button>
        }
    };
    view! {
        <div class="step-links" role="group" aria-label=page.text(Text::StepsLabel)>
            {TITLES.into_iter().enumerate().map(link).collect_view()}
        </div>
    }
}

/// Brings a step to reading height.
fn go_to(page: Page, step: usize) {
    page_scope::reveal(&format!("#{}", id(step)));
    page.dispatch(Action::Lesson(LessonAction::StepReached(step)));
}

fn id(step: usize) -> String {
    format!("lesson-{}", step + 1)
}

/// Tells the state which step lies at reading height.
fn follow_scrolling(page: Page) {
    let reached = move || {
        let line = page_scope::viewport_height() * 0.6;
        let above = |step: &usize| page_scope::top_of(&format!("#{}", id(*step))) <= Some(line);
        let step = (0..STEPS).take_while(above).last().unwrap_or(0);
        if page.step_untracked() != step {
            page.dispatch(Action::Lesson(LessonAction::StepReached(step)));
        }
    };
    // The steps are on the page after this turn.
    let come = move || {
        page_scope::after(0, move || {
            if page_scope::top_of(&format!("#{}", id(0))).is_none() {
                return;
            }
            match page.step_untracked() {
                0 => reached(),
                step => go_to(page, step),
            }
        });
    };
    let handle = window_event_listener(ev::scroll, move |_| reached());
    on_cleanup(move || handle.remove());
    let handle = window_event_listener(ev::hashchange, move |_| come());
    on_cleanup(move || handle.remove());
    come();
}
