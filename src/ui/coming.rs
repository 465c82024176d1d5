//! Views that are still empty say what is coming.

use leptos::prelude::*;

use crate::catalogue::text::Text;
use crate::state::route::View;
use crate::ui::page::page;

/// What will be here.
#[component]
pub fn Coming(view: View) -> impl IntoView {
    let page = page();
    let text = match view {
        View::Geometry => Text::ComingGeometry,
        View::Search | View::Compare | View::FineTune | View::Lesson | View::Models => {
            Text::ComingSearch
        }
    };
    view! {
        <section class="coming">
            <h1>{page.text(Text::ComingTitle)}</h1>
            <p class="lead">{page.text(text)}</p>
            <p>{page.text(Text::ComingUntil)}</p>
            <a class="primary" href="#/compare">{page.text(Text::GoToCompare)}</a>
        </section>
    }
}
