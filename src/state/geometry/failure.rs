//! Why there is no answer.

use crate::protocol::problem::Problem;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Failure {
    /// The visitor gave it up.
    Stopped,
    Problem(Problem),
}
