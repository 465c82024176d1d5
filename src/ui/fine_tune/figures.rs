//! Loss, cosines, singular values and the pairs that move.

use leptos::prelude::*;

use crate::catalogue::fine_tune::FineTuneText as Text;
use crate::catalogue::numbers::decimals;
use crate::chart::histogram::{Histogram, histogram};
use crate::chart::line::{Line, line};
use crate::chart::moves::{Move, Moves, moves};
use crate::chart::ramp::Palette;
use crate::chart::scene::Scene;
use crate::chart::spectrum::{Spectrum, spectrum};
use crate::protocol::training::{Measures, Shape};
use crate::state::app::State;
use crate::state::fine_tune::finding::effective_rank;
use crate::ui::figure::{Figure, Files};
use crate::ui::fine_tune::names::caption;
use crate::ui::fine_tune::plane::Plane;
use crate::ui::page::{Page, page};
use crate::ui::parts::Chart;

/// All the figures, once there is something to draw.
#[component]
pub fn Figures() -> impl IntoView {
    let page = page();
    let has_run =
        page.part(|state| state.fine_tune.run.as_ref().is_some_and(|run| !run.trail.is_empty()));
    move || {
        has_run.get().then(|| {
            view! {
                <Plane/>
                <div class="tune-figures">
                    <MovesFigure/>
                    <LossFigure/>
                    <HistogramFigure/>
                    <SpectrumFigure/>
                </div>
            }
        })
    }
}

/// The shape at the start, and the one that is shown, where that is another.
#[derive(Clone, PartialEq, Default)]
struct Both {
    before: Shape,
    now: Option<Shape>,
}

fn both(state: &State) -> Both {
    let shape = |measures: &Measures| Shape { sphere: Vec::new(), ..measures.shape.clone() };
    let Some(run) = &state.fine_tune.run else { return Both::default() };
    let Some(start) = run.start() else { return Both::default() };
    let now = run.now().filter(|now| now.step != start.step);
    Both { before: shape(start), now: now.map(shape) }
}

fn two(page: Page, text: Text, places: &[(&str, f64)]) -> String {
    let places: Vec<_> = places.iter().map(|(name, value)| (*name, decimals(*value, 2))).collect();
    let places: Vec<(&str, &str)> = places.iter().map(|(name, value)| (*name, &**value)).collect();
    page.filled(text, &places)
}

fn words_signal(page: Page, text: Text) -> Signal<String> {
    Signal::derive(move || page.words(text).to_owned())
}

#[derive(Clone, Copy)]
struct Shapes {
    page: Page,
    both: Memo<Both>,
    caption: Memo<String>,
}

impl Shapes {
    fn new(page: Page) -> Self {
        Self { page, both: page.part(both), caption: page.part(move |s| caption(page, s)) }
    }
}

#[derive(Clone, Copy)]
struct HistogramData(Shapes);

impl Files for HistogramData {
    fn scene(self, width: f64, palette: &Palette) -> Option<Scene> {
        let Shapes { page, both, .. } = self.0;
        let Both { before, now } = both.get();
        let mean = |text: Text, shape: &Shape| two(page, text, &[("mean", shape.mean_cosine)]);
        let before_label = mean(Text::BeforeMean, &before);
        let now_label = now.as_ref().map(|now| mean(Text::NowMean, now)).unwrap_or_default();
        let data = Histogram {
            before: &before.histogram,
            now: now.as_ref().map_or(&[], |now| &now.histogram),
            description: format!("{before_label}. {now_label}."),
            before_label,
            now_label,
            cosine_label: page.words(Text::CosineAxis).to_owned(),
            share_label: page.words(Text::ShareAxis).to_owned(),
        };
        Some(histogram(&data, width, palette))
    }

