//! Step 1: the sentences, what they were understood as, what to know of them, what is measured.

use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::File;

use crate::catalogue::fine_tune::FineTuneText as Text;
use crate::catalogue::numbers::grouped;
use crate::catalogue::scored::SCORED;
use crate::catalogue::sentences::EVERYDAY;
use crate::catalogue::text::Text as PageText;
use crate::state::action::Action;
use crate::state::app::State;
use crate::state::fine_tune::FineTuneAction as Do;
use crate::state::fine_tune::material::{Kind, MOST_PROBE, ProbeChoice};
use crate::state::fine_tune::saved::is_saved;
use crate::ui::fine_tune::names::warning_words;
use crate::ui::list::{file_words, read_text};
use crate::ui::page::{Page, page};
use crate::ui::parts::{DropZone, FileButton};

/// Sentences, pairs or triplets.
#[component]
pub fn Sentences() -> impl IntoView {
    let page = page();
    let text = page.part(|state| state.fine_tune.source.text.clone());
    let is_bundled = page.part(|state| state.fine_tune.is_bundled());
    let can_undo = page.part(|state| state.fine_tune.can_undo());
    let picked = move |file: File| {
        spawn_local(async move {
            if let Some((name, text)) = read_text(page, file).await {
                page.dispatch(Action::FineTune(Do::FileRead { name, text }));
            }
        });
    };
    let act = move |action: Do| page.dispatch(Action::FineTune(action));
    let bundled_note = move || {
        let count = grouped(EVERYDAY.lines().count() as u64);
        is_bundled.get().then(|| {
            view! {
                <p class="quiet">{page.filled(Text::BundledNote, &[("n", &count)])}</p>
            }
        })
    };
    let undo = move || {
        can_undo.get().then(|| view! {
            <button class="plain" on:click=move |_| act(Do::TextUndone)>{page.words(Text::UndoText)}</button>
        })
    };
    view! {
        <DropZone on_file=picked hint=Text::SentencesDrop>
            <section class="tune-step" aria-labelledby="tune-sentences">
                <h2 id="tune-sentences">{page.text(Text::StepSentences)}</h2>
                <p class="quiet">{page.text(Text::SentencesHow)}</p>
                <label class="hidden" for="tune-text">{page.text(Text::SentencesLabel)}</label>
                <textarea
                    id="tune-text"
                    rows="8"
                    dir="auto"
                    spellcheck="false"
                    prop:value=move || text.get()
                    on:input=move |event| act(Do::Typed(event_target_value(&event)))
                ></textarea>
                {bundled_note}
                <div class="actions">
                    <FileButton
                        text=PageText::ChooseFile
                        accept=".txt,.csv,.tsv,.tab,.md,text/plain,text/csv"
                        on_file=picked
                    />
                    <button
                        class="plain"
                        disabled=move || is_bundled.get()
                        on:click=move |_| act(Do::BundledChosen)
                    >
                        {page.text(Text::Bundled)}
                    </button>
                    {undo}
                </div>
                <Trouble/>
                <Facts/>
                <Warnings/>
                <Probe/>
            </section>
        </DropZone>
    }
}

#[component]
fn Trouble() -> impl IntoView {
    let page = page();
    let trouble = page.part(|state| state.fine_tune.trouble.clone());
    move || {
        trouble.get().map(|(name, error)| {
            let (happened, remedy) = file_words(page, &name, &error);
            view! { <p class="error" role="alert">{happened} " " {remedy}</p> }
        })
    }
}

fn facts(page: Page, state: &State) -> Vec<String> {
    let material = &state.fine_tune.material;
    let number = |count: usize| grouped(count as u64);
    let found = match material.kind {
        Kind::Empty => Text::FoundNothing,
        Kind::Sentences => Text::FoundSentences,
        Kind::Pairs => Text::FoundPairs,
        Kind::ScoredPairs => Text::FoundScoredPairs,
        Kind::Triplets => Text::FoundTriplets,
    };
    let mut facts = vec![page.filled(found, &[("n", &number(material.examples.len()))])];
    if material.words > 0 {
        let (words, distinct) = (number(material.words), number(material.distinct_words));
        facts.push(page.filled(Text::FactWords, &[("words", &words), ("distinct", &distinct)]));
    }
    for (count, text) in
        [(material.duplicates, Text::FactDuplicates), (material.skipped, Text::FactSkipped)]
    {
        facts.extend((count > 0).then(|| page.filled(text, &[("n", &number(count))])));
    }
    facts
}

