//! What can go wrong in training.

use crate::protocol::problem::Problem;
use crate::protocol::recipe::OutOfRange;

/// What can go wrong in training.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Weights(#[from] crate::weights::error::Error),
    #[error(transparent)]
    Model(#[from] crate::model::error::Error),
    #[error(transparent)]
    Recipe(#[from] OutOfRange),
    #[error("{found} examples are too few, at least {needed} are needed")]
    TooFewExamples { found: usize, needed: usize },
    #[error("the adapter's tensor {name} does not fit what is trained here: {detail}")]
    Resume { name: String, detail: String },
    #[error("{needed_bytes} bytes of memory are not available")]
    Memory { needed_bytes: u64 },
    #[error("{operation}: {detail}")]
    Library { operation: &'static str, detail: String },
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        match error {
            Error::Weights(error) => Self::from(error),
            Error::Model(error) => Self::from(error),
            Error::Recipe(OutOfRange { field, found, low, high }) => {
                Self::Recipe { field: (*field).to_owned(), found: *found, low: *low, high: *high }
            }
            Error::TooFewExamples { found, needed } => Self::TooFewExamples {
                found: u32::try_from(*found).unwrap_or(u32::MAX),
                needed: u32::try_from(*needed).unwrap_or(u32::MAX),
            },
            Error::Memory { needed_bytes } => Self::Memory { needed_bytes: *needed_bytes },
            Error::Resume { .. } | Error::Library { .. } => {
                Self::Internal { detail: error.to_string() }
            }
        }
    }
}
