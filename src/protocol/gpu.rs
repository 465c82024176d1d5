//! What computes, and what page and worker say to each other about the GPU.

use serde::{Deserialize, Serialize};

use crate::protocol::problem::Problem;

/// What computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Backend {
    Cpu,
    WebGpu,
}

/// What the visitor wants sentences to be computed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Preference {
    /// The faster one that computes correctly.
    #[default]
    Measured,
    Cpu,
    /// Even where it is slower. One that computes wrongly is not used.
    Gpu,
}

/// How a GPU compared with the processor on a small fixed set of sentences.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Report {
    /// What the browser tells of the GPU.
    pub device: String,
    /// What computes on the processor: "int8 relaxed SIMD".
    pub cpu: String,
    /// How the GPU multiplies layers out: "f16 8x4". `None` where it has no choice, or is so slow that
    /// none was tried.
    pub way: Option<String>,
    /// Another way, which was found or known to be the fastest, but gave wrong vectors.
    pub wrong_way: Option<String>,
    pub sentence_count: u16,
    /// Lowest cosine of a sentence's vector on the GPU with the processor's.
    pub lowest_cosine: f32,
    /// Largest difference of two numbers of such vectors.
    pub largest_difference: f32,
    /// Lowest cosine of the GPU's and of the processor's vectors with the stored ones, for weights
    /// whose vectors are stored.
    pub with_stored: Option<(f32, f32)>,
    /// Every kernel of the GPU's against its plain reference.
    pub kernels: Vec<KernelCheck>,
    /// Many sentences, in sentences a second: on the GPU (one at a time if it is very slow), and on one
    /// thread of the processor.
    pub gpu_per_s: f64,
    pub cpu_per_s: f64,
    /// Tokens a second of the same sentences, on the GPU.
    pub gpu_tokens_per_s: f64,
    /// One sentence, median.
    pub gpu_latency_ms: f64,
    pub cpu_latency_ms: f64,
}

/// The way a device was found to compute layers, kept for the next time it is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tuned {
    /// As in [`Report::device`].
    pub device: String,
    /// As in [`Report::way`].
    pub way: String,
}

/// A kernel and its plain reference on small cases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KernelCheck {
    pub name: String,
    /// The largest one.
    pub difference: f32,
    /// All differences are what rounding explains.
    pub is_right: bool,
}

/// What was chosen, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    pub report: Report,
    /// Threads of the processor that the GPU was compared with.
    pub cpu_workers: u16,
    /// What computes lists.
    pub lists: Backend,
    /// What computes single pairs.
    pub pairs: Backend,
    pub reason: Reason,
}

/// Why a verdict is as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// The GPU's vectors are not the model's.
    Wrong,
    Faster,
    Slower,
    /// The visitor wants it so.
    Wanted,
}

/// The GPU, as the page shows it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub enum GpuState {
    /// Nobody looked yet.
    #[default]
    Unknown,
    /// The visitor does not want it.
    Unwanted,
    /// The browser offers none.
    Absent,
    /// Its program is fetched, its device opened, its kernels compiled.
    Starting,
    /// It is compared with the processor.
    Examined,
    Decided(Box<Verdict>),
    /// It failed, and what it had is computed elsewhere. `again`: it is being started once more.
    Failed {
        problem: Problem,
        again: bool,
    },
}