#[component]
fn Facts() -> impl IntoView {
    let page = page();
    let facts = page.part(move |state| facts(page, state));
    let not_saved = page.part(|state| !is_saved(&state.fine_tune));
    let is_newer = page.part(|state| state.fine_tune.trains_on_older_text());
    view! {
        <p class="numbers tune-facts" role="status">{move || facts.get().join(" · ")}</p>
        {move || is_newer.get().then(|| view! {
            <p class="note" role="status">{page.words(Text::TextIsNewer)}</p>
        })}
        {move || not_saved.get().then(|| view! { <p class="note">{page.words(Text::NotSaved)}</p> })}
    }
}

#[component]
fn Warnings() -> impl IntoView {
    let page = page();
    let warnings = page.part(|state| state.fine_tune.warnings());
    move || {
        let lines = warnings.get();
        (!lines.is_empty()).then(|| {
            let lines = lines.iter().map(|warning| warning_words(page, warning));
            view! {
                <ul class="tune-warnings" role="status">
                    {lines.map(|line| view! { <li>{line}</li> }).collect_view()}
                </ul>
            }
        })
    }
}

/// Which sentences are measured, and on which scores the test is.
#[component]
fn Probe() -> impl IntoView {
    let page = page();
    let choice = page.part(|state| state.fine_tune.probe());
    let scored = page.part(|state| {
        let material = &state.fine_tune.material;
        (material.scored.len(), state.fine_tune.own_scores)
    });
    let counts = page.part(|state| {
        let fine_tune = &state.fine_tune;
        let sentences = match fine_tune.probe() {
            ProbeChoice::Own => fine_tune.material.distinct_sentences.min(MOST_PROBE),
            ProbeChoice::Bundled => 2 * SCORED.len(),
        };
        let own = fine_tune.own_scores && !fine_tune.material.scored.is_empty();
        (sentences, if own { fine_tune.material.scored.len() } else { SCORED.len() })
    });
    let options = [(ProbeChoice::Own, Text::ProbeOwn), (ProbeChoice::Bundled, Text::ProbeBundled)];
    let radios = options.map(|(this, text)| {
        view! {
            <label class="tune-radio">
                <input
                    type="radio"
                    name="tune-probe"
                    prop:checked=move || choice.get() == this
                    on:change=move |_| page.dispatch(Action::FineTune(Do::ProbeChosen(this)))
                />
                <span>{page.text(text)}</span>
            </label>
        }
    });
    let own_scores = move || {
        let (count, own) = scored.get();
        (count > 0).then(|| {
            let changed = move |event| {
                page.dispatch(Action::FineTune(Do::OwnScoresChosen(event_target_checked(&event))));
            };
            view! {
                <p class="quiet">{page.words(Text::ScoredHow)}</p>
                <label class="tune-radio">
                    <input type="checkbox" prop:checked=own on:change=changed/>
                    <span>{page.words(Text::OwnScores)}</span>
                </label>
            }
        })
    };
    let note = move || {
        let (sentences, pairs) = counts.get();
        let (n, pairs) = (grouped(sentences as u64), grouped(pairs as u64));
        page.filled(Text::ProbeNote, &[("n", &n), ("pairs", &pairs)])
    };
    let bundled = move || page.filled(Text::ScoredNote, &[("n", &SCORED.len().to_string())]);
    view! {
        <details>
            <summary>{page.text(Text::ProbeTitle)}</summary>
            <fieldset class="tune-choices">
                <legend class="hidden">{page.text(Text::ProbeTitle)}</legend>
                {radios.collect_view()}
            </fieldset>
            {own_scores}
            <p>{note}</p>
            <p>{bundled}</p>
        </details>
    }
}
