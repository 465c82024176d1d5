//! What the state asks the page to do.

use std::sync::Arc;

use crate::catalogue::language::Language;
use crate::files::{Format, Table};
use crate::protocol::Revision;
use crate::protocol::message::Message;
use crate::protocol::models::Wish;
use crate::protocol::request::Request;
use crate::protocol::search::Intake;
use crate::state::action::Action;
use crate::state::notice::Report;
use crate::state::settings::Theme;

/// What the state asks the page to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Send(Message<Request>),
    /// Send the picked model file, which the effects layer holds, as `Request::Open`.
    SendPickedModel {
        revision: Revision,
        name: String,
    },
    /// Start the program that makes models and ask it for this one; its events come as `Action::Puller`.
    Pull(Message<Request>),
    /// Likewise, of the checkpoint's files, which the effects layer holds.
    PullFiles {
        revision: Revision,
        wish: Wish,
    },
    /// Tell it to stop.
    StopPulling,
    /// End it and give its memory back.
    EndPuller,
    /// Save a model of the browser's store as a file.
    ExportModel {
        name: String,
        sha256: String,
    },
    /// Send the picked adapter file, which the effects layer holds, as `Request::KeepAdapter`.
    SendPickedAdapter {
        revision: Revision,
    },
    /// Send the picked corpus file, which the effects layer holds, as `Ask::Read`.
    SendCorpusFile {
        revision: Revision,
        intake: Intake,
    },
    /// Likewise a text.
    SendCorpusText {
        revision: Revision,
        intake: Intake,
        text: String,
    },
    /// Likewise a file that lies beside the page.
    SendCorpusAt {
        revision: Revision,
        intake: Intake,
        url: String,
    },
    /// End the worker, if it still runs, and start a new one.
    RestartWorker,
    /// Start a second worker, of the program that trains, in the place of one that runs; its events
    /// come as `Action::Trainer`.
    StartTrainer,
    /// End it and give its memory back.
    EndTrainer,
    SendTrainer(Message<Request>),
    /// As `SendPickedModel`, to the trainer.
    SendTrainerPickedModel {
        revision: Revision,
        name: String,
    },
    /// Do this action after a pause.
    After {
        pause_ms: u32,
        action: Action,
    },
    /// Fetch a corpus that lies beside the page; it comes as `GeometryAction::BundledArrived`.
    FetchCorpus {
        url: String,
        number: u32,
    },
    /// Fetch an adapter of our own site; it comes as `GeometryAction::SessionAdapterCame`.
    FetchAdapter {
        url: String,
        number: u32,
    },
    /// Write a table piece by piece and offer it as a file; how far it is comes as
    /// `GeometryAction::ExportAdvanced` and, at the end, `ExportEnded`.
    SaveTable {
        number: u32,
        name: String,
        format: Format,
        table: Arc<Table>,
    },
    /// Keep this text for the next visit.
    Save(String),
    /// Replace the URL's fragment without a new history entry.
    ShowFragment(String),
    /// Bring the two sentences at the top of the page into view.
    RevealPair,
    UseLanguage(Language),
    UseTheme(Theme),
    /// Copy text; a link is made absolute by the page.
    Copy {
        text: String,
        is_fragment: bool,
        /// What to say when it is done.
        report: Report,
    },
    Download {
        name: String,
        mime: &'static str,
        text: String,
    },
    /// A binary file.
    DownloadBytes {
        name: String,
        bytes: Arc<[u8]>,
    },
    DownloadPng {
        name: String,
        svg: String,
    },
}

impl Effect {
    /// Asks the worker for something that needs no arrays.
    pub fn ask(request: Request) -> Self {
        Self::Send(Message::plain(request))
    }
}
