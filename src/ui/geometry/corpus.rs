//! The sentences that are looked at, and what they were understood as.

use std::sync::Arc;

use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::File;

use crate::catalogue::geometry::GeometryText as Text;
use crate::catalogue::numbers::grouped;
use crate::catalogue::text::Text as PageText;
use crate::state::action::Action;
use crate::state::app::State;
use crate::state::geometry::corpus::Bundled;
use crate::state::geometry::{Arrival, Elsewhere, GeometryAction as Do};
use crate::ui::geometry::columns::Columns;
use crate::ui::list::{file_words, read_text};
use crate::ui::page::{Page, page};
use crate::ui::parts::FileButton;

/// A longer text is not put into the box: browsers take seconds for it.
const MOST_SHOWN_BYTES: usize = 400_000;
/// Characters of a longer text that are shown.
const PREVIEW: usize = 2_000;

/// The corpus: a collection that comes with the page, or the visitor's own.
#[component]
pub fn Sentences() -> impl IntoView {
    let page = page();
    let note = page.part(|state| state.geometry.source.bundled.map(bundled_how));
    view! {
        <section class="geometry-corpus" aria-labelledby="geometry-sentences">
            <h2 id="geometry-sentences">{page.text(Text::CorpusTitle)}</h2>
            <Examples/>
            <Comings/>
            <div>
                {move || note.get().map(|how| view! { <p>{page.words(how)}</p> })}
                <Facts/>
            </div>
            <Own/>
            <Trouble/>
        </section>
    }
}

/// What a file that is dropped or picked is taken for.
pub fn take_file(page: Page, file: File) {
    spawn_local(async move {
        if let Some((name, text)) = read_text(page, file).await {
            page.dispatch(Action::Geometry(Do::FileRead { name, text }));
        }
    });
}

/// The text itself, folded away while it is one of ours.
#[component]
fn Own() -> impl IntoView {
    let page = page();
    let can_undo = page.part(|state| state.geometry.can_undo());
    let is_bundled = page.part(|state| state.geometry.source.bundled.is_some());
    // Opened once a text of the visitor's is there; what the visitor folds stays so.
    let is_open = RwSignal::new(!is_bundled.get_untracked());
    Effect::new(move |_| {
        if !is_bundled.get() {
            is_open.set(true);
        }
    });
    let act = move |action: Do| page.dispatch(Action::Geometry(action));
    let picked = move |file: File| take_file(page, file);
    let undo = move || {
        can_undo.get().then(|| view! {
            <button class="plain" on:click=move |_| act(Do::TextUndone)>{page.words(Text::UndoText)}</button>
        })
    };
    view! {
        <details class="geometry-own" prop:open=move || is_open.get()>
            <summary>{page.text(Text::CorpusOwn)}</summary>
            <div class="geometry-own-inner">
                <p class="quiet">{page.text(Text::CorpusHow)}</p>
                <SourceText/>
                <div class="actions">
                    <FileButton
                        text=PageText::ChooseFile
                        accept=".txt,.md,.csv,.tsv,.tab,.jsonl,.ndjson,.json,text/plain,text/csv"
                        on_file=picked
                    />
                    <TakeButton elsewhere=Elsewhere::Compare/>
                    <TakeButton elsewhere=Elsewhere::FineTune/>
                    {undo}
                </div>
                <Columns/>
            </div>
        </details>
    }
}

/// What a collection is good for.
fn bundled_how(bundled: Bundled) -> Text {
    match bundled {
        Bundled::Pairs => Text::BundledPairsHow,
        Bundled::Everyday => Text::BundledEverydayHow,
        Bundled::Senses => Text::BundledSensesHow,
        Bundled::Questions => Text::BundledQuestionsHow,
        Bundled::Stories => Text::BundledStoriesHow,
    }
}

fn bundled_name(bundled: Bundled) -> Text {
    match bundled {
        Bundled::Pairs => Text::BundledPairs,
        Bundled::Everyday => Text::BundledEveryday,
        Bundled::Senses => Text::BundledSenses,
        Bundled::Questions => Text::BundledQuestions,
        Bundled::Stories => Text::BundledStories,
    }
}

#[component]
fn Examples() -> impl IntoView {
    let page = page();
    let bundled = page.part(|state| state.geometry.source.bundled);
    let choices = Bundled::ALL.map(|this| {
        let choose = move |_| page.dispatch(Action::Geometry(Do::BundledChosen(this)));
        view! {
            <button
                class="chip"
                aria-pressed=move || (bundled.get() == Some(this)).to_string()
                on:click=choose
            >
                {page.text(bundled_name(this))}
            </button>
        }
    });
    view! {
        <div class="chips" role="group" aria-label=page.text(PageText::Examples)>
            <span class="quiet">{page.text(PageText::Examples)}</span>
            {choices.collect_view()}
        </div>
    }
}

