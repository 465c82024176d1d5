//! Name, views, status, language, appearance.

use leptos::prelude::*;

use crate::catalogue::language::Language;
use crate::catalogue::text::Text;
use crate::state::action::Action;
use crate::state::route::{Route, View};
use crate::state::settings::Theme;
use crate::ui::fine_tune::note::TrainingNote;
use crate::ui::page::page;
use crate::ui::side_switch::SideSwitch;
use crate::ui::status::Status;

/// The page's header.
#[component]
pub fn Header() -> impl IntoView {
    let page = page();
    view! {
        <header class="top">
            <a class="brand" href="#/compare">
                <Mark/>
                <span>{page.text(Text::AppName)}</span>
            </a>
            <nav aria-label=page.text(Text::Views)>
                {View::ALL.map(|view| view! { <ViewLink view/> }).collect_view()}
            </nav>
            <div class="tools">
                <TrainingNote/>
                <SideSwitch/>
                <Status/>
                <LanguageChoice/>
                <ThemeChoice/>
            </div>
        </header>
    }
}

/// A cone of dots that opens into a circle: what training does to embeddings.
#[component]
fn Mark() -> impl IntoView {
    view! {
        <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
            <circle class="before" cx="7" cy="16" r="2.4"/>
            <circle class="before" cx="11.5" cy="13.2" r="2.1"/>
            <circle class="before" cx="11.5" cy="18.8" r="2.1"/>
            <circle class="after" cx="18" cy="9" r="2"/>
            <circle class="after" cx="18.5" cy="16" r="2"/>
            <circle class="after" cx="18" cy="23" r="2"/>
            <circle class="after" cx="25" cy="6.5" r="1.9"/>
            <circle class="after" cx="26.5" cy="13" r="1.9"/>
            <circle class="after" cx="26.5" cy="19.5" r="1.9"/>
            <circle class="after" cx="25" cy="26" r="1.9"/>
        </svg>
    }
}

/// Name of a view.
fn view_name(view: View) -> Text {
    match view {
        View::Compare => Text::ViewCompare,
        View::Search => Text::ViewSearch,
        View::Geometry => Text::ViewGeometry,
        View::FineTune => Text::ViewFineTune,
        View::Lesson => Text::ViewLesson,
        View::Models => Text::ViewModels,
    }
}

#[component]
fn ViewLink(view: View) -> impl IntoView {
    let page = page();
    let current = page.part(move |state| state.view == view);
    view! {
        <a
            href=Route { view, ..Route::default() }.to_fragment()
            aria-current=move || current.get().then_some("page")
        >
            {page.text(view_name(view))}
        </a>
    }
}

#[component]
fn LanguageChoice() -> impl IntoView {
    let page = page();
    let chosen = move |event| {
        let tag = event_target_value(&event);
        if let Some(language) = Language::ALL.into_iter().find(|language| language.tag() == tag) {
            page.dispatch(Action::LanguageChosen(language));
        }
    };
    view! {
        <select
            aria-label=page.text(Text::LanguageLabel)
            prop:value=move || page.language().tag()
            on:change=chosen
        >
            {Language::ALL
                .map(|language| view! {
                    <option value=language.tag() prop:selected=move || page.language() == language>
                        {language.name()}
                    </option>
                })
                .collect_view()}
        </select>
    }
}

#[component]
fn ThemeChoice() -> impl IntoView {
    let page = page();
    let theme = page.part(|state| state.theme);
    let themes = [
        (Theme::System, "system", Text::ThemeSystem),
        (Theme::Light, "light", Text::ThemeLight),
        (Theme::Dark, "dark", Text::ThemeDark),
    ];
    let chosen = move |event| {
        let value = event_target_value(&event);
        if let Some((theme, ..)) = themes.into_iter().find(|(_, name, _)| *name == value) {
            page.dispatch(Action::ThemeChosen(theme));
        }
    };
    view! {
        <select aria-label=page.text(Text::ThemeLabel) on:change=chosen>
            {themes
                .map(|(this, name, text)| view! {
                    <option value=name prop:selected=move || theme.get() == this>{page.text(text)}</option>
                })
                .collect_view()}
        </select>
    }
}
