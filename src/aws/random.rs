//! Chance, for stamps that nobody else makes and for waits that do not fall together.

use std::time::Duration;

/// 63 random bits: a number of DynamoDB and of `i64` alike.
pub(super) fn number() -> u64 {
    let mut bytes = [0; 8];
    // Without a source of randomness the process cannot speak TLS either; the time since the start still tells callers apart.
    if getrandom::fill(&mut bytes).is_err() {
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
        return NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
    u64::from_ne_bytes(bytes) >> 1
}

/// A wait between nothing and twice `base` for each earlier try, at most `longest`: those who collided do not come back together.
pub(super) fn jitter(base: Duration, tries: u32, longest: Duration) -> Duration {
    let most = base.saturating_mul(1 << tries.min(16)).min(longest);
    let share = u32::try_from(number() % 1_000).unwrap_or(0);
    most.saturating_mul(share) / 1_000
}
