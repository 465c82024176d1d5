//! The measures of both, side by side, each with a line on how to read it.

use leptos::prelude::*;

use crate::catalogue::geometry::GeometryText as Text;
use crate::catalogue::numbers::{decimals, grouped};
use crate::protocol::lab::{Findings, Hubness};
use crate::state::app::State;
use crate::state::geometry::Plot;
use crate::ui::geometry::look::plot_name;
use crate::ui::page::{Page, page};

/// A measure: its name, its values for `A` and `B`, and what they mean.
#[derive(Clone, PartialEq)]
struct Row {
    name: Text,
    /// With the half-width of its interval, where there is one.
    values: [Option<(String, Option<String>)>; 2],
    how: String,
}

/// Both looks' findings and what they were measured on.
struct Both<'a> {
    page: Page,
    found: [Option<&'a Findings>; 2],
    sentences: &'a [String],
}

impl Both<'_> {
    fn row(
        &self,
        name: Text,
        digits: usize,
        of: impl Fn(&Findings) -> Option<f64>,
        how: String,
    ) -> Row {
        self.with_error(name, digits, |found| Some((of(found)?, None)), how)
    }

    /// Values with the half-width of their interval, where there is one.
    fn with_error(
        &self,
        name: Text,
        digits: usize,
        of: impl Fn(&Findings) -> Option<(f64, Option<f64>)>,
        how: String,
    ) -> Row {
        let words = |(value, error): (f64, Option<f64>)| {
            (decimals(value, digits), error.map(|error| decimals(error, digits)))
        };
        let values = self.found.map(|found| found.and_then(&of).map(words));
        Row { name, values, how }
    }

    fn words(&self, text: Text) -> String {
        self.page.words(text).to_owned()
    }

    fn counted(&self, text: Text, count: u64) -> String {
        self.page.filled(text, &[("n", &grouped(count))])
    }

    /// The first of the two that knows.
    fn either<T>(&self, of: impl Fn(&Findings) -> Option<T>) -> Option<T> {
        self.found.iter().flatten().find_map(|found| of(found))
    }

    /// Numbers a vector, in A and in B.
    fn dimensions(&self) -> [String; 2] {
        self.found
            .map(|found| found.map_or("–".to_owned(), |found| found.shape.dimensions.to_string()))
    }

    fn pairs_how(&self, all: Text, sampled: Text) -> String {
        let looked_at = self.either(|found| Some(found.pairs)).unwrap_or_default();
        let is_sample = self.either(|found| found.uniformity_error).is_some();
        self.counted(if is_sample { sampled } else { all }, looked_at)
    }

    fn iso_how(&self) -> String {
        let is_known = self.either(|found| found.iso_score).is_some();
        self.words(if is_known { Text::IsoScoreHow } else { Text::IsoScoreNone })
    }

    /// Where there are not many more sentences than neighbours, everybody is everybody's.
    fn hubness(&self, found: &Findings) -> Option<Hubness> {
        let is_few = |hubness: &Hubness| 2 * u32::from(hubness.neighbours) >= found.shape.sentences;
        found.hubness.filter(|hubness| !is_few(hubness))
    }

    fn hub_how(&self) -> String {
        let Some(hubness) = self.either(|found| self.hubness(found)) else {
            return self.words(Text::HubnessNone);
        };
        let [a, b] = self.found.map(|found| {
            let hub = found.and_then(|found| self.hubness(found));
            hub.map_or("–".to_owned(), |hub| {
                let sentence = self.sentences.get(hub.hub as usize).map_or("", String::as_str);
                let short: String = sentence.chars().take(HUB_CHARACTERS).collect();
                let dots = if short.len() < sentence.len() { "…" } else { "" };
                format!("“{short}{dots}” ({})", hub.named)
            })
        });
        let n = hubness.neighbours.to_string();
        self.page.filled(Text::HubnessHow, &[("n", &n), ("a", &a), ("b", &b)])
    }
}

/// Of the sentence that is named most often, so much is shown.
const HUB_CHARACTERS: usize = 60;