/// What is on its way, or did not come.
#[component]
fn Comings() -> impl IntoView {
    let page = page();
    let arrival = page.part(|state| state.geometry.arrival.clone());
    move || {
        arrival.get().map(|arrival| match arrival {
            Arrival::Coming(bundled, _) => {
                let name = page.words(bundled_name(bundled));
                let words = page.filled(Text::CorpusComing, &[("name", name)]);
                view! { <p class="quiet" role="status">{words}</p> }.into_any()
            }
            Arrival::Failed { bundled, detail } => {
                let name = page.words(bundled_name(bundled));
                let words = [("name", name), ("detail", detail.as_str())];
                let words = page.filled(Text::CorpusMissing, &words);
                let again = move |_| page.dispatch(Action::Geometry(Do::BundledChosen(bundled)));
                view! {
                    <div class="error" role="alert">
                        {words} " "
                        <button class="plain" on:click=again>{page.words(Text::Again)}</button>
                    </div>
                }
                .into_any()
            }
        })
    }
}

/// The box; a text too long for it is shown from its beginning.
#[component]
fn SourceText() -> impl IntoView {
    let page = page();
    let text = page.part(|state| Arc::clone(&state.geometry.source.text));
    let is_long = Memo::new(move |_| text.with(|text| text.len() > MOST_SHOWN_BYTES));
    let typed = move |event| page.dispatch(Action::Geometry(Do::Typed(event_target_value(&event))));
    move || {
        if is_long.get() {
            return view! { <LongText text/> }.into_any();
        }
        view! {
            <label class="hidden" for="geometry-text">{page.text(Text::CorpusLabel)}</label>
            <textarea
                id="geometry-text"
                rows="8"
                dir="auto"
                spellcheck="false"
                prop:value=move || text.get().to_string()
                on:input=typed
            ></textarea>
        }
        .into_any()
    }
}

#[component]
fn LongText(text: Memo<Arc<str>>) -> impl IntoView {
    let page = page();
    let beginning = move || text.with(|text| text.chars().take(PREVIEW).collect::<String>());
    let words = move || {
        let megabytes = text.with(|text| format!("{:.1}", text.len() as f64 / 1e6));
        page.filled(Text::CorpusLong, &[("megabytes", &megabytes)])
    };
    let empty = move |_| page.dispatch(Action::Geometry(Do::Typed(String::new())));
    view! {
        <p class="quiet">
            {words} " "
            <button class="plain" on:click=empty>{page.text(Text::CorpusEmpty)}</button>
        </p>
        <pre class="geometry-preview" dir="auto" tabindex="0">{beginning} "…"</pre>
    }
}

#[component]
fn TakeButton(elsewhere: Elsewhere) -> impl IntoView {
    let page = page();
    let is_empty = page.part(move |state| !state.has_sentences(elsewhere));
    let name = match elsewhere {
        Elsewhere::Compare => Text::TakeCompare,
        Elsewhere::FineTune => Text::TakeFineTune,
    };
    let take = move |_| page.dispatch(Action::Geometry(Do::TakenFrom(elsewhere)));
    view! {
        <button class="plain" disabled=move || is_empty.get() on:click=take>{page.text(name)}</button>
    }
}

#[component]
fn Facts() -> impl IntoView {
    let page = page();
    let counts = page.part(Counts::of);
    view! {
        <span class="quiet numbers" role="status">
            {move || facts(page, &counts.get()).join(" · ")}
        </span>
    }
}

/// What is said of a corpus.
#[derive(Clone, PartialEq)]
struct Counts {
    sentences: usize,
    positives: usize,
    topics: usize,
    found: usize,
    repeated: usize,
    skipped: usize,
    is_sample: bool,
    /// The file that it came from.
    name: Option<String>,
}

impl Counts {
    fn of(state: &State) -> Self {
        let corpus = &state.geometry.corpus;
        let source = &state.geometry.source;
        Self {
            sentences: corpus.sentences.len(),
            positives: corpus.positives.len(),
            topics: corpus.topics.names.len(),
            found: corpus.found,
            repeated: corpus.repeated,
            skipped: corpus.skipped,
            is_sample: corpus.is_sample,
            name: source.name.clone().filter(|_| source.bundled.is_none()),
        }
    }
}

fn facts(page: Page, counts: &Counts) -> Vec<String> {
    let number = |count: usize| grouped(count as u64);
    let counted =
        |text: Text, count: usize| (count > 0).then(|| page.filled(text, &[("n", &number(count))]));
    let sentences = number(counts.sentences);
    let mut facts = vec![page.filled(Text::FactSentences, &[("n", &sentences)])];
    facts.extend(counted(Text::FactTopics, counts.topics));
    facts.extend(counted(Text::FactPositives, counts.positives));
    facts.extend(counted(Text::FactRepeated, counts.repeated));
    facts.extend(counted(Text::FactSkipped, counts.skipped));
    if counts.is_sample {
        let found = number(counts.found);
        let places = [("n", sentences.as_str()), ("found", found.as_str())];
        facts.push(page.filled(Text::FactSample, &places));
    }
    let file = counts.name.as_ref();
    facts.extend(file.map(|name| page.filled(Text::FactFile, &[("name", name.as_str())])));
    facts
}

#[component]
fn Trouble() -> impl IntoView {
    let page = page();
    let trouble =
        page.part(|state| (state.geometry.trouble.clone(), state.geometry.corpus.is_enough()));
    move || {
        let (trouble, is_enough) = trouble.get();
        if let Some((name, error)) = trouble {
            let (happened, remedy) = file_words(page, &name, &error);
            return Some(
                view! { <p class="error" role="alert">{happened} " " {remedy}</p> }.into_any(),
            );
        }
        (!is_enough).then(|| view! { <p class="note">{page.words(Text::TooFew)}</p> }.into_any())
    }
}
