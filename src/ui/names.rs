//! Names and captions that several panels show.

use leptos::prelude::*;

use crate::catalogue::adapters::AdapterText;
use crate::catalogue::text::Text;
use crate::protocol::readout::{Pooling, Side};
use crate::state::app::State;
use crate::ui::page::Page;

/// Words for a pooling.
pub fn pooling_name(pooling: Pooling) -> Text {
    match pooling {
        Pooling::Mean => Text::PoolingMean,
        Pooling::Cls => Text::PoolingCls,
        Pooling::FirstLast => Text::PoolingFirstLast,
        Pooling::ClsMlp => Text::PoolingClsMlp,
    }
}

/// The options of a choice of layers: the last one of `own`, and those that can be read up to `most`.
pub fn layer_options(
    page: Page,
    own: u16,
    most: u16,
    is_chosen: impl Fn(Option<u16>) -> bool + Copy + Send + 'static,
) -> impl IntoView {
    let known = if own > 0 { own.to_string() } else { "…".to_owned() };
    let last = page.filled(Text::LayerLast, &[("n", &known)]);
    let others = (0..=most.min(own)).rev().filter(|layer| *layer != own).map(|layer| {
        let name = match layer {
            0 => page.words(Text::LayerEmbedding).to_owned(),
            layer => layer.to_string(),
        };
        view! {
            <option value=layer.to_string() prop:selected=move || is_chosen(Some(layer))>{name}</option>
        }
    });
    view! {
        <option value="" prop:selected=move || is_chosen(None)>{last}</option>
        {others.collect_view()}
    }
}

/// Name of a side in style sheets.
pub fn side_class(side: Side) -> &'static str {
    match side {
        Side::Before => "before",
        Side::After => "after",
    }
}

/// What a number depends on: "all-MiniLM-L6-v2, q8_0 · Mean of tokens · Layer 4".
pub fn caption(page: Page, state: &State) -> String {
    let (Some(model), Some(lens)) = (&state.model, state.lens()) else { return String::new() };
    let readout = lens.readout;
    let (name, quantisation) = match (lens.side, state.adapters.model()) {
        (Side::After, Some((other, known))) => (&other.name, &known.quantisation),
        _ => (&model.name, &model.quantisation),
    };
    let mut parts = vec![format!("{name}, {quantisation}")];
    parts.extend(state.adapters.adapter().map(|adapter| {
        let side = page.side(lens.side);
        page.filled(AdapterText::SideOf, &[("side", &side), ("value", &adapter.name)])
    }));
    parts.push(page.words(pooling_name(readout.pooling)).to_owned());
    parts.extend(readout.layer.map(|layer| format!("{} {layer}", page.words(Text::Layer))));
    parts.join(" · ")
}
