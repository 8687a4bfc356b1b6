//! Being woken when something comes due, where nobody stays awake: a message that the queue of signals holds back until then.

use super::breaker::Breaker;
use super::queue::Queue;
use super::table::{Check, Item, Key, Table};
use crate::ports::{Clock, PortError};
use aws_config::SdkConfig;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// SQS holds a message back for this long at most.
const LONGEST: SignedDuration = SignedDuration::from_mins(15);
/// What is due already and could not be done is tried again after this long.
const SHORTEST: SignedDuration = SignedDuration::from_secs(1);
/// The body of such a message.
const WAKE: &str = r#"{"switchman":"wake"}"#;
const DOING: &str = "could not ask to be woken";

/// Asks to be woken. At most one message is under way for each moment that was the earliest once: a later one is not sent while an
/// earlier one is under way, and whoever is woken asks anew.
#[derive(Clone)]
pub struct Wakes {
    table: Table,
    queue: Queue,
    clock: Arc<dyn Clock>,
}

impl Wakes {
    /// `table`: the record; `signals_url`: the queue of signals.
    pub fn new(config: &SdkConfig, table: &str, signals_url: &str, clock: Arc<dyn Clock>) -> Self {
        let breaker = Breaker::new(&clock);
        Self { table: Table::new(config, table, &clock), queue: Queue::new(config, signals_url, breaker), clock }
    }

    /// Sees to it that somebody is woken when `due` comes, if that is within a quarter of an hour. `false`: nothing had to be sent.
    /// A message that is lost is missed for as long as it would have waited; whoever looks after that asks again.
    pub async fn at(&self, due: Timestamp) -> Result<bool, PortError> {
        let now = self.clock.now();
        let wait = due.duration_since(now).max(SHORTEST);
        if wait > LONGEST {
            return Ok(false);
        }
        // SQS counts whole seconds, and nobody is woken too early.
        let seconds = wait.as_secs() + i64::from(wait.subsec_nanos() > 0);
        let at = now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX);
        let item = Item::at(&Key::one("wake", "")).with_time("at", at);
        // One that is under way, and early enough.
        let under_way = Check::Outside("at", now.as_microsecond() + 1, at.as_microsecond());
        if !self.table.put(DOING, item, under_way).await? {
            return Ok(false);
        }
        let delay = Duration::from_secs(u64::try_from(seconds).unwrap_or(1));
        self.queue.send_later(DOING, WAKE, delay).await?;
        Ok(true)
    }
}
