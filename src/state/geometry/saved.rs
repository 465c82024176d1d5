//! What of the geometry view survives a reload.

use serde::{Deserialize, Serialize};

use crate::state::fine_tune::saved::MOST_SAVED_BYTES;
use crate::state::geometry::corpus::{Corpus, Source};
use crate::state::geometry::map::Map;
use crate::state::geometry::map::settings::Settings;
use crate::state::geometry::{Geometry, Look};

/// What is kept. It is a text of its own inside what the page saves, so that looks of another version
/// cost no more than themselves.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
struct SavedGeometry {
    /// `None`: a bundled corpus, or too long.
    text: Option<String>,
    name: Option<String>,
    looks: Option<[Look; 2]>,
    /// Likewise a text of its own: settings of the map.
    map: Option<String>,
}

/// As text.
pub(in crate::state) fn to_json(geometry: &Geometry) -> String {
    let Source { text, name } = &geometry.source;
    let is_first = geometry.source == Geometry::default().source;
    let kept = !is_first && text.len() <= MOST_SAVED_BYTES;
    let saved = SavedGeometry {
        text: kept.then(|| text.clone()),
        name: name.clone().filter(|_| kept),
        looks: Some(geometry.looks),
        map: Some(geometry.map.kept_settings().to_json()),
    };
    // Serialising strings and numbers cannot fail; if it did, nothing would be kept.
    serde_json::to_string(&saved).unwrap_or_default()
}

/// The view as it was left; as at a first visit where the text is not ours.
pub(in crate::state) fn from_json(text: &str) -> Geometry {
    let mut geometry = Geometry::default();
    let Ok(saved) = serde_json::from_str::<SavedGeometry>(text) else { return geometry };
    geometry.looks = saved.looks.unwrap_or(geometry.looks);
    let settings = saved.map.map(|map| Settings::from_json(&map)).unwrap_or_default();
    geometry.map = Map::with_settings(settings);
    if let Some(text) = saved.text
        && let Ok(corpus) = Corpus::read(&text, saved.name.as_deref())
    {
        geometry.source = Source { text, name: saved.name };
        geometry.corpus = corpus;
    }
    geometry
}
