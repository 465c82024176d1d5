//! What the page knows of the GPU, and what the visitor wants of it.

pub(in crate::state) mod events;
#[cfg(test)]
mod tests;

use crate::protocol::gpu::{Backend, GpuState, Preference, Tuned};

/// The GPU, as far as the page knows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Gpu {
    pub preference: Preference,
    /// What was found of this device's GPU, in this visit or before.
    pub tuned: Option<Tuned>,
    pub state: GpuState,
    /// The worker was told the preference.
    pub(in crate::state) told: bool,
}

impl Gpu {
    /// What computes lists and pairs.
    pub fn computes(&self) -> (Backend, Backend) {
        match &self.state {
            GpuState::Decided(verdict) => (verdict.lists, verdict.pairs),
            _ => (Backend::Cpu, Backend::Cpu),
        }
    }
}
