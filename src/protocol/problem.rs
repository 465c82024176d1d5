//! What can go wrong in the worker, with the operands a message needs. The page turns these into
//! words, in the visitor's language, with the remedy.

use serde::{Deserialize, Serialize};

/// What went wrong. `what` and `detail` are English fragments for the "details" line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Problem {
    /// The file does not begin as a GGUF file does.
    NotGguf { name: String, looks_like: Option<String> },
    /// A GGUF version other than 2 and 3.
    GgufVersion { found: u32 },
    /// The file ends before its header says it should.
    Truncated { needed_bytes: u64, found_bytes: u64 },
    /// The header says something that cannot be.
    Damaged { what: String },
    /// A number in the header is beyond any real model.
    Absurd { what: String, found: u64, limit: u64 },
    /// Not a BERT encoder.
    Architecture { found: String },
    /// A tensor that the architecture needs is missing.
    MissingTensor { name: String },
    /// A tensor's shape contradicts the header.
    TensorShape { name: String, expected: Vec<u64>, found: Vec<u64> },
    /// A tensor's number format is not supported.
    TensorType { name: String, found: String },
    /// A weight is not a finite number.
    NotFinite { name: String },
    /// The file's tokeniser is missing, unreadable or does not fit the vocabulary.
    Tokeniser { detail: String },
    /// The device cannot hold the model.
    Memory { needed_bytes: u64 },
    /// The layer asked for does not exist.
    Layer { found: u16, layers: u16 },
    /// The server answered with an error, or not at all.
    Network { detail: String, done_bytes: u64, total_bytes: u64 },
    /// What arrived is not what was promised, twice.
    Hash { expected: String, found: String },
    /// No model is loaded.
    NoModel,
    /// The window asked for lies outside the matrix, or its group is not the last one embedded.
    NoWindow,
    /// The vectors asked about are not kept, or no longer.
    NoSurvey,
    /// The corpus asked about is not, or no longer, here.
    NoCorpus,
    /// The text or file cannot be read as a corpus.
    Unreadable { name: Option<String>, detail: String },
    /// What was read holds no passage.
    EmptyCorpus { rows: u32, skipped: u32 },
    /// A checkpoint's file cannot be used.
    Checkpoint { file: String, detail: String },
    /// A hub does not give what was asked of it; `name` is the repository's, the file's or the hub's.
    Hub { name: String, fault: HubFault, detail: String },
    /// The model is not, or no longer, in the browser's store.
    ModelNotKept { name: String },
    /// The model needs more than there is.
    TooLarge { name: String, needed_bytes: u64, available_bytes: u64 },
    /// A PyTorch file that wants to run something.
    Pickle { file: String, asked: String },
    /// A backend that this build does not have.
    NoBackend { name: String },
    /// `Side::After` was asked for, and no adapter is attached.
    NoAdapter,
    /// The adapter is not, or no longer, in the browser's store.
    NotKept,
    /// The adapter was made for another model.
    AdapterBase { expected: String, expected_name: String, found: String },
    /// The file is an adapter where a model belongs.
    IsAdapter { name: String },
    /// The file is no adapter.
    NotAdapter { name: String },
    /// The readout needs the MLP that neither model nor adapter brings.
    NoMlp,
    /// A number of the recipe is out of its range.
    Recipe { field: String, found: f64, low: f64, high: f64 },
    /// Too few sentences to train on.
    TooFewExamples { found: u32, needed: u32 },
    /// A program of the site's own, fetched when it is needed, did not come.
    Program { detail: String },
    /// The GPU cannot be used, or no longer.
    Gpu { fault: GpuFault, detail: String },
    /// A fine-tune is running already.
    Busy,
    /// A bug, or a library's refusal that we do not expect.
    Internal { detail: String },
}

/// Why a hub does not give what was asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum HubFault {
    /// What was typed names no repository.
    NoName,
    /// There is no such repository, revision or file.
    Missing,
    /// It is private, or its terms have to be agreed to first.
    Forbidden,
    /// Too many requests.
    Busy { wait_s: u32 },
    /// Another refusal.
    Refused { status: u16 },
    /// It holds no weights that can be read.
    NoWeights,
    /// The address is no hub's.
    NoHub,
    /// The server does not say how long the file is.
    NoSize,
}

impl HubFault {
    /// Whether it is how a server says that there is no such file: some say that of what nobody may see.
    pub fn is_absence(self) -> bool {
        matches!(self, Self::Missing | Self::Forbidden)
    }
}

/// What is wrong with a GPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum GpuFault {
    /// There is none that may be used.
    NoAdapter,
    /// It allows less than a model needs.
    Limit,
    Memory,
    /// It does not take our kernels, or what we ask of them.
    Refused,
    /// It went away, as after a driver's crash.
    Lost,
}
