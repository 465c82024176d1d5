//! What can go wrong between a weight file and a sentence's vector.

use crate::backend;
use crate::protocol::problem::Problem;
use crate::text::tokeniser;
use crate::weights;

/// What can go wrong between a weight file and a sentence's vector.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Weights(#[from] weights::error::Error),
    #[error(transparent)]
    Tokeniser(#[from] tokeniser::Error),
    #[error(transparent)]
    Backend(#[from] backend::Error),
    #[error("there is no layer {found}; choose 0 (the embeddings) to {layers} (the last)")]
    Layer { found: u16, layers: usize },
    #[error(
        "neither model nor adapter brings the MLP that the readout cls-mlp needs; read cls or mean"
    )]
    NoMlp,
    #[error("the model gives numbers that are not finite; its weights are damaged")]
    NotFinite,
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        match error {
            Error::Weights(error) | Error::Backend(backend::Error::Weights(error)) => error.into(),
            Error::Tokeniser(error) => Self::Tokeniser { detail: error.to_string() },
            Error::Backend(backend::Error::Memory { needed_bytes }) => {
                Self::Memory { needed_bytes: *needed_bytes }
            }
            Error::Backend(backend::Error::Gpu(error)) => error.into(),
            Error::Backend(error) => Self::Internal { detail: error.to_string() },
            Error::Layer { found, layers } => {
                Self::Layer { found: *found, layers: u16::try_from(*layers).unwrap_or(u16::MAX) }
            }
            Error::NoMlp => Self::NoMlp,
            Error::NotFinite => Self::NotFinite { name: "sentence vector".to_owned() },
        }
    }
}
