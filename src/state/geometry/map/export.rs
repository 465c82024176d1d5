//! The map as a table.

use crate::state::geometry::{Geometry, Plot};

/// One row a sentence: its places on both maps (those of `B` laid over `A`, as drawn), topic, cluster,
/// which share of its neighbours on each map is false, whether it is selected. Empty where something is
/// not known.
pub fn csv(geometry: &Geometry) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let written = write(geometry, &mut writer);
    // Writing to memory cannot fail, nor are sentences anything but text.
    let bytes = written.ok().and_then(|()| writer.into_inner().ok()).unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

const HEADER: [&str; 11] = [
    "position", "sentence", "topic", "cluster", "a_x", "a_y", "b_x", "b_y", "a_false", "b_false",
    "selected",
];

fn write(geometry: &Geometry, writer: &mut csv::Writer<Vec<u8>>) -> csv::Result<()> {
    writer.write_record(HEADER)?;
    let topics = &geometry.corpus.topics;
    let clusters = geometry.clusters();
    for (place, sentence) in geometry.corpus.sentences.iter().enumerate() {
        let topic = topics.of.get(place).copied().flatten();
        let topic = topic.and_then(|topic| topics.names.get(usize::from(topic)));
        let cluster = clusters.and_then(|clusters| clusters.labels.get(place));
        let number = |value: Option<&f32>| {
            let value = value.filter(|value| value.is_finite());
            value.map_or_else(String::new, |value| format!("{value:.6}"))
        };
        let mut row = vec![place.to_string(), sentence.clone()];
        row.push(topic.cloned().unwrap_or_default());
        row.push(cluster.map_or_else(String::new, u16::to_string));
        for plot in Plot::ALL {
            let laid = geometry.laid(plot);
            row.extend([number(laid.get(2 * place)), number(laid.get(2 * place + 1))]);
        }
        for plot in Plot::ALL {
            let points = geometry.drawing(plot).points.as_ref();
            row.push(number(points.and_then(|points| points.false_shares.get(place))));
        }
        let is_selected = geometry.map.selection.binary_search(&(place as u32)).is_ok();
        row.push(if is_selected { "1" } else { "0" }.to_owned());
        writer.write_record(row)?;
    }
    Ok(())
}
