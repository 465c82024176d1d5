//! What the worker says of the GPU, and what it is told.

use crate::protocol::gpu::{GpuState, Preference, Reason};
use crate::protocol::message::Message;
use crate::protocol::problem::{GpuFault, Problem};
use crate::protocol::request::Request;
use crate::state::app::State;
use crate::state::effect::Effect;
use crate::state::gpu::Gpu;
use crate::state::notice::NoticeContent;

/// The page has answered for the first time: nothing that a visitor waits for is delayed by a look at
/// the GPU now.
pub(in crate::state) fn look(state: &mut State) -> Vec<Effect> {
    if state.gpu.told { Vec::new() } else { tell(state) }
}

pub(in crate::state) fn prefer(state: &mut State, preference: Preference) -> Vec<Effect> {
    state.gpu.preference = preference;
    if state.can_compute() { tell(state) } else { Vec::new() }
}

fn tell(state: &mut State) -> Vec<Effect> {
    state.gpu.told = true;
    let preference = state.gpu.preference;
    vec![Effect::Send(Message::plain(Request::Prefer { preference }))]
}

/// The worker that knew is gone.
pub(in crate::state) fn forget(state: &mut State) {
    state.gpu = Gpu { preference: state.gpu.preference, ..Gpu::default() };
}

/// Takes what the worker says of it. What changes what the visitor sees is said in a notice, too.
pub(in crate::state) fn take(state: &mut State, news: GpuState) {
    match &news {
        GpuState::Decided(verdict) if verdict.reason == Reason::Wrong => {
            state.notify(NoticeContent::GpuWrong(Box::new(verdict.report.clone())));
        }
        GpuState::Failed { problem, .. } if !is_absence(problem) => {
            state.notify(NoticeContent::Problem { problem: problem.clone(), name: None });
        }
        _ => {}
    }
    state.gpu.state = news;
}

/// Many devices have no GPU that a page may use: the status says so, and nobody is disturbed.
fn is_absence(problem: &Problem) -> bool {
    matches!(problem, Problem::Gpu { fault: GpuFault::NoAdapter, .. } | Problem::Program { .. })
}
