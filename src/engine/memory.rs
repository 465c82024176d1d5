//! What answers left behind, for the questions that follow them.

use crate::engine::clouds::Clouds;
use crate::engine::group::Group;
use crate::engine::library::Library;

/// What answers left behind.
#[derive(Debug, Default)]
pub struct Memory {
    /// The group embedded last.
    pub group: Option<Group>,
    pub clouds: Clouds,
    pub library: Library,
}
