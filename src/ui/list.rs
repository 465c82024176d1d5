//! Many sentences: the box, files, progress.

use leptos::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::File;

use crate::browser::page_scope;
use crate::catalogue::examples::LISTS;
use crate::catalogue::fill;
use crate::catalogue::numbers::{duration, grouped};
use crate::catalogue::problems::explain;
use crate::catalogue::text::Text;
use crate::state::action::Action;
use crate::state::compare::{Job, ListTrouble};
use crate::state::notice::Report;
use crate::text::lists::{Content, ListError, Reading, decode, read_file};
use crate::ui::list_results::Results;
use crate::ui::page::{Page, page};
use crate::ui::parts::{DropZone, ExampleChips, FileButton};

/// Largest file that is read into the box.
const MOST_BYTES: u64 = 32_000_000;
/// A session holds such a file, and an adapter.
const MOST_SESSION_BYTES: u64 = 256_000_000;

/// The section below the two sentences.
#[component]
pub fn ManySentences() -> impl IntoView {
    let page = page();
    let text = page.part(|state| state.compare.text.list.clone());
    let picked = move |file: File| spawn_local(read(page, file));
    view! {
        <DropZone on_file=picked hint=Text::ManyDrop>
            <section class="many">
                <h2>{page.text(Text::ManyTitle)}</h2>
                <p class="quiet">{page.text(Text::ManyHow)}</p>
                <ExampleChips
                    labels=LISTS.iter().map(|example| example.label).collect()
                    choose=Action::ListExampleChosen
                />
                <label class="hidden" for="list">{page.text(Text::ManyLabel)}</label>
                <textarea
                    id="list"
                    rows="7"
                    dir="auto"
                    placeholder=page.text(Text::ManyPlaceholder)
                    prop:value=move || text.get()
                    on:input=move |event| page.dispatch(Action::ListTyped(event_target_value(&event)))
                ></textarea>
                <div class="actions">
                    <FileButton text=Text::ChooseFile accept=".txt,.csv,.tsv,.tab,.md,text/plain,text/csv" on_file=picked/>
                    <Understood/>
                </div>
                <Trouble/>
                <Progress/>
                <Results/>
            </section>
        </DropZone>
    }
}

/// Reads a file and hands it to the state.
async fn read(page: Page, file: File) {
    if let Some((name, bytes)) = read_bytes(page, file).await {
        let (reading, text) = understand(&name, &bytes);
        page.dispatch(Action::ListFileRead { name, reading, text });
    }
}

/// A file's name, and its text or why it has none; `None` where it could not be read from disk,
/// which the visitor is told.
pub async fn read_text(page: Page, file: File) -> Option<(String, Result<String, ListError>)> {
    let (name, bytes) = read_bytes(page, file).await?;
    Some((name, decode(&bytes)))
}

async fn read_bytes(page: Page, file: File) -> Option<(String, Vec<u8>)> {
    let name = file.name();
    let size_bytes = file.size() as u64;
    let is_session = name.ends_with(".simcse.json");
    let limit_bytes = if is_session { MOST_SESSION_BYTES } else { MOST_BYTES };
    if size_bytes > limit_bytes {
        let report = Report::FileTooLarge { name, size_bytes, limit_bytes };
        page.dispatch(Action::Reported(report));
        return None;
    }
    match JsFuture::from(file.array_buffer()).await {
        Ok(buffer) => Some((name, js_sys::Uint8Array::new(&buffer).to_vec())),
        Err(error) => {
            let detail = page_scope::words(&error);
            page.dispatch(Action::Reported(Report::FileUnreadable { name, detail }));
            None
        }
    }
}

fn understand(name: &str, bytes: &[u8]) -> (Result<Reading, ListError>, String) {
    match decode(bytes) {
        Ok(text) => (read_file(name, text.as_bytes()), text),
        Err(error) => (Err(error), String::new()),
    }
}

/// How the text is understood: so many sentences, or pairs.
#[component]
fn Understood() -> impl IntoView {
    let page = page();
    let facts = page.part(|state| {
        let reading = &state.compare.reading;
        let text = match &reading.content {
            Content::Empty => None,
            Content::Sentences(sentences) if sentences.len() == 1 => Some(Text::CountOneSentence),
            Content::Sentences(_) => Some(Text::CountSentences),
            Content::Pairs { gold, .. } if gold.is_empty() => Some(Text::CountPairs),
            Content::Pairs { .. } => Some(Text::CountScoredPairs),
        };
        let left_out = (reading.skipped, reading.bad_score.clone());
        (text, reading.content.len(), left_out, state.compare.text.list_name.clone())
    });
    move || {
        let (text, count, (skipped, bad_score), name) = facts.get();
        let mut parts = Vec::new();
        parts.extend(text.map(|text| page.filled(text, &[("n", &grouped(count as u64))])));
        if text.is_some() {
            parts.extend(name.map(|name| page.filled(Text::FromFile, &[("name", &name)])));
        }
        if skipped > 0 {
            parts.push(page.filled(Text::CountSkipped, &[("n", &grouped(skipped as u64))]));
        }
        parts.extend(bad_score.map(|bad| {
            let line = grouped(bad.line as u64);
            page.filled(Text::BadScore, &[("text", &bad.text), ("line", &line)])
        }));
        view! { <span class="quiet numbers" role="status">{parts.join(" · ")}</span> }
    }
}

