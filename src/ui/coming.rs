//! The view that is still empty says what is coming.

use leptos::prelude::*;

use crate::catalogue::text::Text;
use crate::ui::page::page;

/// What will be here.
#[component]
pub fn Coming() -> impl IntoView {
    let page = page();
    view! {
        <section class="coming">
            <h1>{page.text(Text::ComingTitle)}</h1>
            <p class="lead">{page.text(Text::ComingSearch)}</p>
            <p>{page.text(Text::ComingUntil)}</p>
            <a class="primary" href="#/compare">{page.text(Text::GoToCompare)}</a>
        </section>
    }
}
