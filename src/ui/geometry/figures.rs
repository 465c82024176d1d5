//! Cosines and singular values of both, over each other.

use leptos::prelude::*;

use crate::catalogue::fine_tune::FineTuneText;
use crate::catalogue::geometry::GeometryText as Text;
use crate::catalogue::numbers::{decimals, grouped};
use crate::chart::bands::{BandRow, Bands, bands};
use crate::chart::histogram::{Histogram, histogram};
use crate::chart::ramp::Palette;
use crate::chart::scene::Scene;
use crate::chart::spectrum::{Spectrum, spectrum};
use crate::protocol::lab::Band;
use crate::protocol::training::Shape;
use crate::state::app::State;
use crate::state::geometry::Plot;
use crate::ui::figure::{Figure, Files};
use crate::ui::geometry::layers::LayersFigure;
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

/// The bands of `A` and `B`.
fn banded(state: &State) -> [Vec<Band>; 2] {
    Plot::ALL.map(|plot| {
        let measured = state.geometry.figure(plot).measured.as_ref();
        measured.map(|measured| measured.findings.bands.clone()).unwrap_or_default()
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
    bands: Memo<[Vec<Band>; 2]>,
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
    let both = Both {
        page,
        shapes: page.part(shapes),
        bands: page.part(banded),
        caption: page.part(move |state| caption(page, state)),
    };
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
                    <BandsFigure both/>
                    <LayersFigure/>
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

/// Cosines by gold score, where there are scores.
#[component]
fn BandsFigure(both: Both) -> impl IntoView {
    let page = both.page;
    let is_there = Memo::new(move |_| both.bands.get().iter().any(|bands| !bands.is_empty()));
    let how = Signal::derive(move || page.words(Text::BandsHow).to_owned());
    let figure = ByScore(both);
    move || {
        is_there.get().then(|| {
            view! {
                <Figure title=Text::BandsTitle how=how name="simcse-geometry-bands" files=figure>
                    <Chart draw=move |width, palette: &Palette| figure.scene(width, palette)/>
                </Figure>
            }
        })
    }
}

#[derive(Clone, Copy)]
struct ByScore(Both);

impl ByScore {
    fn name(self, band: &Band) -> String {
        let (from, to) = (decimals(band.from, 1), decimals(band.to, 1));
        let n = grouped(u64::from(band.pairs));
        self.0.page.filled(Text::BandName, &[("from", &from), ("to", &to), ("n", &n)])
    }
}

impl Files for ByScore {
    fn scene(self, width: f64, palette: &Palette) -> Option<Scene> {
        let Both { page, bands: both, .. } = self.0;
        let [a, b] = both.get();
        // Both were measured on the same pairs; one of them may not be there yet.
        let longer = if a.is_empty() { &b } else { &a };
        let (mut rows, mut words) = (Vec::new(), Vec::new());
        for (place, band) in longer.iter().enumerate().rev().filter(|(_, band)| band.pairs > 0) {
            let (before, now) = (a.get(place), b.get(place));
            let mean = |band: Option<&Band>| band.map(|band| band.mean_cosine);
            let shown = |band| mean(band).map_or("–".to_owned(), |mean| decimals(mean, 2));
            let label = self.name(band);
            let places = [("band", &*label), ("a", &*shown(before)), ("b", &*shown(now))];
            words.push(page.filled(Text::BandWords, &places));
            rows.push(BandRow {
                label,
                before: before.map_or(&[], |band| &band.histogram),
                now: now.map_or(&[], |band| &band.histogram),
                before_mean: mean(before),
                now_mean: mean(now),
            });
        }
        let description = page.filled(Text::BandsWords, &[("rows", &words.join("; "))]);
        let cosine_label = page.words(FineTuneText::CosineAxis).to_owned();
        Some(bands(&Bands { rows, cosine_label, description }, width, palette))
    }

    fn table(self) -> String {
        let mut table = "gold_from,gold_to,pairs,look,cosine_from,cosine_to,share\n".to_owned();
        let edge = |place: usize| 2.0 * place as f64 / Shape::BINS as f64 - 1.0;
        for (look, bands) in ["a", "b"].into_iter().zip(self.0.bands.get_untracked()) {
            for Band { from, to, pairs, histogram, .. } in bands {
                for (place, share) in histogram.iter().enumerate() {
                    let (low, high) = (edge(place), edge(place + 1));
                    let line = format!("{from},{to},{pairs},{look},{low:.4},{high:.4},{share:.6}");
                    table.push_str(&line);
                    table.push('\n');
                }
            }
        }
        table
    }

    fn caption(self) -> String {
        self.0.caption.get_untracked()
    }
}
