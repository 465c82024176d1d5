//! Adapters: which one is attached, its switch and its blend, the shelf of kept ones.

use crate::protocol::event::Event;
use crate::protocol::message::Message;
use crate::protocol::readout::Side;
use crate::protocol::training::AdapterSummary;
use crate::state::app::State;
use crate::state::effect::Effect;

/// What the page knows of adapters.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Adapters {
    /// The one that `Side::After` is made with.
    pub attached: Option<AdapterSummary>,
    /// Which side every view shows.
    pub side: Side,
}

/// What the visitor does with adapters.
#[derive(Debug, Clone, PartialEq)]
pub enum AdapterAction {
    /// The before/after switch.
    SideChosen(Side),
}

/// Applies what the visitor did.
pub(super) fn update(state: &mut State, action: AdapterAction) -> Vec<Effect> {
    match action {
        AdapterAction::SideChosen(side) => {
            state.adapters.side = side;
            Vec::new()
        }
    }
}

/// Takes what the worker says about adapters.
pub(super) fn take_event(_state: &mut State, _message: Message<Event>) -> Vec<Effect> {
    Vec::new()
}
