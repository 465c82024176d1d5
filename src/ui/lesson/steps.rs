//! What the steps say, with the numbers of this visit in the sentences.

use leptos::prelude::*;

use crate::catalogue::fill;
use crate::catalogue::lesson::LessonText as Text;
use crate::catalogue::lesson_sentences::SENTENCES;
use crate::catalogue::numbers::grouped;
use crate::catalogue::scored::SCORED;
use crate::state::app::State;
use crate::state::lesson::contrast;
use crate::state::lesson::experiment::Length;
use crate::state::lesson::{Cloud, SIDE};
use crate::state::route::{Route, View};
use crate::ui::lesson::controls::{
    DropoutSlider, OwnSentence, RowChoice, SubjectChoice, TemperatureSlider,
};
use crate::ui::lesson::figures::two;
use crate::ui::lesson::table::Ablations;
use crate::ui::lesson::training::TrainingControls;
use crate::ui::page::{Page, page};

/// Values for the texts' places, by name.
type Places = Vec<(&'static str, String)>;

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "…".to_owned(), two)
}

fn percent(value: Option<f64>) -> String {
    value.map_or_else(|| "…".to_owned(), |share| format!("{:.0} %", share * 100.0))
}

/// Every number that a text of the lesson may name.
fn places(state: &State) -> Places {
    let mut places = cloud_places(state);
    places.extend(batch_places(state));
    let (steps, batch) = Length::Full.size();
    places.extend([("steps", steps.to_string()), ("batch", batch.to_string())]);
    let (steps, batch) = Length::Short.size();
    places.extend([("short_steps", steps.to_string()), ("short_batch", batch.to_string())]);
    places.push(("scored", SCORED.len().to_string()));
    places
}

fn cloud_places(state: &State) -> Places {
    let shape = |cloud| state.lesson.measured(cloud).map(|measured| &measured.shape);
    let (before, after) = (shape(Cloud::Before), shape(Cloud::After));
    let white = shape(Cloud::Whitened);
    let hidden = state.model.as_ref().map_or_else(|| "384".to_owned(), |m| m.hidden.to_string());
    let pairs = before.map_or(0, |shape| u64::from(shape.sentences));
    let mean = number(before.map(|shape| shape.mean_cosine));
    vec![
        ("n", SENTENCES.len().to_string()),
        ("hidden", hidden),
        ("share", percent(before.map(|shape| f64::from(shape.sphere_share)))),
        ("pairs", grouped(pairs * pairs.saturating_sub(1) / 2)),
        ("mean", mean.clone()),
        ("before", mean),
        ("after", number(after.map(|shape| shape.mean_cosine))),
        ("uniformity", number(before.map(|shape| shape.uniformity))),
        ("white_mean", number(white.map(|shape| shape.mean_cosine))),
        ("white_uniformity", number(white.map(|shape| shape.uniformity))),
        ("directions", white.map_or_else(|| "…".to_owned(), |w| w.spectrum.len().to_string())),
    ]
}

fn batch_places(state: &State) -> Places {
    let lesson = &state.lesson;
    let cosines = lesson.draw().map(|draw| draw.cosines.as_slice()).unwrap_or_default();
    let own = cosines.first().map(|cosine| f64::from(*cosine));
    let other = contrast::means(cosines, SIDE).map(|(_, other)| other);
    let loss = contrast::row_loss(cosines, SIDE, lesson.row, lesson.temperature);
    let sentence = lesson.batch().get(lesson.row).cloned().unwrap_or_default();
    vec![
        ("p", two(f64::from(lesson.dropout))),
        ("own", number(own)),
        ("other", number(other)),
        ("row", (lesson.row + 1).to_string()),
        ("sentence", sentence),
        ("row_share", percent(loss.map(|loss| (-loss).exp()))),
        ("row_loss", number(loss)),
        ("batch_loss", number(contrast::batch_loss(cosines, SIDE, lesson.temperature))),
    ]
}

/// A paragraph whose places are filled as soon as their numbers are known.
#[derive(Clone, Copy)]
struct Teller {
    page: Page,
    places: Memo<Places>,
}

