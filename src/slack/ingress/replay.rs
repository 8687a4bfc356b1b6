//! Requests seen in the last minutes. A replay of anything that was published is also caught by the bus, which keeps keys durably;
//! this set catches the rest, and spares the bus the question.

use crate::slack::signature::MAX_SKEW_SECONDS;
use jiff::Timestamp;
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Two generations, each at least as long as a signature is valid: what leaves the older one is refused as stale anyway.
const GENERATION_SECONDS: i64 = 2 * MAX_SKEW_SECONDS;
/// Bounds memory under a flood of correctly signed requests, at 16 bytes each.
const GENERATION_LIMIT: usize = 1_000_000;

#[derive(Default)]
pub(super) struct Replays {
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    began: i64,
    young: HashSet<[u8; 16]>,
    old: HashSet<[u8; 16]>,
}

impl Replays {
    /// Notes a request; false if it was noted before.
    pub(super) fn first_time(&self, fingerprint: [u8; 32], now: Timestamp) -> bool {
        let key = shorten(fingerprint);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if now.as_second() - seen.began >= GENERATION_SECONDS || seen.young.len() >= GENERATION_LIMIT {
            seen.old = std::mem::take(&mut seen.young);
            seen.began = now.as_second();
        }
        !seen.old.contains(&key) && seen.young.insert(key)
    }

    /// Forgets a request that was not taken.
    pub(super) fn forget(&self, fingerprint: [u8; 32]) {
        let key = shorten(fingerprint);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.young.remove(&key);
        seen.old.remove(&key);
    }
}

/// Half of a correct HMAC-SHA256 is as unlikely to repeat as the whole.
fn shorten(fingerprint: [u8; 32]) -> [u8; 16] {
    let mut key = [0; 16];
    key.copy_from_slice(&fingerprint[..16]);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_request_is_new_once_for_as_long_as_its_signature_is_valid() {
        let replays = Replays::default();
        assert!(replays.first_time([1; 32], at(10_000)));
        assert!(!replays.first_time([1; 32], at(10_000)));
        assert!(replays.first_time([2; 32], at(10_599)));
        assert!(!replays.first_time([1; 32], at(10_600)));
        assert!(!replays.first_time([2; 32], at(11_198)));
        replays.forget([2; 32]);
        assert!(replays.first_time([2; 32], at(11_199)));
    }
}
