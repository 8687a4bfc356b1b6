//! The budget of edits: about one a second per channel (Slack allows about one post per second per channel, and 50 edits a minute),
//! and none before a channel's `Retry-After` is over. What goes first is decided by the outbox, which hands out by priority.

use crate::domain::id::ChannelId;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

/// 50 edits a minute.
pub(super) const BETWEEN_EDITS: SignedDuration = SignedDuration::from_millis(1200);

/// When each channel may be written to again.
#[derive(Default)]
pub(super) struct Pace {
    next: Mutex<HashMap<ChannelId, Timestamp>>,
}

impl Pace {
    /// Takes the channel's turn, or says when it comes.
    pub(super) fn take_turn(&self, channel: &ChannelId, now: Timestamp) -> Result<(), Timestamp> {
        let mut next = self.lock();
        match next.get(channel) {
            Some(at) if *at > now => Err(*at),
            _ => {
                // Channels that are free again need no entry.
                next.retain(|_, at| *at > now);
                next.insert(channel.clone(), now + BETWEEN_EDITS);
                Ok(())
            }
        }
    }

    /// Nothing goes to the channel before `wait` is over.
    pub(super) fn hold(&self, channel: &ChannelId, now: Timestamp, wait: Duration) {
        let until = now.checked_add(wait).unwrap_or(now);
        let mut next = self.lock();
        let at = next.entry(channel.clone()).or_insert(until);
        *at = (*at).max(until);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ChannelId, Timestamp>> {
        self.next.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_turn_per_channel_and_interval_and_none_while_held() {
        let pace = Pace::default();
        let (a, b) = (ChannelId::parse("CA").unwrap(), ChannelId::parse("CB").unwrap());
        let now = Timestamp::from_second(1000).unwrap();
        assert_eq!(pace.take_turn(&a, now), Ok(()));
        assert_eq!(pace.take_turn(&a, now), Err(now + BETWEEN_EDITS));
        assert_eq!(pace.take_turn(&b, now), Ok(()));
        let later = now + BETWEEN_EDITS;
        assert_eq!(pace.take_turn(&a, later), Ok(()));
        pace.hold(&a, later, Duration::from_secs(30));
        assert_eq!(pace.take_turn(&a, later + BETWEEN_EDITS), Err(later + SignedDuration::from_secs(30)));
    }
}
