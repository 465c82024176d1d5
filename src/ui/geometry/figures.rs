//! Cosines and singular values of both, over each other.

use leptos::prelude::*;

use crate::catalogue::fine_tune::FineTuneText;
use crate::catalogue::geometry::GeometryText as Text;
use crate::catalogue::numbers::{decimals, grouped};
use crate::chart::histogram::{Histogram, histogram};
use crate::chart::ramp::Palette;
use crate::chart::scene::Scene;
use crate::chart::spectrum::{Spectrum, spectrum};
use crate::protocol::training::Shape;
use crate::state::app::State;
use crate::state::geometry::Plot;
use crate::ui::figure::{Figure, Files};
use crate::ui::geometry::look::{look_words, plot_name};
use crate::ui::page::{Page, page};
use crate::ui::parts::Chart;

/// The shapes of `A` and `B`, without their spheres; nothing in the place of one that is missing.
fn shapes(state: &State) -> [Shape; 2] {
    Plot::ALL.map(|plot| {
        let measured = state.geometry.figure(plot).measured.as_ref();
        let shape = measured.map(|measured| measured.findings.shape.clone()).unwrap_or_default();
        Shape { sphere: Vec::new(), ..shape }
    })
}

fn caption(page: Page, state: &State) -> String {
    let [a, b] = Plot::ALL.map(|plot| look_words(page, state.geometry.look(plot)));
    let count = grouped(state.geometry.corpus.sentences.len() as u64);
    page.filled(Text::Caption, &[("a", &a), ("b", &b), ("n", &count)])
}

#[derive(Clone, Copy)]
struct Both {
    page: Page,
    shapes: Memo<[Shape; 2]>,
    caption: Memo<String>,
}

impl Both {
    /// Two columns of numbers, one of each, with what a row stands for before them.
    fn table(self, head: &str, of: fn(&Shape) -> &[f32], row: impl Fn(usize) -> String) -> String {
        let [a, b] = self.shapes.get_untracked();
        let (a, b) = (of(&a), of(&b));
        let number = |value: Option<&f32>| value.map_or_else(String::new, |v| format!("{v:.6}"));
        let mut table = format!("{head},a,b\n");
        for place in 0..a.len().max(b.len()) {
            let values = [number(a.get(place)), number(b.get(place))].join(",");
            table.push_str(&format!("{},{values}\n", row(place)));
        }
        table
    }
}

/// Both figures, once something is measured.
#[component]
pub fn Figures() -> impl IntoView {
    let page = page();
    let both =
        Both { page, shapes: page.part(shapes), caption: page.part(move |s| caption(page, s)) };
    let is_there = Memo::new(move |_| both.shapes.get().iter().any(|shape| shape.sentences > 0));
    let how = move |text: Text| Signal::derive(move || page.words(text).to_owned());
    move || {
        is_there.get().then(|| {
            let (cosines, values) = (Cosines(both), Values(both));
            view! {
                <div class="tune-figures">
                    <Figure
                        title=Text::HistogramTitle
                        how=how(Text::HistogramHow)
                        name="simcse-geometry-cosines"
                        files=cosines
                    >
                        <Chart draw=move |width, palette: &Palette| cosines.scene(width, palette)/>
                    </Figure>
                    <Figure
                        title=Text::SpectrumTitle
                        how=how(Text::SpectrumHow)
                        name="simcse-geometry-spectrum"
                        files=values
                    >
                        <Chart draw=move |width, palette: &Palette| values.scene(width, palette)/>
                    </Figure>
                </div>
            }
        })
    }
}

#[derive(Clone, Copy)]
struct Cosines(Both);

impl Files for Cosines {
    fn scene(self, width: f64, palette: &Palette) -> Option<Scene> {
        let Both { page, shapes, .. } = self.0;
        let [a, b] = shapes.get();
        let label = |plot: Plot, shape: &Shape| {
            let mean = decimals(shape.mean_cosine, 2);
            let places = [("plot", page.words(plot_name(plot))), ("mean", &*mean)];
            page.filled(Text::MeanLabel, &places)
        };
        let (before_label, now_label) = (label(Plot::A, &a), label(Plot::B, &b));
        let data = Histogram {
            before: &a.histogram,
            now: &b.histogram,
            description: format!("{before_label}. {now_label}."),
            before_label,
            now_label,
            cosine_label: page.words(FineTuneText::CosineAxis).to_owned(),
            share_label: page.words(FineTuneText::ShareAxis).to_owned(),
        };
        Some(histogram(&data, width, palette))
    }

    fn table(self) -> String {
        let edge = |place: usize| 2.0 * place as f64 / Shape::BINS as f64 - 1.0;
        let row = |place: usize| format!("{:.4},{:.4}", edge(place), edge(place + 1));
        self.0.table("cosine_from,cosine_to", |shape| &shape.histogram, row)
    }

    fn caption(self) -> String {
        self.0.caption.get_untracked()
    }
}

#[derive(Clone, Copy)]
struct Values(Both);

impl Files for Values {
    fn scene(self, width: f64, palette: &Palette) -> Option<Scene> {
        let Both { page, shapes, .. } = self.0;
        let [a, b] = shapes.get();
        let tenth = |shape: &Shape| {
            shape.spectrum.get(9).map_or("–".to_owned(), |value| decimals(*value, 2))
        };
        let (tenth_a, tenth_b) = (tenth(&a), tenth(&b));
        let data = Spectrum {
            before: &a.spectrum,
            now: &b.spectrum,
            before_label: page.words(plot_name(Plot::A)).to_owned(),
            now_label: page.words(plot_name(Plot::B)).to_owned(),
            rank_label: page.words(FineTuneText::RankAxis).to_owned(),
            value_label: page.words(FineTuneText::ValueAxis).to_owned(),
            description: page.filled(Text::SpectrumWords, &[("a", &tenth_a), ("b", &tenth_b)]),
        };
        Some(spectrum(&data, width, palette))
    }

    fn table(self) -> String {
        self.0.table("rank", |shape| &shape.spectrum, |place| (place + 1).to_string())
    }

    fn caption(self) -> String {
        self.0.caption.get_untracked()
    }
}
