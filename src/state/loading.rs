//! A model on its way, with rate and remaining time.

use crate::protocol::Revision;
use crate::protocol::event::LoadingStage;
use crate::protocol::problem::Problem;

/// A model that is being fetched, read or prepared.
#[derive(Debug, Clone, PartialEq)]
pub struct Loading {
    pub revision: Revision,
    pub name: String,
    /// `None` until it is known whether the browser's store has it.
    pub stage: Option<LoadingStage>,
    pub done_bytes: u64,
    pub total_bytes: u64,
    rate: Rate,
}

impl Loading {
    /// Nothing has arrived yet.
    pub fn new(revision: Revision, name: String, total_bytes: u64) -> Self {
        Self { revision, name, stage: None, done_bytes: 0, total_bytes, rate: Rate::default() }
    }

    /// Takes a progress event at `now_ms`.
    pub fn advance(&mut self, stage: LoadingStage, done_bytes: u64, total_bytes: u64, now_ms: f64) {
        if self.stage.replace(stage) != Some(stage) {
            self.rate = Rate::default();
        }
        self.done_bytes = done_bytes;
        self.total_bytes = total_bytes;
        self.rate.observe(now_ms, done_bytes);
    }

    /// Bytes a second over the last few seconds, once that is known.
    pub fn bytes_per_s(&self) -> Option<f64> {
        self.rate.bytes_per_s()
    }

    /// Seconds that remain at that rate.
    pub fn remaining_s(&self) -> Option<f64> {
        let left = self.total_bytes.saturating_sub(self.done_bytes) as f64;
        self.bytes_per_s().filter(|rate| *rate > 0.0).map(|rate| left / rate)
    }

    /// Share that is done, 0 to 1.
    pub fn share(&self) -> f64 {
        if self.total_bytes == 0 {
            return 0.0;
        }
        (self.done_bytes as f64 / self.total_bytes as f64).min(1.0)
    }
}

/// A download that ended before its time.
#[derive(Debug, Clone, PartialEq)]
pub struct Interrupted {
    pub done_bytes: u64,
    pub total_bytes: u64,
    /// `None`: the visitor stopped it.
    pub problem: Option<Problem>,
}

/// Rate over a sliding window of seconds: steady, yet it follows a change of the network.
#[derive(Debug, Clone, PartialEq, Default)]
struct Rate {
    /// Time and bytes, oldest first.
    samples: Vec<(f64, u64)>,
}

const WINDOW_MS: f64 = 4000.0;

impl Rate {
    fn observe(&mut self, now_ms: f64, done_bytes: u64) {
        self.samples.push((now_ms, done_bytes));
        let stale = self.samples.iter().filter(|(at, _)| now_ms - at > WINDOW_MS).count();
        // One sample older than the window stays, so that slow events still span it.
        self.samples.drain(..stale.saturating_sub(1));
    }

    fn bytes_per_s(&self) -> Option<f64> {
        let ((first_ms, first), (last_ms, last)) = (self.samples.first()?, self.samples.last()?);
        let elapsed_ms = last_ms - first_ms;
        (elapsed_ms >= 200.0).then(|| last.saturating_sub(*first) as f64 * 1000.0 / elapsed_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::{Loading, LoadingStage};

    #[test]
    fn rate_and_remaining_time_come_from_the_last_seconds() {
        let mut loading = Loading::new(1, "m".into(), 10_000_000);
        for second in 0..=10u32 {
            let bytes = u64::from(second) * 500_000;
            loading.advance(
                LoadingStage::Downloading,
                bytes,
                10_000_000,
                f64::from(second) * 1000.0,
            );
        }
        assert_eq!(loading.bytes_per_s(), Some(500_000.0));
        assert_eq!(loading.remaining_s(), Some(10.0));
        assert_eq!(loading.share(), 0.5);
    }

    #[test]
    fn no_rate_is_shown_before_there_is_one_and_none_is_infinite() {
        let mut loading = Loading::new(1, "m".into(), 0);
        loading.advance(LoadingStage::Downloading, 0, 0, 0.0);
        assert_eq!(
            (loading.bytes_per_s(), loading.remaining_s(), loading.share()),
            (None, None, 0.0)
        );
        loading.advance(LoadingStage::Downloading, 0, 0, 1000.0);
        assert_eq!(loading.remaining_s(), None);
    }
}
