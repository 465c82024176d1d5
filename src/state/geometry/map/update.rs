//! What happens on the map, applied to the state.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::state::action::Action;
use crate::state::effect::Effect;
use crate::state::geometry::map::ask::cancel;
use crate::state::geometry::map::settings::Colouring;
use crate::state::geometry::map::{Answers, Map, MapAction, Trouble};
use crate::state::geometry::{Geometry, GeometryAction, Plot};
use crate::state::notice::Report;

/// Pause between the last keystroke and asking.
const SETTLE_MS: u32 = 150;

/// Applies what happened; what has to be asked then is for [`ask`](super::ask::ask).
pub(in crate::state) fn update(geometry: &mut Geometry, action: MapAction) -> Vec<Effect> {
    let map = &mut geometry.map;
    match action {
        MapAction::Chosen(settings) => map.settings = settings.checked(),
        MapAction::Reseeded => map.settings.seed = map.settings.seed.wrapping_add(1),
        MapAction::Stopped => return stop(geometry),
        MapAction::Resumed => {
            map.drawings.iter_mut().for_each(|drawing| drawing.failed = None);
            for Answers { near, text, clusters } in &mut map.answers {
                near.try_again();
                text.try_again();
                clusters.try_again();
            }
        }
        MapAction::Slid(share) => {
            map.share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
        }
        MapAction::QueryTyped(text) => return type_query(map, text),
        MapAction::QuerySettled(count) if count == map.query.typed_count => {
            map.query.asked = map.query.text.trim().to_owned();
        }
        MapAction::QuerySettled(_) => {}
        MapAction::Pinned(position) => {
            map.pinned = position.filter(|it| (*it as usize) < geometry.corpus.sentences.len());
        }
        MapAction::Selected { positions, added } => select(geometry, positions, added),
        MapAction::Toggled(position) => {
            let mut chosen: BTreeSet<u32> = map.selection.iter().copied().collect();
            if !chosen.remove(&position) {
                chosen.insert(position);
            }
            select(geometry, chosen, false);
        }
        MapAction::GroupSelected { group, added } => {
            let members = geometry.members(group);
            select(geometry, members, added);
        }
        MapAction::Cleared => {
            map.pinned = None;
            map.selection = Arc::default();
        }
        MapAction::SelectionCopied => return copy(geometry),
    }
    Vec::new()
}

/// Both maps are given up, the one that waits for the other, too.
fn stop(geometry: &mut Geometry) -> Vec<Effect> {
    let mut effects = Vec::new();
    for plot in Plot::ALL {
        let making = geometry.making(plot);
        let drawing = &mut geometry.map.drawings[plot.place()];
        effects.extend(drawing.job.take().map(|job| cancel(job.revision)));
        if let Some(making) = making.filter(|making| !drawing.has(making)) {
            drawing.failed = Some((Trouble::Stopped, making));
        }
    }
    effects
}

/// Looks for a text once typing pauses.
fn type_query(map: &mut Map, text: String) -> Vec<Effect> {
    look_for(map, text);
    map.query.typed_count += 1;
    let action = MapAction::QuerySettled(map.query.typed_count);
    let action = Action::Geometry(GeometryAction::Map(action));
    vec![Effect::After { pause_ms: SETTLE_MS, action }]
}

/// A query's colours take the place of others as long as there is one.
pub(super) fn look_for(map: &mut Map, text: String) {
    let is_empty = |text: &str| text.trim().is_empty();
    let colouring = map.settings.colouring;
    if is_empty(&map.query.text) && !is_empty(&text) {
        map.query.before = colouring.filter(|colouring| *colouring != Colouring::Query);
        map.settings.colouring = Some(Colouring::Query);
    } else if is_empty(&text) && colouring == Some(Colouring::Query) {
        map.settings.colouring = map.query.before;
    }
    map.query.text = text;
}

pub(super) fn select(
    geometry: &mut Geometry,
    positions: impl IntoIterator<Item = u32>,
    added: bool,
) {
    let sentences = geometry.corpus.sentences.len();
    let before = if added { geometry.map.selection.clone() } else { Arc::default() };
    let all = positions.into_iter().chain(before.iter().copied());
    let chosen: BTreeSet<u32> = all.filter(|it| (*it as usize) < sentences).collect();
    geometry.map.selection = chosen.into_iter().collect();
}

fn copy(geometry: &Geometry) -> Vec<Effect> {
    let sentence = |position: &u32| geometry.corpus.sentences.get(*position as usize);
    let lines = geometry.map.selection.iter().filter_map(sentence);
    let text = lines.map(String::as_str).collect::<Vec<_>>().join("\n");
    vec![Effect::Copy { text, is_fragment: false, report: Report::Copied }]
}
