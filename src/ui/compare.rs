//! Two sentences: boxes, number, scale.

use leptos::prelude::*;

use crate::catalogue::adapters::AdapterText;
use crate::catalogue::examples::{PAIRS, UNRELATED};
use crate::catalogue::numbers::{decimals, grouped, milliseconds};
use crate::catalogue::problems::explain;
use crate::catalogue::text::Text;
use crate::chart::scale_bar::{Hue, ScaleBar, scale_bar};
use crate::protocol::event::TokenisedText;
use crate::protocol::readout::{Pooling, Side};
use crate::state::action::Action;
use crate::state::adapters::other;
use crate::state::app::{State, Wanted};
use crate::state::compare::{Baseline, PairSlot};
use crate::ui::list::ManySentences;
use crate::ui::loading::LoadingBar;
use crate::ui::names::{layer_options, pooling_name};
use crate::ui::page::{Page, page};
use crate::ui::parts::{Chart, ExampleChips};
use crate::ui::tokens::Tokens;

/// The Compare view.
#[component]
pub fn Compare() -> impl IntoView {
    let page = page();
    view! {
        <section class="intro">
            <h1>{page.text(Text::CompareTitle)}</h1>
            <p class="lead">{page.text(Text::Tagline)} " " {page.text(Text::Promise)}</p>
        </section>
        <section class="pair" aria-label=page.text(Text::CompareTitle)>
            <ExampleChips
                labels=PAIRS.iter().map(|example| example.label).collect()
                choose=Action::PairExampleChosen
            />
            <div class="boxes">
                <Boxes/>
                <Outcome/>
            </div>
            <Stage/>
            <Notes/>
            <div class="actions">
                <ReadoutChoice/>
                <span class="spacer"></span>
                <PairActions/>
            </div>
        </section>
        <Tokens/>
        <ManySentences/>
    }
}

#[component]
fn Boxes() -> impl IntoView {
    let page = page();
    view! {
        <div class="inputs">
            <SentenceBox letter="A" label=Text::SentenceA text=page.part(|state| state.compare.text.first.clone())
                typed=Action::FirstTyped/>
            <button
                class="swap"
                aria-label=page.text(Text::Swap)
                title=page.text(Text::Swap)
                on:click=move |_| page.dispatch(Action::Swapped)
            >
                "⇅"
            </button>
            <SentenceBox letter="B" label=Text::SentenceB text=page.part(|state| state.compare.text.second.clone())
                typed=Action::SecondTyped/>
        </div>
    }
}

#[component]
fn SentenceBox(
    letter: &'static str,
    label: Text,
    text: Memo<String>,
    typed: fn(String) -> Action,
) -> impl IntoView {
    let page = page();
    view! {
        <label class="sentence">
            <span class="letter" aria-hidden="true">{letter}</span>
            <span class="hidden">{page.text(label)}</span>
            <textarea
                rows="2"
                dir="auto"
                spellcheck="true"
                prop:value=move || text.get()
                on:input=move |event| page.dispatch(typed(event_target_value(&event)))
            ></textarea>
        </label>
    }
}

/// The number, or why there is none.
#[component]
fn Outcome() -> impl IntoView {
    let page = page();
    let number = page.part(|state| state.compare.shown.pair.as_ref().map(|pair| pair.cosine));
    let current = page.part(|state| state.compare.pair_is_current());
    let side = page.part(named_side);
    let problem = page.part(|state| state.compare.shown.problem.clone());
    let details = page.part(details);
    let missing = page.part(missing);
    let shown = move || match (problem.get(), number.get()) {
        (Some(problem), _) => {
            let words = explain(&problem, page.language());
            view! { <p class="error" role="alert">{words.happened} " " {words.remedy}</p> }
                .into_any()
        }
        (None, Some(cosine)) => view! {
            <output
                class="number"
                class:stale=move || !current.get()
                class:before=move || side.get() == Some(Side::Before)
                class:after=move || side.get() == Some(Side::After)
            >
                {decimals(cosine, 2)}
            </output>
        }
        .into_any(),
        (None, None) => view! {
            <output class="number empty">"–"</output>
            <p class="quiet">{page.words(missing.get().unwrap_or(Text::CosineWaiting))}</p>
        }
        .into_any(),
    };
    view! {
        <div class="outcome">
            <p class="over">{page.text(Text::Cosine)}</p>
            <div aria-live="polite">{shown}</div>
            <p class="quiet numbers">{move || details.get().map(|details| detail_words(page, &details))}</p>
        </div>
    }
}

