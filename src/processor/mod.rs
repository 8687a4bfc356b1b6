//! The use cases, one file per command. Says what people are told, never how it looks; knows ports and domain only, never Slack or a store.
//!
//! Nothing in here sleeps or loops: [`Processor::step`] does one piece of work, and whoever calls it decides when to call again.

mod approve;
mod arrival;
mod asked;
mod cancel_batch;
mod deliver;
mod deny;
mod fail_back;
mod fail_over;
mod guard;
mod help;
mod home;
mod list_batches;
mod moves;
mod observe;
mod outcome;
mod pace;
mod recover;
mod reprocess_batch;
mod requests;
mod retry;
mod show;
mod standing;
mod start_batch;
mod status;
mod task;
mod votes;
mod why;

pub use home::board;
pub use standing::{permitted_channel, standing};

use crate::domain::envelope::Event;
use crate::domain::id::RegionName;
use crate::domain::job::Catalog;
use crate::domain::policy::Policy;
use crate::ports::{
    Bus, Chat, Clock, Delivery, Directory, Kind, Lead, OutboxItem, PortError, Regions, Settings, Store, Subject,
};
use pace::Pace;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// How long a taken message or effect is ours: longer than any one call to the outside takes with its time-out.
const LEASE: Duration = Duration::from_mins(1);
/// How often a commit that lost a race is prepared anew before the message goes back to the bus.
const RACES: u32 = 8;

/// Everything a handler may use.
#[derive(Clone)]
pub struct Ctx {
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub regions: Arc<dyn Regions>,
    pub chat: Arc<dyn Chat>,
    pub directory: Arc<dyn Directory>,
    pub settings: Arc<dyn Settings>,
    pub clock: Arc<dyn Clock>,
    pub catalog: Arc<Catalog>,
    pub policy: Arc<Policy>,
    /// The bot's name and version, for the audit trail.
    pub bot: String,
    /// Whether the list of people is enough where chat cannot be asked about them.
    pub list_suffices: bool,
}

/// Whether a step found something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Did,
    Idle,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// It is off the queue: handled, handed over, or given up and kept with the dead letters.
    Done,
    /// It comes again later.
    GivenBack,
}

/// Takes envelopes, deadlines and effects, one at a time. Several may run side by side, in one process or in many.
pub struct Processor {
    ctx: Ctx,
    pace: Pace,
    committed: Notify,
    readers: home::Readers,
}

impl Processor {
    pub fn new(ctx: Ctx) -> Self {
        Self { ctx, pace: Pace::default(), committed: Notify::new(), readers: home::Readers::default() }
    }

    pub fn ctx(&self) -> &Ctx {
        &self.ctx
    }

    /// Ends when a commit has been made: there may be effects to deliver. A hint; whoever waits also looks from time to time.
    pub async fn committed_something(&self) {
        self.committed.notified().await;
    }

    /// One piece of work of any kind that can be done now: an envelope first, then a deadline, then an effect.
    pub async fn step(&self) -> Result<Step, PortError> {
        if self.consume(Duration::ZERO).await? == Step::Did || self.tick().await? == Step::Did {
            return Ok(Step::Did);
        }
        self.deliver().await
    }

    /// Takes one envelope, waiting up to `wait` for it, and handles it.
    pub async fn consume(&self, wait: Duration) -> Result<Step, PortError> {
        let Some(delivery) = self.take(wait).await? else {
            return Ok(Step::Idle);
        };
        self.receive(&delivery).await.map(|_| Step::Did)
    }

    /// Takes one envelope, waiting up to `wait` for it. Whoever takes it also [receives](Self::receive) it.
    pub async fn take(&self, wait: Duration) -> Result<Option<Delivery>, PortError> {
        Ok(self.ctx.bus.take(1, LEASE, wait).await?.pop())
    }

    /// Handles a delivery, wherever it comes from, and says on the bus what became of it.
    pub async fn receive(&self, delivery: &Delivery) -> Result<Received, PortError> {
        match self.handle(delivery).await {
            Ok(()) => self.ctx.bus.ack(delivery).await.map(|()| Received::Done),
            Err(error) => retry::after_failure(&self.ctx, delivery, &error).await,
        }
    }

    /// Puts a delivery onto the bus of the region `to`, which has the lead; where that fails, it comes again.
    pub async fn hand_over(
        &self,
        delivery: &Delivery,
        lead: &dyn Lead,
        to: &RegionName,
    ) -> Result<Received, PortError> {
        match lead.hand_over(to, &delivery.envelope).await {
            Ok(()) => self.ctx.bus.ack(delivery).await.map(|()| Received::Done),
            Err(error) => self.keep(delivery, &error.to_string()).await,
        }
    }

