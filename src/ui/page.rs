//! The views' handle on the state.

use leptos::prelude::*;

use crate::browser::page_scope;
use crate::catalogue::adapters::AdapterText;
use crate::catalogue::fill;
use crate::catalogue::language::Language;
use crate::catalogue::words::Words;
use crate::chart::ramp::{DARK, LIGHT, Palette};
use crate::protocol::readout::Side;
use crate::state::action::Action;
use crate::state::app::State;
use crate::state::update::update;
use crate::ui::effects;

/// State and dispatch, given to every view by the app.
#[derive(Clone, Copy)]
pub struct Page {
    state: RwSignal<State>,
    language: Memo<Language>,
    dark: Memo<bool>,
    /// Names of the two models, where another one is beside the one in use.
    models: Memo<Option<[String; 2]>>,
}

/// The page of this view.
pub fn page() -> Page {
    expect_context()
}

impl Page {
    /// A page in its first state.
    pub fn new() -> Self {
        let state = RwSignal::new(State::default());
        Self {
            state,
            language: Memo::new(move |_| state.with(|state| state.language)),
            dark: Memo::new(move |_| state.with(State::is_dark)),
            models: Memo::new(move |_| state.with(State::names_of_two)),
        }
    }

    /// Something happened.
    pub fn dispatch(self, action: Action) {
        let mut asked = Vec::new();
        self.state.update(|state| asked = update(state, action, page_scope::now_ms()));
        for effect in asked {
            effects::run(move |action| self.dispatch(action), effect);
        }
    }

    /// A part of the state; views that read it are drawn again only when it changes.
    pub fn part<T>(self, part: impl Fn(&State) -> T + Send + Sync + 'static) -> Memo<T>
    where
        T: PartialEq + Send + Sync + 'static,
    {
        Memo::new(move |_| self.state.with(&part))
    }

    /// A part of the state as it is now, for listeners.
    pub fn now<T>(self, part: impl FnOnce(&State) -> T) -> T {
        self.state.with_untracked(part)
    }

    /// The lesson's step now, for listeners.
    pub fn step_untracked(self) -> usize {
        self.state.with_untracked(|state| state.lesson.step)
    }

    /// The language in use.
    pub fn language(self) -> Language {
        self.language.get()
    }

    /// The words of a text, drawn again when the language changes.
    pub fn text(self, text: impl Words) -> Signal<&'static str> {
        Signal::derive(move || text.in_language(self.language.get()))
    }

    /// The words of a text now.
    pub fn words(self, text: impl Words) -> &'static str {
        text.in_language(self.language.get())
    }

    /// The words of a text with its places filled, now.
    pub fn filled(self, text: impl Words, places: &[(&str, &str)]) -> String {
        fill(self.words(text), places)
    }

    /// Words for a side: its model's name where the sides are two models, else before and after.
    pub fn side(self, side: Side) -> String {
        let names = self.models.get();
        match (side, names) {
            (Side::Before, Some([name, _])) | (Side::After, Some([_, name])) => name,
            (Side::Before, None) => self.words(AdapterText::Before).to_owned(),
            (Side::After, None) => self.words(AdapterText::After).to_owned(),
        }
    }

    /// [`Page::side`] within a sentence.
    pub fn side_within(self, side: Side) -> String {
        let words = self.side(side);
        if self.models.get().is_some() { words } else { words.to_lowercase() }
    }

    /// The colours of charts now.
    pub fn palette(self) -> Palette {
        if self.dark.get() { DARK } else { LIGHT }
    }

    /// Whether the page is drawn dark.
    pub fn is_dark(self) -> bool {
        self.dark.get()
    }

    /// The colours of charts, outside a view.
    pub fn palette_untracked(self) -> Palette {
        if self.dark.get_untracked() { DARK } else { LIGHT }
    }
}
