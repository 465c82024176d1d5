//! What the worker says of the GPU, and what it is told.

use crate::protocol::gpu::{GpuState, Preference, Reason, Tuned};
use crate::protocol::problem::{GpuFault, Problem};
use crate::protocol::request::Request;
use crate::state::app::State;
use crate::state::effect::Effect;
use crate::state::gpu::Gpu;
use crate::state::notice::NoticeContent;
use crate::state::saved::Saved;

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
    let tuned = state.gpu.tuned.clone();
    vec![Effect::ask(Request::Prefer { preference, tuned })]
}

/// The worker that knew is gone.
pub(in crate::state) fn forget(state: &mut State) {
    let Gpu { preference, tuned, .. } = std::mem::take(&mut state.gpu);
    state.gpu = Gpu { preference, tuned, ..Gpu::default() };
}

/// Takes what the worker says of it. What changes what the visitor sees is said in a notice, too.
pub(in crate::state) fn take(state: &mut State, news: GpuState) -> Vec<Effect> {
    match &news {
        GpuState::Decided(verdict) if verdict.reason == Reason::Wrong => {
            state.notify(NoticeContent::GpuWrong(Box::new(verdict.report.clone())));
        }
        GpuState::Failed { problem, .. } if !is_absence(problem) => {
            state.notify(NoticeContent::Problem { problem: problem.clone(), name: None });
        }
        _ => {}
    }
    let tuned = tuned(&news).filter(|tuned| state.gpu.tuned.as_ref() != Some(tuned));
    state.gpu.state = news;
    if tuned.is_none() {
        return Vec::new();
    }
    state.gpu.tuned = tuned;
    vec![Effect::Save(Saved::of(state).to_json())]
}

/// What the next visit need not measure again.
fn tuned(news: &GpuState) -> Option<Tuned> {
    let GpuState::Decided(verdict) = news else { return None };
    let report = &verdict.report;
    Some(Tuned { device: report.device.clone(), way: report.way.clone()? })
}

/// Many devices have no GPU that a page may use: the status says so, and nobody is disturbed.
fn is_absence(problem: &Problem) -> bool {
    matches!(problem, Problem::Gpu { fault: GpuFault::NoAdapter, .. } | Problem::Program { .. })
}
