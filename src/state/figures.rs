//! What the views with figures want of the worker.

use crate::state::app::State;
use crate::state::effect::Effect;
use crate::state::geometry;
use crate::state::lesson;
use crate::state::search;

/// Asks for what the view that is open draws and does not have yet.
pub(super) fn ask_figures(state: &mut State) -> Vec<Effect> {
    let mut effects = lesson::update::ask(state);
    effects.extend(geometry::update::ask(state));
    effects.extend(search::ask::ask(state));
    effects
}
