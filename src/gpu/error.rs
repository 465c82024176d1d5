//! Why a GPU cannot be used.

use crate::protocol::problem::{GpuFault, Problem};

/// What can go wrong between opening a device and reading back what it computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("there is no usable GPU adapter here: {detail}")]
    NoAdapter { detail: String },
    #[error("{adapter} gives no device: {detail}")]
    NoDevice { adapter: String, detail: String },
    #[error("{what} needs {needed}, the GPU allows {limit}")]
    Limit { what: &'static str, needed: u64, limit: u64 },
    #[error("{needed_bytes} bytes of GPU memory are not available")]
    Memory { needed_bytes: u64 },
    #[error("the GPU refused its work: {detail}")]
    Refused { detail: String },
    #[error("the GPU was lost: {detail}")]
    Lost { detail: String },
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        let fault = match error {
            Error::NoAdapter { .. } | Error::NoDevice { .. } => GpuFault::NoAdapter,
            Error::Limit { .. } => GpuFault::Limit,
            Error::Memory { .. } => GpuFault::Memory,
            Error::Refused { .. } => GpuFault::Refused,
            Error::Lost { .. } => GpuFault::Lost,
        };
        Self::Gpu { fault, detail: error.to_string() }
    }
}
