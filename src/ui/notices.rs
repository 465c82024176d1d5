//! Messages that do not belong to one place of the page.

use leptos::prelude::*;

use crate::catalogue::gpu::wrong_words;
use crate::catalogue::numbers::{grouped, megabytes};
use crate::catalogue::problems::explain;
use crate::catalogue::text::Text;
use crate::state::action::Action;
use crate::state::notice::{Notice, NoticeContent, Report};
use crate::ui::page::{Page, page};

/// The messages, newest last.
#[component]
pub fn Notices() -> impl IntoView {
    let page = page();
    let notices = page.part(|state| state.notices.clone());
    view! {
        <div class="notices" role="status" aria-live="polite">
            <For each=move || notices.get() key=|notice| notice.id children=move |notice| {
                view! { <NoticeCard notice/> }
            }/>
        </div>
    }
}

#[component]
fn NoticeCard(notice: Notice) -> impl IntoView {
    let page = page();
    let id = notice.id;
    let offers_undo =
        matches!(notice.content, NoticeContent::LinkOpened | NoticeContent::StartedOver);
    let undo = offers_undo.then(|| {
        view! {
            <button class="plain" on:click=move |_| page.dispatch(Action::Undone)>
                {page.text(Text::Undo)}
            </button>
        }
    });
    let content = notice.content;
    view! {
        <div class="card notice">
            <p>{move || words(page, &content)}</p>
            {undo}
            <button
                class="plain"
                on:click=move |_| page.dispatch(Action::NoticeDismissed(id))
            >
                {page.text(Text::Dismiss)}
            </button>
        </div>
    }
    .into_any()
}

fn words(page: Page, content: &NoticeContent) -> String {
    match content {
        NoticeContent::Report(report) => report_words(page, report),
        NoticeContent::Problem { problem, name } => {
            let words = explain(problem, page.language());
            let mut text = match name {
                Some(name) => {
                    page.filled(Text::ProblemAbout, &[("name", name), ("problem", &words.happened)])
                }
                None => words.happened,
            };
            text = format!("{text} {}", words.remedy);
            if name.is_some() {
                text = format!("{text} {}", page.words(Text::ProblemKept));
            }
            text
        }
        NoticeContent::WorkerRestarted { message } => {
            format!("{} ({message})", page.words(Text::WorkerRestarted))
        }
        NoticeContent::LinkOpened => page.words(Text::LinkOpened).to_owned(),
        NoticeContent::StartedOver => page.words(Text::StartedOver).to_owned(),
        NoticeContent::GpuWrong(report) => wrong_words(report, page.language()),
    }
}

fn report_words(page: Page, report: &Report) -> String {
    match report {
        Report::Copied => page.words(Text::Copied).to_owned(),
        Report::CopiedWithoutList { characters } => {
            page.filled(Text::CopiedWithoutList, &[("n", &grouped(*characters as u64))])
        }
        Report::CopyRefused => page.words(Text::CopyRefused).to_owned(),
        Report::Exported { name } => page.filled(Text::Exported, &[("name", name)]),
        Report::ExportFailed { detail } => page.filled(Text::ExportFailed, &[("detail", detail)]),
        Report::NotSaved => page.words(Text::NotSaved).to_owned(),
        Report::FileTooLarge { name, size_bytes, limit_bytes } => {
            let (mb, limit) = (megabytes(*size_bytes), megabytes(*limit_bytes));
            let places = [("name", name.as_str()), ("mb", &mb), ("limit", &limit)];
            let happened = page.filled(Text::ProblemFileLarge, &places);
            format!("{happened} {}", page.words(Text::RemedyListLong))
        }
        Report::FileUnreadable { name, detail } => {
            page.filled(Text::FileUnreadable, &[("name", name), ("detail", detail)])
        }
    }
}
