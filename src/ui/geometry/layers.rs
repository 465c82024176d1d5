//! A measure through all layers, before and after, by both readouts.

use leptos::prelude::*;

use crate::catalogue::geometry::GeometryText as Text;
use crate::catalogue::numbers::{decimals, grouped};
use crate::catalogue::problems::explain;
use crate::chart::layers::{Layers, Series, layers};
use crate::chart::ramp::Palette;
use crate::chart::scene::Scene;
use crate::protocol::lab::LayerMeasure;
use crate::protocol::readout::{Pooling, Side};
use crate::state::action::Action;
use crate::state::app::State;
use crate::state::geometry::GeometryAction;
use crate::state::geometry::failure::Failure;
use crate::state::geometry::layers::{LayersAction as Do, MOST_SENTENCES, Measure};
use crate::ui::figure::{Figure, Files};
use crate::ui::names::pooling_name;
use crate::ui::page::{Page, page};
use crate::ui::parts::Chart;

const SIDES: [Side; 2] = [Side::Before, Side::After];
/// As dark as each other, told apart by their dashes.
const POOLINGS: [(Pooling, bool); 2] = [(Pooling::Cls, false), (Pooling::Mean, true)];

/// What is drawn.
#[derive(Clone, PartialEq, Default)]
struct Data {
    measure: Measure,
    sides: [Vec<LayerMeasure>; 2],
}

impl Data {
    fn of(state: &State) -> Self {
        let layered = &state.geometry.layered;
        let sides = SIDES.map(|side| layered.measured(side).unwrap_or_default().to_vec());
        Self { measure: layered.shown, sides }
    }

    fn is_empty(&self) -> bool {
        self.sides.iter().all(Vec::is_empty)
    }

    fn values(&self, side: Side, pooling: Pooling) -> Vec<f64> {
        let [before, after] = &self.sides;
        let layers = if side == Side::After { after } else { before };
        let read = layers.iter().filter(|layer| layer.pooling == pooling);
        read.map(|layer| self.measure.of(layer).unwrap_or(f64::NAN)).collect()
    }
}

fn measure_name(measure: Measure) -> Text {
    match measure {
        Measure::MeanCosine => Text::MeanCosine,
        Measure::Uniformity => Text::Uniformity,
        Measure::Alignment => Text::Alignment,
        Measure::Spearman => Text::Spearman,
    }
}

#[derive(Clone, Copy)]
struct Drawing {
    page: Page,
    data: Memo<Data>,
    caption: Memo<String>,
}

impl Drawing {
    fn name(self, side: Side, pooling: Pooling) -> String {
        format!("{} · {}", self.page.words(pooling_name(pooling)), self.page.side(side))
    }

    /// Every line with its side and readout, those that are there.
    fn lines(self, data: &Data) -> Vec<(Side, Pooling, bool, Vec<f64>)> {
        let all = SIDES.into_iter().flat_map(|side| {
            POOLINGS
                .map(|(pooling, is_dashed)| (side, pooling, is_dashed, data.values(side, pooling)))
        });
        all.filter(|line| line.3.iter().any(|value| value.is_finite())).collect()
    }
}

impl Files for Drawing {
    fn scene(self, width: f64, palette: &Palette) -> Option<Scene> {
        let data = self.data.get();
        let mut words = Vec::new();
        let series: Vec<Series> = self
            .lines(&data)
            .into_iter()
            .map(|(side, pooling, is_dashed, values)| {
                let name = self.name(side, pooling);
                let shown: Vec<String> = values.iter().map(|value| decimals(*value, 2)).collect();
                words.push(format!("{name}: {}", shown.join(", ")));
                Series { name, values, is_after: side == Side::After, is_dashed }
            })
            .collect();
        let value_label = self.page.words(measure_name(data.measure)).to_owned();
        let layer_label = self.page.words(Text::LayerAxis).to_owned();
        let description = format!("{value_label}. {}.", words.join("; "));
        Some(layers(&Layers { series, layer_label, value_label, description }, width, palette))
    }

    fn table(self) -> String {
        let data = self.data.get_untracked();
        let mut table = "side,readout,layer,value\n".to_owned();
        for (side, pooling, _, values) in self.lines(&data) {
            let side = if side == Side::After { "after" } else { "before" };
            for (layer, value) in values.iter().enumerate() {
                table.push_str(&format!("{side},{},{layer},{value:.6}\n", pooling.name()));
            }
        }
        table
    }

