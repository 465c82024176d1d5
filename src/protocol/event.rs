//! Everything the worker can tell the page.

use serde::{Deserialize, Serialize};

use crate::protocol::Revision;
use crate::protocol::gpu::{Backend, GpuState, Report};
use crate::protocol::lab::{Findings, LayerMeasure, MapQuality, MapStage};
use crate::protocol::models::KeptModel;
use crate::protocol::problem::Problem;
use crate::protocol::readout::Pooling;
use crate::protocol::request::Window;
use crate::protocol::search::Answer;
use crate::protocol::training::{AdapterSummary, Measures, Outline, Rest, StepReport};

/// Everything the worker can tell the page. "Bulk" names the arrays that travel beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The worker runs and listens. Messages sent before this one may be lost.
    Ready,
    /// A model is on its way.
    Loading {
        revision: Revision,
        stage: LoadingStage,
        done_bytes: u64,
        total_bytes: u64,
    },
    /// The visitor stopped the download; the bytes so far are kept where storage allows.
    LoadingStopped {
        revision: Revision,
        done_bytes: u64,
        total_bytes: u64,
    },
    /// How the browser's store took it.
    Stored {
        sha256: String,
        outcome: StoreOutcome,
    },
    /// A model was made of a checkpoint, and is in the browser's store. Bulk, where that refused it: Bytes.
    Pulled {
        revision: Revision,
        model: Box<KeptModel>,
    },
    /// The kept models, the last used first, and how much of the browser's store is in use, where it
    /// says so.
    Models {
        revision: Revision,
        models: Vec<KeptModel>,
        used_bytes: Option<u64>,
        quota_bytes: Option<u64>,
    },
    /// The model is the current one.
    Opened {
        revision: Revision,
        model: Box<ModelSummary>,
    },
    /// A long request moves on; counted are sentences, of `Request::Pairs` pairs.
    Progress {
        revision: Revision,
        done: u32,
        total: u32,
        elapsed_ms: f64,
    },
    /// Bulk: F32 `[first.pieces, second.pieces]`, cosine of every token of the first sentence with
    /// every token of the second, in the readout's layer.
    Pair {
        revision: Revision,
        cosine: f32,
        first: TokenisedText,
        second: TokenisedText,
        latency_ms: f64,
    },
    /// Bulk: F32 `[window.row_count, window.column_count]`, cosines.
    Group {
        revision: Revision,
        count: u32,
        /// Positions of sentences that were longer than the model's limit and were cut.
        truncated: Vec<u32>,
        /// The most similar distinct pairs of all, best first: positions and cosine; at most 200.
        nearest: Vec<(u32, u32, f32)>,
        /// How many distinct pairs were looked at.
        pair_count: u64,
        mean_cosine: f32,
        window: Window,
        latency_ms: f64,
    },
    /// Bulk: F32 `[window.row_count, window.column_count]`, cosines.
    GroupWindow {
        revision: Revision,
        window: Window,
    },
    /// Bulk: F32 `[pairs]`, cosines in the given order.
    Pairs {
        revision: Revision,
        truncated: Vec<u32>,
        /// Where gold scores were given.
        agreement: Option<Agreement>,
        latency_ms: f64,
    },
    Baseline {
        revision: Revision,
        mean: f32,
        /// 5th and 95th percentile of the cosines.
        low: f32,
        high: f32,
        sentence_count: u32,
        pair_count: u32,
    },
    /// Bulk: F32 `[sentences, hidden]`, unit length.
    Embedded {
        revision: Revision,
        hidden: u32,
        truncated: Vec<u32>,
        tokenise_ms: f64,
        run_ms: f64,
    },
    /// Bulk: F32 `[sentences, hidden]`, unit length; where they were asked for, followed by
    /// `[tokens, hidden]` of all sentences.
    Portion {
        revision: Revision,
    },
    Examined {
        revision: Revision,
        report: Box<Report>,
    },
    Gpu {
        state: GpuState,
    },
    /// How many workers are ready to compute long requests, and how many do, this one included.
    Workers {
        ready: u16,
        computing: u16,
    },
    /// `Side::After` is there.
    Attached {
        revision: Revision,
        adapter: Box<AdapterSummary>,
        prepare_ms: f64,
    },
    Blended {
        revision: Revision,
        blend: f32,
    },
    Detached {
        revision: Revision,
    },
    AdapterKept {
        revision: Revision,
        adapter: Box<AdapterSummary>,
        outcome: StoreOutcome,
    },
    /// The kept adapters; those that cannot be read are left out and counted.
    Shelf {
        revision: Revision,
        adapters: Vec<AdapterSummary>,
        unreadable: u32,
    },
    /// Bulk: Bytes.
    AdapterFile {
        revision: Revision,
        adapter: Box<AdapterSummary>,
    },
    /// Bulk: F32 `[sentences]`, cosine of each sentence with the last one.
    Survey {
        revision: Revision,
        slot: u8,
        findings: Box<Findings>,
        latency_ms: f64,
    },
    /// A map moves on. Bulk: F32 `[sentences, 2]` where there are positions; else none.
    Mapping {
        revision: Revision,
        stage: MapStage,
        done: u32,
        total: u32,
        elapsed_ms: f64,
    },
    /// A map is finished. Bulk: F32 `[sentences, 2]`; then F32 `[sentences]`: which share of the
    /// point's neighbours on the map are no neighbours in the original space (NaN: not judged).
    Mapped {
        revision: Revision,
        quality: MapQuality,
    },
    /// The nearest sentences, best first: positions and cosines, without the sentence itself.
    Near {
        revision: Revision,
        neighbours: Vec<(u32, f32)>,
    },
    /// Bulk: F32 `[sentences]`, cosine of the text with each sentence.
    Compared {
        revision: Revision,
        /// The nearest, best first: positions and cosines.
        neighbours: Vec<(u32, f32)>,
    },
    /// One number a sentence: its group; groups are ordered by size, the largest first.
    Clustered {
        revision: Revision,
        labels: Vec<u16>,
        /// Of each group the sentence nearest to its middle.
        typical: Vec<u32>,
    },
    /// Bulk: F32 `[sentences, dimensions]`, unit length, treated as the survey asked.
    Vectors {
        revision: Revision,
        dimensions: u32,
    },
    /// All layers, from the embedding on, `[CLS]` before mean.
    Layers {
        revision: Revision,
        layers: Vec<LayerMeasure>,
        latency_ms: f64,
    },
    /// Bulk: as the [`Answer`] says.
    Search {
        revision: Revision,
        answer: Answer,
    },
    /// Bulk: F32 `[sentences, sentences]`, cosine of first view i with second view j.
    Views {
        revision: Revision,
        latency_ms: f64,
    },
    TrainingBegan {
        revision: Revision,
        outline: Outline,
    },
    TrainingStep {
        revision: Revision,
        report: StepReport,
    },
    /// Bulk: Bytes, the adapter as of that step (none at step 0).
    TrainingMeasured {
        revision: Revision,
        measures: Box<Measures>,
    },
    TrainingRests {
        revision: Revision,
        step: u32,
        rest: Rest,
    },
    Cancelled {
        revision: Revision,
    },
    /// The request of that number failed (`None`: not the fault of one request).
    Failed {
        revision: Option<Revision>,
        problem: Problem,
    },
    /// The worker is about to die of a bug (its panic message).
    Panicked {
        message: String,
    },
}

