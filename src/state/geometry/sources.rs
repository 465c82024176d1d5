//! The text that is looked at: where it comes from, and the way back to the one before.

use crate::state::action::Action;
use crate::state::app::State;
use crate::state::effect::Effect;
use crate::state::geometry::corpus::{Bundled, Corpus, Source};
use crate::state::geometry::{Arrival, Elsewhere, Geometry, GeometryAction, Past, PastSettings};
use crate::text::lists::ListError;

/// Pause between the last keystroke and reading.
const SETTLE_MS: u32 = 500;
/// Texts that can be gone back to, and their bytes together.
const MOST_UNDO: usize = 20;
const MOST_UNDO_BYTES: usize = 64_000_000;

/// Takes what is typed, and reads it after a pause.
pub(super) fn type_in(geometry: &mut Geometry, text: String) -> Vec<Effect> {
    // What is typed over was somebody's: it can be gone back to.
    let is_own = geometry.source.bundled.is_none() && geometry.source.name.is_none();
    if !is_own && *geometry.source.text != text {
        pile(geometry, None);
    }
    // What is typed over a file's text is that file no more.
    let roles = geometry.source.roles;
    geometry.source = Source { text: text.into(), roles, ..Source::default() };
    geometry.arrival = None;
    geometry.typed_count += 1;
    let action = Action::Geometry(GeometryAction::Settled(geometry.typed_count));
    vec![Effect::After { pause_ms: SETTLE_MS, action }]
}

/// Takes a file that was picked or dropped.
pub(super) fn take_file(geometry: &mut Geometry, name: String, text: Result<String, ListError>) {
    let read = text.and_then(|text| {
        let source = Source { text: text.into(), name: Some(name.clone()), ..Source::default() };
        Ok((Corpus::read(&source)?, source))
    });
    match read {
        Ok((corpus, source)) => put(geometry, source, corpus),
        Err(error) => geometry.trouble = Some((name, error)),
    }
}

/// Takes a bundled corpus, or asks for it where it lies beside the page.
pub(super) fn choose_bundled(geometry: &mut Geometry, bundled: Bundled) -> Vec<Effect> {
    geometry.arrival = None;
    if let Some(source) = bundled.source() {
        replace(geometry, source);
        return Vec::new();
    }
    let Some(url) = bundled.url().filter(|_| geometry.source.bundled != Some(bundled)) else {
        return Vec::new();
    };
    geometry.arrival_count += 1;
    let number = geometry.arrival_count;
    geometry.arrival = Some(Arrival::Coming(bundled, number));
    vec![Effect::FetchCorpus { url, number }]
}

/// Takes what came from beside the page, if it is still waited for.
pub(super) fn take_arrival(geometry: &mut Geometry, number: u32, text: Result<String, String>) {
    let Some(Arrival::Coming(bundled, wanted)) = geometry.arrival else { return };
    if wanted != number {
        return;
    }
    geometry.arrival = None;
    match text {
        Ok(text) => replace(geometry, bundled.arrived(&text)),
        Err(detail) => geometry.arrival = Some(Arrival::Failed { bundled, detail }),
    }
}

/// Takes another view's sentences, if it has any.
pub(super) fn take_from(state: &mut State, elsewhere: Elsewhere) {
    let (text, name) = state.sentences_of(elsewhere);
    if !text.trim().is_empty() {
        let source = Source { text: text.into(), name: name.cloned(), ..Source::default() };
        replace(&mut state.geometry, source);
    }
}

/// Another text takes the place of the one that is there, which can be gone back to.
pub(super) fn replace(geometry: &mut Geometry, source: Source) {
    remember(geometry, &source);
    settle(geometry, source);
}

/// As [`replace`], with what was read of it.
fn put(geometry: &mut Geometry, source: Source, corpus: Corpus) {
    remember(geometry, &source);
    take_read(geometry, source, corpus);
}

/// A text that was read is there from now on.
pub(super) fn take_read(geometry: &mut Geometry, source: Source, corpus: Corpus) {
    geometry.trouble = None;
    geometry.arrival = None;
    geometry.typed_count += 1;
    geometry.corpus = geometry.corpus.followed_by(corpus);
    geometry.source = source;
}

/// Puts the text that is there onto the pile of those that can be gone back to.
fn remember(geometry: &mut Geometry, next: &Source) {
    if *next != geometry.source {
        pile(geometry, None);
    }
}

/// Puts a text of the visitor's own below all others, so that going back does not lose it.
pub(super) fn put_below(geometry: &mut Geometry) {
    let Source { text, name, bundled, .. } = &geometry.source;
    let is_own = bundled.is_none() && name.is_none() && !text.trim().is_empty();
    if is_own {
        let source = geometry.source.clone();
        geometry.undo.insert(0, Past { source, settings: None });
    }
}

/// As [`remember`], with what is set besides.
pub(super) fn pile(geometry: &mut Geometry, settings: Option<PastSettings>) {
    geometry.undo.push(Past { source: geometry.source.clone(), settings });
    let bytes = |undo: &[Past]| undo.iter().map(|past| past.source.text.len()).sum::<usize>();
    // The last one stays, however long it is.
    while geometry.undo.len() > MOST_UNDO
        || (geometry.undo.len() > 1 && bytes(&geometry.undo) > MOST_UNDO_BYTES)
    {
        geometry.undo.remove(0);
    }
}

/// Reads what was typed. Roles stay as long as the columns are the same.
pub(super) fn settle_typed(geometry: &mut Geometry) {
    let mut source = geometry.source.clone();
    let names = |corpus: &Corpus| corpus.table.as_ref().map(|table| table.names.clone());
    if source.roles.is_some()
        && Corpus::read(&source).is_ok_and(|corpus| names(&corpus) != names(&geometry.corpus))
    {
        source.roles = None;
    }
    settle(geometry, source);
}

/// Reads the text. One that cannot be read leaves the corpus that was there.
pub(super) fn settle(geometry: &mut Geometry, source: Source) {
    geometry.trouble = None;
    // What is on its way is not wanted any more.
    geometry.arrival = None;
    // A pause that has not ended is of the text before.
    geometry.typed_count += 1;
    match Corpus::read(&source) {
        Ok(corpus) => geometry.corpus = geometry.corpus.followed_by(corpus),
        Err(error) => geometry.trouble = Some((source.name.clone().unwrap_or_default(), error)),
    }
    geometry.source = source;
}
