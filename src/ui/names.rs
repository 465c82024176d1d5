//! Names and captions that several panels show.

use crate::catalogue::text::Text;
use crate::protocol::readout::Pooling;
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

/// What a number depends on: "all-MiniLM-L6-v2, q8_0 · Mean of tokens · Layer 4".
pub fn caption(page: Page, state: &State) -> String {
    let Some(model) = &state.model else { return String::new() };
    let readout = state.compare.readout(model.pooling);
    let mut parts = vec![
        format!("{}, {}", model.name, model.quantisation),
        page.words(pooling_name(readout.pooling)).to_owned(),
    ];
    parts.extend(readout.layer.map(|layer| format!("{} {layer}", page.words(Text::Layer))));
    parts.join(" · ")
}
