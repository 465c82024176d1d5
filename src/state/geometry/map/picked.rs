//! What is picked on a map, as a session keeps it: where the slider stands, the selection, the
//! sentence whose neighbours are shown, the text that is looked for.

use serde::{Deserialize, Serialize};

use crate::state::geometry::Geometry;
use crate::state::geometry::map::{Map, update};

/// What is picked.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::state) struct Picked {
    /// 0 is `A`, 1 is `B`.
    share: f64,
    /// First positions and lengths of runs, rising: a lasso around half a corpus stays short.
    runs: Vec<(u32, u32)>,
    pinned: Option<u32>,
    query: String,
}

impl Picked {
    pub(in crate::state) fn of(map: &Map) -> Self {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for &position in map.selection.iter() {
            match runs.last_mut() {
                Some((first, length)) if *first + *length == position => *length += 1,
                _ => runs.push((position, 1)),
            }
        }
        Self { share: map.share, runs, pinned: map.pinned, query: map.query.text.clone() }
    }

    pub(in crate::state) fn to_json(&self) -> String {
        // Serialising strings and finite numbers cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Nothing is picked where the text is not ours.
    pub(in crate::state) fn from_json(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// Picks it, of the corpus that is there: positions that it does not have are left out.
    pub(in crate::state) fn pick(self, geometry: &mut Geometry) {
        let Self { share, runs, pinned, query } = self;
        let end = u32::try_from(geometry.corpus.sentences.len()).unwrap_or(u32::MAX);
        let positions = runs
            .into_iter()
            .flat_map(|(first, length)| first.min(end)..first.saturating_add(length).min(end));
        update::select(geometry, positions, false);
        let map = &mut geometry.map;
        map.share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
        map.pinned = pinned.filter(|position| *position < end);
        update::look_for(map, query);
        map.query.asked = map.query.text.trim().to_owned();
    }
}

#[cfg(test)]
mod tests {
    use super::{Geometry, Picked};

    proptest::proptest! {
        #[test]
        fn what_is_picked_is_picked_again(
            chosen in proptest::collection::vec(proptest::bool::ANY, 10), share in 0.0..1.0_f64,
        ) {
            let mut geometry = Geometry::default();
            proptest::prop_assert!(geometry.corpus.sentences.len() >= chosen.len());
            let positions = (0..).zip(chosen).filter_map(|(position, is)| is.then_some(position));
            geometry.map.selection = positions.collect();
            geometry.map.share = share;
            let picked = Picked::of(&geometry.map);
            let mut other = Geometry::default();
            Picked::from_json(&picked.to_json()).pick(&mut other);
            proptest::prop_assert_eq!(&other.map.selection, &geometry.map.selection);
            // A number in decimals may end one bit off.
            proptest::prop_assert!((other.map.share - share).abs() < 1e-12);
        }
    }

    #[test]
    fn what_the_corpus_does_not_have_is_left_out() {
        let mut geometry = Geometry::default();
        let count = geometry.corpus.sentences.len() as u32;
        let text =
            format!("{{\"share\":9,\"runs\":[[{},{}]],\"pinned\":{count}}}", count - 1, u32::MAX);
        Picked::from_json(&text).pick(&mut geometry);
        assert_eq!(geometry.map.selection[..], [count - 1]);
        assert_eq!((geometry.map.share, geometry.map.pinned), (1.0, None));
    }
}