impl Event {
    /// The request that this event answers.
    pub fn revision(&self) -> Option<Revision> {
        match self {
            Self::Ready
            | Self::Stored { .. }
            | Self::Workers { .. }
            | Self::Gpu { .. }
            | Self::Panicked { .. } => None,
            Self::Failed { revision, .. } => *revision,
            Self::Loading { revision, .. }
            | Self::LoadingStopped { revision, .. }
            | Self::Pulled { revision, .. }
            | Self::Models { revision, .. }
            | Self::Opened { revision, .. }
            | Self::Progress { revision, .. }
            | Self::Pair { revision, .. }
            | Self::Group { revision, .. }
            | Self::GroupWindow { revision, .. }
            | Self::Pairs { revision, .. }
            | Self::Baseline { revision, .. }
            | Self::Embedded { revision, .. }
            | Self::Portion { revision }
            | Self::Examined { revision, .. }
            | Self::Attached { revision, .. }
            | Self::Blended { revision, .. }
            | Self::Detached { revision }
            | Self::AdapterKept { revision, .. }
            | Self::Shelf { revision, .. }
            | Self::AdapterFile { revision, .. }
            | Self::Survey { revision, .. }
            | Self::Mapping { revision, .. }
            | Self::Mapped { revision, .. }
            | Self::Near { revision, .. }
            | Self::Compared { revision, .. }
            | Self::Clustered { revision, .. }
            | Self::Vectors { revision, .. }
            | Self::Layers { revision, .. }
            | Self::Search { revision, .. }
            | Self::Views { revision, .. }
            | Self::TrainingBegan { revision, .. }
            | Self::TrainingStep { revision, .. }
            | Self::TrainingMeasured { revision, .. }
            | Self::TrainingRests { revision, .. }
            | Self::Cancelled { revision } => Some(*revision),
        }
    }
}

/// What is happening to a model that is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LoadingStage {
    /// A hub is asked what it has.
    LookingUp,
    /// Bytes come from the network.
    Downloading,
    /// A checkpoint's bytes come, and are quantised as they do.
    Quantising,
    /// Bytes come from the browser's own store.
    ReadingStore,
    /// All bytes are here; header, shapes and values are checked and laid out for the backend.
    Preparing,
}

/// How the browser's store took a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StoreOutcome {
    /// Kept: the next visit starts from it.
    Kept,
    /// The browser refused (private window, policy, quota): this visit works from memory.
    Refused,
    /// The stored copy did not match its hash; it was deleted and is fetched again.
    Damaged,
    /// Deleted on request.
    Removed,
}

/// What the page says about the current model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelSummary {
    pub name: String,
    /// `bert`
    pub architecture: String,
    /// Type of the weight matrices: `q8_0`, `f16`, ...
    pub quantisation: String,
    pub size_bytes: u64,
    /// Lower-case hexadecimal, of the whole file.
    pub sha256: String,
    pub licence: Option<String>,
    pub layers: u16,
    pub hidden: u32,
    pub heads: u32,
    pub vocabulary: u32,
    pub max_tokens: u32,
    /// The readout that the file asks for.
    pub pooling: Pooling,
    pub backend: Backend,
    /// What computes, in words: "int8 relaxed SIMD".
    pub device: String,
    /// From the bytes being here to the model being ready.
    pub prepare_ms: f64,
}

/// A sentence as the model sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TokenisedText {
    /// Word pieces, `[CLS]` and `[SEP]` included, after truncation.
    pub pieces: Vec<String>,
    /// Number of tokens before truncation, where the sentence was cut.
    pub cut_from: Option<u32>,
}

/// Agreement of cosines with gold scores.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Spearman's rank correlation, -1 to 1, ties averaged.
    pub spearman: f64,
    /// Pearson's correlation, -1 to 1.
    pub pearson: f64,
    pub pairs: u32,
}
