//! Everything that can happen to the page.

use crate::catalogue::language::Language;
use crate::protocol::event::Event;
use crate::protocol::gpu::Preference;
use crate::protocol::message::Message;
use crate::protocol::readout::Pooling;
use crate::state::adapters::AdapterAction;
use crate::state::fine_tune::FineTuneAction;
use crate::state::geometry::GeometryAction;
use crate::state::lesson::LessonAction;
use crate::state::notice::Report;
use crate::state::search::SearchAction;
use crate::state::settings::Theme;
use crate::state::shelf::ShelfAction;
use crate::text::lists::{ListError, Reading};

/// Everything that can happen to the page: what the visitor did, what the worker said, what time
/// brought.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// The page opened: URL fragment, what an earlier visit saved, the browser's languages.
    Started {
        fragment: String,
        saved: Option<String>,
        languages: Vec<String>,
    },
    /// The address changed under us (back, forward, an edited link).
    FragmentChanged {
        fragment: String,
    },
    LanguageChosen(Language),
    ThemeChosen(Theme),
    /// What sentences are to be computed by.
    BackendPreferred(Preference),
    /// The system turned dark or light.
    SystemDark(bool),

    Worker(Message<Event>),
    /// The worker stopped: panic, out of memory, or it could not start.
    WorkerDied {
        message: String,
    },

    /// From the worker that trains and draws views; it is not the one that answers everything else.
    Trainer(Message<Event>),
    TrainerDied {
        message: String,
    },
    /// A pause without work is over; the number tells whether it still is without.
    TrainerRested(u32),

    Adapters(AdapterAction),
    FineTune(FineTuneAction),
    Geometry(GeometryAction),
    Search(SearchAction),
    Lesson(LessonAction),

    FirstTyped(String),
    SecondTyped(String),
    Swapped,
    /// A bundled pair, by its place in the list.
    PairExampleChosen(usize),
    /// `None`: what the model asks for.
    PoolingChosen(Option<Pooling>),
    /// `None`: the last layer.
    LayerChosen(Option<u16>),
    /// Two sentences of the list go to the top of the page.
    PairPicked {
        first: String,
        second: String,
    },

    ListTyped(String),
    ListExampleChosen(usize),
    /// A dropped or picked file was read.
    ListFileRead {
        name: String,
        reading: Result<Reading, ListError>,
        text: String,
    },
    /// The pause after typing is over; the number tells whether typing went on.
    ListSettled(u32),
    /// First row and column of the matrix that is shown.
    WindowMoved {
        row: u32,
        column: u32,
    },
    ListCancelled,
    /// Compute the list after all.
    ListResumed,

    StartedOver,
    Undone,

    /// Load the site's own model (first visit, retry, resume).
    DefaultModelChosen,
    /// The program that makes models says something.
    Puller(Message<Event>),
    PullerDied {
        message: String,
    },
    /// What was wanted, once more.
    ModelWantedAgain,
    Shelf(ShelfAction),
    LoadingStopped,
    /// A GGUF file was picked or dropped; the effects layer holds it.
    ModelFilePicked {
        name: String,
        size_bytes: u64,
    },
    StoredModelForgotten,

    LinkCopied,
    TableCopied,
    TableExported,
    /// The window of the matrix that is shown, as a table.
    MatrixExported,
    /// A figure as a file.
    FigureSaved {
        name: String,
        mime: &'static str,
        text: String,
    },
    /// A chart as PNG: its file name's stem and the finished SVG.
    PictureExported {
        name: String,
        svg: String,
    },
    /// Something the visitor asked for was done ("copied") or not.
    Reported(Report),
    NoticeDismissed(u32),
    /// The pause before saving is over.
    SaveDue(u32),
    /// The page is being hidden or closed.
    Leaving,
}