    fn table(self) -> String {
        let Both { before, now } = self.0.both.get_untracked();
        let now = now.unwrap_or_default().histogram;
        let parts = before.histogram.len().max(1) as f64;
        let mut table = "cosine_from,cosine_to,before,now\n".to_owned();
        for (place, share) in before.histogram.iter().enumerate() {
            let edge = |place: usize| 2.0 * place as f64 / parts - 1.0;
            let now = now.get(place).map_or_else(String::new, |share| format!("{share:.6}"));
            table.push_str(&format!(
                "{:.4},{:.4},{share:.6},{now}\n",
                edge(place),
                edge(place + 1)
            ));
        }
        table
    }

    fn caption(self) -> String {
        self.0.caption.get_untracked()
    }
}

#[component]
fn HistogramFigure() -> impl IntoView {
    let page = page();
    let data = HistogramData(Shapes::new(page));
    let how = words_signal(page, Text::HistogramHow);
    view! {
        <Figure title=Text::HistogramTitle how name="simcse-cosines" files=data>
            <Chart draw=move |width, palette: &Palette| data.scene(width, palette)/>
        </Figure>
    }
}

#[derive(Clone, Copy)]
struct SpectrumData(Shapes);

impl Files for SpectrumData {
    fn scene(self, width: f64, palette: &Palette) -> Option<Scene> {
        let Shapes { page, both, .. } = self.0;
        let Both { before, now } = both.get();
        let rank = |shape: &Shape| effective_rank(shape).unwrap_or(0.0);
        let ranks = [("before", rank(&before)), ("now", rank(now.as_ref().unwrap_or(&before)))];
        let data = Spectrum {
            before: &before.spectrum,
            now: now.as_ref().map_or(&[], |now| &now.spectrum),
            before_label: page.words(Text::Before).to_owned(),
            now_label: page.words(Text::Now).to_owned(),
            rank_label: page.words(Text::RankAxis).to_owned(),
            value_label: page.words(Text::ValueAxis).to_owned(),
            description: two(page, Text::SpectrumWords, &ranks),
        };
        Some(spectrum(&data, width, palette))
    }

    fn table(self) -> String {
        let Both { before, now } = self.0.both.get_untracked();
        let now = now.unwrap_or_default().spectrum;
        let mut table = "rank,before,now\n".to_owned();
        for (place, value) in before.spectrum.iter().enumerate() {
            let now = now.get(place).map_or_else(String::new, |value| format!("{value:.6}"));
            table.push_str(&format!("{},{value:.6},{now}\n", place + 1));
        }
        table
    }

    fn caption(self) -> String {
        self.0.caption.get_untracked()
    }
}

#[component]
fn SpectrumFigure() -> impl IntoView {
    let page = page();
    let data = SpectrumData(Shapes::new(page));
    let how = words_signal(page, Text::SpectrumHow);
    view! {
        <Figure title=Text::SpectrumTitle how name="simcse-spectrum" files=data>
            <Chart draw=move |width, palette: &Palette| data.scene(width, palette)/>
        </Figure>
    }
}

/// Step and loss, the batch, the steps in all.
#[derive(Clone, PartialEq, Default)]
struct Losses {
    points: Vec<(f64, f64)>,
    batch: u32,
    steps: u32,
}

fn losses(state: &State) -> Losses {
    let Some(run) = &state.fine_tune.run else { return Losses::default() };
    let done = run.steps.iter().filter(|step| step.step <= run.at);
    Losses {
        points: done.map(|step| (f64::from(step.step), f64::from(step.loss))).collect(),
        batch: run.batch(),
        steps: run.total_steps(),
    }
}

#[derive(Clone, Copy)]
struct LossData {
    page: Page,
    losses: Memo<Losses>,
    caption: Memo<String>,
}

impl Files for LossData {
    fn scene(self, width: f64, palette: &Palette) -> Option<Scene> {
        let Self { page, losses, .. } = self;
        let Losses { points, batch, steps } = losses.get();
        let chance = f64::from(batch.max(1)).ln();
        let data = Line {
            points: &points,
            last_step: f64::from(steps),
            chance: Some((chance, two(page, Text::LossChance, &[("value", chance)]))),
            step_label: page.words(Text::StepAxis).to_owned(),
            value_label: page.words(Text::LossAxis).to_owned(),
            description: loss_words(page, &points),
        };
        Some(line(&data, width, palette))
    }

