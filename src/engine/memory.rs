//! What answers left behind, for the questions that follow them.

use crate::engine::clouds::Clouds;
use crate::engine::group::Group;
use crate::engine::library::librarian::Librarian;

/// What answers left behind.
#[derive(Debug, Default)]
pub struct Memory {
    /// The group embedded last.
    pub group: Option<Group>,
    pub clouds: Clouds,
    /// The corpora: in a program that has them.
    pub library: Option<Box<dyn Librarian>>,
}