/// What to type before there is anything to compare.
fn missing(state: &State) -> Option<Text> {
    let is_blank = |text: &str| text.trim().is_empty();
    let text = &state.compare.text;
    match (is_blank(&text.first), is_blank(&text.second)) {
        (true, true) => Some(Text::TypeBoth),
        (true, false) => Some(Text::TypeFirst),
        (false, true) => Some(Text::TypeSecond),
        (false, false) => None,
    }
}

/// Quantisation, pooling and time: the choices the number depends on.
fn details(state: &State) -> Option<(String, Pooling, Option<u16>, f64)> {
    let model = state.model.as_ref()?;
    let pair = state.compare.shown.pair.as_ref()?;
    let readout = state.lens()?.readout;
    Some((model.quantisation.clone(), readout.pooling, readout.layer, pair.latency_ms))
}

fn detail_words(page: Page, details: &(String, Pooling, Option<u16>, f64)) -> String {
    let (quantisation, pooling, layer, latency_ms) = details;
    let mut parts = vec![quantisation.clone(), page.words(pooling_name(*pooling)).to_owned()];
    parts.extend(layer.map(|layer| format!("{} {layer}", page.words(Text::Layer))));
    parts.push(format!("{} ms", milliseconds(*latency_ms)));
    parts.join(" · ")
}

/// The bar that fills, then the scale in the same place: nothing below them moves.
#[component]
fn Stage() -> impl IntoView {
    let page = page();
    let waits = page.part(|state| {
        state.loading.is_some() || (state.interrupted.is_some() && state.model.is_none())
    });
    view! {
        <div class="stage">
            {move || if waits.get() { view! { <LoadingBar/> }.into_any() } else { view! { <Scale/> }.into_any() }}
        </div>
    }
}

#[component]
fn Scale() -> impl IntoView {
    let page = page();
    let cosine = |slot: &PairSlot| slot.pair.as_ref().map(|pair| pair.cosine);
    let values = page.part(move |state| (cosine(&state.compare.shown), state.compare.baseline));
    let sides = page.part(move |state| {
        let side = named_side(state)?;
        Some((side, cosine(&state.compare.other)))
    });
    let draw = move |width: f64, palette: &crate::chart::ramp::Palette| {
        let (cosine, baseline) = values.get();
        let (side, beside) = sides.get().unzip();
        let mean = baseline.map_or_else(|| "…".to_owned(), |baseline| decimals(baseline.mean, 2));
        let bar = ScaleBar {
            cosine,
            hue: side.map_or(Hue::Accent, hue),
            other: side.and_then(|side| Some((beside.flatten()?, hue(other(side))))),
            unrelated: baseline.map(|baseline| [baseline.low, baseline.mean, baseline.high]),
            unrelated_label: page.filled(Text::UnrelatedAt, &[("value", &mean)]),
            identical_label: page.words(Text::Identical).to_owned(),
            description: verdict(page, cosine, baseline).unwrap_or_default(),
        };
        Some(scale_bar(&bar, width, palette))
    };
    // The examples bring their own word on this.
    let is_own =
        page.part(move |state| cosine(&state.compare.shown).is_some() && lesson(state).is_none());
    let hidden = page.part(|state| state.model.as_ref().map_or(0, |model| model.hidden));
    let body = move || {
        page.filled(Text::WhatItMeansBody, &[("hidden", &grouped(u64::from(hidden.get())))])
    };
    let measured_on = move || values.get().1.map(|baseline| baseline_words(page, &baseline));
    view! {
        <div class="scale">
            <Chart draw=draw class="bar"/>
            <p class="verdict">{move || {
                let (cosine, baseline) = values.get();
                verdict(page, cosine, baseline)
            }}</p>
            {move || is_own.get().then(|| view! {
                <p class="quiet">{page.words(Text::HighIsNotTrue)}</p>
            })}
            <p class="quiet both">{move || both_scores(page, values.get().0, sides.get())}</p>
            <details>
                <summary>{page.text(Text::WhatItMeans)}</summary>
                <p>{body}</p>
                <p>{measured_on}</p>
            </details>
        </div>
    }
}

