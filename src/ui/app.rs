//! The whole page: header, the chosen view, footer.

use leptos::mount::mount_to;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use crate::browser::page_scope;
use crate::catalogue::text::Text;
use crate::state::action::Action;
use crate::state::route::View;
use crate::ui::compare::Compare;
use crate::ui::fine_tune::FineTune;
use crate::ui::geometry::Geometry;
use crate::ui::header::Header;
use crate::ui::lesson::Lesson;
use crate::ui::models::Models;
use crate::ui::notices::Notices;
use crate::ui::page::{Page, page};
use crate::ui::search::Search;

/// Draws the page in place of the loading message and starts it.
pub fn start() {
    let Some(root) = page_scope::document().and_then(|document| document.get_element_by_id("app"))
    else {
        return;
    };
    root.set_inner_html("");
    mount_to(root.unchecked_into::<HtmlElement>(), || view! { <App/> }).forget();
}

#[component]
fn App() -> impl IntoView {
    let page = Page::new();
    provide_context(page);
    let dark = page_scope::watch_media("(prefers-color-scheme: dark)", move |dark| {
        page.dispatch(Action::SystemDark(dark));
    });
    page.dispatch(Action::SystemDark(dark));
    page.dispatch(Action::Started {
        fragment: page_scope::fragment(),
        saved: page_scope::saved(),
        languages: page_scope::languages(),
    });
    page_scope::listen("hashchange", move || {
        page.dispatch(Action::FragmentChanged { fragment: page_scope::fragment() });
    });
    page_scope::listen("pagehide", move || page.dispatch(Action::Leaving));
    let view_now = page.part(|state| state.view);
    let chosen = move || match view_now.get() {
        View::Compare => view! { <Compare/> }.into_any(),
        View::Models => view! { <Models/> }.into_any(),
        View::FineTune => view! { <FineTune/> }.into_any(),
        View::Lesson => view! { <Lesson/> }.into_any(),
        View::Geometry => view! { <Geometry/> }.into_any(),
        View::Search => view! { <Search/> }.into_any(),
    };
    view! {
        <button class="skip" on:click=move |_| focus_main()>{page.text(Text::SkipToContent)}</button>
        <Header/>
        <Notices/>
        <main id="main" tabindex="-1">{chosen}</main>
        <Footer/>
    }
}

fn focus_main() {
    let main = page_scope::document().and_then(|document| document.get_element_by_id("main"));
    if let Some(main) = main.and_then(|main| main.dyn_into::<HtmlElement>().ok()) {
        // Focus is refused only for an element that is not in the page.
        let _ = main.focus();
    }
}

#[component]
fn Footer() -> impl IntoView {
    let page = page();
    let model = page.part(|state| {
        let hosted = state.hosted.first();
        let name = hosted.map_or_else(String::new, |model| model.name.clone());
        (name, hosted.map_or_else(String::new, |model| model.licence.clone()))
    });
    let licence = move || {
        let (model, licence) = model.get();
        page.filled(Text::SourceCode, &[("model", &model), ("licence", &licence)])
    };
    view! {
        <footer>
            <p>{page.text(Text::Promise)}</p>
            <p>{licence}</p>
        </footer>
    }
}