    fn caption(self) -> String {
        self.caption.get_untracked()
    }
}

/// The figure: a button until the visitor asks for it.
#[component]
pub fn LayersFigure() -> impl IntoView {
    let page = page();
    let drawing = Drawing {
        page,
        data: page.part(Data::of),
        caption: page.part(move |state| {
            let count = state.geometry.corpus.sentences.len().min(MOST_SENTENCES);
            page.filled(Text::LayersCaption, &[("n", &grouped(count as u64))])
        }),
    };
    let has_any = Memo::new(move |_| !drawing.data.get().is_empty());
    let how = Signal::derive(move || page.words(Text::LayersHow).to_owned());
    view! {
        <Figure title=Text::LayersTitle how=how name="simcse-geometry-layers" files=drawing>
            <LayersStatus/>
            {move || has_any.get().then(|| view! {
                <Measures/>
                <Chart draw=move |width, palette: &Palette| drawing.scene(width, palette)/>
                <p class="quiet">{move || drawing.caption.get()}</p>
            })}
        </Figure>
    }
}

/// What is drawn: one of the measures that this corpus has.
#[component]
fn Measures() -> impl IntoView {
    let page = page();
    let data = page.part(Data::of);
    let act = move |measure| {
        page.dispatch(Action::Geometry(GeometryAction::Layers(Do::Shown(measure))));
    };
    let has = move |measure: Measure| {
        data.get().sides.iter().flatten().any(|layer| measure.of(layer).is_some())
    };
    let choices = move || {
        let there = Measure::ALL.into_iter().filter(|measure| has(*measure));
        let chips = there.map(|measure| {
            view! {
                <button
                    class="chip"
                    aria-pressed=(data.get().measure == measure).to_string()
                    on:click=move |_| act(measure)
                >
                    {page.words(measure_name(measure))}
                </button>
            }
        });
        chips.collect_view()
    };
    view! { <div class="chips" role="group" aria-label=page.text(Text::Measure)>{choices}</div> }
}

/// How far it is, what went wrong, or the button.
#[derive(Clone, PartialEq)]
enum Standing {
    NotAsked,
    Working(u32, u32),
    Failed(Failure),
    Measured,
}

fn standing(state: &State) -> Standing {
    let layered = &state.geometry.layered;
    let jobs = SIDES.iter().filter_map(|side| layered.job(*side));
    let counts = jobs.map(|job| (job.done, job.total)).reduce(|a, b| (a.0 + b.0, a.1 + b.1));
    if let Some((done, total)) = counts {
        return Standing::Working(done, total);
    }
    match SIDES.iter().find_map(|side| layered.failure(*side)) {
        Some(failure) => Standing::Failed(failure.clone()),
        None if layered.is_wanted => Standing::Measured,
        None => Standing::NotAsked,
    }
}

#[component]
fn LayersStatus() -> impl IntoView {
    let page = page();
    let now = page.part(standing);
    let act = move |action: Do| page.dispatch(Action::Geometry(GeometryAction::Layers(action)));
    let measure = move |text: Text| {
        view! { <button class="plain" on:click=move |_| act(Do::Wanted)>{page.words(text)}</button> }
    };
    move || match now.get() {
        Standing::Measured => ().into_any(),
        Standing::NotAsked => measure(Text::LayersMeasure).into_any(),
        Standing::Failed(Failure::Stopped) => measure(Text::LayersMeasure).into_any(),
        Standing::Failed(Failure::Problem(problem)) => {
            let told = explain(&problem, page.language());
            view! {
                <div class="error" role="alert">
                    {told.happened} " " {told.remedy} " " {measure(Text::Again)}
                </div>
            }
            .into_any()
        }
        Standing::Working(done, total) => {
            let places = [grouped(u64::from(done)), grouped(u64::from(total))];
            let words =
                page.filled(Text::Measuring, &[("done", &places[0]), ("total", &places[1])]);
            view! {
                <div class="geometry-working">
                    <progress max=total.max(1).to_string() value=done.to_string()></progress>
                    <span class="quiet numbers">{words}</span>
                    <button class="plain" on:click=move |_| act(Do::Stopped)>
                        {page.words(Text::Stop)}
                    </button>
                </div>
            }
            .into_any()
        }
    }
}
