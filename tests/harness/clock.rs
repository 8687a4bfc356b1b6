//! A clock that stands still until a test turns it.

use jiff::Timestamp;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use switchman::ports::Clock;

/// Starts on a fixed day. Clones show the same time.
#[derive(Clone)]
pub(crate) struct ManualClock {
    now: Arc<Mutex<Timestamp>>,
    /// Is told of each new time before anybody can see it: for somebody else whose time it is too.
    pub(crate) turned: Arc<dyn Fn(Timestamp) + Send + Sync>,
}

impl ManualClock {
    /// 2026-03-02T08:00:00Z, a Monday.
    pub(crate) fn new() -> Self {
        let now = Timestamp::from_second(1_772_438_400).unwrap();
        Self { now: Arc::new(Mutex::new(now)), turned: Arc::new(|_| ()) }
    }

    /// Turns it forward.
    pub(crate) fn advance(&self, by: Duration) {
        let mut now = self.now.lock().unwrap();
        let then = *now + by;
        (self.turned)(then);
        *now = then;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }
}