    fn table(self) -> String {
        let mut table = "step,loss\n".to_owned();
        for (step, loss) in self.losses.get_untracked().points {
            table.push_str(&format!("{step},{loss:.6}\n"));
        }
        table
    }

    fn caption(self) -> String {
        self.caption.get_untracked()
    }
}

fn loss_words(page: Page, points: &[(f64, f64)]) -> String {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return String::new() };
    let places = [
        ("first", decimals(first.1, 2)),
        ("from", first.0.to_string()),
        ("last", decimals(last.1, 2)),
        ("to", last.0.to_string()),
    ];
    page.filled(Text::LossWords, &places.each_ref().map(|(name, value)| (*name, value.as_str())))
}

#[component]
fn LossFigure() -> impl IntoView {
    let page = page();
    let caption = page.part(move |state| caption(page, state));
    let data = LossData { page, losses: page.part(losses), caption };
    let how = Signal::derive(move || {
        page.filled(Text::LossHow, &[("batch", &data.losses.get().batch.to_string())])
    });
    view! {
        <Figure title=Text::LossTitle how name="simcse-loss" files=data>
            <Chart draw=move |width, palette: &Palette| data.scene(width, palette)/>
        </Figure>
    }
}

fn pinned(state: &State) -> Vec<Move> {
    let Some(run) = &state.fine_tune.run else { return Vec::new() };
    let value = |measures: Option<&Measures>, place: usize| {
        measures.and_then(|measures| measures.pinned.get(place)).copied().map(f64::from)
    };
    let start = run.start();
    let now = run.now().filter(|now| start.is_some_and(|start| start.step != now.step));
    let pins = run.pins.iter().enumerate();
    pins.map(|(place, (first, second))| Move {
        first: first.clone(),
        second: second.clone(),
        before: value(start, place),
        now: value(now, place),
    })
    .collect()
}

#[derive(Clone, Copy)]
struct MovesData {
    page: Page,
    pairs: Memo<Vec<Move>>,
    caption: Memo<String>,
}

impl Files for MovesData {
    fn scene(self, width: f64, palette: &Palette) -> Option<Scene> {
        let page = self.page;
        let pairs = self.pairs.get();
        let number = |value: Option<f64>| value.map_or("–".to_owned(), |v| decimals(v, 2));
        let words = pairs.iter().map(|pair| {
            let (before, now) = (number(pair.before), number(pair.now));
            let places = [
                ("first", pair.first.as_str()),
                ("second", pair.second.as_str()),
                ("before", &before),
                ("now", &now),
            ];
            page.filled(Text::MovesWords, &places)
        });
        let data = Moves {
            pairs: &pairs,
            cosine_label: page.words(Text::CosineAxis).to_owned(),
            description: words.collect::<Vec<_>>().join(" "),
        };
        (!pairs.is_empty()).then(|| moves(&data, width, palette))
    }

    fn table(self) -> String {
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let number = |value: Option<f64>| value.map_or_else(String::new, |v| format!("{v:.6}"));
        let mut table = "sentence1,sentence2,before,now\n".to_owned();
        for pair in self.pairs.get_untracked() {
            let sentences = [quoted(&pair.first), quoted(&pair.second)].join(",");
            table.push_str(&format!("{sentences},{},{}\n", number(pair.before), number(pair.now)));
        }
        table
    }

    fn caption(self) -> String {
        self.caption.get_untracked()
    }
}

#[component]
fn MovesFigure() -> impl IntoView {
    let page = page();
    let caption = page.part(move |state| caption(page, state));
    let data = MovesData { page, pairs: page.part(pinned), caption };
    let how = words_signal(page, Text::MovesHow);
    let has_pairs = Memo::new(move |_| !data.pairs.get().is_empty());
    move || {
        has_pairs.get().then(|| {
            view! {
                <Figure title=Text::MovesTitle how name="simcse-pairs" files=data>
                    <Chart draw=move |width, palette: &Palette| data.scene(width, palette)/>
                </Figure>
            }
        })
    }
}
