//! Everything the page can ask of the worker.

use serde::{Deserialize, Serialize};

use crate::protocol::Revision;
use crate::protocol::gpu::{Preference, Tuned};
use crate::protocol::lab::{About, Scored, Treatment};
use crate::protocol::models::{LocalFile, Pull, Wish};
use crate::protocol::readout::{Lens, Side};
use crate::protocol::search::Ask;
use crate::protocol::training::{Order, Plan};

/// Where a model comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ModelSource {
    /// A file of our own site. It is kept in the browser's store under its hash.
    Hosted {
        name: String,
        /// Absolute, or relative to the page.
        url: String,
        size_bytes: u64,
        /// Lower-case hexadecimal; what arrives is checked against it. Empty: not checked, not stored.
        sha256: String,
    },
    /// A file the visitor picked; its bytes travel beside the request.
    Picked { name: String },
    /// Kept in the browser's store.
    Kept { name: String, sha256: String, size_bytes: u64 },
    /// A repository of a hub: quantised on its way in, and kept. Answered by `Event::Pulled`, by a program
    /// of its own.
    Pulled { pull: Pull },
    /// A checkpoint's files on the visitor's disk: likewise.
    Files { files: Vec<LocalFile>, wish: Wish },
    /// A file that another worker has open; its bytes travel beside the request.
    Copied { name: String, sha256: String },
}

impl ModelSource {
    /// Bytes of the file, where they are known beforehand; else 0.
    pub fn size_bytes(&self) -> u64 {
        match self {
            Self::Hosted { size_bytes, .. } | Self::Kept { size_bytes, .. } => *size_bytes,
            Self::Picked { .. }
            | Self::Pulled { .. }
            | Self::Files { .. }
            | Self::Copied { .. } => 0,
        }
    }
}

/// Where an adapter, or what else the side after is to be, comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AdapterSource {
    /// A file of our own site; as [`ModelSource::Hosted`].
    Hosted { name: String, url: String, size_bytes: u64, sha256: String },
    /// Kept in the browser's store.
    Kept { sha256: String },
    /// Its bytes travel beside the request.
    Given { name: String },
    /// No adapter but another model: the side after is that one.
    Model(ModelSource),
}

