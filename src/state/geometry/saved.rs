//! What of the geometry view survives a reload.

use serde::{Deserialize, Serialize};

use crate::state::fine_tune::saved::MOST_SAVED_BYTES;
use crate::state::geometry::corpus::{Bundled, Corpus, Source};
use crate::state::geometry::map::picked::Picked;
use crate::state::geometry::map::settings::Settings;
use crate::state::geometry::map::{Map, ask};
use crate::state::geometry::{Geometry, Look};
use crate::text::columns::Roles;

/// What is kept. It is a text of its own inside what the page saves, so that looks of another version
/// cost no more than themselves.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
struct SavedGeometry {
    /// `None`: what the page has in itself, or too long.
    text: Option<String>,
    name: Option<String>,
    roles: Option<Roles>,
    /// [`Bundled::slug`]
    bundled: Option<String>,
    looks: Option<[Look; 2]>,
    /// Likewise a text of its own: settings of the map.
    map: Option<String>,
    /// And what is picked on it; a session has that, a reload begins without.
    picked: Option<String>,
}

/// As text.
pub(in crate::state) fn to_json(geometry: &Geometry) -> String {
    let Source { text, name, roles, bundled } = &geometry.source;
    let is_within = bundled.is_some_and(|bundled| bundled.url().is_none());
    let is_kept = !is_within && text.len() <= MOST_SAVED_BYTES;
    let saved = SavedGeometry {
        text: is_kept.then(|| text.to_string()),
        name: name.clone().filter(|_| is_kept),
        roles: roles.filter(|_| is_kept || is_within),
        bundled: bundled.map(|bundled| bundled.slug().to_owned()),
        ..settings(geometry)
    };
    json(&saved)
}

/// Everything but the sentences, and what is picked among them, as text.
pub(in crate::state) fn view_to_json(geometry: &Geometry) -> String {
    let picked = Some(Picked::of(&geometry.map).to_json());
    json(&SavedGeometry { picked, ..settings(geometry) })
}

/// Everything but the sentences.
fn settings(geometry: &Geometry) -> SavedGeometry {
    let map = Some(geometry.map.kept_settings().to_json());
    SavedGeometry { looks: Some(geometry.looks), map, ..SavedGeometry::default() }
}

fn json(saved: &SavedGeometry) -> String {
    // Serialising strings and numbers cannot fail; if it did, nothing would be kept.
    serde_json::to_string(saved).unwrap_or_default()
}

/// Sets everything but the sentences as it was, and picks among them; what is not ours leaves it as
/// it is.
pub(in crate::state) fn apply_view(geometry: &mut Geometry, text: &str) {
    let Ok(saved) = serde_json::from_str::<SavedGeometry>(text) else { return };
    set(geometry, &saved);
    if let Some(picked) = saved.picked {
        ask::follow_corpus(geometry);
        Picked::from_json(&picked).pick(geometry);
    }
}

fn set(geometry: &mut Geometry, saved: &SavedGeometry) {
    geometry.looks = saved.looks.unwrap_or(geometry.looks);
    if let Some(map) = &saved.map {
        geometry.map = Map::with_settings(Settings::from_json(map));
    }
}

/// The view as it was left; as at a first visit where the text is not ours.
pub(in crate::state) fn from_json(text: &str) -> Geometry {
    let mut geometry = Geometry::default();
    let Ok(saved) = serde_json::from_str::<SavedGeometry>(text) else { return geometry };
    set(&mut geometry, &saved);
    let bundled = saved.bundled.as_deref().and_then(Bundled::from_slug);
    let SavedGeometry { name, roles, .. } = saved;
    let source = match saved.text {
        Some(text) => Some(Source { text: text.into(), name, roles, bundled }),
        None => bundled.and_then(Bundled::source).map(|source| Source { roles, ..source }),
    };
    if let Some(source) = source
        && let Ok(corpus) = Corpus::read(&source)
    {
        geometry.source = source;
        geometry.corpus = geometry.corpus.followed_by(corpus);
    }
    geometry
}
