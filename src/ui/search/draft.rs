//! What was read of a file, before any work begins.

use leptos::prelude::*;

use crate::catalogue::numbers::{duration, grouped, megabytes};
use crate::catalogue::problems::explain;
use crate::catalogue::search::SearchText as Text;
use crate::protocol::search::{Cut, Preview};
use crate::state::action::Action;
use crate::state::search::{Draft, SearchAction as Do, Stage};
use crate::ui::page::{Page, page};

/// The cuts that are offered.
const CUTS: [(Cut, Text); 4] = [
    (Cut::Rows, Text::CutRows),
    (Cut::Sentences, Text::CutSentences),
    (Cut::Passages { words: 40 }, Text::CutShort),
    (Cut::Passages { words: 120 }, Text::CutLong),
];

#[component]
pub fn DraftCard() -> impl IntoView {
    let page = page();
    let draft = page.part(|state| state.search.draft.clone());
    let is_there = Memo::new(move |_| draft.with(Option::is_some));
    // The name's field must not be drawn anew while it is typed in.
    let stage = Memo::new(move |_| draft.with(|draft| draft.as_ref().map(|it| it.stage.clone())));
    move || {
        is_there.get().then(|| {
            view! {
                <section class="search-draft" aria-labelledby="search-draft">
                    <h2 id="search-draft">{page.text(Text::DraftTitle)}</h2>
                    {move || stage.get().map(|stage| view! { <StageCard stage draft/> })}
                </section>
            }
        })
    }
}

#[component]
fn StageCard(stage: Stage, draft: Memo<Option<Draft>>) -> impl IntoView {
    let page = page();
    let drop = move |_| page.dispatch(Action::Search(Do::Dropped));
    match stage {
        Stage::Reading { done_bytes, total_bytes } => {
            let (done, total) = (megabytes(done_bytes), megabytes(total_bytes));
            let words = page.filled(Text::Reading, &[("done", &done), ("total", &total)]);
            view! {
                <div class="loading" role="status">
                    <progress max=total_bytes.max(1).to_string() value=done_bytes.to_string()></progress>
                    <div class="line">
                        <span class="numbers">{words}</span>
                        <button class="plain" on:click=drop>{page.words(Text::Cancel)}</button>
                    </div>
                </div>
            }
            .into_any()
        }
        Stage::Failed(problem) => {
            let told = explain(&problem, page.language());
            view! {
                <div class="error line" role="alert">
                    <span>{told.happened} " " {told.remedy}</span>
                    <button class="plain" on:click=drop>{page.words(Text::Close)}</button>
                </div>
            }
            .into_any()
        }
        Stage::Ready(preview) => view! { <Ready preview=*preview draft/> }.into_any(),
    }
}

#[component]
fn Ready(preview: Preview, draft: Memo<Option<Draft>>) -> impl IntoView {
    let page = page();
    let rate = page.part(|state| state.search.rate);
    let facts = facts(page, &preview, rate.get_untracked());
    let name = Memo::new(move |_| draft.with(|it| it.as_ref().map(|it| it.name.clone())));
    let act = move |action: Do| page.dispatch(Action::Search(action));
    let keep = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        act(Do::Kept);
    };
    let first = preview.first.iter().map(|passage| {
        view! { <li dir="auto">{passage.clone()}</li> }
    });
    view! {
        <p class="numbers" role="status">{facts}</p>
        <Ways preview=preview.clone() draft/>
        <p class="quiet">{page.words(Text::FirstPassages)}</p>
        <ol class="search-first">{first.collect_view()}</ol>
        <form class="actions" on:submit=keep>
            <label class="choice">
                <span>{page.words(Text::DraftName)}</span>
                <input
                    type="text"
                    maxlength="80"
                    prop:value=move || name.get().unwrap_or_default()
                    on:input=move |event| act(Do::NameTyped(event_target_value(&event)))
                />
            </label>
            <button class="primary">{page.words(Text::Keep)}</button>
            <button type="button" class="plain" on:click=move |_| act(Do::Dropped)>
                {page.words(Text::Cancel)}
            </button>
        </form>
    }
}

fn facts(page: Page, preview: &Preview, rate: Option<f64>) -> String {
    let number = |count: u32| grouped(u64::from(count));
    let (rows, n) = (number(preview.rows), number(preview.passages));
    let size = megabytes(preview.text_bytes);
    let places = [
        ("form", preview.form.as_str()),
        ("encoding", &preview.encoding),
        ("rows", &rows),
        ("n", &n),
        ("size", &size),
    ];
    let mut facts = vec![page.filled(Text::DraftFacts, &places)];
    let counted =
        |text: Text, count: u32| (count > 0).then(|| page.filled(text, &[("n", &number(count))]));
    facts.extend(counted(Text::DraftRepeated, preview.repeated));
    facts.extend(counted(Text::DraftSkipped, preview.skipped));
    facts.extend(rate.map(|rate| {
        let time = duration(f64::from(preview.passages) / rate, page.language());
        page.filled(Text::DraftTime, &[("time", &time)])
    }));
    facts.join(" · ")
}

/// Which column is read, what a passage is, what becomes of repeats.
#[component]
fn Ways(preview: Preview, draft: Memo<Option<Draft>>) -> impl IntoView {
    let page = page();
    let act = move |action: Do| page.dispatch(Action::Search(action));
    let chosen = preview.column.unwrap_or_default();
    let columns = (0_u16..).zip(&preview.columns).map(|(place, column)| {
        view! {
            <option value=place.to_string() selected=place == chosen>{column.name.clone()}</option>
        }
    });
    let column_chosen = move |event| {
        if let Ok(column) = event_target_value(&event).parse() {
            act(Do::ColumnChosen(column));
        }
    };
    let cut = draft.with_untracked(|it| it.as_ref().map(|it| it.intake.cut));
    let cuts = CUTS.iter().enumerate().map(|(place, (this, name))| {
        // Any other length counts as the long one.
        let is_length = |cut: &Cut| matches!(cut, Cut::Passages { .. });
        let selected = match cut {
            Some(cut) if CUTS.iter().any(|(known, _)| *known == cut) => cut == *this,
            Some(cut) => is_length(&cut) && place == CUTS.len() - 1,
            None => false,
        };
        view! { <option value=place.to_string() selected=selected>{page.words(*name)}</option> }
    });
    let cut_chosen = move |event| {
        let place: Option<usize> = event_target_value(&event).parse().ok();
        if let Some((cut, _)) = place.and_then(|place| CUTS.get(place)) {
            act(Do::CutChosen(*cut));
        }
    };
    let drops = draft.with_untracked(|it| it.as_ref().is_some_and(|it| it.intake.drop_repeated));
    let column_list = (!preview.columns.is_empty()).then(|| {
        view! {
            <label class="choice">
                <span>{page.words(Text::DraftColumn)}</span>
                <select on:change=column_chosen>{columns.collect_view()}</select>
            </label>
        }
    });
    let repeats = (preview.repeated > 0).then(|| {
        view! {
            <label class="choice">
                <input
                    type="checkbox"
                    prop:checked=drops
                    on:change=move |event| act(Do::RepeatsChosen(event_target_checked(&event)))
                />
                <span>{page.words(Text::DropRepeated)}</span>
            </label>
        }
    });
    view! {
        <div class="actions">
            {column_list}
            <label class="choice">
                <span>{page.words(Text::DraftCut)}</span>
                <select on:change=cut_chosen>{cuts.collect_view()}</select>
            </label>
            {repeats}
        </div>
    }
}