/// The side on show, where there are two.
fn named_side(state: &State) -> Option<Side> {
    state.adapters.attached.is_some().then_some(state.adapters.side)
}

fn hue(side: Side) -> Hue {
    match side {
        Side::Before => Hue::Before,
        Side::After => Hue::After,
    }
}

/// Both sides' numbers in words, where both are known.
fn both_scores(
    page: Page,
    shown: Option<f32>,
    sides: Option<(Side, Option<f32>)>,
) -> Option<String> {
    let (side, beside) = sides?;
    let [shown, beside] = [shown?, beside?].map(|cosine| decimals(cosine, 2));
    let (before, after) = match side {
        Side::Before => (shown, beside),
        Side::After => (beside, shown),
    };
    let names = [page.side(Side::Before), page.side_within(Side::After)];
    let places = [("first", names[0].as_str()), ("before", &before)];
    let places = [places[0], places[1], ("second", names[1].as_str()), ("after", &after)];
    Some(page.filled(AdapterText::BothScores, &places))
}

fn baseline_words(page: Page, baseline: &Baseline) -> String {
    page.filled(
        Text::BaselineHow,
        &[
            ("pairs", &grouped(u64::from(baseline.pair_count))),
            ("sentences", &UNRELATED.len().to_string()),
            ("mean", &decimals(baseline.mean, 2)),
        ],
    )
}

/// Where the number lies between unrelated and identical, in words.
fn verdict(page: Page, cosine: Option<f32>, baseline: Option<Baseline>) -> Option<String> {
    let (cosine, baseline) = (cosine?, baseline?);
    if cosine < baseline.low {
        return Some(page.words(Text::VerdictBelow).to_owned());
    }
    if cosine <= baseline.high {
        let high = decimals(baseline.high, 2);
        return Some(page.filled(Text::VerdictUnrelated, &[("high", &high)]));
    }
    let share = (cosine - baseline.mean) / (1.0 - baseline.mean).max(f32::EPSILON);
    let percent = format!("{:.0}", share * 100.0);
    let mean = decimals(baseline.mean, 2);
    Some(page.filled(Text::VerdictBetween, &[("percent", &percent), ("mean", &mean)]))
}

/// What the number needs to be understood: cut sentences, words outside the vocabulary.
#[component]
fn Notes() -> impl IntoView {
    let page = page();
    let cut = page.part(|state| {
        state.compare.shown.pair.as_ref().map(|pair| {
            let note = |text: &TokenisedText| text.cut_from.map(|total| (text.pieces.len(), total));
            (note(&pair.first), note(&pair.second))
        })
    });
    let foreign = page.part(|state| {
        let letters = state.compare.text.first.chars().chain(state.compare.text.second.chars());
        letters.into_iter().any(|letter| letter.is_alphabetic() && u32::from(letter) > 0x24f)
    });
    let words = move |which: Text, cut: Option<(usize, u32)>| {
        cut.map(|(kept, total)| {
            let places = [("kept", kept.to_string()), ("total", grouped(u64::from(total)))];
            let places = places.each_ref().map(|(name, value)| (*name, value.as_str()));
            let note = page.filled(Text::CutNote, &places);
            view! { <p class="note">{page.filled(which, &[("note", &note)])}</p> }
        })
    };
    let lesson = page.part(lesson);
    let unknown = page.part(|state| {
        let pair = state.compare.shown.pair.as_ref()?;
        [(&pair.first, Text::SentenceA), (&pair.second, Text::SentenceB)]
            .into_iter()
            .find(|(text, _)| knows_nothing(text))
            .map(|(_, which)| which)
    });
    move || {
        let lesson = lesson.get().map(|lesson| view! { <p class="note">{page.words(lesson)}</p> });
        let unknown = unknown.get().map(|which| {
            let which = page.words(which);
            view! { <p class="note">{page.filled(Text::OnlyUnknown, &[("which", which)])}</p> }
        });
        let (first, second) = cut.get().unwrap_or_default();
        let foreign = foreign.get().then(|| {
            view! {
                <p class="note">{page.words(Text::NotEnglish)}</p>
            }
        });
        view! { {lesson} {unknown} {words(Text::CutA, first)} {words(Text::CutB, second)} {foreign} }
    }
}

