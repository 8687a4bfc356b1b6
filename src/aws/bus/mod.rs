//! [`Bus`] on EventBridge and SQS: events go to a bus of their own, a rule for each action brings them to one queue, and what is given
//! up lies in the queue's dead-letter queue.
//!
//! A publish is durable before EventBridge knows of it: the event is written to the table under its key first, and marked once it is
//! on the bus. Whoever dies between the two leaves it to the sweep, which runs beside [`Bus::take`].

mod dead;
mod events;
mod publish;

use super::breaker::Breaker;
use super::queue::{Queue, Received};
use super::table::Table;
use crate::domain::envelope::Envelope;
use crate::ports::{Bus, Clock, DeadLetter, Delivery, PortError, Published};
use async_trait::async_trait;
use aws_config::SdkConfig;
use events::{Event, Events};
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// How often `take` looks for publishes that somebody did not finish.
const SWEEP_EVERY: SignedDuration = SignedDuration::from_secs(5);

/// What the bus is made of.
#[derive(Debug, Clone)]
pub struct BusNames {
    /// The table that remembers keys.
    pub table: String,
    /// The event bus, by name or ARN.
    pub bus: String,
    pub queue_url: String,
    pub dead_letter_url: String,
}

/// A message of the queue of commands, as it was taken off it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handed {
    pub id: String,
    /// SQS's receipt handle.
    pub handle: String,
    pub body: String,
    /// How often it has been taken, this time included.
    pub attempts: u32,
}

/// The way onto the bus of another region.
#[derive(Debug, Clone)]
pub struct OtherBus(Events);

impl OtherBus {
    /// `config`: the way to the region; `bus`: the name or the ARN of its bus.
    pub fn new(config: &SdkConfig, bus: &str, clock: &Arc<dyn Clock>) -> Self {
        Self(Events::new(config, bus, clock))
    }

    /// Puts an envelope there that lies on a bus already. Putting it there twice is harmless.
    pub async fn put(&self, envelope: &Envelope) -> Result<(), PortError> {
        self.0.put(Event::of(envelope)?).await
    }
}

/// [`Bus`] on a bus, a rule and queues that exist. Several processes may use it at once.
#[derive(Clone)]
pub struct EventBus {
    table: Table,
    events: Events,
    queue: Queue,
    dead: Queue,
    clock: Arc<dyn Clock>,
    swept: Arc<Mutex<Timestamp>>,
}

impl EventBus {
    pub fn new(config: &SdkConfig, names: &BusNames, clock: Arc<dyn Clock>) -> Self {
        let breaker = Breaker::new(&clock);
        Self {
            table: Table::new(config, &names.table, &clock),
            events: Events::new(config, &names.bus, &clock),
            queue: Queue::new(config, &names.queue_url, breaker.clone()),
            dead: Queue::new(config, &names.dead_letter_url, breaker),
            clock,
            swept: Arc::new(Mutex::new(Timestamp::MIN)),
        }
    }

    /// Publishes what somebody began to publish and did not finish. Where nobody calls [`Bus::take`] because AWS hands the messages
    /// over by itself, a timer has to call this.
    pub async fn sweep(&self) -> Result<(), PortError> {
        publish::sweep(self).await
    }

    async fn sweep_sometimes(&self) {
        let now = self.clock.now();
        {
            let mut swept = self.swept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if now.duration_since(*swept) < SWEEP_EVERY {
                return;
            }
            *swept = now;
        }
        if let Err(error) = self.sweep().await {
            tracing::warn!(%error, "unfinished publishes could not be looked for; this is tried again");
        }
    }

    /// Whether the lease of a delivery is still ours. A receipt of SQS alone would not tell: it may work after its lease.
    fn handle<'d>(&self, delivery: &'d Delivery) -> Result<Option<&'d str>, PortError> {
        let parts = delivery.receipt.split_once('.').and_then(|(end, handle)| Some((end.parse().ok()?, handle)));
        let (end, handle): (i64, &str) =
            parts.ok_or_else(|| PortError::permanent("the receipt is not one of this bus"))?;
        Ok((self.clock.now().as_microsecond() < end).then_some(handle))
    }

    /// Receives once; what cannot be read is buried.
    async fn receive(&self, max: usize, lease: Duration, wait: Duration) -> Result<(usize, Vec<Delivery>), PortError> {
        let messages = self.queue.receive("could not take from the bus", max, lease, wait).await?;
        let now = self.clock.now();
        let end = now.saturating_add(lease).unwrap_or(Timestamp::MAX);
        let (received, mut deliveries) = (messages.len(), Vec::new());
        for message in messages {
            let Received { id, handle, body, attempts, .. } = message;
            deliveries.extend(self.delivery(&Handed { id, handle, body, attempts }, end).await?);
        }
        Ok((received, deliveries))
    }

    /// The delivery of a message that AWS has taken off the queue for us, ours until `end`. `None`: it cannot be read and is buried.
    pub async fn delivery(&self, message: &Handed, end: Timestamp) -> Result<Option<Delivery>, PortError> {
        match events::read(&message.body) {
            Ok(envelope) => {
                let receipt = format!("{}.{}", end.as_microsecond(), message.handle);
                Ok(Some(Delivery { envelope, attempts: message.attempts, receipt }))
            }
            Err(why) => {
                tracing::error!(message = message.id, why, "a message cannot be read and is buried");
                dead::bury(self, &message.body, &message.handle, message.attempts, &why, self.clock.now()).await?;
                Ok(None)
            }
        }
    }
}

#[async_trait]
impl Bus for EventBus {
    async fn publish(&self, envelope: Envelope) -> Result<Published, PortError> {
        publish::publish(self, &envelope).await
    }

    async fn take(&self, max: usize, lease: Duration, wait: Duration) -> Result<Vec<Delivery>, PortError> {
        self.sweep_sometimes().await;
        let end = Instant::now() + wait;
        let mut taken = Vec::new();
        while taken.len() < max {
            // Once there is something, it is not kept waiting for more.
            let left = if taken.is_empty() { end.saturating_duration_since(Instant::now()) } else { Duration::ZERO };
            let (received, deliveries) = self.receive(max - taken.len(), lease, left).await?;
            taken.extend(deliveries);
            if received == 0 && (!taken.is_empty() || Instant::now() >= end) {
                break;
            }
        }
        Ok(taken)
    }

    async fn ack(&self, delivery: &Delivery) -> Result<(), PortError> {
        match self.handle(delivery)? {
            Some(handle) => self.queue.delete("could not acknowledge a message", handle).await,
            None => Ok(()),
        }
    }

    async fn retry(&self, delivery: &Delivery, after: Duration, why: &str) -> Result<(), PortError> {
        let Some(handle) = self.handle(delivery)? else { return Ok(()) };
        tracing::debug!(envelope.id = %delivery.envelope.id, why, "a message is given back");
        self.queue.hide("could not give a message back", handle, after).await
    }

    async fn bury(&self, delivery: &Delivery, why: &str) -> Result<(), PortError> {
        let Some(handle) = self.handle(delivery)? else { return Ok(()) };
        let body = events::json(&delivery.envelope)?;
        dead::bury(self, &body, handle, delivery.attempts, why, self.clock.now()).await
    }

    async fn dead(&self, max: usize) -> Result<Vec<DeadLetter>, PortError> {
        dead::list(&self.dead, max).await
    }

    async fn replay(&self, id: &str) -> Result<bool, PortError> {
        dead::replay(&self.queue, &self.dead, id).await
    }

    async fn depth(&self) -> Result<u64, PortError> {
        Ok(self.queue.depth().await? + publish::unfinished(&self.table).await?)
    }
}
