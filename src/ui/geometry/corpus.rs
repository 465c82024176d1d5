//! The sentences that are looked at, and what they were understood as.

use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::File;

use crate::catalogue::geometry::GeometryText as Text;
use crate::catalogue::numbers::grouped;
use crate::catalogue::text::Text as PageText;
use crate::state::action::Action;
use crate::state::geometry::GeometryAction as Do;
use crate::state::geometry::corpus::{Bundled, Corpus};
use crate::ui::list::{file_words, read_text};
use crate::ui::page::{Page, page};
use crate::ui::parts::{DropZone, FileButton};

/// Sentences, or pairs.
#[component]
pub fn Sentences() -> impl IntoView {
    let page = page();
    let text = page.part(|state| state.geometry.source.text.clone());
    let bundled = page.part(|state| state.geometry.bundled());
    let can_undo = page.part(|state| state.geometry.can_undo());
    let act = move |action: Do| page.dispatch(Action::Geometry(action));
    let picked = move |file: File| {
        spawn_local(async move {
            if let Some((name, text)) = read_text(page, file).await {
                page.dispatch(Action::Geometry(Do::FileRead { name, text }));
            }
        });
    };
    let choices = Bundled::ALL.map(|this| {
        view! {
            <button
                class="chip"
                aria-pressed=move || (bundled.get() == Some(this)).to_string()
                on:click=move |_| act(Do::BundledChosen(this))
            >
                {page.text(bundled_name(this))}
            </button>
        }
    });
    let undo = move || {
        can_undo.get().then(|| view! {
            <button class="plain" on:click=move |_| act(Do::TextUndone)>{page.words(Text::UndoText)}</button>
        })
    };
    let note = move || {
        bundled.get().map(|_| view! { <p class="quiet">{page.words(Text::BundledNote)}</p> })
    };
    view! {
        <DropZone on_file=picked hint=Text::CorpusDrop>
            <section class="geometry-corpus" aria-labelledby="geometry-sentences">
                <h2 id="geometry-sentences">{page.text(Text::CorpusTitle)}</h2>
                <p class="quiet">{page.text(Text::CorpusHow)}</p>
                <div class="chips" role="group" aria-label=page.text(PageText::Examples)>
                    <span class="quiet">{page.text(PageText::Examples)}</span>
                    {choices.collect_view()}
                </div>
                <label class="hidden" for="geometry-text">{page.text(Text::CorpusLabel)}</label>
                <textarea
                    id="geometry-text"
                    rows="8"
                    dir="auto"
                    spellcheck="false"
                    prop:value=move || text.get()
                    on:input=move |event| act(Do::Typed(event_target_value(&event)))
                ></textarea>
                <div class="actions">
                    <FileButton
                        text=PageText::ChooseFile
                        accept=".txt,.csv,.tsv,.tab,.md,text/plain,text/csv"
                        on_file=picked
                    />
                    {undo}
                    <Facts/>
                </div>
                {note}
                <Trouble/>
            </section>
        </DropZone>
    }
}

fn bundled_name(bundled: Bundled) -> Text {
    match bundled {
        Bundled::Pairs => Text::BundledPairs,
        Bundled::Everyday => Text::BundledEveryday,
    }
}

#[component]
fn Facts() -> impl IntoView {
    let page = page();
    let corpus = page.part(|state| {
        let Corpus { found, repeated, skipped, is_sample, .. } = state.geometry.corpus;
        let corpus = &state.geometry.corpus;
        let counts = (corpus.sentences.len(), corpus.positives.len());
        (counts, found, repeated, skipped, is_sample)
    });
    let facts = move || {
        let ((sentences, positives), found, repeated, skipped, is_sample) = corpus.get();
        facts(page, (sentences, positives), found, [repeated, skipped], is_sample).join(" · ")
    };
    view! { <span class="quiet numbers" role="status">{facts}</span> }
}

fn facts(
    page: Page,
    (sentences, positives): (usize, usize),
    found: usize,
    [repeated, skipped]: [usize; 2],
    is_sample: bool,
) -> Vec<String> {
    let number = |count: usize| grouped(count as u64);
    let counted =
        |text: Text, count: usize| (count > 0).then(|| page.filled(text, &[("n", &number(count))]));
    let mut facts = vec![page.filled(Text::FactSentences, &[("n", &number(sentences))])];
    facts.extend(counted(Text::FactPositives, positives));
    facts.extend(counted(Text::FactRepeated, repeated));
    facts.extend(counted(Text::FactSkipped, skipped));
    if is_sample {
        let places = [("n", number(sentences)), ("found", number(found))];
        let places = places.each_ref().map(|(name, value)| (*name, value.as_str()));
        facts.push(page.filled(Text::FactSample, &places));
    }
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
