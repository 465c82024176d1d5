//! What a step of a browser test yields.

use std::fmt;
use std::time::{Duration, Instant};

/// How many times slower than a quiet machine one may be before a wait counts as failed. Nothing
/// here measures speed, and a wait that succeeds takes no longer for a later limit.
const PATIENCE: u64 = 6;

/// The outcome of a step.
pub type Check<T = ()> = Result<T, Failure>;

/// Why a step failed, in sentences for whoever reads the test's output.
pub struct Failure(String);

impl Failure {
    /// A failure with that text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// Fails with `why` unless `holds`.
pub fn ensure(holds: bool, why: impl Into<String>) -> Check {
    if holds { Ok(()) } else { Err(Failure::new(why)) }
}

/// How long to wait at most for what a quiet machine surely does in `limit_s` seconds.
pub fn patient(limit_s: u64) -> Duration {
    Duration::from_secs(limit_s * PATIENCE)
}

/// The end of a wait of [`patient`] length that begins now.
pub fn deadline(limit_s: u64) -> Instant {
    Instant::now() + patient(limit_s)
}

// The test runner prints the Debug form: it must be readable.
impl fmt::Debug for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}