impl Teller {
    fn says(self, text: Text) -> impl IntoView {
        let words = move || {
            let places = self.places.get();
            let places: Vec<(&str, &str)> =
                places.iter().map(|(name, value)| (*name, value.as_str())).collect();
            fill(self.page.words(text), &places)
        };
        view! { <p>{words}</p> }
    }

    /// What changes under the reader's hands is also told to those who do not see it.
    fn reports(self, text: Text) -> impl IntoView {
        view! { <div class="result" aria-live="polite">{self.says(text)}</div> }
    }
}

/// The words of a step.
#[component]
pub fn StepText(step: usize) -> impl IntoView {
    let page = page();
    let teller = Teller { page, places: page.part(places) };
    match step {
        0 => arrows(teller).into_any(),
        1 => [Text::ConeA, Text::ConeB, Text::ConeC].map(|text| teller.says(text)).into_any(),
        2 => views(teller).into_any(),
        3 => loss(teller).into_any(),
        4 => training(teller).into_any(),
        5 => sphere(teller).into_any(),
        6 => ablations(teller).into_any(),
        7 => [Text::WhiteA, Text::WhiteB, Text::WhiteC].map(|text| teller.says(text)).into_any(),
        _ => end(teller).into_any(),
    }
}

fn arrows(teller: Teller) -> impl IntoView {
    view! {
        {teller.says(Text::ArrowsA)}
        {teller.says(Text::ArrowsB)}
        <OwnSentence/>
        {teller.says(Text::ArrowsC)}
    }
}

fn views(teller: Teller) -> impl IntoView {
    view! {
        {teller.says(Text::ViewsA)}
        {teller.says(Text::ViewsB)}
        <DropoutSlider/>
        {teller.reports(Text::ViewsResult)}
        {teller.says(Text::ViewsC)}
    }
}

fn loss(teller: Teller) -> impl IntoView {
    view! {
        {teller.says(Text::LossA)}
        {teller.says(Text::LossB)}
        <p class="formula" tabindex="0">{teller.page.text(Text::LossFormula)}</p>
        <RowChoice/>
        <TemperatureSlider/>
        {teller.reports(Text::LossRow)}
        {teller.says(Text::LossBatch)}
        {teller.says(Text::LossC)}
    }
}

fn training(teller: Teller) -> impl IntoView {
    let ships =
        teller.page.part(|state| state.hosted.first().is_some_and(|model| model.adapter.is_some()));
    let skip = move || ships.get().then(|| teller.says(Text::TrainSkip));
    view! {
        {teller.says(Text::TrainA)}
        {teller.says(Text::TrainB)}
        <TrainingControls/>
        {teller.says(Text::TrainC)}
        {skip}
    }
}

fn sphere(teller: Teller) -> impl IntoView {
    let page = teller.page;
    let has_after = page.part(|state| state.lesson.measured(Cloud::After).is_some());
    let opened = move || {
        if has_after.get() {
            [Text::SphereA, Text::SphereCone].map(|text| teller.says(text)).into_any()
        } else {
            teller.says(Text::SphereNone).into_any()
        }
    };
    view! {
        {opened}
        {teller.says(Text::SphereB)}
        {teller.says(Text::SphereC)}
        {teller.says(Text::SphereD)}
        <SubjectChoice/>
    }
}

fn ablations(teller: Teller) -> impl IntoView {
    view! {
        {teller.says(Text::TryA)}
        {teller.says(Text::TryB)}
        <Ablations/>
        {teller.says(Text::TryShows)}
        {teller.says(Text::TryC)}
        {teller.says(Text::TryD)}
    }
}

fn end(teller: Teller) -> impl IntoView {
    let page = teller.page;
    let link = move |view: View, text: Text| {
        let address = Route { view, ..Route::default() }.to_fragment();
        view! { <a class="primary" href=address>{page.text(text)}</a> }
    };
    view! {
        <ul>
            {[Text::EndA, Text::EndB, Text::EndC, Text::EndD]
                .map(|text| view! { <li>{page.text(text)}</li> })
                .collect_view()}
        </ul>
        <div class="actions">
            {link(View::Compare, Text::EndCompare)}
            {link(View::FineTune, Text::EndTune)}
        </div>
        <p class="quiet">{page.text(Text::EndSources)}</p>
    }
}
