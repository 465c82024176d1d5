//! Step 2: the recipe in a line, presets, and every field under "Advanced".

use leptos::prelude::*;

use crate::catalogue::fine_tune::FineTuneText as Text;
use crate::catalogue::numbers::grouped;
use crate::state::action::Action;
use crate::state::fine_tune::FineTuneAction as Do;
use crate::state::fine_tune::draft::{FieldTrouble, Preset};
use crate::state::fine_tune::field::Field;
use crate::ui::fine_tune::names::{choice_words, field_words, preset_words, summary, value_words};
use crate::ui::page::{Page, page};

/// The recipe.
#[component]
pub fn Recipe() -> impl IntoView {
    let page = page();
    let recipe = page.part(|state| state.fine_tune.draft.recipe.clone());
    let is_advised = page.part(|state| state.fine_tune.draft.is(Preset::SimCse));
    let is_empty = page.part(|state| state.fine_tune.material.examples.is_empty());
    let follows = move || {
        is_advised.get().then(|| {
            view! { <p class="quiet">{page.words(Text::RecipeFollows)}</p> }
        })
    };
    let fields = Field::ALL.map(|field| view! { <FieldRow field/> });
    view! {
        <section class="tune-step" aria-labelledby="tune-recipe">
            <h2 id="tune-recipe">{page.text(Text::StepRecipe)}</h2>
            {move || (!is_empty.get()).then(|| view! {
                <p class="numbers">{summary(page, &recipe.get())}</p>
                {follows}
            })}
            <Presets/>
            <details class="tune-advanced">
                <summary>{page.text(Text::Advanced)}</summary>
                <div class="tune-fields">{fields.collect_view()}</div>
            </details>
        </section>
    }
}

#[component]
fn Presets() -> impl IntoView {
    let page = page();
    let chosen =
        page.part(|state| Preset::ALL.into_iter().find(|preset| state.fine_tune.draft.is(*preset)));
    let chips = Preset::ALL.map(|preset| {
        let (name, papers) = preset_words(preset);
        view! {
            <button
                class="chip"
                aria-pressed=move || (chosen.get() == Some(preset)).to_string()
                title=page.text(papers)
                on:click=move |_| page.dispatch(Action::FineTune(Do::PresetChosen(preset)))
            >
                {page.text(name)}
            </button>
        }
    });
    let papers = move || chosen.get().map(|preset| page.words(preset_words(preset).1));
    view! {
        <div class="chips" role="group" aria-label=page.text(Text::Presets)>
            <span class="quiet">{page.text(Text::Presets)}</span>
            {chips.collect_view()}
        </div>
        <p class="quiet tune-paper">{papers}</p>
    }
}

/// One field: name, input, what it does, the paper's value, the way back.
#[component]
fn FieldRow(field: Field) -> impl IntoView {
    let page = page();
    let applies = page.part(move |state| field.applies(&state.fine_tune.draft.recipe));
    let (name, help) = field_words(field);
    let id = field_id(field);
    let help_id = format!("{id}-help");
    let trouble = page.part(move |state| state.fine_tune.draft.trouble(field));
    let wrong = move || {
        trouble.get().map(|trouble| {
            view! { <p class="error" role="alert">{trouble_words(page, trouble)}</p> }
        })
    };
    let papers = field.papers().map(|value| {
        move || page.filled(Text::PapersValue, &[("value", &value_words(page, field, value))])
    });
    move || {
        applies.get().then(|| {
            view! {
                <div class="tune-field" class:wide=!field.choices().is_empty()>
                    <label for=id.clone()>{page.text(name)}</label>
                    <FieldInput field id=id.clone() help_id=help_id.clone()/>
                    <p class="quiet" id=help_id.clone()>
                        {page.text(help)} " " <span class="numbers">{papers}</span>
                    </p>
                    <ResetButton field/>
                    {wrong}
                </div>
            }
        })
    }
}

#[component]
fn FieldInput(field: Field, id: String, help_id: String) -> impl IntoView {
    let page = page();
    let text = page.part(move |state| state.fine_tune.draft.text(field));
    let wrong = page.part(move |state| state.fine_tune.draft.trouble(field).is_some());
    let write = move |value: String| {
        page.dispatch(Action::FineTune(Do::FieldTyped(field, value)));
    };
    if field.choices().is_empty() {
        return view! {
            <input
                id=id
                type="text"
                inputmode="decimal"
                autocomplete="off"
                aria-describedby=help_id
                aria-invalid=move || wrong.get().to_string()
                prop:value=move || text.get()
                on:input=move |event| write(event_target_value(&event))
            />
        }
        .into_any();
    }
    let options = field.choices().iter().filter_map(|value| {
        let words = choice_words(field, value)?;
        Some(view! {
            <option value=*value prop:selected=move || text.get() == *value>{page.text(words)}</option>
        })
    });
    view! {
        <select
            id=id
            aria-describedby=help_id
            on:change=move |event| write(event_target_value(&event))
        >
            {options.collect_view()}
        </select>
    }
    .into_any()
}

#[component]
fn ResetButton(field: Field) -> impl IntoView {
    let page = page();
    let differs = page.part(move |state| {
        let draft = &state.fine_tune.draft;
        draft.differs(field).then(|| draft.default_text(field))
    });
    move || {
        differs.get().map(|value| {
            let name = page.words(field_words(field).0);
            let value = value_words(page, field, &value);
            let label = page.filled(Text::ResetField, &[("field", name), ("value", &value)]);
            view! {
                <button
                    class="plain"
                    aria-label=label.clone()
                    title=label
                    on:click=move |_| page.dispatch(Action::FineTune(Do::FieldReset(field)))
                >
                    {page.words(Text::Reset)}
                </button>
            }
        })
    }
}

/// What is wrong with a field, in words.
pub fn trouble_words(page: Page, trouble: FieldTrouble) -> String {
    match trouble {
        FieldTrouble::NotAValue => page.words(Text::NotAValue).to_owned(),
        FieldTrouble::NotWhole { low, high } => {
            page.filled(Text::NotWhole, &[("low", &limit(low)), ("high", &limit(high))])
        }
        FieldTrouble::OutOfRange(wrong) => {
            let (low, high) = (limit(wrong.low), limit(wrong.high));
            page.filled(Text::OutOfRange, &[("low", &low), ("high", &high)])
        }
    }
}

/// `1,000,000`, `0.0001`
fn limit(value: f64) -> String {
    if value >= 1000.0 { grouped(value as u64) } else { value.to_string() }
}

/// The id of a field's input.
pub fn field_id(field: Field) -> String {
    format!("tune-{}", slug(field))
}

/// `learning-rate`
fn slug(field: Field) -> String {
    let mut slug = String::new();
    for character in format!("{field:?}").chars() {
        if character.is_uppercase() && !slug.is_empty() {
            slug.push('-');
        }
        slug.extend(character.to_lowercase());
    }
    slug
}
