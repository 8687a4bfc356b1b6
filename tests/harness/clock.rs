//! A clock that stands still until a test turns it.

use jiff::Timestamp;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use switchman::ports::Clock;

/// Starts on a fixed day. Clones show the same time.
#[derive(Debug, Clone)]
pub(crate) struct ManualClock(Arc<Mutex<Timestamp>>);

impl ManualClock {
    /// 2026-03-02T08:00:00Z, a Monday.
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Timestamp::from_second(1_772_438_400).unwrap())))
    }

    /// Turns it forward.
    pub(crate) fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}
