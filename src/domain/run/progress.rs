//! How far an attempt is.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Counts of an attempt. Rows are counted when their chunk's part is safely on disk or while it is written; they only go up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Rows read so far.
    pub rows: u64,
    pub accepted: u64,
    pub rejected: u64,
    /// Bytes of input read so far and in all.
    pub bytes: u64,
    pub bytes_total: u64,
    pub chunks: u32,
    pub chunks_total: u32,
}

/// How many rows were rejected for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonCount {
    /// The reason code, such as `missing-lookup`.
    pub reason: String,
    pub count: u64,
}

impl Progress {
    /// `false` while it is not known how many there are.
    pub fn every_chunk_is_done(&self) -> bool {
        self.chunks_total > 0 && self.chunks >= self.chunks_total
    }

    /// 0 to 100, rounded down: 100 only when every byte was read.
    pub fn percent(&self) -> u8 {
        if self.bytes_total == 0 {
            return 0;
        }
        let percent = u128::from(self.bytes.min(self.bytes_total)) * 100 / u128::from(self.bytes_total);
        u8::try_from(percent).unwrap_or(100)
    }

    /// Rows per second since `started`; `None` in the first half second, when a rate would be noise.
    pub fn rows_per_second(&self, started: Timestamp, now: Timestamp) -> Option<u64> {
        let millis = u64::try_from(now.duration_since(started).as_millis()).ok().filter(|m| *m >= 500)?;
        Some(self.rows.saturating_mul(1000) / millis)
    }

    /// Time left at the speed so far; `None` while it cannot be known.
    pub fn time_left(&self, started: Timestamp, now: Timestamp) -> Option<SignedDuration> {
        let millis = u128::try_from(now.duration_since(started).as_millis()).ok().filter(|m| *m >= 500)?;
        let left = u128::from(self.bytes_total.saturating_sub(self.bytes));
        let eta = (left * millis).checked_div(u128::from(self.bytes))?;
        Some(SignedDuration::from_millis(i64::try_from(eta).unwrap_or(i64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_reaches_100_only_at_the_end() {
        let at = |bytes, bytes_total| Progress { bytes, bytes_total, ..Progress::default() }.percent();
        assert_eq!([at(0, 0), at(0, 10), at(999, 1000), at(1000, 1000), at(2000, 1000)], [0, 0, 99, 100, 100]);
        assert_eq!(at(u64::MAX, u64::MAX), 100);
    }

    #[test]
    fn rate_and_time_left_follow_the_bytes() {
        let start = Timestamp::from_second(100).unwrap();
        let now = Timestamp::from_second(104).unwrap();
        let progress = Progress { rows: 400, bytes: 1000, bytes_total: 3000, ..Progress::default() };
        assert_eq!(progress.rows_per_second(start, now), Some(100));
        assert_eq!(progress.time_left(start, now), Some(SignedDuration::from_secs(8)));
        assert_eq!(progress.time_left(start, start), None);
        assert_eq!(Progress::default().time_left(start, now), None);
    }
}