/// What a bundled pair teaches. The words were written for the page's own model and its own
/// readout; with others the score may say something else.
fn lesson(state: &State) -> Option<Text> {
    let compare = &state.compare;
    let as_written =
        state.wanted == Wanted::Default && compare.pooling.is_none() && compare.layer.is_none();
    let shown = (compare.text.first.as_str(), compare.text.second.as_str());
    let example = PAIRS.iter().find(|example| example.sentences == shown)?;
    as_written.then_some(example.lesson)
}

/// No piece between `[CLS]` and `[SEP]` is in the vocabulary.
fn knows_nothing(text: &TokenisedText) -> bool {
    let inner = text.pieces.get(1..text.pieces.len().saturating_sub(1)).unwrap_or_default();
    inner.iter().all(|piece| piece == "[UNK]")
}

#[component]
fn ReadoutChoice() -> impl IntoView {
    let page = page();
    let layer_count =
        page.part(|state| (state.layers_of(state.adapters.side), state.common_layers()));
    let best = page.part(|state| state.best_pooling(state.adapters.side));
    let has_mlp = page.part(|state| state.adapters.has_mlp());
    let chosen = page.part(|state| (state.compare.pooling, state.compare.layer));
    let pooled = move |event| {
        page.dispatch(Action::PoolingChosen(Pooling::from_name(&event_target_value(&event))));
    };
    let layered =
        move |event| page.dispatch(Action::LayerChosen(event_target_value(&event).parse().ok()));
    let poolings = move || {
        let own = best.get().unwrap_or(Pooling::Mean);
        let own = page.filled(Text::PoolingModel, &[("pooling", page.words(pooling_name(own)))]);
        let mut all = vec![Pooling::Mean, Pooling::Cls, Pooling::FirstLast];
        all.extend(has_mlp.get().then_some(Pooling::ClsMlp));
        let others = all.into_iter().map(|pooling| {
            view! {
                <option value=pooling.name() prop:selected=move || chosen.get().0 == Some(pooling)>
                    {page.words(pooling_name(pooling))}
                </option>
            }
        });
        view! {
            <option value="" prop:selected=move || chosen.get().0.is_none()>{own}</option>
            {others.collect_view()}
        }
    };
    let layers = move || {
        let (own, most) = layer_count.get();
        layer_options(page, own, most, move |layer| chosen.get().1 == layer)
    };
    view! {
        <label class="choice" title=page.text(Text::ReadoutHow)>
            <span>{page.text(Text::Readout)}</span>
            <select on:change=pooled>{poolings}</select>
        </label>
        <label class="choice">
            <span>{page.text(Text::Layer)}</span>
            <select on:change=layered>{layers}</select>
        </label>
    }
}

#[component]
fn PairActions() -> impl IntoView {
    let page = page();
    let can_undo = page.part(|state| state.compare.can_undo());
    let undo = move || {
        can_undo.get().then(|| {
            view! {
                <button class="plain" on:click=move |_| page.dispatch(Action::Undone)>
                    {page.words(Text::Undo)}
                </button>
            }
        })
    };
    view! {
        {undo}
        <button class="plain" on:click=move |_| page.dispatch(Action::StartedOver)>
            {page.text(Text::StartOver)}
        </button>
        <button
            class="plain"
            title=page.text(Text::CopyLinkHow)
            on:click=move |_| page.dispatch(Action::LinkCopied)
        >
            {page.text(Text::CopyLink)}
        </button>
    }
}
