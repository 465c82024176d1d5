//! What the reader moves: a sentence, dropout, temperature, a row, a subject.

use leptos::prelude::*;

use crate::catalogue::lesson::LessonText as Text;
use crate::catalogue::lesson_sentences::{OF_A_SUBJECT, SENTENCES};
use crate::catalogue::numbers::decimals;
use crate::state::action::Action;
use crate::state::app::State;
use crate::state::lesson::{Cloud, LessonAction, MOST_DROPOUT, SIDE};
use crate::ui::lesson::figures::two;
use crate::ui::page::page;

/// Positions of the temperature's slider from .01 to 1, evenly in the logarithm.
const TEMPERATURES: i32 = 40;

/// Names of the subjects of the bundled sentences, in their order.
const SUBJECTS: [Text; SENTENCES.len() / OF_A_SUBJECT] = [
    Text::SubjectKitchen,
    Text::SubjectWeather,
    Text::SubjectFootball,
    Text::SubjectWay,
    Text::SubjectComputers,
    Text::SubjectHealth,
    Text::SubjectMusic,
    Text::SubjectAnimals,
    Text::SubjectSpace,
    Text::SubjectMoney,
    Text::SubjectGarden,
    Text::SubjectSchool,
];

/// The reader's own sentence, and its nearest among the bundled ones.
#[component]
pub fn OwnSentence() -> impl IntoView {
    let page = page();
    let own = page.part(|state| state.lesson.own.clone());
    let near = page.part(nearest);
    let typed = move |event| {
        page.dispatch(Action::Lesson(LessonAction::OwnTyped(event_target_value(&event))));
    };
    let lines = move || {
        near.get()
            .into_iter()
            .map(|(cosine, text)| {
                view! { <li><b class="numbers">{two(f64::from(cosine))}</b> " " {text}</li> }
            })
            .collect_view()
    };
    let n = SENTENCES.len().to_string();
    view! {
        <label class="field">
            <span>{page.text(Text::ArrowsTry)}</span>
            <input type="text" dir="auto" prop:value=move || own.get() on:input=typed/>
        </label>
        <p class="quiet">{move || page.filled(Text::ArrowsNearest, &[("n", &n)])}</p>
        <ol class="nearest">{lines}</ol>
    }
}

/// The three bundled sentences nearest to the reader's, before.
fn nearest(state: &State) -> Vec<(f32, &'static str)> {
    const SHOWN: usize = 3;
    let Some(measured) = state.lesson.measured(Cloud::Before) else { return Vec::new() };
    let mut near: Vec<(f32, &str)> = measured.with_own.iter().copied().zip(SENTENCES).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    near.truncate(SHOWN);
    near
}

/// A slider with its value beside it.
#[component]
fn Slider(
    label: Text,
    most: i32,
    place: Memo<i32>,
    shown: Signal<String>,
    chosen: impl Fn(i32) + Copy + 'static,
) -> impl IntoView {
    let page = page();
    let moved = move |event| {
        if let Ok(place) = event_target_value(&event).parse() {
            chosen(place);
        }
    };
    view! {
        <label class="field slider">
            <span>{page.text(label)} " = " <b class="numbers">{move || shown.get()}</b></span>
            <input
                type="range" min="0" max=most step="1"
                aria-valuetext=move || shown.get()
                prop:value=move || place.get()
                on:input=moved
            />
        </label>
    }
}

/// Dropout, in hundredths.
#[component]
pub fn DropoutSlider() -> impl IntoView {
    let page = page();
    let place = page.part(|state| (state.lesson.dropout * 100.0).round() as i32);
    let chosen = move |place: i32| {
        let dropout = place as f32 / 100.0;
        page.dispatch(Action::Lesson(LessonAction::DropoutChosen(dropout)));
    };
    let shown = Signal::derive(move || two(f64::from(place.get()) / 100.0));
    let again = move |_| page.dispatch(Action::Lesson(LessonAction::DrawnAgain));
    let most = (MOST_DROPOUT * 100.0) as i32;
    view! {
        <Slider label=Text::ViewsSlider most place shown chosen/>
        <button class="plain" on:click=again>{page.text(Text::ViewsAgain)}</button>
    }
}

/// Temperature, from .01 to 1.
#[component]
pub fn TemperatureSlider() -> impl IntoView {
    let page = page();
    let temperature = page.part(|state| state.lesson.temperature);
    let place = Memo::new(move |_| {
        ((temperature.get().log10() + 2.0) / 2.0 * TEMPERATURES as f32).round() as i32
    });
    let chosen = move |place: i32| {
        let temperature = 10_f32.powf(place as f32 / TEMPERATURES as f32 * 2.0 - 2.0);
        page.dispatch(Action::Lesson(LessonAction::TemperatureChosen(temperature)));
    };
    let shown = Signal::derive(move || decimals(temperature.get(), 3));
    view! { <Slider label=Text::LossSlider most=TEMPERATURES place shown chosen/> }
}

/// The matrix's rows.
#[component]
pub fn RowChoice() -> impl IntoView {
    let page = page();
    let row = page.part(|state| state.lesson.row);
    let button = move |place: usize| {
        let choose = move |_| page.dispatch(Action::Lesson(LessonAction::RowChosen(place)));
        view! {
            <button
                class="chip"
                aria-pressed=move || (row.get() == place).to_string()
                on:click=choose
            >
                {place + 1}
            </button>
        }
    };
    view! {
        <div class="chips" role="group" aria-label=page.text(Text::LossPick)>
            <span class="quiet">{page.text(Text::LossPick)}</span>
            {(0..SIDE).map(button).collect_view()}
        </div>
    }
}

/// The subjects, to ring one.
#[component]
pub fn SubjectChoice() -> impl IntoView {
    let page = page();
    let subject = page.part(|state| state.lesson.subject);
    let button = move |(place, text): (Option<usize>, Text)| {
        let choose = move |_| page.dispatch(Action::Lesson(LessonAction::SubjectChosen(place)));
        view! {
            <button
                class="chip"
                aria-pressed=move || (subject.get() == place).to_string()
                on:click=choose
            >
                {page.text(text)}
            </button>
        }
    };
    let all = SUBJECTS.into_iter().enumerate().map(|(place, text)| (Some(place), text));
    view! {
        <div class="chips" role="group" aria-label=page.text(Text::SphereSubject)>
            {std::iter::once((None, Text::SubjectNone)).chain(all).map(button).collect_view()}
        </div>
    }
}