    /// Gives a delivery back because nobody may handle it now. That is no failure of its own: it is never given up for it.
    pub async fn keep(&self, delivery: &Delivery, why: &str) -> Result<Received, PortError> {
        let wait = retry::backoff(delivery.envelope.id.as_str(), delivery.attempts);
        tracing::warn!(envelope.id = %delivery.envelope.id, why, "envelope {} is kept for later", delivery.envelope.id);
        self.ctx.bus.retry(delivery, wait, why).await.map(|()| Received::GivenBack)
    }

    /// Looks at what has come due.
    pub async fn tick(&self) -> Result<Step, PortError> {
        let due = self.ctx.store.due(self.ctx.clock.now(), 32).await?;
        let step = if due.is_empty() { Step::Idle } else { Step::Did };
        for deadline in due {
            let Err(error) = self.look(&deadline.subject).await else {
                continue;
            };
            tracing::warn!(subject = %deadline.subject, %error, "could not look at {}", deadline.subject);
            match &deadline.subject {
                // What the engine kept of it is damaged: a message that says "running" for ever would be a lie.
                Subject::Attempt(key) if error.kind == Kind::Permanent => {
                    self.committed(|| observe::refused(&self.ctx, key, &error.what)).await?;
                }
                Subject::Attempt(key) => self.committed(|| observe::silent(&self.ctx, key)).await?,
                _ => observe::postpone(&self.ctx, &deadline).await?,
            }
        }
        Ok(step)
    }

    async fn look(&self, subject: &Subject) -> Result<(), PortError> {
        match subject {
            Subject::Attempt(key) => self.committed(|| observe::look(&self.ctx, key)).await,
            Subject::Request(id) => self.committed(|| requests::look(&self.ctx, id)).await,
            Subject::Move(id) => self.committed(|| moves::advance(&self.ctx, id)).await,
        }
    }

    /// Carries one effect of the outbox out.
    pub async fn deliver(&self) -> Result<Step, PortError> {
        let Some(item) = self.take_effect().await? else {
            return Ok(Step::Idle);
        };
        self.carry_out(&item).await.map(|()| Step::Did)
    }

    /// Takes one effect that is due. Whoever takes it also [carries it out](Self::carry_out).
    pub async fn take_effect(&self) -> Result<Option<OutboxItem>, PortError> {
        Ok(self.ctx.store.outbox_take(self.ctx.clock.now(), LEASE, 1).await?.pop())
    }

    /// Carries an effect out that was taken, and says in the outbox what became of it.
    pub async fn carry_out(&self, item: &OutboxItem) -> Result<(), PortError> {
        let settled = deliver::carry_out(&self.ctx, &self.pace, item).await;
        self.ctx.store.outbox_settle(item, settled).await
    }

    async fn handle(&self, delivery: &Delivery) -> Result<(), PortError> {
        let envelope = &delivery.envelope;
        match &envelope.event {
            Event::Asked { origin, command } => {
                self.committed(|| asked::handle(&self.ctx, envelope, origin, command)).await
            }
            Event::HomeOpened { actor } => self.committed(|| home::opened(&self.ctx, envelope, actor)).await,
            Event::Look { key } => self.committed(|| observe::look(&self.ctx, key)).await,
            Event::InputArrived { job, file, fingerprint } => {
                let arrival = arrival::Arrival { key: &envelope.key, job, file, fingerprint };
                self.committed(|| arrival::handle(&self.ctx, arrival)).await
            }
            Event::TaskWaiting(task) => self.committed(|| task::waiting(&self.ctx, &envelope.key, task)).await,
            Event::StartRefused { key, reason } => self.committed(|| observe::refused(&self.ctx, key, reason)).await,
        }
    }

    /// Prepares a commit and makes it; prepares it anew while somebody else is faster. Work that was done before is done.
    async fn committed<F, Fut>(&self, prepare: F) -> Result<(), PortError>
    where
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<crate::ports::Commit, PortError>> + Send,
    {
        let mut races = 0;
        loop {
            let mut commit = prepare().await?;
            self.readers.follow(&self.ctx, &mut commit).await?;
            match self.ctx.store.commit(commit).await {
                Err(e) if e.kind == Kind::Claimed => return Ok(()),
                Err(e) if e.kind == Kind::Conflict && races < RACES => races += 1,
                result => {
                    self.committed.notify_waiters();
                    return result;
                }
            }
        }
    }
}
