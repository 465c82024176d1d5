//! Messages to the visitor that do not belong to one place of the page.

use crate::protocol::gpu;
use crate::protocol::problem::Problem;

/// A message to the visitor that does not belong to one place of the page.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    pub id: u32,
    pub content: NoticeContent,
}

#[derive(Debug, Clone, PartialEq)]
pub enum NoticeContent {
    Report(Report),
    /// `name` is the file or model it is about, if it is about one.
    Problem {
        problem: Problem,
        name: Option<String>,
    },
    /// The worker died and is being restarted.
    WorkerRestarted {
        message: String,
    },
    /// A link's sentences replaced what was there; undo brings it back.
    LinkOpened,
    StartedOver,
    /// The GPU computes wrongly and is not used.
    GpuWrong(Box<gpu::Report>),
}

/// How an effect ended, where the visitor should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    Copied,
    /// The link holds the two sentences but not the list, which would make it that long.
    CopiedWithoutList {
        characters: usize,
    },
    CopyRefused,
    Exported {
        name: String,
    },
    ExportFailed {
        detail: String,
    },
    /// The browser's storage refused; it is said once.
    NotSaved,
    /// A list's file is larger than the page reads.
    FileTooLarge {
        name: String,
        size_bytes: u64,
        limit_bytes: u64,
    },
    /// A picked file could not be read from disk.
    FileUnreadable {
        name: String,
        detail: String,
    },
}