#[component]
fn Trouble() -> impl IntoView {
    let page = page();
    let trouble = page.part(|state| state.compare.trouble.clone());
    move || {
        trouble.get().map(|trouble| {
            let (happened, remedy) = trouble_words(page, &trouble);
            view! { <p class="error" role="alert">{happened} " " {remedy}</p> }
        })
    }
}

fn trouble_words(page: Page, trouble: &ListTrouble) -> (String, String) {
    let words = |text: Text| page.words(text).to_owned();
    match trouble {
        ListTrouble::Worker(problem) => {
            let explanation = explain(problem, page.language());
            (explanation.happened, explanation.remedy)
        }
        ListTrouble::TooLong { found, limit } => {
            let (found, limit) = (grouped(*found as u64), grouped(*limit as u64));
            let places = [("found", found.as_str()), ("limit", limit.as_str())];
            (page.filled(Text::ProblemListLong, &places), words(Text::RemedyListLong))
        }
        ListTrouble::Crashed => (words(Text::ProblemListCrashed), words(Text::RemedyListCrashed)),
        ListTrouble::File { name, error } => {
            let (happened, remedy) = file_words(page, name, error);
            (happened, format!("{remedy} {}", page.words(Text::YourTextStays)))
        }
    }
}

/// A list's file that could not be read: what happened, and what to do.
pub fn file_words(page: Page, name: &str, error: &ListError) -> (String, String) {
    let (text, remedy, places) = match error {
        ListError::Encoding { position } => (
            Text::ProblemFileEncoding,
            Text::RemedyFileEncoding,
            vec![("name", name.to_owned()), ("position", grouped(*position as u64))],
        ),
        ListError::Binary { .. } => {
            (Text::ProblemFileBinary, Text::RemedyFileBinary, vec![("name", name.to_owned())])
        }
        ListError::Table { line, detail } => (
            Text::ProblemFileTable,
            Text::RemedyFileTable,
            vec![("name", name.to_owned()), ("line", line.to_string()), ("detail", detail.clone())],
        ),
    };
    let places: Vec<(&str, &str)> =
        places.iter().map(|(name, value)| (*name, value.as_str())).collect();
    (fill(page.words(text), &places), page.words(remedy).to_owned())
}

#[component]
fn Progress() -> impl IntoView {
    let page = page();
    let job = page.part(|state| state.compare.job);
    let cancelled = page.part(|state| state.compare.cancelled);
    move || match job.get() {
        None => cancelled.get().map(|job| given_up(page, &job)).into_any(),
        Some(job) => {
            let (done, total) = (grouped(u64::from(job.done)), grouped(u64::from(job.total)));
            view! {
                <div class="loading" role="status">
                    <progress max=job.total.max(1).to_string() value=job.done.to_string()></progress>
                    <div class="line">
                        <span class="numbers">
                            {page.filled(Text::Working, &[("done", &done), ("total", &total)])}
                        </span>
                        <span class="numbers quiet">{pace(page, &job)}</span>
                        <button class="plain" on:click=move |_| page.dispatch(Action::ListCancelled)>
                            {page.words(Text::Cancel)}
                        </button>
                    </div>
                </div>
            }
            .into_any()
        }
    }
}

/// Where the visitor stopped it, and the way back.
fn given_up(page: Page, job: &Job) -> impl IntoView + use<> {
    let (done, total) = (grouped(u64::from(job.done)), grouped(u64::from(job.total)));
    view! {
        <div class="loading line" role="status">
            <span>{page.filled(Text::CancelledAt, &[("done", &done), ("total", &total)])}</span>
            <button class="plain" on:click=move |_| page.dispatch(Action::ListResumed)>
                {page.words(Text::ComputeAgain)}
            </button>
        </div>
    }
}

fn pace(page: Page, job: &Job) -> Option<String> {
    if job.elapsed_ms < 300.0 || job.done == 0 {
        return None;
    }
    let per_s = f64::from(job.done) * 1000.0 / job.elapsed_ms;
    let left = duration(f64::from(job.total.saturating_sub(job.done)) / per_s, page.language());
    let rate = grouped(per_s.round() as u64);
    Some(page.filled(Text::WorkingRate, &[("rate", &rate), ("time", &left)]))
}