fn rows(page: Page, state: &State) -> Vec<Row> {
    let geometry = &state.geometry;
    let found = Plot::ALL
        .map(|plot| geometry.figure(plot).measured.as_ref().map(|measured| &measured.findings));
    if found.iter().all(Option::is_none) {
        return Vec::new();
    }
    let both = Both { page, found, sentences: &geometry.corpus.sentences };
    let positives = geometry.corpus.positives.len() as u64;
    let mut rows = vec![
        both.row(
            Text::Alignment,
            3,
            |found| found.alignment,
            match positives {
                0 => both.words(Text::AlignmentNone),
                count => both.counted(Text::AlignmentHow, count),
            },
        ),
        both.with_error(
            Text::Uniformity,
            3,
            |found| Some((found.shape.uniformity, found.uniformity_error)),
            both.pairs_how(Text::UniformityHow, Text::UniformitySampled),
        ),
        both.with_error(
            Text::MeanCosine,
            3,
            |found| Some((found.shape.mean_cosine, found.mean_cosine_error)),
            both.words(Text::MeanCosineHow),
        ),
    ];
    if both.either(|found| found.spearman).is_some() {
        let scored = both.either(|found| Some(found.bands.iter().map(|band| band.pairs).sum()));
        let how = both.counted(Text::SpearmanHow, u64::from(scored.unwrap_or(0_u32)));
        rows.push(both.row(Text::Spearman, 2, |found| Some(100.0 * found.spearman?), how));
    }
    rows.extend(directions(&both));
    rows
}

/// How many directions the vectors use, and how evenly.
fn directions(both: &Both<'_>) -> [Row; 5] {
    let [a, b] = both.dimensions();
    let rank_how = both.page.filled(Text::EffectiveRankHow, &[("a", &a), ("b", &b)]);
    [
        both.row(Text::EffectiveRank, 1, |found| Some(found.shape.effective_rank), rank_how),
        both.row(Text::IsoScore, 3, |found| found.iso_score, both.iso_how()),
        both.row(Text::TopShare, 3, |found| Some(found.top_share), both.words(Text::TopShareHow)),
        both.row(
            Text::ThreeAxes,
            3,
            |found| Some(f64::from(found.shape.sphere_share)),
            both.words(Text::ThreeAxesHow),
        ),
        both.row(
            Text::Hubness,
            2,
            |found| both.hubness(found).map(|hubness| hubness.skewness),
            both.hub_how(),
        ),
    ]
}

/// The table, once one of the two is measured.
#[component]
pub fn Numbers() -> impl IntoView {
    let page = page();
    let all = page.part(move |state| rows(page, state));
    move || {
        let rows = all.get();
        (!rows.is_empty()).then(|| {
            view! {
                <section class="geometry-numbers">
                    <h2 id="geometry-numbers">{page.words(Text::NumbersTitle)}</h2>
                    <table aria-labelledby="geometry-numbers">
                        <thead>
                            <tr>
                                <th scope="col">{page.words(Text::Measure)}</th>
                                <th scope="col" class="before">{page.words(plot_name(Plot::A))}</th>
                                <th scope="col" class="after">{page.words(plot_name(Plot::B))}</th>
                                <th scope="col">{page.words(Text::HowToRead)}</th>
                            </tr>
                        </thead>
                        <tbody>{rows.into_iter().map(|row| one(page, row)).collect_view()}</tbody>
                    </table>
                </section>
            }
        })
    }
}

fn one(page: Page, row: Row) -> impl IntoView + use<> {
    let [a, b] = row.values.map(|value| match value {
        None => "–".into_any(),
        Some((value, None)) => value.into_any(),
        Some((value, Some(error))) => {
            view! { {value} " " <span class="geometry-error">"± " {error}</span> }.into_any()
        }
    });
    view! {
        <tr>
            <th scope="row">{page.words(row.name)}</th>
            <td class="before numbers">{a}</td>
            <td class="after numbers">{b}</td>
            <td class="quiet">{row.how}</td>
        </tr>
    }
}
