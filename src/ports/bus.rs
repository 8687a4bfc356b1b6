//! The event bus: durable, at least once, in no promised order.

use super::PortError;
use crate::domain::envelope::Envelope;
use async_trait::async_trait;
use jiff::Timestamp;
use std::time::Duration;

/// What became of a publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// It is durably on the bus.
    New,
    /// An envelope with this key was published before (and perhaps handled): nothing was added.
    Duplicate,
}

/// A message taken from the bus, ours until `lease` passes.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub envelope: Envelope,
    /// How often it has been taken, this time included.
    pub attempts: u32,
    /// The adapter's own handle for ack, retry and bury; a stale one has no effect.
    pub receipt: String,
}

/// A message that was given up.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// The envelope's id, or the adapter's where the message could not be read.
    pub id: String,
    /// The message as it lies on the bus.
    pub body: String,
    pub why: String,
    pub attempts: u32,
    pub buried_at: Timestamp,
}

/// Commands and engine news on their way to the processor.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Puts an envelope on the bus. When this returns `New` it survives a crash or a power cut.
    /// A key stays known for at least ten minutes after its envelope was handled (Slack's longest retry comes after five).
    async fn publish(&self, envelope: Envelope) -> Result<Published, PortError>;

    /// Takes up to `max` messages that nobody holds, each for `lease`; waits up to `wait` for the first.
    /// A message that cannot be read is buried by the adapter and never returned.
    async fn take(&self, max: usize, lease: Duration, wait: Duration) -> Result<Vec<Delivery>, PortError>;

    /// Done: it never comes back.
    async fn ack(&self, delivery: &Delivery) -> Result<(), PortError>;

    /// Gives it back; it comes again after `after`.
    async fn retry(&self, delivery: &Delivery, after: Duration, why: &str) -> Result<(), PortError>;

    /// Gives it up: it goes to the dead letters, with why.
    async fn bury(&self, delivery: &Delivery, why: &str) -> Result<(), PortError>;

    /// The dead letters, the oldest first.
    async fn dead(&self, max: usize) -> Result<Vec<DeadLetter>, PortError>;

    /// Puts a dead letter back on the bus, with its attempts counted anew. `false`: there is none of that id.
    async fn replay(&self, id: &str) -> Result<bool, PortError>;

    /// How many messages wait, taken ones included. For health and metrics.
    async fn depth(&self) -> Result<u64, PortError>;
}
