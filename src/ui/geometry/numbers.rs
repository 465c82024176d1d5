//! The measures of both, side by side, each with a line on how to read it.

use leptos::prelude::*;

use crate::catalogue::geometry::GeometryText as Text;
use crate::catalogue::numbers::{decimals, grouped};
use crate::state::app::State;
use crate::state::geometry::{Measured, Plot};
use crate::ui::geometry::look::plot_name;
use crate::ui::page::{Page, page};

/// A measure: its name, its values for `A` and `B`, and what they mean.
#[derive(Clone, PartialEq)]
struct Row {
    name: Text,
    values: [Option<String>; 2],
    how: String,
}

fn rows(page: Page, state: &State) -> Vec<Row> {
    let geometry = &state.geometry;
    let both = Plot::ALL.map(|plot| geometry.figure(plot).measured.as_ref());
    if both.iter().all(Option::is_none) {
        return Vec::new();
    }
    let row = |name: Text, of: &dyn Fn(&Measured) -> Option<f64>, digits, how: String| {
        let values = both.map(|measured| measured.and_then(of).map(|v| decimals(v, digits)));
        Row { name, values, how }
    };
    let counted = |text: Text, count: u64| page.filled(text, &[("n", &grouped(count))]);
    let positives = geometry.corpus.positives.len() as u64;
    let sentences = geometry.corpus.sentences.len() as u64;
    let pairs = sentences * sentences.saturating_sub(1) / 2;
    let dimensions = both.map(|measured| {
        measured.map_or("–".to_owned(), |it| it.findings.shape.dimensions.to_string())
    });
    let alignment_how = match positives {
        0 => page.words(Text::AlignmentNone).to_owned(),
        count => counted(Text::AlignmentHow, count),
    };
    vec![
        row(Text::Alignment, &|m| m.findings.alignment, 3, alignment_how),
        row(
            Text::Uniformity,
            &|m| Some(m.findings.shape.uniformity),
            3,
            page.words(Text::UniformityHow).to_owned(),
        ),
        row(
            Text::MeanCosine,
            &|m| Some(m.findings.shape.mean_cosine),
            3,
            counted(Text::MeanCosineHow, pairs),
        ),
        row(
            Text::EffectiveRank,
            &|m| Some(m.findings.shape.effective_rank),
            1,
            page.filled(Text::EffectiveRankHow, &[("a", &dimensions[0]), ("b", &dimensions[1])]),
        ),
        row(
            Text::ThreeAxes,
            &|m| Some(f64::from(m.findings.shape.sphere_share)),
            3,
            page.words(Text::ThreeAxesHow).to_owned(),
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
    let [a, b] = row.values.map(|value| value.unwrap_or_else(|| "–".to_owned()));
    view! {
        <tr>
            <th scope="row">{page.words(row.name)}</th>
            <td class="before numbers">{a}</td>
            <td class="after numbers">{b}</td>
            <td class="quiet">{row.how}</td>
        </tr>
    }
}
