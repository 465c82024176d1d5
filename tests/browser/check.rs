//! What a step of a browser test yields.

use std::fmt;

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