/// Everything the page can ask of the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// Fetch or read a model and make it the current one. Until it is ready, and if it fails, the
    /// last good model stays. Answered by `Event::Loading`*, then `Opened`, `LoadingStopped` or
    /// `Failed`.
    Open { revision: Revision, source: ModelSource },
    /// Stop the download that runs; what has arrived is kept, and the next `Open` resumes there.
    StopLoading,
    /// Remove a stored model from the browser's store.
    Forget { sha256: String },
    /// Keep the model in use, which came from the visitor's disk, in the browser's store. Answered by
    /// `Event::Stored`.
    KeepModel,
    /// List the kept models. Answered by `Event::Models`.
    ListModels { revision: Revision },
    /// Compare two sentences. A newer `Pair` supersedes an older one of the same side that has not
    /// started.
    /// Answered by `Event::Pair`.
    Pair { revision: Revision, first: String, second: String, lens: Lens },
    /// Embed sentences, find the nearest pairs and the first window of their cosine matrix.
    /// A newer `Group` supersedes an older one. Answered by `Progress`*, `Event::Group`.
    Group { revision: Revision, sentences: Vec<String>, lens: Lens },
    /// Another window of the cosine matrix of the group that the request `group` embedded; only
    /// the last one is kept. Answered by `Event::GroupWindow`.
    GroupWindow { revision: Revision, group: Revision, window: Window },
    /// Cosine of every pair, and the rank correlation where gold scores are given.
    /// `gold` is empty or one score a pair. Answered by `Progress`*, `Event::Pairs`.
    Pairs { revision: Revision, pairs: Vec<(String, String)>, gold: Vec<f32>, lens: Lens },
    /// What unrelated sentences score with this model and readout: statistics over the cosines of
    /// all distinct pairs. A newer one supersedes an older one of the same side. Answered by
    /// `Event::Baseline`.
    Baseline { revision: Revision, sentences: Vec<String>, lens: Lens },
    /// Rows for the sentences, in the given order. Answered by `Progress`*, `Event::Embedded`.
    Embed { revision: Revision, sentences: Vec<String>, lens: Lens },
    /// Rows for sentences of another worker's, given as token ids; `with_tokens`: every token's row,
    /// too. Answered by `Event::Portion`.
    Portion { revision: Revision, ids: Vec<Vec<u32>>, lens: Lens, with_tokens: bool },
    /// Find the fastest way to compute here, unless one is known of this very device; compare what this
    /// worker computes with on a small fixed set with the processor, and time both. Answered by
    /// `Event::Examined`.
    Examine { revision: Revision, tuned: Option<Tuned> },
    /// What sentences are to be computed by. The first one starts the GPU, if there is one;
    /// `Event::Gpu` tells what comes of it. `tuned` is what an earlier visit found of a GPU.
    Prefer { preference: Preference, tuned: Option<Tuned> },
    /// How many workers may compute long requests, this one included. `None`: as many as the
    /// machine suggests, and only while there is work for them; a number: so many, kept ready.
    /// `Event::Workers` tells what came of it.
    Workers { count: Option<u16> },
    /// Attach an adapter to the current model; from then on `Side::After` is the model with it. One
    /// that was attached before stays until this one is ready. Answered by `Event::Attached` or
    /// `Failed`.
    Attach { revision: Revision, source: AdapterSource },
    /// How much of the attached adapter `Side::After` has: 0 none, 1 all; up to 1.5.
    /// Answered by `Event::Blended`; a newer one supersedes an older one that has not started.
    Blend { revision: Revision, blend: f32 },
    /// Take the adapter off and free its memory. Answered by `Event::Detached`.
    Detach { revision: Revision },
    /// Keep an adapter in the browser's store. Bulk: Bytes. Answered by `Event::AdapterKept`.
    KeepAdapter { revision: Revision },
    /// Remove a kept adapter. Answered by `Event::Shelf`.
    ForgetAdapter { revision: Revision, sha256: String },
    /// List the kept adapters. Answered by `Event::Shelf`.
    ListAdapters { revision: Revision },
    /// Hand out a kept adapter's file. Answered by `Event::AdapterFile`.
    ReadAdapter { revision: Revision, sha256: String },
    /// The geometry of the sentences' vectors, as they are or treated. A newer `Survey` of the
    /// same `slot` supersedes an older one. Answered by `Progress`*, `Event::Survey`.
    Survey {
        revision: Revision,
        /// So that several figures do not supersede each other.
        slot: u8,
        sentences: Vec<String>,
        lens: Lens,
        treatment: Treatment,
        /// Positions of sentences that mean the same, for the alignment.
        positives: Vec<(u32, u32)>,
        /// Pairs with gold scores, for bands and rank correlation.
        scored: Vec<Scored>,
        /// Whether the vectors are kept for [`Request::About`].
        keep: bool,
    },
    /// A question about a survey's vectors. `Problem::NoSurvey` where they are not kept, or no longer.
    About { revision: Revision, about: About },
    /// Mean cosine, uniformity, alignment and rank correlation of every layer, read by `[CLS]` and by
    /// the mean, as Ethayarajh 2019 looks at layers. A newer one of the same side supersedes an older
    /// one. Answered by `Progress`*, `Event::Layers`.
    Layers {
        revision: Revision,
        sentences: Vec<String>,
        side: Side,
        positives: Vec<(u32, u32)>,
        scored: Vec<Scored>,
    },
    /// About searching a corpus. Answered by `Event::Search`*.
    Search { revision: Revision, ask: Ask },
    /// Two views of every sentence under dropout, and the cosines of each first view with each
    /// second one: the matrix inside the contrastive loss, of the first 64 sentences. Of readouts
    /// those that can be trained. A newer one supersedes an older one.
    /// Answered by `Event::Views`.
    Views {
        revision: Revision,
        sentences: Vec<String>,
        lens: Lens,
        /// p
        dropout: f32,
        /// Both views under one mask.
        same_mask: bool,
        seed: u64,
    },
    /// Fine-tune the current model. Bulk: none, or Bytes: the adapter to go on from. Answered by
    /// `TrainingBegan`, `TrainingStep`*, `TrainingMeasured`*, `TrainingRests`*; or `Failed`.
    Train { revision: Revision, plan: Box<Plan> },
    /// An order to the fine-tune of that number. Answered by `TrainingRests` (but for `Resume`, and
    /// for `Stop` after a last measurement), or by `Cancelled` where that fine-tune is not here.
    Steer { revision: Revision, order: Order },
    /// Give up the request of that number; answered by `Event::Cancelled` if it was still known.
    Cancel { revision: Revision },
}

/// Side of the window that comes with a group, and that the page shows at once: beyond it the cells
/// would have no room for their numbers.
pub const WINDOW_SIDE: u32 = 24;

/// A rectangle of the cosine matrix: `row_count` x `column_count` from (`row`, `column`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Window {
    pub row: u32,
    pub row_count: u32,
    pub column: u32,
    pub column_count: u32,
}
