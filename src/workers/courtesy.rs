//! Requests come first: Slack waits three seconds for an acknowledgement, and half an hour for an answer. While requests come in, the
//! workers hold back before each piece of work; never for long, so that a flood slows the work down and does not stop it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Requests are over once none has come for so long.
const QUIET: Duration = Duration::from_millis(2);
/// One piece of work is held back for so long at most.
const PATIENCE: Duration = Duration::from_millis(20);

/// When the last request came.
#[derive(Debug)]
pub struct Courtesy {
    began: Instant,
    /// Microseconds since then; 0: none has come.
    last: AtomicU64,
}

impl Default for Courtesy {
    fn default() -> Self {
        Self { began: Instant::now(), last: AtomicU64::new(0) }
    }
}

impl Courtesy {
    /// Notes that a request has come.
    pub fn request(&self) {
        let now = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.last.store(now.max(1), Ordering::Relaxed);
    }

    /// Waits until no request has come for a moment, or until it has been courteous for long enough.
    pub(super) async fn wait(&self) {
        let since = Instant::now();
        while let Some(until) = self.until(since, Instant::now()) {
            tokio::time::sleep_until(until).await;
        }
    }

    /// When to look again; `None`: work may begin. `since`: from when on somebody waits.
    fn until(&self, since: Instant, now: Instant) -> Option<Instant> {
        let last = self.last.load(Ordering::Relaxed);
        let quiet = self.began + Duration::from_micros(last) + QUIET;
        (last > 0 && now < quiet && now < since + PATIENCE).then(|| quiet.min(since + PATIENCE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn work_waits_for_a_request_and_only_for_a_moment() {
        let courtesy = Courtesy::default();
        let start = courtesy.began;
        assert_eq!(courtesy.until(start, start), None, "nothing has come");
        courtesy.last.store(10_000, Ordering::Relaxed);
        let now = start + 11 * MS;
        let until = courtesy.until(now, now).unwrap();
        assert_eq!(until, start + 10 * MS + QUIET);
        assert_eq!(courtesy.until(now, until), None);
        courtesy.request();
        assert_ne!(courtesy.last.load(Ordering::Relaxed), 10_000);
    }

    #[test]
    fn a_flood_does_not_stop_the_work() {
        let courtesy = Courtesy::default();
        let since = courtesy.began + 100 * MS;
        let mut now = since;
        courtesy.last.store(100_000, Ordering::Relaxed);
        while let Some(until) = courtesy.until(since, now) {
            assert!(until > now && until <= since + PATIENCE);
            now = until;
            // The next request is here at once.
            let last = u64::try_from(now.duration_since(courtesy.began).as_micros()).unwrap();
            courtesy.last.store(last, Ordering::Relaxed);
        }
        assert_eq!(now, since + PATIENCE);
    }
}
